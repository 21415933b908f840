import { AsyncPipe } from '@angular/common';
import { ChangeDetectionStrategy, Component, DestroyRef, ElementRef, Injector, afterNextRender, computed, effect, inject, input, output, signal, untracked, viewChild } from '@angular/core';
import { MatButtonModule } from '@angular/material/button';
import { MatMenuModule } from '@angular/material/menu';
import { ImagePipe } from 'gallery-image-pipe';

import { errorText } from '../core/errors';
import { formatSize } from '../core/format';
import { ImagesApi, versionedAddress } from '../core/images-api';
import { ImageInfo } from '../core/model';
import { Icon } from '../shared/icon';
import { GridLayout } from './grid-layout';
import { ImageActions } from './image-actions';
import { ImageMenu } from './image-menu';
import { ImagesEmpty } from './images-empty';
import { ImagesQuery, pageRequest } from './images-query';
import { PageCache } from './page-cache';

interface Tile {
  readonly index: number;
  readonly image: ImageInfo | null;
  readonly transform: string;
  /** Its picture is wanted, not only its place. */
  readonly drawn: boolean;
}

const PAGE_SIZE = 100;
const OVERSCAN_ROWS = 2;
// While the scroll bar is dragged far, pages that only fly by are not asked for.
const REST_MS = 70;
// Nobody sees a picture that flies by faster than this, in px/ms; a flung wheel stays well below it.
const RUSH = 12;

/**
 * All images of the query in one endless surface. Only the tiles in sight are in the document, and
 * only the pages they need are fetched. One tile takes part in the tab order; arrows move it.
 */
@Component({
  selector: 'g-image-grid',
  imports: [AsyncPipe, MatButtonModule, MatMenuModule, Icon, ImageMenu, ImagePipe, ImagesEmpty],
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
  readonly total = output<number>();
  readonly busy = output<boolean>();
  readonly upload = output();

  protected readonly actions = inject(ImageActions);
  protected readonly touch = matchMedia('(hover: none)').matches;
  protected readonly formatSize = formatSize;
  protected readonly address = versionedAddress;

  protected readonly cache = signal<PageCache | null>(null);
  protected readonly error = signal<string | null>(null);
  private readonly width = signal(0);
  private readonly viewHeight = signal(0);
  private readonly scrollTop = signal(0);
  private readonly rushing = signal(false);
  private drawn = new Set<number>();
  protected readonly hot = signal(-1);
  protected readonly focused = signal(-1);
  private readonly active = signal(0);

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
    // The tile that has the keyboard stays, wherever the wheel has gone meanwhile.
    if (focused >= 0 && focused < first) {
      add(focused);
    }
    for (let index = first; index <= last; index++) {
      add(index);
    }
    if (focused > last && focused < cache.total()) {
      add(focused);
    }
    // What is drawn stays drawn for as long as it is in sight.
    this.drawn = new Set(tiles.filter((tile) => tile.drawn).map((tile) => tile.index));
    return tiles;
  });
  /** The one tile that Tab leads to. */
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
      const element = this.scroller().nativeElement;
      const observer = new ResizeObserver(() => this.measure());
      observer.observe(element);
      let frame = 0;
      let before = { top: 0, time: 0 };
      const scrolled = () => {
        frame ||= requestAnimationFrame((time) => {
          frame = 0;
          const top = element.scrollTop;
          this.rush(Math.abs(top - before.top) / Math.max(1, time - before.time));
          before = { top, time };
          this.scrollTop.set(top);
        });
      };
      element.addEventListener('scroll', scrolled, { passive: true });
      destroy.onDestroy(() => {
        observer.disconnect();
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
    // A key that is held down comes again before the focus has followed, so it is not the target that counts.
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

  private goTo(index: number): void {
    this.active.set(index);
    this.focused.set(index);
    const element = this.scroller().nativeElement;
    const top = this.layout().scrollFor(index, element.scrollTop, this.viewHeight());
    element.scrollTop = top;
    this.scrollTop.set(element.scrollTop);
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
    const element = this.scroller().nativeElement;
    const surface = this.surface().nativeElement;
    // The image on top stays on top when the number of columns changes.
    const before = this.layout();
    const top = before.firstVisible(element.scrollTop);
    this.width.set(surface.clientWidth);
    this.viewHeight.set(element.clientHeight);
    const after = this.layout();
    if (before.columns > 0 && before.columns !== after.columns && element.scrollTop > 0) {
      requestAnimationFrame(() => (element.scrollTop = after.topOf(top)));
    }
  }

  // The new result is put in place of the old one when what is in sight has come: nothing flickers.
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
    if (!keepPlace) {
      this.active.set(0);
      this.scroller().nativeElement.scrollTop = 0;
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
