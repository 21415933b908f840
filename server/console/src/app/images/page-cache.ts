// SPDX-License-Identifier: Apache-2.0
import { signal } from '@angular/core';
import { firstValueFrom, Observable } from 'rxjs';

import { ImageInfo, PageData } from '../core/model';

export type FetchPage = (page: number, pageSize: number) => Observable<PageData<ImageInfo>>;

/**
 * The result of one query, fetched in pages when they become visible. A page is requested once, and again only if
 * the request failed.
 */
export class PageCache {
  private readonly pages = new Map<number, readonly ImageInfo[]>();
  private readonly asked = new Set<number>();
  private readonly arrivals = signal(0);
  private readonly totalCount = signal(0);

  readonly total = this.totalCount.asReadonly();

  constructor(
    readonly pageSize: number,
    private readonly fetch: FetchPage,
  ) {}

  /** The image at this index, or null until it is fetched. Read it in a signal context. */
  at(index: number): ImageInfo | null {
    this.arrivals();
    return this.pages.get(Math.floor(index / this.pageSize))?.[index % this.pageSize] ?? null;
  }

  /** All images that have been fetched so far. */
  loaded(): readonly ImageInfo[] {
    return [...this.pages.values()].flat();
  }

  /** Fetches the pages that hold these places, ends included. Rejects when one of them cannot be fetched. */
  async load(first: number, last: number): Promise<void> {
    const calls: Promise<void>[] = [];
    const lastPage = Math.floor(Math.max(first, last) / this.pageSize);
    for (let page = Math.floor(first / this.pageSize); page <= lastPage; page++) {
      if (!this.asked.has(page)) {
        this.asked.add(page);
        calls.push(this.loadPage(page));
      }
    }
    await Promise.all(calls);
  }

  private async loadPage(page: number): Promise<void> {
    try {
      const data = await firstValueFrom(this.fetch(page, this.pageSize));
      this.pages.set(page, data.data);
      this.totalCount.set(data.totalElements);
      this.arrivals.update((n) => n + 1);
    } catch (error) {
      this.asked.delete(page);
      throw error;
    }
  }
}
