// SPDX-License-Identifier: Apache-2.0
import { expect, test } from '../support/console';
import { numbered, svg } from '../support/pictures';
import { Client, Usage, newProfile, setLimits, setProfile, sysadmin } from '../support/server';

/** Pictures of the same size with different contents. */
const drawing = (index: number) => svg(`drawing ${index}.svg`, `<circle cx="60" cy="40" r="${10 + index}" fill="#35${index}"/>`);
const usageOf = (tenant: Client): Promise<Usage> => tenant.call('GET', '/api/images/usage');

test('a tenant administrator sees the used space, which follows uploads and deletions and warns from 80 % on', async ({ console, tenant, page }) => {
  await tenant.upload(drawing(1), 'First');
  const { usedBytes: size } = await usageOf(tenant);
  // One image uses 41 % of it, two use 83 %, and there is no space for a third one.
  const limit = Math.floor(size * 2.4);
  await setProfile(tenant, await newProfile({ maxResourcesInBytes: limit }));
  const percent = (images: number) => String(Math.floor(((images * size) / limit) * 100));
  await console.signIn(tenant.account, '/images?mode=list');
  const bar = page.locator('g-usage-bar');
  const meter = page.getByRole('meter', { name: 'Space used by your images' });
  const warning = page.getByText('At least 80 % of the space for images is used.');
  await expect(meter).toHaveAttribute('aria-valuenow', percent(1));
  await expect(bar).toHaveText(/^\d+ B of \d+ B$/);
  await expect(bar).toHaveClass(/normal/);
  await expect(bar.locator('g-icon')).toHaveCount(0);
  await expect(warning).toHaveCount(0);

  await page.getByRole('button', { name: 'Upload images' }).first().click();
  await console.chooseFiles([drawing(2)]);
  await console.dialog.getByRole('button', { name: 'Upload 1 image' }).click();
  await console.closed();
  await expect(meter).toHaveAttribute('aria-valuenow', percent(2));
  await expect(meter).toHaveAttribute('aria-valuetext', `${percent(2)} %`);
  await expect(bar).toHaveClass(/high/);
  // Not by its colour alone.
  await expect(bar.locator('g-icon')).toBeVisible();
  await expect(bar.locator('.text')).toHaveCSS('color', 'rgb(95, 67, 4)');
  await expect(warning).toHaveCount(1);
  await console.shot('used-space-high');
  // The narrowest window in which the bar above the images has one row.
  await page.setViewportSize({ width: 900, height: 860 });
  expect(await page.locator('.g-bar').evaluate((one) => one.scrollWidth - one.clientWidth)).toBe(0);
  await page.setViewportSize({ width: 1360, height: 860 });

  // A third picture is refused by the server, which says why, and changes nothing.
  await page.getByRole('button', { name: 'Upload images' }).first().click();
  await console.chooseFiles([drawing(3)]);
  const [refused] = await Promise.all([page.waitForResponse('**/api/image'), console.dialog.getByRole('button', { name: 'Upload 1 image' }).click()]);
  expect(refused.status()).toBe(413);
  await expect(console.dialog.getByRole('listitem', { name: 'drawing 3.svg' })).toContainText((await refused.json()).message);
  await console.dialog.getByRole('button', { name: 'Close', exact: true }).click();
  await console.closed();
  expect((await usageOf(tenant)).images).toBe(2);

  await console.row('First').getByRole('button', { name: /^Delete/ }).click();
  await console.dialog.getByRole('button', { name: 'Delete', exact: true }).click();
  await console.closed();
  await expect(meter).toHaveAttribute('aria-valuenow', percent(1));
  await expect(bar).toHaveClass(/normal/);
  await expect(warning).toHaveCount(0);
});

