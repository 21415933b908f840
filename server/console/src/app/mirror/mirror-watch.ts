// SPDX-License-Identifier: Apache-2.0
import { HttpErrorResponse } from '@angular/common/http';
import { DestroyRef, Injectable, effect, inject, signal, untracked } from '@angular/core';
import { Subscription } from 'rxjs';

import { Attention } from '../core/attention';
import { Connection } from '../core/connection';
import { errorText, isConnectionLoss } from '../core/errors';
import { MirrorApi } from '../core/mirror-api';
import { Mirror } from '../core/model';
import { isBusy } from './mirror-state';
import { Pace } from './pace';

const BUSY_WAIT = 1000;
const WAIT = 5000;

/**
 * The state of the mirror, fetched again and again while the tab is visible and the server can be reached. The next
 * request is sent a while after an answer, never beside another one.
 */
@Injectable()
export class MirrorWatch {
  private readonly api = inject(MirrorApi);
  private readonly refreshes = signal(0);
  private readonly current = signal<Mirror | null>(null);
  private readonly failure = signal<string | null>(null);
  private call: Subscription | null = null;
  private watched = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Of the states until `status`. */
  readonly pace = new Pace();
  readonly status = this.current.asReadonly();
  /** Why the last request failed. A lost connection is shown elsewhere. */
  readonly error = this.failure.asReadonly();

  constructor() {
    const attention = inject(Attention);
    const connection = inject(Connection);
    effect(() => {
      this.refreshes();
      attention.returns();
      this.watched = attention.visible() && !connection.lost();
      untracked(() => {
        this.pause();
        if (this.watched) {
          this.fetch();
        }
      });
    });
    inject(DestroyRef).onDestroy(() => {
      this.watched = false;
      this.pause();
    });
  }

  refresh(): void {
    this.refreshes.update((n) => n + 1);
  }

  /** Shows the state that a command returned. An answer that is under way may be older. */
  accept(status: Mirror): void {
    this.pause();
    this.show(status);
  }

  private show(status: Mirror): void {
    this.failure.set(null);
    this.pace.note(status, performance.now());
    this.current.set(status);
    this.later(isBusy(status) ? BUSY_WAIT : WAIT);
  }

  private fetch(): void {
    this.call = this.api.status().subscribe({
      next: (status) => this.show(status),
      error: (error: unknown) => {
        if (isConnectionLoss(error)) {
          return;
        }
        this.failure.set(errorText(error));
        if (!isRefusal(error)) {
          this.later(WAIT);
        }
      },
    });
  }

  private later(wait: number): void {
    clearTimeout(this.timer);
    if (this.watched) {
      this.timer = setTimeout(() => this.fetch(), wait);
    }
  }

  private pause(): void {
    clearTimeout(this.timer);
    this.call?.unsubscribe();
  }
}

/** The same request will be refused again. */
function isRefusal(error: unknown): boolean {
  return error instanceof HttpErrorResponse && error.status >= 400 && error.status < 500 && error.status !== 429;
}
