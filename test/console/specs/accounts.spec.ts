// SPDX-License-Identifier: Apache-2.0
import { Page } from '@playwright/test';
import { Console, expect, test } from '../support/console';
import { numbered } from '../support/pictures';
import { BASE, customer, sysadmin, systemAdministrator } from '../support/server';

const row = (page: Page, text: string) => page.locator('tr.mat-mdc-row').filter({ hasText: text });

async function act(console: Console, text: string, action: string): Promise<void> {
  await row(console.page, text).getByRole('button', { name: /^Actions/ }).click();
  await console.page.getByRole('menuitem', { name: action, exact: true }).click();
}

test('the system administrator keeps tenants and their administrators', async ({ console, page, browser }) => {
  const name = `Atelier ${Date.now().toString(36)}`;
  const email = `anna@${name.replace(' ', '-').toLowerCase()}.example`;
  await console.signIn(sysadmin);
  await page.getByRole('link', { name: 'Tenants' }).click();
  await page.getByRole('button', { name: 'Add tenant' }).click();
  await console.dialog.getByLabel('Name', { exact: true }).fill(name);
  await console.dialog.getByRole('button', { name: 'Save' }).click();
  await expect(row(page, name)).toBeVisible();
  await act(console, name, 'Edit');
  await console.dialog.getByLabel('Phone').fill('+49 30 1234');
  await console.dialog.getByRole('button', { name: 'Save' }).click();
  await expect(row(page, name)).toContainText('+49 30 1234');
  await expect(row(page, name).locator('td').first()).toHaveText(name);
  await page.getByLabel('Search tenants').fill(name.toUpperCase());
  await expect(page.locator('tr.mat-mdc-row')).toHaveCount(1);

  await act(console, name, 'Users');
  await expect(page).toHaveURL(/\/users\?tenant=/);
  await page.getByRole('button', { name: 'Add user' }).click();
  await console.dialog.getByLabel('E-mail').fill(email);
  await console.dialog.getByLabel('First name').fill('Anna');
  await console.dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(console.dialog).toContainText(`${email} was added`);
  const withdrawn = (await console.dialog.locator('code').textContent()) ?? '';
  await console.dialog.getByRole('button', { name: 'Done' }).click();
  await expect(row(page, email)).toContainText('Invited');
  await act(console, email, 'Withdraw link');
  await expect(page.getByText(`The activation link of ${email} is no longer valid`)).toBeVisible();
  await act(console, email, 'Activation link');
  await expect(console.dialog).toContainText('Give this link to the user');
  const link = new URL((await console.dialog.locator('code').textContent()) ?? '');
  expect(link.href).not.toBe(withdrawn);
  await console.dialog.getByRole('button', { name: 'Done' }).click();

  const anna = new Console(await (await browser.newContext({ baseURL: BASE })).newPage());
  await anna.page.goto(`${BASE}${link.pathname}${link.search}`);
  await anna.page.getByLabel('New password', { exact: true }).fill('Correct-Horse-7');
  await anna.page.getByLabel('New password again').fill('Correct-Horse-7');
  await anna.page.getByRole('button', { name: 'Set password' }).click();
  await expect(anna.page.getByText('There are no images yet')).toBeVisible();

  await page.reload();
  await act(console, email, 'Disable');
  await expect(row(page, email)).toContainText('Not active');
  await anna.page.getByRole('button', { name: 'Refresh' }).click();
  await expect(anna.page.getByRole('heading', { name: 'Please sign in again' })).toBeVisible();
  await anna.page.context().close();
  await act(console, email, 'Enable');
  await expect(row(page, email)).not.toContainText('Not active');
  await act(console, email, 'Delete');
  await console.dialog.getByRole('button', { name: 'Delete user' }).click();
  await expect(row(page, email)).toHaveCount(0);

  await page.getByRole('navigation').getByRole('link', { name: 'Tenants' }).click();
  await act(console, name, 'Delete');
  await expect(console.dialog.getByRole('listitem')).toHaveText(['0 images', '0 users', '0 customers', '0 API keys']);
  await console.dialog.getByLabel('Name of the tenant').fill(name);
  await console.dialog.getByRole('button', { name: 'Delete tenant' }).click();
  await expect(row(page, name)).toHaveCount(0);
});

test('a tenant administrator keeps customers and their users', async ({ console, tenant, page }) => {
  await console.signIn(tenant.account);
  await expect(page.getByRole('navigation').getByRole('link', { name: 'Tenants' })).toHaveCount(0);
  await page.getByRole('link', { name: 'Customers' }).click();
  await page.getByRole('button', { name: 'Add customer' }).click();
  await console.dialog.getByLabel('Name', { exact: true }).fill('Harbour office');
  await console.dialog.getByRole('button', { name: 'Save' }).click();
  await expect(row(page, 'Harbour office')).toBeVisible();
  await page.getByRole('link', { name: 'Users' }).click();
  await page.getByRole('button', { name: 'Add user' }).click();
  const email = `clerk-${Date.now().toString(36)}@harbour.example`;
  await console.dialog.getByLabel('E-mail').fill(email);
  await console.dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(console.dialog.locator('code')).toContainText('activateToken=');
  await console.dialog.getByRole('button', { name: 'Done' }).click();
  await expect(row(page, email)).toContainText('Customer user');
  await page.getByRole('link', { name: 'Customers' }).click();
  await act(console, 'Harbour office', 'Delete');
  await console.dialog.getByRole('button', { name: 'Delete customer' }).click();
  await expect(page.getByText('There are no customers yet.')).toBeVisible();
});

