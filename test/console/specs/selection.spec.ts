// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { expect, test } from '../support/console';
import { numbered } from '../support/pictures';
import { systemAdministrator } from '../support/server';
import { unzip } from '../support/zip';

const named = (i: number) => `Chosen ${String(i).padStart(2, '0')}`;

test('a selection survives paging, sorting and the other view, and Escape clears it', async ({ console, tenant, page }) => {
  for (let i = 0; i < 12; i++) {
    await tenant.upload(numbered(i), named(i));
  }
  await console.signIn(tenant.account, '/images?mode=list&sort=title&order=ASC');
  await console.row(named(0)).getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Next page' }).click();
  await expect(console.rows).toHaveCount(2);
  await expect(page.getByText('1 image selected')).toBeVisible();
  await console.row(named(11)).getByRole('checkbox').check();
  await expect(page.getByText('2 images selected')).toBeVisible();
  await page.getByRole('button', { name: 'Previous page' }).click();
  await expect(console.row(named(0)).getByRole('checkbox')).toBeChecked();
  await expect(console.row(named(1)).getByRole('checkbox')).not.toBeChecked();
  await page.getByRole('columnheader', { name: 'Name' }).getByRole('button').click();
  await expect(console.row(named(11)).getByRole('checkbox')).toBeChecked();
  await console.mode('Grid');
  await expect(console.tile(named(0)).getByRole('checkbox')).toBeChecked();
  await expect(console.tile(named(11)).getByRole('checkbox')).toBeChecked();
  await expect(console.tile(named(5)).getByRole('checkbox')).not.toBeChecked();
  await page.getByRole('button', { name: 'Refresh' }).click();
  await expect(page.getByText('2 images selected')).toBeVisible();

  // A question that is open has the first claim to Escape.
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(console.dialog.getByRole('listitem')).toHaveText([named(0), named(11)]);
  await page.keyboard.press('Escape');
  await console.closed();
  await expect(page.getByText('2 images selected')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByText('selected')).toHaveCount(0);
  await expect(console.tile(named(0)).getByRole('checkbox')).not.toBeChecked();

  await console.tile(named(3)).getByRole('checkbox').check({ force: true });
  await page.getByLabel('Search images by name').fill('Chosen 0');
  await expect(console.tiles).toHaveCount(10);
  await expect(page.getByText('selected')).toHaveCount(0);
});

test('the grid selects with the mouse, with the keyboard and in ranges, and deletes what is selected', async ({ console, tenant, page }) => {
  for (let i = 0; i < 8; i++) {
    await tenant.upload(numbered(i), named(i));
  }
  await console.signIn(tenant.account, '/images?mode=grid&sort=title&order=ASC');
  await console.tile(named(1)).hover();
  await console.tile(named(1)).getByRole('checkbox').click();
  await expect(page.getByText('1 image selected')).toBeVisible();
  await console.tile(named(4)).getByRole('checkbox').click({ modifiers: ['Shift'] });
  await expect(page.getByText('4 images selected')).toBeVisible();
  // Within a range that is selected already, the box stays checked.
  await console.tile(named(2)).getByRole('checkbox').click({ modifiers: ['Shift'] });
  await expect(console.tile(named(2)).getByRole('checkbox')).toBeChecked();
  await expect(page.getByText('4 images selected')).toBeVisible();
  await console.tile(named(6)).locator('.open').focus();
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Space');
  await expect(console.tile(named(6)).getByRole('checkbox')).toBeChecked();
  await expect(page.getByText('5 images selected')).toBeVisible();
  await console.tile(named(2)).getByRole('checkbox').click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await console.dialog.getByRole('button', { name: 'Delete 4 images' }).click();
  await console.closed();
  await expect(console.tiles).toHaveCount(4);
  expect((await tenant.images()).map((image) => image.title).sort()).toEqual([0, 2, 5, 7].map(named));
  await expect(page.locator('g-image-grid .scroller')).toBeFocused();
});

test('all images of a search can be selected at once, on whatever page they are', async ({ console, tenant, page }) => {
  for (let i = 0; i < 23; i++) {
    await tenant.upload(numbered(i), i < 21 ? named(i) : `Other ${i}`);
  }
  await console.signIn(tenant.account, '/images?mode=list&search=chosen');
  await page.getByLabel('Select all on this page').click();
  await expect(page.getByText('10 images selected')).toBeVisible();
  await page.getByRole('button', { name: 'Select all 21' }).click();
  await expect(page.getByText('21 images selected')).toBeVisible();
  await expect(page.getByRole('button', { name: /^Select all/ })).toHaveCount(0);
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await console.dialog.getByRole('button', { name: 'Delete 21 images' }).click();
  await expect(page.getByText('No image has')).toBeVisible();
  expect(await tenant.images()).toHaveLength(2);
});

test('system images are selected with all others, and downloaded and exported with them', async ({ console, tenant, page }) => {
  const unique = `Lent ${Date.now()}`;
  const system = await systemAdministrator();
  const lent: string[] = [];
  for (let i = 0; i < 11; i++) {
    lent.push((await system.upload(numbered(i, `${unique} ${i}.png`), `${unique} ${i}`)).resourceKey);
  }
  const own = await tenant.upload(numbered(20, `${unique} own.png`), `${unique} own`);
  await console.signIn(tenant.account, `/images?mode=list&system=true&search=${encodeURIComponent(unique)}`);
  await page.getByLabel('Select all on this page').click();
  await page.getByRole('button', { name: 'Select all 12' }).click();
  await expect(page.getByText('12 images selected')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Delete 1 of 12' })).toBeVisible();
  for (const [button, files] of [['Download as zip', 12], ['Export as zip', 24]] as const) {
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: button }).click()]);
    const names = [...unzip(readFileSync(await download.path())).keys()];
    expect(names).toHaveLength(files);
    expect(names).toEqual(expect.arrayContaining([...lent, own.resourceKey]));
  }
  // One tile of the grid is a system image, too.
  await console.mode('Grid');
  await console.tile(`${unique} 3`).getByRole('checkbox').uncheck({ force: true });
  await expect(page.getByText('11 images selected')).toBeVisible();
  for (const key of lent) {
    await system.call('DELETE', `/api/images/system/${encodeURIComponent(key)}`);
  }
});

test('an image that is deleted by its own button is not selected any more', async ({ console, tenant, page }) => {
  await tenant.upload(numbered(1), named(1));
  await tenant.upload(numbered(2), named(2));
  await console.signIn(tenant.account, '/images?mode=list');
  await page.getByLabel('Select all on this page').click();
  await console.row(named(1)).getByRole('button', { name: /^Delete/ }).click();
  await console.dialog.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(page.getByText('1 image selected')).toBeVisible();
});
