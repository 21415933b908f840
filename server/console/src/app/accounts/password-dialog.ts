// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, computed, inject, signal } from '@angular/core';
import { FormsModule } from '@angular/forms';
import { MatButtonModule } from '@angular/material/button';
import { MatDialogModule } from '@angular/material/dialog';
import { MatFormFieldModule } from '@angular/material/form-field';
import { MatInputModule } from '@angular/material/input';

import { AccountsApi } from '../core/accounts-api';
import { Session } from '../core/session';
import { FormDialog } from '../shared/form-dialog';

@Component({
  imports: [FormsModule, MatButtonModule, MatDialogModule, MatFormFieldModule, MatInputModule],
  template: `
    <form (ngSubmit)="save()">
      <h2 mat-dialog-title>Change password</h2>
      <mat-dialog-content>
        @if (error(); as text) {
          <p class="g-error" role="alert">{{ text }}</p>
        }
        <input class="g-unseen" type="text" autocomplete="username" readonly tabindex="-1" aria-hidden="true" [value]="email" />
        <mat-form-field appearance="outline" hideRequiredMarker>
          <mat-label>Current password</mat-label>
          <input matInput type="password" name="current" autocomplete="current-password" cdkFocusInitial [(ngModel)]="current" />
        </mat-form-field>
        <mat-form-field appearance="outline" hideRequiredMarker>
          <mat-label>New password</mat-label>
          <input matInput type="password" name="next" autocomplete="new-password" [(ngModel)]="next" />
        </mat-form-field>
        <mat-form-field appearance="outline" hideRequiredMarker>
          <mat-label>New password again</mat-label>
          <input matInput type="password" name="repeated" autocomplete="new-password" [(ngModel)]="repeated" />
          @if (differs()) {
            <mat-hint>The two are not the same yet.</mat-hint>
          }
        </mat-form-field>
      </mat-dialog-content>
      <mat-dialog-actions>
        <button matButton type="button" mat-dialog-close>Cancel</button>
        <button matButton="filled" type="submit" [disabled]="busy() || !ready()">Change password</button>
      </mat-dialog-actions>
    </form>
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class PasswordDialog extends FormDialog<boolean> {
  private readonly api = inject(AccountsApi);
  private readonly session = inject(Session);

  protected readonly email = this.session.user()?.email ?? '';
  protected readonly current = signal('');
  protected readonly next = signal('');
  protected readonly repeated = signal('');
  readonly unsaved = computed(() => this.current() !== '' || this.next() !== '' || this.repeated() !== '');
  protected readonly differs = computed(() => this.repeated() !== '' && this.repeated() !== this.next());
  protected readonly ready = computed(
    () => this.current() !== '' && this.next() !== '' && this.next() === this.repeated(),
  );

  protected async save(): Promise<void> {
    if (this.ready()) {
      await this.send(async () => {
        await this.session.adopt(await this.api.changePassword(this.current(), this.next()));
        return true;
      });
    }
  }
}
