// SPDX-License-Identifier: Apache-2.0
import { Page } from '@playwright/test';
import { expect, test } from '../support/console';
import { mirrors, playMirror } from '../support/mirror';
import { numbered } from '../support/pictures';
import { sysadmin, systemAdministrator } from '../support/server';

const MIRROR = '/api/system/mirror';

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const state = (page: Page) => page.locator('section h2');
const fact = (page: Page, name: string) => page.locator('dl > div').filter({ has: page.locator('dt').getByText(name, { exact: true }) }).locator('dd');

/** The server has one mirror. This is the only test that uses it; all others play one. */
test('a mirror is started, follows, is verified, stopped and forgotten', async ({ console, tenant, page }) => {
  const admin = await systemAdministrator();
  if ((await admin.call('GET', MIRROR)).state !== 'none') {
    await admin.call('POST', `${MIRROR}/stop`, { abandon: true });
    await admin.call('DELETE', MIRROR);
  }
  for (let i = 0; i < 5; i++) {
    await tenant.upload(numbered(i), `Mirrored ${i}`);
  }
  const folder = `console-mirror-${Date.now().toString(36)}`;
  await console.signIn(sysadmin);
  await page.getByRole('navigation').getByRole('link', { name: 'Mirror' }).click();
  await expect(page).toHaveTitle('Mirror · Gallery');
  await expect(state(page)).toHaveText('No mirror');

  await button(page, 'Start mirror').click();
  const start = console.dialog.getByRole('button', { name: 'Start mirror' });
  await expect(start).toBeDisabled();
  await console.dialog.getByRole('combobox', { name: 'Engine' }).click();
  await page.getByRole('option', { name: /^filesystem/ }).click();
  await console.dialog.getByLabel('Folder').fill(`/${folder}`);
  await start.click();
  await expect(console.dialog.getByRole('alert')).toContainText('a mirror may not be in');
  await console.dialog.getByLabel('Folder').fill(folder);
  await start.click();
  await console.closed();
  await expect(state(page)).toHaveText('Following');
  await expect(fact(page, 'Mirror')).toHaveText(new RegExp(`^filesystem:/.*/${folder}$`));
  await expect(fact(page, 'Copied')).toContainText('image');

  // What is written now is in it, without a reload.
  await expect(fact(page, 'Lag')).toHaveText('None');
  const before = (await admin.call('GET', MIRROR)).revision;
  await tenant.upload(numbered(9), 'Followed');
  await expect.poll(async () => Number((await fact(page, 'Revision').textContent())!.replace(/\D/g, ''))).toBeGreaterThan(before);

  await button(page, 'Verify').click();
  await expect(console.dialog).toContainText('All images of both stores are read and compared');
  await console.dialog.getByRole('button', { name: 'Verify' }).click();
  await expect(page.getByRole('region', { name: 'Last verification' })).toContainText('the same in both stores');

  await button(page, 'Stop').click();
  await expect(console.dialog).toContainText('Writes wait for less than a second');
  await console.dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(state(page)).toHaveText('Following');
  await button(page, 'Stop').click();
  await console.dialog.getByRole('button', { name: 'Stop mirror' }).click();
  await expect(state(page)).toHaveText('Complete');
  const { completed } = await admin.call('GET', MIRROR);
  await expect(page.getByRole('region', { name: 'Complete copy' })).toContainText(`${completed.images.toLocaleString('en-US')} images`);

  // Started again in the same place, as suggested, and ended at once.
  await button(page, 'Start again').click();
  await expect(console.dialog.getByLabel('Folder')).toHaveValue(new RegExp(`/${folder}$`));
  await console.dialog.getByRole('button', { name: 'Start mirror' }).click();
  await expect(state(page)).toHaveText('Following');
  await button(page, 'Abandon').click();
  await expect(console.dialog).toContainText('It ends at once and is not complete');
  await console.dialog.getByRole('button', { name: 'Abandon mirror' }).click();
  await expect(state(page)).toHaveText('Abandoned');
  await button(page, 'Forget').click();
  await expect(console.dialog).toContainText('is not changed');
  await console.dialog.getByRole('button', { name: 'Forget mirror' }).click();
  await expect(state(page)).toHaveText('No mirror');
  expect((await admin.call('GET', MIRROR)).state).toBe('none');
});

