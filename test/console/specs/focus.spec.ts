// SPDX-License-Identifier: Apache-2.0
import { expect, test } from '../support/console';
import { numbered } from '../support/pictures';

test('the keyboard stays where it is when the list is fetched again, and in the list when its row goes', async ({ console, tenant, page }) => {
  for (const title of ['One', 'Two', 'Three']) {
    await tenant.upload(numbered(title.length, `${title}.png`), title);
  }
  await console.signIn(tenant.account, '/images?mode=list');
  await expect(console.rows).toHaveCount(3);
  const edit = console.row('Two').getByRole('button', { name: /^Edit/ });
  await edit.focus();
  await tenant.upload(numbered(9), 'Four');
  // As when an upload ends, but with the keyboard elsewhere.
  await page.getByRole('button', { name: 'Refresh' }).dispatchEvent('click');
  await expect(console.rows).toHaveCount(4);
  await expect(edit).toBeFocused();

  await console.row('One').getByRole('button', { name: /^Delete/ }).press('Enter');
  // While the dialog opens, it moves the focus to its first button.
  await console.atRest();
  await console.dialog.getByRole('button', { name: 'Delete', exact: true }).press('Enter');
  await expect(console.rows).toHaveCount(3);
  await expect(page.locator('g-image-list .card')).toBeFocused();

  await console.row('Two').getByRole('checkbox').press('Space');
  await page.getByRole('button', { name: 'Clear', exact: true }).press('Enter');
  await expect(page.locator('g-image-list .card')).toBeFocused();
  await console.row('Two').getByRole('checkbox').press('Space');
  await page.getByRole('button', { name: 'Delete', exact: true }).press('Enter');
  await console.atRest();
  await console.dialog.getByRole('button', { name: 'Delete', exact: true }).press('Enter');
  await expect(console.rows).toHaveCount(2);
  await expect(page.locator('g-image-list .card')).toBeFocused();
});

test('the keyboard stays in the table of accounts when a row goes', async ({ console, tenant, page }) => {
  for (const title of ['Harbour', 'Quarry']) {
    await tenant.call('POST', '/api/customer', { title });
  }
  await console.signIn(tenant.account, '/customers');
  await page.getByRole('button', { name: 'Actions for Quarry' }).press('Enter');
  await page.getByRole('menuitem', { name: 'Delete' }).press('Enter');
  await console.dialog.getByRole('button', { name: 'Delete customer' }).press('Enter');
  await expect(page.getByText('Quarry', { exact: true })).toHaveCount(0);
  await expect(page.locator('g-records .card')).toBeFocused();
});

test('the keyboard stays in the edit dialog when the button that was used goes away', async ({ console, tenant, page }) => {
  await tenant.upload(numbered(1), 'Focused');
  await console.signIn(tenant.account);
  await console.row('Focused').getByRole('button', { name: /^Edit/ }).press('Enter');
  await console.pictures(console.dialog);
  const name = console.dialog.getByLabel('Name', { exact: true });
  await name.fill('Other');
  await console.dialog.getByRole('button', { name: 'Undo' }).press('Enter');
  await expect(name).toBeFocused();
  await name.fill('Renamed');
  await console.dialog.getByRole('button', { name: 'Save' }).press('Enter');
  await expect(page.getByText('Name saved')).toBeVisible();
  await expect(name).toBeFocused();

  await console.dialog.getByRole('button', { name: 'Update image' }).focus();
  await console.chooseFiles([{ name: 'bad.png', mimeType: 'image/png', buffer: Buffer.from('words') }]);
  await expect(console.dialog.getByText('After the update')).toBeVisible();
  await expect(console.dialog).toBeFocused();
  await console.dialog.getByRole('button', { name: 'Update image' }).press('Enter');
  await expect(console.dialog.getByRole('alert')).toBeVisible();
  await expect(console.dialog).toBeFocused();
  await console.dialog.getByRole('button', { name: 'Discard' }).press('Enter');
  await expect(name).toBeVisible();
  await expect(console.dialog).toBeFocused();
  // The picture that was refused is forgotten, and so is why.
  await expect(console.dialog.getByRole('alert')).toHaveCount(0);

  await console.chooseFiles([numbered(2, 'good.png')]);
  await console.dialog.getByRole('button', { name: 'Update image' }).press('Enter');
  await expect(page.getByText('Image updated')).toBeVisible();
  await expect(console.dialog).toBeFocused();
});

test('a dialog takes the focus at once, and not from a field in which the user types already', async ({ console, tenant, page }) => {
  await page.clock.install();
  await console.signIn(tenant.account, '/customers');
  await expect(page.getByText('There are no customers yet.')).toBeVisible();
  await page.clock.pauseAt(Date.now() + 3_600_000);
  await page.getByRole('button', { name: 'Add customer' }).click();
  await expect(page.locator('mat-dialog-container')).toHaveCount(1);
  // Long enough to draw the dialog, and shorter than its animation.
  await page.clock.runFor(60);
  await expect(console.dialog.getByLabel('Name', { exact: true })).toBeFocused();
  await console.dialog.getByLabel('Phone').focus();
  await page.clock.runFor(1000);
  await expect(console.dialog.getByLabel('Phone')).toBeFocused();
});
