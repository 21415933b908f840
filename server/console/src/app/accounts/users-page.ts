// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, computed, effect, inject, signal, untracked, viewChild } from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { MatButtonModule } from '@angular/material/button';
import { ActivatedRoute, RouterLink } from '@angular/router';
import { map } from 'rxjs';

import { AccountsApi } from '../core/accounts-api';
import { errorText } from '../core/errors';
import { formatDate } from '../core/format';
import { AUTHORITY_NAMES, Organisation, PageRequest, User } from '../core/model';
import { Session } from '../core/session';
import { Dialogs } from '../shared/dialogs';
import { Icon } from '../shared/icon';
import { Notices } from '../shared/notices';
import { SecretDialogData } from './secret-dialog';
import { Column, Records, RowAction } from './records';
import { UserDialogData } from './user-dialog';

/** The users whom the signed-in administrator manages; `?tenant=` limits them to one tenant's. */
@Component({
  imports: [MatButtonModule, RouterLink, Icon, Records],
  template: `
    <g-records heading="Users" empty="There are no users yet." [columns]="columns" [actions]="actions" [fetch]="fetch()" [label]="label">
      @if (tenant(); as of) {
        <span beside class="of">
          of {{ of.title }}
          <a routerLink="/users" aria-label="Show the users of all tenants" title="Show all"><g-icon name="close" /></a>
        </span>
      }
      <button matButton="filled" type="button" (click)="edit(null)"><g-icon name="plus" matButtonIcon />Add user</button>
    </g-records>
  `,
  styles: `
    .of {
      display: inline-flex;
      align-items: center;
      gap: 6px;
      padding: 4px 6px 4px 14px;
      border-radius: 999px;
      background: var(--mat-sys-secondary-container);
      color: var(--mat-sys-on-secondary-container);
    }
    a {
      display: inline-flex;
      padding: 4px;
      color: inherit;
    }
    .of g-icon {
      width: 16px;
      height: 16px;
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class UsersPage {
  private readonly api = inject(AccountsApi);
  private readonly dialogs = inject(Dialogs);
  private readonly notices = inject(Notices);
  private readonly session = inject(Session);
  private readonly records = viewChild.required<Records<User>>(Records);

  private readonly tenantId = toSignal(
    inject(ActivatedRoute).queryParamMap.pipe(map((params) => params.get('tenant'))),
    { requireSync: true },
  );
  protected readonly tenant = signal<Organisation | null>(null);
  protected readonly label = (row: User) => row.email;
  protected readonly fetch = computed(() => {
    const tenant = this.session.isSystem() ? this.tenantId() : null;
    return (request: PageRequest) => this.api.users(request, tenant);
  });
  protected readonly columns: readonly Column<User>[] = [
    { key: 'email', name: 'E-mail', text: (row) => row.email, sort: 'email' },
    { key: 'name', name: 'Name', text: (row) => [row.firstName, row.lastName].filter(Boolean).join(' '), minor: true },
    { key: 'authority', name: 'Role', text: (row) => AUTHORITY_NAMES[row.authority], minor: true },
    { key: 'createdTime', name: 'Created', text: (row) => formatDate(row.createdTime), sort: 'createdTime', minor: true },
    { key: 'state', name: 'State', text: (row) => (enabled(row) ? '' : invited(row) ? 'Invited' : 'Not active'), badge: true },
  ];
  protected readonly actions: readonly RowAction<User>[] = [
    { name: 'Edit', icon: 'edit', run: (row) => void this.edit(row) },
    { name: 'Activation link', icon: 'key', shown: invited, run: (row) => void this.showLink(row, true) },
    {
      name: (row) => (enabled(row) ? 'Disable' : 'Enable'),
      icon: 'lock',
      shown: (row) => !this.isSelf(row) && !invited(row),
      run: (row) => void this.setEnabled(row, !enabled(row)),
    },
    { name: 'Withdraw link', icon: 'lock', shown: invited, run: (row) => void this.withdrawLink(row) },
    {
      name: 'Delete',
      icon: 'delete',
      shown: (row) => !this.isSelf(row),
      run: (row) => void this.remove(row),
      destructive: true,
    },
  ];

  constructor() {
    effect(() => {
      const id = this.tenantId();
      untracked(() => {
        this.tenant.set(null);
        if (id && this.session.isSystem()) {
          this.api.organisation('tenant', id).then(
            (tenant) => this.tenant.set(tenant),
            (error: unknown) => this.notices.fail(errorText(error)),
          );
        }
      });
    });
  }

  protected async edit(value: User | null): Promise<void> {
    const saved = await this.dialogs.ask<UserDialogData, User>(
      () => import('./user-dialog').then((m) => m.UserDialog),
      { value, tenant: this.tenant() },
      { width: '460px' },
    );
    if (!saved) {
      return;
    }
    this.records().refresh();
    if (value) {
      this.notices.say(`${saved.email} saved`);
    } else {
      await this.showLink(saved, false);
    }
  }

  private isSelf(row: User): boolean {
    return row.id.id === this.session.user()?.id.id;
  }

  private async showLink(user: User, known: boolean): Promise<void> {
    try {
      const secret = await this.api.activationLink(user.id.id);
      await this.dialogs.ask<SecretDialogData, void>(() => import('./secret-dialog').then((m) => m.SecretDialog), {
        title: known ? 'Activation link' : `${user.email} was added`,
        text: 'No e-mail is sent. Give this link to the user, who chooses a password there.',
        secret,
        name: 'Link',
      });
    } catch (error) {
      this.notices.fail(`There is no activation link for ${user.email}: ${errorText(error)}`);
    }
  }

  private async setEnabled(row: User, on: boolean): Promise<void> {
    try {
      await this.api.enableUser(row.id.id, on);
      this.notices.say(`${row.email} ${on ? 'enabled' : 'disabled'}`);
    } catch (error) {
      this.notices.fail(errorText(error));
    }
    this.records().refresh();
  }

  /** The link that was given out stops working. The next one is different. */
  private async withdrawLink(row: User): Promise<void> {
    try {
      await this.api.enableUser(row.id.id, false);
      this.notices.say(`The activation link of ${row.email} is no longer valid`);
    } catch (error) {
      this.notices.fail(errorText(error));
    }
  }

  private async remove(row: User): Promise<void> {
    const sure = await this.dialogs.confirm({
      title: `Delete ${row.email}?`,
      text: 'The user is signed out and the API keys stop working at once. This cannot be undone; images stay.',
      confirm: 'Delete user',
      destructive: true,
    });
    if (!sure) {
      return;
    }
    try {
      await this.api.deleteUser(row.id.id);
      this.notices.say(`${row.email} deleted`);
    } catch (error) {
      this.notices.fail(`${row.email} was not deleted: ${errorText(error)}`);
    }
    this.records().refresh();
  }
}

/** No password has been chosen yet. */
function invited(user: User): boolean {
  return user.additionalInfo?.userActivated === false;
}

function enabled(user: User): boolean {
  return user.additionalInfo?.userCredentialsEnabled !== false;
}
