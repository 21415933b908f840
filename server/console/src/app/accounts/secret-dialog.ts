// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, inject } from '@angular/core';
import { MatButtonModule } from '@angular/material/button';
import { MAT_DIALOG_DATA, MatDialogModule } from '@angular/material/dialog';

import { Icon } from '../shared/icon';
import { Notices } from '../shared/notices';

export interface SecretDialogData {
  readonly title: string;
  readonly text: string;
  readonly secret: string;
  /** What it is, in one word. */
  readonly name: string;
}

/** Shows a secret to copy, such as a new key. */
@Component({
  imports: [MatButtonModule, MatDialogModule, Icon],
  template: `
    <h2 mat-dialog-title>{{ data.title }}</h2>
    <mat-dialog-content>
      <p>{{ data.text }}</p>
      <div class="secret">
        <code tabindex="0" [attr.aria-label]="data.name">{{ data.secret }}</code>
        <button matIconButton type="button" title="Copy" [attr.aria-label]="'Copy the ' + data.name.toLowerCase()" (click)="notices.copy(data.secret, data.name)">
          <g-icon name="copy" />
        </button>
      </div>
    </mat-dialog-content>
    <mat-dialog-actions>
      <button matButton="filled" type="button" mat-dialog-close>Done</button>
    </mat-dialog-actions>
  `,
  styles: `
    .secret {
      display: flex;
      align-items: center;
      gap: 4px;
      padding: 6px 4px 6px 14px;
      border-radius: 12px;
      background: var(--g-picture);
    }
    code {
      flex: 1;
      min-width: 0;
      font: 13px/1.5 ui-monospace, 'SF Mono', Consolas, 'DejaVu Sans Mono', monospace;
      overflow-wrap: anywhere;
      user-select: all;
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class SecretDialog {
  protected readonly data = inject<SecretDialogData>(MAT_DIALOG_DATA);
  protected readonly notices = inject(Notices);
}
