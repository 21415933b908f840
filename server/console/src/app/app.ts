// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, inject } from '@angular/core';
import { RouterOutlet } from '@angular/router';

import { Connection } from './core/connection';
import { Session } from './core/session';
import { Dialogs } from './shared/dialogs';
import { Icon } from './shared/icon';

@Component({
  selector: 'g-root',
  imports: [RouterOutlet, Icon],
  template: `
    <div class="lost" role="status" aria-live="polite">
      @if (connection.lost()) {
        <div class="bar">
          <g-icon name="offline" />
          <span>No connection to the server. Your work is kept. This page continues when the connection is back.</span>
          <button type="button" (click)="connection.retryNow()">Try now</button>
        </div>
      }
    </div>
    <router-outlet />
  `,
  styles: `
    .bar {
      display: flex;
      align-items: center;
      justify-content: center;
      gap: 12px;
      padding: 8px 16px;
      background: var(--g-warning-surface);
      color: var(--g-warning-text);
      font-size: 14px;
    }
    button {
      border: 0;
      background: none;
      color: inherit;
      font: inherit;
      font-weight: 600;
      text-decoration: underline;
      cursor: pointer;
      padding: 4px 8px;
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class App {
  protected readonly connection = inject(Connection);

  constructor() {
    const dialogs = inject(Dialogs);
    inject(Session).setSignInAgain(async (email) => {
      const done = await dialogs.ask<string, boolean>(() => import('./login/sign-in-again-dialog').then((m) => m.SignInAgainDialog), email, {
        width: '420px',
        disableClose: true,
      });
      // Without the form, the user stays signed in as far as possible and keeps the open work.
      if (done === undefined) {
        throw new Error('The session has ended, and the form to sign in again could not be loaded.');
      }
      return done;
    });
  }
}