test('a picture that is larger than the profile permits is refused before a byte is sent', async ({ console, tenant, page }) => {
  const profile = await newProfile({ maxResourceSize: 100 * 1024 });
  await setProfile(tenant, profile);
  await console.signIn(tenant.account);
  await page.getByRole('button', { name: 'Upload images' }).first().click();
  await expect(console.dialog).toContainText('up to 0.098 MB each');
  const file = { name: 'large.png', mimeType: 'image/png', buffer: Buffer.alloc(150 * 1024, 1) };
  await console.chooseFiles([file]);
  await expect(console.dialog).toContainText('Too large: 0.1 MB; the server accepts up to 0.098 MB.');
  await console.dialog.getByRole('button', { name: 'Close', exact: true }).click();
  await console.closed();
  // A limit that was raised since applies at once.
  await setLimits(profile, {});
  await page.getByRole('button', { name: 'Upload images' }).first().click();
  await expect(console.dialog).toContainText('up to 4.0 MB each');
});

test('without a limit there is a figure and no bar, and none for the system administrator', async ({ console, tenant, page }) => {
  await setProfile(tenant, await newProfile());
  await tenant.upload(drawing(1), 'First');
  await console.signIn(tenant.account, '/images?mode=grid');
  await expect(page.locator('g-usage-bar')).toHaveText(/^\d+ B used$/);
  await expect(page.getByRole('meter')).toHaveCount(0);
  let asked = 0;
  await page.route('**/api/images/usage', (route) => {
    asked += 1;
    return route.fulfill({ status: 500, json: { status: 500, message: 'The disk is on holiday', errorCode: 2, timestamp: 1 } });
  });
  // The last figure stays if the next one cannot be fetched.
  await page.getByRole('button', { name: 'Refresh' }).click();
  await expect.poll(() => asked).toBeGreaterThan(0);
  await expect(page.locator('g-usage-bar')).toHaveText(/^\d+ B used$/);
  await expect(page.getByRole('alert')).toHaveCount(0);
  await expect(page.locator('mat-snack-bar-container')).toHaveCount(0);

  asked = 0;
  await console.signIn(sysadmin, '/images?mode=list');
  await expect(page.getByRole('button', { name: 'Upload images' }).first()).toBeVisible();
  await page.waitForLoadState('networkidle');
  await expect(page.locator('g-usage-bar')).toHaveCount(0);
  expect(asked).toBe(0);
});

test('uploads that a rate limit refuses wait as long as the server asks, and then go on', async ({ console, tenant, page }) => {
  await page.clock.install();
  await console.signIn(tenant.account);
  let accepted = 0;
  let refused = 0;
  let limited = true;
  const message = 'Too many requests of this tenant: the limit is 3 per 500 s';
  await page.route('**/api/image', (route) => {
    if (limited && accepted >= 3) {
      refused += 1;
      return route.fulfill({ status: 429, headers: { 'Retry-After': '500' }, json: { status: 429, message, errorCode: 33, timestamp: 1 } });
    }
    accepted += 1;
    return route.continue();
  });
  await page.getByRole('button', { name: 'Upload images' }).first().click();
  await console.chooseFiles(Array.from({ length: 8 }, (_, i) => numbered(i, `file ${i}.png`)));
  await console.dialog.getByRole('button', { name: 'Upload 8 images' }).click();
  const hold = console.dialog.getByText(`${message}. The waiting files are sent in 8 minutes.`);
  await expect(hold).toBeVisible();
  await expect(hold).toHaveAttribute('aria-live', 'polite');
  await expect(console.dialog.getByText('· waiting')).toHaveCount(5);
  await expect(console.dialog.getByRole('alert')).toHaveCount(0);
  await console.shot('dialog-upload-waiting');
  const before = refused;
  // Four are sent at a time, so that no more can have been refused.
  expect(before).toBeLessThanOrEqual(4);
  await page.clock.runFor(400_000);
  expect(refused).toBe(before);
  await expect(hold).toBeVisible();
  limited = false;
  await page.clock.runFor(110_000);
  await console.closed();
  expect((await tenant.images()).length).toBe(8);
});

