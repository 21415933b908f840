// SPDX-License-Identifier: Apache-2.0
import { Page } from '@playwright/test';
import { Console, expect, test } from '../support/console';
import { numbered } from '../support/pictures';
import { Client } from '../support/server';

// Enough for many pages. How a hundred times as many scroll is tested below, with a list that the test answers.
const MANY = Number(process.env.CONSOLE_MANY ?? 1200);
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

test(`the grid over ${MANY} images on the server: only what is in sight is drawn, to the very end, and no page is asked for twice`, async ({ console, tenant, page }) => {
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
  process.stdout.write(`    ${MANY} images: ${asked.length} pages of ${Math.ceil(MANY / 100)} asked for\n`);

  await page.setViewportSize({ width: 700, height: 900 });
  await expect(console.tile('Many 00000')).toBeVisible();
  await page.getByLabel('Search images by name').fill(`Many ${String(MANY - 1).padStart(5, '0')}`);
  await expect(console.tiles).toHaveCount(1);
});

test('squares fill the width at every size of window, and the image on top stays on top', async ({ console, tenant, page }) => {
  for (let i = 0; i < 60; i++) {
    await tenant.upload(numbered(i), `Fit ${String(i).padStart(2, '0')}`);
  }
  await console.signIn(tenant.account, '/images?mode=grid&sort=title&order=ASC');
  await expect(console.tile('Fit 00')).toBeVisible();
  const fit = () =>
    page.locator('.surface').evaluate((surface) => {
      const box = surface.getBoundingClientRect();
      const tiles = [...surface.querySelectorAll('.tile .open')].map((tile) => tile.getBoundingClientRect());
      const gaps = tiles.slice(1).map((tile, i) => (tile.top === tiles[i].top ? tile.left - tiles[i].right : null));
      const off = [
        ...tiles.map((tile) => tile.width - tile.height),
        Math.min(...tiles.map((tile) => tile.left)) - box.left,
        box.right - Math.max(...tiles.map((tile) => tile.right)),
      ];
      return {
        exact: tiles.length > 0 && off.every((difference) => Math.abs(difference) < 1),
        columns: new Set(tiles.map((tile) => Math.round(tile.left))).size,
        apart: gaps.every((gap) => gap === null || gap > 8),
        aside: document.documentElement.scrollWidth > innerWidth || surface.parentElement!.scrollWidth > surface.parentElement!.clientWidth,
      };
    });
  const columns: number[] = [];
  for (const width of [320, 390, 500, 700, 860, 1024, 1360, 1920, 2560]) {
    await page.setViewportSize({ width, height: 860 });
    await expect.poll(async () => (await fit()).exact, `${width} px`).toBe(true);
    const { columns: count, apart, aside } = await fit();
    expect({ apart, aside }, `${width} px`).toEqual({ apart: true, aside: false });
    columns.push(count);
  }
  expect(columns[0]).toBeGreaterThan(1);
  expect(columns).toEqual([...columns].sort((a, b) => a - b));

  await page.setViewportSize({ width: 1360, height: 500 });
  // The keys go from row to row, so the rows have to be those of this width.
  await expect.poll(async () => (await fit()).columns).toBe(6);
  await console.tile('Fit 00').locator('.open').focus();
  for (let i = 0; i < 5; i++) {
    await page.keyboard.press('ArrowDown');
  }
  await expect(console.tile('Fit 30').locator('.open')).toBeFocused();
  await page.setViewportSize({ width: 700, height: 500 });
  await expect(console.tile('Fit 30').locator('.open')).toBeInViewport();
});

test('scrolling a hundred thousand images never asks for a page twice, nor for pictures that fly by', async ({ console, tenant, page }) => {
  const file = numbered(3);
  const sample = await tenant.upload(file, 'Sample');
  const total = 100_000;
  await page.route(/\/api\/images\?/, (route) => {
    const query = new URL(route.request().url()).searchParams;
    const size = Number(query.get('pageSize'));
    const first = Number(query.get('page')) * size;
    const data = Array.from({ length: Math.min(size, total - first) }, (_, i) => ({
      ...sample,
      id: { entityType: 'TB_RESOURCE', id: `00000000-0000-0000-0000-${String(first + i).padStart(12, '0')}` },
      title: `Picture ${first + i}`,
      resourceKey: `picture-${first + i}.png`,
    }));
    return route.fulfill({ json: { data, totalPages: Math.ceil(total / size), totalElements: total, hasNext: first + size < total } });
  });
  const asked = pagesAsked(page);
  let previews = 0;
  await page.route('**/preview?*', (route) => {
    previews += 1;
    return route.fulfill({ contentType: 'image/png', body: file.buffer });
  });
  await console.signIn(tenant.account, '/images?mode=grid');
  await expect(page.getByText('100,000 images')).toBeVisible();
  const height = await page.locator('.scroller').evaluate((element) => element.scrollHeight);
  await scroll(page, 0, 40_000, 200);
  await scroll(page, 40_000, 0, 100);
  await console.pictures(page.locator('.surface'));
  const before = previews;
  await scroll(page, 0, height, 60);
  await expect(console.tile('Picture 99999')).toBeVisible();
  await console.pictures(page.locator('.surface'));
  // Those at rest at the end, and the few that were drawn before it was clear how fast this would be.
  expect(previews - before).toBeLessThan(300);
  await scroll(page, height, height / 2, 60);
  await noGhosts(console);
  await scroll(page, height / 2, height, 30);
  await noGhosts(console);
  expect(asked.length).toBe(new Set(asked).size);
  process.stdout.write(`    ${total} images: ${asked.length} pages of ${total / 100} asked for\n`);
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
