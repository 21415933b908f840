// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component } from '@angular/core';
import { RouterLink } from '@angular/router';

import { Icon } from '../shared/icon';

@Component({
  imports: [RouterLink, Icon],
  template: `
    <section>
      <g-icon name="lock" />
      <h1>The gallery is for administrators</h1>
      <p>
        Your account may show the pictures of its tenant, in dashboards and pages that embed them, but
        not manage them. Ask your tenant administrator if you need to.
      </p>
      <p>You can still <a routerLink="/api-keys">manage your API keys</a> and change your password.</p>
    </section>
  `,
  styleUrl: './message.scss',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class AdministratorsOnly {}
