// SPDX-License-Identifier: Apache-2.0
import { IncomingMessage, Server, createServer, request } from 'node:http';
import { AddressInfo } from 'node:net';
import { Console, expect, test } from '../support/console';
import { numbered, png } from '../support/pictures';
import { BASE, newTenant } from '../support/server';

const PREFIX = '/pictures/gallery';

/** A front end that shows the server under a path, which it cuts off and names in X-Forwarded-Prefix. */
function frontEnd(stray: string[]): Server {
  return createServer((incoming: IncomingMessage, answer) => {
    const path = incoming.url ?? '';
    if (!path.startsWith(`${PREFIX}/`)) {
      stray.push(path);
      answer.writeHead(404).end();
      return;
    }
    const { host, ...headers } = incoming.headers;
    const sent = request(BASE + path.slice(PREFIX.length), {
      method: incoming.method,
      headers: { ...headers, host: new URL(BASE).host, 'accept-encoding': 'identity', 'x-forwarded-prefix': PREFIX, 'x-forwarded-host': host, 'x-forwarded-proto': 'http' },
    });
    sent.on('response', (received) => {
      answer.writeHead(received.statusCode!, received.headers);
      received.pipe(answer);
    });
    sent.on('error', () => answer.destroy());
    incoming.pipe(sent);
  });
}

test('under a path of its host the console works as at the root, and asks for nothing outside of it', async ({ browser }) => {
  const stray: string[] = [];
  const server = frontEnd(stray);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const context = await browser.newContext({ locale: 'en-US' });
  try {
    const tenant = await newTenant();
    const image = await tenant.upload(png('a plan 100%#1.png', 80, 60, [20, 80, 140]), 'Plan');
    const page = await context.newPage();
    const console = new Console(page);
    const failed: string[] = [];
    page.on('response', (response) => response.status() >= 400 && failed.push(`${response.status()} ${response.url()}`));

    // Where nobody is signed in yet, a deep link leads to the form and from there to where it points.
    await console.signInByForm(tenant.account, `${origin}${PREFIX}/images?mode=grid&search=plan`);
    await expect(page).toHaveURL(`${origin}${PREFIX}/images?mode=grid&search=plan`);
    await console.pictures(page.locator('.surface'));
    await console.tile('Plan').locator('.open').click();
    await console.pictures(console.dialog);
    await console.dialog.getByRole('button', { name: 'Embed' }).click();
    await console.dialog.getByRole('radio', { name: 'Plain HTML' }).click();
    await expect(console.dialog.locator('[data-test=snippet]')).toContainText('/api/images/public/');
    const snippet = (await console.dialog.locator('[data-test=snippet]').textContent()) ?? '';
    expect(snippet).toContain(`src="${PREFIX}/api/images/public/`);
    const shown = await page.evaluate(async (html) => {
      const picture = new DOMParser().parseFromString(html, 'text/html').querySelector('img')!;
      const img = new Image();
      img.src = picture.getAttribute('src')!;
      await img.decode();
      return [img.naturalWidth, img.naturalHeight];
    }, snippet);
    expect(shown).toEqual([80, 60]);
    const address = (await console.dialog.locator('pre[aria-label="Public address"]').textContent()) ?? '';
    expect(address.startsWith(`${origin}${PREFIX}/api/images/public/`)).toBe(true);
    expect((await fetch(address)).status).toBe(200);
    await console.dialog.getByRole('button', { name: 'Done' }).click();
    await console.dialog.getByRole('button', { name: 'Close', exact: true }).click();
    await console.closed();

    await page.getByRole('button', { name: 'Upload images' }).first().click();
    await console.chooseFiles([numbered(3, 'sent plan.png')]);
    await console.dialog.getByRole('button', { name: 'Upload 1 image' }).click();
    await expect(console.tiles).toHaveCount(2);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      (async () => {
        await console.tile('Plan').hover();
        await console.tile('Plan').getByRole('button', { name: /^Download/ }).click();
      })(),
    ]);
    expect(download.suggestedFilename()).toBe('a plan 100%#1.png');

    for (const [name, path] of [['Customers', 'customers'], ['Users', 'users'], ['API keys', 'api-keys'], ['Images', 'images']]) {
      await page.getByRole('navigation').getByRole('link', { name }).click();
      await expect(page).toHaveURL(new RegExp(`^${origin}${PREFIX}/${path}`));
    }
    await page.reload();
    await expect(page.getByRole('button', { name: /^Account of/ })).toBeVisible();
    await page.goto(`${origin}${PREFIX}/users`);
    await expect(page.getByText(tenant.account.email)).toBeVisible();
    await page.goto(`${origin}${PREFIX}/login/createPassword?activateToken=x`);
    await expect(page.getByLabel('New password again')).toBeVisible();
    await page.goto(`${origin}${PREFIX}/`);
    await expect(page).toHaveURL(new RegExp(`^${origin}${PREFIX}/images`));
    expect(failed).toEqual([]);

    // An ended session is noticed, and the way back leads to the same place.
    await (await tenant.fetch('/api/auth/logout?everywhere=true', { method: 'POST' })).text();
    await page.goto(`${origin}${PREFIX}/api-keys`);
    await expect(page).toHaveURL(`${origin}${PREFIX}/login?to=%2Fapi-keys`);
    await console.signInByForm(tenant.account, `${origin}${PREFIX}/api-keys`);
    await expect(page).toHaveURL(`${origin}${PREFIX}/api-keys`);
    expect(Object.keys(await page.evaluate(() => ({ ...localStorage })))).toContain(`gallery.session${PREFIX}`);
    expect(stray.filter((path) => path !== '/favicon.ico')).toEqual([]);
    expect(image.publicLink).toContain('/api/images/public/');
  } finally {
    await context.close();
    server.close();
  }
});
