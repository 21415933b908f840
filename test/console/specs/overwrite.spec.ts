// SPDX-License-Identifier: Apache-2.0
import { expect, test } from '../support/console';
import { numbered, png } from '../support/pictures';
import { Client } from '../support/server';

/** What another administrator of the tenant does meanwhile. */
async function replaced(tenant: Client, link: string): Promise<void> {
  const form = new FormData();
  const file = png('theirs.png', 64, 32, [10, 90, 10]);
  form.append('file', new Blob([new Uint8Array(file.buffer)], { type: file.mimeType }), file.name);
  expect((await tenant.fetch(link, { method: 'PUT', body: form })).status).toBe(200);
}

test('a name that another user has changed meanwhile is overwritten only after a question', async ({ console, tenant, page }) => {
  const image = await tenant.upload(numbered(1, 'shared.png'), 'Shared');
  await console.signIn(tenant.account);
  await console.row('Shared').getByRole('button', { name: /^Edit/ }).click();
  await console.pictures(console.dialog);
  await tenant.call('PUT', `${image.link}/info`, { ...image, title: 'Theirs' });
  const name = console.dialog.getByLabel('Name', { exact: true });
  await name.fill('Mine');
  await name.press('Enter');
  await expect(console.dialog).toContainText('Overwrite the change of another user?');
  await expect(console.dialog).toContainText('Theirs');
  await console.dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(name).toHaveValue('Mine');
  expect((await tenant.images())[0].title).toBe('Theirs');
  await tenant.call('PUT', `${image.link}/info`, { ...image, title: 'Theirs again' });
  await console.dialog.getByRole('button', { name: 'Save' }).click();
  await console.dialog.getByRole('button', { name: 'Rename anyway' }).click();
  await expect(page.getByText('Name saved')).toBeVisible();
  expect((await tenant.images())[0].title).toBe('Mine');
});

test('a picture that another user has replaced meanwhile is renamed and replaced only after a question', async ({ console, tenant, page }) => {
  const image = await tenant.upload(numbered(2, 'shared.png'), 'Picture');
  await console.signIn(tenant.account);
  await console.row('Picture').getByRole('button', { name: /^Edit/ }).click();
  await console.pictures(console.dialog);
  await replaced(tenant, image.link);
  await console.dialog.getByLabel('Name', { exact: true }).fill('Renamed');
  await console.dialog.getByRole('button', { name: 'Save' }).click();
  await expect(console.dialog).toContainText('Another user has replaced the picture');
  await console.dialog.getByRole('button', { name: 'Rename anyway' }).click();
  await expect(page.getByText('Name saved')).toBeVisible();
  await expect(console.dialog).toContainText('64×32');

  await console.chooseFiles([png('mine.png', 50, 40, [90, 10, 10])]);
  await tenant.call('DELETE', image.link);
  await console.dialog.getByRole('button', { name: 'Update image' }).click();
  await expect(console.dialog.getByRole('alert')).toContainText('This image has been deleted in the meantime.');
  await page.keyboard.press('Escape');
  await console.closed();

  const second = await tenant.upload(numbered(3, 'second.png'), 'Second');
  await page.getByRole('button', { name: 'Refresh' }).click();
  await console.row('Second').getByRole('button', { name: /^Edit/ }).click();
  await console.pictures(console.dialog);
  await console.chooseFiles([png('mine.png', 50, 40, [90, 10, 10])]);
  await replaced(tenant, second.link);
  await console.dialog.getByRole('button', { name: 'Update image' }).click();
  await expect(console.dialog).toContainText('Another user has replaced this picture.');
  await console.shot('dialog-overwrite');
  await console.dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(console.dialog.getByText('64×32')).toBeVisible();
  expect((await tenant.images())[0].descriptor.width).toBe(64);
  await console.dialog.getByRole('button', { name: 'Update image' }).click();
  await expect(page.getByText('Image updated')).toBeVisible();
  expect((await tenant.images())[0].descriptor.width).toBe(50);
});

test('an import replaces an image with the same key only after a question', async ({ console, tenant, page }) => {
  const image = await tenant.upload(png('plan.png', 40, 30, [9, 9, 90]), 'Plan');
  const exported = await tenant.call('GET', `${image.link}/export`);
  await replaced(tenant, image.link);
  await console.signIn(tenant.account);
  await page.getByRole('button', { name: 'Import from JSON' }).click();
  await console.chooseFiles([{ name: 'plan.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(exported)) }]);
  await console.dialog.getByRole('button', { name: 'Import 1 image' }).click();
  await expect(console.dialog.getByRole('listitem', { name: 'plan.json' })).toContainText('An image with the key of this export exists.');
  expect((await tenant.images())[0].descriptor.width).toBe(64);
  await console.dialog.getByRole('button', { name: 'Replace with plan.json' }).click();
  await console.closed();
  const after = await tenant.images();
  expect(after.map(({ descriptor }) => descriptor.width)).toEqual([40]);
});
