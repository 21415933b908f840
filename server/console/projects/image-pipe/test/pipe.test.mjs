// SPDX-License-Identifier: Apache-2.0
// Run with: node --test projects/image-pipe/test/   (after npm ci, from the workspace's folder)
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const library = dirname(dirname(fileURLToPath(import.meta.url)));
const workspace = dirname(dirname(library));
// Beside the packages, so that the bundle finds Angular.
const folder = await mkdtemp(join(workspace, 'node_modules', '.image-pipe-test-'));
after(() => rm(folder, { recursive: true }));

const entry = `
  import '@angular/compiler';
  export * from ${JSON.stringify(join(library, 'src/public-api.ts'))};
  export { Injector } from '@angular/core';
  export { HttpClient } from '@angular/common/http';
  export { DomSanitizer } from '@angular/platform-browser';
  export { Subject, firstValueFrom, toArray } from 'rxjs';
`;
await build({
  stdin: { contents: entry, resolveDir: workspace, loader: 'ts' },
  bundle: true,
  format: 'esm',
  packages: 'external',
  tsconfig: join(workspace, 'tsconfig.json'),
  outfile: join(folder, 'pipe.mjs'),
  logLevel: 'error',
});
const { DomSanitizer, GALLERY_IMAGE_OPTIONS, GalleryImageLoader, HttpClient, ImagePipe, Injector, NO_IMAGE_URL, LOADING_IMAGE_URL, Subject, imagePath, parseImageLink } =
  await import(pathToFileURL(join(folder, 'pipe.mjs')));

let requests;
let revoked;
let pipe;
let loader;
const revoke = URL.revokeObjectURL;
URL.revokeObjectURL = (url) => {
  revoked.push(url);
  revoke.call(URL, url);
};

function start(options = {}) {
  requests = [];
  revoked = [];
  const http = {
    get: (url, { headers }) => {
      const answer = new Subject();
      const request = { url, authorization: headers.get('X-Authorization'), answer };
      requests.push(request);
      return answer;
    },
  };
  const injector = Injector.create({
    providers: [
      { provide: HttpClient, useValue: http },
      { provide: DomSanitizer, useValue: { bypassSecurityTrustUrl: (url) => ({ safe: url }) } },
      { provide: GALLERY_IMAGE_OPTIONS, useValue: options },
      { provide: GalleryImageLoader },
      { provide: ImagePipe },
    ],
  });
  loader = injector.get(GalleryImageLoader);
  pipe = injector.get(ImagePipe);
}

function watch(observable) {
  const seen = [];
  const subscription = observable.subscribe((value) => seen.push(value));
  return { seen, stop: () => subscription.unsubscribe() };
}

const deliver = (request, bytes = 10) => {
  request.answer.next(new Blob([new Uint8Array(bytes)]));
  request.answer.complete();
};

beforeEach(() => start());

test('a link is taken apart and put together with its key encoded once', () => {
  for (const link of ['/api/images/tenant/a b%.png', '/api/images/tenant/a%20b%25.png', 'tb-image;/api/images/tenant/a%20b%25.png']) {
    assert.equal(imagePath(parseImageLink(link)), '/api/images/tenant/a%20b%25.png', link);
  }
  // The server writes keys into links as they are.
  for (const key of ['100%.png', 'a#b.png', 'a?b.png', 'what?.png', 'ä b&c=d.png', 'a+b.png']) {
    assert.equal(imagePath(parseImageLink(`/api/images/tenant/${key}`)), `/api/images/tenant/${encodeURIComponent(key)}`);
    assert.equal(
      imagePath(parseImageLink(`/api/images/tenant/${key}/preview?v=1`)),
      `/api/images/tenant/${encodeURIComponent(key)}/preview?v=1`,
    );
  }
  assert.equal(imagePath({ ...parseImageLink('/api/images/system/x?v=1'), preview: true }), '/api/images/system/x/preview?v=1');
  for (const other of ['/api/images/public/abc', 'https://example.org/api/images/tenant/a', '/api/images/tenant/', 'data:image/png;base64,AA']) {
    assert.equal(parseImageLink(other), null, other);
  }
});