test('only system administrators see the mirror', async ({ console, tenant, page }) => {
  await console.signIn(tenant.account, '/mirror');
  await expect(page).toHaveURL(/\/images\?mode=list$/);
  await expect(page.getByRole('navigation').getByRole('link', { name: 'Users' })).toBeVisible();
  await expect(page.getByRole('navigation').getByRole('link', { name: 'Mirror' })).toHaveCount(0);
  expect((await tenant.fetch(MIRROR)).status).toBe(403);
});

test('progress, lag, damage and results are shown', async ({ console, page }) => {
  const played = await playMirror(page, mirrors.copying);
  await console.signIn(sysadmin, '/mirror');
  await expect(state(page)).toHaveText('Copying');
  await expect(page.getByRole('progressbar', { name: 'Copying' })).toHaveAttribute('aria-valuenow', '20');
  await expect(page.locator('.progress')).toContainText('3,000 of 12,000 images');
  await expect(page.locator('.progress')).toContainText('954 MB of 4.7 GB');
  await expect(page.locator('.progress')).not.toContainText('left');
  await expect(fact(page, 'Store of the server')).toHaveText('rocksdb:/var/lib/gallery/rocksdb');
  await expect(fact(page, 'Mirror')).toHaveText('filesystem:/backup/gallery/mirror');
  // Rate and time left follow from what was done since.
  played.now = { ...mirrors.copying, images: { done: 4_000, total: 12_000 }, bytes: { done: 1_100_000_000, total: 5_000_000_000 } };
  await expect(page.locator('.progress')).toContainText(/ MB\/s/);
  await expect(page.locator('.progress')).toContainText(/about \d+ (second|minute)s? left/);

  played.now = mirrors.following;
  await expect(state(page)).toHaveText('Following');
  await expect(page.getByRole('progressbar')).toHaveCount(0);
  await expect(fact(page, 'Lag')).toHaveText('3 revisions, 0.4 s');
  await expect(page.getByRole('region', { name: 'Last verification' })).toContainText('12,000 images are the same in both stores.');
  await expect(page.getByRole('region', { name: 'Last verification' }).getByRole('listitem')).toHaveText(['the preview of the image “Harbour” differed']);

  const shows = async (now: object, title: string, ...texts: string[]) => {
    played.now = now;
    await console.returnToTab();
    await expect(state(page)).toHaveText(title);
    for (const text of texts) {
      await expect(page.locator('.card')).toContainText(text);
    }
    // What a screen reader says contains no figures that change all the time.
    await expect(page.locator('.g-unseen[role=status]')).toContainText(`${title}.`);
  };
  await shows(mirrors.damaged, 'Following', '2 items cannot be read from the store');
  await expect(page.getByRole('region', { name: 'Damaged items' }).getByRole('listitem')).toHaveText(mirrors.damaged.damaged);
  await shows(mirrors.verifying, 'Verifying', '600 of 12,000 images');
  await shows(mirrors.switching, 'Switching');
  await expect(page.locator('.actions').getByRole('button')).toHaveCount(0);
  await shows(mirrors.retrying, 'Failed, retrying', 'no space left on device', 'Mar 3, 2026');
  await shows(mirrors.failed, 'Failed', 'no space left on device', 'Backup');
  await shows(mirrors.complete, 'Complete', '12,000 images, 12 kept versions, 4.7 GB, as of revision 48,112');
  await shows({ ...mirrors.complete, completed: { ...mirrors.complete.completed, damaged: 1 } }, 'Complete', '1 item is missing, because the store could not return it.');
  await shows(mirrors.abandoned, 'Abandoned');
  const lastSwitch = { time: mirrors.following.currentTime, from: { engine: 'rocksdb', path: '/old' }, heldMilliseconds: 1234 };
  await shows({ ...mirrors.following, lastSwitch, backupTime: lastSwitch.time }, 'Following', 'Mar 3, 2026, 12:30 PM, from rocksdb:/old. Writes waited for 1,234 ms at most.', 'Last backup');
  await shows(mirrors.none, 'No mirror');
});

