// SPDX-License-Identifier: Apache-2.0
import { expect, test } from '../support/console';
import { numbered } from '../support/pictures';
import { BASE } from '../support/server';

test('the snippets are exact, and copied with one click', async ({ console, tenant, page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const image = await tenant.upload(numbered(1, 'a plan.png'), 'The "north" <side> & more');
  await console.signIn(tenant.account);
  await console.rows.first().getByRole('button', { name: /^Embed/ }).click();
  const snippet = console.dialog.locator('[data-test=snippet]');
  await expect(snippet).toHaveText(`<img [src]="'${image.link}' | image | async" />`);
  await console.dialog.getByRole('radio', { name: 'Plain HTML' }).click();
  await expect(snippet).toHaveText(`<img src="${image.publicLink}" alt="The &quot;north&quot; <side> & more" />`);
  await console.dialog.getByRole('button', { name: 'Copy the snippet' }).click();
  await expect(page.getByText('Snippet copied')).toBeVisible();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toBe(`<img src="${image.publicLink}" alt="The &quot;north&quot; <side> & more" />`);
  // What was copied, read by a browser, is the picture with its title.
  const read = await page.evaluate((html) => {
    const img = new DOMParser().parseFromString(html, 'text/html').querySelector('img')!;
    return [img.getAttribute('src'), img.alt];
  }, copied);
  expect(read).toEqual([image.publicLink, image.title]);
});

test('a quote in a key does not end the snippet', async ({ console, tenant, page }) => {
  const image = await tenant.upload(numbered(3, `o'neill "plan".png`), 'Quoted');
  await console.signIn(tenant.account);
  await console.rows.first().getByRole('button', { name: /^Embed/ }).click();
  const snippet = (await console.dialog.locator('[data-test=snippet]').textContent()) ?? '';
  const link = /^<img \[src\]="'([^'"]+)' \| image \| async" \/>$/.exec(snippet)?.[1] ?? '';
  expect(decodeURIComponent(link)).toBe(`/api/images/tenant/${image.resourceKey}`);
  expect((await tenant.fetch(link)).status).toBe(200);
});

test('the public toggle warns, and takes effect at once', async ({ console, tenant }) => {
  const image = await tenant.upload(numbered(2), 'Open');
  const address = `${BASE}${image.publicLink}`;
  await console.signIn(tenant.account, '/images?mode=grid');
  await console.tile('Open').hover();
  await console.tile('Open').getByRole('button', { name: /^Embed/ }).click();
  await expect(console.dialog).toContainText('Anyone who has the link can see this image, without signing in.');
  expect((await fetch(address)).status).toBe(200);
  await console.dialog.getByRole('radio', { name: 'Plain HTML' }).click();
  await console.dialog.getByRole('switch', { name: 'Public' }).click();
  await expect(console.dialog).toContainText('This image is not public, so it has no public link.');
  await expect(console.dialog).toContainText('Only signed-in users of the tenant can see this image.');
  expect((await fetch(address)).status).toBe(404);
  await console.dialog.getByRole('switch', { name: 'Public' }).click();
  await expect(console.dialog).toContainText(address);
  expect((await fetch(address)).status).toBe(200);
});

test('what was changed in Embed is known outside, however the dialog is closed', async ({ console, tenant, page }) => {
  await tenant.upload(numbered(4), 'No longer open');
  await console.signIn(tenant.account);
  await console.rows.first().getByRole('button', { name: /^Edit/ }).click();
  await expect(console.dialog).toContainText('Public link');
  for (const close of [() => page.keyboard.press('Escape'), () => page.mouse.click(5, 5)]) {
    await console.dialog.getByRole('button', { name: 'Embed' }).click();
    const toggle = console.dialog.getByRole('switch', { name: 'Public' });
    const before = await toggle.isChecked();
    await toggle.click();
    await expect(toggle).toBeChecked({ checked: !before });
    await expect(toggle).toBeEnabled();
    await close();
    await expect(page.locator('mat-dialog-container')).toHaveCount(1);
    await expect(console.dialog).toContainText(before ? 'Signed-in users only' : 'Public link');
  }
  await page.keyboard.press('Escape');
  await console.closed();
});

test('a long name without a space stays within the dialog', async ({ console, tenant }) => {
  await tenant.upload(numbered(5), 'Longer_than_any_window_is_wide_'.repeat(7));
  await console.signIn(tenant.account);
  await console.rows.first().getByRole('button', { name: /^Embed/ }).click();
  const title = console.dialog.getByRole('heading');
  await expect(title).toContainText('Longer_than_any_window');
  expect(await title.evaluate((element) => element.scrollWidth <= element.clientWidth)).toBe(true);
  await console.shot('dialog-embed-long-name');
});
