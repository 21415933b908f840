// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '../support/console';
import { numbered, png } from '../support/pictures';
import { zip } from '../support/zip';

test('twenty files at once, each with its own bar, name and result', async ({ console, tenant, page }) => {
  await console.signIn(tenant.account);
  await page.getByRole('button', { name: 'Upload images' }).first().click();
  await console.chooseFiles(Array.from({ length: 20 }, (_, i) => numbered(i, `file ${i}.png`)));
  const items = console.dialog.locator('li');
  await expect(items).toHaveCount(20);
  await expect(console.dialog.getByLabel('Name of file 7.png')).toHaveValue('file 7.png');
  await console.dialog.getByLabel('Name of file 7.png').fill('Seventh <i>heaven</i>');
  // Held up on the way, so that all can be seen under way.
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/api/image', async (route) => {
    await held;
    await route.continue();
  });
  await console.dialog.getByRole('button', { name: 'Upload 20 images' }).click();
  await expect(console.dialog.getByRole('progressbar')).toHaveCount(20);
  await console.shot('dialog-uploading');
  await console.dialog.getByRole('button', { name: 'Continue in background' }).click();
  await console.closed();
  await page.getByRole('button', { name: /^Uploading 1 of 20/ }).click();
  await expect(console.dialog.getByRole('progressbar')).toHaveCount(20);
  release();
  await console.closed();
  await expect(page.getByText('20 images', { exact: true })).toBeVisible();
  const titles = (await tenant.images()).map((image) => image.title);
  expect(titles).toHaveLength(20);
  expect(titles).toContain('Seventh <i>heaven</i>');
  expect(titles).toContain('file 0.png');
});

test('files dropped anywhere on the page, and pasted pictures, wait in the dialog with their names', async ({ console, tenant, page }) => {
  await console.signIn(tenant.account, '/images?mode=grid');
  await expect(page.getByText('There are no images yet')).toBeVisible();
  await console.drop('header', [numbered(1, 'dropped.png'), numbered(2, 'dropped too.png')]);
  await expect(console.dialog.getByLabel('Name of dropped.png')).toHaveValue('dropped.png');
  await console.drop('.zone', [numbered(3, 'third.png')]);
  await expect(console.dialog.locator('li')).toHaveCount(3);
  await console.paste(numbered(4, 'image.png'));
  await expect(console.dialog.locator('li')).toHaveCount(4);
  await expect(console.dialog.locator('li').last()).toContainText(/\d/);
  await console.dialog.getByRole('button', { name: 'Upload 4 images' }).click();
  await console.closed();
  await expect(console.tiles).toHaveCount(4);
  await console.pictures(page.locator('.surface'));
  await console.paste(numbered(5, 'image.png'));
  await console.dialog.getByRole('button', { name: 'Upload 1 image' }).click();
  await expect(console.tiles).toHaveCount(5);
  expect((await tenant.images('Pasted 20')).length).toBe(2);
});

test('too large and wrong types are refused before a byte is sent; the server’s reasons are shown as they are', async ({ console, tenant, page }) => {
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/api/image')) {
      sent.push(request.url());
    }
  });
  await console.signIn(tenant.account);
  await page.getByRole('button', { name: 'Upload images' }).first().click();
  await expect(console.dialog).toContainText('up to 4.0 MB each');
  await console.chooseFiles([
    { name: 'huge.png', mimeType: 'image/png', buffer: Buffer.alloc(5 * 1024 * 1024, 1) },
    { name: 'letter.docx', mimeType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', buffer: Buffer.from('x') },
    { name: 'empty.png', mimeType: 'image/png', buffer: Buffer.alloc(0) },
  ]);
  await expect(console.dialog).toContainText('Too large: 5.0 MB; the server accepts up to 4.0 MB.');
  await expect(console.dialog).toContainText('This is not an image file.');
  await expect(console.dialog).toContainText('This file is empty.');
  await expect(console.dialog.getByRole('status')).toHaveText('3 not uploaded');
  await expect(console.dialog.getByRole('button', { name: /^Upload/ })).toHaveCount(0);
  expect(sent).toEqual([]);

  await console.chooseFiles([{ name: 'text.png', mimeType: 'image/png', buffer: Buffer.from('only words in here') }]);
  const [answer] = await Promise.all([
    page.waitForResponse('**/api/image'),
    console.dialog.getByRole('button', { name: 'Upload 1 image' }).click(),
  ]);
  expect(answer.status()).toBe(400);
  await expect(console.dialog.locator('li').last()).toContainText((await answer.json()).message);
  await console.shot('dialog-upload-problems');
});

