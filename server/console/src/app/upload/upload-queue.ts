// SPDX-License-Identifier: Apache-2.0
import { HttpEventType } from '@angular/common/http';
import { Injectable, computed, effect, inject, signal, untracked } from '@angular/core';
import { Subscription } from 'rxjs';

import { Connection } from '../core/connection';
import { errorText, isConflict, isConnectionLoss } from '../core/errors';
import { ImagesApi } from '../core/images-api';
import { ImageInfo } from '../core/model';
import { exportObjection, imageObjection, isJsonFile } from './file-check';
import { StoredBySize } from './same-pictures';
import { sha256 } from './sha256';

export type UploadState =
  /** Can still be renamed; nothing has been sent. */
  | 'draft'
  /** Is not sent, for the reason that is shown. */
  | 'refused'
  | 'waiting'
  | 'sending'
  | 'done'
  | 'failed'
  | 'cancelled';

export class UploadItem {
  readonly title = signal('');
  readonly state = signal<UploadState>('draft');
  /** From 0 to 1; at 1 the server is processing it. */
  readonly progress = signal(0);
  readonly problem = signal<string | null>(null);
  readonly result = signal<ImageInfo | null>(null);
  /** This file of the list has the same content. */
  readonly twin = signal<UploadItem | null>(null);
  /** This stored image has the same content. */
  readonly stored = signal<ImageInfo | null>(null);
  /** The import would replace an image, which takes another confirmation. */
  readonly conflict = signal(false);
  /** The browser cannot draw this picture; the server may be able to. */
  readonly undrawable = signal(false);
  readonly thumbnail: string | null;
  readonly isJson: boolean;
  subscription: Subscription | null = null;
  /** How often the connection was lost while this file was being sent. */
  breaks = 0;
  /** The user has confirmed that the import replaces an image. */
  overwrite = false;
  private digest: Promise<string> | null = null;

  constructor(readonly file: File) {
    this.isJson = isJsonFile(file);
    this.title.set(file.name);
    this.thumbnail = this.isJson ? null : URL.createObjectURL(file);
  }

  /** The etag that the server gives to this content. */
  etag(): Promise<string> {
    return (this.digest ??= sha256(this.file));
  }

  dispose(): void {
    this.subscription?.unsubscribe();
    if (this.thumbnail) {
      URL.revokeObjectURL(this.thumbnail);
    }
  }
}

const AT_ONCE = 4;
// A file waits for a lost connection. Where the connection is lost each time a file is sent, the file itself is the
// cause: it was changed or removed since it was chosen, or a proxy refuses it.
const BREAKS_BORNE = 3;

const UNREADABLE = 'This file cannot be read any more.';
const TAKEN = 'An image with the key of this export exists. Importing it replaces that image.';
const BROKEN_OFF =
  'The connection was lost each time this file was sent. It may have been changed or moved since it was chosen.';

/** The files that are uploaded. The queue continues when the dialog that shows it is closed. */
@Injectable({ providedIn: 'root' })
export class UploadQueue {
  private readonly api = inject(ImagesApi);
  private readonly connection = inject(Connection);
  private readonly list = signal<readonly UploadItem[]>([]);
  private readonly storedCount = signal(0);

  readonly items = this.list.asReadonly();
  /** Incremented with every stored image, so that views can refresh. */
  readonly stored = this.storedCount.asReadonly();
  /** The dialog that shows the queue is open. */
  attended = false;
  readonly drafts = this.count('draft');
  readonly failed = this.count('failed');
  /** What the server or the console has refused, without what the user cancelled. */
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
    // What stopped because the connection was lost continues.
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
    await this.compare(added.filter((item) => !item.isJson && item.state() === 'draft')).catch(() => undefined);
  }

  /** Whether a draft has the content of another file in the list or of a stored image. */
  isCopy(item: UploadItem): boolean {
    return item.state() === 'draft' && (item.stored() !== null || this.twinOf(item) !== null);
  }

  /** The file of the list with the same content, while it is going to be stored or has been. */
  twinOf(item: UploadItem): UploadItem | null {
    const twin = item.twin();
    return twin && this.list().includes(twin) && twin.state() !== 'refused' && twin.state() !== 'cancelled' ? twin : null;
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
    item.overwrite = item.conflict();
    item.conflict.set(false);
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

  // Content is read and hashed only where the sizes are equal.
  private async compare(added: readonly UploadItem[]): Promise<void> {
    const stored = new StoredBySize(this.api);
    for (const item of added) {
      const items = this.list();
      const before = items.slice(0, Math.max(0, items.indexOf(item))).filter((other) => !other.isJson && other.file.size === item.file.size);
      for (const other of before) {
        if (!item.twin() && (await other.etag()) === (await item.etag())) {
          item.twin.set(other);
        }
      }
      const candidates = await stored.find(item.file.size);
      if (candidates.length > 0) {
        const etag = await item.etag();
        item.stored.set(candidates.find((image) => image.etag === etag) ?? null);
      }
    }
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
    const call = item.isJson ? this.api.import(text, item.overwrite || !namesKey(text)) : this.api.upload(item.file, title);
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
          item.conflict.set(item.isJson && isConflict(error));
          item.problem.set(item.conflict() ? TAKEN : isConnectionLoss(error) ? BROKEN_OFF : errorText(error));
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

// Only an export that names its key replaces the image with that key.
function namesKey(text: string): boolean {
  return Boolean((JSON.parse(text) as { resourceKey?: unknown } | null)?.resourceKey);
}
