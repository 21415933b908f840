// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, computed, inject, signal } from '@angular/core';
import { FormsModule } from '@angular/forms';
import { MatButtonModule } from '@angular/material/button';
import { MatFormFieldModule } from '@angular/material/form-field';
import { MatInputModule } from '@angular/material/input';
import { ActivatedRoute, Router } from '@angular/router';

import { AccountsApi } from '../core/accounts-api';
import { errorText } from '../core/errors';
import { Session } from '../core/session';
import { Icon } from '../shared/icon';

/** The target of an activation link: the new user chooses a password and is signed in. */
@Component({
  imports: [FormsModule, MatButtonModule, MatFormFieldModule, MatInputModule, Icon],
  templateUrl: './activate-page.html',
  styleUrl: './login.scss',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class ActivatePage {
  private readonly accounts = inject(AccountsApi);
  private readonly session = inject(Session);
  private readonly router = inject(Router);
  private readonly token = inject(ActivatedRoute).snapshot.queryParamMap.get('activateToken') ?? '';

  protected readonly password = signal('');
  protected readonly repeated = signal('');
  protected readonly busy = signal(false);
  protected readonly error = signal(this.token ? null : 'This activation link is not complete.');
  protected readonly differs = computed(() => this.repeated() !== '' && this.repeated() !== this.password());
  protected readonly ready = computed(() => this.password() !== '' && this.password() === this.repeated());

  protected async submit(): Promise<void> {
    if (this.busy() || !this.ready()) {
      return;
    }
    this.busy.set(true);
    this.error.set(null);
    try {
      const pair = await this.accounts.activate(this.token, this.password());
      await this.session.adopt(pair);
      await this.router.navigateByUrl('/images', { replaceUrl: true });
    } catch (error) {
      this.error.set(errorText(error));
    } finally {
      this.busy.set(false);
    }
  }
}
