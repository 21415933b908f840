// SPDX-License-Identifier: Apache-2.0
/** What the page says about a mirror, and what can be done with it. */
import { formatCount, formatDuration, formatSize, formatTime, plural } from '../core/format';
import { Mirror, MirrorCompletion, MirrorVerification, Progress, StoreAddress } from '../core/model';
import { Confirmation } from '../shared/confirmation';
import { Pace } from './pace';

export type MirrorAction = 'start' | 'switch' | 'verify' | 'stop' | 'abandon' | 'forget';

export interface Summary {
  readonly title: string;
  readonly text: string;
}

export interface Fact {
  readonly name: string;
  readonly text: string;
  /** It is a path, which is read from left to right. */
  readonly isPath?: boolean;
}

/** As in messages of the server. A store of a database has no path. */
export function storeName({ engine, path }: StoreAddress): string {
  return path ? `${engine}:${path}` : engine;
}

/** The mirror has ended by itself or by a command: another one can be started. */
export function hasEnded(mirror: Mirror): boolean {
  return mirror.state === 'none' || mirror.state === 'stopped' || (mirror.state === 'failed' && !mirror.retrying);
}

/** Figures change quickly, or a command has not ended. */
export function isBusy(mirror: Mirror): boolean {
  return mirror.state === 'copying' || mirror.state === 'switching' || !!mirror.verifying || !!mirror.stopping;
}

/** Images are being read in turn, so that there is a progress. */
export function isCounting(mirror: Mirror): boolean {
  return mirror.state === 'copying' || !!mirror.verifying;
}

export function summaryOf(mirror: Mirror): Summary {
  const what = mirror.backup ? 'backup' : 'mirror';
  if (mirror.stopping) {
    const after = mirror.verifying ? 'The verification in progress ends first. Then the' : 'The';
    return { title: 'Stopping', text: `${after} last changes are applied, and the mirror ends as a complete store.` };
  }
  if (mirror.verifying) {
    return { title: 'Verifying', text: 'All images of both stores are read and compared. Differences are repaired in the mirror and listed here.' };
  }
  switch (mirror.state) {
    case 'none':
      return {
        title: 'No mirror',
        text: 'A mirror is a second store, of any engine, that follows the store of the server while it serves. Use it to make a backup, to move to another engine or disk, or to keep a current copy.',
      };
    case 'copying':
      return { title: 'Copying', text: 'All images are compared, and copied where they differ. The server continues to serve.' };
    case 'following':
      return { title: 'Following', text: 'Changes of the store are applied to the mirror as they happen.' };
    case 'switching':
      return { title: 'Switching', text: 'The mirror is becoming the store of the server. Writes wait for a moment.' };
    case 'stopped':
      return mirror.completed
        ? { title: 'Complete', text: `The ${what} has ended. It is a complete store as of one moment, and no longer follows.` }
        : { title: 'Abandoned', text: `The ${what} has ended and is not complete. No server starts on it. Start it again to continue.` };
    case 'failed':
      return mirror.retrying
        ? { title: 'Failed, retrying', text: 'The mirror is opened again every few seconds. Requests to the server are not affected.' }
        : { title: 'Failed', text: `The ${what} has ended and is not complete. Correct the cause and start it again. Requests to the server are not affected.` };
  }
}

export function actionsOf(mirror: Mirror): readonly MirrorAction[] {
  const all: MirrorAction[] = [];
  if (hasEnded(mirror)) {
    all.push('start');
    if (mirror.state !== 'none') {
      all.push('forget');
    }
    return all;
  }
  if (mirror.canSwitch && mirror.state !== 'switching') {
    all.push('switch');
  }
  // A backup verifies and ends by itself.
  if (mirror.state === 'following' && !mirror.backup && !mirror.stopping) {
    if (!mirror.verifying) {
      all.push('verify');
    }
    all.push('stop');
  }
  if (mirror.state !== 'switching') {
    all.push('abandon');
  }
  return all;
}

/** The question before an action other than start, which has a dialog of its own. */
export function confirmationOf(action: Exclude<MirrorAction, 'start'>, mirror: Mirror): Confirmation {
  const name = mirror.mirror ? storeName(mirror.mirror) : '';
  const what = mirror.backup ? 'backup' : 'mirror';
  switch (action) {
    case 'switch':
      return {
        title: 'Serve from the mirror?',
        text: `${name} becomes the store of the server, also after a restart. ${storeName(mirror.active)} then follows as the mirror, so that you can switch back. Reads continue. Writes wait until the last changes are applied, usually less than a second. If that takes too long, nothing is changed.`,
        confirm: 'Switch',
      };
    case 'verify':
      return {
        title: 'Verify the mirror?',
        text: 'All images of both stores are read and compared while the server continues to serve. Differences are repaired in the mirror and listed here. On a large store this takes long and keeps the disks busy.',
        confirm: 'Verify',
      };
    case 'stop':
      return {
        title: 'Stop the mirror?',
        text: `Writes wait for less than a second while the last changes are applied. Then ${name} is a complete store as of that moment and no longer follows.${mirror.verifying ? ' The verification in progress ends first.' : ''} To continue later, start it again in the same place.`,
        confirm: 'Stop mirror',
      };
    case 'abandon':
      return {
        title: `Abandon the ${what}?`,
        text: `It ends at once and is not complete: no server starts on ${name}. What has been copied stays there. If it is started again in the same place, only differences are copied.`,
        confirm: `Abandon ${what}`,
        destructive: true,
      };
    case 'forget':
      return {
        title: `Forget the ${what}?`,
        text: `The server deletes what it knows about it, including the options of its engine. ${name ? `The store ${name} is not changed.` : 'No store is changed.'}`,
        confirm: `Forget ${what}`,
        destructive: true,
      };
  }
}

