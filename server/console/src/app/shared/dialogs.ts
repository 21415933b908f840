import { ComponentType } from '@angular/cdk/portal';
import { Injectable, inject } from '@angular/core';
import { MatDialog, MatDialogConfig, MatDialogRef, MatDialogState } from '@angular/material/dialog';
import { filter, firstValueFrom } from 'rxjs';

import { LazyCode } from './lazy-code';

export interface Confirmation {
  readonly title: string;
  readonly text: string;
  readonly confirm: string;
  readonly destructive?: boolean;
}

/**
 * A dialog with a `close` of its own, which asks where something would be lost and hands back what has been done.
 * However such a dialog is closed, it is closed by that.
 */
interface ClosesItself {
  close(): unknown;
  /** Whether something would be lost if the whole page were left now. */
  readonly unsaved?: () => boolean;
}

/** Opens dialogs that are loaded when they are first wanted. */
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
   * Opens what `load` brings, and resolves to what it is closed with; undefined also where it cannot be loaded.
   * A dialog with an id is open once at most.
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

  /** Closes the uppermost dialog as Escape would; false where there is none. */
  closeUppermost(): boolean {
    const uppermost = this.opened.at(-1);
    if (uppermost) {
      this.close(uppermost);
    }
    return uppermost !== undefined;
  }

  /** Closes all without asking: whose work it was has left. */
  abandonAll(): void {
    this.dialog.closeAll();
  }

  // Without those that are just fading away.
  private get opened(): readonly MatDialogRef<unknown>[] {
    return this.dialog.openDialogs.filter((dialog) => dialog.getState() === MatDialogState.OPEN);
  }

  private open<C, D, R>(component: ComponentType<C>, data: D, config: MatDialogConfig<D> = {}): MatDialogRef<C, R> {
    const closesItself = isClosing(component.prototype);
    const opened = this.dialog.open<C, D, R>(component, {
      width: '560px',
      maxWidth: 'min(96vw, 100vw)',
      autoFocus: 'first-tabbable',
      restoreFocus: true,
      disableClose: closesItself,
      // Going back in the browser closes a dialog as well, by dialogFirst.
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
        .subscribe(() => this.close(opened));
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
