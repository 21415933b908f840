// SPDX-License-Identifier: Apache-2.0
import { Page } from '@playwright/test';
import { Console, expect, test } from '../support/console';
import { numbered } from '../support/pictures';
import { Usage, newProfile, setProfile, sysadmin, systemAdministrator, tenantOf } from '../support/server';

const MB = 1024 * 1024;
const row = (page: Page, text: string) => page.locator('tr.mat-mdc-row').filter({ hasText: text });
const rates = (console: Console, of: 'a tenant' | 'each customer') => console.dialog.getByRole('group', { name: `Requests of ${of}` });
const unique = (name: string) => `${name} ${process.pid}-${Date.now().toString(36)}`;

async function act(console: Console, text: string, action: string): Promise<void> {
  await row(console.page, text).getByRole('button', { name: /^Actions/ }).click();
  await console.page.getByRole('menuitem', { name: action, exact: true }).click();
}

/** Shows the rows that match only, so that those of other tests do not matter. */
async function search(page: Page, what: 'tenants' | 'tenant profiles', text: string): Promise<void> {
  await page.getByLabel(`Search ${what}`, { exact: true }).fill(text);
  await expect(page.locator('tr.mat-mdc-row')).toHaveCount(1);
}

async function choose(console: Console, field: string, option: string): Promise<void> {
  await console.dialog.getByRole('combobox', { name: field }).click();
  await console.page.getByRole('option', { name: option, exact: true }).click();
}

async function addRate(console: Console, of: 'a tenant' | 'each customer', requests: string, seconds: string): Promise<void> {
  const group = rates(console, of);
  await group.getByRole('button', { name: 'Add limit' }).click();
  // The keyboard is where the next number goes.
  await expect(group.getByLabel(/^Requests of limit/).last()).toBeFocused();
  await group.getByLabel(/^Requests of limit/).last().fill(requests);
  await group.getByLabel(/^Seconds of limit/).last().fill(seconds);
}

test('the system administrator keeps tenant profiles', async ({ console, page }) => {
  const admin = await systemAdministrator();
  const name = unique('Small sites');
  await console.signIn(sysadmin);
  await page.getByRole('link', { name: 'Tenant profiles' }).click();
  await page.getByRole('button', { name: 'Add profile' }).click();
  await console.dialog.getByLabel('Name', { exact: true }).fill(name);
  await console.dialog.getByLabel('Description').fill('One building each');
  await console.dialog.getByLabel('Largest image', { exact: true }).fill('1.5');
  await console.dialog.getByLabel('All images of a tenant', { exact: true }).fill('20');
  await choose(console, 'Unit of all images of a tenant', 'MB');
  await addRate(console, 'a tenant', '100', '1');
  await addRate(console, 'a tenant', '2000', '60');
  await console.shot('dialog-tenant-profile');
  const [saved] = await Promise.all([page.waitForResponse('**/api/tenantProfile'), console.dialog.getByRole('button', { name: 'Save' }).click()]);
  await console.closed();
  const { id } = await saved.json();
  await search(page, 'tenant profiles', name);
  await expect(row(page, name)).toContainText('1.5 MB');
  await expect(row(page, name)).toContainText('20 MB');
  await expect(row(page, name)).toContainText('100 per 1 s, 2,000 per 60 s');
  const stored = await admin.call('GET', `/api/tenantProfile/${id.id}`);
  expect(stored).toMatchObject({ name, description: 'One building each' });
  expect(stored.profileData.configuration).toMatchObject({
    type: 'DEFAULT',
    maxResourceSize: 1.5 * MB,
    maxResourcesInBytes: 20 * MB,
    tenantServerRestLimitsConfiguration: '100:1,2000:60',
  });
  expect(stored.profileData.configuration.customerServerRestLimitsConfiguration || '').toBe('');

  // Another client has changed it since the row was fetched, and sets more than the console knows.
  const others = { maxDevices: 17, transport: { kept: [1, 'two'] } };
  const changed = { ...stored, profileData: { ...stored.profileData, configuration: { ...stored.profileData.configuration, ...others } } };
  await admin.call('POST', '/api/tenantProfile', changed);
  await act(console, name, 'Edit');
  await expect(console.dialog.getByLabel('Largest image', { exact: true })).toHaveValue('1.5');
  await expect(console.dialog.getByLabel('All images of a tenant', { exact: true })).toHaveValue('20');
  await expect(rates(console, 'a tenant').getByLabel('Requests of limit 2', { exact: true })).toHaveValue('2000');
  await expect(rates(console, 'a tenant').getByLabel('Seconds of limit 2', { exact: true })).toHaveValue('60');
  await expect(rates(console, 'each customer')).toContainText('No limit');
  await console.dialog.getByLabel('All images of a tenant', { exact: true }).fill('');
  await rates(console, 'a tenant').getByRole('button', { name: 'Remove limit 1' }).click();
  await expect(rates(console, 'a tenant').getByRole('button', { name: 'Add limit' })).toBeFocused();
  await addRate(console, 'each customer', '5', '10');
  await console.dialog.getByRole('button', { name: 'Save' }).click();
  await console.closed();
  await expect(row(page, name)).not.toContainText('20 MB');
  const { configuration } = (await admin.call('GET', `/api/tenantProfile/${id.id}`)).profileData;
  expect(configuration).toEqual({
    ...changed.profileData.configuration,
    maxResourcesInBytes: 0,
    tenantServerRestLimitsConfiguration: '2000:60',
    customerServerRestLimitsConfiguration: '5:10',
  });

  await act(console, name, 'Delete');
  await expect(console.dialog).toContainText(`Delete “${name}”?`);
  await console.dialog.getByRole('button', { name: 'Cancel' }).click();
  await console.closed();
  await expect(row(page, name)).toBeVisible();
  await act(console, name, 'Delete');
  await console.dialog.getByRole('button', { name: 'Delete profile' }).click();
  await expect(page.getByText('Nothing matches the search.')).toBeVisible();
  expect((await admin.fetch(`/api/tenantProfile/${id.id}`)).status).toBe(404);
});

