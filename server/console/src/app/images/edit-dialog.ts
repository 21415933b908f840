// SPDX-License-Identifier: Apache-2.0
import { AsyncPipe } from '@angular/common';
import { HttpEventType } from '@angular/common/http';
import { ChangeDetectionStrategy, Component, ElementRef, OnDestroy, computed, inject, signal, viewChild } from '@angular/core';
import { MatButtonModule } from '@angular/material/button';
import { MAT_DIALOG_DATA, MatDialogModule, MatDialogRef } from '@angular/material/dialog';
import { MatFormFieldModule } from '@angular/material/form-field';
import { MatInputModule } from '@angular/material/input';
import { MatProgressBarModule } from '@angular/material/progress-bar';
import { ImagePipe } from 'gallery-image-pipe';
import { Subscription } from 'rxjs';

import { errorText, isConflict, isGone } from '../core/errors';
import { formatLimit, formatSize, formatTime } from '../core/format';
import { ImagesApi, isSystemImage, versionedAddress } from '../core/images-api';
import { ImageInfo } from '../core/model';
import { Dialogs } from '../shared/dialogs';
import { Icon } from '../shared/icon';
import { Notices } from '../shared/notices';
import { PictureGround } from '../shared/picture-ground';
import { IMAGE_ACCEPT, imageObjection } from '../upload/file-check';
import { ImageActions } from './image-actions';
import { ImageRights } from './image-rights';

interface Candidate {
  readonly file: File;
  readonly url: string;
}

