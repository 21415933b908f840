// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, inject, signal } from '@angular/core';
import { FormsModule } from '@angular/forms';
import { MatButtonModule } from '@angular/material/button';
import { MatFormFieldModule } from '@angular/material/form-field';
import { MatInputModule } from '@angular/material/input';
import { ActivatedRoute, Router } from '@angular/router';

import { errorText } from '../core/errors';
import { Session } from '../core/session';
import { Icon } from '../shared/icon';

@Component({
  imports: [FormsModule, MatButtonModule, MatFormFieldModule, MatInputModule, Icon],
  templateUrl: './login-page.html',
  styleUrl: './login.scss',
  host: { '(window:storage)': 'signedInElsewhere()' },
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class LoginPage {
  private readonly session = inject(Session);
  private readonly router = inject(Router);
  private readonly route = inject(ActivatedRoute);

  protected readonly username = signal('');
  protected readonly password = signal('');
  protected readonly busy = signal(false);
  protected readonly error = signal<string | null>(null);

  protected async submit(): Promise<void> {
    if (this.busy()) {
      return;
    }
    this.busy.set(true);
    this.error.set(null);
    try {
      await this.session.signIn(this.username().trim(), this.password());
      await this.router.navigateByUrl(this.target(), { replaceUrl: true });
    } catch (error) {
      this.error.set(errorText(error));
    } finally {
      this.busy.set(false);
    }
  }

  /** The user signed in in another tab, so this one continues as well. */
  protected signedInElsewhere(): void {
    if (this.session.signedIn) {
      void this.router.navigateByUrl(this.target(), { replaceUrl: true });
    }
  }

  // Only a path of this application. "//host" and the like lead to another site.
  private target(): string {
    const to = this.route.snapshot.queryParamMap.get('to') ?? '/images';
    return /^\/(?![/\\])/.test(to) ? to : '/images';
  }
}
