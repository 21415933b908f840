// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import { Page } from '@playwright/test';
import { Console, expect, test } from '../support/console';
import { numbered } from '../support/pictures';
import { Client } from '../support/server';
import { Entry, unzip, zip } from '../support/zip';

const named = (i: number) => `Packed ${String(i).padStart(2, '0')}`;

async function saved(console: Console, start: () => Promise<void>): Promise<{ name: string; data: Buffer }> {
  const [download] = await Promise.all([console.page.waitForEvent('download'), start()]);
  return { name: download.suggestedFilename(), data: readFileSync(await download.path()) };
}

async function chooseArchive(console: Console, data: Buffer, name = 'images.zip'): Promise<void> {
  if ((await console.dialog.count()) === 0) {
    await console.page.getByRole('button', { name: 'Import from JSON or zip' }).click();
  }
  await console.chooseFiles([{ name, mimeType: 'application/zip', buffer: data }]);
}

/** All that an import restores of the tenant's images. */
async function state(tenant: Client): Promise<unknown[]> {
  const images = (await tenant.images()) as unknown as Record<string, unknown>[];
  const kept = ['resourceKey', 'title', 'fileName', 'etag', 'public', 'publicResourceKey', 'createdTime', 'tags', 'resourceSubType'];
  return images.map((image) => Object.fromEntries(kept.map((name) => [name, image[name]]))).sort((a, b) => (String(a.resourceKey) < String(b.resourceKey) ? -1 : 1));
}

test('what is selected on several pages, in list and grid, is downloaded in one archive', async ({ console, tenant, page }) => {
  const files = Array.from({ length: 11 }, (_, i) => numbered(i, i < 2 ? 'same.png' : `file ü ${i}.png`));
  for (const [i, file] of files.entries()) {
    await tenant.upload(file, named(i));
  }
  const lists: string[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/api/images/zipTicket')) {
      lists.push(request.postData() ?? '');
    }
  });
  await console.signIn(tenant.account, '/images?mode=list&sort=title&order=ASC');
  await console.row(named(0)).getByRole('checkbox').check();
  await console.row(named(1)).getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Next page' }).click();
  await console.row(named(10)).getByRole('checkbox').check();
  await console.shot('list-selection');
  const fromList = await saved(console, () => page.getByRole('button', { name: 'Download as zip' }).click());
  expect(fromList.name).toBe('images.zip');
  const found = unzip(fromList.data);
  expect([...found.keys()]).toEqual(['same.png', 'same (2).png', 'file ü 10.png']);
  expect([0, 1, 10].every((i, at) => [...found.values()][at].equals(files[i].buffer))).toBe(true);
  // The page has stayed, and with it the selection.
  await expect(page.getByText('3 images selected')).toBeVisible();

  await console.mode('Grid');
  await console.tile(named(0)).getByRole('checkbox').uncheck({ force: true });
  await page.getByRole('button', { name: 'Export as zip' }).focus();
  const fromGrid = await saved(console, () => page.keyboard.press('Enter'));
  expect(fromGrid.name).toBe('exported-images.zip');
  expect([...unzip(fromGrid.data).keys()]).toEqual(['same_(1).png.json', 'same_(1).png', 'file ü 10.png.json', 'file ü 10.png']);
  // Nobody can guess the list that a ticket is for.
  const nonces = lists.map((list) => (JSON.parse(list) as { nonce: string }).nonce);
  expect(nonces).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), expect.stringMatching(/^[0-9a-f]{32}$/)]);
  expect(nonces[0]).not.toBe(nonces[1]);
});

