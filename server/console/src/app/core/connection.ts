// SPDX-License-Identifier: Apache-2.0
import { Injectable, signal } from '@angular/core';

import { served } from './base-path';

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 15_000;

/**
 * Whether the server can be reached. After a lost connection it is asked again at growing intervals. Views refresh
 * when it is back.
 */
@Injectable({ providedIn: 'root' })
export class Connection {
  private readonly lostState = signal(false);
  private readonly returnCount = signal(0);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wait = FIRST_WAIT;
  private asking = false;
  private waiting: (() => void)[] = [];

  /** True while the server cannot be reached. */
  readonly lost = this.lostState.asReadonly();
  /** Incremented each time the server is reachable again. */
  readonly returns = this.returnCount.asReadonly();

  constructor() {
    addEventListener('offline', () => this.reportLoss());
    addEventListener('online', () => this.retryNow());
  }

  reportLoss(): void {
    if (!this.lostState()) {
      this.lostState.set(true);
      this.wait = FIRST_WAIT;
      this.askLater();
    }
  }

  retryNow(): void {
    if (this.lostState()) {
      this.wait = FIRST_WAIT;
      void this.ask();
    }
  }

  /** Resolves at once if there is a connection, else when it is back. */
  whenBack(): Promise<void> {
    return this.lostState() ? new Promise((resolve) => this.waiting.push(resolve)) : Promise.resolve();
  }

  /** Whether the server answers at all. If it does not, the connection counts as lost. */
  async check(): Promise<boolean> {
    try {
      await reach();
      return true;
    } catch {
      this.reportLoss();
      return false;
    }
  }

  private askLater(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.ask(), this.wait);
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
  }

  private async ask(): Promise<void> {
    if (this.asking) {
      return;
    }
    this.asking = true;
    try {
      await reach();
      clearTimeout(this.timer);
      this.lostState.set(false);
      this.returnCount.update((n) => n + 1);
      const waiting = this.waiting;
      this.waiting = [];
      waiting.forEach((resolve) => resolve());
    } catch {
      this.askLater();
    } finally {
      this.asking = false;
    }
  }
}

// Any answer counts, whatever its status.
function reach(): Promise<Response> {
  return fetch(served('/favicon.svg'), { method: 'HEAD', cache: 'no-store' });
}
