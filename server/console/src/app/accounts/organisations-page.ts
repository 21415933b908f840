// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, inject, viewChild } from '@angular/core';
import { MatButtonModule } from '@angular/material/button';
import { ActivatedRoute, Router } from '@angular/router';
import { tap } from 'rxjs';

import { AccountsApi, OrganisationKind } from '../core/accounts-api';
import { errorText } from '../core/errors';
import { formatDate } from '../core/format';
import { Organisation, PageRequest } from '../core/model';
import { Dialogs } from '../shared/dialogs';
import { Icon } from '../shared/icon';
import { Notices } from '../shared/notices';
import { UsageBar } from '../shared/usage-bar';
import { OrganisationDialogData } from './organisation-dialog';
import { RecordCell } from './record-cell';
import { Column, Records, RowAction } from './records';
import { TenantDetails } from './tenant-details';

/** Tenants for the system administrator, customers for a tenant administrator. */
@Component({
  imports: [MatButtonModule, Icon, RecordCell, Records, UsageBar],
  providers: [TenantDetails],
  template: `
    <g-records [heading]="tenants ? 'Tenants' : 'Customers'" [empty]="'There are no ' + kind + 's yet.'" [columns]="columns" [actions]="actions" [fetch]="fetch" [label]="label">
      <button matButton="filled" type="button" (click)="edit(null)"><g-icon name="plus" matButtonIcon />Add {{ kind }}</button>
      <ng-template gRecordCell="usage" let-row>
        @if (usageOf(row); as known) {
          @if (known.usage; as usage) {
            <g-usage-bar [usage]="usage" [label]="'Space used by ' + row.title" />
          } @else {
            <span class="g-muted" [attr.title]="known.problem">Not known</span>
          }
        }
      </ng-template>
    </g-records>
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class OrganisationsPage {
  private readonly api = inject(AccountsApi);
  private readonly details = inject(TenantDetails);
  private readonly dialogs = inject(Dialogs);
  private readonly notices = inject(Notices);
  private readonly router = inject(Router);
  private readonly records = viewChild.required<Records<Organisation>>(Records);

  protected readonly kind = inject(ActivatedRoute).snapshot.data['kind'] as OrganisationKind;
  protected readonly tenants = this.kind === 'tenant';
  protected readonly label = (row: Organisation) => row.title;
  protected readonly fetch = (request: PageRequest) => {
    const page = this.api.organisations(this.kind, request);
    return this.tenants ? page.pipe(tap(({ data }) => this.details.load(data))) : page;
  };
  protected readonly usageOf = (row: Organisation) => this.details.usageOf(row);
  protected readonly columns: readonly Column<Organisation>[] = [
    { key: 'title', name: 'Name', text: (row) => row.title, sort: 'title' },
    ...(this.tenants
      ? [
          { key: 'profile', name: 'Profile', text: (row: Organisation) => this.details.profileOf(row), minor: true },
          { key: 'usage', name: 'Space used', text: () => '' },
        ]
      : []),
    { key: 'email', name: 'E-mail', text: (row) => row.email ?? '', minor: true },
    { key: 'phone', name: 'Phone', text: (row) => row.phone ?? '', minor: true },
    { key: 'createdTime', name: 'Created', text: (row) => formatDate(row.createdTime), sort: 'createdTime', minor: true },
  ];
  protected readonly actions: readonly RowAction<Organisation>[] = [
    {
      name: 'Users',
      icon: 'users',
      shown: () => this.tenants,
      run: (row) => void this.router.navigate(['/users'], { queryParams: { tenant: row.id.id } }),
    },
    { name: 'Edit', icon: 'edit', run: (row) => void this.edit(row) },
    { name: 'Delete', icon: 'delete', run: (row) => void this.remove(row), destructive: true },
  ];

  protected async edit(value: Organisation | null): Promise<void> {
    const saved = await this.dialogs.ask<OrganisationDialogData, Organisation>(
      () => import('./organisation-dialog').then((m) => m.OrganisationDialog),
      { kind: this.kind, value },
      { width: '440px' },
    );
    if (saved) {
      this.notices.say(`“${saved.title}” saved`);
      this.records().refresh();
    }
  }

  private async remove(row: Organisation): Promise<void> {
    if (await (this.tenants ? this.removeTenant(row) : this.removeCustomer(row))) {
      this.notices.say(`“${row.title}” deleted`);
    }
    this.records().refresh();
  }

  private async removeTenant(row: Organisation): Promise<boolean> {
    return (
      (await this.dialogs.ask<Organisation, boolean>(() => import('./delete-tenant-dialog').then((m) => m.DeleteTenantDialog), row, {
        width: '480px',
        role: 'alertdialog',
      })) ?? false
    );
  }

  private async removeCustomer(row: Organisation): Promise<boolean> {
    const sure = await this.dialogs.confirm({
      title: `Delete “${row.title}”?`,
      text: 'Its users are deleted with it. This cannot be undone.',
      confirm: 'Delete customer',
      destructive: true,
    });
    if (!sure) {
      return false;
    }
    try {
      await this.api.deleteOrganisation('customer', row.id.id);
      return true;
    } catch (error) {
      this.notices.fail(`“${row.title}” was not deleted: ${errorText(error)}`);
      return false;
    }
  }
}
