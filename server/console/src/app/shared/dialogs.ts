// SPDX-License-Identifier: Apache-2.0
import { ComponentType } from '@angular/cdk/portal';
import { Injectable, inject } from '@angular/core';
import { MatDialog, MatDialogConfig, MatDialogRef, MatDialogState } from '@angular/material/dialog';
import { filter, firstValueFrom } from 'rxjs';

import { Confirmation } from './confirmation';
import { LazyCode } from './lazy-code';

/**
 * A dialog with a `close` method, which asks before input is lost and returns the result. It is called however the
 * dialog is closed.
 */
interface ClosesItself {
  close(): unknown;
  /** Whether input would be lost if the page were left now. */
  readonly unsaved?: () => boolean;
}

/** Opens dialogs, whose code is loaded when they are first opened. */
@Injectable({ providedIn: 'root' })
export class Dialogs {
  private readonly dialog = inject(MatDialog);
  private readonly code = inject(LazyCode);

  constructor() {
    addEventListener('beforeunload', (event) => {
      if (this.opened.some(({ componentInstance }) => isClosing(componentInstance) && componentInstance.unsaved?.())) {
        event.preventDefault();
      }
    });
  }

  /**
   * Opens the component that `load` returns and resolves to the dialog's result; undefined also if the code cannot be
   * loaded. A dialog with an id is open at most once.
   */
  async ask<D, R>(load: () => Promise<ComponentType<unknown>>, data: D, config: MatDialogConfig<D> = {}): Promise<R | undefined> {
    const component = await this.code.load(load);
    if (!component || (config.id && this.dialog.getDialogById(config.id))) {
      return undefined;
    }
    return firstValueFrom(this.open<unknown, D, R>(component, data, config).afterClosed());
  }

  async confirm(confirmation: Confirmation): Promise<boolean> {
    const answer = await this.ask<Confirmation, boolean>(() => import('./confirm-dialog').then((m) => m.ConfirmDialog), confirmation, {
      width: '440px',
      role: 'alertdialog',
    });
    return answer === true;
  }

  get anyOpen(): boolean {
    return this.dialog.openDialogs.length > 0;
  }

  /** Closes the topmost dialog as Escape would; false if there is none. */
  closeUppermost(): boolean {
    const uppermost = this.opened.at(-1);
    if (uppermost) {
      this.close(uppermost);
    }
    return uppermost !== undefined;
  }

  /** Closes all dialogs without asking, because their user has signed out. */
  abandonAll(): void {
    this.dialog.closeAll();
  }

  // Without dialogs that are being closed.
  private get opened(): readonly MatDialogRef<unknown>[] {
    return this.dialog.openDialogs.filter((dialog) => dialog.getState() === MatDialogState.OPEN);
  }

  private open<C, D, R>(component: ComponentType<C>, data: D, config: MatDialogConfig<D> = {}): MatDialogRef<C, R> {
    const closesItself = isClosing(component.prototype);
    const opened = this.dialog.open<C, D, R>(component, {
      width: '560px',
      maxWidth: 'min(96vw, 100vw)',
      autoFocus: 'first-tabbable',
      // At once. After the opening animation, the focus would leave a field in which the user types already.
      delayFocusTrap: false,
      restoreFocus: true,
      disableClose: closesItself,
      // dialogFirst closes a dialog when the user goes back in the browser.
      closeOnNavigation: false,
      ...config,
      data,
      panelClass: ['g-dialog', ...[config.panelClass ?? []].flat()],
    });
    if (closesItself) {
      opened.backdropClick().subscribe(() => this.close(opened));
      opened
        .keydownEvents()
        .pipe(filter((event) => event.key === 'Escape'))
        .subscribe((event) => {
          // The page below handles Escape as well.
          event.preventDefault();
          this.close(opened);
        });
    }
    return opened;
  }

  private close(dialog: MatDialogRef<unknown>): void {
    if (isClosing(dialog.componentInstance)) {
      dialog.componentInstance.close();
    } else if (!dialog.disableClose) {
      dialog.close();
    }
  }
}

function isClosing(dialog: unknown): dialog is ClosesItself {
  return typeof (dialog as Partial<ClosesItself> | null)?.close === 'function';
}
