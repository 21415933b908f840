// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, ElementRef, Injector, computed, effect, inject, input, model, output, signal, untracked, viewChild } from '@angular/core';
import { AsyncPipe } from '@angular/common';
import { MatButtonModule } from '@angular/material/button';
import { MatCheckboxModule } from '@angular/material/checkbox';
import { MatMenuModule } from '@angular/material/menu';
import { MatPaginatorModule, PageEvent } from '@angular/material/paginator';
import { MatSortModule, Sort } from '@angular/material/sort';
import { MatTableModule } from '@angular/material/table';
import { ImagePipe } from 'gallery-image-pipe';
import { Subscription } from 'rxjs';

import { errorText } from '../core/errors';
import { formatSize, formatTime } from '../core/format';
import { ImagesApi, versionedAddress } from '../core/images-api';
import { ImageInfo, PageData } from '../core/model';
import { Icon } from '../shared/icon';
import { keepFocus } from '../shared/keep-focus';
import { PictureGround } from '../shared/picture-ground';
import { ImageActions } from './image-actions';
import { ImageEditor } from './image-editor';
import { ImageMenu } from './image-menu';
import { ImageRights } from './image-rights';
import { ImagesEmpty } from './images-empty';
import { ImagesQuery, PAGE_SIZES, SortKey, pageRequest } from './images-query';
import { Selection, idsOf, minus, plus, toggled, updated } from './selection';

@Component({
  selector: 'g-image-list',
  imports: [
    AsyncPipe,
    MatButtonModule,
    MatCheckboxModule,
    MatMenuModule,
    MatPaginatorModule,
    MatSortModule,
    MatTableModule,
    Icon,
    ImageMenu,
    ImagePipe,
    ImagesEmpty,
    PictureGround,
  ],
  templateUrl: './image-list.html',
  styleUrl: './image-list.scss',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class ImageList {
  private readonly api = inject(ImagesApi);
  private readonly injector = inject(Injector);
  private readonly card = viewChild.required<ElementRef<HTMLElement>>('card');
  private picked: string | null = null;
  private call: Subscription | null = null;

  readonly query = input.required<ImagesQuery>();
  readonly refreshes = input.required<number>();
  readonly selected = model.required<Selection>();
  readonly total = output<number>();
  readonly busy = output<boolean>();
  readonly changed = output<Partial<ImagesQuery>>();
  /** The requested page does not exist; this is the last one. */
  readonly corrected = output<number>();
  readonly upload = output();

  protected readonly actions = inject(ImageActions);
  protected readonly editor = inject(ImageEditor);
  protected readonly rights = inject(ImageRights);
  protected readonly ghosts = Array.from({ length: PAGE_SIZES[0] }, (_, row) => row);
  protected readonly pageSizes = [...PAGE_SIZES];
  protected readonly page = signal<PageData<ImageInfo> | null>(null);
  protected readonly error = signal<string | null>(null);
  protected readonly formatSize = formatSize;
  protected readonly formatTime = formatTime;
  protected readonly address = versionedAddress;
  protected readonly byId = (_index: number, image: ImageInfo) => image.id.id;

  protected readonly columns = computed(() => [
    'select',
    'preview',
    'title',
    'createdTime',
    'resolution',
    'size',
    ...(this.query().system ? ['tenantId'] : []),
    'actions',
  ]);
  protected readonly selectedIds = computed(() => idsOf(this.selected()));
  private readonly here = computed(() => this.page()?.data ?? []);
  protected readonly selectedHere = computed(() => this.here().filter((image) => this.selectedIds().has(image.id.id)));
  protected readonly allSelected = computed(() => this.here().length > 0 && this.selectedHere().length === this.here().length);

  constructor() {
    effect((onCleanup) => {
      const query = this.query();
      this.refreshes();
      untracked(() => this.fetch(query));
      onCleanup(() => this.call?.unsubscribe());
    });
  }

  protected toggle(image: ImageInfo): void {
    this.picked = image.id.id;
    this.selected.update((selection) => toggled(selection, image));
  }

  /** A click on a row. With the Shift key, all rows from the last clicked one are added. */
  protected pick(image: ImageInfo, event: MouseEvent): void {
    const images = this.here();
    const from = images.findIndex((other) => other.id.id === this.picked);
    const to = images.findIndex((other) => other.id.id === image.id.id);
    if (event.shiftKey && from >= 0 && to >= 0) {
      const range = images.slice(Math.min(from, to), Math.max(from, to) + 1);
      this.selected.update((selection) => plus(selection, range));
      this.picked = image.id.id;
    } else {
      this.toggle(image);
    }
  }

  protected toggleAll(): void {
    const all = this.allSelected();
    this.selected.update((selection) => (all ? minus : plus)(selection, this.here()));
  }

  protected sort(sort: Sort): void {
    this.changed.emit(
      sort.direction
        ? { sort: sort.active as SortKey, order: sort.direction === 'asc' ? 'ASC' : 'DESC', page: 0 }
        : { sort: 'createdTime', order: 'DESC', page: 0 },
    );
  }

  protected turn(event: PageEvent): void {
    const page = event.pageSize === this.query().pageSize ? event.pageIndex : 0;
    this.changed.emit({ page, pageSize: event.pageSize });
  }

  focus(): void {
    this.card().nativeElement.focus();
  }

  protected again(): void {
    this.fetch(this.query());
  }

  private fetch(query: ImagesQuery): void {
    this.busy.emit(true);
    this.call?.unsubscribe();
    this.call = this.api.list(pageRequest(query, query.page, query.pageSize), query.system).subscribe({
      next: (page) => {
        this.busy.emit(false);
        this.error.set(null);
        // After a deletion the last page may not exist any more.
        if (page.data.length === 0 && query.page > 0 && page.totalPages > 0) {
          this.corrected.emit(Math.min(query.page, page.totalPages) - 1);
          return;
        }
        keepFocus(this.card().nativeElement, this.injector);
        this.page.set(page);
        this.total.emit(page.totalElements);
        this.selected.update((selection) => updated(selection, page.data));
      },
      error: (error: unknown) => {
        this.busy.emit(false);
        this.error.set(errorText(error));
      },
    });
  }
}