test('limits that are no limits are not sent, and a refusal of the server keeps the form', async ({ console, page }) => {
  const taken = await newProfile();
  await console.signIn(sysadmin, '/tenant-profiles');
  await page.getByRole('button', { name: 'Add profile' }).click();
  const save = console.dialog.getByRole('button', { name: 'Save' });
  await expect(save).toBeDisabled();
  await console.dialog.getByLabel('Name', { exact: true }).fill(taken.name);
  await expect(save).toBeEnabled();
  const largest = console.dialog.getByLabel('Largest image', { exact: true });
  for (const text of ['ten', '-1', '1,5']) {
    await largest.fill(text);
    await expect(console.dialog.getByText('Enter a number, for instance 1.5.')).toBeVisible();
    await expect(save).toBeDisabled();
  }
  await largest.fill('2');
  await expect(save).toBeEnabled();

  const group = rates(console, 'a tenant');
  await addRate(console, 'a tenant', '0', '60');
  await expect(group).toContainText('Enter whole numbers of requests and seconds');
  await expect(save).toBeDisabled();
  await group.getByLabel('Requests of limit 1', { exact: true }).fill('10');
  await expect(save).toBeEnabled();
  await addRate(console, 'a tenant', '20', '60');
  await expect(group).toContainText('There are two limits for 60 s. Remove one of them.');
  await expect(save).toBeDisabled();
  await group.getByLabel('Seconds of limit 2', { exact: true }).fill('1');
  await expect(save).toBeEnabled();
  // A row that was not filled in does not matter. The server accepts eight rates.
  const add = group.getByRole('button', { name: 'Add limit' });
  while (await add.isEnabled()) {
    await add.click();
  }
  await expect(group.getByLabel(/^Requests of limit/)).toHaveCount(8);
  await expect(save).toBeEnabled();
  await group.getByRole('button', { name: 'Remove limit 8' }).click();
  await expect(add).toBeFocused();

  const [answer] = await Promise.all([page.waitForResponse('**/api/tenantProfile'), save.click()]);
  expect(answer.status()).toBe(400);
  await expect(console.dialog.getByRole('alert')).toHaveText((await answer.json()).message);
  await expect(largest).toHaveValue('2');
  await page.keyboard.press('Escape');
  await expect(console.dialog).toContainText('Close without saving?');
  await console.dialog.getByRole('button', { name: 'Close without saving' }).click();
  await console.closed();
});

test('new tenants get the default profile, and a tenant can get another one', async ({ console, page }) => {
  const admin = await systemAdministrator();
  const former = await admin.call('GET', '/api/tenantProfileInfo/default');
  // Without limits: other tests create tenants meanwhile.
  const profile = await newProfile();
  const title = unique('Atelier');
  await console.signIn(sysadmin, '/tenant-profiles');
  await search(page, 'tenant profiles', profile.name);
  try {
    await act(console, profile.name, 'Make default');
    await expect(row(page, profile.name).locator('.g-badge')).toHaveText('Default');
    await row(page, profile.name).getByRole('button', { name: /^Actions/ }).click();
    await expect(page.getByRole('menuitem')).toHaveText(['Edit']);
    await page.keyboard.press('Escape');

    await page.getByRole('link', { name: 'Tenants' }).click();
    await page.getByRole('button', { name: 'Add tenant' }).click();
    await expect(console.dialog.getByRole('combobox', { name: 'Profile' })).toContainText(profile.name);
    // The choice that was there already is no input that could be lost.
    await page.keyboard.press('Escape');
    await console.closed();
    await page.getByRole('button', { name: 'Add tenant' }).click();
    await console.dialog.getByLabel('Name', { exact: true }).fill(title);
    await expect(console.dialog.getByRole('combobox', { name: 'Profile' })).toContainText(profile.name);
    await console.dialog.getByRole('button', { name: 'Save' }).click();
    await console.closed();
  } finally {
    await admin.call('POST', `/api/tenantProfile/${former.id.id}/default`);
  }
  await search(page, 'tenants', title);
  await expect(row(page, title)).toContainText(profile.name);

  await page.getByRole('link', { name: 'Tenant profiles' }).click();
  await search(page, 'tenant profiles', profile.name);
  await act(console, profile.name, 'Delete');
  const [refused] = await Promise.all([
    page.waitForResponse((answer) => answer.request().method() === 'DELETE'),
    console.dialog.getByRole('button', { name: 'Delete profile' }).click(),
  ]);
  expect(refused.status()).toBe(400);
  await expect(page.locator('mat-snack-bar-container').last()).toContainText(`“${profile.name}” was not deleted: ${(await refused.json()).message}`);
  await expect(row(page, profile.name)).toBeVisible();

  await page.getByRole('link', { name: 'Tenants' }).click();
  await search(page, 'tenants', title);
  await act(console, title, 'Edit');
  await expect(console.dialog.getByRole('combobox', { name: 'Profile' })).toContainText(profile.name);
  await choose(console, 'Profile', former.name);
  await console.dialog.getByRole('button', { name: 'Save' }).click();
  await console.closed();
  await expect(row(page, title)).toContainText(former.name);
  await expect(row(page, title)).not.toContainText(profile.name);
  const { data } = await admin.call('GET', `/api/tenants?pageSize=1&page=0&textSearch=${encodeURIComponent(title)}`);
  expect(data[0].tenantProfileId.id).toBe(former.id.id);
});