test('an export imported again restores every image; what is there already is left alone or replaced', async ({ console, tenant, page }) => {
  for (let i = 0; i < 3; i++) {
    const image = await tenant.upload(numbered(i, `round ${i}.png`), named(i));
    await tenant.call('PUT', `${image.link}/tags`, { tags: ['hall 3', `t${i}`] });
  }
  await tenant.call('PUT', '/api/images/tenant/round%202.png/public/false');
  const before = await state(tenant);
  await console.signIn(tenant.account, '/images?mode=list');
  await page.getByLabel('Select all on this page').click();
  const { data } = await saved(console, () => page.getByRole('button', { name: 'Export as zip' }).click());
  for (const image of await tenant.images()) {
    await tenant.call('DELETE', image.link);
  }
  await chooseArchive(console, data);
  await expect(console.dialog.getByRole('listitem')).toHaveCount(3);
  await console.dialog.getByRole('button', { name: 'Import 3 images' }).click();
  await console.closed();
  expect(await state(tenant)).toEqual(before);

  // Two are as they were, and one is not any more.
  const changed = (await tenant.images(named(1)))[0] as unknown as Record<string, unknown>;
  await tenant.call('PUT', `${changed.link}/info`, { ...changed, title: 'Renamed' });
  await chooseArchive(console, data);
  await console.dialog.getByRole('button', { name: 'Import 3 images' }).click();
  await expect(console.dialog.getByText('Unchanged')).toHaveCount(2);
  await expect(console.dialog.getByText('An image with the key of this export exists.')).toBeVisible();
  await console.dialog.getByRole('button', { name: 'Replace with round 1.png' }).click();
  await console.closed();
  expect(await state(tenant)).toEqual(before);
});

test('archives that are damaged or mean harm are refused with the reason, as a whole or image by image', async ({ console, tenant, page }) => {
  const picture = numbered(1).buffer;
  const etag = createHash('sha256').update(picture).digest('hex');
  const described = (name: string, more: object = {}): Entry[] => [
    { name: `${name}.json`, data: Buffer.from(JSON.stringify({ type: 'IMAGE', resourceKey: name, title: name, etag, ...more })) },
    { name, data: picture },
  ];
  const good = zip(described('a.png'));
  const patched = (at: number, value: number) => {
    const out = Buffer.from(good);
    out[at] = value;
    return out;
  };
  const shared = described('a.png')[1];
  await console.signIn(tenant.account);
  const refused: [string, Buffer, string][] = [
    ['text.zip', Buffer.from('hello'), 'This is not a zip archive'],
    ['empty.zip', zip([]), 'contains no exported images'],
    ['pictures.zip', zip([shared]), 'contains no exported images'],
    ['cut.zip', good.subarray(0, good.length - 30), 'This is not a zip archive'],
    ['front.zip', good.subarray(10), 'damaged or incomplete'],
    ['secret.zip', zip([{ ...shared, flags: 0x801 }]), 'encrypted'],
    ['up.zip', zip([{ ...shared, name: '../../x.png' }]), 'leads out of it'],
    ['root.zip', zip([{ ...shared, name: '/etc/x.png' }]), 'leads out of it'],
    ['twice.zip', zip([shared, shared]), 'two files with the name'],
    ['bomb.zip', zip(Array.from({ length: 20 }, (_, i) => ({ name: `${i}`, data: Buffer.alloc(1), size: 0xfffffff0 }))), 'more than 64 GB'],
    ['count.zip', patched(good.length - 12, 200), 'one part of an archive'],
    ['overlap.zip', zip([shared, { ...shared, name: 'b.png', at: 0 }]), 'overlap'],
  ];
  await page.getByRole('button', { name: 'Import from JSON or zip' }).click();
  await console.chooseFiles(refused.map(([name, buffer]) => ({ name, mimeType: 'application/zip', buffer })));
  for (const [name, , reason] of refused) {
    await expect(console.dialog.getByRole('listitem', { name }), name).toContainText(reason);
    await console.dialog.getByRole('button', { name: `Remove ${name}` }).click();
  }

  // Of these only one image is right.
  const large = Buffer.alloc(3 << 20);
  await chooseArchive(
    console,
    zip([
      ...described('good.png'),
      ...described('other.png', { etag: 'a'.repeat(64) }),
      ...described('bad.png', { tags: 'x' }),
      described('bomb.png')[0],
      { name: 'bomb.png', data: picture, packed: deflateRawSync(large), method: 8 },
      described('huge.png')[0],
      { name: 'huge.png', data: Buffer.alloc(5 << 20) },
      { name: 'whole.json', data: Buffer.concat([Buffer.from('{"data":"'), Buffer.alloc(6 << 20, 'A'), Buffer.from('"}')]) },
      { name: 'alone.png.json', data: Buffer.from('{"resourceKey":"alone.png"}') },
      { name: 'notes.txt', data: Buffer.from('x') },
      { name: '.DS_Store', data: Buffer.from('x') },
    ]),
  );
  await expect(page.getByText('1 file in “images.zip” left out')).toBeVisible();
  await expect(console.dialog.getByRole('listitem', { name: 'huge.png' })).toContainText('Too large: 5.0 MB');
  await expect(console.dialog.getByRole('listitem', { name: 'whole.json' })).toContainText('Too large: 4.5 MB');
  await console.dialog.getByRole('button', { name: 'Import 5 images' }).click();
  for (const [name, reason] of [
    ['other.png', 'is not the one that'],
    ['bad.png', 'The member “tags”'],
    ['bomb.png', 'is damaged'],
    ['alone.png.json', 'not in the archive'],
  ]) {
    await expect(console.dialog.getByRole('listitem', { name, exact: true }), name).toContainText(reason);
    await expect(console.dialog.getByRole('button', { name: `Retry ${name}` })).toBeVisible();
  }
  await console.shot('dialog-import-archive');
  await expect(console.dialog.getByRole('listitem', { name: 'good.png', exact: true })).toContainText('Done');
  expect((await tenant.images()).map((image) => image.resourceKey)).toEqual(['good.png']);
});

