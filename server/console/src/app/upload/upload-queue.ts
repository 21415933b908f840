import { HttpEventType } from '@angular/common/http';
import { Injectable, computed, effect, inject, signal, untracked } from '@angular/core';
import { Subscription } from 'rxjs';

import { Connection } from '../core/connection';
import { errorText, isConnectionLoss } from '../core/errors';
import { ImagesApi } from '../core/images-api';
import { ImageInfo } from '../core/model';
import { exportObjection, imageObjection, isJsonFile } from './file-check';

export type UploadState =
  /** May still be named; nothing has been sent. */
  | 'draft'
  /** Will not be sent, and the reason is given. */
  | 'refused'
  | 'waiting'
  | 'sending'
  | 'done'
  | 'failed'
  | 'cancelled';

export class UploadItem {
  readonly title = signal('');
  readonly state = signal<UploadState>('draft');
  /** From 0 to 1; at 1 the server is at work on it. */
  readonly progress = signal(0);
  readonly problem = signal<string | null>(null);
  readonly result = signal<ImageInfo | null>(null);
  /** The browser cannot draw this picture, whatever the server may do with it. */
  readonly undrawable = signal(false);
  readonly thumbnail: string | null;
  readonly isJson: boolean;
  subscription: Subscription | null = null;
  /** How often the connection has broken off while this file was on its way. */
  breaks = 0;

  constructor(readonly file: File) {
    this.isJson = isJsonFile(file);
    this.title.set(file.name);
    this.thumbnail = this.isJson ? null : URL.createObjectURL(file);
  }

  dispose(): void {
    this.subscription?.unsubscribe();
    if (this.thumbnail) {
      URL.revokeObjectURL(this.thumbnail);
    }
  }
}

const AT_ONCE = 4;
// A lost connection is waited for. A file at which it breaks off again and again is the cause itself: it was
// changed or taken away since it was chosen, or something on the way refuses it.
const BREAKS_BORNE = 3;

const UNREADABLE = 'This file cannot be read any more.';
const BROKEN_OFF =
  'The connection broke off each time this file was sent. It may have been changed or moved since it was chosen.';

/** Files on their way to the server; lives on when the dialog that shows it is closed. */
@Injectable({ providedIn: 'root' })
export class UploadQueue {
  private readonly api = inject(ImagesApi);
  private readonly connection = inject(Connection);
  private readonly list = signal<readonly UploadItem[]>([]);
  private readonly storedCount = signal(0);

  readonly items = this.list.asReadonly();
  /** Grows with every image stored, so that views can look again. */
  readonly stored = this.storedCount.asReadonly();
  /** The dialog is open and shows what happens. */
  attended = false;
  readonly drafts = this.count('draft');
  readonly failed = this.count('failed');
  /** What the server or the console itself has refused; what was cancelled is missed by nobody. */
  readonly notStored = this.count('failed', 'refused');
  readonly done = this.count('done');
  readonly running = this.count('waiting', 'sending');
  readonly unfinished = computed(() => this.running() + this.notStored());
  readonly summary = computed(() => {
    const running = this.running();
    if (running > 0) {
      return `Uploading ${this.done() + 1} of ${running + this.done()}`;
    }
    return `${this.notStored()} not uploaded`;
  });

  constructor() {
    addEventListener('beforeunload', (event) => {
      if (this.running() > 0) {
        event.preventDefault();
      }
    });
    // What stopped for want of a connection goes on by itself.
    effect(() => {
      if (this.connection.returns() > 0) {
        untracked(() => this.pump());
      }
    });
  }

  async add(files: readonly File[]): Promise<void> {
    const added = files.map((file) => new UploadItem(file));
    if (untracked(this.running) === 0) {
      this.clear('done', 'cancelled');
    }
    this.list.update((items) => [...items, ...added]);
    const maxSize = await this.api.maxSize().catch(() => 0);
    for (const item of added) {
      const text = item.isJson ? await textOf(item.file) : '';
      const objection = text === null ? UNREADABLE : item.isJson ? exportObjection(text, maxSize) : imageObjection(item.file, maxSize);
      if (objection) {
        item.problem.set(objection);
        item.state.set('refused');
      } else if (text) {
        const { title } = JSON.parse(text) as { title?: unknown };
        item.title.set(typeof title === 'string' ? title : item.file.name);
      }
    }
  }

  start(): void {
    this.list()
      .filter((item) => item.state() === 'draft')
      .forEach((item) => item.state.set('waiting'));
    this.pump();
  }

  cancel(item: UploadItem): void {
    item.subscription?.unsubscribe();
    item.subscription = null;
    item.progress.set(0);
    item.state.set('cancelled');
    this.pump();
  }

  retry(item: UploadItem): void {
    item.breaks = 0;
    item.problem.set(null);
    item.progress.set(0);
    item.state.set('waiting');
    this.pump();
  }

  remove(item: UploadItem): void {
    item.dispose();
    this.list.update((items) => items.filter((other) => other !== item));
    this.pump();
  }

  /** Takes the items in these states out of the list; without states, all that are not running. */
  clear(...states: UploadState[]): void {
    const gone = (item: UploadItem) =>
      states.length > 0
        ? states.includes(item.state())
        : item.state() !== 'waiting' && item.state() !== 'sending';
    this.list().filter(gone).forEach((item) => item.dispose());
    this.list.update((items) => items.filter((item) => !gone(item)));
  }

  private count(...states: UploadState[]) {
    return computed(() => this.list().filter((item) => states.includes(item.state())).length);
  }

  private pump(): void {
    if (this.connection.lost()) {
      return;
    }
    let sending = this.list().filter((item) => item.state() === 'sending').length;
    for (const item of this.list()) {
      if (sending >= AT_ONCE) {
        return;
      }
      if (item.state() === 'waiting') {
        item.state.set('sending');
        sending += 1;
        void this.send(item);
      }
    }
  }

  private async send(item: UploadItem): Promise<void> {
    const title = item.title().trim() || item.file.name;
    const text = item.isJson ? await textOf(item.file) : '';
    if (item.state() !== 'sending') {
      return;
    }
    if (text === null) {
      item.problem.set(UNREADABLE);
      item.state.set('failed');
      this.pump();
      return;
    }
    const call = item.isJson ? this.api.import(text) : this.api.upload(item.file, title);
    item.subscription = call.subscribe({
      next: (event) => {
        if (event.type === HttpEventType.UploadProgress && event.total) {
          item.progress.set(event.loaded / event.total);
        } else if (event.type === HttpEventType.Response) {
          item.result.set(event.body);
          item.progress.set(1);
          item.state.set('done');
          this.storedCount.update((n) => n + 1);
          this.pump();
        }
      },
      error: (error: unknown) => {
        item.progress.set(0);
        if (isConnectionLoss(error)) {
          item.breaks += 1;
        }
        if (isConnectionLoss(error) && item.breaks <= BREAKS_BORNE) {
          item.state.set('waiting');
          this.connection.reportLoss();
        } else {
          item.problem.set(isConnectionLoss(error) ? BROKEN_OFF : errorText(error));
          item.state.set('failed');
        }
        this.pump();
      },
    });
  }
}

async function textOf(file: File): Promise<string | null> {
  try {
    return await file.text();
  } catch {
    return null;
  }
}
