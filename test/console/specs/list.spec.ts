// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { expect, test } from '../support/console';
import { numbered, png } from '../support/pictures';
import { systemAdministrator } from '../support/server';

test('pages, sorting, search and system images stand in the URL and are found again there', async ({ console, tenant, page, browser }) => {
  for (let i = 0; i < 23; i++) {
    await tenant.upload(numbered(i, `n${i}.png`), `Image ${String(i).padStart(2, '0')}`);
  }
  await tenant.upload(png('100%.png', 90, 60, [90, 20, 20]), '100% wool_x');
  await console.signIn(tenant.account);
  await expect(console.rows).toHaveCount(10);
  await expect(page.getByText('24 images')).toBeVisible();
  await expect(console.rows.first()).toContainText('100% wool_x');
  await expect(console.rows.first()).toContainText('90×60');
  await console.pictures(console.rows.first());

  await page.getByRole('button', { name: 'Last page' }).click();
  await expect(page).toHaveURL(/page=2/);
  await expect(console.rows).toHaveCount(4);
  await page.getByRole('button', { name: 'First page' }).click();
  await expect(console.rows).toHaveCount(10);

  await page.getByRole('columnheader', { name: 'Name' }).getByRole('button').click();
  await expect(page).toHaveURL(/sort=title/);
  await expect(console.rows.nth(1)).toContainText('Image 00');

  await page.getByLabel('Items per page').press('Enter');
  await page.getByRole('option', { name: '30' }).click();
  await expect(console.rows).toHaveCount(24);
  await expect(page).toHaveURL(/pageSize=30/);

  const searches: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('textSearch')) {
      searches.push(request.url());
    }
  });
  await page.keyboard.press('/');
  await page.keyboard.type('IMAGE 1');
  await expect(console.rows).toHaveCount(10);
  expect(searches).toHaveLength(1);
  await page.getByLabel('Search images by name').fill('0% wool_');
  await expect(console.rows).toHaveCount(1);
  await page.getByLabel('Search images by name').fill('image 1');
  await expect(console.rows).toHaveCount(10);

  const system = page.getByRole('switch', { name: 'Include system images' });
  await page.getByLabel('Search images by name').fill('');
  await system.click();
  await expect(page).toHaveURL(/system=true/);
  await expect(page.getByRole('columnheader', { name: 'System' })).toBeVisible();
  await expect(console.rows.filter({ hasText: 'System' }).first()).toBeVisible();
  await system.click();
  await expect(page).not.toHaveURL(/system=true/);
  await expect(console.rows.filter({ hasText: 'System' })).toHaveCount(0);
  await page.getByLabel('Search images by name').fill('image 1');
  await expect(console.rows).toHaveCount(10);

  const other = await (await browser.newContext({ baseURL: process.env.GALLERY_URL, locale: 'en-US' })).newPage();
  const { Console } = await import('../support/console');
  const copy = new Console(other);
  await copy.signIn(tenant.account, page.url());
  await expect(copy.rows).toHaveCount(10);
  await expect(copy.rows.first()).toContainText('Image 10');
  await expect(other.getByLabel('Search images by name')).toHaveValue('image 1');
  await other.context().close();

  await page.goBack();
  await expect(system).toBeChecked();
  await expect(page.getByLabel('Search images by name')).toHaveValue('');
  await expect(console.rows).toHaveCount(30);
});

test('the mode is remembered', async ({ console, tenant, page }) => {
  await console.signIn(tenant.account);
  await console.mode('Grid');
  await expect(page).toHaveURL(/mode=grid/);
  await page.goto('/images');
  await expect(page).toHaveURL(/mode=grid/);
});

