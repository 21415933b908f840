// SPDX-License-Identifier: Apache-2.0
import { HttpClient, HttpHeaders } from '@angular/common/http';
import { Injectable, InjectionToken, inject } from '@angular/core';
import { Observable, Subscription } from 'rxjs';

/** How the pipe reaches the gallery. */
export interface GalleryImageOptions {
  /** Put before `/api/...`; empty when the gallery serves the page itself. */
  readonly baseUrl?: string;
  /**
   * The value of the `X-Authorization` header, such as `Bearer ...`. Leave it out where an HTTP
   * interceptor of the application sets the header.
   */
  readonly authorization?: () => string | null;
  /** How many bytes of pictures are kept after they are no longer shown. Default 24 MiB. */
  readonly keepBytes?: number;
}

export const GALLERY_IMAGE_OPTIONS = new InjectionToken<GalleryImageOptions>('GALLERY_IMAGE_OPTIONS', {
  providedIn: 'root',
  factory: () => ({}),
});

interface Entry {
  users: number;
  size: number;
  url: string | null;
  request: Subscription | null;
  readonly waiting: Set<(url: string | null, error?: unknown) => void>;
}

const DEFAULT_KEEP_BYTES = 24 * 1024 * 1024;

/**
 * Fetches pictures with authentication and hands them out as `blob:` URLs.
 *
 * A path that is requested several times at once is fetched once. A URL is valid while it has subscribers and,
 * within `keepBytes`, for a while longer; then it is revoked. A fetch without subscribers is aborted.
 */
@Injectable({ providedIn: 'root' })
export class GalleryImageLoader {
  private readonly http = inject(HttpClient);
  private readonly options = inject(GALLERY_IMAGE_OPTIONS);
  private readonly entries = new Map<string, Entry>();
  /** Entries without subscribers, the one unused for longest first. */
  private readonly idle = new Map<string, Entry>();
  private idleBytes = 0;

  /** Emits the `blob:` URL once and stays open. Unsubscribing releases the URL. */
  load(path: string): Observable<string> {
    return new Observable<string>((subscriber) => {
      const entry = this.take(path);
      const deliver = (url: string | null, error?: unknown) => {
        if (url !== null) {
          subscriber.next(url);
        } else {
          subscriber.error(error);
        }
      };
      if (entry.url !== null) {
        deliver(entry.url);
      } else {
        entry.waiting.add(deliver);
      }
      return () => {
        entry.waiting.delete(deliver);
        this.give(path, entry);
      };
    });
  }

  /** Drops every picture that is not shown now, for example when the user changes. */
  forget(): void {
    for (const [path, entry] of this.idle) {
      this.drop(path, entry);
    }
    this.idle.clear();
    this.idleBytes = 0;
  }

  private take(path: string): Entry {
    let entry = this.entries.get(path);
    if (!entry) {
      entry = { users: 0, size: 0, url: null, request: null, waiting: new Set() };
      this.entries.set(path, entry);
      entry.users = 1;
      this.fetch(path, entry);
      return entry;
    }
    if (this.idle.delete(path)) {
      this.idleBytes -= entry.size;
    }
    entry.users += 1;
    return entry;
  }

  private give(path: string, entry: Entry): void {
    entry.users -= 1;
    if (entry.users > 0 || this.entries.get(path) !== entry) {
      return;
    }
    if (entry.url === null) {
      entry.request?.unsubscribe();
      this.entries.delete(path);
      return;
    }
    this.idle.set(path, entry);
    this.idleBytes += entry.size;
    const keep = this.options.keepBytes ?? DEFAULT_KEEP_BYTES;
    for (const [oldPath, old] of this.idle) {
      if (this.idleBytes <= keep) {
        break;
      }
      this.idle.delete(oldPath);
      this.idleBytes -= old.size;
      this.drop(oldPath, old);
    }
  }

  private drop(path: string, entry: Entry): void {
    this.entries.delete(path);
    if (entry.url !== null) {
      URL.revokeObjectURL(entry.url);
      entry.url = null;
    }
  }

  private fetch(path: string, entry: Entry): void {
    const authorization = this.options.authorization?.();
    const headers = authorization
      ? new HttpHeaders({ 'X-Authorization': authorization })
      : new HttpHeaders();
    const url = (this.options.baseUrl ?? '') + path;
    entry.request = this.http.get(url, { headers, responseType: 'blob' }).subscribe({
      next: (blob) => {
        entry.size = blob.size;
        entry.url = URL.createObjectURL(blob);
        const waiting = [...entry.waiting];
        entry.waiting.clear();
        waiting.forEach((deliver) => deliver(entry.url));
      },
      error: (error: unknown) => {
        // Removed at once, so that the next request tries again.
        this.entries.delete(path);
        const waiting = [...entry.waiting];
        entry.waiting.clear();
        waiting.forEach((deliver) => deliver(null, error));
      },
    });
  }
}
