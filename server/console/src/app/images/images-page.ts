// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, DestroyRef, ElementRef, Injector, afterNextRender, computed, effect, inject, linkedSignal, signal, untracked, viewChild } from '@angular/core';
import { takeUntilDestroyed, toSignal } from '@angular/core/rxjs-interop';
import { MatButtonModule } from '@angular/material/button';
import { MatMenuModule } from '@angular/material/menu';
import { MatSlideToggleModule } from '@angular/material/slide-toggle';
import { MatTooltipModule } from '@angular/material/tooltip';
import { ActivatedRoute, NavigationStart, Router } from '@angular/router';
import { Subscription, map } from 'rxjs';

import { Attention } from '../core/attention';
import { Connection } from '../core/connection';
import { errorText } from '../core/errors';
import { formatCount, plural } from '../core/format';
import { ImagesApi } from '../core/images-api';
import { ImageInfo, ImagesUsage } from '../core/model';
import { Session } from '../core/session';
import { usageWarning } from '../core/usage';
import { Dialogs } from '../shared/dialogs';
import { Icon } from '../shared/icon';
import { Notices } from '../shared/notices';
import { UsageBar } from '../shared/usage-bar';
import { readDropped } from '../upload/dropped-files';
import { isJsonFile, isZipFile } from '../upload/file-check';
import { openUploads } from '../upload/open-uploads';
import { UploadKind } from '../upload/upload-kind';
import { UploadQueue } from '../upload/upload-queue';
import { ImageActions } from './image-actions';
import { ImageGrid } from './image-grid';
import { ImageList } from './image-list';
import { ImageRights } from './image-rights';
import { ImagesQuery, Mode, SortKey, SortOrder, pageRequest, readQuery, rememberMode, writeQuery } from './images-query';
import { Selection, minus, plus } from './selection';

interface SortChoice {
  readonly name: string;
  readonly sort: SortKey;
  readonly order: SortOrder;
}

const SORT_CHOICES: readonly SortChoice[] = [
  { name: 'Newest first', sort: 'createdTime', order: 'DESC' },
  { name: 'Oldest first', sort: 'createdTime', order: 'ASC' },
  { name: 'Name A to Z', sort: 'title', order: 'ASC' },
  { name: 'Name Z to A', sort: 'title', order: 'DESC' },
  { name: 'Largest first', sort: 'size', order: 'DESC' },
  { name: 'Smallest first', sort: 'size', order: 'ASC' },
];
const SEARCH_DELAY = 300;
const REFRESH_DELAY = 250;
const COLLECTED_AT_ONCE = 1000;

