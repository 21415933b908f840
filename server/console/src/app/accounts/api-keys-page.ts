// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, inject, viewChild } from '@angular/core';
import { MatButtonModule } from '@angular/material/button';

import { AccountsApi } from '../core/accounts-api';
import { errorText } from '../core/errors';
import { formatDate, formatTime } from '../core/format';
import { ApiKey, ApiKeyInfo, PageRequest } from '../core/model';
import { Session } from '../core/session';
import { Dialogs } from '../shared/dialogs';
import { Icon } from '../shared/icon';
import { Notices } from '../shared/notices';
import { SecretDialogData } from './secret-dialog';
import { Column, Records, RowAction } from './records';

@Component({
  imports: [MatButtonModule, Icon, Records],
  template: `
    <g-records
      heading="API keys"
      empty="You have no API keys. A key lets a device or a script use the gallery with your rights."
      [columns]="columns"
      [actions]="actions"
      [fetch]="fetch"
      [label]="label"
      [searchable]="false"
    >
      <button matButton="filled" type="button" (click)="edit(null)"><g-icon name="plus" matButtonIcon />Add key</button>
    </g-records>
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class ApiKeysPage {
  private readonly api = inject(AccountsApi);
  private readonly dialogs = inject(Dialogs);
  private readonly notices = inject(Notices);
  private readonly session = inject(Session);
  private readonly records = viewChild.required<Records<ApiKeyInfo>>(Records);

  protected readonly label = (row: ApiKeyInfo) => row.description;
  protected readonly fetch = (request: PageRequest) =>
    this.api.apiKeys(this.session.user()!.id.id, request);
  protected readonly columns: readonly Column<ApiKeyInfo>[] = [
    { key: 'description', name: 'Description', text: (row) => row.description },
    { key: 'createdTime', name: 'Created', text: (row) => formatDate(row.createdTime), sort: 'createdTime', minor: true },
    { key: 'expires', name: 'Expires', text: (row) => (row.expirationTime ? formatDate(row.expirationTime) : 'Never'), minor: true },
    { key: 'used', name: 'Last used', text: (row) => (row.lastUsedTime ? formatTime(row.lastUsedTime) : 'Never'), minor: true },
    { key: 'state', name: 'State', text: (row) => (row.expired ? 'Expired' : row.enabled ? '' : 'Disabled'), badge: true },
  ];
  protected readonly actions: readonly RowAction<ApiKeyInfo>[] = [
    { name: 'Edit description', icon: 'edit', run: (row) => void this.edit(row) },
    {
      name: (row) => (row.enabled ? 'Disable' : 'Enable'),
      icon: 'lock',
      run: (row) => void this.change(row, () => this.api.enableApiKey(row.id.id, !row.enabled)),
    },
    { name: 'Delete', icon: 'delete', run: (row) => void this.remove(row), destructive: true },
  ];

  protected async edit(value: ApiKeyInfo | null): Promise<void> {
    const saved = await this.dialogs.ask<ApiKeyInfo | null, ApiKeyInfo | ApiKey>(
      () => import('./api-key-dialog').then((m) => m.ApiKeyDialog),
      value,
      { width: '440px' },
    );
    if (!saved) {
      return;
    }
    this.records().refresh();
    if ('value' in saved) {
      await this.dialogs.ask<SecretDialogData, void>(
        () => import('./secret-dialog').then((m) => m.SecretDialog),
        {
          title: 'Your new API key',
          text: 'Copy it now. It cannot be shown again. Send it as “X-Authorization: ApiKey …”.',
          secret: saved.value,
          name: 'Key',
        },
        { disableClose: true },
      );
    }
  }

  private async remove(row: ApiKeyInfo): Promise<void> {
    const sure = await this.dialogs.confirm({
      title: `Delete the key “${row.description}”?`,
      text: 'Devices and scripts that use this key are refused from their next request on. This cannot be undone.',
      confirm: 'Delete key',
      destructive: true,
    });
    if (sure) {
      await this.change(row, () => this.api.deleteApiKey(row.id.id));
    }
  }

  private async change(row: ApiKeyInfo, call: () => Promise<unknown>): Promise<void> {
    try {
      await call();
    } catch (error) {
      this.notices.fail(`“${row.description}” was not changed: ${errorText(error)}`);
    }
    this.records().refresh();
  }
}
