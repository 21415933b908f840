// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { BrowserContextOptions } from '@playwright/test';
import { Console, expect, test } from '../support/console';
import { mirrors, playMirror } from '../support/mirror';
import { png, svg } from '../support/pictures';
import { Account, Client, customer, newProfile, newTenant, setProfile, sysadmin } from '../support/server';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/**
 * Nothing serious or critical for people who use a keyboard or a screen reader. Where a view differs from another
 * that is checked by its colours only, only these are checked.
 */
async function accessible(console: Console, view: string, coloursOnly: boolean): Promise<void> {
  await console.atRest();
  // The page's own policy keeps foreign scripts out, so the check comes in through the debugger.
  await console.page.evaluate(axe);
  const found = await console.page.evaluate(async (colours) => {
    const rules = colours ? { runOnly: ['color-contrast'] } : { rules: { 'target-size': { enabled: true } } };
    const result = await (window as any).axe.run(document, { resultTypes: ['violations'], ...rules });
    return result.violations
      .filter((violation: any) => violation.impact === 'serious' || violation.impact === 'critical')
      .map((violation: any) => `${violation.id}: ${violation.nodes.map((node: any) => `${node.html} ${node.failureSummary}`).join(' | ')}`);
  }, coloursOnly);
  expect(found, view).toEqual([]);
}

let tenant: Client;

test.beforeAll(async () => {
  tenant = await newTenant();
  const scenes: [string, number, number, [number, number, number]][] = [
    ['Pump station, north side', 320, 200, [38, 92, 138]],
    ['Harbour overview', 400, 260, [24, 110, 110]],
    ['Boiler detail', 240, 320, [150, 84, 48]],
    ['Turbine hall', 300, 300, [86, 74, 132]],
    ['Lighthouse at dawn', 260, 380, [164, 112, 96]],
    ['Compass rose', 64, 64, [120, 60, 90]],
    ['Canyon relay', 480, 180, [120, 104, 62]],
    ['Glacier gauge with a name that is much too long for any tile of a grid, and for most rows', 300, 220, [70, 120, 150]],
    ['Orchard plan', 280, 280, [72, 122, 72]],
    ['Bridge', 520, 240, [100, 100, 110]],
    ['Valve schematic', 220, 160, [140, 60, 60]],
  ];
  for (const [title, width, height, colour] of scenes) {
    await tenant.upload(png(`${title.slice(0, 40)}.png`, width, height, colour), title);
  }
  await tenant.upload(svg('logo.svg', '<circle cx="60" cy="40" r="30" fill="none" stroke="#c33" stroke-width="8"/>'), 'Logo, transparent');
  const { usedBytes } = await tenant.call('GET', '/api/images/usage');
  await setProfile(tenant, await newProfile({ maxResourceSize: 4 * 1024 * 1024, maxResourcesInBytes: Math.floor(usedBytes * 1.1), tenantServerRestLimitsConfiguration: '100000:1,2000000:60' }, 'Small sites'));
  const customerOf = await tenant.call('POST', '/api/customer', { title: 'Harbour office' });
  await tenant.call('POST', '/api/user?sendActivationMail=false', {
    email: `clerk@${tenant.account.email.split('@')[1]}`,
    authority: 'CUSTOMER_USER',
    customerId: customerOf.id,
    firstName: 'Mina',
    lastName: 'Clerk',
  });
  const user = await tenant.call('GET', '/api/auth/user');
  await tenant.call('POST', '/api/apiKey', { userId: user.id, description: 'Camera at the gate', enabled: true, expirationTime: 0 });
});

