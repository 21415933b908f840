import { Injectable, signal } from '@angular/core';

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 15_000;

/**
 * Knows whether the server can be reached. After a lost connection it asks again and again, a
 * little more seldom each time, and says when the server is back, so that views can catch up.
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
  /** Grows by one each time the server has come back. */
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

  /** Resolves at once while there is a connection, else when it is back. */
  whenBack(): Promise<void> {
    return this.lostState() ? new Promise((resolve) => this.waiting.push(resolve)) : Promise.resolve();
  }

  /** Whether the server answers at all; that it does not is noticed as a loss. */
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

// Any answer will do; what matters is that there is one.
function reach(): Promise<Response> {
  return fetch('/favicon.svg', { method: 'HEAD', cache: 'no-store' });
}