test('a gallery picture comes with the authentication header, after a placeholder', () => {
  start({ baseUrl: 'https://gallery.example', authorization: () => 'Bearer abc' });
  const { seen } = watch(pipe.transform('tb-image;/api/images/tenant/a.png'));
  assert.deepEqual(seen, [LOADING_IMAGE_URL]);
  assert.equal(requests[0].url, 'https://gallery.example/api/images/tenant/a.png');
  assert.equal(requests[0].authorization, 'Bearer abc');
  deliver(requests[0]);
  assert.match(seen[1].safe, /^blob:/);
});

test('the links of a gallery below a path are fetched there, whether they contain the path or not', () => {
  start({ baseUrl: 'https://gallery.example/pictures' });
  watch(pipe.transform('/pictures/api/images/tenant/a b.png'));
  watch(pipe.transform('/api/images/tenant/c.png'));
  assert.deepEqual(
    requests.map(({ url }) => url),
    ['https://gallery.example/pictures/api/images/tenant/a%20b.png', 'https://gallery.example/pictures/api/images/tenant/c.png'],
  );
  assert.deepEqual(watch(pipe.transform('/other/api/images/tenant/a.png')).seen, ['/other/api/images/tenant/a.png']);
});

test('options: preview, plain strings, no placeholder', () => {
  const { seen } = watch(pipe.transform('/api/images/system/a.png', { preview: true, asString: true, ignoreLoadingImage: true }));
  assert.equal(requests[0].url, '/api/images/system/a.png/preview');
  assert.deepEqual(seen, []);
  deliver(requests[0]);
  assert.match(seen[0], /^blob:/);
});

test('other URLs are passed through without a request, and nothing is marked safe', () => {
  for (const url of ['https://example.org/a.png', '/api/images/public/abc', 'data:image/png;base64,AA', 'javascript:alert(1)']) {
    assert.deepEqual(watch(pipe.transform(url)).seen, [url]);
  }
  assert.deepEqual(requests, []);
});

test('without a URL, and when the picture cannot be had, the empty one is shown', () => {
  assert.deepEqual(watch(pipe.transform(null)).seen, [NO_IMAGE_URL]);
  assert.deepEqual(watch(pipe.transform('', { emptyUrl: 'none.svg' })).seen, ['none.svg']);
  const { seen } = watch(pipe.transform('/api/images/tenant/gone.png', { emptyUrl: 'none.svg', ignoreLoadingImage: true }));
  requests[0].answer.error(new Error('404'));
  assert.deepEqual(seen, ['none.svg']);
  watch(pipe.transform('/api/images/tenant/gone.png'));
  assert.equal(requests.length, 2);
});

test('the same picture asked for several times at once is fetched once and shared', () => {
  const a = watch(pipe.transform('/api/images/tenant/a.png', { asString: true, ignoreLoadingImage: true }));
  const b = watch(pipe.transform('tb-image;/api/images/tenant/a.png', { asString: true, ignoreLoadingImage: true }));
  assert.equal(requests.length, 1);
  deliver(requests[0]);
  assert.deepEqual(a.seen, b.seen);
  a.stop();
  assert.deepEqual(revoked, []);
});

test('a fetch that nobody waits for any more is aborted', () => {
  const a = watch(pipe.transform('/api/images/tenant/a.png'));
  const b = watch(pipe.transform('/api/images/tenant/a.png'));
  a.stop();
  assert.equal(requests[0].answer.observed, true);
  b.stop();
  assert.equal(requests[0].answer.observed, false);
});

test('what was allocated is revoked: past the bytes to keep the longest unused first, the rest when forgotten', () => {
  start({ keepBytes: 25 });
  const urls = ['a', 'b', 'c'].map((key) => {
    const view = watch(pipe.transform(`/api/images/tenant/${key}`, { asString: true, ignoreLoadingImage: true }));
    deliver(requests.at(-1), 10);
    view.stop();
    return view.seen[0];
  });
  assert.deepEqual(revoked, [urls[0]]);
  const again = watch(pipe.transform('/api/images/tenant/b', { asString: true, ignoreLoadingImage: true }));
  assert.deepEqual(again.seen, [urls[1]]);
  assert.equal(requests.length, 3);
  loader.forget();
  assert.deepEqual(revoked, [urls[0], urls[2]]);
  again.stop();
  loader.forget();
  assert.deepEqual(revoked, [urls[0], urls[2], urls[1]]);
});
