// SPDX-License-Identifier: Apache-2.0
import { Console, expect } from './console';
import { mirrors, playMirror } from './mirror';
import { png } from './pictures';
import { Client, newProfile, setProfile, sysadmin } from './server';

/** What the tour shows is in this tenant: three images, a limit of which most is used, a customer and an API key. */
export async function furnish(tenant: Client): Promise<void> {
  await tenant.upload(png('bridge.png', 320, 200, [100, 100, 110]), 'Bridge');
  await tenant.upload(png('plan.png', 280, 280, [72, 122, 72]), 'Plan');
  await tenant.upload(png('light.png', 200, 260, [164, 112, 96]), 'Light');
  const { usedBytes } = await tenant.call('GET', '/api/images/usage');
  await setProfile(tenant, await newProfile({ maxResourcesInBytes: Math.floor(usedBytes * 1.1), tenantServerRestLimitsConfiguration: '100000:1' }));
  await tenant.call('POST', '/api/customer', { title: 'Harbour office' });
  const user = await tenant.call('GET', '/api/auth/user');
  await tenant.call('POST', '/api/apiKey', { userId: user.id, description: 'Camera at the gate', enabled: true, expirationTime: 0 });
}

/** Opens every page and every dialog of the console, and calls `visit` when each of them is shown. */
export async function tour(console: Console, tenant: Client, visit: (view: string) => Promise<void>): Promise<void> {
  const { page, dialog } = console;
  const button = (name: string | RegExp) => page.getByRole('button', { name, exact: typeof name === 'string' });
  const seen = async (view: string) => {
    // Away from what was clicked, so that no tooltip covers anything.
    await page.mouse.move(0, 0);
    await expect(page.locator('mat-tooltip-component')).toHaveCount(0);
    await console.atRest();
    await visit(view);
  };
  const closed = async () => {
    await page.keyboard.press('Escape');
    await console.closed();
  };
  await page.goto('/login');
  await expect(page.getByLabel('E-mail')).toBeVisible();
  await seen('login');
  await page.goto('/login/createPassword?activateToken=x');
  await expect(page.getByLabel('New password again')).toBeVisible();
  await seen('activate');

  await console.signIn(tenant.account, '/images?mode=list');
  await expect(console.rows).toHaveCount(3);
  await console.pictures(page.locator('g-image-list table'));
  await expect(page.getByRole('meter')).toBeVisible();
  await seen('list');
  await console.row('Bridge').getByRole('checkbox').check();
  await seen('list-selected');
  await page.keyboard.press('Escape');
  await console.mode('Grid');
  await expect(console.tiles).toHaveCount(3);
  await console.pictures(page.locator('.surface'));
  await seen('grid');
  await console.tile('Plan').getByRole('checkbox').check({ force: true });
  await seen('grid-selected');
  await page.keyboard.press('Escape');
  await button(/^Sort/).click();
  await expect(page.getByRole('menuitemradio').first()).toBeVisible();
  await seen('sort-menu');
  await page.keyboard.press('Escape');

  await console.tile('Bridge').locator('.open').click();
  await console.pictures(dialog);
  await seen('edit');
  await console.chooseFiles([png('bridge in spring.png', 480, 300, [60, 120, 90])]);
  await expect(dialog.getByText('After the update')).toBeVisible();
  await seen('edit-replace');
  await dialog.getByRole('button', { name: 'Discard' }).click();
  await dialog.getByLabel('Name', { exact: true }).fill('Bridge, north');
  await seen('edit-renaming');
  await page.keyboard.press('Escape');
  await expect(dialog).toContainText('Close without saving?');
  await seen('confirm');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.getByRole('button', { name: 'Undo' }).click();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await expect(dialog).toContainText('Delete this image?');
  await seen('delete');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.getByRole('button', { name: 'Embed' }).click();
  await expect(dialog.getByText('Plain HTML')).toBeVisible();
  await seen('embed');
  await dialog.getByRole('button', { name: 'Done' }).click();
  await dialog.getByRole('button', { name: 'Close', exact: true }).click();
  await console.closed();

  await button('Upload images').first().click();
  await seen('upload-empty');
  await console.chooseFiles([png('one.png', 90, 60, [40, 90, 140]), png('two.png', 60, 90, [140, 90, 40]), { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('x') }]);
  await expect(dialog.getByRole('alert')).toBeVisible();
  await seen('upload');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await console.closed();
  await page.getByLabel('Search images by name').fill('nothing like this');
  await expect(page.getByText('No image has')).toBeVisible();
  await seen('nothing-found');
  await button(/^Account of/).click();
  await expect(page.getByRole('menuitem', { name: 'Change password' })).toBeVisible();
  await seen('account-menu');
  await page.getByRole('menuitem', { name: 'Change password' }).click();
  await seen('password');
  await closed();

  await page.goto('/customers');
  await expect(page.getByText('Harbour office')).toBeVisible();
  await seen('customers');
  await button('Add customer').click();
  await seen('add-customer');
  await closed();
  await page.goto('/users');
  await expect(page.getByText(tenant.account.email)).toBeVisible();
  await seen('users');
  await button('Add user').click();
  await expect(dialog.getByLabel('First name')).toBeVisible();
  await seen('add-user');
  await closed();
  await page.goto('/api-keys');
  await expect(page.getByText('Camera at the gate')).toBeVisible();
  await seen('api-keys');
  await button('Add key').click();
  await expect(dialog.getByLabel('Description')).toBeVisible();
  await seen('add-key');
  await closed();
  await page.goto('/nowhere');
  await expect(page.getByText('There is nothing here')).toBeVisible();
  await seen('not-found');

  await console.signIn(sysadmin, '/tenants');
  await expect(page.locator('tr.mat-mdc-row').first()).toBeVisible();
  await seen('tenants');
  await button(/^Actions/).first().click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await expect(dialog.getByLabel('Name of the tenant')).toBeVisible();
  await seen('delete-tenant');
  await closed();

  await button('Add tenant').click();
  await expect(dialog.getByRole('combobox', { name: 'Profile' })).toBeVisible();
  await seen('add-tenant');
  await closed();
  await page.goto('/tenant-profiles');
  await button(/^Actions/).first().click();
  await page.getByRole('menuitem', { name: 'Edit' }).click();
  const group = dialog.getByRole('group', { name: 'Requests of a tenant' });
  await group.getByRole('button', { name: 'Add limit' }).click();
  await expect(group.getByLabel(/^Requests of limit/).last()).toBeFocused();
  await seen('tenant-profile');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await console.closed();
  await seen('tenant-profiles');

  const played = await playMirror(page, mirrors.following);
  await page.goto('/mirror');
  await expect(button('Switch')).toBeVisible();
  await seen('mirror');
  await button('Switch').click();
  await expect(dialog).toContainText('Serve from the mirror?');
  await seen('switch-mirror');
  await closed();
  played.now = mirrors.complete;
  await page.reload();
  await button('Start again').click();
  await dialog.getByRole('button', { name: 'Add option' }).click();
  await expect(dialog.getByLabel('Value of option 1', { exact: true })).toBeVisible();
  await seen('start-mirror');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await console.closed();
}