test('an archive of thousands of images is listed without delay', async ({ console, tenant, page }) => {
  const picture = numbered(1).buffer;
  const entries = Array.from({ length: 3000 }, (_, i) => [
    { name: `${i}.png.json`, data: Buffer.from(`{"resourceKey":"${i}.png"}`) },
    { name: `${i}.png`, data: picture },
  ]).flat();
  await console.signIn(tenant.account);
  await chooseArchive(console, zip(entries));
  await expect(console.dialog.getByRole('button', { name: 'Import 3,000 images' })).toBeEnabled();
  await expect(console.dialog.getByRole('listitem')).toHaveCount(200);
  await expect(console.dialog).toContainText('and 2,800 more images');
  await console.dialog.getByRole('button', { name: 'Cancel' }).click();
  await console.closed();
});

type Held = 'bytes' | 'encoding';

interface Watch {
  slices: number;
  encodings: number;
  hold(what: Held): void;
  release(what: Held): void;
}

/** Counts what the page reads of files, and can hold it up. */
function watchReading(page: Page): Promise<void> {
  return page.addInitScript(() => {
    const held = new Map<Held, { released: Promise<void>; release: () => void }>();
    const watch: Watch = {
      slices: 0,
      encodings: 0,
      hold: (what) => {
        let release = () => {};
        held.set(what, { released: new Promise((resolve) => (release = resolve)), release });
      },
      release: (what) => held.get(what)?.release(),
    };
    Object.assign(window, { watch });
    const { slice, arrayBuffer } = Blob.prototype;
    Blob.prototype.slice = function (...range) {
      watch.slices += 1;
      return slice.apply(this, range);
    };
    Blob.prototype.arrayBuffer = async function () {
      await held.get('bytes')?.released;
      return arrayBuffer.call(this);
    };
    const { readAsDataURL } = FileReader.prototype;
    FileReader.prototype.readAsDataURL = function (blob) {
      watch.encodings += 1;
      void Promise.resolve(held.get('encoding')?.released).then(() => readAsDataURL.call(this, blob));
    };
  });
}

function watched<T>(page: Page, look: (watch: Watch) => T): Promise<T> {
  return page.evaluate<T>(`(${look})(window.watch)`);
}

function packedImages(count: number): Buffer {
  return zip(
    Array.from({ length: count }, (_, i) => [
      { name: `${i}.png.json`, data: Buffer.from(`{"resourceKey":"${i}.png"}`) },
      { name: `${i}.png`, data: numbered(i).buffer },
    ]).flat(),
  );
}

