// SPDX-License-Identifier: Apache-2.0
import { Injectable, inject } from '@angular/core';

import { isSystemImage } from '../core/images-api';
import { ImageRef } from '../core/model';
import { Session } from '../core/session';

/** What the signed-in administrator may do with an image. The server decides again. */
@Injectable({ providedIn: 'root' })
export class ImageRights {
  private readonly session = inject(Session);

  /** Only the system administrator changes system images; tenants may view them. */
  mayChange(image: ImageRef): boolean {
    return this.session.isSystem() || !isSystemImage(image);
  }

  /** Whether to mark a system image as one; for the system administrator, all images are. */
  isMarked(image: ImageRef): boolean {
    return isSystemImage(image) && !this.session.isSystem();
  }
}
