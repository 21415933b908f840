// SPDX-License-Identifier: Apache-2.0
import { Locator, Page } from '@playwright/test';
import { expect, test } from '../support/console';
import { numbered, png, svg } from '../support/pictures';

const box = async (locator: Locator) => {
  const { x, y, width, height } = (await locator.boundingBox())!;
  return [x, y, width, height].map(Math.round);
};

/** The average luminance of the colours of an element's chequer; null where it has none. */
async function chequer(image: Locator): Promise<number | null> {
  return image.evaluate((element) => {
    const colours = [...getComputedStyle(element).backgroundImage.matchAll(/rgb\((\d+), (\d+), (\d+)\)/g)];
    const sum = colours.reduce((total, [, ...rgb]) => total + rgb.reduce((all, value) => all + Number(value) / 765, 0), 0);
    return colours.length > 0 ? sum / colours.length : null;
  });
}

test('pages of accounts have the sizes and spaces of the page of images', async ({ console, tenant, page }) => {
  for (let i = 0; i < 3; i++) {
    await tenant.upload(numbered(i), `Row ${i}`);
    await tenant.call('POST', '/api/customer', { title: `Customer ${i}` });
  }
  for (const width of [1360, 1920, 700]) {
    await page.setViewportSize({ width, height: 860 });
    await console.signIn(tenant.account, '/images?mode=list');
    await expect(console.rows).toHaveCount(3);
    const measure = async () => ({
      card: (await box(page.locator('.g-card'))).slice(0, 1),
      width: (await box(page.locator('.g-card')))[2],
      row: (await box(page.locator('tr.mat-mdc-row').first()))[3],
      search: (await box(page.locator('.g-search'))).slice(3),
      bar: (await box(page.locator('.g-bar'))).slice(0, 2),
      font: await page.locator('tr.mat-mdc-row td').nth(2).evaluate((cell) => [getComputedStyle(cell).fontSize, getComputedStyle(cell).fontFamily]),
    });
    const images = await measure();
    const top = (await box(page.locator('.g-card')))[1];
    await page.goto('/customers');
    await expect(page.locator('tr.mat-mdc-row')).toHaveCount(3);
    expect(await measure(), `${width} px`).toEqual(images);
    // In one row, the bars are equally high as well.
    if (width > 900) {
      expect((await box(page.locator('.g-card')))[1]).toBe(top);
      expect((await box(page.locator('.g-search')))[2]).toBe(300);
    }
  }
});

test('the typeface comes with the console, and nothing comes from elsewhere', async ({ console, tenant, page, baseURL }) => {
  const elsewhere: string[] = [];
  const fonts: string[] = [];
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http') && url.origin !== new URL(baseURL!).origin) {
      elsewhere.push(request.url());
    }
    if (request.resourceType() === 'font') {
      fonts.push(url.pathname);
    }
  });
  await console.signIn(tenant.account);
  await expect(page.getByText('There are no images yet')).toBeVisible();
  await expect.poll(() => page.evaluate(() => document.fonts.check('14px "Inter Variable"') && [...document.fonts].some((font) => font.status === 'loaded'))).toBe(true);
  expect(fonts.length).toBeGreaterThan(0);
  expect(elsewhere).toEqual([]);
  for (const selector of ['body', 'nav a', '.upload', 'h1']) {
    expect(await page.locator(selector).first().evaluate((element) => getComputedStyle(element).fontFamily), selector).toContain('Inter Variable');
  }
  // The font may be passed on with its licence only.
  expect(await (await page.request.get('/inter-font/LICENSE')).text()).toContain('SIL Open Font License');
});