@Component({
  imports: [AsyncPipe, MatButtonModule, MatDialogModule, MatFormFieldModule, MatInputModule, MatProgressBarModule, Icon, ImagePipe, PictureGround],
  templateUrl: './edit-dialog.html',
  styleUrl: './edit-dialog.scss',
  host: {
    '(dragenter)': 'drag(1)',
    '(dragleave)': 'drag(-1)',
    '(drop)': 'drop($event)',
  },
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class EditDialog implements OnDestroy {
  private readonly api = inject(ImagesApi);
  private readonly dialog = inject<MatDialogRef<unknown, boolean>>(MatDialogRef);
  private readonly dialogs = inject(Dialogs);
  private readonly notices = inject(Notices);
  private readonly host = inject<ElementRef<HTMLElement>>(ElementRef).nativeElement;
  private readonly name = viewChild<ElementRef<HTMLInputElement>>('name');
  private readonly chooser = viewChild<ElementRef<HTMLInputElement>>('chooser');
  private changed = false;
  private sending: Subscription | null = null;

  protected readonly limit = signal(0);
  protected readonly formatLimit = formatLimit;
  private readonly rights = inject(ImageRights);
  protected readonly actions = inject(ImageActions);
  protected readonly image = signal(inject<ImageInfo>(MAT_DIALOG_DATA));
  protected readonly accept = IMAGE_ACCEPT;
  protected readonly formatSize = formatSize;
  protected readonly formatTime = formatTime;
  protected readonly address = versionedAddress;

  /** Another user has deleted the image. */
  protected readonly gone = signal(false);
  protected readonly mayChange = computed(() => !this.gone() && this.rights.mayChange(this.image()));
  protected readonly system = computed(() => isSystemImage(this.image()));
  protected readonly title = signal(this.image().title);
  protected readonly dirty = computed(() => this.title() !== this.image().title);
  protected readonly saving = signal(false);
  protected readonly error = signal<string | null>(null);
  protected readonly actualSize = signal(false);
  /** Few browsers draw TIFF and HEIF. The server's preview is shown then. */
  protected readonly undrawable = signal(false);
  protected readonly shown = computed(() => ({ preview: this.undrawable() }));
  protected readonly dragging = signal(0);
  /** The picture that was chosen to replace the present one, until the user confirms. */
  protected readonly candidate = signal<Candidate | null>(null);
  protected readonly candidateSize = signal<string | null>(null);
  protected readonly candidateUndrawable = signal(false);
  protected readonly progress = signal<number | null>(null);
  readonly unsaved = computed(() => !this.gone() && (this.dirty() || this.candidate() !== null));

  constructor() {
    void this.api.maxSize().then(
      (size) => this.limit.set(size),
      () => undefined,
    );
    // The list may be out of date; the image that is edited must not be.
    this.api.info(this.image()).then(
      (fresh) => {
        if (!this.dirty()) {
          this.title.set(fresh.title);
        }
        this.image.set(fresh);
      },
      (error: unknown) => this.fail(error),
    );
  }

  ngOnDestroy(): void {
    this.sending?.unsubscribe();
    this.forget();
  }

  protected undo(): void {
    this.title.set(this.image().title);
    this.name()?.nativeElement.focus();
  }

  protected async save(): Promise<void> {
    const title = this.title().trim();
    if (!title || !this.dirty() || this.saving()) {
      return;
    }
    this.saving.set(true);
    this.error.set(null);
    try {
      const saved = await this.rename(title);
      if (saved) {
        this.take(saved);
        this.title.set(saved.title);
        this.notices.say('Name saved');
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.saving.set(false);
      this.name()?.nativeElement.focus();
    }
  }

  protected async embed(): Promise<void> {
    const image = await this.actions.embed(this.image());
    if (image !== this.image()) {
      this.take(image);
    }
  }

  protected choose(): void {
    this.chooser()?.nativeElement.click();
  }

  protected chosen(): void {
    const input = this.chooser()?.nativeElement;
    const file = input?.files?.[0];
    if (input && file) {
      void this.propose(file);
      input.value = '';
    }
  }

  protected drag(step: number): void {
    this.dragging.update((depth) => Math.max(0, depth + step));
  }

  protected drop(event: DragEvent): void {
    this.dragging.set(0);
    const file = event.dataTransfer?.files[0];
    if (file) {
      event.preventDefault();
      if (this.mayChange()) {
        void this.propose(file);
      }
    }
  }

  protected measured(image: HTMLImageElement): void {
    this.candidateSize.set(`${image.naturalWidth}×${image.naturalHeight}`);
  }

  protected discard(): void {
    this.forget();
    this.error.set(null);
    this.keepFocus();
  }

  protected replace(overwrite = false): void {
    const candidate = this.candidate();
    if (!candidate || this.progress() !== null) {
      return;
    }
    this.progress.set(0);
    this.error.set(null);
    this.keepFocus();
    this.sending = this.api.replace(this.image(), candidate.file, overwrite).subscribe({
      next: (event) => {
        if (event.type === HttpEventType.UploadProgress && event.total) {
          this.progress.set((100 * event.loaded) / event.total);
        } else if (event.type === HttpEventType.Response && event.body) {
          this.progress.set(null);
          this.take(event.body);
          this.discard();
          this.notices.say('Image updated');
        }
      },
      error: (error: unknown) => {
        this.progress.set(null);
        if (isConflict(error)) {
          void this.replaceAfterAll();
        } else {
          this.fail(error);
        }
        this.keepFocus();
      },
    });
  }

  protected stop(): void {
    this.sending?.unsubscribe();
    this.progress.set(null);
    this.keepFocus();
  }

  protected async remove(): Promise<void> {
    const deleted = await this.actions.delete([this.image()]);
    if (deleted.length > 0) {
      this.dialog.close(false);
    }
  }

  async close(): Promise<void> {
    if (
      this.unsaved() &&
      !(await this.dialogs.confirm({
        title: 'Close without saving?',
        text: 'Your changes have not been saved.',
        confirm: 'Close without saving',
        destructive: true,
      }))
    ) {
      return;
    }
    this.dialog.close(this.changed);
  }

  // Resolves to null if another user has changed the image and the user declines to overwrite that.
  private async rename(title: string): Promise<ImageInfo | null> {
    const before = this.image();
    const now = await this.api.info(before);
    if (now.title !== before.title && now.title !== title) {
      const overwrite = await this.overwrites(`Another user has renamed this image to “${now.title}”.`, 'Rename anyway');
      if (!overwrite) {
        this.take(now);
        return null;
      }
    }
    try {
      return await this.api.rename(before, title);
    } catch (error) {
      if (!isConflict(error)) {
        throw error;
      }
    }
    this.take(await this.api.info(before));
    return (await this.overwrites('Another user has replaced the picture of this image.', 'Rename anyway'))
      ? await this.api.rename(this.image(), title, true)
      : null;
  }

  private async replaceAfterAll(): Promise<void> {
    try {
      this.take(await this.api.info(this.image()));
    } catch (error) {
      this.fail(error);
      return;
    }
    if (await this.overwrites('Another user has replaced this picture. It is shown beside yours.', 'Replace anyway')) {
      this.replace(true);
    }
  }

  private overwrites(what: string, confirm: string): Promise<boolean> {
    return this.dialogs.confirm({
      title: 'Overwrite the change of another user?',
      text: `${what} Your change has not been saved yet.`,
      confirm,
      destructive: true,
    });
  }

  private take(image: ImageInfo): void {
    this.changed = true;
    if (image.etag !== this.image().etag) {
      this.undrawable.set(false);
      this.actualSize.set(false);
    }
    this.image.set(image);
  }

  private forget(): void {
    const candidate = this.candidate();
    if (candidate) {
      URL.revokeObjectURL(candidate.url);
      this.candidate.set(null);
      this.candidateSize.set(null);
      this.candidateUndrawable.set(false);
    }
  }

  // The button that was used is about to disappear. A question above this dialog keeps the focus.
  private keepFocus(): void {
    const dialog = this.host.closest<HTMLElement>('mat-dialog-container');
    if (dialog && (document.activeElement === document.body || dialog.contains(document.activeElement))) {
      dialog.focus();
    }
  }

  private fail(error: unknown): void {
    if (isGone(error)) {
      this.changed = true;
      this.gone.set(true);
    } else {
      this.error.set(errorText(error));
    }
  }

  private async propose(file: File): Promise<void> {
    const objection = imageObjection(file, await this.api.maxSize().catch(() => 0));
    this.discard();
    this.error.set(objection);
    if (!objection) {
      this.candidate.set({ file, url: URL.createObjectURL(file) });
    }
  }
}
