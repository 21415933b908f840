// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component } from '@angular/core';
import { RouterLink } from '@angular/router';

import { Icon } from '../shared/icon';

@Component({
  imports: [RouterLink, Icon],
  template: `
    <section>
      <g-icon name="no-image" />
      <h1>There is nothing here</h1>
      <p>The address leads nowhere. <a routerLink="/images">To the images</a></p>
    </section>
  `,
  styleUrl: './message.scss',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class NotFound {}