test('an import that is cancelled reads no more images, and one that is started again is sent once', async ({ console, tenant, page }) => {
  await watchReading(page);
  let sent = 0;
  page.on('request', (request) => (sent += request.url().endsWith('/api/image/import') ? 1 : 0));
  await console.signIn(tenant.account);
  await chooseArchive(console, packedImages(60));
  await watched(page, (watch) => watch.hold('encoding'));
  await console.dialog.getByRole('button', { name: 'Import 60 images' }).click();
  const encodings = () => watched(page, (watch) => watch.encodings);
  await expect.poll(encodings).toBe(4);
  const slices = await watched(page, (watch) => watch.slices);
  await console.dialog.getByRole('button', { name: 'Cancel all' }).click();
  await expect(console.dialog.getByText('Cancelled')).toHaveCount(60);
  expect(await watched(page, (watch) => watch.slices)).toBe(slices);
  // The picture is still being encoded for the attempt that was cancelled.
  await console.dialog.getByRole('button', { name: 'Retry 0.png' }).click();
  await expect.poll(encodings).toBe(5);
  await watched(page, (watch) => watch.release('encoding'));
  await expect(console.dialog.getByRole('listitem', { name: '0.png', exact: true })).toContainText('Done');
  expect(sent).toBe(1);
  expect((await tenant.images()).map((image) => image.resourceKey)).toEqual(['0.png']);
});

test('an archive that is being read is announced, keeps the focus, and is not dropped without a question', async ({ console, tenant, page }) => {
  await watchReading(page);
  await console.signIn(tenant.account);
  await watched(page, (watch) => watch.hold('bytes'));
  await chooseArchive(console, packedImages(3));
  const status = console.dialog.getByRole('status');
  await expect(status).toHaveText('Reading the archive…');
  await expect(console.dialog.getByRole('progressbar', { name: 'Progress of images.zip' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(console.dialog).toContainText('Close without importing?');
  await console.dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.locator('mat-dialog-container')).toHaveCount(1);
  await console.dialog.getByRole('button', { name: 'Remove images.zip' }).focus();
  await watched(page, (watch) => watch.release('bytes'));
  await expect(status).toHaveText('3 images ready');
  await expect(console.dialog.getByRole('list', { name: 'Files' })).toBeFocused();

  // While these are sent, another archive is read and given up.
  let release = () => {};
  let asked = 0;
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/api/image/import', async (route) => {
    asked += 1;
    await held;
    await route.continue();
  });
  await console.dialog.getByRole('button', { name: 'Import 3 images' }).click();
  const uploads = page.getByRole('button', { name: /^Uploading 1 of 3/ });
  await expect.poll(() => asked).toBe(3);
  await watched(page, (watch) => watch.hold('bytes'));
  await chooseArchive(console, packedImages(7), 'more.zip');
  await expect(status).toHaveText('Reading the archive…');
  await console.dialog.getByRole('button', { name: 'Continue in background' }).click();
  await console.dialog.getByRole('button', { name: 'Close without importing' }).click();
  await console.closed();
  const slices = await watched(page, (watch) => watch.slices);
  await watched(page, (watch) => watch.release('bytes'));
  await uploads.click();
  await expect(console.dialog.getByRole('listitem')).toHaveCount(3);
  // Not even its directory is read.
  expect(await watched(page, (watch) => watch.slices)).toBe(slices);
  // With drafts left it would stay open.
  release();
  await console.closed();
  expect(await tenant.images()).toHaveLength(3);
});

test('a download that is refused is reported, and the page stays', async ({ console, tenant, page }) => {
  await tenant.upload(numbered(1), named(1));
  await console.signIn(tenant.account, '/images?mode=grid');
  await console.tile(named(1)).getByRole('checkbox').check({ force: true });
  const error = { status: 401, message: 'The ticket of this download has expired.', errorCode: 10, timestamp: 1 };
  await page.route('**/api/images/zipDownload?*', (route) => route.fulfill({ status: 401, json: error }));
  await page.getByRole('button', { name: 'Download as zip' }).click();
  await expect(page.getByText('1 image could not be downloaded: The ticket of this download has expired.')).toBeVisible();
  await expect(page.locator('iframe')).toHaveCount(0);
  // Refused before the browser is asked to download anything.
  await page.route('**/api/images/zipTicket', (route) => route.fulfill({ status: 413, json: { ...error, message: 'Too many for one archive.' } }));
  await page.getByRole('button', { name: 'Export as zip' }).click();
  await expect(page.getByText('1 image could not be exported: Too many for one archive.')).toBeVisible();
  await expect(page.getByText('1 image selected')).toBeVisible();
});