test('a chequer appears with the picture only, dark behind light pictures and light behind dark ones', async ({ console, tenant, page }) => {
  const ring = (colour: string) => `<circle cx="60" cy="40" r="30" fill="none" stroke="${colour}" stroke-width="8"/>`;
  await tenant.upload(svg('white.svg', ring('#ffffff'), 300, 200), 'White lines');
  await tenant.upload(svg('black.svg', ring('#101010'), 300, 200), 'Black lines');
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/preview?*', async (route) => {
    await held;
    await route.continue();
  });
  await console.signIn(tenant.account, '/images?mode=grid');
  const image = (title: string) => console.tile(title).locator('img');
  await expect(image('White lines')).toBeVisible();
  expect(await chequer(image('White lines'))).toBeNull();
  release();
  await console.pictures(page.locator('.surface'));
  await expect.poll(() => chequer(image('White lines'))).toBeLessThan(0.3);
  await expect.poll(() => chequer(image('Black lines'))).toBeGreaterThan(0.7);
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await chequer(image('White lines'))).toBeLessThan(0.3);
  expect(await chequer(image('Black lines'))).toBeGreaterThan(0.7);
  await console.shot('grid-chequer-dark');
  // A picture that cannot be fetched has a stand-in, and no chequer.
  await page.route('**/preview?*', (route) => route.fulfill({ status: 500, json: { status: 500, message: 'no', errorCode: 2, timestamp: 1 } }));
  await page.reload();
  await expect(image('White lines')).toHaveAttribute('src', /^data:/);
  await expect.poll(() => image('White lines').evaluate((element: HTMLImageElement) => element.complete)).toBe(true);
  expect(await chequer(image('White lines'))).toBeNull();
});

test('a small drawing is shown at 60 % of its tile, and every other picture at its size', async ({ console, tenant, page }) => {
  await tenant.upload(svg('wide.svg', '<rect width="24" height="12" fill="teal"/>', 24, 12), 'Wide icon');
  await tenant.upload(svg('tall.svg', '<rect width="12" height="24" fill="teal"/>', 12, 24), 'Tall icon');
  await tenant.upload(svg('large.svg', '<rect width="400" height="400" fill="teal"/>', 400, 400), 'Large drawing');
  await tenant.upload(png('small.png', 24, 12, [0, 90, 90]), 'Small picture');
  await console.signIn(tenant.account, '/images?mode=grid');
  await console.pictures(page.locator('.surface'));
  const share = async (title: string) => {
    const [, , side] = await box(console.tile(title).locator('.open'));
    const [, , width, height] = await box(console.tile(title).locator('img'));
    return [width / side, height / side];
  };
  const near = (values: number[], wanted: number[]) => values.every((value, i) => Math.abs(value - wanted[i]) < 0.02);
  await expect.poll(async () => near(await share('Wide icon'), [0.6, 0.3])).toBe(true);
  expect(near(await share('Tall icon'), [0.3, 0.6])).toBe(true);
  expect(near(await share('Large drawing'), [1, 1])).toBe(true);
  expect((await box(console.tile('Small picture').locator('img'))).slice(2)).toEqual([24, 12]);
  await console.shot('grid-icons');
});

test('while the first images are on their way the grid shows their places', async ({ console, tenant, page }) => {
  await tenant.upload(numbered(1), 'Slow to come');
  const release = await console.signInWithoutImages(tenant.account, '/images?mode=grid');
  await expect(page.locator('g-image-grid .places').locator('.spot').first()).toBeVisible();
  const places = await page.locator('.places .spot').evaluateAll((all) => all.map((one) => one.getBoundingClientRect()).filter(({ top }) => top < innerHeight).length);
  expect(places).toBeGreaterThan(12);
  const place = await box(page.locator('.places .spot').first());
  await console.shot('grid-loading');
  release();
  await expect(console.tile('Slow to come')).toBeVisible();
  await expect(page.locator('.places')).toHaveCount(0);
  expect((await box(console.tile('Slow to come'))).slice(0, 3)).toEqual(place.slice(0, 3));
});

