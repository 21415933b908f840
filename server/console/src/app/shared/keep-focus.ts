// SPDX-License-Identifier: Apache-2.0
import { Injector, afterNextRender } from '@angular/core';

/** Call this before the rows in `card` change. If the focused row disappears, the card gets the focus. */
export function keepFocus(card: HTMLElement, injector: Injector): void {
  if (card.contains(document.activeElement)) {
    afterNextRender(() => card.contains(document.activeElement) || card.focus(), { injector });
  }
}
