// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, computed, inject, signal } from '@angular/core';
import { FormsModule } from '@angular/forms';
import { MatButtonModule } from '@angular/material/button';
import { MAT_DIALOG_DATA, MatDialogModule } from '@angular/material/dialog';
import { MatFormFieldModule } from '@angular/material/form-field';
import { MatInputModule } from '@angular/material/input';
import { MatSelectModule } from '@angular/material/select';
import { firstValueFrom } from 'rxjs';

import { AccountsApi, OrganisationKind } from '../core/accounts-api';
import { errorText } from '../core/errors';
import { EntityRef, Organisation, User } from '../core/model';
import { Session } from '../core/session';
import { FormDialog } from '../shared/form-dialog';

export interface UserDialogData {
  readonly value: User | null;
  /** The tenant of a new user, if it is known already. */
  readonly tenant: Organisation | null;
}

// At most this many organisations are offered. Users of others are added from the row of their organisation.
const OFFERED = 1000;

@Component({
  imports: [FormsModule, MatButtonModule, MatDialogModule, MatFormFieldModule, MatInputModule, MatSelectModule],
  templateUrl: './user-dialog.html',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class UserDialog extends FormDialog<User> {
  private readonly api = inject(AccountsApi);
  private readonly session = inject(Session);

  protected readonly data = inject<UserDialogData>(MAT_DIALOG_DATA);
  /** System administrators add tenant administrators, who add customer users. */
  protected readonly kind: OrganisationKind = this.session.isSystem() ? 'tenant' : 'customer';
  protected readonly organisations = signal<readonly Organisation[]>([]);
  protected readonly organisation = signal<EntityRef | null>(this.data.tenant?.id ?? null);
  protected readonly email = signal(this.data.value?.email ?? '');
  protected readonly firstName = signal(this.data.value?.firstName ?? '');
  protected readonly lastName = signal(this.data.value?.lastName ?? '');
  readonly unsaved = computed(
    () =>
      this.email() !== (this.data.value?.email ?? '') ||
      this.firstName() !== (this.data.value?.firstName ?? '') ||
      this.lastName() !== (this.data.value?.lastName ?? ''),
  );
  protected readonly ready = computed(
    () => this.email().trim() !== '' && (this.data.value !== null || this.organisation() !== null),
  );
  protected readonly same = (a: EntityRef | null, b: EntityRef | null) => a?.id === b?.id;

  constructor() {
    super();
    if (!this.data.value) {
      firstValueFrom(
        this.api.organisations(this.kind, { page: 0, pageSize: OFFERED, sortProperty: 'title', sortOrder: 'ASC' }),
      ).then(
        (page) => {
          this.organisations.set(page.data);
          if (page.data.length === 1) {
            this.organisation.set(page.data[0].id);
          }
        },
        (error: unknown) => this.error.set(errorText(error)),
      );
    }
  }

  protected async save(): Promise<void> {
    if (this.ready()) {
      const names = { firstName: this.firstName().trim() || null, lastName: this.lastName().trim() || null };
      await this.send(() => this.api.saveUser({ ...(this.data.value ?? this.fresh()), email: this.email().trim(), ...names }));
    }
  }

  private fresh(): Partial<User> {
    const organisation = this.organisation()!;
    return this.kind === 'tenant'
      ? { authority: 'TENANT_ADMIN', tenantId: organisation }
      : { authority: 'CUSTOMER_USER', tenantId: this.session.user()!.tenantId, customerId: organisation };
  }
}
