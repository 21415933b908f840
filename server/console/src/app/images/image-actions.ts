import { Injectable, inject, signal } from '@angular/core';

import { blobErrorText, errorText } from '../core/errors';
import { plural } from '../core/format';
import { ImagesApi, isSystemImage } from '../core/images-api';
import { ImageInfo } from '../core/model';
import { Session } from '../core/session';
import { Dialogs } from '../shared/dialogs';
import { Notices } from '../shared/notices';

/** What can be done with an image, the same in the list, the grid and the edit dialog. */
@Injectable({ providedIn: 'root' })
export class ImageActions {
  private readonly api = inject(ImagesApi);
  private readonly dialogs = inject(Dialogs);
  private readonly notices = inject(Notices);
  private readonly session = inject(Session);
  private readonly changeCount = signal(0);

  /** Grows when an image has been changed or deleted here. */
  readonly changes = this.changeCount.asReadonly();

  /** System images belong to the system administrator; tenants may look at them. */
  mayChange(image: ImageInfo): boolean {
    return this.session.isSystem() || !isSystemImage(image);
  }

  /** Whether to say that this is a system image: to the system administrator, all of them are. */
  isMarked(image: ImageInfo): boolean {
    return isSystemImage(image) && !this.session.isSystem();
  }

  noteChange(): void {
    this.changeCount.update((n) => n + 1);
  }

  async download(image: ImageInfo): Promise<void> {
    try {
      save(await this.api.bytes(image), image.fileName || image.resourceKey);
    } catch (error) {
      this.notices.fail(`“${image.title}” could not be downloaded: ${await blobErrorText(error)}`);
    }
  }

  async export(image: ImageInfo): Promise<void> {
    try {
      const data = await this.api.export(image);
      const name = image.title.replace(/[^\p{L}\p{N}._ -]+/gu, '_').trim() || 'image';
      save(new Blob([JSON.stringify(data, null, 2)], { type: 'application/json' }), `${name}.json`);
    } catch (error) {
      this.notices.fail(`“${image.title}” could not be exported: ${errorText(error)}`);
    }
  }

  async embed(image: ImageInfo): Promise<ImageInfo> {
    const changed = await this.dialogs.ask<ImageInfo, ImageInfo>(() => import('./embed-dialog').then((m) => m.EmbedDialog), image, {
      width: '640px',
    });
    if (changed) {
      this.noteChange();
    }
    return changed ?? image;
  }

  async edit(image: ImageInfo): Promise<void> {
    const changed = await this.dialogs.ask<ImageInfo, boolean>(() => import('./edit-dialog').then((m) => m.EditDialog), image, {
      width: '1040px',
      panelClass: 'g-wide',
      autoFocus: 'dialog',
    });
    if (changed) {
      this.noteChange();
    }
  }

  /** Asks once, deletes, and tells which images could not be deleted. Resolves to those that were. */
  async delete(images: readonly ImageInfo[]): Promise<readonly ImageInfo[]> {
    const deleted =
      (await this.dialogs.ask<readonly ImageInfo[], readonly ImageInfo[]>(() => import('./delete-dialog').then((m) => m.DeleteDialog), images, {
        width: '480px',
        role: 'alertdialog',
      })) ?? [];
    if (deleted.length > 0) {
      this.noteChange();
      this.notices.say(`${plural(deleted.length, 'image')} deleted`);
    }
    return deleted;
  }
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
