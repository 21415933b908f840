// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, computed, inject, signal } from '@angular/core';
import { FormsModule } from '@angular/forms';
import { MatButtonModule } from '@angular/material/button';
import { MAT_DIALOG_DATA, MatDialogModule } from '@angular/material/dialog';
import { MatFormFieldModule } from '@angular/material/form-field';
import { MatInputModule } from '@angular/material/input';
import { MatSelectModule } from '@angular/material/select';

import { AccountsApi } from '../core/accounts-api';
import { ApiKeyInfo } from '../core/model';
import { Session } from '../core/session';
import { FormDialog } from '../shared/form-dialog';

const DAY_MS = 86_400_000;

@Component({
  imports: [FormsModule, MatButtonModule, MatDialogModule, MatFormFieldModule, MatInputModule, MatSelectModule],
  template: `
    <form (ngSubmit)="save()">
      <h2 mat-dialog-title>{{ value ? 'Edit API key' : 'Add API key' }}</h2>
      <mat-dialog-content>
        @if (error(); as text) {
          <p class="g-error" role="alert">{{ text }}</p>
        }
        <mat-form-field appearance="outline" hideRequiredMarker>
          <mat-label>Description</mat-label>
          <input matInput name="description" required maxlength="255" autocomplete="off" placeholder="Where it is used" [(ngModel)]="description" />
        </mat-form-field>
        @if (!value) {
          <mat-form-field appearance="outline" hideRequiredMarker>
            <mat-label>Expires</mat-label>
            <mat-select name="days" [(ngModel)]="days">
              @for (choice of choices; track choice.days) {
                <mat-option [value]="choice.days">{{ choice.name }}</mat-option>
              }
            </mat-select>
          </mat-form-field>
        }
      </mat-dialog-content>
      <mat-dialog-actions>
        <button matButton type="button" mat-dialog-close>Cancel</button>
        <button matButton="filled" type="submit" [disabled]="busy() || !description().trim()">{{ value ? 'Save' : 'Create key' }}</button>
      </mat-dialog-actions>
    </form>
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class ApiKeyDialog extends FormDialog<ApiKeyInfo> {
  private readonly api = inject(AccountsApi);
  private readonly session = inject(Session);

  protected readonly value = inject<ApiKeyInfo | null>(MAT_DIALOG_DATA);
  protected readonly choices = [
    { name: 'Never', days: 0 },
    { name: 'In 30 days', days: 30 },
    { name: 'In 90 days', days: 90 },
    { name: 'In one year', days: 365 },
  ];
  protected readonly description = signal(this.value?.description ?? '');
  protected readonly days = signal(0);
  readonly unsaved = computed(() => this.description() !== (this.value?.description ?? '') || this.days() !== 0);

  protected async save(): Promise<void> {
    const description = this.description().trim();
    if (description) {
      await this.send(() => {
        const expiration = this.days() > 0 ? Date.now() + this.days() * DAY_MS : 0;
        return this.value
          ? this.api.describeApiKey(this.value.id.id, description)
          : this.api.createApiKey(this.session.user()!.id, description, expiration);
      });
    }
  }
}
