// SPDX-License-Identifier: Apache-2.0
import { expect, test } from '../support/console';
import { png, svg } from '../support/pictures';
import { BASE } from '../support/server';

const SCRIPT = `<script>try { document.title = 'ran'; fetch('/ran?' + localStorage.length) } catch (e) {}</script><rect width="120" height="80" fill="teal" onload="document.title='ran'"/>`;

test('no script but the console’s own may run, and no cookie is set', async ({ page }) => {
  const response = (await page.goto('/'))!;
  const policy = response.headers()['content-security-policy'];
  expect(policy).toMatch(/script-src 'self'(;|$)/);
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(await response.text()).not.toMatch(/<script(?![^>]* src=)[^>]*>/);
  await expect(page.getByLabel('E-mail')).toBeVisible();
  expect(await page.evaluate(() => document.cookie)).toBe('');
});

test('an SVG with scripts shows its picture, and neither runs nor reads tokens, embedded or opened', async ({ console, tenant, page, context }) => {
  const image = await tenant.upload(svg('evil.svg', SCRIPT), 'Evil');
  const leaks: string[] = [];
  context.on('request', (request) => {
    if (request.url().includes('/ran')) {
      leaks.push(request.url());
    }
  });
  await console.signIn(tenant.account, '/images?mode=grid');
  await console.pictures(console.tile('Evil'));
  await console.tile('Evil').locator('.open').click();
  await console.pictures(console.dialog.locator('.picture'));
  expect(await page.title()).not.toBe('ran');
  expect(await page.locator('g-root svg script, mat-dialog-container svg script').count()).toBe(0);

  // Opened by itself, in the browser that holds the tokens.
  const direct = await context.newPage();
  await direct.goto(`${BASE}${image.publicLink}`);
  const storage = await direct.evaluate(() => {
    try {
      return String(localStorage.length);
    } catch {
      return 'refused';
    }
  });
  expect(storage).toBe('refused');

  // And so the very blob that the console shows.
  const blob = (await console.dialog.locator('.picture img').getAttribute('src'))!;
  const [opened] = await Promise.all([
    context.waitForEvent('page'),
    page.evaluate((url) => {
      const anchor = document.createElement('a');
      anchor.href = url;
      anchor.target = '_blank';
      anchor.click();
    }, blob),
  ]);
  await opened.waitForLoadState();
  expect(await opened.title()).not.toBe('ran');
  expect(leaks).toEqual([]);
});

test('titles and file names are always text', async ({ console, tenant, page }) => {
  const title = `<img src=x onerror="document.title='ran'"> & {{7*7}}`;
  await tenant.upload(png(`<b>bold<b>.png`, 50, 50, [80, 10, 80]), title);
  await console.signIn(tenant.account);
  await expect(console.row(title)).toBeVisible();
  await console.row(title).getByRole('button', { name: /^Edit/ }).click();
  await expect(console.dialog.getByLabel('Name', { exact: true })).toHaveValue(title);
  await expect(console.dialog).toContainText('<b>bold<b>.png');
  await console.dialog.getByRole('button', { name: 'Delete' }).click();
  await expect(console.dialog).toContainText(title);
  expect(await page.title()).toBe('Images · Gallery');
});
