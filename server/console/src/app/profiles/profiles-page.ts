// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, inject, viewChild } from '@angular/core';
import { MatButtonModule } from '@angular/material/button';
import { firstValueFrom } from 'rxjs';

import { Column, Records, RowAction } from '../accounts/records';
import { errorText } from '../core/errors';
import { formatDate, formatSize } from '../core/format';
import { PageRequest, ProfileConfiguration, TenantProfile } from '../core/model';
import { ProfilesApi } from '../core/profiles-api';
import { Dialogs } from '../shared/dialogs';
import { Icon } from '../shared/icon';
import { Notices } from '../shared/notices';
import { ratesText } from './rates';

/** The tenant profiles, for system administrators: the limits of tenants. */
@Component({
  imports: [MatButtonModule, Icon, Records],
  template: `
    <g-records heading="Tenant profiles" empty="There are no tenant profiles yet." [columns]="columns" [actions]="actions" [fetch]="fetch" [label]="label">
      <button matButton="filled" type="button" (click)="edit(null)"><g-icon name="plus" matButtonIcon />Add profile</button>
    </g-records>
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class ProfilesPage {
  private readonly api = inject(ProfilesApi);
  private readonly dialogs = inject(Dialogs);
  private readonly notices = inject(Notices);
  private readonly records = viewChild.required<Records<TenantProfile>>(Records);

  protected readonly label = (row: TenantProfile) => row.name;
  protected readonly fetch = (request: PageRequest) => this.api.list(request);
  protected readonly columns: readonly Column<TenantProfile>[] = [
    { key: 'name', name: 'Name', text: (row) => row.name, sort: 'name' },
    { key: 'default', name: 'Default', text: (row) => (row.default ? 'Default' : ''), badge: true },
    { key: 'description', name: 'Description', text: (row) => row.description ?? '', minor: true },
    { key: 'imageSize', name: 'Largest image', text: (row) => sizeText(configurationOf(row).maxResourceSize), minor: true },
    { key: 'totalSize', name: 'All images', text: (row) => sizeText(configurationOf(row).maxResourcesInBytes), minor: true },
    { key: 'requests', name: 'Requests of a tenant', text: (row) => ratesText(configurationOf(row).tenantServerRestLimitsConfiguration ?? ''), minor: true },
    { key: 'createdTime', name: 'Created', text: (row) => formatDate(row.createdTime), sort: 'createdTime', minor: true },
  ];
  protected readonly actions: readonly RowAction<TenantProfile>[] = [
    { name: 'Edit', icon: 'edit', run: (row) => void this.edit(row) },
    { name: 'Make default', icon: 'check', shown: (row) => !row.default, run: (row) => void this.makeDefault(row) },
    { name: 'Delete', icon: 'delete', shown: (row) => !row.default, run: (row) => void this.remove(row), destructive: true },
  ];

  protected async edit(row: TenantProfile | null): Promise<void> {
    let value = row;
    if (row) {
      try {
        // The row may be old, and what is saved contains all members of the configuration.
        value = await firstValueFrom(this.api.get(row.id.id));
      } catch (error) {
        this.notices.fail(`“${row.name}” cannot be opened: ${errorText(error)}`);
        this.records().refresh();
        return;
      }
    }
    const saved = await this.dialogs.ask<TenantProfile | null, TenantProfile>(() => import('./profile-dialog').then((m) => m.ProfileDialog), value);
    if (saved) {
      this.notices.say(`“${saved.name}” saved`);
      this.records().refresh();
    }
  }

  private async makeDefault(row: TenantProfile): Promise<void> {
    try {
      await this.api.makeDefault(row.id.id);
      this.notices.say(`New tenants get the profile “${row.name}”`);
    } catch (error) {
      this.notices.fail(`“${row.name}” was not made the default: ${errorText(error)}`);
    }
    this.records().refresh();
  }

  private async remove(row: TenantProfile): Promise<void> {
    const sure = await this.dialogs.confirm({
      title: `Delete “${row.name}”?`,
      text: 'Only a profile without tenants can be deleted. This cannot be undone.',
      confirm: 'Delete profile',
      destructive: true,
    });
    if (!sure) {
      return;
    }
    try {
      await this.api.delete(row.id.id);
      this.notices.say(`“${row.name}” deleted`);
    } catch (error) {
      this.notices.fail(`“${row.name}” was not deleted: ${errorText(error)}`);
    }
    this.records().refresh();
  }
}

function configurationOf(row: TenantProfile): ProfileConfiguration {
  return row.profileData?.configuration ?? {};
}

function sizeText(bytes: number | null | undefined): string {
  return bytes ? formatSize(bytes) : 'No limit';
}