test('each command asks first, is sent once, and is offered only when it can be executed', async ({ console, page }) => {
  const played = await playMirror(page, mirrors.none);
  await console.signIn(sysadmin, '/mirror');
  const offers = async (now: object, ...names: string[]) => {
    played.now = now;
    await console.returnToTab();
    await expect(page.locator('.actions').getByRole('button')).toHaveText(names);
  };
  await offers(mirrors.none, 'Start mirror');
  await offers(mirrors.copying, 'Abandon');
  await offers(mirrors.following, 'Switch', 'Verify', 'Stop', 'Abandon');
  await offers({ ...mirrors.following, canSwitch: false }, 'Verify', 'Stop', 'Abandon');
  await offers({ ...mirrors.following, canSwitch: undefined }, 'Verify', 'Stop', 'Abandon');
  await offers(mirrors.verifying, 'Stop', 'Abandon');
  await offers({ ...mirrors.following, canSwitch: false, stopping: true }, 'Abandon');
  await offers({ ...mirrors.following, canSwitch: false, backup: true }, 'Abandon');
  await offers(mirrors.retrying, 'Abandon');
  await offers(mirrors.failed, 'Start again', 'Forget');
  await offers(mirrors.complete, 'Start again', 'Forget');

  const sends = async (now: object, action: string, confirm: string, text: string, name: string, body: unknown) => {
    await offers(now, ...(await names(now)));
    played.commands.length = 0;
    await button(page, action).click();
    await expect(console.dialog).toContainText(text);
    await page.keyboard.press('Escape');
    await console.closed();
    await expect(button(page, action)).toBeFocused();
    expect(played.commands).toEqual([]);
    await button(page, action).click();
    await console.dialog.getByRole('button', { name: confirm, exact: true }).click();
    await console.closed();
    await expect.poll(() => played.commands).toEqual([{ name, body }]);
  };
  const names = async (now: object) =>
    now === mirrors.following ? ['Switch', 'Verify', 'Stop', 'Abandon'] : ['Start again', 'Forget'];
  await sends(mirrors.following, 'Switch', 'Switch', 'filesystem:/backup/gallery/mirror becomes the store of the server, also after a restart. rocksdb:/var/lib/gallery/rocksdb then follows', 'switch', {});
  await sends(mirrors.following, 'Verify', 'Verify', 'Differences are repaired in the mirror', 'verify', null);
  await sends(mirrors.following, 'Stop', 'Stop mirror', 'is a complete store as of that moment', 'stop', { abandon: false });
  await sends(mirrors.following, 'Abandon', 'Abandon mirror', 'no server starts on filesystem:/backup/gallery/mirror', 'stop', { abandon: true });
  await sends(mirrors.complete, 'Forget', 'Forget mirror', 'The store filesystem:/backup/gallery/mirror is not changed.', 'forget', null);
  await expect(page.getByText('Forgotten. Its store was not changed.')).toBeVisible();

  // The server's own sentence is not repeated.
  await offers(mirrors.following, 'Switch', 'Verify', 'Stop', 'Abandon');
  const unchanged = 'The store was not switched, and nothing has changed: the last changes took too long.';
  await page.route(`**${MIRROR}/switch`, (route) => route.fulfill({ status: 400, json: { status: 400, message: unchanged, errorCode: 31, timestamp: 1 } }));
  await button(page, 'Switch').click();
  await console.dialog.getByRole('button', { name: 'Switch' }).click();
  await expect(page.locator('mat-snack-bar-container .mat-mdc-snack-bar-label').last()).toHaveText(unchanged);

  // A refusal is said, and the keyboard stays in the page when its button has gone.
  await offers(mirrors.following, 'Switch', 'Verify', 'Stop', 'Abandon');
  await button(page, 'Verify').click();
  played.now = mirrors.switching;
  await page.route(`**${MIRROR}/verify`, (route) => route.fulfill({ status: 400, json: { status: 400, message: 'A verification is in progress.', errorCode: 31, timestamp: 1 } }));
  await console.dialog.getByRole('button', { name: 'Verify' }).click();
  await expect(page.locator('mat-snack-bar-container').last()).toContainText('The mirror was not verified: A verification is in progress.');
  await expect(state(page)).toHaveText('Switching');
  await expect(page.locator('.card')).toBeFocused();
});

