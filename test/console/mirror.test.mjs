// SPDX-License-Identifier: Apache-2.0
// What the console says about a mirror and its progress, without a browser.
//   node --test test/console/mirror.test.mjs   (after npm ci in server/console)
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const console_ = join(here, '../../server/console');
const { build } = createRequire(join(console_, 'package.json'))('esbuild');
const bundle = await build({
  stdin: {
    contents: ['core/format', 'mirror/mirror-state', 'mirror/pace'].map((file) => `export * from ${JSON.stringify(join(console_, `src/app/${file}.ts`))};`).join('\n'),
    resolveDir: here,
    loader: 'ts',
  },
  bundle: true,
  format: 'esm',
  platform: 'node',
  tsconfig: join(console_, 'tsconfig.json'),
  write: false,
  logLevel: 'error',
});
const { Pace, actionsOf, confirmationOf, formatDuration, lagText, percentOf, progressParts, storeName, summaryOf } = await import(
  `data:text/javascript;base64,${Buffer.from(bundle.outputFiles[0].contents).toString('base64')}`
);

const active = { engine: 'rocksdb', path: '/data/rocksdb' };
const mirror = { engine: 'filesystem', path: '/backup' };
const STATES = ['none', 'copying', 'following', 'switching', 'stopped', 'failed'];

function copying(images, bytes, more = {}) {
  return { state: 'copying', active, mirror, problem: '', images: { done: images, total: 100 }, bytes: { done: bytes, total: 1000 }, ...more };
}

test('the rate is that of the last half minute', () => {
  const pace = new Pace();
  pace.note(copying(0, 0), 0);
  assert.equal(pace.bytesPerSecond(), null);
  pace.note(copying(1, 10), 500);
  assert.equal(pace.bytesPerSecond(), null);
  pace.note(copying(2, 20), 1000);
  assert.equal(pace.bytesPerSecond(), 20);
  assert.equal(pace.secondsLeft(copying(2, 20)), 49);
  for (let second = 2; second <= 40; second++) {
    pace.note(copying(second, 20 + second), second * 1000);
  }
  assert.equal(pace.bytesPerSecond(), 1);
  assert.equal(pace.secondsLeft(copying(40, 60)), 940);
  for (let second = 41; second <= 80; second++) {
    pace.note(copying(40, 60), second * 1000);
  }
  assert.equal(pace.bytesPerSecond(), 0);
  assert.equal(pace.secondsLeft(copying(40, 60)), null);
});

test('another run, another kind of work and smaller figures begin a new measurement', () => {
  for (const next of [copying(60, 600, { run: 2 }), copying(60, 600, { run: 1, verifying: true }), copying(60, 600, { run: 1, state: 'following' }), copying(10, 600, { run: 1 })]) {
    const pace = new Pace();
    pace.note(copying(40, 0, { run: 1 }), 0);
    pace.note(copying(50, 500, { run: 1 }), 1000);
    assert.equal(pace.bytesPerSecond(), 500);
    pace.note(next, 2000);
    assert.equal(pace.bytesPerSecond(), null);
  }
});

test('without bytes, images count', () => {
  const pace = new Pace();
  const empty = (done) => copying(done, 0, { bytes: { done: 0, total: 0 } });
  pace.note(empty(0), 0);
  pace.note(empty(10), 1000);
  assert.equal(pace.secondsLeft(empty(10)), 9);
  assert.equal(percentOf(empty(10)), 10);
  assert.deepEqual(progressParts(empty(10), pace), ['10 of 100 images', 'about 9 seconds left']);
  assert.equal(percentOf({ state: 'copying', active, problem: '' }), null);
  assert.equal(percentOf(copying(0, 5, { images: { done: 0, total: 0 }, bytes: { done: 0, total: 0 } })), null);
  assert.equal(percentOf(copying(0, 2000)), 100);
});

test('durations and lags have a unit that is easy to read', () => {
  const texts = { 0.4: '0 seconds', 1: '1 second', 99: '99 seconds', 100: '2 minutes', 3600: '60 minutes', 7200: '2 hours', 172_800: '2 days' };
  for (const [seconds, text] of Object.entries(texts)) {
    assert.equal(formatDuration(Number(seconds)), text);
  }
  assert.equal(lagText({ lagRevisions: 0, lagSeconds: 0 }), 'None');
  assert.equal(lagText({ lagRevisions: 1, lagSeconds: 0.04 }), '1 revision, 0 s');
  assert.equal(lagText({ lagRevisions: 12_000, lagSeconds: 130 }), '12,000 revisions, 2 minutes');
  assert.equal(storeName({ engine: 'postgresql', path: '' }), 'postgresql');
});

test('every state has a summary, and every action that it offers a question', () => {
  for (const state of STATES) {
    for (const flags of [{}, { backup: true }, { retrying: true }, { stopping: true, verifying: true }, { canSwitch: true }]) {
      const one = { state, active, mirror, problem: '', ...flags };
      assert.ok(summaryOf(one).title && summaryOf(one).text);
      const actions = actionsOf(one);
      assert.equal(new Set(actions).size, actions.length);
      assert.equal(actions.includes('switch'), !!flags.canSwitch && ['copying', 'following'].includes(state));
      for (const action of actions.filter((name) => name !== 'start')) {
        const { title, text, confirm } = confirmationOf(action, one);
        assert.ok(title.endsWith('?') && text.endsWith('.') && confirm);
      }
    }
  }
  assert.deepEqual(actionsOf({ state: 'failed', active, mirror: { engine: '', path: '' }, problem: 'x' }), ['start', 'forget']);
});