@Component({
  imports: [MatButtonModule, MatMenuModule, MatSlideToggleModule, MatTooltipModule, Icon, ImageGrid, ImageList, UsageBar],
  templateUrl: './images-page.html',
  styleUrl: './images-page.scss',
  host: {
    '(document:dragenter)': 'drag($event, 1)',
    '(document:dragleave)': 'drag($event, -1)',
    '(document:dragover)': 'dragOver($event)',
    '(document:drop)': 'drop($event)',
    '(document:paste)': 'paste($event)',
    '(document:keydown)': 'shortcut($event)',
  },
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class ImagesPage {
  private readonly route = inject(ActivatedRoute);
  private readonly router = inject(Router);
  private readonly dialogs = inject(Dialogs);
  private readonly uploads = inject(UploadQueue);
  private readonly attention = inject(Attention);
  private readonly connection = inject(Connection);
  private readonly images = inject(ImagesApi);
  private readonly injector = inject(Injector);
  private readonly notices = inject(Notices);
  private readonly rights = inject(ImageRights);
  private readonly searchField = viewChild.required<ElementRef<HTMLInputElement>>('searchField');
  private readonly list = viewChild(ImageList);
  private readonly grid = viewChild(ImageGrid);
  private collection: Subscription | null = null;
  private searchTimer: ReturnType<typeof setTimeout> | undefined;

  protected readonly actions = inject(ImageActions);
  protected readonly session = inject(Session);
  protected readonly sortChoices = SORT_CHOICES;
  protected readonly formatCount = formatCount;
  protected readonly plural = plural;

  protected readonly query = toSignal(this.route.queryParamMap.pipe(map(readQuery)), { requireSync: true });
  /** The content of the search field. The URL follows when typing pauses. */
  protected readonly searchText = linkedSignal(computed(() => this.query().search));
  protected readonly sortChoice = computed(() => {
    const { sort, order } = this.query();
    return SORT_CHOICES.find((choice) => choice.sort === sort && choice.order === order);
  });
  protected readonly selected = signal<Selection>([]);
  /** A tenant downloads and exports system images, but does not delete them. */
  protected readonly deletable = computed(() => this.selected().filter((image) => this.rights.mayChange(image)));
  protected readonly deleteText = computed(() => {
    const [some, all] = [this.deletable().length, this.selected().length];
    return some === all ? 'Delete' : `Delete ${formatCount(some)} of ${formatCount(all)}`;
  });
  /** All images of the query are being fetched to be selected. */
  protected readonly collecting = signal(false);
  protected readonly total = signal<number | null>(null);
  protected readonly moreToSelect = computed(() => this.selected().length < (this.total() ?? 0));
  protected readonly loading = signal(false);
  /** Incremented to fetch again what is shown. */
  protected readonly refreshes = signal(0);
  protected readonly dragging = signal(0);
  /** Of the tenant. System images have no limit, so their use is not shown. */
  protected readonly usage = signal<ImagesUsage | null>(null);
  protected readonly usageWarning = computed(() => {
    const usage = this.usage();
    return usage ? usageWarning(usage) : '';
  });

  constructor() {
    // A link that is passed on looks the same to whoever opens it.
    if (!this.route.snapshot.queryParamMap.has('mode')) {
      this.change({}, true);
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    let first = true;
    effect(() => {
      this.uploads.stored();
      this.actions.changes();
      this.connection.returns();
      this.attention.returns();
      if (first) {
        first = false;
        return;
      }
      clearTimeout(timer);
      timer = setTimeout(() => this.refresh(), REFRESH_DELAY);
    });
    effect((onCleanup) => {
      this.refreshes();
      if (!this.session.isSystem()) {
        // An old figure is better than none, and the images show the error as well.
        const call = this.images.usage().subscribe({ next: (usage) => this.usage.set(usage), error: () => undefined });
        onCleanup(() => call.unsubscribe());
      }
    });
    // Leaving takes until the other page is loaded. A search that began meanwhile would fetch back whoever leaves.
    this.router.events.pipe(takeUntilDestroyed()).subscribe((event) => {
      if (event instanceof NavigationStart && pathOf(event.url) !== pathOf(this.router.url)) {
        clearTimeout(this.searchTimer);
      }
    });
    inject(DestroyRef).onDestroy(() => {
      clearTimeout(timer);
      clearTimeout(this.searchTimer);
      this.collection?.unsubscribe();
    });
    // Paging, sorting and the other view keep the selection. A new search clears it.
    const shown = computed(() => `${this.query().system} ${this.query().search}`);
    effect(() => {
      shown();
      untracked(() => this.deselect());
    });
    effect(() => {
      const deleted = this.actions.deleted();
      untracked(() => this.selected.update((selection) => minus(selection, deleted)));
    });
  }

  protected refresh(): void {
    this.refreshes.update((n) => n + 1);
  }

  protected change(part: Partial<ImagesQuery>, replaceUrl = false): void {
    // Includes what has just been typed.
    clearTimeout(this.searchTimer);
    const next = { ...this.query(), search: this.searchText(), ...part };
    void this.router.navigate([], { relativeTo: this.route, queryParams: writeQuery(next), replaceUrl });
  }

  protected setMode(mode: Mode): void {
    rememberMode(mode);
    this.change({ mode, page: 0 });
  }

  protected typed(text: string): void {
    this.searchText.set(text);
    clearTimeout(this.searchTimer);
    this.searchTimer = setTimeout(() => this.search(), SEARCH_DELAY);
  }

  protected search(): void {
    clearTimeout(this.searchTimer);
    const search = this.searchText();
    if (search !== this.query().search) {
      this.change({ search, page: 0 }, true);
    }
  }

  protected openUpload(kind: UploadKind): void {
    openUploads(this.dialogs, kind);
  }

  protected async deleteSelected(): Promise<void> {
    const deleted = await this.actions.delete(this.deletable());
    this.selected.update((selection) => minus(selection, deleted));
    this.keepFocus();
  }

  protected clearSelection(): void {
    this.deselect();
    this.keepFocus();
  }

  /** Selects every image of the query, on whichever page it is. */
  protected selectAll(): void {
    const query: ImagesQuery = { ...this.query(), sort: 'createdTime', order: 'ASC' };
    const fetch = (page: number, found: readonly ImageInfo[]) => {
      this.collection = this.images.list(pageRequest(query, page, COLLECTED_AT_ONCE), query.system).subscribe({
        next: ({ data, hasNext }) => {
          const all = [...found, ...data];
          if (hasNext) {
            fetch(page + 1, all);
            return;
          }
          this.collecting.set(false);
          this.selected.update((selection) => plus(selection, all));
        },
        error: (error: unknown) => {
          this.collecting.set(false);
          this.notices.fail(`The images could not be selected: ${errorText(error)}`);
        },
      });
    };
    this.collecting.set(true);
    fetch(0, []);
  }

  protected drag(event: DragEvent, step: number): void {
    if (carriesFiles(event)) {
      event.preventDefault();
      this.dragging.update((depth) => Math.max(0, depth + step));
    }
  }

  protected dragOver(event: DragEvent): void {
    if (carriesFiles(event)) {
      event.preventDefault();
    }
  }

  protected drop(event: DragEvent): void {
    this.dragging.set(0);
    if (!carriesFiles(event)) {
      return;
    }
    const taken = event.defaultPrevented;
    event.preventDefault();
    if (!taken && this.takesFiles && event.dataTransfer) {
      void readDropped(event.dataTransfer).then(({ files, leftOut }) => {
        if (leftOut > 0) {
          this.notices.say(`${plural(leftOut, 'file')} in the folder left out: not an image`);
        }
        this.take(files);
      });
    }
  }

  protected paste(event: ClipboardEvent): void {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0 && this.takesFiles) {
      event.preventDefault();
      this.take(files.map(named));
    }
  }

  protected shortcut(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    const typing = target.closest('input, textarea, [contenteditable]') !== null;
    if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !this.dialogs.anyOpen) {
      event.preventDefault();
      this.searchField().nativeElement.focus();
    }
    // An Escape that closed a menu or a dialog is not handled again.
    const plain = event.key === 'Escape' && !event.defaultPrevented && !this.dialogs.anyOpen;
    if (plain && target !== this.searchField().nativeElement && (this.selected().length > 0 || this.collecting())) {
      event.preventDefault();
      this.clearSelection();
    }
  }

  protected get overlayShown(): boolean {
    return this.dragging() > 0 && !this.dialogs.anyOpen;
  }

  // An open question is not covered by a picture that is dropped beside it.
  private get takesFiles(): boolean {
    return this.uploads.attended || !this.dialogs.anyOpen;
  }

  private deselect(): void {
    this.collection?.unsubscribe();
    this.collecting.set(false);
    this.selected.set([]);
  }

  // The buttons of the selection disappear with it. The focus on one of them moves to the images.
  private keepFocus(): void {
    if (this.selected().length === 0) {
      afterNextRender(
        () => {
          if (document.activeElement === null || document.activeElement === document.body) {
            (this.list() ?? this.grid())?.focus();
          }
        },
        { injector: this.injector },
      );
    }
  }

  private take(files: File[]): void {
    if (files.length === 0) {
      return;
    }
    const kind: UploadKind = files.every((file) => isJsonFile(file) || isZipFile(file)) ? 'json' : 'image';
    void this.uploads.add(files);
    this.openUpload(kind);
  }
}

function pathOf(url: string): string {
  return url.split(/[?#]/, 1)[0];
}

function carriesFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') ?? false;
}

// Browsers call every pasted picture "image.png"; the time tells them apart.
function named(file: File): File {
  if (file.name !== 'image.png') {
    return file;
  }
  const time = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString();
  const stamp = time.slice(0, 19).replace('T', ' ').replace(/:/g, '.');
  return new File([file], `Pasted ${stamp}.png`, { type: file.type });
}
