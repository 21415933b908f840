// SPDX-License-Identifier: Apache-2.0
import { Page } from '@playwright/test';
import { expect, test } from '../support/console';
import { numbered } from '../support/pictures';
import { Client, newTenant } from '../support/server';
import { furnish, tour } from '../support/tour';

/** Controls of the uppermost layer that cannot be scrolled to where they can be clicked. */
async function unreachable(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const layer = [...document.querySelectorAll('.cdk-overlay-pane:has(mat-dialog-container), .mat-mdc-menu-panel')].at(-1) ?? document.body;
    const selector = 'a[href]:not(.skip), button:not([disabled]), input:not([disabled]):not([type=file]):not(.g-unseen), [role=combobox], [role=menuitem]';
    return [...layer.querySelectorAll<HTMLElement>(selector)]
      .filter((element) => element.checkVisibility() && !element.closest('[aria-hidden=true]') && getComputedStyle(element).pointerEvents !== 'none')
      .filter((element) => !element.closest('.actions:not(.shown)') || !element.closest('g-image-grid'))
      .filter((element) => {
        element.scrollIntoView({ block: 'center', inline: 'center' });
        const box = element.getBoundingClientRect();
        const x = box.left + box.width / 2;
        const y = box.top + box.height / 2;
        const hit = document.elementFromPoint(x, y);
        const label = element.closest('label, mat-checkbox, mat-form-field, mat-slide-toggle');
        const reached = hit !== null && (element.contains(hit) || hit.contains(element) || (label?.contains(hit) ?? false));
        return !reached || hit === document.body || hit === document.documentElement || box.height < 12;
      })
      .map((element) => `${element.tagName} ${element.getAttribute('aria-label') ?? element.textContent!.trim()}`);
  });
}

const windows = {
  '400 %': { width: 320, height: 256 },
  'phone in landscape': { width: 740, height: 360 },
};

let tenant: Client;
test.beforeAll(async () => {
  tenant = await newTenant();
  await furnish(tenant);
});

for (const [name, viewport] of Object.entries(windows)) {
  test.describe(name, () => {
    test.use({ viewport, contextOptions: { reducedMotion: 'reduce' } });

    test(`everything can be reached in a window of ${viewport.width}×${viewport.height}`, async ({ console, page }) => {
      test.setTimeout(300_000);
      const found: string[] = [];
      await tour(console, tenant, async (view) => {
        const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
        found.push(...(wide ? [`${view} is wider than the window`] : []), ...(await unreachable(page)).map((what) => `${view}: ${what}`));
        await console.shot(`${view}-${viewport.width}x${viewport.height}`);
      });
      expect(found).toEqual([]);
    });

    test(`the page scrolls as a whole, and the grid with it, in a window of ${viewport.width}×${viewport.height}`, async ({ console, page }) => {
      const many = await newTenant();
      for (let i = 0; i < 24; i++) {
        await many.upload(numbered(i), `Small ${String(i).padStart(2, '0')}`);
      }
      await console.signIn(many.account, '/images?mode=list&sort=title&order=ASC');
      await expect(console.rows).toHaveCount(10);
      const scrolled = () =>
        page.evaluate(() => ({
          page: document.documentElement.scrollHeight > innerHeight,
          inner: [...document.querySelectorAll('main, .card, .scroller')].filter((one) => one.scrollHeight > one.clientHeight && getComputedStyle(one).overflowY !== 'visible').length,
        }));
      expect(await scrolled()).toEqual({ page: true, inner: 0 });
      await page.mouse.move(viewport.width / 2, viewport.height / 2);
      await page.mouse.wheel(0, 20_000);
      await expect(page.getByRole('button', { name: 'Next page' })).toBeInViewport();
      await page.goto('/images?mode=grid&sort=title&order=ASC');
      await expect(console.tile('Small 00')).toBeVisible();
      expect(await scrolled()).toEqual({ page: true, inner: 0 });
      await console.tile('Small 00').locator('.open').focus();
      await page.keyboard.press('End');
      await expect(console.tile('Small 23').locator('.open')).toBeFocused();
      await expect(console.tile('Small 23').locator('.open')).toBeInViewport();
      await console.pictures(console.tile('Small 23'));
      await page.keyboard.press('Home');
      await expect(console.tile('Small 00').locator('.open')).toBeInViewport();
      await page.mouse.wheel(0, 20_000);
      await expect(console.tile('Small 23')).toBeInViewport();
    });
  });
}