test('rows are selected by a click, and what may be deleted of the selection is deleted with one question', async ({ console, tenant, page }) => {
  const system = await systemAdministrator();
  const systemImage = await system.upload(numbered(77, `system-${Date.now()}.png`), `Selection system ${Date.now()}`);
  for (const name of ['one', 'two', 'three', 'four']) {
    await tenant.upload(numbered(name.length, `${name}.png`), `Selection ${name}`);
  }
  await console.signIn(tenant.account, '/images?mode=list&system=true&search=Selection');
  await expect(console.row(systemImage.title)).toContainText('System');
  // A tenant downloads system images, but does not delete them.
  await console.row(systemImage.title).click();
  await expect(page.getByText('1 image selected')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Download as zip' })).toBeVisible();
  await expect(page.getByRole('button', { name: /^Delete( \d|$)/ })).toHaveCount(0);
  await console.row(systemImage.title).click();
  await console.row('Selection one').click();
  await expect(page.getByText('1 image selected')).toBeVisible();
  await console.row('Selection one').click();
  await page.getByLabel('Select all on this page').click();
  await expect(page.getByText('5 images selected')).toBeVisible();
  await console.row('Selection four').getByRole('checkbox').click();
  await expect(page.getByText('4 images selected')).toBeVisible();

  // One of the three cannot be deleted; the others are, and this one is named with the reason.
  let refusals = 1;
  await page.route('**/api/images/tenant/two.png*', (route) =>
    route.request().method() === 'DELETE' && refusals-- > 0
      ? route.fulfill({ status: 500, json: { status: 500, message: 'The disk is on holiday', errorCode: 2, timestamp: 1 } })
      : route.continue(),
  );
  await page.getByRole('button', { name: 'Delete 3 of 4' }).click();
  await expect(console.dialog).toContainText('Delete 3 images?');
  await expect(console.dialog).toContainText('cannot be undone');
  await console.shot('dialog-delete');
  await console.dialog.getByRole('button', { name: 'Delete 3 images' }).click();
  await expect(console.dialog).toContainText('1 image not deleted');
  await expect(console.dialog).toContainText('Selection two: The disk is on holiday');
  expect((await tenant.images('Selection')).map((image) => image.title).sort()).toEqual(['Selection four', 'Selection two']);
  await console.dialog.getByRole('button', { name: 'Try again' }).click();
  await console.closed();
  await expect(console.row('Selection two')).toHaveCount(0);
  await expect(console.row('Selection four')).toBeVisible();
  await system.call('DELETE', systemImage.link);
});

test('download gives the very bytes; an export imported elsewhere is the same image', async ({ console, tenant, page }) => {
  const file = png('grün & "quoted".png', 64, 48, [10, 90, 60]);
  const image = await tenant.upload(file, 'Title <b>not bold</b> "q"');
  await console.signIn(tenant.account);
  await expect(console.row('Title <b>not bold</b> "q"')).toBeVisible();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    console.rows.first().getByRole('button', { name: /^Download/ }).click(),
  ]);
  expect(readFileSync(await download.path()).equals(file.buffer)).toBe(true);
  const [exported] = await Promise.all([
    page.waitForEvent('download'),
    console.rows.first().getByRole('button', { name: /^Export/ }).click(),
  ]);
  const text = readFileSync(await exported.path());
  expect(JSON.parse(text.toString()).title).toBe(image.title);

  const second = Buffer.from(JSON.stringify({ ...JSON.parse(text.toString()), resourceKey: 'second.png', title: 'Second', publicResourceKey: undefined }));

  await tenant.call('DELETE', image.link);
  await page.getByRole('button', { name: 'Import from JSON' }).click();
  await console.chooseFiles([
    { name: 'one.json', mimeType: 'application/json', buffer: text },
    { name: 'two.json', mimeType: 'application/json', buffer: second },
    { name: 'broken.json', mimeType: 'application/json', buffer: Buffer.from('{') },
    { name: 'other.json', mimeType: 'application/json', buffer: Buffer.from('{"type":"JS_MODULE","data":"AAAA"}') },
    { name: 'huge.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify({ type: 'IMAGE', data: 'A'.repeat(7_000_000) })) },
  ]);
  await expect(console.dialog).toContainText('This file is not valid JSON.');
  await expect(console.dialog).toContainText('This file is not an exported image.');
  await expect(console.dialog).toContainText('Too large: 5.0 MB; the server accepts up to 4.0 MB.');
  await console.shot('dialog-import');
  for (const name of ['broken.json', 'other.json', 'huge.json']) {
    await console.dialog.getByRole('button', { name: `Remove ${name}` }).click();
  }
  await console.dialog.getByRole('button', { name: 'Import 2 images' }).click();
  await console.closed();
  await expect(console.rows).toHaveCount(2);
  const restored = (await tenant.images('Title'))[0];
  expect(restored.descriptor.width).toBe(64);
  const bytes = Buffer.from(await (await tenant.fetch(restored.link)).arrayBuffer());
  expect(bytes.equals(file.buffer)).toBe(true);
});

test('a deleted last page leads to the page before it', async ({ console, tenant, page }) => {
  for (let i = 0; i < 11; i++) {
    await tenant.upload(numbered(i), `Last ${i}`);
  }
  await console.signIn(tenant.account, '/images?mode=list&page=1');
  await expect(console.rows).toHaveCount(1);
  await console.rows.first().getByRole('button', { name: /^Delete/ }).click();
  await console.dialog.getByRole('button', { name: 'Delete', exact: true }).click();
  await console.closed();
  await expect(console.rows).toHaveCount(10);
  await expect(page).not.toHaveURL(/page=1/);
});

test('whoever leaves while a search is being typed is not fetched back', async ({ console, tenant, page }) => {
  await page.clock.install();
  await console.signIn(tenant.account, '/images?mode=list');
  // The other page loads slowly.
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const asked = page.waitForRequest('**/*.js');
  await page.route('**/*.js', async (route) => {
    await held;
    await route.continue();
  });
  await page.getByLabel('Search images by name').fill('harbour');
  await page.getByRole('link', { name: 'Users' }).click();
  await asked;
  await page.clock.fastForward(5000);
  release();
  await expect(page.getByRole('heading', { name: 'Users' })).toBeVisible();
  await expect(page.getByText(tenant.account.email)).toBeVisible();
  await console.atRest();
  await expect(page).toHaveURL(/\/users$/);
});

