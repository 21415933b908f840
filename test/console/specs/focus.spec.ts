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
  await console.dialog.getByRole('button', { name: 'Delete', exact: true }).press('Enter');
  await expect(console.rows).toHaveCount(3);
  await expect(page.locator('g-image-list .card')).toBeFocused();

  await console.row('Two').getByRole('checkbox').press('Space');
  await page.getByRole('button', { name: 'Clear', exact: true }).press('Enter');
  await expect(page.locator('g-image-list .card')).toBeFocused();
  await console.row('Two').getByRole('checkbox').press('Space');
  await page.getByRole('button', { name: 'Delete', exact: true }).press('Enter');
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
