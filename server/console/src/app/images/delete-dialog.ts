// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, computed, inject, signal } from '@angular/core';
import { MatButtonModule } from '@angular/material/button';
import { MAT_DIALOG_DATA, MatDialogModule, MatDialogRef } from '@angular/material/dialog';
import { MatProgressBarModule } from '@angular/material/progress-bar';

import { asSentence, errorText, isGone } from '../core/errors';
import { formatDuration, plural } from '../core/format';
import { ImagesApi } from '../core/images-api';
import { ImageRef } from '../core/model';
import { RateHold } from '../core/rate-hold';

interface Failure {
  readonly image: ImageRef;
  readonly reason: string;
  /** The image is in use. It can be deleted nevertheless. */
  readonly used: boolean;
}

const AT_ONCE = 4;
const NAMES_SHOWN = 5;
// In seconds.
const LONGEST_HOLD = 60;

@Component({
  imports: [MatButtonModule, MatDialogModule, MatProgressBarModule],
  templateUrl: './delete-dialog.html',
  styles: `
    ul {
      margin: 0 0 12px;
      padding-inline-start: 20px;
    }
    li {
      overflow-wrap: anywhere;
    }
    .reason {
      color: var(--mat-sys-error);
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class DeleteDialog {
  private readonly api = inject(ImagesApi);
  private readonly dialog = inject(MatDialogRef);
  private readonly deleted: ImageRef[] = [];
  private readonly rates = new RateHold(LONGEST_HOLD);

  protected readonly images = inject<readonly ImageRef[]>(MAT_DIALOG_DATA);
  protected readonly named = this.images.slice(0, NAMES_SHOWN);
  protected readonly plural = plural;
  protected readonly finished = signal(0);
  protected readonly count = signal(this.images.length);
  protected readonly busy = signal(false);
  /** The user does not want the images deleted that are left. */
  protected readonly stopped = signal(false);
  protected readonly failures = signal<readonly Failure[]>([]);
  /** Why nothing is deleted at the moment, and when it is. */
  protected readonly hold = computed(() => {
    const hold = this.rates.state();
    return hold ? `${asSentence(hold.reason)} The deletion continues in ${formatDuration(hold.seconds)}.` : '';
  });
  protected readonly allUsed = computed(() => this.failures().every((failure) => failure.used));

  protected start(): void {
    void this.run(this.images, false);
  }

  protected again(): void {
    void this.run(this.failures().map((failure) => failure.image), this.allUsed());
  }

  /** Requests that were sent are awaited. Nothing is sent any more, and what a limit has refused is not repeated. */
  protected stop(): void {
    this.stopped.set(true);
    this.rates.end();
  }

  close(): void {
    if (!this.busy()) {
      this.dialog.close(this.deleted);
    }
  }

  private async run(images: readonly ImageRef[], force: boolean): Promise<void> {
    this.busy.set(true);
    this.stopped.set(false);
    this.failures.set([]);
    this.finished.set(0);
    this.count.set(images.length);
    const left = [...images];
    const next = () => (this.stopped() ? undefined : left.shift());
    const work = async () => {
      for (let image = next(); image; image = next()) {
        if (await this.deleteOne(image, force)) {
          this.finished.update((n) => n + 1);
        } else {
          left.unshift(image);
        }
        // A request that was under way may be refused after the stop.
        if (!this.stopped()) {
          await this.rates.whenOver();
        }
      }
    };
    await this.rates.whenOver();
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    this.busy.set(false);
    if (this.failures().length === 0) {
      this.close();
    }
  }

  /** False if a rate limit has refused the request, which is to be repeated when the hold is over. */
  private async deleteOne(image: ImageRef, force: boolean): Promise<boolean> {
    const fail = (reason: string, used: boolean) =>
      this.failures.update((failures) => [...failures, { image, reason, used }]);
    try {
      const result = await this.api.delete(image, force);
      if (result?.success === false) {
        const uses = Object.values(result.references ?? {}).reduce((sum, list) => sum + list.length, 0);
        fail(uses > 0 ? `it is used in ${plural(uses, 'place')}` : 'it is in use', true);
      } else {
        this.deleted.push(image);
      }
    } catch (error) {
      if (isGone(error)) {
        // Another user has deleted it already.
        this.deleted.push(image);
      } else if (this.rates.note(error)) {
        return false;
      } else {
        fail(errorText(error), false);
      }
    }
    return true;
  }
}
