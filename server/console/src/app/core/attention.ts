// SPDX-License-Identifier: Apache-2.0
import { Injectable, signal } from '@angular/core';

/** Counts how often the user came back to this tab, so that views can fetch again what they show. */
@Injectable({ providedIn: 'root' })
export class Attention {
  private readonly returnCount = signal(0);
  readonly returns = this.returnCount.asReadonly();

  constructor() {
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') {
        this.returnCount.update((n) => n + 1);
      }
    });
  }
}
