// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs';
import { Locator, Page, expect, test as base } from '@playwright/test';

import { PictureFile } from './pictures';
import { Account, Client, newTenant } from './server';

/** The pages of the console, as a person uses them. */
export class Console {
  constructor(readonly page: Page) {}

  /** Opens `path` with a session of its own, as after a reload. */
  async signIn(account: Account, path = '/'): Promise<void> {
    const { token, refreshToken } = await Client.signIn(account);
    // A page of the same origin without the console, which would find no session yet.
    await this.page.goto('/favicon.svg');
    await this.page.evaluate(
      (tokens) => localStorage.setItem('gallery.session', JSON.stringify(tokens)),
      { token, refreshToken, renewAt: Date.now() + 3_600_000 },
    );
    await this.page.goto(path);
    await expect(this.account).toBeVisible();
  }

  /** Opens `path` and keeps the answer with its first images back until the returned function is called. */
  async signInWithoutImages(account: Account, path: string): Promise<() => void> {
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await this.page.route('**/api/images?*', async (route) => {
      await held;
      await route.continue();
    });
    await this.signIn(account, path);
    return release;
  }

  /** Signs in through the form to which `path` leads. */
  async signInByForm(account: Account, path = '/'): Promise<void> {
    await this.page.goto(path);
    await this.page.getByLabel('E-mail').fill(account.email);
    await this.page.getByLabel('Password').fill(account.password);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
    await expect(this.account).toBeVisible();
  }

  private get account(): Locator {
    return this.page.getByRole('button', { name: /^Account of/ });
  }

  get rows(): Locator {
    return this.page.locator('g-image-list tr.mat-mdc-row');
  }

  get tiles(): Locator {
    return this.page.locator('g-image-grid .tile');
  }

  get dialog(): Locator {
    return this.page.locator('mat-dialog-container').last();
  }

  row(title: string): Locator {
    return this.rows.filter({ has: this.page.locator('.name').getByText(title, { exact: true }) });
  }

  tile(title: string): Locator {
    return this.tiles.filter({ has: this.page.locator('.title').getByText(title, { exact: true }) });
  }

  async mode(name: 'List' | 'Grid'): Promise<void> {
    await this.page.getByRole('button', { name, exact: true }).click();
  }

  async accountMenu(item: string): Promise<void> {
    await this.account.click();
    await this.page.getByRole('menuitem', { name: item, exact: true }).click();
  }

  async chooseFiles(files: readonly PictureFile[]): Promise<void> {
    await this.dialog.locator('input[type=file]').setInputFiles([...files]);
  }

  async closed(): Promise<void> {
    await expect(this.page.locator('mat-dialog-container')).toHaveCount(0);
  }

  /** What the browser tells the page when the user goes to another tab and comes back. */
  async returnToTab(): Promise<void> {
    await this.page.evaluate(() => {
      for (const state of ['hidden', 'visible']) {
        Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }
    });
  }

  /** What a file manager does, as far as the page can tell: files dragged over a place and dropped. */
  async drop(selector: string, files: readonly PictureFile[]): Promise<void> {
    const transfer = await this.transfer(files);
    for (const type of ['dragenter', 'dragover', 'drop']) {
      await this.page.locator(selector).first().dispatchEvent(type, { dataTransfer: transfer });
    }
  }

  async paste(file: PictureFile): Promise<void> {
    const clipboardData = await this.transfer([file]);
    await this.page.evaluate(
      (data) => document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })),
      clipboardData,
    );
  }

  /** Waits until every picture that is shown has come and is not a stand-in. */
  async pictures(within: Locator): Promise<void> {
    await expect
      .poll(() =>
        within.locator('img').evaluateAll(
          (images: HTMLImageElement[]) =>
            images.length > 0 && images.every((image) => image.src.startsWith('blob:') && image.complete && image.naturalWidth > 0),
        ),
      )
      .toBe(true);
  }

  /**
   * Waits until nothing moves: colours and places are judged when they have come to rest. One animation may start
   * another, and one may be asked for in a frame that is still to come, so two frames in a row must be quiet.
   */
  async atRest(): Promise<void> {
    await this.page.evaluate(async () => {
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      for (let quiet = 0; quiet < 2; ) {
        await frame();
        const moving = document
          .getAnimations()
          .filter(({ effect, playState }) => playState === 'running' && effect?.getComputedTiming().endTime !== Infinity);
        quiet = moving.length > 0 ? 0 : quiet + 1;
        await Promise.allSettled(moving.map((animation) => animation.finished));
      }
    });
  }

  async shot(name: string): Promise<void> {
    const folder = process.env.CONSOLE_SCREENSHOTS;
    if (folder) {
      await this.page.bringToFront();
      await this.atRest();
      mkdirSync(folder, { recursive: true });
      await this.page.screenshot({ path: `${folder}/${name}.png`, animations: 'disabled' });
    }
  }

  private transfer(files: readonly PictureFile[]) {
    return this.page.evaluateHandle(
      (sent) => {
        const transfer = new DataTransfer();
        for (const { name, mimeType, data } of sent) {
          const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
          transfer.items.add(new File([bytes], name, { type: mimeType }));
        }
        return transfer;
      },
      files.map(({ name, mimeType, buffer }) => ({ name, mimeType, data: buffer.toString('base64') })),
    );
  }
}

interface Fixtures {
  console: Console;
  /** A fresh tenant, of which the console's user is the administrator. */
  tenant: Client;
}

export const test = base.extend<Fixtures>({
  console: async ({ page }, use) => {
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (/Content Security Policy|ERROR|NG0/.test(message.text())) {
        faults.push(message.text());
      }
    });
    await use(new Console(page));
    // No test leaves an error behind in the page, whatever else it looks at.
    expect(faults).toEqual([]);
  },
  tenant: async ({}, use) => {
    await use(await newTenant());
  },
});

export { expect };