for (const mode of ['list', 'grid'] as const) {
  test(`the ${mode} is fetched again when its tab is looked at again`, async ({ console, tenant, page }) => {
    await tenant.upload(numbered(1), 'Before');
    await console.signIn(tenant.account, `/images?mode=${mode}`);
    const shown = (title: string) => (mode === 'list' ? console.row(title) : console.tile(title));
    await expect(shown('Before')).toBeVisible();
    await tenant.upload(numbered(2), 'Meanwhile');
    await console.returnToTab();
    await expect(shown('Meanwhile')).toBeVisible();
  });
}

test('sizes and numbers read the same in a page from right to left, and names in their own direction', async ({ console, tenant, page }) => {
  await tenant.upload(png('plan.png', 320, 200, [20, 80, 140]), 'תוכנית (1).png');
  await console.signIn(tenant.account, '/images?mode=list');
  await expect(console.rows).toHaveCount(1);
  await page.evaluate(() => (document.documentElement.dir = 'rtl'));
  /** Where the parts of a text are drawn, from left to right. */
  const drawn = (locator: Locator, parts: string[]) =>
    locator.first().evaluate((element, texts) => {
      const node = document.createTreeWalker(element, NodeFilter.SHOW_TEXT).nextNode()!;
      const places = texts.map((text) => {
        const range = document.createRange();
        const at = node.textContent!.indexOf(text);
        range.setStart(node, at);
        range.setEnd(node, at + text.length);
        return range.getBoundingClientRect().left;
      });
      return places.every((left, i) => i === 0 || left > places[i - 1]);
    }, parts);
  await expect(page.locator('.mat-column-resolution bdi')).toHaveText('320×200');
  expect(await drawn(page.locator('.mat-column-resolution bdi'), ['320', '×', '200'])).toBe(true);
  expect(await drawn(page.locator('.mat-column-size bdi'), ['1', 'KB'])).toBe(true);
  expect(await page.locator('.mat-column-size bdi').evaluate((element) => getComputedStyle(element).direction)).toBe('ltr');
  expect(await page.locator('td .name').evaluate((element) => getComputedStyle(element).direction)).toBe('rtl');
  await page.evaluate(() => (document.documentElement.dir = ''));
  expect(await page.locator('td .name').evaluate((element) => getComputedStyle(element).direction)).toBe('rtl');
  await console.mode('Grid');
  await page.evaluate(() => (document.documentElement.dir = 'rtl'));
  await expect(console.tiles).toHaveCount(1);
  expect(await drawn(console.tiles.locator('.data bdi'), ['320', '200', '|', 'KB'])).toBe(true);
  expect(await aside(page)).toBe(false);
  await console.shot('grid-right-to-left');
});

const aside = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);

test.describe('in a contrast theme', () => {
  test.use({ contextOptions: { forcedColors: 'active' } });

  test('what is pressed, selected or current can be told from the rest', async ({ console, tenant, page }) => {
    await tenant.upload(numbered(1), 'One');
    await tenant.upload(numbered(2), 'Two');
    await console.signIn(tenant.account, '/images?mode=list');
    await console.row('One').getByRole('checkbox').check();
    const look = (locator: Locator) =>
      locator.first().evaluate((element) => {
        const style = getComputedStyle(element);
        return [style.backgroundColor, style.outlineStyle, style.outlineWidth, style.borderTopStyle, style.borderTopWidth].join(' ');
      });
    expect(await look(console.row('One'))).not.toBe(await look(console.row('Two')));
    expect(await look(page.getByRole('button', { name: 'List', exact: true }))).not.toBe(await look(page.getByRole('button', { name: 'Grid', exact: true })));
    expect(await look(page.locator('nav a.here'))).not.toBe(await look(page.locator('nav a:not(.here)')));
    await console.shot('list-selected-contrast');
    await console.mode('Grid');
    await expect(console.tile('One').getByRole('checkbox')).toBeChecked();
    expect(await look(console.tile('One').locator('.open'))).not.toBe(await look(console.tile('Two').locator('.open')));
    expect(await look(console.tile('One').getByRole('checkbox'))).not.toBe(await look(console.tile('Two').getByRole('checkbox')));
    await console.shot('grid-selected-contrast');
  });
});