test('the state is fetched while the tab is visible and the server can be reached, and not otherwise', async ({ console, page, context }) => {
  await page.clock.install();
  const played = await playMirror(page, mirrors.copying);
  await console.signIn(sysadmin, '/mirror');
  await expect(state(page)).toHaveText('Copying');
  const tab = (visibility: string) =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'visibilityState', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, visibility);
  /** Lets this time pass for the page, and returns how many requests it sent and how many seconds it saw pass. */
  const pass = async (seconds: number) => {
    const answered = () => page.evaluate(() => fetch('/favicon.svg').then((answer) => answer.text()).then(() => performance.now()));
    const began = await answered();
    const before = played.polls;
    let now = began;
    for (let i = 0; i < seconds; i++) {
      await page.clock.runFor(1000);
      now = await answered();
    }
    return { polls: played.polls - before, seconds: (now - began) / 1000 };
  };
  // Quickly while the figures change, seldom otherwise.
  const quick = await pass(20);
  expect(quick.polls).toBeGreaterThan(10);
  expect(quick.polls).toBeLessThanOrEqual(quick.seconds + 1);
  played.now = mirrors.following;
  await page.clock.runFor(2000);
  await expect(state(page)).toHaveText('Following');
  const slow = await pass(20);
  expect(slow.polls).toBeGreaterThan(1);
  expect(slow.polls).toBeLessThanOrEqual(slow.seconds / 5 + 1);

  await tab('hidden');
  expect((await pass(20)).polls).toBe(0);
  played.now = mirrors.none;
  await tab('visible');
  await expect(state(page)).toHaveText('No mirror');

  await context.setOffline(true);
  await expect(page.getByText('No connection to the server.')).toBeVisible();
  const before = played.polls;
  await page.clock.runFor(20_000);
  expect(played.polls).toBe(before);
  await expect(page.getByRole('alert')).toHaveCount(0);
  played.now = mirrors.copying;
  await context.setOffline(false);
  await expect(state(page)).toHaveText('Copying');

  await page.getByRole('link', { name: 'Tenants' }).click();
  await expect(page.getByRole('heading', { name: 'Tenants' })).toBeVisible();
  expect((await pass(20)).polls).toBe(0);
});

test('an error is shown once, above the last state, and disappears by itself', async ({ console, page }) => {
  await page.clock.install();
  const played = await playMirror(page, mirrors.following);
  await console.signIn(sysadmin, '/mirror');
  await expect(state(page)).toHaveText('Following');
  played.refusal = { status: 503, message: 'the server is starting' };
  await page.clock.runFor(6000);
  await expect(page.getByRole('alert')).toContainText('the server is starting');
  await page.getByRole('alert').evaluate((element) => element.setAttribute('data-seen', ''));
  const before = played.polls;
  while (played.polls < before + 3) {
    await page.clock.runFor(5000);
  }
  // The same element all the time, so that it is announced once, and no message beside it.
  await expect(page.locator('[role=alert][data-seen]')).toHaveCount(1);
  await expect(page.getByRole('alert')).toHaveCount(1);
  await expect(page.locator('mat-snack-bar-container')).toHaveCount(0);
  await expect(state(page)).toHaveText('Following');
  played.refusal = null;
  await page.clock.runFor(6000);
  await expect(page.getByRole('alert')).toHaveCount(0);

  // After a refusal that does not pass by itself, the server is not asked again unless the user asks.
  played.refusal = { status: 400, message: 'A refusal that no repetition helps.' };
  await page.clock.runFor(6000);
  await expect(page.getByRole('alert')).toContainText('that no repetition helps');
  const refused = played.polls;
  await page.clock.runFor(60_000);
  expect(played.polls).toBe(refused);
  played.refusal = null;
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('alert')).toHaveCount(0);
});

