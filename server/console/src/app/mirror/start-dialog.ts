// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, ElementRef, Injector, Signal, WritableSignal, afterNextRender, computed, inject, signal, viewChild, viewChildren } from '@angular/core';
import { FormsModule } from '@angular/forms';
import { MatButton, MatButtonModule } from '@angular/material/button';
import { MatButtonToggleModule } from '@angular/material/button-toggle';
import { MatCheckboxModule } from '@angular/material/checkbox';
import { MAT_DIALOG_DATA, MatDialogModule } from '@angular/material/dialog';
import { MatFormFieldModule } from '@angular/material/form-field';
import { MatInputModule } from '@angular/material/input';
import { MatSelectModule } from '@angular/material/select';

import { MirrorApi } from '../core/mirror-api';
import { Mirror, MirrorStart } from '../core/model';
import { FormDialog } from '../shared/form-dialog';
import { Icon } from '../shared/icon';

/** An option of the engine. Its value may be a secret, so it is hidden until the user shows it. */
interface Option {
  readonly id: number;
  readonly name: WritableSignal<string>;
  readonly value: WritableSignal<string>;
  readonly shown: WritableSignal<boolean>;
}

const ENGINES = [
  { name: 'filesystem', about: 'a folder per image' },
  { name: 'rocksdb', about: 'an embedded database' },
  { name: 'postgresql', about: 'a database that several servers can share' },
] as const;
/** The name of another plugin is entered. */
const OTHER = '';
const DATABASE = 'postgresql';

/** Asks for the place of a mirror, says what will happen, and starts it. */
@Component({
  imports: [FormsModule, MatButtonModule, MatButtonToggleModule, MatCheckboxModule, MatDialogModule, MatFormFieldModule, MatInputModule, MatSelectModule, Icon],
  templateUrl: './start-dialog.html',
  styleUrl: './start-dialog.scss',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class StartDialog extends FormDialog<Mirror> {
  private readonly api = inject(MirrorApi);
  private readonly injector = inject(Injector);
  /** The mirror before this one, whose place is suggested. Its options are not known. */
  private readonly before = inject<Mirror>(MAT_DIALOG_DATA);
  private readonly suggested = this.suggestion();
  private readonly nameFields = viewChildren<ElementRef<HTMLInputElement>>('nameField');
  private readonly addButton = viewChild.required<MatButton>('addButton');
  private lastId = 0;

  protected readonly engines = ENGINES;
  protected readonly other = OTHER;
  protected readonly choice = signal(this.suggested.choice);
  protected readonly otherEngine = signal(this.suggested.other);
  protected readonly path = signal(this.suggested.path);
  protected readonly backup = signal(this.suggested.backup);
  protected readonly options = signal<readonly Option[]>([]);
  protected readonly verify = signal(true);
  protected readonly skipDamaged = signal(false);
  protected readonly anySource = signal(false);

  protected readonly engine = computed(() => (this.choice() === OTHER ? this.otherEngine().trim() : this.choice()));
  /** A database needs no folder. Of another plugin this is not known. */
  protected readonly hasPath = computed(() => this.choice() !== DATABASE);
  protected readonly needsPath = computed(() => this.hasPath() && this.choice() !== OTHER);
  /** What is wrong with the options; null if nothing is. */
  protected readonly optionProblem: Signal<string | null> = computed(() => {
    const names = this.options().map(({ name }) => name().trim());
    if (this.options().some(({ value }, i) => !names[i] && value())) {
      return 'Enter the name of each option.';
    }
    const twice = names.find((name, i) => name && names.indexOf(name) < i);
    return twice ? `The option ${twice} is given twice.` : null;
  });
  protected readonly ready = computed(
    () => this.engine() !== '' && (!this.needsPath() || this.path().trim() !== '') && this.optionProblem() === null,
  );
  readonly unsaved = computed(
    () =>
      this.choice() !== this.suggested.choice ||
      this.otherEngine() !== this.suggested.other ||
      this.path() !== this.suggested.path ||
      this.backup() !== this.suggested.backup ||
      this.options().some(({ name, value }) => name() !== '' || value() !== ''),
  );

  protected choose(engine: string): void {
    this.choice.set(engine);
    if (engine === DATABASE && this.options().length === 0) {
      this.options.set([this.option('dsn')]);
    }
  }

  protected add(): void {
    this.options.update((options) => [...options, this.option('')]);
    afterNextRender(() => this.nameFields().at(-1)?.nativeElement.focus(), { injector: this.injector });
  }

  protected remove(option: Option): void {
    this.options.update((options) => options.filter((one) => one !== option));
    this.addButton().focus();
  }

  protected async start(): Promise<void> {
    if (!this.ready() || this.busy()) {
      return;
    }
    const sure =
      !this.anySource() ||
      (await this.dialogs.confirm({
        title: 'Overwrite a copy of another store?',
        text: 'If this store is a copy of another store, it is made equal to the store of this server: images and accounts that are not in the store of this server are deleted from it. This cannot be undone.',
        confirm: 'Overwrite',
        destructive: true,
      }));
    if (sure) {
      await this.send(() => this.api.start(this.request()));
    }
  }

  private request(): MirrorStart {
    const given = this.options().filter(({ name }) => name().trim() !== '');
    return {
      engine: this.engine(),
      path: this.hasPath() ? this.path().trim() : '',
      options: Object.fromEntries(given.map(({ name, value }) => [name().trim(), value()])),
      anySource: this.anySource(),
      backup: this.backup(),
      verify: this.verify(),
      skipDamaged: this.skipDamaged(),
    };
  }

  private option(name: string): Option {
    return { id: ++this.lastId, name: signal(name), value: signal(''), shown: signal(false) };
  }

  private suggestion() {
    const { active, mirror, backup = false } = this.before;
    if (!mirror?.engine) {
      const choice: string = active.engine === 'filesystem' ? 'rocksdb' : 'filesystem';
      return { choice, other: '', path: '', backup: false };
    }
    const known = ENGINES.some(({ name }) => name === mirror.engine);
    return { choice: known ? mirror.engine : OTHER, other: known ? '' : mirror.engine, path: mirror.path, backup };
  }
}