test('a tenant can be edited while the profiles cannot be fetched, and keeps its profile', async ({ console, tenant, page }) => {
  const profile = await newProfile();
  const { title } = await setProfile(tenant, profile);
  await page.route('**/api/tenantProfileInfos?*', (route) => route.fulfill({ status: 500, json: { status: 500, message: 'The disk is on holiday', errorCode: 2, timestamp: 1 } }));
  await console.signIn(sysadmin, '/tenants');
  await search(page, 'tenants', title);
  await act(console, title, 'Edit');
  await expect(console.dialog).toContainText('The profiles cannot be shown: The disk is on holiday');
  await console.dialog.getByLabel('Phone').fill('+49 30 1234');
  await console.dialog.getByRole('button', { name: 'Save' }).click();
  await console.closed();
  await expect(row(page, title)).toContainText('+49 30 1234');
  expect((await tenantOf(tenant)).tenantProfileId.id).toBe(profile.id.id);
});

test('the list of tenants shows what each of them uses, for the rows on the screen only', async ({ console, tenant, page }) => {
  await tenant.upload(numbered(1), 'First');
  const { usedBytes }: Usage = await tenant.call('GET', '/api/images/usage');
  // A tenth more than is used: 90 %.
  const limit = Math.floor(usedBytes * 1.1);
  const profile = await newProfile({ maxResourcesInBytes: limit });
  const { id, title } = await setProfile(tenant, profile);
  const asked: string[] = [];
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.pathname === '/api/images/usage') {
      asked.push(url.searchParams.get('tenantId') ?? '');
    }
  });
  await console.signIn(sysadmin, '/tenants');
  await expect(page.locator('tr.mat-mdc-row').first()).toBeVisible();
  const shown = await page.locator('tr.mat-mdc-row').count();
  await expect.poll(() => asked.length).toBe(shown);
  expect(new Set(asked).size).toBe(shown);
  asked.length = 0;
  await search(page, 'tenants', title);
  await expect(row(page, title)).toContainText(profile.name);
  const bar = row(page, title).locator('g-usage-bar');
  await expect(bar).toHaveClass(/high/);
  await expect(bar).toHaveText(/^[\d.]+ K?B of [\d.]+ K?B$/);
  await expect(bar).toHaveAttribute('title', /^1 image\./);
  const meter = page.getByRole('meter', { name: `Space used by ${title}` });
  await expect(meter).toHaveAttribute('aria-valuenow', String(Math.floor((usedBytes / limit) * 100)));
  expect(asked).toEqual([id.id]);

  // An error is shown in its row, and nowhere else.
  await page.route('**/api/images/usage?*', (route) => route.fulfill({ status: 500, json: { status: 500, message: 'The disk is on holiday', errorCode: 2, timestamp: 1 } }));
  await console.returnToTab();
  await expect(row(page, title).getByText('Not known')).toHaveAttribute('title', 'The disk is on holiday');
  await expect(page.getByRole('alert')).toHaveCount(0);
  await expect(page.locator('mat-snack-bar-container')).toHaveCount(0);
});

test('only system administrators see profiles and the use of other tenants', async ({ console, tenant, page }) => {
  await console.signIn(tenant.account);
  await expect(page.getByRole('link', { name: 'Tenant profiles' })).toHaveCount(0);
  await page.goto('/tenant-profiles');
  await expect(page).toHaveURL(/\/images/);
  await page.goto('/customers');
  await page.getByRole('button', { name: 'Add customer' }).click();
  await expect(console.dialog.getByLabel('Phone')).toBeVisible();
  await expect(console.dialog.getByRole('combobox')).toHaveCount(0);
});
