// SPDX-License-Identifier: Apache-2.0
import { HttpEventType } from '@angular/common/http';
import { Injectable, computed, effect, inject, signal, untracked } from '@angular/core';
import { Subscription } from 'rxjs';

import { Connection } from '../core/connection';
import { errorText, isConflict, isConnectionLoss } from '../core/errors';
import { plural } from '../core/format';
import { ImagesApi } from '../core/images-api';
import { ImageInfo } from '../core/model';
import { RateHold } from '../core/rate-hold';
import { LazyCode } from '../shared/lazy-code';
import { Notices } from '../shared/notices';
import { exportObjection, imageObjection, isJsonFile, isZipFile, sizeObjection } from './file-check';
import type { PackedDescription, PackedImage, PackedImages } from './packed-images';
import { StoredBySize } from './same-pictures';
import { sha256 } from './sha256';

export type UploadState =
  /** An archive whose contents take its place when they are known. */
  | 'reading'
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
  /** The image was there already, as the archive has it. */
  readonly unchanged = signal(false);
  /** The browser cannot draw this picture; the server may be able to. */
  readonly undrawable = signal(false);
  readonly thumbnail: string | null;
  /** Is imported: an export as JSON, or an image in an archive. */
  readonly isJson: boolean;
  readonly name: string;
  readonly size: number;
  subscription: Subscription | null = null;
  /** Ends the reading of an archive, or of the image that is being sent. */
  reading: AbortController | null = null;
  /** How often the connection was lost while this file was being sent. */
  breaks = 0;
  /** The user has confirmed that the import replaces an image. */
  overwrite = false;
  private digest: Promise<string> | null = null;

  /** `packed`: an image in `file`, which is an archive. */
  constructor(
    readonly file: File,
    readonly packed: PackedImage | null = null,
  ) {
    this.isJson = packed !== null || isJsonFile(file);
    this.name = packed?.name ?? file.name;
    this.size = packed?.size ?? file.size;
    this.title.set(this.name);
    this.thumbnail = this.isJson || isZipFile(file) ? null : URL.createObjectURL(file);
  }

  /** The etag that the server gives to this content. */
  etag(): Promise<string> {
    return (this.digest ??= sha256(this.file));
  }

  /** Ends what is under way, so that nothing of it changes the item any more. */
  stop(): void {
    this.reading?.abort();
    this.reading = null;
    this.subscription?.unsubscribe();
    this.subscription = null;
  }

  dispose(): void {
    this.stop();
    if (this.thumbnail) {
      URL.revokeObjectURL(this.thumbnail);
    }
  }
}

const AT_ONCE = 4;
// In seconds.
const LONGEST_HOLD = 600;
// A file waits for a lost connection. Where the connection is lost each time a file is sent, the file itself is the
// cause: it was changed or removed since it was chosen, or a proxy refuses it.
const BREAKS_BORNE = 3;

// Text and encoding of a picture in memory take several times its size.
const LARGEST_PACKED = 256 * 1024 * 1024;

const UNREADABLE = 'This file cannot be read any more.';
const TAKEN = 'An image with the key of this export exists. Importing it replaces that image.';
const BROKEN_OFF =
  'The connection was lost each time this file was sent. It may have been changed or moved since it was chosen.';

/** The files that are uploaded. The queue continues when the dialog that shows it is closed. */
@Injectable({ providedIn: 'root' })
export class UploadQueue {
  private readonly api = inject(ImagesApi);
  private readonly connection = inject(Connection);
  private readonly code = inject(LazyCode);
  private readonly notices = inject(Notices);
  private readonly list = signal<readonly UploadItem[]>([]);
  private readonly storedCount = signal(0);
  private readonly rates = new RateHold(LONGEST_HOLD);

  readonly items = this.list.asReadonly();
  /** Incremented with every stored image, so that views can refresh. */
  readonly stored = this.storedCount.asReadonly();
  /** Why waiting files are not sent; null if they are. */
  readonly hold = this.rates.state;
  /** The dialog that shows the queue is open. */
  attended = false;
  readonly drafts = this.count('draft');
  /** Archives whose images are not known yet. */
  readonly reading = this.count('reading');
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
    const archives = added.filter((item) => isZipFile(item.file));
    for (const item of archives) {
      item.reading = new AbortController();
      item.state.set('reading');
    }
    const maxSize = await this.api.maxSize().catch(() => 0);
    for (const item of added.filter((item) => !archives.includes(item))) {
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
    const pictures = added.filter((item) => item.thumbnail !== null && item.state() === 'draft');
    await Promise.all([
      this.compare(pictures).catch(() => undefined),
      ...archives.map((item) => this.unpack(item, maxSize)),
    ]);
  }