test('a start sends the options of the engine, whose values are hidden, and keeps the form if it is refused', async ({ console, page }) => {
  const played = await playMirror(page, mirrors.none);
  await console.signIn(sysadmin, '/mirror');
  await button(page, 'Start mirror').click();
  const { dialog } = console;
  const start = dialog.getByRole('button', { name: /^Start (mirror|backup)$/ });
  await dialog.getByRole('combobox', { name: 'Engine' }).click();
  await page.getByRole('option', { name: /^postgresql/ }).click();
  // A database has no folder, but a secret.
  await expect(dialog.getByLabel('Folder')).toHaveCount(0);
  await expect(dialog.getByLabel('Name of option 1', { exact: true })).toHaveValue('dsn');
  const secret = dialog.getByLabel('Value of option 1', { exact: true });
  await secret.fill('host=db password=Tr0ub4dor');
  await expect(secret).toHaveAttribute('type', 'password');
  await expect(secret).toHaveAttribute('autocomplete', 'new-password');
  await dialog.getByRole('button', { name: 'Show the value of option 1' }).click();
  await expect(secret).toHaveAttribute('type', 'text');
  await dialog.getByRole('button', { name: 'Hide the value of option 1' }).click();
  await expect(secret).toHaveAttribute('type', 'password');

  await dialog.getByRole('button', { name: 'Add option' }).click();
  await expect(dialog.getByLabel('Name of option 2', { exact: true })).toBeFocused();
  await dialog.getByLabel('Value of option 2', { exact: true }).fill('gallery2');
  await expect(dialog.getByText('Enter the name of each option.')).toBeVisible();
  await expect(start).toBeDisabled();
  await dialog.getByLabel('Name of option 2', { exact: true }).fill('dsn');
  await expect(dialog.getByText('The option dsn is given twice.')).toBeVisible();
  await expect(start).toBeDisabled();
  await dialog.getByLabel('Name of option 2', { exact: true }).fill('schema');
  await dialog.getByRole('button', { name: 'Add option' }).click();
  await dialog.getByRole('button', { name: 'Remove option 3' }).click();
  await expect(dialog.getByRole('button', { name: 'Add option' })).toBeFocused();
  await console.shot('dialog-start-mirror');

  played.refusal = { status: 400, message: 'the target contains other data' };
  await start.click();
  await expect(dialog.getByRole('alert')).toHaveText('the target contains other data');
  await expect(secret).toHaveValue('host=db password=Tr0ub4dor');
  await page.keyboard.press('Escape');
  await expect(dialog).toContainText('Close without saving?');
  await dialog.getByRole('button', { name: 'Cancel' }).click();

  // A copy of another store is overwritten only after a question of its own.
  played.refusal = null;
  played.commands.length = 0;
  await dialog.getByRole('checkbox', { name: 'If there is a copy of another store, overwrite it' }).check();
  await start.click();
  await expect(dialog).toContainText('are deleted from it. This cannot be undone.');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  expect(played.commands).toEqual([]);
  await start.click();
  played.now = mirrors.copying;
  await dialog.getByRole('button', { name: 'Overwrite' }).click();
  await console.closed();
  await expect(state(page)).toHaveText('Copying');
  expect(played.commands).toEqual([
    { name: 'start', body: { engine: 'postgresql', path: '', options: { dsn: 'host=db password=Tr0ub4dor', schema: 'gallery2' }, anySource: true, backup: false } },
  ]);
  await expect(page.locator('.card')).toBeFocused();
});

test('a backup is started with its own options, and a former place is suggested', async ({ console, page }) => {
  const played = await playMirror(page, mirrors.failed);
  await console.signIn(sysadmin, '/mirror');
  await button(page, 'Start again').click();
  const { dialog } = console;
  await expect(dialog.getByRole('radio', { name: 'Back up once' })).toBeChecked();
  await expect(dialog.getByRole('combobox', { name: 'Engine' })).toContainText('filesystem');
  await expect(dialog.getByLabel('Folder')).toHaveValue('/backup/gallery/mirror');
  await expect(dialog).toContainText('The backup ends by itself as soon as it is complete.');
  await dialog.getByRole('radio', { name: 'Follow' }).click();
  await expect(dialog).toContainText('Then the mirror follows');
  await expect(dialog.getByRole('checkbox')).toHaveCount(1);
  await dialog.getByRole('radio', { name: 'Back up once' }).click();
  await dialog.getByRole('checkbox', { name: /^Complete it without items/ }).check();
  played.now = { ...mirrors.copying, backup: true };
  await dialog.getByRole('button', { name: 'Start backup' }).click();
  await console.closed();
  expect(played.commands).toEqual([
    { name: 'start', body: { engine: 'filesystem', path: '/backup/gallery/mirror', options: {}, anySource: false, backup: true, verify: true, skipDamaged: true } },
  ]);

  // An engine that the console does not know.
  played.now = { ...mirrors.abandoned, mirror: { engine: 'toy', path: '' } };
  await console.returnToTab();
  await button(page, 'Start again').click();
  await expect(dialog.getByLabel('Name of the plugin')).toHaveValue('toy');
  await expect(dialog.getByLabel('Folder')).toHaveValue('');
  await expect(dialog.getByRole('button', { name: 'Start mirror' })).toBeEnabled();
  await dialog.getByLabel('Name of the plugin').fill(' ');
  await expect(dialog.getByRole('button', { name: 'Start mirror' })).toBeDisabled();
});
