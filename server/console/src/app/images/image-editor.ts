// SPDX-License-Identifier: Apache-2.0
import { Injectable, inject } from '@angular/core';

import { ImageInfo } from '../core/model';
import { Dialogs } from '../shared/dialogs';
import { ImageActions } from './image-actions';

/** Opens the dialog in which one image is viewed and changed. */
@Injectable({ providedIn: 'root' })
export class ImageEditor {
  private readonly dialogs = inject(Dialogs);
  private readonly actions = inject(ImageActions);

  async open(image: ImageInfo): Promise<void> {
    const changed = await this.dialogs.ask<ImageInfo, boolean>(() => import('./edit-dialog').then((m) => m.EditDialog), image, {
      width: '1040px',
      panelClass: 'g-wide',
      autoFocus: 'dialog',
    });
    if (changed) {
      this.actions.noteChange();
    }
  }
}