const looks: Record<string, BrowserContextOptions> = {
  desktop: { viewport: { width: 1360, height: 860 } },
  dark: { viewport: { width: 1360, height: 860 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 },
};

for (const [look, options] of Object.entries(looks)) {
  test.describe(look, () => {
    test.use(options as object);

    const seen = async (console: Console, view: string) => {
      await accessible(console, `${view} (${look})`, look === 'dark');
      // On a phone, too, nothing sticks out at the side.
      expect(await console.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
      await console.shot(`${view}-${look}`);
    };
    const signedIn = (console: Console, account: Account, path: string) => console.signIn(account, path);

    test('sign in and activation', async ({ console, page }) => {
      await page.goto('/login');
      await expect(page.getByLabel('E-mail')).toBeVisible();
      await seen(console, 'login');
      await page.goto('/login/createPassword?activateToken=x');
      await expect(page.getByLabel('New password', { exact: true })).toBeVisible();
      await seen(console, 'activate');
    });

    test('images: list, selection, grid, dialogs', async ({ console, page }) => {
      await signedIn(console, tenant.account, '/images?mode=list');
      await expect(console.rows).toHaveCount(10);
      await console.pictures(page.locator('g-image-list table'));
      await expect(page.locator('g-usage-bar')).toHaveClass(/high/);
      await seen(console, 'list');
      await console.row('Bridge').click();
      await seen(console, 'list-selected');
      await console.row('Bridge').click();
      if (look === 'phone') {
        await console.row('Bridge').getByRole('button', { name: 'Actions for Bridge' }).tap();
        await expect(page.getByRole('menuitem', { name: 'Export to JSON' })).toBeVisible();
        await seen(console, 'list-actions');
        await page.keyboard.press('Escape');
      } else {
        await page.route('**/export', (route) => route.fulfill({ status: 500, json: { status: 500, message: 'The disk is on holiday', errorCode: 2, timestamp: 1 } }));
        await console.row('Bridge').getByRole('button', { name: /^Export/ }).click();
        await expect(page.locator('.mdc-snackbar__surface')).toHaveCSS('background-color', look === 'dark' ? 'rgb(76, 35, 32)' : 'rgb(251, 229, 227)');
        await seen(console, 'failure');
      }
      await page.goto('/images?mode=list&system=true&sort=title&order=ASC');
      await expect(console.row('Battery')).toBeVisible();
      await console.pictures(page.locator('g-image-list table'));
      await seen(console, 'list-with-system');
      await page.goto('/images?mode=list');
      await expect(console.row('Battery')).toHaveCount(0);
      await console.mode('Grid');
      await expect(console.tiles).toHaveCount(12);
      await console.pictures(page.locator('.surface'));
      if (look !== 'phone') {
        await console.tile('Bridge').hover();
      }
      await seen(console, 'grid');
      await console.tile('Bridge').getByRole('checkbox').check({ force: true });
      await seen(console, 'grid-selected');
      await page.getByRole('button', { name: 'Clear', exact: true }).click();
      await page.getByRole('button', { name: /^Sort/ }).click();
      await expect(page.getByRole('menuitemradio', { name: 'Largest first' })).toBeVisible();
      await seen(console, 'sort-menu');
      await page.keyboard.press('Escape');
      await console.tile('Bridge').locator('.open').click();
      await console.pictures(console.dialog);
      await seen(console, 'edit');
      await console.chooseFiles([png('Bridge in spring.png', 480, 300, [60, 120, 90])]);
      await console.pictures(console.dialog);
      await seen(console, 'edit-replace');
      await console.dialog.getByRole('button', { name: 'Discard' }).click();
      await console.dialog.getByLabel('Name', { exact: true }).fill('Bridge, north');
      await seen(console, 'edit-renaming');
      await page.keyboard.press('Escape');
      await expect(console.dialog).toContainText('Close without saving?');
      await seen(console, 'edit-unsaved');
      await console.dialog.getByRole('button', { name: 'Cancel' }).click();
      await console.dialog.getByRole('button', { name: 'Undo' }).click();
      await console.dialog.getByRole('button', { name: 'Delete' }).click();
      await expect(console.dialog).toContainText('Delete this image?');
      await seen(console, 'delete');
      await console.dialog.getByRole('button', { name: 'Cancel' }).click();
      await console.dialog.getByRole('button', { name: 'Embed' }).click();
      await expect(console.dialog.getByText('Plain HTML')).toBeVisible();
      await seen(console, 'embed');
      await console.dialog.getByRole('radio', { name: 'Plain HTML' }).click();
      await seen(console, 'embed-html');
      await console.dialog.getByRole('button', { name: 'Done' }).click();
      await console.dialog.getByRole('button', { name: 'Close', exact: true }).click();
      await console.closed();
      await page.getByRole('button', { name: 'Upload images' }).click();
      await seen(console, 'upload-empty');
      await console.chooseFiles([png('one.png', 90, 60, [40, 90, 140]), png('two.png', 60, 90, [140, 90, 40]), { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('x') }]);
      await expect(console.dialog.getByRole('alert')).toBeVisible();
      await seen(console, 'upload');
      await console.dialog.getByRole('button', { name: 'Cancel' }).click();
      await console.closed();
      await page.getByRole('button', { name: 'Import from JSON' }).click();
      await console.chooseFiles([{ name: 'broken.json', mimeType: 'application/json', buffer: Buffer.from('{') }]);
      await expect(console.dialog.getByRole('alert')).toBeVisible();
      await seen(console, 'import');
      await page.keyboard.press('Escape');
      await console.closed();
      await page.getByLabel('Search images by name').fill('nothing like this');
      await expect(page.getByText('No image has')).toBeVisible();
      await seen(console, 'nothing-found');
      await page.getByRole('button', { name: /^Account of/ }).click();
      await expect(page.getByRole('menuitem', { name: 'Sign out', exact: true })).toBeVisible();
      await seen(console, 'account-menu');
      await page.getByRole('menuitem', { name: 'Change password' }).click();
      await expect(console.dialog.getByLabel('Current password')).toBeVisible();
      await seen(console, 'password');
      await page.keyboard.press('Escape');
      await console.closed();
      await console.accountMenu('Sign out everywhere');
      await expect(console.dialog).toContainText('Sign out everywhere?');
      await seen(console, 'sign-out-everywhere');
      await page.keyboard.press('Escape');
      await page.context().setOffline(true);
      await expect(page.getByText('No connection to the server.')).toBeVisible();
      await seen(console, 'offline');
      await page.context().setOffline(false);
      await expect(page.getByText('No connection to the server.')).toHaveCount(0);
    });

    test('accounts', async ({ console, page }) => {
      await signedIn(console, tenant.account, '/customers');
      await expect(page.getByText('Harbour office')).toBeVisible();
      await seen(console, 'customers');
      await page.getByRole('button', { name: /^Actions/ }).first().click();
      await expect(page.getByRole('menuitem', { name: 'Delete' })).toBeVisible();
      await seen(console, 'customer-actions');
      await page.keyboard.press('Escape');
      await page.getByRole('link', { name: 'Users' }).click();
      await expect(page.getByText('Invited')).toBeVisible();
      await seen(console, 'users');
      await page.getByRole('button', { name: 'Add user' }).click();
      await expect(console.dialog.getByLabel('First name')).toBeVisible();
      await seen(console, 'add-user');
      await page.keyboard.press('Escape');
      await console.closed();
      await page.getByRole('link', { name: 'API keys' }).first().click();
      await expect(page.getByText('Camera at the gate')).toBeVisible();
      await seen(console, 'api-keys');
      await page.getByRole('button', { name: 'Add key' }).click();
      await console.dialog.getByLabel('Description').fill('Scanner');
      await seen(console, 'add-key');
      await console.dialog.getByRole('button', { name: 'Create key' }).click();
      await expect(console.dialog).toContainText('Your new API key');
      await seen(console, 'new-key');
      await console.dialog.getByRole('button', { name: 'Done' }).click();
      await console.closed();
      await page.goto('/nowhere');
      await expect(page.getByText('There is nothing here')).toBeVisible();
      await seen(console, 'not-found');
    });

    test('the system administrator’s views', async ({ console, page }) => {
      await signedIn(console, sysadmin, '/images?mode=list');
      await expect(page.getByRole('button', { name: 'Upload images' }).first()).toBeVisible();
      await seen(console, 'system-images');
      await page.getByRole('link', { name: 'Tenants' }).click();
      await expect(page.locator('tr.mat-mdc-row').first()).toBeVisible();
      await seen(console, 'tenants');
      await page.getByRole('button', { name: 'Add tenant' }).click();
      await expect(console.dialog.getByRole('combobox', { name: 'Profile' })).toBeVisible();
      await seen(console, 'add-tenant');
      await page.keyboard.press('Escape');
      await console.closed();
      await page.getByRole('button', { name: /^Actions/ }).first().click();
      await page.getByRole('menuitem', { name: 'Delete' }).click();
      await expect(console.dialog.getByRole('listitem')).toHaveCount(4);
      await seen(console, 'delete-tenant');
      await page.keyboard.press('Escape');
      await console.closed();
      await page.getByRole('link', { name: 'Tenant profiles' }).click();
      await page.getByLabel('Search tenant profiles').fill('Small sites');
      await expect(page.getByText('Small sites').first()).toBeVisible();
      await seen(console, 'tenant-profiles');
      await page.getByRole('button', { name: /^Actions/ }).first().click();
      await page.getByRole('menuitem', { name: 'Edit' }).click();
      await expect(console.dialog.getByLabel('Requests of limit 2', { exact: true })).toBeVisible();
      await console.dialog.getByLabel('Largest image', { exact: true }).fill('much');
      await seen(console, 'tenant-profile');
      await console.dialog.getByRole('button', { name: 'Cancel' }).click();
      await console.closed();
      const played = await playMirror(page, mirrors.none);
      await page.getByRole('link', { name: 'Mirror' }).click();
      const titles = { none: 'No mirror', copying: 'Copying', following: 'Following', damaged: 'Following', failed: 'Failed', complete: 'Complete' };
      for (const [state, title] of Object.entries(titles)) {
        const now = mirrors[state as keyof typeof titles];
        played.now = now;
        await console.returnToTab();
        await expect(page.getByRole('region', { name: 'State' })).toContainText(title);
        await expect(page.getByRole('region', { name: 'State' })).toContainText(now.problem);
        await seen(console, `mirror-${state}`);
      }
      await page.getByRole('button', { name: 'Start again' }).click();
      await console.dialog.getByRole('button', { name: 'Add option' }).click();
      await console.dialog.getByLabel('Value of option 1', { exact: true }).fill('a secret');
      await seen(console, 'start-mirror');
    });

    test('a customer user’s view', async ({ console, page }) => {
      await signedIn(console, customer, '/');
      await expect(page.getByRole('heading', { name: 'The gallery is for administrators' })).toBeVisible();
      await seen(console, 'customer');
    });

    test('an empty gallery, and a session that has ended', async ({ console, page }) => {
      const fresh = await newTenant();
      await signedIn(console, fresh.account, '/images?mode=grid');
      await expect(page.getByText('There are no images yet')).toBeVisible();
      await seen(console, 'empty-grid');
      await console.mode('List');
      await expect(page.getByText('There are no images yet')).toBeVisible();
      await seen(console, 'empty-list');
      await fresh.call('POST', '/api/auth/logout?everywhere=true');
      await page.getByRole('button', { name: 'Refresh' }).click();
      await expect(page.getByRole('heading', { name: 'Please sign in again' })).toBeVisible();
      await seen(console, 'sign-in-again');
    });
  });
}