export function factsOf(mirror: Mirror): readonly Fact[] {
  const { active, mirror: target, revision = 0, currentTime = 0, imagesCopied = 0, changesApplied = 0 } = mirror;
  const facts: Fact[] = [{ name: 'Store of the server', text: storeName(active), isPath: true }];
  if (target?.engine) {
    facts.push({ name: mirror.backup ? 'Backup' : 'Mirror', text: storeName(target), isPath: true });
  }
  if (mirror.state === 'following' || mirror.state === 'switching') {
    facts.push({ name: 'Lag', text: lagText(mirror) });
  } else if (mirror.state === 'failed' && currentTime > 0) {
    facts.push({ name: 'Current as of', text: formatTime(currentTime) });
  }
  if (revision > 0) {
    facts.push({ name: 'Revision', text: formatCount(revision) });
  }
  if (imagesCopied > 0) {
    facts.push({ name: 'Copied', text: `${plural(imagesCopied, 'image')}, ${formatSize(mirror.bytesCopied ?? 0)}` });
  }
  if (changesApplied > 0) {
    facts.push({ name: 'Applied', text: plural(changesApplied, 'change') });
  }
  if (mirror.lastSwitch) {
    const { time, from, heldMilliseconds } = mirror.lastSwitch;
    facts.push({ name: 'Last switch', text: `${formatTime(time)}, from ${storeName(from)}. Writes waited for ${formatCount(heldMilliseconds)} ms at most.` });
  }
  if (mirror.backupTime) {
    facts.push({ name: 'Last backup', text: formatTime(mirror.backupTime) });
  }
  return facts;
}

export function lagText({ lagRevisions = 0, lagSeconds = 0 }: Mirror): string {
  if (lagRevisions === 0) {
    return 'None';
  }
  const seconds = lagSeconds < 10 ? `${lagSeconds.toLocaleString(undefined, { maximumFractionDigits: 1 })} s` : formatDuration(lagSeconds);
  return `${plural(lagRevisions, 'revision')}, ${seconds}`;
}

/** In percent; null while nothing has been counted. */
export function percentOf({ images, bytes }: Mirror): number | null {
  const share = ({ done, total }: Progress) => Math.min(100, (100 * done) / total);
  if (bytes && bytes.total > 0) {
    return share(bytes);
  }
  return images && images.total > 0 ? share(images) : null;
}

/** The parts of the line below the bar. */
export function progressParts(mirror: Mirror, pace: Pace): readonly string[] {
  const { images, bytes } = mirror;
  const bytesPerSecond = pace.bytesPerSecond();
  const secondsLeft = pace.secondsLeft(mirror);
  const parts: string[] = [];
  if (images && images.total > 0) {
    parts.push(`${formatCount(images.done)} of ${plural(images.total, 'image')}`);
  }
  if (bytes && bytes.total > 0) {
    parts.push(`${formatSize(bytes.done)} of ${formatSize(bytes.total)}`);
    if (bytesPerSecond !== null) {
      parts.push(`${formatSize(Math.round(bytesPerSecond))}/s`);
    }
  }
  if (secondsLeft !== null) {
    parts.push(`about ${formatDuration(Math.max(1, secondsLeft))} left`);
  }
  return parts;
}

export function verificationText({ images, bodies, rounds, same, time }: MirrorVerification): string {
  const found = same
    ? `${plural(images, 'image is', 'images are')} the same in both stores.`
    : `the stores still differ after ${plural(rounds, 'comparison')}.`;
  return `${formatTime(time)}: ${found} ${plural(bodies, 'file was', 'files were')} read from each store.`;
}

export function completionText({ revision, images, bytes, keptVersions, damaged, time }: MirrorCompletion): string {
  const kept = keptVersions > 0 ? `, ${plural(keptVersions, 'kept version')}` : '';
  const missing = damaged > 0 ? ` ${plural(damaged, 'item is', 'items are')} missing, because the store could not return ${damaged === 1 ? 'it' : 'them'}.` : '';
  return `${formatTime(time)}: ${plural(images, 'image')}${kept}, ${formatSize(bytes)}, as of revision ${formatCount(revision)}.${missing}`;
}