test('a file at which the connection breaks off again and again is given up, and the others go on', async ({ console, tenant, page }) => {
  await console.signIn(tenant.account);
  let tries = 0;
  await page.route('**/api/image', (route) => {
    if (route.request().postDataBuffer()?.toString('latin1').includes('filename="moved.png"')) {
      tries += 1;
      return route.abort('failed');
    }
    return route.continue();
  });
  await page.getByRole('button', { name: 'Upload images' }).first().click();
  await console.chooseFiles([numbered(1, 'moved.png'), numbered(2, 'fine.png')]);
  await console.dialog.getByRole('button', { name: 'Upload 2 images' }).click();
  await expect(console.dialog.getByRole('listitem', { name: 'fine.png' })).toContainText('Done');
  await expect(console.dialog.getByRole('listitem', { name: 'moved.png' })).toContainText('The connection was lost each time');
  expect(tries).toBe(4);
  await page.unroute('**/api/image');
  await console.dialog.getByRole('button', { name: 'Retry moved.png' }).click();
  await console.closed();
  await expect(console.rows).toHaveCount(2);
});

test('a picture that lands beside a question does not push it aside', async ({ console, tenant, page }) => {
  await tenant.upload(numbered(1), 'In question');
  await console.signIn(tenant.account);
  await console.rows.first().getByRole('button', { name: /^Delete/ }).click();
  await expect(console.dialog).toContainText('Delete this image?');
  await console.drop('header', [numbered(2, 'beside.png')]);
  await console.paste(numbered(3, 'image.png'));
  await expect(page.locator('mat-dialog-container')).toHaveCount(1);
  await expect(console.dialog).toContainText('Delete this image?');
  await console.dialog.getByRole('button', { name: 'Cancel' }).click();
  await console.closed();
  await console.paste(numbered(3, 'image.png'));
  await expect(console.dialog.getByRole('listitem')).toHaveCount(1);
});

test('files that were chosen and not sent are gone when the dialog is closed, which is asked where it was no button', async ({ console, tenant, page }) => {
  await console.signIn(tenant.account);
  await page.getByRole('button', { name: 'Upload images' }).first().click();
  await console.chooseFiles([numbered(1, 'a.png')]);
  await expect(console.dialog.getByRole('listitem')).toHaveCount(1);
  const answer = async (name: string) => {
    await expect(console.dialog).toContainText('Close without uploading?');
    await console.dialog.getByRole('button', { name }).click();
  };
  for (const close of [() => page.keyboard.press('Escape'), () => page.mouse.click(5, 5)]) {
    await close();
    await answer('Cancel');
    await expect(console.dialog.getByLabel('Name of a.png')).toBeVisible();
  }
  await page.keyboard.press('Escape');
  await answer('Close without uploading');
  await console.closed();
  await page.getByRole('button', { name: 'Import from JSON' }).click();
  await expect(console.dialog.getByRole('button', { name: 'Choose files' })).toBeVisible();
  await expect(console.dialog.getByRole('listitem')).toHaveCount(0);
  await console.chooseFiles([numbered(1, 'a.png')]);
  await console.dialog.getByRole('button', { name: 'Cancel' }).click();
  await console.closed();
});

