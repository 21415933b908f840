// SPDX-License-Identifier: Apache-2.0
import { Console, expect, test } from '../support/console';
import { Client, customer, newTenant, systemAdministrator } from '../support/server';
import { numbered } from '../support/pictures';

test('a wrong password is said plainly, and the right one lets in', async ({ console, tenant, page }) => {
  await page.goto('/');
  await expect(page).toHaveURL(/\/login$/);
  await page.getByLabel('E-mail').fill(tenant.account.email);
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toContainText('Invalid username or password');
  await page.getByLabel('Password').fill(tenant.account.password);
  await page.getByLabel('Password').press('Enter');
  await expect(page).toHaveURL(/\/images\?mode=list$/);
  await expect(page.getByText('There are no images yet')).toBeVisible();
  expect(await page.context().cookies()).toEqual([]);
  await console.accountMenu('Sign out');
  await expect(page).toHaveURL(/\/login$/);
});

test('a link is followed after signing in, and a reload keeps the session', async ({ console, tenant, page }) => {
  await console.signInByForm(tenant.account, '/images?mode=grid&search=abc');
  await expect(page).toHaveURL(/\/images\?mode=grid&search=abc$/);
  await page.reload();
  await expect(page.getByText('No image has “abc” in its name.')).toBeVisible();
});

test('a path of another site is never followed after signing in', async ({ console, tenant, page }) => {
  await console.signInByForm(tenant.account, '/login?to=//evil.example/x');
  await expect(page).toHaveURL(/\/images\?mode=list$/);
});

test('an expired access token is renewed by the refresh token, once, unseen', async ({ console, tenant, page }) => {
  await tenant.upload(numbered(1), 'Kept');
  await console.signIn(tenant.account);
  await expect(console.row('Kept')).toBeVisible();
  // The signature no longer fits, as with a token of which the time is over.
  await page.evaluate(() => {
    const stored = JSON.parse(localStorage.getItem('gallery.session')!);
    localStorage.setItem('gallery.session', JSON.stringify({ ...stored, token: `${stored.token.slice(0, -6)}AAAAAA` }));
  });
  const renewals: string[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/api/auth/token')) {
      renewals.push(request.url());
    }
  });
  await page.reload();
  await expect(console.row('Kept')).toBeVisible();
  await console.pictures(console.row('Kept'));
  expect(renewals).toHaveLength(1);
});

test('a server that is not ready at a reload ends nothing: it is asked again', async ({ console, tenant, page }) => {
  await tenant.upload(numbered(1), 'Still here');
  await console.signIn(tenant.account);
  let refusals = 2;
  await page.route('**/api/auth/user', (route) =>
    refusals-- > 0 ? route.fulfill({ status: 503, json: { status: 503, message: 'Starting', errorCode: 2, timestamp: 1 } }) : route.continue(),
  );
  await page.reload();
  await expect(console.row('Still here')).toBeVisible();
  expect(refusals).toBeLessThan(1);
});

test('when somebody else signs in in another tab, nothing of the former user stays on the screen', async ({ console, tenant, context }) => {
  await tenant.upload(numbered(1), 'The first one’s');
  const second = await newTenant();
  await second.upload(numbered(2), 'The second one’s');
  await console.signIn(tenant.account);
  await expect(console.row('The first one’s')).toBeVisible();
  const tab = new Console(await context.newPage());
  await tab.signInByForm(second.account, '/login');
  await expect(console.row('The second one’s')).toBeVisible();
  await expect(console.row('The first one’s')).toHaveCount(0);
});

test('when the session has ended the password is asked for above the work, which then goes on', async ({ console, tenant, page }) => {
  await tenant.upload(numbered(2), 'Half renamed');
  await console.signIn(tenant.account);
  await console.row('Half renamed').getByRole('button', { name: /^Edit/ }).click();
  await console.dialog.getByLabel('Name').fill('Wholly renamed');
  await tenant.call('POST', '/api/auth/logout?everywhere=true');
  await console.dialog.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('heading', { name: 'Please sign in again' })).toBeVisible();
  await console.dialog.getByLabel('Password').fill('wrong');
  await console.dialog.getByRole('button', { name: 'Sign in' }).click();
  await expect(console.dialog.getByRole('alert')).toContainText('Invalid username or password');
  await console.dialog.getByLabel('Password').fill(tenant.account.password);
  await console.dialog.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByText('Name saved')).toBeVisible();
  await console.dialog.getByRole('button', { name: 'Close' }).click();
  await expect(console.row('Wholly renamed')).toBeVisible();
});

