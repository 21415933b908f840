import { ChangeDetectionStrategy, Component, DestroyRef, ElementRef, computed, effect, inject, signal, untracked, viewChild } from '@angular/core';
import { MatButtonModule } from '@angular/material/button';
import { MAT_DIALOG_DATA, MatDialogModule, MatDialogRef } from '@angular/material/dialog';
import { MatProgressBarModule } from '@angular/material/progress-bar';
import { MatTooltipModule } from '@angular/material/tooltip';

import { formatSize, plural } from '../core/format';
import { ImagesApi } from '../core/images-api';
import { Dialogs } from '../shared/dialogs';
import { Icon } from '../shared/icon';
import { Notices } from '../shared/notices';
import { IMAGE_ACCEPT, JSON_ACCEPT } from './file-check';
import { UploadKind } from './open-uploads';
import { UploadItem, UploadQueue } from './upload-queue';

@Component({
  imports: [MatButtonModule, MatDialogModule, MatProgressBarModule, MatTooltipModule, Icon],
  templateUrl: './upload-dialog.html',
  styleUrl: './upload-dialog.scss',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class UploadDialog {
  private readonly dialog = inject(MatDialogRef);
  private readonly dialogs = inject(Dialogs);
  private readonly notices = inject(Notices);
  private readonly chooser = viewChild.required<ElementRef<HTMLInputElement>>('chooser');

  protected readonly queue = inject(UploadQueue);
  protected readonly kind = inject<UploadKind>(MAT_DIALOG_DATA);
  protected readonly accept = this.kind === 'json' ? JSON_ACCEPT : IMAGE_ACCEPT;
  protected readonly over = signal(false);
  protected readonly limit = signal(0);
  protected readonly formatSize = formatSize;
  protected readonly plural = plural;
  protected readonly heading = computed(() =>
    this.kind === 'json' ? 'Import images from JSON' : 'Upload images',
  );
  protected readonly startLabel = computed(() => {
    const drafts = this.queue.drafts();
    const verb = this.kind === 'json' ? 'Import' : 'Upload';
    return drafts > 0 ? `${verb} ${plural(drafts, 'image')}` : verb;
  });
  /** What has gone wrong comes first, where it is seen. */
  protected readonly items = computed(() => {
    const items = this.queue.items();
    const wrong = (item: UploadItem) => item.state() === 'failed' || item.state() === 'refused';
    return [...items.filter(wrong), ...items.filter((item) => !wrong(item))];
  });
  protected readonly outcome = computed(() => {
    const verb = this.kind === 'json' ? 'imported' : 'uploaded';
    const stored = this.queue.done();
    const missing = this.queue.notStored();
    // Not while the one number runs up: those who hear it would hear nothing else.
    const parts = [stored > 0 && this.queue.running() === 0 && `${stored} ${verb}`, missing > 0 && `${missing} not ${verb}`];
    return parts.filter(Boolean).join(' · ');
  });
  // While others are on their way, the list is kept in the background.
  readonly unsaved = computed(() => this.queue.drafts() > 0 && this.queue.running() === 0);
  private started = false;

  constructor() {
    this.queue.attended = true;
    // However it is closed: what was not started is forgotten.
    inject(DestroyRef).onDestroy(() => {
      this.queue.attended = false;
      if (this.queue.running() === 0) {
        this.queue.clear();
      }
    });
    void inject(ImagesApi)
      .maxSize()
      .then((size) => this.limit.set(size))
      .catch(() => undefined);
    // When all has gone well there is nothing left to look at.
    effect(() => {
      const items = this.queue.items();
      const allDone = items.length > 0 && this.queue.done() === items.length;
      if (allDone) {
        untracked(() => this.finish(items.length));
      }
    });
  }

  protected choose(): void {
    this.chooser().nativeElement.click();
  }

  protected chosen(): void {
    const input = this.chooser().nativeElement;
    void this.queue.add([...(input.files ?? [])]);
    input.value = '';
  }

  protected start(): void {
    this.started = true;
    this.queue.start();
  }

  protected cancel(): void {
    this.dialog.close();
  }

  async close(): Promise<void> {
    if (
      !this.unsaved() ||
      (await this.dialogs.confirm({
        title: 'Close without uploading?',
        text: 'The files that you have chosen, and the names you have given them, are forgotten then.',
        confirm: 'Close without uploading',
        destructive: true,
      }))
    ) {
      this.dialog.close();
    }
  }

  protected retryAll(): void {
    this.queue
      .items()
      .filter((item) => item.state() === 'failed')
      .forEach((item) => this.queue.retry(item));
  }

  protected cancelAll(): void {
    this.queue
      .items()
      .filter((item) => item.state() === 'waiting' || item.state() === 'sending')
      .forEach((item) => this.queue.cancel(item));
  }

  protected percent(item: UploadItem): number {
    return Math.round(item.progress() * 100);
  }

  private finish(count: number): void {
    if (this.started) {
      this.notices.say(`${plural(count, 'image')} ${this.kind === 'json' ? 'imported' : 'uploaded'}`);
    }
    this.dialog.close();
  }
}