test('uploads that end in the background say so', async ({ console, tenant, page }) => {
  await console.signIn(tenant.account);
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/api/image', async (route) => {
    await held;
    await route.continue();
  });
  await page.getByRole('button', { name: 'Upload images' }).first().click();
  await console.chooseFiles([numbered(1, 'a.png'), numbered(2, 'b.png')]);
  await console.dialog.getByRole('button', { name: 'Upload 2 images' }).click();
  await console.dialog.getByRole('button', { name: 'Continue in background' }).click();
  await page.getByRole('link', { name: 'API keys' }).first().click();
  release();
  await expect(page.getByText('2 images uploaded')).toBeVisible();
});

test('an upload can be cancelled and tried again, and one that fails does not stop the others', async ({ console, tenant, page }) => {
  await console.signIn(tenant.account);
  await page.getByRole('button', { name: 'Upload images' }).first().click();
  await console.chooseFiles([png('a.png', 40, 40, [9, 9, 99]), png('b.png', 41, 40, [9, 99, 9]), png('c.png', 42, 40, [99, 9, 9])]);
  let broken = true;
  await page.route('**/api/image', (route) => {
    const body = route.request().postDataBuffer()?.toString('latin1') ?? '';
    if (broken && body.includes('filename="a.png"')) {
      return; // for ever on its way
    }
    if (broken && body.includes('filename="b.png"')) {
      return route.fulfill({ status: 503, json: { status: 503, message: 'Not now', errorCode: 2, timestamp: 1 } });
    }
    return route.continue();
  });
  await console.dialog.getByRole('button', { name: 'Upload 3 images' }).click();
  await expect(console.dialog.getByRole('listitem', { name: 'c.png' })).toContainText('Done');
  await expect(console.dialog.getByRole('listitem', { name: 'b.png' })).toContainText('Not now');
  await console.dialog.getByRole('button', { name: 'Cancel a.png' }).click();
  await expect(console.dialog.getByRole('listitem', { name: 'a.png' })).toContainText('Cancelled');
  broken = false;
  await console.dialog.getByRole('button', { name: 'Retry a.png' }).click();
  await console.dialog.getByRole('button', { name: 'Retry b.png' }).click();
  await console.closed();
  await expect(console.rows).toHaveCount(3);
});

