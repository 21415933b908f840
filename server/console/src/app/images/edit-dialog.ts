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

import { errorText, isGone } from '../core/errors';
import { formatSize, formatTime } from '../core/format';
import { ImagesApi, isSystemImage, versionedAddress } from '../core/images-api';
import { ImageInfo } from '../core/model';
import { Dialogs } from '../shared/dialogs';
import { Icon } from '../shared/icon';
import { Notices } from '../shared/notices';
import { IMAGE_ACCEPT, imageObjection } from '../upload/file-check';
import { ImageActions } from './image-actions';

interface Candidate {
  readonly file: File;
  readonly url: string;
}

@Component({
  imports: [AsyncPipe, MatButtonModule, MatDialogModule, MatFormFieldModule, MatInputModule, MatProgressBarModule, Icon, ImagePipe],
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

  protected readonly actions = inject(ImageActions);
  protected readonly image = signal(inject<ImageInfo>(MAT_DIALOG_DATA));
  protected readonly accept = IMAGE_ACCEPT;
  protected readonly formatSize = formatSize;
  protected readonly formatTime = formatTime;
  protected readonly address = versionedAddress;

  /** The image has been deleted by somebody else; there is nothing left to edit. */
  protected readonly gone = signal(false);
  protected readonly mayChange = computed(() => !this.gone() && this.actions.mayChange(this.image()));
  protected readonly system = computed(() => isSystemImage(this.image()));
  protected readonly title = signal(this.image().title);
  protected readonly dirty = computed(() => this.title() !== this.image().title);
  protected readonly saving = signal(false);
  protected readonly error = signal<string | null>(null);
  protected readonly actualSize = signal(false);
  /** TIFF and HEIF are pictures, yet few browsers draw them; then the server's preview is shown. */
  protected readonly undrawable = signal(false);
  protected readonly shown = computed(() => ({ preview: this.undrawable() }));
  protected readonly dragging = signal(0);
  /** The picture chosen to take the place of the present one, until that is confirmed. */
  protected readonly candidate = signal<Candidate | null>(null);
  protected readonly candidateSize = signal<string | null>(null);
  protected readonly candidateUndrawable = signal(false);
  protected readonly progress = signal<number | null>(null);
  readonly unsaved = computed(() => !this.gone() && (this.dirty() || this.candidate() !== null));

  constructor() {
    // The list may be a while old; what is edited should not be.
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
      this.take(await this.api.rename(this.image(), title));
      this.title.set(this.image().title);
      this.notices.say('Name saved');
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

  protected replace(): void {
    const candidate = this.candidate();
    if (!candidate || this.progress() !== null) {
      return;
    }
    this.progress.set(0);
    this.error.set(null);
    this.keepFocus();
    this.sending = this.api.replace(this.image(), candidate.file).subscribe({
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
        this.fail(error);
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
        text: 'What you have changed here has not been saved.',
        confirm: 'Close without saving',
        destructive: true,
      }))
    ) {
      return;
    }
    this.dialog.close(this.changed);
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

  // The button that was used is about to go; a question above this dialog keeps the keyboard.
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