test('signing out everywhere ends the session of other browsers, and of other tabs at once', async ({ console, tenant, page, browser, context }) => {
  const elsewhere = new Console(await (await browser.newContext({ baseURL: process.env.GALLERY_URL })).newPage());
  await elsewhere.signIn(tenant.account);
  await console.signIn(tenant.account);
  const tab = await context.newPage();
  await tab.goto('/images');
  await expect(tab.getByText('There are no images yet')).toBeVisible();
  await console.accountMenu('Sign out everywhere');
  await console.dialog.getByRole('button', { name: 'Sign out everywhere' }).click();
  await expect(page).toHaveURL(/\/login$/);
  await expect(tab).toHaveURL(/\/login\?to=/);
  await elsewhere.page.getByRole('button', { name: 'Refresh' }).click();
  await expect(elsewhere.page.getByRole('heading', { name: 'Please sign in again' })).toBeVisible();
  await elsewhere.dialog.getByRole('button', { name: 'Sign out' }).click();
  await expect(elsewhere.page).toHaveURL(/\/login\?to=/);
  await elsewhere.page.context().close();
});

test('a customer user is told that the gallery is for administrators', async ({ console, page }) => {
  await console.signIn(customer);
  await expect(page.getByRole('heading', { name: 'The gallery is for administrators' })).toBeVisible();
  await expect(page.getByRole('navigation').getByRole('link', { name: 'Images' })).toHaveCount(0);
  await page.goto('/images?mode=grid');
  await expect(page.getByRole('heading', { name: 'The gallery is for administrators' })).toBeVisible();
});

test('changing the password keeps this session and refuses a wrong current one', async ({ console, page }) => {
  const tenant = await newTenant();
  await console.signIn(tenant.account);
  await console.accountMenu('Change password');
  await console.dialog.getByLabel('Current password').fill('wrong');
  await console.dialog.getByLabel('New password', { exact: true }).fill('Another-Horse-8');
  await console.dialog.getByLabel('New password again').fill('Another-Horse-8');
  await console.dialog.getByRole('button', { name: 'Change password' }).click();
  await expect(console.dialog.getByRole('alert')).toBeVisible();
  await console.dialog.getByLabel('Current password').fill(tenant.account.password);
  await console.dialog.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByText('Your password has been changed')).toBeVisible();
  await page.reload();
  await expect(page.getByText('There are no images yet')).toBeVisible();
  await Client.signIn({ email: tenant.account.email, password: 'Another-Horse-8' });
});

test('an activation link lets a new user choose a password and in', async ({ console, page }) => {
  const admin = await systemAdministrator();
  const name = `activation-${Date.now().toString(36)}`;
  const tenant = await admin.call('POST', '/api/tenant', { title: name });
  const user = await admin.call('POST', '/api/user?sendActivationMail=false', {
    email: `new@${name}.example`,
    authority: 'TENANT_ADMIN',
    tenantId: tenant.id,
  });
  const link = new URL(await (await admin.fetch(`/api/user/${user.id.id}/activationLink`)).text());
  await page.goto(`/login/createPassword${link.search}`);
  await page.getByLabel('New password', { exact: true }).fill('Correct-Horse-7');
  await page.getByLabel('New password again').fill('Correct-Horse-7');
  await page.getByRole('button', { name: 'Set password' }).click();
  await expect(page.getByText('There are no images yet')).toBeVisible();
  await console.accountMenu('Sign out');
  await page.goto(`/login/createPassword${link.search}`);
  await page.getByLabel('New password', { exact: true }).fill('Correct-Horse-9');
  await page.getByLabel('New password again').fill('Correct-Horse-9');
  await page.getByRole('button', { name: 'Set password' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
});

test('who signs in again after a session has ended comes back to where it ended, in every tab', async ({ console, tenant, page, context }) => {
  await console.signIn(tenant.account, '/images?mode=grid&search=abc');
  const tab = new Console(await context.newPage());
  await tab.page.goto('/images?mode=list&search=xyz');
  await expect(tab.page.getByText('No image has “xyz” in its name.')).toBeVisible();
  await tenant.call('POST', '/api/auth/logout?everywhere=true');
  await page.getByRole('button', { name: 'Refresh' }).click();
  await expect(page.getByRole('heading', { name: 'Please sign in again' })).toBeVisible();
  await console.dialog.getByRole('button', { name: 'Sign out' }).click();
  await expect(tab.page.getByLabel('E-mail')).toBeVisible();
  await page.getByLabel('E-mail').fill(tenant.account.email);
  await page.getByLabel('Password').fill(tenant.account.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL(/\/images\?mode=grid&search=abc$/);
  await expect(tab.page.getByText('No image has “xyz” in its name.')).toBeVisible();

  // A page that is opened when the session has ended leads back to itself as well.
  await (await Client.signIn(tenant.account)).call('POST', '/api/auth/logout?everywhere=true');
  await page.goto('/images?mode=list&search=def');
  await expect(page).toHaveURL(/\/login\?to=.*def/);
});