test('an export of which the title is no text is refused by the server, which says why', async ({ console, tenant, page }) => {
  await console.signIn(tenant.account);
  await page.getByRole('button', { name: 'Import from JSON' }).click();
  const data = numbered(1).buffer.toString('base64');
  await console.chooseFiles([{ name: 'five.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify({ type: 'IMAGE', title: 5, data })) }]);
  const [answer] = await Promise.all([
    page.waitForResponse('**/api/image/import'),
    console.dialog.getByRole('button', { name: 'Import 1 image' }).click(),
  ]);
  expect(answer.status()).toBe(400);
  await expect(console.dialog.getByRole('listitem', { name: 'five.json' })).toContainText((await answer.json()).message);
});

test('what was not uploaded comes first and is counted, whoever has refused it', async ({ console, tenant, page }) => {
  await console.signIn(tenant.account);
  await page.getByRole('button', { name: 'Upload images' }).first().click();
  const words = (name: string, mimeType: string) => ({ name, mimeType, buffer: Buffer.from('only words in here') });
  await console.chooseFiles([
    ...Array.from({ length: 12 }, (_, i) => numbered(i, `fine ${i}.png`)),
    words('words.png', 'image/png'),
    words('letter.txt', 'text/plain'),
  ]);
  await expect(console.dialog.getByRole('status')).toHaveText('1 not uploaded');
  await console.dialog.getByRole('button', { name: 'Upload 13 images' }).click();
  await expect(console.dialog.getByRole('status')).toHaveText('12 uploaded · 2 not uploaded');
  await expect(console.dialog.getByRole('button', { name: /^Upload/ })).toHaveCount(0);
  await expect(console.dialog.getByRole('listitem').nth(0)).toContainText('words.png');
  await expect(console.dialog.getByRole('listitem').nth(1)).toContainText('letter.txt');
  await console.shot('dialog-upload-outcome');
  await expect(page.locator('header .uploads')).toContainText('2 not uploaded');
});

test('a dropped folder is read to its last subfolder, and what is no picture and no archive is left out', async ({ console, tenant, page }, info) => {
  const folder = info.outputPath('pictures');
  // More than the browser hands out at a time.
  mkdirSync(join(folder, 'deep', 'deeper'), { recursive: true });
  for (let i = 0; i < 105; i++) {
    writeFileSync(join(folder, `p${i}.png`), numbered(i).buffer);
  }
  writeFileSync(join(folder, 'deep', 'deeper', 'last.png'), numbered(200).buffer);
  writeFileSync(join(folder, 'Thumbs.db'), 'not a picture');
  writeFileSync(join(folder, 'exported.zip'), zip([{ name: 'packed.png.json', data: Buffer.from('{}') }, { name: 'packed.png', data: numbered(300).buffer }]));
  await console.signIn(tenant.account, '/images?mode=list');
  await expect(page.getByText('There are no images yet')).toBeVisible();
  // What the operating system sends when a folder is dropped.
  const devtools = await page.context().newCDPSession(page);
  const data = { items: [], files: [folder], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await devtools.send('Input.dispatchDragEvent', { type, x: 600, y: 500, data });
  }
  await expect(console.dialog.getByRole('listitem')).toHaveCount(107);
  await expect(console.dialog.getByRole('listitem', { name: 'packed.png' })).toBeVisible();
  await expect(page.getByText('1 file in the folder left out: not an image')).toBeVisible();
  await expect(console.dialog.getByLabel('Name of last.png')).toBeVisible();
  await expect(console.dialog.getByLabel('Name of p10.png')).toBeVisible();
  await console.dialog.getByRole('button', { name: 'Cancel' }).click();
  await console.closed();

  await page.getByRole('button', { name: 'Upload images' }).first().click();
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), console.dialog.getByRole('button', { name: 'Choose a folder' }).click()]);
  await chooser.setFiles(folder);
  await expect(console.dialog.getByRole('listitem')).toHaveCount(107);
  await expect(console.dialog.getByRole('listitem', { name: 'packed.png' })).toBeVisible();
  rmSync(folder, { recursive: true });
});

for (const secure of [true, false]) {
  test(`identical files are pointed out before they are sent, ${secure ? 'with' : 'without'} the browser’s own hash`, async ({ console, tenant, page }) => {
    if (!secure) {
      // As on a page that came over plain http from another computer.
      await page.addInitScript(() => Object.defineProperty(crypto, 'subtle', { value: undefined }));
    }
    const stored = png('stored.png', 300, 200, [30, 60, 90]);
    for (let i = 0; i < 5; i++) {
      await tenant.upload(numbered(i, `n${i}.png`), `Number ${i}`);
    }
    await tenant.upload(stored, 'Stored before');
    expect(createHash('sha256').update(stored.buffer).digest('hex')).toBe((await tenant.images('Stored'))[0].etag);
    await console.signIn(tenant.account, '/images?mode=list');
    await page.getByRole('button', { name: 'Upload images' }).first().click();
    // Of equal size as the stored one, but not the same.
    const similar = Buffer.from(stored.buffer);
    similar[similar.length - 1] ^= 1;
    await console.chooseFiles([
      { ...stored, name: 'again.png' },
      { ...stored, name: 'similar.png', buffer: similar },
      numbered(50, 'new.png'),
      numbered(50, 'new again.png'),
      numbered(3, 'third.png'),
    ]);
    const item = (name: string) => console.dialog.getByRole('listitem', { name, exact: true });
    await expect(item('again.png')).toContainText('Already stored as “Stored before”');
    await expect(item('new again.png')).toContainText('Same content as “new.png” in this list');
    await expect(item('third.png')).toContainText('Already stored as “Number 3”');
    await expect(item('new.png')).not.toContainText('Same content');
    await expect(item('similar.png')).not.toContainText('Already stored');
    await console.shot('dialog-upload-copies');
    // The other of two went, so the one that is left is no copy any more.
    await console.dialog.getByRole('button', { name: 'Remove new.png' }).click();
    await expect(item('new again.png')).not.toContainText('Same content');
    await console.dialog.getByRole('button', { name: 'Leave out 2 copies' }).click();
    await expect(console.dialog.getByRole('listitem')).toHaveCount(2);
    await console.dialog.getByRole('button', { name: 'Upload 2 images' }).click();
    await expect.poll(async () => (await tenant.images()).map(({ title }) => title)).toContain('new again.png');
  });
}

