// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, inject, signal } from '@angular/core';
import { FormsModule } from '@angular/forms';
import { MatButtonModule } from '@angular/material/button';
import { MAT_DIALOG_DATA, MatDialogModule, MatDialogRef } from '@angular/material/dialog';
import { MatFormFieldModule } from '@angular/material/form-field';
import { MatInputModule } from '@angular/material/input';

import { errorText } from '../core/errors';
import { Session } from '../core/session';

/** Shown above the user's work when the session has ended. The work continues afterwards. */
@Component({
  imports: [FormsModule, MatButtonModule, MatDialogModule, MatFormFieldModule, MatInputModule],
  template: `
    <form (ngSubmit)="submit()">
      <h2 mat-dialog-title>Please sign in again</h2>
      <mat-dialog-content>
        <p>The session of {{ email }} has ended. What you were doing is kept.</p>
        @if (error(); as text) {
          <p class="g-error" role="alert">{{ text }}</p>
        }
        <input class="g-unseen" type="text" autocomplete="username" readonly tabindex="-1" aria-hidden="true" [value]="email" />
        <mat-form-field appearance="outline" hideRequiredMarker>
          <mat-label>Password</mat-label>
          <input matInput type="password" name="password" autocomplete="current-password" cdkFocusInitial [(ngModel)]="password" />
        </mat-form-field>
      </mat-dialog-content>
      <mat-dialog-actions>
        <button matButton type="button" [mat-dialog-close]="false">Sign out</button>
        <button matButton="filled" type="submit" [disabled]="busy() || !password()">Sign in</button>
      </mat-dialog-actions>
    </form>
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class SignInAgainDialog {
  private readonly session = inject(Session);
  private readonly dialog = inject(MatDialogRef);

  protected readonly email = inject<string>(MAT_DIALOG_DATA);
  protected readonly password = signal('');
  protected readonly busy = signal(false);
  protected readonly error = signal<string | null>(null);

  protected async submit(): Promise<void> {
    this.busy.set(true);
    this.error.set(null);
    try {
      await this.session.signIn(this.email, this.password());
      this.dialog.close(true);
    } catch (error) {
      this.error.set(errorText(error));
    } finally {
      this.busy.set(false);
    }
  }
}
