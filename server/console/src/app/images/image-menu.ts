// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, inject, viewChild } from '@angular/core';
import { MatMenu, MatMenuModule } from '@angular/material/menu';

import { ImageInfo } from '../core/model';
import { Icon } from '../shared/icon';
import { ImageActions } from './image-actions';
import { ImageEditor } from './image-editor';
import { ImageRights } from './image-rights';

/** All actions of one image in a menu, where there is no space for a row of buttons. */
@Component({
  selector: 'g-image-menu',
  imports: [MatMenuModule, Icon],
  template: `
    <mat-menu #menu="matMenu" xPosition="before">
      <ng-template matMenuContent let-image="image">
        @if (typed(image); as image) {
          <button mat-menu-item (click)="actions.download(image)"><g-icon name="download" matMenuItemIcon />Download</button>
          <button mat-menu-item (click)="actions.export(image)"><g-icon name="export" matMenuItemIcon />Export to JSON</button>
          <button mat-menu-item (click)="actions.embed(image)"><g-icon name="embed" matMenuItemIcon />Embed</button>
          @if (rights.mayChange(image)) {
            <button mat-menu-item (click)="editor.open(image)"><g-icon name="edit" matMenuItemIcon />Edit</button>
            <button mat-menu-item class="g-danger-item" (click)="actions.delete([image])"><g-icon name="delete" matMenuItemIcon />Delete</button>
          } @else {
            <button mat-menu-item (click)="editor.open(image)"><g-icon name="view" matMenuItemIcon />View</button>
          }
        }
      </ng-template>
    </mat-menu>
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class ImageMenu {
  protected readonly actions = inject(ImageActions);
  protected readonly editor = inject(ImageEditor);
  protected readonly rights = inject(ImageRights);
  readonly menu = viewChild.required<MatMenu>('menu');

  // The context of the menu's template is untyped.
  protected typed(image: unknown): ImageInfo {
    return image as ImageInfo;
  }
}
