// SPDX-License-Identifier: Apache-2.0
import { Directive, Signal, inject, signal } from '@angular/core';
import { MatDialogRef } from '@angular/material/dialog';

import { errorText } from '../core/errors';
import { Dialogs } from './dialogs';

/**
 * A dialog with a form. It sends the form once at a time, shows why the server refused it, and asks before
 * input is lost, except where the user pressed Cancel.
 */
@Directive()
export abstract class FormDialog<R> {
  protected readonly dialog = inject<MatDialogRef<unknown, R>>(MatDialogRef);
  protected readonly dialogs = inject(Dialogs);

  /** Something was entered that has not been sent. */
  abstract readonly unsaved: Signal<boolean>;
  protected readonly busy = signal(false);
  protected readonly error = signal<string | null>(null);

  /** Called for Escape, for a click beside the dialog and for going back in the browser. */
  async close(): Promise<void> {
    if (
      !this.unsaved() ||
      (await this.dialogs.confirm({
        title: 'Close without saving?',
        text: 'Your input has not been saved.',
        confirm: 'Close without saving',
        destructive: true,
      }))
    ) {
      this.dialog.close();
    }
  }

  /** Closes with what `call` returns, or shows its error and stays open. */
  protected async send(call: () => Promise<R>): Promise<void> {
    if (this.busy()) {
      return;
    }
    this.busy.set(true);
    this.error.set(null);
    try {
      this.dialog.close(await call());
    } catch (error) {
      this.error.set(errorText(error));
    } finally {
      this.busy.set(false);
    }
  }
}
