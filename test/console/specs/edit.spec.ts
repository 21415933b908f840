// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http';
import { AddressInfo } from 'node:net';
import { expect, test } from '../support/console';
import { numbered, png, tiff } from '../support/pictures';
import { BASE, sysadmin, systemAdministrator } from '../support/server';

test('renaming can be saved and undone, and is not lost by closing', async ({ console, tenant, page }) => {
  await tenant.upload(numbered(1), 'Before');
  await console.signIn(tenant.account);
  await console.row('Before').getByRole('button', { name: /^Edit/ }).click();
  await console.pictures(console.dialog);
  const name = console.dialog.getByLabel('Name', { exact: true });
  await name.fill('Something');
  await console.dialog.getByRole('button', { name: 'Undo' }).click();
  await expect(name).toHaveValue('Before');
  await name.fill('After "all"');
  await page.keyboard.press('Escape');
  await expect(console.dialog).toContainText('Close without saving?');
  await console.dialog.getByRole('button', { name: 'Cancel' }).click();
  await name.press('Enter');
  await expect(page.getByText('Name saved')).toBeVisible();
  await console.dialog.getByRole('button', { name: 'Close', exact: true }).click();
  await expect(console.row('After "all"')).toBeVisible();
});

test('a new picture is shown beside the old one until confirmed, and pages that embed it show it from then on', async ({ console, tenant, page, context }) => {
  const image = await tenant.upload(png('plan.png', 80, 60, [20, 80, 140]), 'Plan');
  // A page of somebody else's that embeds the public link.
  const site = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end(`<!doctype html><img id="embedded" src="${BASE}${image.publicLink}" alt="Plan" />`);
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  try {
    const reader = await context.newPage();
    const width = () => reader.locator('#embedded').evaluate((img: HTMLImageElement) => img.complete && img.naturalWidth);
    await reader.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
    await expect.poll(width).toBe(80);

    await console.signIn(tenant.account);
    await console.row('Plan').getByRole('button', { name: /^Edit/ }).click();
    await expect(console.dialog).toContainText('80×60');
    await console.chooseFiles([png('new plan.png', 120, 100, [140, 60, 20])]);
    await expect(console.dialog.getByText('Now', { exact: true })).toBeVisible();
    await expect(console.dialog).toContainText('120×100');
    await console.pictures(console.dialog);
    await console.shot('dialog-replace');
    await console.dialog.getByRole('button', { name: 'Discard' }).click();
    await reader.reload();
    await expect.poll(width).toBe(80);

    await console.drop('.picture', [png('new plan.png', 120, 100, [140, 60, 20])]);
    await console.dialog.getByRole('button', { name: 'Update image' }).click();
    await expect(page.getByText('Image updated')).toBeVisible();
    await expect(console.dialog.getByText('120×100')).toBeVisible();
    await expect.poll(() => console.dialog.locator('.picture img').evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(120);
    await reader.reload();
    await expect.poll(width).toBe(120);
    await console.dialog.getByRole('button', { name: 'Close', exact: true }).click();
    await expect(console.row('Plan')).toContainText('120×100');
    await expect.poll(() => console.row('Plan').locator('img').evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(120);
  } finally {
    site.close();
  }
});

test('a picture of a kind that browsers do not draw is shown by its preview', async ({ console, tenant, page }) => {
  await tenant.upload(tiff('scan.tif', 90, 40, [200, 120, 40]), 'Scan');
  await console.signIn(tenant.account);
  await expect(console.row('Scan')).toContainText('90×40');
  await console.row('Scan').getByRole('button', { name: /^Edit/ }).click();
  await expect(console.dialog).toContainText('A preview: this browser cannot show image/tiff');
  await console.pictures(console.dialog.locator('.picture'));
  await console.chooseFiles([tiff('new scan.tif', 60, 50, [40, 120, 200])]);
  await expect(console.dialog).toContainText('This browser cannot show files of this kind.');
  await console.dialog.getByRole('button', { name: 'Update image' }).click();
  await expect(page.getByText('Image updated')).toBeVisible();
  await expect.poll(() => console.dialog.locator('.picture img').evaluate((img: HTMLImageElement) => [img.naturalWidth, img.naturalHeight])).toEqual([60, 50]);
});

test('a picture that the server refuses leaves the old one, and says why', async ({ console, tenant, page }) => {
  await tenant.upload(numbered(5), 'Stays');
  await console.signIn(tenant.account);
  await console.row('Stays').getByRole('button', { name: /^Edit/ }).click();
  await console.drop('.picture', [{ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('words') }]);
  await expect(console.dialog.getByRole('alert')).toContainText('This is not an image file');
  await console.chooseFiles([{ name: 'bad.png', mimeType: 'image/png', buffer: Buffer.from('words') }]);
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.request().method() === 'PUT'),
    console.dialog.getByRole('button', { name: 'Update image' }).click(),
  ]);
  await expect(console.dialog.getByRole('alert')).toContainText((await answer.json()).message);
  expect((await tenant.images('Stays'))).toHaveLength(1);
});

test('system images are read-only for a tenant, and wholly in the hands of the system administrator', async ({ console, tenant, page }) => {
  const system = await systemAdministrator();
  const title = `Shared symbol ${Date.now()}`;
  const image = await system.upload(numbered(9, `shared-${Date.now()}.png`), title);
  await console.signIn(tenant.account, `/images?mode=grid&system=true&search=${encodeURIComponent(title)}`);
  await expect(console.tile(title)).toContainText('System');
  await console.tile(title).locator('.open').click();
  await expect(console.dialog.getByRole('heading', { name: title })).toBeVisible();
  await expect(console.dialog.getByLabel('Name', { exact: true })).toHaveCount(0);
  await expect(console.dialog.getByRole('button', { name: 'Update image' })).toHaveCount(0);
  await expect(console.dialog.getByRole('button', { name: 'Delete' })).toHaveCount(0);
  await console.pictures(console.dialog);
  await console.dialog.getByRole('button', { name: 'Embed' }).click();
  await expect(console.dialog.getByRole('switch', { name: 'Public' })).toBeDisabled();
  await console.dialog.getByRole('button', { name: 'Done' }).click();
  await console.dialog.getByRole('button', { name: 'Close', exact: true }).click();
  await console.accountMenu('Sign out');

  await console.signIn(sysadmin, `/images?mode=list&search=${encodeURIComponent(title)}`);
  await expect(page.getByText('Include system images')).toHaveCount(0);
  await console.row(title).getByRole('button', { name: /^Edit/ }).click();
  await console.dialog.getByLabel('Name', { exact: true }).fill(`${title} renamed`);
  await console.dialog.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Name saved')).toBeVisible();
  await console.dialog.getByRole('button', { name: 'Delete' }).click();
  await expect(console.dialog).toContainText('Delete this image?');
  await console.dialog.getByRole('button', { name: 'Delete', exact: true }).click();
  await console.closed();
  expect((await system.fetch(`${image.link}/info`)).status).toBe(404);
});
