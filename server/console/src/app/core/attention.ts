// SPDX-License-Identifier: Apache-2.0
import { Injectable, signal } from '@angular/core';

/** Whether this tab is looked at, and how often the user came back to it, so that views can fetch again what they show. */
@Injectable({ providedIn: 'root' })
export class Attention {
  private readonly returnCount = signal(0);
  private readonly visibleState = signal(isVisible());
  readonly returns = this.returnCount.asReadonly();
  readonly visible = this.visibleState.asReadonly();

  constructor() {
    document.addEventListener('visibilitychange', () => {
      this.visibleState.set(isVisible());
      if (isVisible()) {
        this.returnCount.update((n) => n + 1);
      }
    });
  }
}

function isVisible(): boolean {
  return document.visibilityState === 'visible';
}
