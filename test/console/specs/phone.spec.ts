// SPDX-License-Identifier: Apache-2.0
import { expect, test } from '../support/console';
import { numbered } from '../support/pictures';

test.use({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });

test('on a phone every action of an image is a tap away, in the grid and in the list', async ({ console, tenant, page }) => {
  for (const name of ['one', 'two', 'three']) {
    await tenant.upload(numbered(name.length, `${name}.png`), `Phone ${name}`);
  }
  await console.signIn(tenant.account, '/images?mode=grid');
  await console.tile('Phone two').getByRole('button', { name: 'Actions for Phone two' }).tap();
  await expect(page.getByRole('menuitem')).toHaveText(['Download', 'Export to JSON', 'Embed', 'Edit', 'Delete']);
  await page.getByRole('menuitem', { name: 'Edit' }).tap();
  await console.dialog.getByLabel('Name', { exact: true }).fill('Phone second');
  await console.dialog.getByRole('button', { name: 'Save' }).tap();
  await expect(page.getByText('Name saved')).toBeVisible();
  await console.dialog.getByRole('button', { name: 'Close', exact: true }).tap();
  await console.closed();
  await expect(console.tile('Phone second')).toBeVisible();

  await page.getByRole('button', { name: 'List', exact: true }).tap();
  await console.row('Phone one').tap();
  await console.row('Phone three').tap();
  await expect(page.getByText('2 images selected')).toBeVisible();
  await page.getByRole('button', { name: 'Delete', exact: true }).tap();
  await console.dialog.getByRole('button', { name: 'Delete 2 images' }).tap();
  await console.closed();
  await expect(console.rows).toHaveCount(1);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    (async () => {
      await console.rows.first().getByRole('button', { name: /^Actions/ }).tap();
      await page.getByRole('menuitem', { name: 'Download' }).tap();
    })(),
  ]);
  expect(download.suggestedFilename()).toBe('two.png');
});

test('on a phone the list tells which images are the system’s', async ({ console, tenant, page }) => {
  await tenant.upload(numbered(1), 'A picture of one’s own');
  await console.signIn(tenant.account, '/images?mode=list&system=true&sort=title&order=ASC');
  await expect(console.row('Alarm').locator('.small').getByText('System')).toBeVisible();
  await expect(console.row('A picture of one’s own').locator('.small').getByText('System')).toHaveCount(0);
});

test('on a phone nothing that is tapped is smaller than a fingertip', async ({ console, tenant, page }) => {
  await tenant.upload(numbered(1), 'Finger');
  for (const mode of ['list', 'grid']) {
    if (mode === 'list') {
      await console.signIn(tenant.account, '/images?mode=list');
      await expect(console.row('Finger')).toBeVisible();
    } else {
      await page.getByRole('button', { name: 'Grid', exact: true }).tap();
      await expect(console.tile('Finger')).toBeVisible();
    }
    // What counts is the area that reacts, which for some controls reaches beyond what is drawn.
    const small = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('button, nav a, mat-form-field, mat-checkbox')]
        .filter((element) => element.checkVisibility() && !element.hasAttribute('disabled'))
        .map((element) => {
          const boxes = [element, ...element.querySelectorAll('*')].map((part) => part.getBoundingClientRect());
          return {
            name: element.getAttribute('aria-label') ?? element.textContent!.trim(),
            width: Math.max(...boxes.map((box) => box.width)),
            height: Math.max(...boxes.map((box) => box.height)),
          };
        })
        .filter(({ width, height }) => width < 38 || height < 38),
    );
    expect(small, mode).toEqual([]);
  }
});
