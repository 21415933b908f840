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
import { ImageActions } from './image-actions';
import { ImageMenu } from './image-menu';
import { ImagesEmpty } from './images-empty';
import { ImagesQuery, PAGE_SIZES, SortKey, pageRequest } from './images-query';

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
  readonly selected = model.required<readonly ImageInfo[]>();
  readonly total = output<number>();
  readonly busy = output<boolean>();
  readonly changed = output<Partial<ImagesQuery>>();
  /** The page that was asked for is not there; this one is. */
  readonly corrected = output<number>();
  readonly upload = output();

  protected readonly actions = inject(ImageActions);
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
  protected readonly selectedIds = computed(() => new Set(this.selected().map((image) => image.id.id)));
  protected readonly selectable = computed(() =>
    (this.page()?.data ?? []).filter((image) => this.actions.mayChange(image)),
  );
  protected readonly allSelected = computed(() => {
    const ids = this.selectedIds();
    return this.selectable().length > 0 && this.selectable().every((image) => ids.has(image.id.id));
  });

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
    if (this.actions.mayChange(image)) {
      this.selected.update((images) =>
        images.some((other) => other.id.id === image.id.id)
          ? images.filter((other) => other.id.id !== image.id.id)
          : [...images, image],
      );
    }
  }

  /** A click on a row; with the shift key, all rows from the last one that was clicked come in. */
  protected pick(image: ImageInfo, event: MouseEvent): void {
    const images = this.selectable();
    const from = images.findIndex((other) => other.id.id === this.picked);
    const to = images.findIndex((other) => other.id.id === image.id.id);
    if (event.shiftKey && from >= 0 && to >= 0) {
      const range = images.slice(Math.min(from, to), Math.max(from, to) + 1);
      this.selected.update((selected) => [...new Map([...selected, ...range].map((one) => [one.id.id, one])).values()]);
      this.picked = image.id.id;
    } else {
      this.toggle(image);
    }
  }

  protected toggleAll(): void {
    this.selected.set(this.allSelected() ? [] : this.selectable());
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
        // After a deletion the last page may be gone.
        if (page.data.length === 0 && query.page > 0 && page.totalPages > 0) {
          this.corrected.emit(Math.min(query.page, page.totalPages) - 1);
          return;
        }
        keepFocus(this.card().nativeElement, this.injector);
        this.page.set(page);
        this.total.emit(page.totalElements);
        // As they are now: a name may have changed.
        this.selected.set(page.data.filter((image) => this.selectedIds().has(image.id.id)));
      },
      error: (error: unknown) => {
        this.busy.emit(false);
        this.error.set(errorText(error));
      },
    });
  }
}
