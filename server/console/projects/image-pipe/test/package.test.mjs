// SPDX-License-Identifier: Apache-2.0
// Run with: node --test projects/image-pipe/test/   (after npm ci, from the workspace's folder)
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

const workspace = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const output = join(workspace, 'dist/image-pipe');

test('the package builds, and holds what somebody needs who installs it', async () => {
  const ng = join(workspace, 'node_modules/@angular/cli/bin/ng.js');
  execFileSync(process.execPath, [ng, 'build', 'image-pipe'], { cwd: workspace, stdio: 'pipe', env: { ...process.env, CI: '1', NG_CLI_ANALYTICS: 'false' } });

  const manifest = JSON.parse(readFileSync(join(output, 'package.json'), 'utf8'));
  assert.equal(manifest.name, 'gallery-image-pipe');
  assert.equal(manifest.license, 'Apache-2.0');
  assert.notEqual(manifest.private, true);
  assert.match(readFileSync(join(output, 'README.md'), 'utf8'), /X-Authorization/);

  const code = readFileSync(join(output, manifest.exports['.'].default), 'utf8');
  const wanted = new Set([...code.matchAll(/from '([^'.][^']*)'/g)].map(([, name]) => /^(@[^/]+\/)?[^/]+/.exec(name)[0]));
  const offered = { ...manifest.peerDependencies, ...manifest.dependencies };
  assert.deepEqual([...wanted].filter((name) => !(name in offered)), []);
  // Compiled for whatever version of Angular the application has, not for the one that was here.
  assert.match(code, /ɵɵngDeclarePipe/);

  const types = readFileSync(join(output, manifest.exports['.'].types), 'utf8');
  await import(pathToFileURL(join(workspace, 'node_modules/@angular/compiler/fesm2022/compiler.mjs')));
  const library = await import(pathToFileURL(join(output, manifest.exports['.'].default)));
  for (const name of ['ImagePipe', 'GalleryImageLoader', 'GALLERY_IMAGE_OPTIONS', 'LOADING_IMAGE_URL', 'NO_IMAGE_URL', 'imagePath', 'parseImageLink']) {
    assert.ok(name in library, name);
    assert.match(types, new RegExp(`\\b${name}\\b`));
  }
  assert.equal(library.imagePath(library.parseImageLink('tb-image;/api/images/tenant/a b.png')), '/api/images/tenant/a%20b.png');
});
