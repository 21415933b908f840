// SPDX-License-Identifier: Apache-2.0
import { Console, expect, test } from '../support/console';
import { numbered } from '../support/pictures';

/** Goes back as the browser's button does; the page may stay where it is. */
async function back(console: Console): Promise<void> {
  await console.page.evaluate(() => history.back());
}

/** Reloads, stays when the browser asks, and tells whether it did. */
async function asksBeforeReload(console: Console): Promise<boolean> {
  const asked = console.page.waitForEvent('dialog');
  const reload = console.page.evaluate(() => location.reload()).catch(() => undefined);
  const dialog = await asked;
  await dialog.dismiss();
  await reload;
  return dialog.type() === 'beforeunload';
}

test('going back asks before a half-typed name is lost, and closes the dialog before it leaves the page', async ({ console, tenant, page }) => {
  await tenant.upload(numbered(1), 'Named');
  await console.signIn(tenant.account, '/users');
  await page.getByRole('link', { name: 'Images' }).first().click();
  await console.mode('Grid');
  await expect(page).toHaveURL(/mode=grid/);
  await console.mode('List');
  await console.row('Named').getByRole('button', { name: /^Edit/ }).click();
  const name = console.dialog.getByLabel('Name', { exact: true });
  await name.fill('Half of a na');
  await back(console);
  await expect(console.dialog).toContainText('Close without saving?');
  await back(console);
  await expect(page.locator('mat-dialog-container')).toHaveCount(1);
  await expect(name).toHaveValue('Half of a na');
  await expect(page).toHaveURL(/mode=list/);
  expect(await asksBeforeReload(console)).toBe(true);

  await back(console);
  await console.dialog.getByRole('button', { name: 'Close without saving' }).click();
  await console.closed();
  await expect(page).toHaveURL(/mode=list/);
  await back(console);
  await expect(page).toHaveURL(/mode=grid/);
  await expect(console.tile('Named')).toBeVisible();
  // The way back is as long as it was before.
  await back(console);
  await expect(page).toHaveURL(/mode=list/);
  await back(console);
  await expect(page.getByRole('heading', { name: 'Users' })).toBeVisible();
});

for (const [page, add, field] of [
  ['/customers', 'Add customer', 'Phone'],
  ['/users', 'Add user', 'First name'],
  ['/api-keys', 'Add key', 'Description'],
] as const) {
  test(`what was entered after “${add}” is lost only after a question`, async ({ console, tenant, page: shown }) => {
    await console.signIn(tenant.account, '/images?mode=list');
    await shown.getByRole('link', { name: { '/customers': 'Customers', '/users': 'Users', '/api-keys': 'API keys' }[page] }).first().click();
    await shown.getByRole('button', { name: add }).click();
    // Nothing was entered: nothing is asked.
    await expect(console.dialog.getByLabel(field)).toBeVisible();
    await back(console);
    await console.closed();
    await shown.getByRole('button', { name: add }).click();
    await console.dialog.getByLabel(field).fill('Half of a');
    expect(await asksBeforeReload(console)).toBe(true);
    for (const close of [() => back(console), () => shown.keyboard.press('Escape'), () => shown.mouse.click(5, 5)]) {
      await close();
      await expect(console.dialog).toContainText('Close without saving?');
      await console.dialog.getByRole('button', { name: 'Cancel' }).click();
      await expect(console.dialog.getByLabel(field)).toHaveValue('Half of a');
    }
    await back(console);
    await console.dialog.getByRole('button', { name: 'Close without saving' }).click();
    await console.closed();
    await expect(shown).toHaveURL(new RegExp(page));
    await shown.getByRole('button', { name: add }).click();
    await console.dialog.getByLabel(field).fill('Something');
    await console.dialog.getByRole('button', { name: 'Cancel' }).click();
    await console.closed();
  });
}

test('a password that is being typed is lost only after a question', async ({ console, tenant, page }) => {
  await console.signIn(tenant.account, '/api-keys');
  await page.getByRole('link', { name: 'Images' }).first().click();
  await console.accountMenu('Change password');
  await console.dialog.getByLabel('Current password').fill('half');
  await back(console);
  await expect(console.dialog).toContainText('Close without saving?');
  await console.dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(console.dialog.getByLabel('Current password')).toHaveValue('half');
  await console.dialog.getByRole('button', { name: 'Cancel' }).click();
  await console.closed();
});

test('going back asks before chosen files are forgotten', async ({ console, tenant, page }) => {
  await console.signIn(tenant.account, '/users');
  await page.getByRole('link', { name: 'Images' }).first().click();
  await page.getByRole('button', { name: 'Upload images' }).first().click();
  await console.chooseFiles([numbered(1, 'a.png')]);
  await console.dialog.getByLabel('Name of a.png').fill('Chosen');
  await back(console);
  await expect(console.dialog).toContainText('Close without uploading?');
  await console.dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(console.dialog.getByLabel('Name of a.png')).toHaveValue('Chosen');
  expect(await asksBeforeReload(console)).toBe(true);
  await console.dialog.getByRole('button', { name: 'Upload 1 image' }).click();
  await console.closed();
  await expect(console.row('Chosen')).toBeVisible();
});

test('a session that is ended in another tab leaves no dialog behind', async ({ console, tenant, page, context }) => {
  await tenant.upload(numbered(2), 'Open work');
  await console.signIn(tenant.account);
  await console.row('Open work').getByRole('button', { name: /^Edit/ }).click();
  await console.dialog.getByLabel('Name', { exact: true }).fill('Not saved');
  const tab = new Console(await context.newPage());
  await tab.page.goto('/images');
  await tab.accountMenu('Sign out');
  await expect(page.getByLabel('E-mail')).toBeVisible();
  await console.closed();
});
