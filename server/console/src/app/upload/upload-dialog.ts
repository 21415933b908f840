// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, DestroyRef, ElementRef, Injector, computed, effect, inject, signal, untracked, viewChild } from '@angular/core';
import { MatButtonModule } from '@angular/material/button';
import { MAT_DIALOG_DATA, MatDialogModule, MatDialogRef } from '@angular/material/dialog';
import { MatProgressBarModule } from '@angular/material/progress-bar';
import { MatTooltipModule } from '@angular/material/tooltip';

import { asSentence } from '../core/errors';
import { formatDuration, formatLimit, formatSize, plural } from '../core/format';
import { ImagesApi } from '../core/images-api';
import { Dialogs } from '../shared/dialogs';
import { Icon } from '../shared/icon';
import { keepFocus } from '../shared/keep-focus';
import { Notices } from '../shared/notices';
import { PictureGround } from '../shared/picture-ground';
import { IMAGE_ACCEPT, IMPORT_ACCEPT, isUsable } from './file-check';
import { UploadKind } from './upload-kind';
import { UploadItem, UploadQueue } from './upload-queue';

const SHOWN_AT_ONCE = 200;

@Component({
  imports: [MatButtonModule, MatDialogModule, MatProgressBarModule, MatTooltipModule, Icon, PictureGround],
  templateUrl: './upload-dialog.html',
  styleUrl: './upload-dialog.scss',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class UploadDialog {
  private readonly dialog = inject(MatDialogRef);
  private readonly dialogs = inject(Dialogs);
  private readonly notices = inject(Notices);
  private readonly rows = viewChild<ElementRef<HTMLElement>>('rows');
  private readonly chooser = viewChild.required<ElementRef<HTMLInputElement>>('chooser');

  protected readonly queue = inject(UploadQueue);
  protected readonly kind = inject<UploadKind>(MAT_DIALOG_DATA);
  protected readonly accept = this.kind === 'json' ? IMPORT_ACCEPT : IMAGE_ACCEPT;
  protected readonly over = signal(false);
  protected readonly limit = signal(0);
  protected readonly formatLimit = formatLimit;
  protected readonly formatSize = formatSize;
  protected readonly plural = plural;
  protected readonly heading = computed(() =>
    this.kind === 'json' ? 'Import images' : 'Upload images',
  );
  protected readonly startLabel = computed(() => {
    const drafts = this.queue.drafts();
    const verb = this.kind === 'json' ? 'Import' : 'Upload';
    return drafts > 0 ? `${verb} ${plural(drafts, 'image')}` : verb;
  });
  /** What has failed comes first, then what is being sent. */
  private readonly inOrder = computed(() => {
    const items = this.queue.items();
    const rank = (item: UploadItem) => {
      const state = item.state();
      return state === 'failed' || state === 'refused' ? 0 : items.length > SHOWN_AT_ONCE && state === 'sending' ? 1 : 2;
    };
    return [0, 1, 2].flatMap((wanted) => items.filter((item) => rank(item) === wanted));
  });
  /** Thousands of rows would take the browser a long time. */
  protected readonly items = computed(() => this.inOrder().slice(0, SHOWN_AT_ONCE));
  protected readonly hidden = computed(() => this.inOrder().length - this.items().length);
  protected readonly outcome = computed(() => {
    const verb = this.kind === 'json' ? 'imported' : 'uploaded';
    const stored = this.queue.done();
    const missing = this.queue.notStored();
    // Not while the first number grows: a screen reader would announce every step.
    const [reading, drafts] = [this.queue.reading(), this.queue.drafts()];
    const parts = [
      reading > 0 && `Reading ${reading === 1 ? 'the archive' : 'the archives'}…`,
      reading === 0 && drafts > 0 && this.queue.items().some((item) => item.packed) && `${plural(drafts, 'image')} ready`,
      stored > 0 && this.queue.running() === 0 && `${stored} ${verb}`,
      missing > 0 && `${missing} not ${verb}`,
    ];
    return parts.filter(Boolean).join(' · ');
  });
  /** Why waiting files are not sent, and when they are. */
  protected readonly hold = computed(() => {
    const hold = this.queue.running() > 0 ? this.queue.hold() : null;
    return hold ? `${asSentence(hold.reason)} The waiting files are sent in ${formatDuration(hold.seconds)}.` : '';
  });
  protected readonly copies = computed(() => this.queue.items().filter((item) => this.queue.isCopy(item)));
  protected readonly retryable = computed(() =>
    this.queue.items().filter((item) => item.state() === 'failed' && !item.conflict()),
  );
  protected readonly conflicts = computed(() => this.queue.items().filter((item) => item.state() === 'failed' && item.conflict()));
  // While uploads run, the list is kept in the background, but nobody would start the images of an archive that is
  // still being read.
  readonly unsaved = computed(() => this.queue.reading() > 0 || (this.queue.drafts() > 0 && this.queue.running() === 0));
  private started = false;

  constructor() {
    this.queue.attended = true;
    // However the dialog is closed, files that were not started are removed.
    inject(DestroyRef).onDestroy(() => {
      this.queue.attended = false;
      this.queue.clear('reading');
      if (this.queue.running() === 0) {
        this.queue.clear();
      }
    });
    void inject(ImagesApi)
      .maxSize()
      .then((size) => this.limit.set(size))
      .catch(() => undefined);
    // A row that is replaced by others, or whose buttons change, does not take the focus with it.
    const injector = inject(Injector);
    effect(() => {
      this.items();
      untracked(() => {
        const list = this.rows();
        if (list) {
          keepFocus(list.nativeElement, injector);
        }
      });
    });
    // When everything is uploaded, the dialog closes itself.
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

  protected chooseFolder(): void {
    const input = document.createElement('input');
    input.type = 'file';
    input.webkitdirectory = true;
    input.addEventListener('change', () => {
      const files = [...(input.files ?? [])];
      const pictures = files.filter(isUsable);
      if (pictures.length < files.length) {
        this.notices.say(`${plural(files.length - pictures.length, 'file')} in the folder left out: not an image`);
      }
      void this.queue.add(pictures);
    });
    input.click();
  }

  protected leaveOutCopies(): void {
    this.queue.remove(this.copies());
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
    // The button is called “Continue in background” then.
    if (this.queue.running() > 0 && this.queue.reading() > 0) {
      void this.close();
    } else {
      this.dialog.close();
    }
  }

  async close(): Promise<void> {
    const archives = this.queue.items().filter((item) => item.state() === 'reading').map((item) => item.file);
    const reading = archives.length > 0;
    const losesDrafts = this.queue.drafts() > 0 && this.queue.running() === 0;
    const action = reading ? 'Close without importing' : 'Close without uploading';
    const texts = [
      reading && 'An archive is still being read. If you close this dialog now, none of its images are imported.',
      losesDrafts && 'The chosen files and the names you gave them are not kept.',
    ];
    if (
      !this.unsaved() ||
      (await this.dialogs.confirm({
        title: `${action}?`,
        text: texts.filter(Boolean).join(' '),
        confirm: action,
        destructive: true,
      }))
    ) {
      // An archive may have been read while the question was open.
      this.queue.remove(this.queue.items().filter((item) => item.state() === 'draft' && archives.includes(item.file)));
      this.dialog.close();
    }
  }

  protected retryAll(): void {
    this.queue.retry(this.retryable());
  }

  protected replaceAll(): void {
    this.queue.retry(this.conflicts());
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
