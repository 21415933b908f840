// SPDX-License-Identifier: Apache-2.0
import { AddressInfo } from 'node:net';
import { createServer } from 'node:http';

import { expect, test } from '../support/console';
import { png } from '../support/pictures';
import { BASE } from '../support/server';

// A dashboard on another origin uses the API and shows public pictures, as a browser allows it.

test('a page of another origin logs in, lists, uploads, reads and draws pictures', async ({ tenant, page }) => {
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><title>dashboard</title>');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(origin).not.toBe(new URL(BASE).origin);
    await page.goto(origin);
    const picture = png('of another page.png', 24, 16, [200, 30, 60]);
    const seen = await page.evaluate(
      async ({ base, account, bytes }) => {
        const json = { 'Content-Type': 'application/json' };
        const call = (path: string, init: RequestInit = {}) => fetch(base + path, init);
        const login = await call('/api/auth/login', {
          method: 'POST',
          headers: json,
          body: JSON.stringify({ username: account.email, password: account.password }),
        });
        const token = { 'X-Authorization': `Bearer ${(await login.json()).token}` };

        const form = new FormData();
        form.append('title', 'Of another page');
        form.append('file', new Blob([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))]), 'of another page.png');
        const uploaded = await call('/api/image', { method: 'POST', headers: token, body: form });
        const info = await uploaded.json();
        const listed = await (await call('/api/images?pageSize=10&page=0', { headers: token })).json();
        const renamed = await call(`/api/images/tenant/${encodeURIComponent(info.resourceKey)}/info`, {
          method: 'PUT',
          headers: { ...token, ...json, 'If-Match': `"${info.etag}"` },
          body: JSON.stringify({ ...info, title: 'Renamed' }),
        });

        const path = `/api/images/tenant/${encodeURIComponent(info.resourceKey)}`;
        const original = await call(path, { headers: { Authorization: token['X-Authorization'] } });
        const size = (await original.arrayBuffer()).byteLength;
        const again = await call(path, { headers: { ...token, 'If-None-Match': original.headers.get('ETag')! } });
        const missing = await call('/api/images/tenant/nothing.png', { headers: token });
        const refused = await call(path);
        const open = await call(info.publicLink);

        const load = (crossOrigin: string | null) =>
          new Promise<HTMLImageElement>((done, failed) => {
            const image = new Image();
            image.crossOrigin = crossOrigin;
            image.onload = () => done(image);
            image.onerror = () => failed(new Error(`the picture does not load with crossorigin ${crossOrigin}`));
            image.src = base + info.publicLink;
          });
        // First without CORS, so that the copy in the browser's cache is of a request without Origin.
        await load(null);
        const image = await load('anonymous');
        const canvas = document.createElement('canvas');
        canvas.width = image.naturalWidth;
        canvas.height = image.naturalHeight;
        const context = canvas.getContext('2d')!;
        context.drawImage(image, 0, 0);
        return {
          statuses: [login, uploaded, renamed, original, again, missing, refused, open].map(({ status }) => status),
          titles: listed.data.map(({ title }: { title: string }) => title),
          size,
          headers: ['ETag', 'x-filename', 'Content-Disposition'].map((name) => original.headers.get(name)),
          hidden: original.headers.get('Content-Security-Policy'),
          openName: open.headers.get('x-filename'),
          message: (await missing.json()).message as string,
          pixel: [...context.getImageData(0, 0, 1, 1).data],
          etag: info.etag as string,
        };
      },
      { base: BASE, account: tenant.account, bytes: picture.buffer.toString('base64') },
    );
    expect(seen.statuses).toEqual([200, 200, 200, 200, 304, 404, 401, 200]);
    expect(seen.titles).toContain('Of another page');
    expect(seen.size).toBe(picture.buffer.length);
    expect(seen.headers).toEqual([`"${seen.etag}"`, 'of another page.png', 'attachment; filename="of another page.png"']);
    expect(seen.hidden).toBeNull();
    expect(seen.openName).toBe('of another page.png');
    expect(seen.message).toContain('nothing.png');
    expect(seen.pixel).toEqual([200, 30, 60, 255]);
  } finally {
    server.close();
  }
});
