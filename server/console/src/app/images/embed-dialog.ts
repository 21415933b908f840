// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, computed, inject, signal } from '@angular/core';
import { MatButtonModule } from '@angular/material/button';
import { MatButtonToggleModule } from '@angular/material/button-toggle';
import { MAT_DIALOG_DATA, MatDialogModule, MatDialogRef } from '@angular/material/dialog';
import { MatSlideToggle, MatSlideToggleModule } from '@angular/material/slide-toggle';

import { servedLink } from '../core/base-path';
import { errorText } from '../core/errors';
import { ImagesApi } from '../core/images-api';
import { ImageInfo } from '../core/model';
import { Icon } from '../shared/icon';
import { Notices } from '../shared/notices';
import { ImageRights } from './image-rights';
import { angularSnippet, htmlSnippet } from './snippets';

type Kind = 'angular' | 'html';

@Component({
  imports: [MatButtonModule, MatButtonToggleModule, MatDialogModule, MatSlideToggleModule, Icon],
  templateUrl: './embed-dialog.html',
  styleUrl: './embed-dialog.scss',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class EmbedDialog {
  private readonly api = inject(ImagesApi);
  private readonly dialog = inject<MatDialogRef<unknown, ImageInfo>>(MatDialogRef);
  private readonly original = inject<ImageInfo>(MAT_DIALOG_DATA);
  private changing = Promise.resolve();

  protected readonly notices = inject(Notices);
  protected readonly image = signal(this.original);
  protected readonly mayChange = inject(ImageRights).mayChange(this.original);
  protected readonly kind = signal<Kind>('angular');
  protected readonly busy = signal(false);
  protected readonly error = signal<string | null>(null);
  protected readonly snippet = computed(() =>
    this.kind() === 'html' ? htmlSnippet(this.image()) : angularSnippet(this.image()),
  );
  protected readonly address = computed(() => {
    const link = this.image().publicLink;
    return link ? new URL(servedLink(link), location.origin).href : null;
  });

  protected setPublic(toggle: MatSlideToggle): void {
    this.changing = this.change(toggle);
  }

  async close(): Promise<void> {
    // The result of a change in progress is returned, too.
    await this.changing;
    this.dialog.close(this.image() === this.original ? undefined : this.image());
  }

  private async change(toggle: MatSlideToggle): Promise<void> {
    this.busy.set(true);
    this.error.set(null);
    try {
      this.image.set(await this.api.setPublic(this.image(), toggle.checked));
    } catch (error) {
      toggle.checked = this.image().public;
      this.error.set(errorText(error));
    } finally {
      this.busy.set(false);
    }
  }
}
