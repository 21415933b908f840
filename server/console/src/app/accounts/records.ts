// SPDX-License-Identifier: Apache-2.0
import { NgTemplateOutlet } from '@angular/common';
import { ChangeDetectionStrategy, Component, DestroyRef, ElementRef, Injector, contentChildren, effect, inject, input, signal, untracked, viewChild } from '@angular/core';
import { MatButtonModule } from '@angular/material/button';
import { MatMenuModule } from '@angular/material/menu';
import { MatPaginatorModule, PageEvent } from '@angular/material/paginator';
import { MatSortModule, Sort } from '@angular/material/sort';
import { MatTableModule } from '@angular/material/table';
import { Observable, Subscription } from 'rxjs';

import { Attention } from '../core/attention';
import { Connection } from '../core/connection';
import { errorText } from '../core/errors';
import { PageData, PageRequest } from '../core/model';
import { Icon, IconName } from '../shared/icon';
import { keepFocus } from '../shared/keep-focus';
import { RecordCell } from './record-cell';

export interface Column<T> {
  readonly key: string;
  readonly name: string;
  /** Empty for a column with a template (`gRecordCell`). */
  readonly text: (row: T) => string;
  /** The sort property of the server for this column, where it has one. */
  readonly sort?: string;
  /** Hidden on narrow screens. */
  readonly minor?: boolean;
  /** Shown as a badge. */
  readonly badge?: boolean;
}

export interface RowAction<T> {
  readonly name: string | ((row: T) => string);
  readonly icon: IconName;
  readonly run: (row: T) => void;
  readonly shown?: (row: T) => boolean;
  readonly destructive?: boolean;
}

const SEARCH_DELAY = 300;
const PAGE_SIZE = 10;

/** A table with search, sorting and paging of what the server lists. */
@Component({
  selector: 'g-records',
  imports: [NgTemplateOutlet, MatButtonModule, MatMenuModule, MatPaginatorModule, MatSortModule, MatTableModule, Icon],
  templateUrl: './records.html',
  styleUrl: './records.scss',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class Records<T extends { readonly id: { readonly id: string } }> {
  readonly heading = input.required<string>();
  readonly empty = input.required<string>();
  readonly columns = input.required<readonly Column<T>[]>();
  readonly actions = input.required<readonly RowAction<T>[]>();
  readonly fetch = input.required<(request: PageRequest) => Observable<PageData<T>>>();
  /** The name of a row for screen readers. */
  readonly label = input.required<(row: T) => string>();
  readonly searchable = input(true);

  protected readonly ghosts = Array.from({ length: PAGE_SIZE }, (_, row) => row);
  protected readonly page = signal<PageData<T> | null>(null);
  protected readonly error = signal<string | null>(null);
  protected readonly request = signal<PageRequest>({ page: 0, pageSize: PAGE_SIZE, sortProperty: 'createdTime', sortOrder: 'DESC' });
  protected readonly byId = (_index: number, row: T) => row.id.id;
  private readonly injector = inject(Injector);
  private readonly cells = contentChildren(RecordCell);
  private readonly card = viewChild.required<ElementRef<HTMLElement>>('card');
  private readonly refreshes = signal(0);
  private call: Subscription | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    const attention = inject(Attention);
    const connection = inject(Connection);
    inject(DestroyRef).onDestroy(() => clearTimeout(this.timer));
    effect((onCleanup) => {
      const fetch = this.fetch();
      const request = this.request();
      this.refreshes();
      attention.returns();
      connection.returns();
      untracked(() => this.load(fetch, request));
      onCleanup(() => this.call?.unsubscribe());
    });
  }

  refresh(): void {
    this.refreshes.update((n) => n + 1);
  }

  protected keys(): string[] {
    return [...this.columns().map((column) => column.key), 'actions'];
  }

  protected cell(column: Column<T>): RecordCell | undefined {
    return this.cells().find(({ key }) => key() === column.key);
  }

  protected typed(textSearch: string): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(
      () => this.request.update((request) => ({ ...request, page: 0, textSearch: textSearch.trim() })),
      SEARCH_DELAY,
    );
  }

  protected sort(sort: Sort): void {
    const order = sort.direction === 'asc' ? 'ASC' : 'DESC';
    this.request.update((request) => ({
      ...request,
      page: 0,
      sortProperty: sort.direction ? sort.active : 'createdTime',
      sortOrder: sort.direction ? order : 'DESC',
    }));
  }

  protected turn(event: PageEvent): void {
    this.request.update((request) => ({ ...request, page: event.pageIndex, pageSize: event.pageSize }));
  }

  protected actionName(action: RowAction<T>, row: T): string {
    return typeof action.name === 'string' ? action.name : action.name(row);
  }

  protected shown(row: T): readonly RowAction<T>[] {
    return this.actions().filter((action) => action.shown?.(row) ?? true);
  }

  private load(fetch: (request: PageRequest) => Observable<PageData<T>>, request: PageRequest): void {
    this.call?.unsubscribe();
    this.call = fetch(request).subscribe({
      next: (page) => {
        this.error.set(null);
        if (page.data.length === 0 && request.page > 0) {
          this.request.update((now) => ({ ...now, page: Math.max(0, page.totalPages - 1) }));
          return;
        }
        keepFocus(this.card().nativeElement, this.injector);
        this.page.set(page);
      },
      error: (error: unknown) => this.error.set(errorText(error)),
    });
  }
}
