// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, ElementRef, Injector, computed, effect, inject, untracked, viewChild } from '@angular/core';
import { MatButtonModule } from '@angular/material/button';
import { MatProgressBarModule } from '@angular/material/progress-bar';

import { errorText } from '../core/errors';
import { MirrorApi } from '../core/mirror-api';
import { Mirror } from '../core/model';
import { Dialogs } from '../shared/dialogs';
import { keepFocus } from '../shared/keep-focus';
import { Notices } from '../shared/notices';
import { MirrorAction, actionsOf, completionText, confirmationOf, factsOf, isCounting, percentOf, progressParts, summaryOf, verificationText } from './mirror-state';
import { MirrorWatch } from './mirror-watch';

interface Command {
  readonly name: string;
  readonly run: () => Promise<Mirror>;
  /** Said when the state alone does not show that it was executed. */
  readonly done?: string;
  /** The beginning of the sentence that reports its failure. */
  readonly failed: string;
}

/** The mirror of the server's store, for system administrators: its state, and the commands that it takes now. */
@Component({
  imports: [MatButtonModule, MatProgressBarModule],
  providers: [MirrorWatch],
  templateUrl: './mirror-page.html',
  styleUrl: './mirror-page.scss',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class MirrorPage {
  private readonly api = inject(MirrorApi);
  private readonly dialogs = inject(Dialogs);
  private readonly injector = inject(Injector);
  private readonly notices = inject(Notices);
  private readonly card = viewChild<ElementRef<HTMLElement>>('card');
  private busy = false;

  private readonly commands: Record<Exclude<MirrorAction, 'start'>, Command> = {
    switch: { name: 'Switch', run: () => this.api.switch(), failed: 'The store was not switched' },
    verify: { name: 'Verify', run: () => this.api.verify(), failed: 'The mirror was not verified' },
    stop: { name: 'Stop', run: () => this.api.stop(), failed: 'The mirror was not stopped' },
    abandon: { name: 'Abandon', run: () => this.api.abandon(), failed: 'The mirror was not abandoned' },
    forget: { name: 'Forget', run: () => this.api.forget(), done: 'Forgotten. Its store was not changed.', failed: 'The mirror was not forgotten' },
  };

  protected readonly watch = inject(MirrorWatch);
  protected readonly ghosts = [0, 1, 2];
  protected readonly status = this.watch.status;
  protected readonly summary = computed(() => this.of(summaryOf));
  protected readonly facts = computed(() => this.of(factsOf));
  protected readonly actions = computed(() => this.of(actionsOf) ?? []);
  protected readonly verified = computed(() => this.of(({ verified }) => verified && verificationText(verified)));
  protected readonly completed = computed(() => this.of(({ completed }) => completed && completionText(completed)));
  protected readonly progress = computed(() =>
    this.of((mirror) => (isCounting(mirror) ? { percent: percentOf(mirror), parts: progressParts(mirror, this.watch.pace) } : null)),
  );
  /** For screen readers: the state without figures, which change all the time. */
  protected readonly announcement = computed(() => {
    const [summary, mirror] = [this.summary(), this.status()];
    return summary && mirror ? [`${summary.title}.`, mirror.problem].join(' ').trim() : '';
  });

  constructor() {
    effect(() => {
      this.status();
      untracked(() => {
        const card = this.card();
        if (card) {
          keepFocus(card.nativeElement, this.injector);
        }
      });
    });
  }

  protected name(action: MirrorAction): string {
    if (action === 'start') {
      return this.status()?.state === 'none' ? 'Start mirror' : 'Start again';
    }
    return this.commands[action].name;
  }

  protected async act(action: MirrorAction): Promise<void> {
    const mirror = this.status();
    if (!mirror || this.busy) {
      return;
    }
    this.busy = true;
    try {
      await (action === 'start' ? this.start(mirror) : this.command(action, mirror));
    } finally {
      this.busy = false;
    }
    // The button may have disappeared while the dialog was open.
    if (document.activeElement === document.body) {
      this.card()?.nativeElement.focus();
    }
  }

  private async start(mirror: Mirror): Promise<void> {
    const started = await this.dialogs.ask<Mirror, Mirror>(() => import('./start-dialog').then((m) => m.StartDialog), mirror);
    if (started) {
      this.watch.accept(started);
    }
  }

  private async command(action: Exclude<MirrorAction, 'start'>, mirror: Mirror): Promise<void> {
    if (!(await this.dialogs.confirm(confirmationOf(action, mirror)))) {
      return;
    }
    const { run, done, failed } = this.commands[action];
    try {
      this.watch.accept(await run());
      if (done) {
        this.notices.say(done);
      }
    } catch (error) {
      const reason = errorText(error);
      this.notices.fail(reason.startsWith(failed) ? reason : `${failed}: ${reason}`);
      this.watch.refresh();
    }
  }

  private of<T>(what: (mirror: Mirror) => T): T | null {
    const mirror = this.status();
    return mirror ? what(mirror) : null;
  }
}
