// SPDX-License-Identifier: Apache-2.0
import { Page } from '@playwright/test';
import { Console, expect, test } from '../support/console';
import { changedPixels, decodePng } from '../support/screenshots';
import { Client, newTenant } from '../support/server';
import { furnish, tour } from '../support/tour';

const MARGIN = 8;
const CONTRAST = 3;
// A ring is two pixels wide all around. Rounded corners and blended edges take a part of it away, a side that is cut
// off takes more.
const RING = 1.6;

const FOCUSABLE =
  'a[href], button:not([disabled]), input:not([disabled]):not([type=file]), select, textarea, [tabindex]:not([tabindex="-1"]), [role=menuitem], [role=menuitemradio]';

/** The controls in the uppermost layer that a keyboard reaches, each kind of them once. */
async function controls(page: Page, measured: string[]): Promise<string[]> {
  return page.evaluate(
    ([selector, before]) => {
      const layer = [...document.querySelectorAll('.cdk-overlay-pane:has(mat-dialog-container), .mat-mdc-menu-panel')].at(-1) ?? document.body;
      const kinds = new Set(before);
      const found: string[] = [];
      layer.querySelectorAll<HTMLElement>(selector as string).forEach((element) => {
        const path = [];
        for (let at: Element | null = element; at && path.length < 4; at = at.parentElement) {
          path.push(`${at.tagName}.${[...at.classList].filter((name) => !/\d|focused|cdk-|hover|touched|pristine|dirty|valid/.test(name)).join('.')}`);
        }
        const kind = path.join(' < ');
        if (!kinds.has(kind) && element.checkVisibility({ opacityProperty: false }) && !element.closest('[aria-hidden=true]') && element.tabIndex >= (element.matches('[role^=menuitem]') ? -1 : 0)) {
          kinds.add(kind);
          found.push(kind);
          element.dataset['kind'] = kind;
        }
      });
      return found;
    },
    [FOCUSABLE, measured] as const,
  );
}

/** Focuses the control as the keyboard does, and returns where it and the ring around it are. */
async function box(page: Page, kind: string) {
  return page.evaluate(
    ([name, margin]) => {
      const element = [...document.querySelectorAll<HTMLElement>('[data-kind]')].find((one) => one.dataset['kind'] === name);
      if (!element) {
        return null;
      }
      element.scrollIntoView({ block: 'nearest', inline: 'nearest' });
      // What shows the focus where the control itself is invisible.
      const host = element.closest('.mdc-checkbox, .mat-mdc-text-field-wrapper, .g-search:has(input:focus)') ?? element;
      const rect = (element.matches('.g-search > input') ? element.parentElement! : host).getBoundingClientRect();
      const corner = Number.parseFloat(getComputedStyle(host).borderTopLeftRadius) || 0;
      const radius = Math.min(corner, rect.width / 2, rect.height / 2);
      const left = Math.max(0, Math.floor(rect.left) - margin);
      const top = Math.max(0, Math.floor(rect.top) - margin);
      return {
        clip: { x: left, y: top, width: Math.min(innerWidth, Math.ceil(rect.right) + margin) - left, height: Math.min(innerHeight, Math.ceil(rect.bottom) + margin) - top },
        around: 2 * (rect.width + rect.height) - (8 - 2 * Math.PI) * radius,
      };
    },
    [kind, MARGIN] as const,
  );
}

const focus = (page: Page, kind: string | null) =>
  page.evaluate((name) => {
    (document.activeElement as HTMLElement | null)?.blur();
    const element = [...document.querySelectorAll<HTMLElement>('[data-kind]')].find((one) => one.dataset['kind'] === name);
    element?.focus({ focusVisible: true, preventScroll: true } as FocusOptions);
  }, kind);

/** Which controls of this view do not show that they have the focus. */
async function weak(console: Console, view: string, measured: string[]): Promise<string[]> {
  const { page } = console;
  const found: string[] = [];
  for (const kind of await controls(page, measured)) {
    measured.push(kind);
    // The link that skips the navigation appears with the focus, so it is measured where it is then.
    await focus(page, kind);
    await console.atRest();
    const where = await box(page, kind);
    if (!where) {
      continue;
    }
    const after = decodePng(await page.screenshot({ clip: where.clip, caret: 'hide' }));
    await focus(page, null);
    await console.atRest();
    const before = decodePng(await page.screenshot({ clip: where.clip, caret: 'hide' }));
    const share = changedPixels(before, after, CONTRAST) / where.around;
    if (share < RING) {
      found.push(`${view}: ${kind}: ${share.toFixed(2)} of its border`);
    }
  }
  return found;
}

let tenant: Client;
test.beforeAll(async () => {
  tenant = await newTenant();
  await furnish(tenant);
});

for (const [look, options] of Object.entries({
  light: {},
  dark: { colorScheme: 'dark' as const },
  contrast: { forcedColors: 'active' as const },
})) {
  test.describe(look, () => {
    test.use({ viewport: { width: 1360, height: 860 }, ...('colorScheme' in options ? options : {}), contextOptions: { ...('forcedColors' in options ? options : {}), reducedMotion: 'reduce' } });

    test(`every control shows the keyboard's focus with a contrast of ${CONTRAST} to 1 (${look})`, async ({ console }) => {
      test.setTimeout(300_000);
      const measured: string[] = [];
      const found: string[] = [];
      await tour(console, tenant, async (view) => {
        found.push(...(await weak(console, view, measured)));
      });
      expect(measured.length).toBeGreaterThan(40);
      expect(found).toEqual([]);
    });
  });
}
