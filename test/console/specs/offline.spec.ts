import { expect, test } from '../support/console';
import { numbered } from '../support/pictures';

test('offline is said, nothing is lost, and on return everything goes on by itself', async ({ console, tenant, page, context }) => {
  await tenant.upload(numbered(1), 'There before');
  await console.signIn(tenant.account, '/images?mode=grid');
  await expect(console.tile('There before')).toBeVisible();
  await page.getByRole('button', { name: 'Upload images' }).click();
  await console.chooseFiles([numbered(2, 'meanwhile.png')]);
  await expect(console.dialog.locator('li')).toHaveCount(1);

  await context.setOffline(true);
  await expect(page.getByText('No connection to the server.')).toBeVisible();
  await console.shot('offline');
  await console.dialog.getByRole('button', { name: 'Upload 1 image' }).click();
  await expect(console.dialog.locator('li')).toContainText('waiting');
  await console.dialog.getByRole('button', { name: 'Continue in background' }).click();
  await expect(console.tile('There before')).toBeVisible();
  await page.getByRole('button', { name: 'Refresh' }).click();
  await expect(page.getByRole('alert')).toContainText('The server cannot be reached.');
  await expect(console.tile('There before')).toBeVisible();

  await context.setOffline(false);
  await expect(page.getByText('No connection to the server.')).toHaveCount(0);
  await expect(console.tile('meanwhile.png')).toBeVisible();
  await expect(page.getByRole('alert')).toHaveCount(0);
  await console.pictures(page.locator('.surface'));
});
