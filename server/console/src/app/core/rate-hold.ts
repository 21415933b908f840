// SPDX-License-Identifier: Apache-2.0
import { Signal, signal } from '@angular/core';

import { errorText, retryAfter } from './errors';

export interface Hold {
  /** The server's message. */
  readonly reason: string;
  readonly seconds: number;
}

/**
 * The time in which no more requests of a series are sent, because a rate limit has refused one of them. A series
 * sends several requests at once, so several are refused; the longest time applies to all of them.
 */
export class RateHold {
  private readonly current = signal<Hold | null>(null);
  private until = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private waiting: (() => void)[] = [];

  /** Null if requests may be sent. */
  readonly state: Signal<Hold | null> = this.current.asReadonly();

  /** Refusals for more seconds than `longest` are failures: nobody waits so long without a decision. */
  constructor(private readonly longest: number) {}

  /** Whether `error` is a refusal after which the request is to be repeated when the hold is over. */
  note(error: unknown): boolean {
    const seconds = retryAfter(error);
    if (seconds === null || seconds > this.longest) {
      return false;
    }
    const until = performance.now() + seconds * 1000;
    if (until > this.until) {
      clearTimeout(this.timer);
      this.until = until;
      this.current.set({ reason: errorText(error), seconds });
      this.timer = setTimeout(() => this.end(), seconds * 1000);
    }
    return true;
  }

  /** Resolves at once if there is no hold. */
  whenOver(): Promise<void> {
    return this.current() ? new Promise((resolve) => this.waiting.push(resolve)) : Promise.resolve();
  }

  /** Ends the hold now. The server may refuse the next request again. */
  end(): void {
    clearTimeout(this.timer);
    this.until = 0;
    this.current.set(null);
    const waiting = this.waiting;
    this.waiting = [];
    waiting.forEach((resolve) => resolve());
  }
}
