// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, input, output } from '@angular/core';
import { MatButtonModule } from '@angular/material/button';

import { Icon } from '../shared/icon';

@Component({
  selector: 'g-images-empty',
  imports: [MatButtonModule, Icon],
  template: `
    <g-icon [name]="search() ? 'search' : 'images'" />
    @if (search()) {
      <p>No image has “{{ search() }}” in its name.</p>
    } @else {
      <p>There are no images yet. Drop some here, paste one, or choose files.</p>
      <button matButton="tonal" type="button" (click)="upload.emit()">Upload images</button>
    }
  `,
  styles: `
    :host {
      display: flex;
      flex-direction: column;
      align-items: center;
      padding: 72px 24px;
      color: var(--mat-sys-on-surface-variant);
      text-align: center;
      overflow-wrap: anywhere;
    }
    g-icon {
      width: 48px;
      height: 48px;
      color: var(--mat-sys-outline);
    }
    p {
      margin: 16px 0 20px;
      font-size: 15px;
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class ImagesEmpty {
  readonly search = input('');
  readonly upload = output();
}
