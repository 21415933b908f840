// SPDX-License-Identifier: Apache-2.0
import { Injectable, inject, signal } from '@angular/core';

import { served } from '../core/base-path';
import { blobErrorText, errorText, messageIn } from '../core/errors';
import { plural } from '../core/format';
import { ImagesApi } from '../core/images-api';
import { ArchiveLayout, ImageInfo, ImageRef } from '../core/model';
import { Dialogs } from '../shared/dialogs';
import { Notices } from '../shared/notices';
import { startDownload } from './start-download';

/** The actions on an image, for the list, the grid and the edit dialog. */
@Injectable({ providedIn: 'root' })
export class ImageActions {
  private readonly api = inject(ImagesApi);
  private readonly dialogs = inject(Dialogs);
  private readonly notices = inject(Notices);
  private readonly changeCount = signal(0);
  private readonly deletedImages = signal<readonly ImageRef[]>([]);

  /** Incremented when an image was changed or deleted here. */
  readonly changes = this.changeCount.asReadonly();
  /** The images that were deleted here last. */
  readonly deleted = this.deletedImages.asReadonly();

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

  /** Starts the download of these images in one zip archive, which the browser saves as it arrives. */
  async downloadAll(images: readonly ImageRef[], layout: ArchiveLayout): Promise<void> {
    const [of, verb] = [plural(images.length, 'image'), layout === 'EXPORT' ? 'exported' : 'downloaded'];
    const fail = (reason: string) => this.notices.fail(`${of} could not be ${verb}: ${reason}`);
    try {
      const { address, text } = await this.api.archive(images, layout);
      startDownload(served(address), { images: text }, (answer) => fail(messageIn(answer) ?? 'The server cannot be reached, or refuses it. Try again.'));
      this.notices.say(layout === 'EXPORT' ? `Exporting ${of}` : `Downloading ${of}`);
    } catch (error) {
      fail(errorText(error));
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

  /** Asks once, deletes, and shows which images could not be deleted. Resolves to those that were. */
  async delete(images: readonly ImageRef[]): Promise<readonly ImageRef[]> {
    const deleted =
      (await this.dialogs.ask<readonly ImageRef[], readonly ImageRef[]>(() => import('./delete-dialog').then((m) => m.DeleteDialog), images, {
        width: '480px',
        role: 'alertdialog',
      })) ?? [];
    if (deleted.length > 0) {
      this.deletedImages.set(deleted);
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