test('an API key is shown once, works, and stops when disabled or deleted', async ({ console, tenant, page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await console.signIn(tenant.account);
  await page.getByRole('link', { name: 'API keys' }).first().click();
  await page.getByRole('button', { name: 'Add key' }).click();
  await console.dialog.getByLabel('Description').fill('Camera at the gate');
  await console.dialog.getByRole('button', { name: 'Create key' }).click();
  await expect(console.dialog.locator('code')).toHaveText(/^tb_/);
  const key = (await console.dialog.locator('code').textContent())?.trim() ?? '';
  await console.dialog.getByRole('button', { name: 'Copy the key' }).click();
  await expect(page.getByText('Key copied')).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(key);
  await console.dialog.getByRole('button', { name: 'Done' }).click();
  await console.closed();
  await expect(row(page, 'Camera at the gate')).toContainText('Never');
  expect(await page.content()).not.toContain(key);
  const status = async () =>
    (await fetch(`${BASE}/api/images?pageSize=1&page=0`, { headers: { 'X-Authorization': `ApiKey ${key}` } })).status;
  expect(await status()).toBe(200);
  await act(console, 'Camera at the gate', 'Disable');
  await expect(row(page, 'Camera at the gate')).toContainText('Disabled');
  expect(await status()).toBe(401);
  await act(console, 'Camera at the gate', 'Enable');
  await expect(row(page, 'Camera at the gate')).not.toContainText('Disabled');
  expect(await status()).toBe(200);
  await act(console, 'Camera at the gate', 'Edit description');
  await console.dialog.getByLabel('Description').fill('Camera at the "door"');
  await console.dialog.getByRole('button', { name: 'Save' }).click();
  await expect(row(page, 'Camera at the "door"').locator('td').first()).toHaveText('Camera at the "door"');
  await act(console, 'Camera at the "door"', 'Delete');
  await console.dialog.getByRole('button', { name: 'Delete key' }).click();
  await expect(page.getByText('You have no API keys')).toBeVisible();
  expect(await status()).toBe(401);
});

test('a customer user has API keys, too', async ({ console, page }) => {
  await console.signIn(customer);
  await page.getByRole('link', { name: 'manage your API keys' }).click();
  await page.getByRole('button', { name: 'Add key' }).click();
  await console.dialog.getByLabel('Description').fill('Wall display');
  await console.dialog.getByRole('button', { name: 'Create key' }).click();
  await expect(console.dialog.locator('code')).toHaveText(/^tb_/);
  const key = (await console.dialog.locator('code').textContent())?.trim() ?? '';
  await console.dialog.getByRole('button', { name: 'Done' }).click();
  const answer = await fetch(`${BASE}/api/auth/user`, { headers: { 'X-Authorization': `ApiKey ${key}` } });
  expect((await answer.json()).email).toBe(customer.email);
  await act(console, 'Wall display', 'Delete');
  await console.dialog.getByRole('button', { name: 'Delete key' }).click();
  await expect(page.getByText('You have no API keys')).toBeVisible();
});

test('deleting a tenant shows what it contains and takes its name', async ({ console, tenant, page }) => {
  for (let i = 0; i < 3; i++) {
    await tenant.upload(numbered(i), `Lost ${i}`);
  }
  const user = await tenant.call('GET', '/api/auth/user');
  const { title, id } = await (await systemAdministrator()).call('GET', `/api/tenant/${user.tenantId.id}`);
  await tenant.call('POST', '/api/customer', { title: 'Harbour office' });
  await tenant.call('POST', '/api/apiKey', { userId: user.id, description: 'Camera', enabled: true, expirationTime: 0 });
  await console.signIn(sysadmin, '/tenants');
  await page.getByLabel('Search tenants').fill(title);
  await expect(page.locator('tr.mat-mdc-row')).toHaveCount(1);
  await act(console, title, 'Delete');
  await expect(console.dialog.getByRole('listitem')).toHaveText(['3 images', '1 user', '1 customer', '1 API key']);
  await console.shot('dialog-delete-tenant');
  const remove = console.dialog.getByRole('button', { name: 'Delete tenant' });
  await expect(remove).toBeDisabled();
  await console.dialog.getByLabel('Name of the tenant').fill(title.slice(0, -1));
  await expect(remove).toBeDisabled();
  await console.dialog.getByLabel('Name of the tenant').press('Enter');
  await expect(remove).toBeVisible();
  await console.dialog.getByLabel('Name of the tenant').fill(title);
  await remove.click();
  await console.closed();
  await expect(page.getByText('Nothing matches the search.')).toBeVisible();
  expect((await (await systemAdministrator()).fetch(`/api/tenant/${id.id}`)).status).toBe(404);
});

test('a table of accounts shows the places of its rows until they come, and refreshes when its tab is looked at again', async ({ console, tenant, page }) => {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/api/customers?*', async (route) => {
    await held;
    await route.continue();
  });
  await console.signIn(tenant.account, '/customers');
  await expect(page.locator('.g-ghosts > div')).toHaveCount(10);
  release();
  await expect(page.getByText('There are no customers yet.')).toBeVisible();
  await expect(page.locator('.g-ghosts')).toHaveCount(0);
  await tenant.call('POST', '/api/customer', { title: 'Quarry' });
  await console.returnToTab();
  await expect(row(page, 'Quarry')).toBeVisible();
});
