// SPDX-License-Identifier: Apache-2.0
import { expect, test } from '../support/console';
import { numbered } from '../support/pictures';

const LIMIT = 350 * 1024;

test('the first load is small, compressed, and kept by the browser for ever where names have hashes', async ({ console, tenant, page, browser }) => {
  for (let i = 0; i < 10; i++) {
    await tenant.upload(numbered(i), `First ${i}`);
  }
  await console.signIn(tenant.account);
  const state = await page.context().storageState();

  // A cold cache, but signed in: what somebody sees who opens the list in the morning.
  const context = await browser.newContext({ baseURL: process.env.GALLERY_URL, storageState: state });
  const fresh = await context.newPage();
  let bytes = 0;
  const files: string[] = [];
  const coded = new Map<string, string>();
  const session = await context.newCDPSession(fresh);
  await session.send('Network.enable');
  const addresses = new Map<string, string>();
  session.on('Network.responseReceived', ({ requestId, response }) => {
    addresses.set(requestId, response.url);
    if (/\.(js|css)$/.test(response.url)) {
      const headers = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name.toLowerCase(), value]));
      files.push(response.url);
      expect(headers['cache-control'], response.url).toContain('immutable');
      coded.set(response.url, headers['content-encoding'] ?? '');
    }
  });
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (!addresses.get(requestId)?.includes('/api/')) {
      bytes += encodedDataLength;
    }
  });
  const began = Date.now();
  await fresh.goto('/images?mode=list');
  await expect(fresh.locator('g-image-list tr.mat-mdc-row')).toHaveCount(10);
  const took = Date.now() - began;
  await fresh.waitForLoadState('networkidle');
  process.stdout.write(`    first load: ${(bytes / 1024).toFixed(1)} KB in ${files.length} files; list usable after ${took} ms\n`);
  expect(files.length).toBeGreaterThan(3);
  expect(bytes).toBeLessThan(LIMIT);
  // A few hundred bytes are not worth it; everything else comes compressed.
  for (const url of files) {
    const length = (await (await fetch(url)).arrayBuffer()).byteLength;
    expect(coded.get(url), `${url}, ${length} bytes`).toMatch(length < 1024 ? /^(br|gzip|)$/ : /^(br|gzip)$/);
  }
  const index = await fetch(`${process.env.GALLERY_URL}/`);
  expect(index.headers.get('cache-control')).not.toContain('immutable');
  // A promise about one machine, so it is held only where that is asked for.
  if (process.env.CONSOLE_MEASURE) {
    expect(took).toBeLessThan(1000);
  }
  await context.close();
});
