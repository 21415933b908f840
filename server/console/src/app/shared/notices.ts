// SPDX-License-Identifier: Apache-2.0
import { Injectable, inject } from '@angular/core';
import { MatSnackBar } from '@angular/material/snack-bar';

/** Short messages at the bottom of the page. Errors are shown longer and can be closed. */
@Injectable({ providedIn: 'root' })
export class Notices {
  private readonly snackBar = inject(MatSnackBar);

  say(text: string): void {
    this.snackBar.open(text, undefined, { duration: 4000 });
  }

  /** `run` is called when the action beside the text is chosen, which also closes the message. */
  fail(text: string, action = 'Close', run: () => void = () => undefined): void {
    this.snackBar
      .open(text, action, { duration: 20_000, politeness: 'assertive', panelClass: 'g-failure' })
      .onAction()
      .subscribe(run);
  }

  async copy(text: string, what: string): Promise<void> {
    try {
      await copyText(text);
      this.say(`${what} copied`);
    } catch {
      this.fail(`${what} could not be copied. Select the text and copy it yourself.`);
    }
  }
}

async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text);
  }
  // Over plain http there is no clipboard object, but a selected text area can be copied.
  const area = document.createElement('textarea');
  area.value = text;
  area.style.position = 'fixed';
  area.style.opacity = '0';
  (document.querySelector('mat-dialog-container') ?? document.body).append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  if (!copied) {
    throw new Error('not copied');
  }
}