test('a stored image of the same content is found among many, whatever their sizes', async ({ console, tenant, page }) => {
  const stored = png('needle.png', 300, 200, [30, 60, 90]);
  const sample = await tenant.upload(stored, 'Needle');
  // Three hundred images, of which many have the same size, in the order in which the server lists them.
  const sizes = Array.from({ length: 300 }, (_, i) => 100 + Math.floor(i / 40) * 1000);
  const place = 250;
  sizes[place] = sample.descriptor.size;
  const images = sizes
    .map((size, i) => ({ ...sample, id: { ...sample.id, id: `00000000-0000-0000-0000-${String(i).padStart(12, '0')}` }, title: i === place ? 'Needle' : `Hay ${i}`, etag: i === place ? sample.etag : '0', descriptor: { ...sample.descriptor, size } }))
    .sort((a, b) => a.descriptor.size - b.descriptor.size);
  let asked = 0;
  await console.signIn(tenant.account, '/images?mode=list');
  await page.route(/\/api\/images\?.*sortProperty=size/, (route) => {
    const query = new URL(route.request().url()).searchParams;
    const [page, size] = [Number(query.get('page')), Number(query.get('pageSize'))];
    asked += 1;
    return route.fulfill({ json: { data: images.slice(page * size, page * size + size), totalPages: Math.ceil(images.length / size), totalElements: images.length, hasNext: (page + 1) * size < images.length } });
  });
  await page.getByRole('button', { name: 'Upload images' }).first().click();
  await console.chooseFiles([{ ...stored, name: 'again.png' }, numbered(1, 'other.png')]);
  await expect(console.dialog.getByRole('listitem', { name: 'again.png' })).toContainText('Already stored as “Needle”');
  expect(asked).toBeLessThan(5);
});

test('the limit that holds for an upload is shown and checked, whichever setting it comes from', async ({ console, tenant, page }) => {
  await page.route('**/api/system/params', (route) => route.fulfill({ json: { maxResourceSize: 0, maxUploadSize: 1_572_864 } }));
  await tenant.upload(numbered(1), 'To replace');
  await console.signIn(tenant.account, '/images?mode=list');
  await page.getByRole('button', { name: 'Upload images' }).first().click();
  await expect(console.dialog).toContainText('up to 1.5 MB each');
  await console.chooseFiles([
    { name: 'more.png', mimeType: 'image/png', buffer: Buffer.alloc(1_572_865, 1) },
    { name: 'most.png', mimeType: 'image/png', buffer: Buffer.alloc(1_572_864, 1) },
  ]);
  await expect(console.dialog.getByRole('listitem', { name: 'more.png' })).toContainText('Too large: 1.501 MB; the server accepts up to 1.5 MB.');
  await expect(console.dialog.getByLabel('Name of most.png')).toBeVisible();
  await console.dialog.getByRole('button', { name: 'Cancel' }).click();
  await console.closed();
  await console.row('To replace').getByRole('button', { name: /^Edit/ }).click();
  await expect(console.dialog).toContainText('up to 1.5 MB');
  await console.chooseFiles([{ name: 'more.png', mimeType: 'image/png', buffer: Buffer.alloc(1_572_865, 1) }]);
  await expect(console.dialog.getByRole('alert')).toContainText('the server accepts up to 1.5 MB.');
});
