// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, computed, inject, signal } from '@angular/core';
import { FormsModule } from '@angular/forms';
import { MatButtonModule } from '@angular/material/button';
import { MAT_DIALOG_DATA, MatDialogModule } from '@angular/material/dialog';
import { MatFormFieldModule } from '@angular/material/form-field';
import { MatInputModule } from '@angular/material/input';

import { AccountsApi, OrganisationKind } from '../core/accounts-api';
import { Organisation } from '../core/model';
import { FormDialog } from '../shared/form-dialog';

export interface OrganisationDialogData {
  readonly kind: OrganisationKind;
  readonly value: Organisation | null;
}

@Component({
  imports: [FormsModule, MatButtonModule, MatDialogModule, MatFormFieldModule, MatInputModule],
  template: `
    <form (ngSubmit)="save()">
      <h2 mat-dialog-title>{{ data.value ? 'Edit ' + data.kind : 'Add ' + data.kind }}</h2>
      <mat-dialog-content>
        @if (error(); as text) {
          <p class="g-error" role="alert">{{ text }}</p>
        }
        <mat-form-field appearance="outline" hideRequiredMarker>
          <mat-label>Name</mat-label>
          <input matInput name="title" required maxlength="255" autocomplete="off" [(ngModel)]="title" />
        </mat-form-field>
        <mat-form-field appearance="outline" hideRequiredMarker>
          <mat-label>E-mail</mat-label>
          <input matInput type="email" name="email" autocomplete="off" [(ngModel)]="email" />
        </mat-form-field>
        <mat-form-field appearance="outline" hideRequiredMarker>
          <mat-label>Phone</mat-label>
          <input matInput type="tel" name="phone" autocomplete="off" [(ngModel)]="phone" />
        </mat-form-field>
      </mat-dialog-content>
      <mat-dialog-actions>
        <button matButton type="button" mat-dialog-close>Cancel</button>
        <button matButton="filled" type="submit" [disabled]="busy() || !title().trim()">Save</button>
      </mat-dialog-actions>
    </form>
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class OrganisationDialog extends FormDialog<Organisation> {
  private readonly api = inject(AccountsApi);

  protected readonly data = inject<OrganisationDialogData>(MAT_DIALOG_DATA);
  protected readonly title = signal(this.data.value?.title ?? '');
  protected readonly email = signal(this.data.value?.email ?? '');
  protected readonly phone = signal(this.data.value?.phone ?? '');
  readonly unsaved = computed(
    () =>
      this.title() !== (this.data.value?.title ?? '') ||
      this.email() !== (this.data.value?.email ?? '') ||
      this.phone() !== (this.data.value?.phone ?? ''),
  );

  protected async save(): Promise<void> {
    const title = this.title().trim();
    if (title) {
      await this.send(() =>
        this.api.saveOrganisation(this.data.kind, {
          ...this.data.value,
          title,
          email: this.email().trim() || null,
          phone: this.phone().trim() || null,
        }),
      );
    }
  }
}
