// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, computed, effect, inject, untracked } from '@angular/core';
import { MatButtonModule } from '@angular/material/button';
import { MatMenuModule } from '@angular/material/menu';
import { RouterLink, RouterLinkActive, RouterOutlet } from '@angular/router';

import { errorText } from '../core/errors';
import { plural } from '../core/format';
import { AUTHORITY_NAMES } from '../core/model';
import { Session } from '../core/session';
import { Dialogs } from '../shared/dialogs';
import { Icon, IconName } from '../shared/icon';
import { Notices } from '../shared/notices';
import { UploadQueue } from '../upload/upload-queue';
import { openUploads } from '../upload/open-uploads';

interface Place {
  readonly path: string;
  readonly name: string;
  readonly icon: IconName;
}

@Component({
  imports: [RouterOutlet, RouterLink, RouterLinkActive, MatButtonModule, MatMenuModule, Icon],
  templateUrl: './shell.html',
  styleUrl: './shell.scss',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class Shell {
  private readonly session = inject(Session);
  private readonly dialogs = inject(Dialogs);
  private readonly notices = inject(Notices);
  protected readonly uploads = inject(UploadQueue);

  protected readonly user = this.session.user;
  protected readonly role = computed(() => {
    const user = this.user();
    return user ? AUTHORITY_NAMES[user.authority] : '';
  });
  protected readonly name = computed(() => {
    const user = this.user();
    return [user?.firstName, user?.lastName].filter(Boolean).join(' ') || (user?.email ?? '');
  });
  protected readonly initial = computed(() => this.name().charAt(0).toUpperCase());

  protected readonly places = computed<readonly Place[]>(() => {
    const images: Place = { path: '/images', name: 'Images', icon: 'images' };
    const users: Place = { path: '/users', name: 'Users', icon: 'users' };
    const keys: Place = { path: '/api-keys', name: 'API keys', icon: 'key' };
    if (this.session.isSystem()) {
      const tenants: Place = { path: '/tenants', name: 'Tenants', icon: 'tenants' };
      const profiles: Place = { path: '/tenant-profiles', name: 'Tenant profiles', icon: 'profiles' };
      return [images, tenants, profiles, users, keys, { path: '/mirror', name: 'Mirror', icon: 'mirror' }];
    }
    if (this.session.isAdmin()) {
      return [images, { path: '/customers', name: 'Customers', icon: 'customers' }, users, keys];
    }
    return [keys];
  });

  constructor() {
    let busy = false;
    effect(() => {
      const was = busy;
      busy = this.uploads.running() > 0;
      if (was && !busy) {
        untracked(() => this.sayUploaded());
      }
    });
  }

  protected showUploads(): void {
    openUploads(this.dialogs);
  }

  protected async changePassword(): Promise<void> {
    if (await this.dialogs.ask<null, boolean>(() => import('../accounts/password-dialog').then((m) => m.PasswordDialog), null, { width: '420px' })) {
      this.notices.say('Your password has been changed');
    }
  }

  protected async signOut(): Promise<void> {
    if (await this.mayLeave()) {
      await this.session.signOut();
    }
  }

  protected async signOutEverywhere(): Promise<void> {
    const sure = await this.dialogs.confirm({
      title: 'Sign out everywhere?',
      text: 'Every browser and device in which you are signed in asks for the password again. API keys keep working.',
      confirm: 'Sign out everywhere',
    });
    if (!sure) {
      return;
    }
    try {
      await this.session.signOut(true);
    } catch (error) {
      this.notices.fail(`You were not signed out: ${errorText(error)}`);
    }
  }

  // Reports uploads that ended in the background. Failed ones stay in the header.
  private sayUploaded(): void {
    const done = this.uploads.done();
    if (!this.uploads.attended && done > 0) {
      this.notices.say(`${plural(done, 'image')} uploaded`);
    }
  }

  private async mayLeave(): Promise<boolean> {
    return (
      this.uploads.running() === 0 ||
      this.dialogs.confirm({
        title: 'Stop the uploads?',
        text: 'Some pictures are still being uploaded. Signing out now stops them.',
        confirm: 'Stop and sign out',
        destructive: true,
      })
    );
  }
}
