import { Injector, afterNextRender } from '@angular/core';

/** Called before the rows in `card` change: if the keyboard is in one that goes, the card takes it. */
export function keepFocus(card: HTMLElement, injector: Injector): void {
  if (card.contains(document.activeElement)) {
    afterNextRender(() => card.contains(document.activeElement) || card.focus(), { injector });
  }
}
