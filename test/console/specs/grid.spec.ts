import { Page } from '@playwright/test';
import { Console, expect, test } from '../support/console';
import { numbered } from '../support/pictures';
import { Client } from '../support/server';

const MANY = Number(process.env.CONSOLE_MANY ?? 10_000);
const AT_ONCE = 16;

/** Every page of the list that the page has asked for. */
function pagesAsked(page: Page): number[] {
  const asked: number[] = [];
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.pathname === '/api/images') {
      asked.push(Number(url.searchParams.get('page')));
    }
  });
  return asked;
}

async function fill(client: Client, count: number): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let i = next++; i < count; i = next++) {
        await client.upload(numbered(i, `many-${i}.png`), `Many ${String(i).padStart(5, '0')}`);
      }
    }),
  );
}

/** Scrolls in steps, as a wheel does, waiting for nothing but the browser's frames. */
async function scroll(page: Page, from: number, to: number, steps: number): Promise<void> {
  await page.locator('.scroller').evaluate(
    async (element, [start, end, count]) => {
      for (let i = 0; i <= count; i++) {
        element.scrollTop = start + ((end - start) * i) / count;
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
    },
    [from, to, steps],
  );
}

const noGhosts = (console: Console) => expect(console.page.locator('.ghost')).toHaveCount(0);

test(`the grid over ${MANY} images on the server: squares that fill the width, to the very end, no page twice`, async ({ console, tenant, page }) => {
  test.setTimeout(600_000);
  await fill(tenant, MANY);
  const asked = pagesAsked(page);
  await console.signIn(tenant.account, '/images?mode=grid&sort=title&order=ASC');
  await expect(page.getByText(`${MANY.toLocaleString('en-US')} images`)).toBeVisible();
  await expect(console.tile('Many 00000')).toBeVisible();
  await console.pictures(console.tile('Many 00000'));
  await expect(console.tile('Many 00001')).toContainText(/^Many 00001\s*52×39 \| \d/);

  // Only what is in sight is in the document.
  expect(await console.tiles.count()).toBeLessThan(150);
  const fits = await console.page.locator('.surface').evaluate((surface) => {
    const box = surface.getBoundingClientRect();
    const tiles = [...surface.querySelectorAll('.tile .open')].map((tile) => tile.getBoundingClientRect());
    return {
      square: tiles.every((tile) => Math.abs(tile.width - tile.height) < 1),
      left: Math.min(...tiles.map((tile) => tile.left)) - box.left,
      right: box.right - Math.max(...tiles.map((tile) => tile.right)),
    };
  });
  expect(fits.square).toBe(true);
  expect(Math.abs(fits.left)).toBeLessThan(1);
  expect(Math.abs(fits.right)).toBeLessThan(1);

  const height = await page.locator('.scroller').evaluate((element) => element.scrollHeight);
  await scroll(page, 0, 9000, 120);
  await noGhosts(console);
  await scroll(page, 9000, 0, 60);
  await scroll(page, 0, height, 40);
  await expect(console.tile(`Many ${String(MANY - 1).padStart(5, '0')}`)).toBeVisible();
  await noGhosts(console);
  await scroll(page, height, 0, 40);
  await noGhosts(console);
  expect(asked.length).toBe(new Set(asked).size);

  await page.setViewportSize({ width: 700, height: 900 });
  await expect(console.tile('Many 00000')).toBeVisible();
  await page.getByLabel('Search images by name').fill(`Many ${String(MANY - 1).padStart(5, '0')}`);
  await expect(console.tiles).toHaveCount(1);
});

test('scrolling a hundred thousand images never asks for a page twice', async ({ console, tenant, page }) => {
  const [sample] = [await tenant.upload(numbered(3), 'Sample')];
  const total = 100_000;
  await page.route(/\/api\/images\?/, (route) => {
    const query = new URL(route.request().url()).searchParams;
    const size = Number(query.get('pageSize'));
    const first = Number(query.get('page')) * size;
    const data = Array.from({ length: Math.min(size, total - first) }, (_, i) => ({
      ...sample,
      id: { entityType: 'TB_RESOURCE', id: `00000000-0000-0000-0000-${String(first + i).padStart(12, '0')}` },
      title: `Picture ${first + i}`,
    }));
    return route.fulfill({ json: { data, totalPages: Math.ceil(total / size), totalElements: total, hasNext: first + size < total } });
  });
  const asked = pagesAsked(page);
  await console.signIn(tenant.account, '/images?mode=grid');
  await expect(page.getByText('100,000 images')).toBeVisible();
  const height = await page.locator('.scroller').evaluate((element) => element.scrollHeight);
  await scroll(page, 0, 40_000, 200);
  await scroll(page, 40_000, 0, 100);
  await scroll(page, 0, height, 60);
  await expect(console.tile('Picture 99999')).toBeVisible();
  await scroll(page, height, height / 2, 60);
  await noGhosts(console);
  await scroll(page, height / 2, height, 30);
  await noGhosts(console);
  expect(asked.length).toBe(new Set(asked).size);
  // Flying past is not looking: far fewer than the thousand pages there are.
  expect(asked.length).toBeLessThan(200);
});

test('the keyboard reaches every image and every action', async ({ console, tenant, page }) => {
  for (let i = 0; i < 30; i++) {
    await tenant.upload(numbered(i), `Key ${String(i).padStart(2, '0')}`);
  }
  await console.signIn(tenant.account, '/images?mode=grid&sort=title&order=ASC');
  await expect(console.tile('Key 00')).toBeVisible();
  await console.tile('Key 00').locator('.open').focus();
  await page.keyboard.press('ArrowRight');
  await expect(console.tile('Key 01').locator('.open')).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(console.tile('Key 07').locator('.open')).toBeFocused();
  await page.keyboard.press('End');
  await expect(console.tile('Key 29').locator('.open')).toBeFocused();
  await page.keyboard.press('Home');
  await expect(console.tile('Key 00').locator('.open')).toBeFocused();
  for (const action of ['Download', 'Export', 'Embed', 'Edit', 'Delete']) {
    await page.keyboard.press('Tab');
    await expect(console.tile('Key 00').getByRole('button', { name: new RegExp(`^${action}`) })).toBeFocused();
  }
  await expect(console.tile('Key 00').locator('.actions')).toHaveCSS('opacity', '1');
  await page.keyboard.press('Enter');
  await expect(console.dialog).toContainText('Delete this image?');
  await page.keyboard.press('Escape');
  await console.closed();
  await console.tile('Key 00').locator('.open').focus();
  await page.keyboard.press('Enter');
  await expect(console.dialog.getByRole('heading', { name: 'Edit image' })).toBeVisible();
  await page.keyboard.press('Escape');
  await console.closed();
  await expect(console.tile('Key 00').locator('.open')).toBeFocused();
});

test('actions come up under the pointer', async ({ console, tenant }) => {
  await tenant.upload(numbered(1), 'Hover');
  await tenant.upload(numbered(2), 'Other');
  await console.signIn(tenant.account, '/images?mode=grid');
  await console.tile('Other').hover();
  await expect(console.tile('Other').locator('.actions')).toHaveCSS('opacity', '1');
  await console.tile('Other').getByRole('button', { name: /^Delete/ }).click();
  await console.dialog.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(console.tiles).toHaveCount(1);
});
