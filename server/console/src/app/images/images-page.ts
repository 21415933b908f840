import { ChangeDetectionStrategy, Component, DestroyRef, ElementRef, computed, effect, inject, linkedSignal, signal, untracked, viewChild } from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { MatButtonModule } from '@angular/material/button';
import { MatMenuModule } from '@angular/material/menu';
import { MatSlideToggleModule } from '@angular/material/slide-toggle';
import { MatTooltipModule } from '@angular/material/tooltip';
import { ActivatedRoute, Router } from '@angular/router';
import { map } from 'rxjs';

import { Connection } from '../core/connection';
import { formatCount, plural } from '../core/format';
import { ImageInfo } from '../core/model';
import { Session } from '../core/session';
import { Dialogs } from '../shared/dialogs';
import { Icon } from '../shared/icon';
import { UploadKind, openUploads } from '../upload/open-uploads';
import { UploadQueue } from '../upload/upload-queue';
import { ImageActions } from './image-actions';
import { ImageGrid } from './image-grid';
import { ImageList } from './image-list';
import { ImagesQuery, Mode, SortKey, SortOrder, readQuery, rememberMode, writeQuery } from './images-query';

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

@Component({
  imports: [MatButtonModule, MatMenuModule, MatSlideToggleModule, MatTooltipModule, Icon, ImageGrid, ImageList],
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
  private readonly actions = inject(ImageActions);
  private readonly connection = inject(Connection);
  private readonly searchField = viewChild.required<ElementRef<HTMLInputElement>>('searchField');
  private readonly list = viewChild(ImageList);
  private searchTimer: ReturnType<typeof setTimeout> | undefined;

  protected readonly session = inject(Session);
  protected readonly sortChoices = SORT_CHOICES;
  protected readonly formatCount = formatCount;
  protected readonly plural = plural;

  protected readonly query = toSignal(this.route.queryParamMap.pipe(map(readQuery)), { requireSync: true });
  /** What stands in the search field; the URL follows when typing pauses. */
  protected readonly searchText = linkedSignal(computed(() => this.query().search));
  protected readonly sortChoice = computed(() => {
    const { sort, order } = this.query();
    return SORT_CHOICES.find((choice) => choice.sort === sort && choice.order === order);
  });
  protected readonly selected = signal<readonly ImageInfo[]>([]);
  protected readonly total = signal<number | null>(null);
  protected readonly loading = signal(false);
  /** Grows whenever what is shown should be fetched again. */
  protected readonly refreshes = signal(0);
  protected readonly dragging = signal(0);

  constructor() {
    // A link that is passed on should look the same to whoever opens it.
    if (!this.route.snapshot.queryParamMap.has('mode')) {
      this.change({}, true);
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    let first = true;
    effect(() => {
      this.uploads.stored();
      this.actions.changes();
      this.connection.returns();
      if (first) {
        first = false;
        return;
      }
      clearTimeout(timer);
      timer = setTimeout(() => this.refresh(), REFRESH_DELAY);
    });
    inject(DestroyRef).onDestroy(() => {
      clearTimeout(timer);
      clearTimeout(this.searchTimer);
    });
    effect(() => {
      this.query();
      untracked(() => this.selected.set([]));
    });
  }

  protected refresh(): void {
    this.refreshes.update((n) => n + 1);
  }

  protected change(part: Partial<ImagesQuery>, replaceUrl = false): void {
    // What has been typed a moment ago counts, too.
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
    const deleted = await this.actions.delete(this.selected());
    const ids = new Set(deleted.map((image) => image.id.id));
    this.selected.update((images) => images.filter((image) => !ids.has(image.id.id)));
    this.keepFocus();
  }

  protected clearSelection(): void {
    this.selected.set([]);
    this.keepFocus();
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
    if (!taken && this.takesFiles) {
      this.take([...(event.dataTransfer?.files ?? [])]);
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
  }

  protected get overlayShown(): boolean {
    return this.dragging() > 0 && !this.dialogs.anyOpen;
  }

  // A dialog that asks something else is not pushed aside by a picture that lands beside it.
  private get takesFiles(): boolean {
    return this.uploads.attended || !this.dialogs.anyOpen;
  }

  // With the selection its buttons are gone, too.
  private keepFocus(): void {
    if (this.selected().length === 0) {
      this.list()?.focus();
    }
  }

  private take(files: File[]): void {
    if (files.length === 0) {
      return;
    }
    const kind: UploadKind = files.every((file) => /\.json$/i.test(file.name)) ? 'json' : 'image';
    void this.uploads.add(files);
    this.openUpload(kind);
  }
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
