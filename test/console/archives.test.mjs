// SPDX-License-Identifier: Apache-2.0
// How the console reads archives, without a browser.
//   node --test test/console/archives.test.mjs   (after npm ci in server/console)
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));
const console_ = join(here, '../../server/console');
const { build } = createRequire(join(console_, 'package.json'))('esbuild');
const bundle = await build({
  stdin: {
    contents: `
      export * from ${JSON.stringify(join(console_, 'src/app/upload/zip-file.ts'))};
      export * from ${JSON.stringify(join(console_, 'src/app/upload/packed-images.ts'))};
      export { zip } from ${JSON.stringify(join(here, 'support/zip.ts'))};
    `,
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
const { imagesIn, readDirectory, readEntry, zip } = await import(
  `data:text/javascript;base64,${Buffer.from(bundle.outputFiles[0].contents).toString('base64')}`
);

// Only browsers have it.
globalThis.FileReader = class {
  async readAsDataURL(blob) {
    this.result = `data:;base64,${Buffer.from(await blob.arrayBuffer()).toString('base64')}`;
    this.onload();
  }
};

const text = Buffer.from('An image as text, '.repeat(500));
const noise = Buffer.from(Array.from({ length: 3 << 20 }, (_, i) => (i * i) >> 7));
const going = new AbortController().signal;

function archiveOf(...entries) {
  return new File([zip(entries)], 'images.zip');
}

async function contents(archive) {
  const out = {};
  for (const entry of await readDirectory(archive)) {
    out[entry.name] = Buffer.from(await (await readEntry(archive, entry)).arrayBuffer());
  }
  return out;
}

function described(name, about, picture = text) {
  return [
    { name: `${name}.json`, data: Buffer.from(JSON.stringify(about)) },
    { name, data: picture },
  ];
}

async function images(archive) {
  return (await imagesIn(archive, going, () => {})).images;
}

test('stored and compressed entries are read, also where the sizes are behind the content', async () => {
  const packed = deflateRawSync(text);
  assert.ok(packed.length < text.length / 10);
  const archive = archiveOf(
    { name: 'stored', data: noise },
    { name: 'compressed', data: text, packed, method: 8 },
    { name: 'late/stored', data: text, late: true },
    { name: 'late/compressed', data: text, packed, method: 8, late: true },
    { name: 'late/', data: Buffer.alloc(0) },
    { name: 'empty', data: Buffer.alloc(0) },
  );
  assert.deepEqual(await contents(archive), {
    stored: noise,
    compressed: text,
    'late/stored': text,
    'late/compressed': text,
    empty: Buffer.alloc(0),
  });
});

test('the numbers of large files and archives are read', async () => {
  const entries = [
    { name: 'a', data: text, large: true },
    { name: 'b', data: text, packed: deflateRawSync(text), method: 8, large: true },
    { name: 'c', data: noise },
  ];
  for (const archive of [zip(entries), zip(entries, true)]) {
    assert.deepEqual(await contents(new Blob([archive])), { a: text, b: text, c: noise });
  }
  // Of which the field is missing, too short, or the end is not where it should be.
  const broken = (...patches) => {
    const out = zip([entries[0]], true);
    const directory = out.indexOf('PK\x01\x02', 0, 'latin1');
    patches.forEach(([at, value]) => out.writeUInt16LE(value, at < 0 ? out.length + at : directory + at));
    return readDirectory(new Blob([out]));
  };
  const field = 46 + 1 + 8;
  await broken();
  for (const patch of [[field, 2], [field + 2, 16], [-22 - 20 - 56, 0], [-22 - 20 + 8, 0xffff]]) {
    await assert.rejects(broken(patch), /damaged or incomplete/, String(patch));
  }
});

test('what expands to more than the archive says is not expanded to its end', async (t) => {
  let expanded = 0;
  const Real = DecompressionStream;
  t.after(() => (globalThis.DecompressionStream = Real));
  globalThis.DecompressionStream = class {
    constructor(format) {
      const real = new Real(format);
      this.writable = real.writable;
      this.readable = real.readable.pipeThrough(
        new TransformStream({
          transform(part, out) {
            expanded += part.length;
            out.enqueue(part);
          },
        }),
      );
    }
  };
  const bomb = Buffer.alloc(64 << 20);
  const archive = archiveOf({ name: 'bomb', data: text, packed: deflateRawSync(bomb), method: 8 });
  const [entry] = await readDirectory(archive);
  await assert.rejects(readEntry(archive, entry), /“bomb” in the archive is damaged/);
  assert.ok(expanded > text.length && expanded < bomb.length / 8, `${expanded} bytes`);
});

test('damaged content is noticed', async () => {
  for (const more of [{}, { packed: deflateRawSync(text), method: 8 }, { packed: deflateRawSync(text).subarray(0, 20), method: 8 }]) {
    const archive = zip([{ name: 'a', data: text, ...more }]);
    archive[31 + 10] ^= 1;
    const blob = new Blob([archive]);
    const [entry] = await readDirectory(blob);
    await assert.rejects(readEntry(blob, entry), /damaged/);
  }
});

test('an image is read with its description, or from JSON that contains the picture', async () => {
  const etag = createHash('sha256').update(text).digest('hex');
  const about = { resourceKey: 'a.svg', title: 'A', etag };
  const whole = Buffer.from(JSON.stringify({ type: 'IMAGE', resourceKey: 'b.svg', data: text.toString('base64') }));
  const archive = archiveOf(
    ...described('a.svg', about).map(({ name, data }) => ({ name, data, packed: deflateRawSync(data), method: 8 })),
    { name: 'b.json', data: whole, packed: deflateRawSync(whole), method: 8 },
    // Too large to be looked at before it is sent.
    { name: 'c.json', data: Buffer.from(JSON.stringify({ data: noise.toString('base64') })) },
    { name: 'other.json', data: Buffer.from('{"name":"no image"}') },
  );
  const { images: found, leftOut } = await imagesIn(archive, going, () => {});
  assert.deepEqual(found.map(({ name, isWhole }) => [name, isWhole]), [['a.svg', false], ['b.json', true], ['c.json', true]]);
  assert.equal(leftOut, 1);
  const [a, b, c] = await Promise.all(found.map((image) => image.read(going)));
  assert.equal(a.about.etag, etag);
  assert.deepEqual(JSON.parse(a.text), { type: 'IMAGE', resourceKey: 'a.svg', title: 'A', data: text.toString('base64') });
  assert.deepEqual(b, { about: {}, text: whole.toString() });
  assert.equal(JSON.parse(c.text).data, noise.toString('base64'));
});

test('a key that several descriptions state is imported once, and always from the first', async (t) => {
  const found = await images(
    archiveOf(
      ...described('a.svg', { resourceKey: 'same' }),
      ...described('b.svg', { resourceKey: 'same' }),
      { name: 'c.json', data: Buffer.from(JSON.stringify({ resourceKey: 'same', data: 'AAAA' })) },
      ...described('d.svg', { resourceKey: 'other' }),
      { name: 'e.json', data: Buffer.from(JSON.stringify({ data: 'AAAA' })) },
      { name: 'f.json', data: Buffer.from(JSON.stringify({ data: 'AAAA' })) },
    ),
  );
  // The description that is read first takes longest.
  const { arrayBuffer } = Blob.prototype;
  t.after(() => (Blob.prototype.arrayBuffer = arrayBuffer));
  let reads = 0;
  Blob.prototype.arrayBuffer = async function () {
    for (let i = reads++ === 0 ? 100 : 0; i > 0; i--) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    return arrayBuffer.call(this);
  };
  const results = await Promise.allSettled(found.map((image) => image.read(going)));
  assert.deepEqual(
    results.map(({ reason }) => reason?.message),
    [
      undefined,
      '“b.svg.json” has the same key “same” as “a.svg.json”. Only the first one is imported.',
      '“c.json” has the same key “same” as “a.svg.json”. Only the first one is imported.',
      undefined,
      undefined,
      undefined,
    ],
  );
  // Again, as after a failure.
  assert.ok((await found[0].read(going)).text);
});

test('reading stops when it is aborted', async (t) => {
  const { slice } = Blob.prototype;
  t.after(() => (Blob.prototype.slice = slice));
  let slices = 0;
  let sliced = () => {};
  Blob.prototype.slice = function (...range) {
    slices += 1;
    sliced();
    return slice.apply(this, range);
  };
  const entries = [...described('a', { resourceKey: 'a' }, noise), { name: 'b.json', data: Buffer.from('{"resourceKey":"b"}') }];
  const archive = new File([zip(entries)], 'images.zip');
  await assert.rejects(imagesIn(archive, AbortSignal.abort(), () => {}), { name: 'AbortError' });
  assert.equal(slices, 0);
  const listing = new AbortController();
  sliced = () => slices === 7 && listing.abort();
  slices = 0;
  // While b.json is looked at.
  await assert.rejects(imagesIn(archive, listing.signal, () => {}), { name: 'AbortError' });
  sliced = () => {};

  const [image] = await images(archive);
  slices = 0;
  await assert.rejects(image.read(AbortSignal.abort()), { name: 'AbortError' });
  assert.equal(slices, 0);
  // In the first piece of the picture.
  const reading = new AbortController();
  sliced = () => slices === 8 && reading.abort();
  await assert.rejects(image.read(reading.signal), { name: 'AbortError' });
  assert.equal(slices, 8);
});
