// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, computed, inject, signal } from '@angular/core';
import { FormsModule } from '@angular/forms';
import { MatButtonModule } from '@angular/material/button';
import { MAT_DIALOG_DATA, MatDialogModule } from '@angular/material/dialog';
import { MatFormFieldModule } from '@angular/material/form-field';
import { MatInputModule } from '@angular/material/input';

import { AccountsApi } from '../core/accounts-api';
import { errorText } from '../core/errors';
import { plural } from '../core/format';
import { Organisation, TenantContents } from '../core/model';
import { FormDialog } from '../shared/form-dialog';

/** Shows what a tenant contains, and deletes it once its name is entered. */
@Component({
  imports: [FormsModule, MatButtonModule, MatDialogModule, MatFormFieldModule, MatInputModule],
  template: `
    <form (ngSubmit)="remove()">
      <h2 mat-dialog-title dir="auto">Delete “{{ tenant.title }}”?</h2>
      <mat-dialog-content>
        @if (error(); as text) {
          <p class="g-error" role="alert">{{ text }}</p>
        }
        @if (contents(); as contents) {
          <p>This tenant and everything it contains is deleted:</p>
          <ul>
            <li>{{ plural(contents.images, 'image') }}</li>
            <li>{{ plural(contents.users, 'user') }}</li>
            <li>{{ plural(contents.customers, 'customer') }}</li>
            <li>{{ plural(contents.apiKeys, 'API key') }}</li>
          </ul>
        } @else {
          <p>Its users, API keys, customers and all of its images are deleted with it.</p>
        }
        <p>This cannot be undone. Type the name of the tenant to confirm: <strong><bdi>{{ tenant.title }}</bdi></strong></p>
        <mat-form-field appearance="outline" hideRequiredMarker>
          <mat-label>Name of the tenant</mat-label>
          <input matInput name="name" autocomplete="off" dir="auto" cdkFocusInitial [(ngModel)]="name" />
        </mat-form-field>
      </mat-dialog-content>
      <mat-dialog-actions>
        <button matButton type="button" mat-dialog-close>Cancel</button>
        <button matButton="filled" class="g-danger" type="submit" [disabled]="busy() || !confirmed()">Delete tenant</button>
      </mat-dialog-actions>
    </form>
  `,
  styles: `
    ul {
      margin: 0 0 12px;
      padding-inline-start: 20px;
    }
    strong {
      overflow-wrap: anywhere;
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class DeleteTenantDialog extends FormDialog<boolean> {
  private readonly api = inject(AccountsApi);

  protected readonly tenant = inject<Organisation>(MAT_DIALOG_DATA);
  protected readonly plural = plural;
  protected readonly contents = signal<TenantContents | null>(null);
  protected readonly name = signal('');
  protected readonly confirmed = computed(() => this.name().trim() === this.tenant.title.trim());
  /** A typed name is no input to save. */
  readonly unsaved = signal(false).asReadonly();

  constructor() {
    super();
    this.api.tenantContents(this.tenant.id.id).then(
      (contents) => this.contents.set(contents),
      (error: unknown) => this.error.set(`What the tenant contains cannot be shown: ${errorText(error)}`),
    );
  }

  protected async remove(): Promise<void> {
    if (this.confirmed()) {
      await this.send(async () => {
        await this.api.deleteOrganisation('tenant', this.tenant.id.id);
        return true;
      });
    }
  }
}
