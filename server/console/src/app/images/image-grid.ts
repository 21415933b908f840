// SPDX-License-Identifier: Apache-2.0
import { AsyncPipe } from '@angular/common';
import { ChangeDetectionStrategy, Component, DestroyRef, ElementRef, Injector, afterNextRender, computed, effect, inject, input, model, output, signal, untracked, viewChild } from '@angular/core';
import { MatButtonModule } from '@angular/material/button';
import { MatMenuModule } from '@angular/material/menu';
import { ImagePipe } from 'gallery-image-pipe';

import { errorText } from '../core/errors';
import { formatSize } from '../core/format';
import { ImagesApi, versionedAddress } from '../core/images-api';
import { ImageInfo } from '../core/model';
import { Icon } from '../shared/icon';
import { PictureGround } from '../shared/picture-ground';
import { GridLayout } from './grid-layout';
import { GridViewport } from './grid-viewport';
import { ImageActions } from './image-actions';
import { ImageEditor } from './image-editor';
import { ImageMenu } from './image-menu';
import { ImageRights } from './image-rights';
import { ImagesEmpty } from './images-empty';
import { ImagesQuery, pageRequest } from './images-query';
import { PageCache } from './page-cache';
import { Selection, idsOf, plus, toggled, updated } from './selection';

interface Tile {
  readonly index: number;
  readonly image: ImageInfo | null;
  readonly transform: string;
  /** Its picture is shown, not only its place. */
  readonly drawn: boolean;
}

const PAGE_SIZE = 100;
const OVERSCAN_ROWS = 2;
// A vector drawing smaller than this part of its tile is enlarged to it, since the size of an icon means little.
const VECTOR_SHARE = 0.6;
// While the scroll bar is dragged far, pages that are only passed are not fetched.
const REST_MS = 70;
// A picture that moves faster than this, in px/ms, is not drawn. A fast wheel stays well below it.
const RUSH = 12;

/**
 * All images of the query on one scrolled surface. Only the visible tiles are in the document, and only the
 * pages they need are fetched. One tile is in the tab order; the arrow keys move it.
 */