test('an image that somebody else has deleted goes away by Delete, and by Edit', async ({ console, tenant, page }) => {
  const images = [];
  for (const title of ['First', 'Second', 'Third']) {
    images.push(await tenant.upload(numbered(title.length, `${title}.png`), title));
  }
  await console.signIn(tenant.account, '/images?mode=list');
  await expect(console.rows).toHaveCount(3);
  await tenant.call('DELETE', images[0].link);
  await console.row('First').getByRole('button', { name: /^Delete/ }).click();
  await console.dialog.getByRole('button', { name: 'Delete', exact: true }).click();
  await console.closed();
  await expect(console.rows).toHaveCount(2);

  await tenant.call('DELETE', images[1].link);
  await console.row('Second').getByRole('button', { name: /^Edit/ }).click();
  await expect(console.dialog.getByRole('alert')).toContainText('This image has been deleted in the meantime.');
  await expect(console.dialog.getByRole('button')).toHaveCount(1);
  await console.shot('dialog-edit-gone');
  await page.keyboard.press('Escape');
  await console.closed();
  await expect(console.rows).toHaveCount(1);

  await console.row('Third').getByRole('button', { name: /^Edit/ }).click();
  await console.pictures(console.dialog);
  await tenant.call('DELETE', images[2].link);
  await console.dialog.getByLabel('Name', { exact: true }).fill('Third, renamed');
  await console.dialog.getByRole('button', { name: 'Save' }).click();
  await expect(console.dialog.getByRole('alert')).toContainText('This image has been deleted in the meantime.');
  await console.dialog.getByRole('button', { name: 'Close' }).click();
  await console.closed();
  await expect(page.getByText('There are no images yet')).toBeVisible();
});

test('a page that is not there does not stand in the way back', async ({ console, tenant, page }) => {
  await tenant.upload(numbered(1), 'The only one');
  await console.signIn(tenant.account, '/users');
  await page.goto('/images?mode=list&page=99');
  await expect(console.rows).toHaveCount(1);
  await expect(page).not.toHaveURL(/page=/);
  await page.goBack();
  await expect(page.getByRole('heading', { name: 'Users' })).toBeVisible();
});

test('a selected image is called by its new name when it was renamed', async ({ console, tenant, page }) => {
  const image = await tenant.upload(numbered(1), 'Old name');
  await console.signIn(tenant.account, '/images?mode=list');
  await console.row('Old name').getByRole('checkbox').click();
  await tenant.call('PUT', `${image.link}/info`, { ...image, title: 'New name' });
  await page.getByRole('button', { name: 'Refresh' }).click();
  await expect(console.row('New name')).toBeVisible();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(console.dialog.getByRole('listitem')).toHaveText(['New name']);
});

test('who wants no motion sees none while the list is fetched', async ({ console, tenant, page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await console.signIn(tenant.account, '/images?mode=list');
  await expect(page.getByText('There are no images yet')).toBeVisible();
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/api/images?*', async (route) => {
    await held;
    await route.continue();
  });
  await page.getByRole('button', { name: 'Refresh' }).click();
  const icon = page.locator('g-icon.turning');
  await expect(icon).toBeVisible();
  // For ever in a hundredth of a millisecond is a flicker.
  await expect(icon).toHaveCSS('animation-iteration-count', '1');
  release();
  await expect(icon).toHaveCount(0);
});

test('a click with the shift key selects all rows from the last one on, and no text', async ({ console, tenant, page }) => {
  for (let i = 0; i < 5; i++) {
    await tenant.upload(numbered(i), `Row ${i}`);
  }
  await console.signIn(tenant.account, '/images?mode=list');
  await console.row('Row 3').click();
  await console.row('Row 0').click({ modifiers: ['Shift'] });
  await expect(page.getByText('4 images selected')).toBeVisible();
  await expect(console.row('Row 4').getByRole('checkbox')).not.toBeChecked();
  expect(await page.evaluate(() => getSelection()?.toString())).toBe('');
});

test('blanks around what is searched for do not count', async ({ console, tenant, page }) => {
  await tenant.upload(numbered(1), 'Harbour');
  await tenant.upload(numbered(2), 'Quarry');
  await console.signIn(tenant.account, '/images?mode=list');
  await expect(console.rows).toHaveCount(2);
  await page.getByLabel('Search images by name').fill(' harbour ');
  await expect(console.rows).toHaveCount(1);
  await expect(page.getByLabel('Search images by name')).toHaveValue(' harbour ');
});

test('while the first rows are on their way their places are shown', async ({ console, tenant, page }) => {
  await tenant.upload(numbered(1), 'Slow to come');
  const release = await console.signInWithoutImages(tenant.account, '/images?mode=list');
  await expect(page.locator('.ghosts > div')).toHaveCount(10);
  await console.shot('list-loading');
  release();
  await expect(console.row('Slow to come')).toBeVisible();
  await expect(page.locator('.ghosts')).toHaveCount(0);
});