test('deletions that a rate limit refuses wait as well', async ({ console, tenant, page }) => {
  for (let i = 0; i < 6; i++) {
    await tenant.upload(numbered(i), `Old ${i}`);
  }
  await page.clock.install();
  await console.signIn(tenant.account, '/images?mode=list');
  await expect(console.rows).toHaveCount(6);
  let refused = 0;
  let limited = true;
  await page.route('**/api/images/tenant/*', (route) => {
    if (route.request().method() !== 'DELETE' || !limited) {
      return route.continue();
    }
    refused += 1;
    return route.fulfill({ status: 429, headers: { 'Retry-After': '60' }, json: { status: 429, message: 'Too many requests.', errorCode: 33, timestamp: 1 } });
  });
  await page.getByLabel('Select all on this page').click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await console.dialog.getByRole('button', { name: 'Delete 6 images' }).click();
  await expect(console.dialog.getByText('Too many requests. The deletion continues in 60 seconds.')).toHaveAttribute('aria-live', 'polite');
  await expect.poll(() => refused).toBe(4);
  limited = false;
  await page.clock.runFor(61_000);
  await console.closed();
  expect(await tenant.images()).toEqual([]);

  // Nobody has to wait for an hour.
  await tenant.upload(numbered(7), 'Old 7');
  await page.route('**/api/images/tenant/*', (route) =>
    route.request().method() === 'DELETE'
      ? route.fulfill({ status: 429, headers: { 'Retry-After': '3600' }, json: { status: 429, message: 'Too many requests.', errorCode: 33, timestamp: 1 } })
      : route.continue(),
  );
  await page.getByRole('button', { name: 'Refresh' }).click();
  await console.row('Old 7').getByRole('button', { name: /^Delete/ }).click();
  await console.dialog.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(console.dialog.getByRole('alert')).toContainText('Old 7: Too many requests.');
});

test('deletions that a rate limit refuses again and again can be stopped', async ({ console, tenant, page }) => {
  for (let i = 0; i < 6; i++) {
    await tenant.upload(numbered(i), `Old ${i}`);
  }
  await page.clock.install();
  await console.signIn(tenant.account, '/images?mode=list');
  await expect(console.rows).toHaveCount(6);
  let deletions = 0;
  await page.route('**/api/images/tenant/*', (route) => {
    if (route.request().method() !== 'DELETE') {
      return route.continue();
    }
    deletions += 1;
    return deletions === 1
      ? route.continue()
      : route.fulfill({ status: 429, headers: { 'Retry-After': '6' }, json: { status: 429, message: 'Too many requests.', errorCode: 33, timestamp: 1 } });
  });
  await page.getByLabel('Select all on this page').click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await console.dialog.getByRole('button', { name: 'Delete 6 images' }).click();
  await expect.poll(() => deletions).toBeGreaterThanOrEqual(4);
  await expect(console.dialog.getByText('The deletion continues in 6 seconds.')).toBeVisible();
  await console.dialog.getByRole('button', { name: 'Stop' }).click();
  await console.closed();
  await expect(console.rows).toHaveCount(5);
  const sent = deletions;
  await page.clock.runFor(61_000);
  await expect(console.rows).toHaveCount(5);
  expect(deletions).toBe(sent);
  expect(await tenant.images()).toHaveLength(5);
});

test('uploads that would have to wait for long fail with the server’s message, and can be tried again', async ({ console, tenant, page }) => {
  const profile = await newProfile();
  await setProfile(tenant, profile);
  await console.signIn(tenant.account);
  await page.getByRole('button', { name: 'Upload images' }).first().click();
  await console.chooseFiles([numbered(1, 'a.png'), numbered(2, 'b.png'), numbered(3, 'c.png')]);
  await expect(console.dialog.getByRole('listitem')).toHaveCount(3);
  await page.waitForLoadState('networkidle');
  await setLimits(profile, { tenantServerRestLimitsConfiguration: '1:3600' });
  const [refused] = await Promise.all([
    page.waitForResponse((answer) => answer.url().endsWith('/api/image') && answer.status() === 429),
    console.dialog.getByRole('button', { name: 'Upload 3 images' }).click(),
  ]);
  expect(refused.headers()['retry-after']).toMatch(/^[1-9]\d*$/);
  await expect(console.dialog.getByRole('alert').first()).toHaveText((await refused.json()).message);
  await expect(console.dialog.getByRole('status')).toContainText('not uploaded');
  await setLimits(profile, {});
  await console.dialog.getByRole('button', { name: 'Retry all' }).click();
  await console.closed();
  expect((await tenant.images()).length).toBe(3);
});