@Component({
  selector: 'g-image-grid',
  imports: [AsyncPipe, MatButtonModule, MatMenuModule, Icon, ImageMenu, ImagePipe, ImagesEmpty, PictureGround],
  templateUrl: './image-grid.html',
  styleUrl: './image-grid.scss',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class ImageGrid {
  private readonly api = inject(ImagesApi);
  private readonly injector = inject(Injector);
  private readonly scroller = viewChild.required<ElementRef<HTMLElement>>('scroller');
  private readonly surface = viewChild.required<ElementRef<HTMLElement>>('surface');

  readonly query = input.required<ImagesQuery>();
  readonly refreshes = input.required<number>();
  readonly selected = model.required<Selection>();
  readonly total = output<number>();
  readonly busy = output<boolean>();
  readonly upload = output();

  protected readonly actions = inject(ImageActions);
  protected readonly editor = inject(ImageEditor);
  protected readonly rights = inject(ImageRights);
  protected readonly touch = matchMedia('(hover: none)').matches;
  protected readonly formatSize = formatSize;
  protected readonly address = versionedAddress;

  protected readonly cache = signal<PageCache | null>(null);
  protected readonly error = signal<string | null>(null);
  private readonly width = signal(0);
  protected readonly viewHeight = signal(0);
  private readonly scrollTop = signal(0);
  private readonly rushing = signal(false);
  private drawn = new Set<number>();
  protected readonly hot = signal(-1);
  protected readonly focused = signal(-1);
  private readonly active = signal(0);

  protected readonly selectedIds = computed(() => idsOf(this.selected()));
  /** The tile that was selected last, from which the Shift key selects a range. */
  private picked = -1;

  /** Placeholders for the first load: as many tiles as fit into the view. */
  protected readonly ghosts = computed(() => {
    const empty = new GridLayout(this.width(), 0);
    const rows = Math.ceil(this.viewHeight() / Math.max(1, empty.rowHeight));
    return Array.from({ length: empty.columns * rows }, (_, index) => empty.transform(index));
  });
  protected readonly layout = computed(() => new GridLayout(this.width(), this.cache()?.total() ?? 0));
  private readonly range = computed(
    () => this.layout().range(this.scrollTop(), this.viewHeight(), OVERSCAN_ROWS),
    { equal: (a, b) => a.first === b.first && a.last === b.last },
  );
  protected readonly tiles = computed<readonly Tile[]>(() => {
    const cache = this.cache();
    const layout = this.layout();
    if (!cache || this.width() === 0) {
      return [];
    }
    const { first, last } = this.range();
    const tiles: Tile[] = [];
    const rushing = this.rushing();
    const add = (index: number) =>
      tiles.push({ index, image: cache.at(index), transform: layout.transform(index), drawn: !rushing || this.drawn.has(index) });
    const focused = this.focused();
    // The focused tile stays in the document, however far the view is scrolled.
    if (focused >= 0 && focused < first) {
      add(focused);
    }
    for (let index = first; index <= last; index++) {
      add(index);
    }
    if (focused > last && focused < cache.total()) {
      add(focused);
    }
    // A tile that is drawn stays drawn while it is visible.
    this.drawn = new Set(tiles.filter((tile) => tile.drawn).map((tile) => tile.index));
    return tiles;
  });
  /** The only tile in the tab order. */
  protected readonly tabbable = computed(() => {
    const active = this.active();
    const { first, last } = this.range();
    return active === this.focused() || (active >= first && active <= last)
      ? active
      : this.layout().firstVisible(this.scrollTop());
  });

  private restTimer: ReturnType<typeof setTimeout> | undefined;
  private rushTimer: ReturnType<typeof setTimeout> | undefined;
  private settledTop = 0;
  private view: GridViewport | null = null;
  private generation = 0;

  constructor() {
    const destroy = inject(DestroyRef);
    let lastQuery: ImagesQuery | null = null;
    effect(() => {
      const query = this.query();
      this.refreshes();
      const same = query === lastQuery;
      lastQuery = query;
      untracked(() => void this.renew(query, same));
    });
    effect(() => {
      this.range();
      untracked(() => this.wantSoon());
    });
    afterNextRender(() => {
      const view = new GridViewport(this.scroller().nativeElement, this.surface().nativeElement);
      this.view = view;
      let frame = 0;
      let before = { top: 0, time: 0 };
      const scrolled = () => {
        frame ||= requestAnimationFrame((time) => {
          frame = 0;
          const top = view.top;
          this.rush(Math.abs(top - before.top) / Math.max(1, time - before.time));
          before = { top, time };
          this.scrollTop.set(top);
        });
      };
      const unwatch = view.watch(scrolled, () => this.measure());
      destroy.onDestroy(() => {
        unwatch();
        cancelAnimationFrame(frame);
        clearTimeout(this.restTimer);
        clearTimeout(this.rushTimer);
        this.generation += 1;
      });
      this.measure();
    });
  }

  protected again(): void {
    void this.renew(this.query(), true);
  }

  protected keydown(event: KeyboardEvent): void {
    if (indexOf(event.target) < 0 || event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    // A key that is held down repeats before the focus has moved, so the target of the event may be outdated.
    const from = this.active();
    const layout = this.layout();
    const steps: Record<string, number> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -layout.columns,
      ArrowDown: layout.columns,
      PageUp: -layout.columns * layout.rowsIn(this.viewHeight()),
      PageDown: layout.columns * layout.rowsIn(this.viewHeight()),
      Home: -Infinity,
      End: Infinity,
    };
    const step = steps[event.key];
    if (step === undefined) {
      return;
    }
    event.preventDefault();
    const total = this.cache()?.total() ?? 0;
    let to = Math.max(0, Math.min(total - 1, from + step));
    if ((event.key === 'ArrowUp' || event.key === 'ArrowDown') && to !== from + step) {
      to = from;
    }
    this.goTo(to);
  }

  protected focusIn(event: FocusEvent): void {
    const index = indexOf(event.target);
    this.focused.set(index);
    if (index >= 0) {
      this.active.set(index);
    }
  }

  protected focusOut(event: FocusEvent): void {
    if (indexOf(event.relatedTarget) < 0) {
      this.focused.set(-1);
    }
  }

  focus(): void {
    this.scroller().nativeElement.focus();
  }

  /** Selects or deselects a tile. With the Shift key, all tiles from the last one are added. */
  protected async select(index: number, image: ImageInfo, event: MouseEvent): Promise<void> {
    const cache = this.cache();
    const from = this.picked;
    this.picked = index;
    if (cache && event.shiftKey && from >= 0 && from < cache.total()) {
      await this.selectRange(cache, from, index);
    } else {
      this.selected.update((selection) => toggled(selection, image));
    }
    // The browser has toggled the box by itself, which may be wrong for a range.
    (event.target as HTMLInputElement).checked = this.selectedIds().has(image.id.id);
  }

  private async selectRange(cache: PageCache, from: number, index: number): Promise<void> {
    const [first, last] = [Math.min(from, index), Math.max(from, index)];
    try {
      await cache.load(first, last);
    } catch (error) {
      this.error.set(errorText(error));
      return;
    }
    const range = Array.from({ length: last - first + 1 }, (_, i) => cache.at(first + i)).filter((one) => one !== null);
    this.selected.update((selection) => plus(selection, range));
  }

  /** How wide and high a small drawing is shown; null for every other picture. */
  protected vectorSize({ descriptor }: ImageInfo): { width: string; height: string } | null {
    const { mediaType, width, height } = descriptor;
    if (mediaType !== 'image/svg+xml' || Math.max(width, height) > VECTOR_SHARE * this.layout().side) {
      return null;
    }
    const share = `${VECTOR_SHARE * 100}%`;
    return width >= height ? { width: share, height: 'auto' } : { width: 'auto', height: share };
  }

  private goTo(index: number): void {
    this.active.set(index);
    this.focused.set(index);
    const view = this.view;
    if (view) {
      view.scrollTo(this.layout().scrollFor(index, view.top, this.viewHeight()));
      this.scrollTop.set(view.top);
    }
    afterNextRender(
      () => {
        this.surface()
          .nativeElement.querySelector<HTMLElement>(`[data-index="${index}"] .open`)
          ?.focus({ preventScroll: true });
      },
      { injector: this.injector },
    );
  }

  private measure(): void {
    const view = this.view;
    if (!view) {
      return;
    }
    // The image on top stays on top when the number of columns changes.
    const before = this.layout();
    const scrolled = view.top;
    const top = before.firstVisible(scrolled);
    this.width.set(this.surface().nativeElement.clientWidth);
    this.viewHeight.set(view.height);
    const after = this.layout();
    if (before.columns > 0 && before.columns !== after.columns && scrolled > 0) {
      requestAnimationFrame(() => view.scrollTo(after.topOf(top)));
    }
  }

  // The new result replaces the old one when its visible part has arrived, so that nothing flickers.
  private async renew(query: ImagesQuery, keepPlace: boolean): Promise<void> {
    const generation = ++this.generation;
    const cache = new PageCache(PAGE_SIZE, (page, size) =>
      this.api.list(pageRequest(query, page, size), query.system),
    );
    const { first, last } = this.range();
    this.busy.emit(true);
    try {
      await (keepPlace && last >= 0 ? cache.load(first, last) : cache.load(0, 0));
    } catch (error) {
      if (generation === this.generation) {
        this.error.set(errorText(error));
        this.busy.emit(false);
      }
      return;
    }
    if (generation !== this.generation) {
      return;
    }
    this.error.set(null);
    this.cache.set(cache);
    this.total.emit(cache.total());
    this.busy.emit(false);
    this.selected.update((selection) => (selection.length > 0 ? updated(selection, cache.loaded()) : selection));
    if (!keepPlace) {
      this.active.set(0);
      this.picked = -1;
      if ((this.view?.top ?? 0) > 0) {
        this.view?.scrollTo(0);
      }
      this.scrollTop.set(0);
    }
    this.want();
  }

  private rush(speed: number): void {
    clearTimeout(this.rushTimer);
    this.rushing.set(speed > RUSH);
    if (speed > RUSH) {
      this.rushTimer = setTimeout(() => this.rushing.set(false), REST_MS);
    }
  }

  private wantSoon(): void {
    const far = Math.abs(this.scrollTop() - this.settledTop) > 2 * this.viewHeight();
    if (!far) {
      this.want();
      return;
    }
    clearTimeout(this.restTimer);
    this.restTimer = setTimeout(() => this.want(), REST_MS);
  }

  private want(): void {
    clearTimeout(this.restTimer);
    this.settledTop = this.scrollTop();
    const cache = this.cache();
    const { first, last } = this.range();
    if (!cache || last < first) {
      return;
    }
    const generation = this.generation;
    cache.load(first, last).catch((error: unknown) => {
      if (generation === this.generation) {
        this.error.set(errorText(error));
      }
    });
  }
}

function indexOf(target: EventTarget | null): number {
  const tile = target instanceof Element ? target.closest<HTMLElement>('[data-index]') : null;
  return tile ? Number(tile.dataset['index']) : -1;
}
