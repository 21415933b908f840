// SPDX-License-Identifier: Apache-2.0
// Limits of tenant profiles as they are entered, and what the console says about used space, without a browser.
//   node --test test/console/quotas.test.mjs   (after npm ci in server/console)
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
    contents: ['core/usage', 'profiles/byte-size', 'profiles/profile-limits', 'profiles/rates']
      .map((file) => `export * from ${JSON.stringify(join(console_, `src/app/${file}.ts`))};`)
      .join('\n'),
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
const { bytesOf, enteredLimits, enteredSize, formatRates, isValid, parseRates, rateProblem, ratesText, usageLevel, usageParts, usageText, usageWarning, usedPercent, withLimits } =
  await import(`data:text/javascript;base64,${Buffer.from(bundle.outputFiles[0].contents).toString('base64')}`);

const KB = 1024;
const MB = 1024 * KB;
const GB = 1024 * MB;

test('a size is shown in the largest unit that states it exactly', () => {
  const cases = [
    [1, '1', 'B'],
    [1023, '1023', 'B'],
    [1025, '1025', 'B'],
    [1536, '1.5', 'KB'],
    [5_000_000, '5000000', 'B'],
    [4 * MB, '4', 'MB'],
    [1.5 * GB, '1.5', 'GB'],
    [1024 * GB, '1', 'TB'],
    [1024 * GB + 1, '1099511627777', 'B'],
  ];
  for (const [bytes, amount, unit] of cases) {
    assert.deepEqual(enteredSize(bytes, 'MB'), { amount, unit });
  }
  assert.deepEqual(enteredSize(0, 'GB'), { amount: '', unit: 'GB' });
});

test('a size that is not changed stays the same to the byte', () => {
  for (let bytes = 1; bytes < 1e15; bytes = Math.ceil(bytes * 1.037)) {
    assert.equal(bytesOf(enteredSize(bytes, 'MB')), bytes);
  }
  // What was entered with two decimals is shown again as it was entered.
  const entered = { amount: '1.01', unit: 'GB' };
  assert.deepEqual(enteredSize(bytesOf(entered), 'B'), entered);
});

test('only sizes are sizes, and none of them becomes "no limit" by rounding', () => {
  assert.equal(bytesOf({ amount: ' 1.5 ', unit: 'KB' }), 1536);
  assert.equal(bytesOf({ amount: '', unit: 'KB' }), 0);
  assert.equal(bytesOf({ amount: '0', unit: 'KB' }), 0);
  for (const amount of ['-1', '1e3', '1,5', 'ten', '.5', '1.', '0.0001', '9'.repeat(30)]) {
    assert.equal(bytesOf({ amount, unit: 'KB' }), null, amount);
  }
});

test('rates are read and written in the format of ThingsBoard', () => {
  const rates = parseRates('100:1,2000:60');
  assert.deepEqual(rates, [
    { requests: '100', seconds: '1' },
    { requests: '2000', seconds: '60' },
  ]);
  assert.equal(formatRates(rates), '100:1,2000:60');
  assert.equal(formatRates([{ requests: ' 007', seconds: '1 ' }, { requests: '', seconds: '' }]), '7:1');
  assert.deepEqual(parseRates(''), []);
  assert.equal(formatRates([]), '');
  assert.equal(ratesText('100:1,2000:60'), '100 per 1 s, 2,000 per 60 s');
  assert.equal(ratesText(''), 'No limit');
});

test('rates that the server would refuse have a problem', () => {
  const rate = (requests, seconds) => ({ requests, seconds });
  for (const good of [[], [rate('', '')], [rate('100', '1'), rate('2000', '60')], [rate('1', '4294967295')]]) {
    assert.equal(rateProblem(good), null);
  }
  for (const bad of [rate('0', '1'), rate('1', '0'), rate('1', ''), rate('', '1'), rate('1.5', '1'), rate('-1', '1'), rate('1', '4294967296')]) {
    assert.match(rateProblem([bad]), /^Enter whole numbers/);
  }
  assert.match(rateProblem([rate('1', '60'), rate('2', '060')]), /^There are two limits for 60 s/);
});

test('what was not changed in a configuration stays as it is', () => {
  const configuration = {
    type: 'DEFAULT',
    maxDevices: 17,
    more: { kept: [1, 'two', null] },
    maxResourceSize: 5_000_001,
    tenantServerRestLimitsConfiguration: null,
    customerServerRestLimitsConfiguration: '5:1',
  };
  const before = enteredLimits(configuration);
  assert.deepEqual(withLimits(configuration, before, before), configuration);
  // The same size in another unit is no change either.
  const sameSize = { ...before, imageSize: { amount: ' 5000001 ', unit: 'B' } };
  assert.deepEqual(withLimits(configuration, before, sameSize), configuration);
  const now = { imageSize: { amount: '', unit: 'MB' }, totalSize: { amount: '2', unit: 'GB' }, tenantRates: [{ requests: '10', seconds: '1' }], customerRates: [] };
  assert.ok(isValid(now, before));
  assert.deepEqual(withLimits(configuration, before, now), {
    ...configuration,
    maxResourceSize: 0,
    maxResourcesInBytes: 2 * GB,
    tenantServerRestLimitsConfiguration: '10:1',
    customerServerRestLimitsConfiguration: '',
  });
  assert.ok(!isValid({ ...now, totalSize: { amount: 'x', unit: 'GB' } }, before));
  assert.ok(!isValid({ ...now, customerRates: [{ requests: '0', seconds: '1' }] }, before));
});

test('a size that cannot be entered is valid as long as it is not changed', () => {
  const configuration = { maxResourcesInBytes: 2 ** 60 };
  const before = enteredLimits(configuration);
  assert.ok(isValid(before, before));
  assert.deepEqual(withLimits(configuration, before, before), configuration);
  const changed = { ...before, totalSize: { ...before.totalSize, amount: `${before.totalSize.amount}0` } };
  assert.ok(!isValid(changed, before));
  assert.ok(isValid({ ...before, totalSize: { amount: '2', unit: 'GB' } }, before));
});

test('used space warns from 80 % on, and is full at the limit only', () => {
  const used = (usedBytes, maxResourcesInBytes = 1000) => ({ images: 2, bytes: usedBytes, keptVersions: 0, keptBytes: 0, usedBytes, maxResourcesInBytes });
  const cases = [
    [used(0), 0, 'normal'],
    [used(799), 79, 'normal'],
    [used(800), 80, 'high'],
    [used(999), 99, 'high'],
    [used(1000), 100, 'full'],
    [used(1500), 150, 'full'],
    [used(1500, 0), null, 'normal'],
  ];
  for (const [usage, percent, level] of cases) {
    assert.equal(usedPercent(usage), percent);
    assert.equal(usageLevel(usage), level);
    assert.equal(usageWarning(usage) === '', level === 'normal');
  }
  assert.equal(usageText(used(3 * MB, 4 * MB)), '3.0 MB of 4.0 MB');
  assert.equal(usageText(used(3 * MB, 0)), '3.0 MB used');
  assert.equal(usageParts(used(3 * MB)), '2 images.');
  assert.equal(usageParts({ ...used(3 * MB), images: 1, bytes: 4 * MB, keptVersions: 2, keptBytes: 512 }), '1 image. Not counted: 1.0 MB in previews, 512 B in 2 kept versions.');
});