  /** Puts the images in an archive in its place. */
  private async unpack(archive: UploadItem, maxSize: number): Promise<void> {
    const signal = archive.reading?.signal;
    if (!signal || signal.aborted) {
      return;
    }
    let found: PackedImages;
    let slack: number;
    try {
      const code = await this.code.load(() => import('./packed-images'));
      if (!code) {
        this.remove([archive]);
        return;
      }
      slack = code.MAX_DESCRIPTION;
      found = await code.imagesIn(archive.file, signal, (done) => archive.progress.set(done));
      signal.throwIfAborted();
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      // What else may fail is the reading of the file.
      archive.problem.set(error instanceof Error && error.name === 'ZipError' ? error.message : UNREADABLE);
      archive.state.set('refused');
      return;
    }
    const items = found.images.map((image) => {
      const item = new UploadItem(archive.file, image);
      // JSON contains the picture as Base64, and more than the picture. The server checks what is close to the limit.
      const size = image.isWhole ? Math.floor(((image.size - slack) * 3) / 4) : image.size;
      const objection = sizeObjection(size, maxSize);
      if (objection ?? image.size > LARGEST_PACKED) {
        item.problem.set(objection ?? 'Too large to be imported by a browser. Use gallery-admin images import.');
        item.state.set('refused');
      }
      return item;
    });
    this.list.update((list) => list.flatMap((item) => (item === archive ? items : [item])));
    if (found.leftOut > 0) {
      this.notices.say(`${plural(found.leftOut, 'file')} in “${archive.name}” left out: no description of an image`);
    }
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

  cancel(items: readonly UploadItem[]): void {
    for (const item of items) {
      item.stop();
      item.progress.set(0);
      item.state.set('cancelled');
    }
    // Only now: an item that is cancelled as well must not be started before.
    this.pump();
  }

  cancelAll(): void {
    this.cancel(this.list().filter((item) => item.state() === 'waiting' || item.state() === 'sending'));
  }

  retry(items: readonly UploadItem[]): void {
    for (const item of items) {
      item.breaks = 0;
      item.problem.set(null);
      item.overwrite = item.conflict();
      item.conflict.set(false);
      item.progress.set(0);
      item.state.set('waiting');
    }
    this.pump();
  }

  remove(items: readonly UploadItem[]): void {
    const removed = new Set(items);
    items.forEach((item) => item.dispose());
    this.list.update((list) => list.filter((item) => !removed.has(item)));
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
      const before = items.slice(0, Math.max(0, items.indexOf(item))).filter((other) => other.thumbnail !== null && other.size === item.size);
      for (const other of before) {
        if (!item.twin() && (await other.etag()) === (await item.etag())) {
          item.twin.set(other);
        }
      }
      const candidates = await stored.find(item.size);
      if (candidates.length > 0) {
        const etag = await item.etag();
        item.stored.set(candidates.find((image) => image.etag === etag) ?? null);
      }
    }
  }

  private pump(): void {
    if (this.connection.lost() || this.hold()) {
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

  // An image that is there already and is as the archive has it needs no decision.
  private async settle(item: UploadItem, about: PackedDescription, signal: AbortSignal): Promise<void> {
    const present = await this.api.infoOf(about.resourceKey ?? '').catch(() => null);
    if (signal.aborted) {
      return;
    }
    if (present && isAsDescribed(present, about)) {
      item.result.set(present);
      item.unchanged.set(true);
      item.progress.set(1);
      item.state.set('done');
    } else {
      item.conflict.set(true);
      item.problem.set(TAKEN);
      item.state.set('failed');
    }
    this.pump();
  }

  private async send(item: UploadItem): Promise<void> {
    const title = item.title().trim() || item.name;
    // Of this attempt only: an item that was cancelled and is sent again has another.
    const { signal } = (item.reading = new AbortController());
    const { text, about, problem } = await contentOf(item, signal);
    if (signal.aborted) {
      return;
    }
    if (problem !== null) {
      item.problem.set(problem);
      item.state.set('failed');
      this.pump();
      return;
    }
    const call = item.isJson ? this.api.import(text, item.overwrite || !(about?.resourceKey ?? namesKey(text))) : this.api.upload(item.file, title);
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
        } else if (this.rates.note(error)) {
          item.state.set('waiting');
          void this.rates.whenOver().then(() => this.pump());
        } else if (about && isConflict(error)) {
          void this.settle(item, about, signal);
          return;
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

interface Content {
  /** Of the import; empty for a picture. */
  readonly text: string;
  readonly about: PackedDescription | null;
  readonly problem: string | null;
}

async function contentOf({ file, packed, isJson }: UploadItem, signal: AbortSignal): Promise<Content> {
  try {
    if (packed) {
      const { text, about } = await packed.read(signal);
      return { text, about: about.resourceKey ? about : null, problem: null };
    }
    return { text: isJson ? await file.text() : '', about: null, problem: null };
  } catch (error) {
    const known = error instanceof Error && error.name === 'ZipError';
    return { text: '', about: null, problem: known ? error.message : UNREADABLE };
  }
}

// As gallery-admin compares them: what the description does not state is as it may be.
function isAsDescribed(image: ImageInfo, about: PackedDescription): boolean {
  const same = (stated: unknown, present: unknown) => stated === undefined || stated === present;
  const tags = (list: readonly string[] | undefined) => JSON.stringify([...new Set(list ?? [])].sort());
  return (
    about.etag !== undefined &&
    about.etag === image.etag &&
    same(about.title, image.title) &&
    same(about.fileName, image.fileName) &&
    same(about.subType, image.resourceSubType) &&
    same(about.public, image.public) &&
    (about.tags === undefined || tags(about.tags) === tags(image.tags))
  );
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
