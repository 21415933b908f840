// SPDX-License-Identifier: Apache-2.0
import { expect, test } from '../support/console';
import { numbered } from '../support/pictures';

test('offline is said, nothing is lost, and on return everything goes on by itself', async ({ console, tenant, page, context }) => {
  await tenant.upload(numbered(1), 'There before');
  await console.signIn(tenant.account, '/images?mode=grid');
  await expect(console.tile('There before')).toBeVisible();
  await page.getByRole('button', { name: 'Upload images' }).click();
  await console.chooseFiles([numbered(2, 'meanwhile.png')]);
  await expect(console.dialog.locator('li')).toHaveCount(1);

  await context.setOffline(true);
  await expect(page.getByText('No connection to the server.')).toBeVisible();
  await console.shot('offline');
  await console.dialog.getByRole('button', { name: 'Upload 1 image' }).click();
  await expect(console.dialog.locator('li')).toContainText('waiting');
  await console.dialog.getByRole('button', { name: 'Continue in background' }).click();
  await expect(console.tile('There before')).toBeVisible();
  await page.getByRole('button', { name: 'Refresh' }).click();
  await expect(page.getByRole('alert')).toContainText('The server cannot be reached.');
  await expect(console.tile('There before')).toBeVisible();

  await context.setOffline(false);
  await expect(page.getByText('No connection to the server.')).toHaveCount(0);
  await expect(console.tile('meanwhile.png')).toBeVisible();
  await expect(page.getByRole('alert')).toHaveCount(0);
  await console.pictures(page.locator('.surface'));
});

test('code that has gone with a former console is said to be missing, and a reload brings the new one', async ({ console, tenant, page }) => {
  await tenant.upload(numbered(3), 'Before the upgrade');
  await console.signIn(tenant.account, '/images?mode=list');
  await expect(console.rows).toHaveCount(1);
  await page.route('**/chunk-*.js', (route) => route.fulfill({ status: 404 }));
  const notice = page.locator('mat-snack-bar-container').last();
  await console.rows.first().getByRole('button', { name: /^Edit/ }).click();
  await expect(notice).toContainText('The console has changed, or a part of it cannot be loaded.');
  await expect(page.locator('mat-dialog-container')).toHaveCount(0);
  // The first notice still stands, so the text alone would not tell that this code was refused, too.
  const refused = page.waitForResponse((response) => /\/chunk-[^/]*\.js$/.test(response.url()) && response.status() === 404);
  await page.getByRole('link', { name: 'Users' }).click();
  await refused;
  await expect(notice).toContainText('The console has changed, or a part of it cannot be loaded.');
  await expect(page).toHaveURL(/\/images/);
  await page.unroute('**/chunk-*.js');
  await notice.getByRole('button', { name: 'Reload' }).click();
  await console.rows.first().getByRole('button', { name: /^Edit/ }).click();
  await expect(console.dialog.getByLabel('Name', { exact: true })).toHaveValue('Before the upgrade');
});

test('what cannot be opened without the server says so, and opens when it is back', async ({ console, tenant, page, context }) => {
  await tenant.upload(numbered(4), 'Out of reach');
  await console.signIn(tenant.account, '/images?mode=list');
  await expect(console.rows).toHaveCount(1);
  await context.setOffline(true);
  await console.rows.first().getByRole('button', { name: /^Embed/ }).click();
  await expect(page.locator('mat-snack-bar-container')).toContainText('This cannot be opened without a connection to the server.');
  await context.setOffline(false);
  await expect(page.getByText('No connection to the server.')).toHaveCount(0);
  await console.rows.first().getByRole('button', { name: /^Embed/ }).click();
  await expect(console.dialog).toContainText('Out of reach');
});

test('nobody is sent away because the form to sign in again cannot be loaded', async ({ console, tenant, page }) => {
  await tenant.upload(numbered(5), 'At work');
  await console.signIn(tenant.account, '/images?mode=list');
  await console.rows.first().getByRole('button', { name: /^Edit/ }).click();
  await console.dialog.getByLabel('Name', { exact: true }).fill('Kept');
  await page.route('**/chunk-*.js', (route) => route.fulfill({ status: 404 }));
  await tenant.call('POST', '/api/auth/logout?everywhere=true');
  await console.dialog.getByRole('button', { name: 'Save' }).click();
  await expect(console.dialog.getByRole('alert')).toContainText('the form to sign in again could not be loaded');
  await expect(console.dialog.getByLabel('Name', { exact: true })).toHaveValue('Kept');
  await page.unroute('**/chunk-*.js');
  await console.dialog.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('heading', { name: 'Please sign in again' })).toBeVisible();
});
