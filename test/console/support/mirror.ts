// SPDX-License-Identifier: Apache-2.0
import { Page } from '@playwright/test';

/** States of a mirror as the server sends them, which a test does not have to wait for. */
const common = {
  active: { engine: 'rocksdb', path: '/var/lib/gallery/rocksdb' },
  mirror: { engine: 'filesystem', path: '/backup/gallery/mirror' },
  problem: '',
  run: 'first',
  backup: false,
  images: { done: 12_000, total: 12_000 },
  bytes: { done: 5_000_000_000, total: 5_000_000_000 },
  imagesCopied: 12_000,
  bytesCopied: 5_000_000_000,
  imagesErased: 0,
  changesApplied: 37,
  revision: 48_112,
  currentTime: Date.UTC(2026, 2, 3, 12, 30),
  lagRevisions: 0,
  lagSeconds: 0,
  retrying: false,
  stopping: false,
  verifying: false,
  canSwitch: false,
  damaged: [] as string[],
};
const { active, problem } = common;

export const mirrors = {
  none: { state: 'none', active, problem },
  copying: {
    ...common,
    state: 'copying',
    images: { done: 3_000, total: 12_000 },
    bytes: { done: 1_000_000_000, total: 5_000_000_000 },
    imagesCopied: 2_990,
    bytesCopied: 999_000_000,
    changesApplied: 0,
    revision: 0,
    currentTime: 0,
  },
  following: {
    ...common,
    state: 'following',
    lagRevisions: 3,
    lagSeconds: 0.42,
    canSwitch: true,
    verified: { time: common.currentTime, images: 12_000, bodies: 24_000, rounds: 2, same: true, repaired: ['the preview of the image “Harbour” differed'] },
  },
  damaged: {
    ...common,
    state: 'following',
    problem: '2 items cannot be read from the store and may be missing in the mirror, first: the image “Old plan”',
    damaged: ['the image “Old plan”: its hash differs', 'the image “Canyon relay”: its file is missing'],
  },
  verifying: { ...common, state: 'following', verifying: true, images: { done: 600, total: 12_000 }, bytes: { done: 250_000_000, total: 5_000_000_000 } },
  switching: { ...common, state: 'switching' },
  retrying: { ...common, state: 'failed', retrying: true, problem: 'the target: no space left on device' },
  failed: { ...common, state: 'failed', backup: true, problem: 'the target: no space left on device' },
  complete: {
    ...common,
    state: 'stopped',
    completed: { revision: 48_112, images: 12_000, bytes: 5_000_000_000, keptVersions: 12, damaged: 0, time: common.currentTime },
  },
  abandoned: { ...common, state: 'stopped' },
};

/** What the page asks the server about the mirror, and what it is answered. */
export interface PlayedMirror {
  /** The answer from now on: a state, or a status with a message. */
  now: object;
  refusal: { readonly status: number; readonly message: string } | null;
  /** Requests for the state. */
  polls: number;
  /** Other requests, with what they sent. */
  readonly commands: { readonly name: string; readonly body: unknown }[];
}

/** Answers requests about the mirror in the server's place. Every command leads to `now`. */
export async function playMirror(page: Page, now: object): Promise<PlayedMirror> {
  const played: PlayedMirror = { now, refusal: null, polls: 0, commands: [] };
  await page.route(/\/api\/system\/mirror(\/\w+)?$/, (route) => {
    const request = route.request();
    const action = new URL(request.url()).pathname.split('/').at(-1)!;
    if (request.method() === 'GET') {
      played.polls += 1;
    } else {
      played.commands.push({ name: request.method() === 'DELETE' ? 'forget' : action, body: request.postDataJSON() });
    }
    const { refusal } = played;
    return refusal
      ? route.fulfill({ status: refusal.status, json: { ...refusal, errorCode: 2, timestamp: 1 } })
      : route.fulfill({ json: played.now });
  });
  return played;
}
