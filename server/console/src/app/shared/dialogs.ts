import { ComponentType } from '@angular/cdk/portal';
import { Injectable, inject } from '@angular/core';
import { MatDialog, MatDialogConfig, MatDialogRef } from '@angular/material/dialog';
import { filter, firstValueFrom } from 'rxjs';

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
}

/** Opens dialogs that are loaded when they are first wanted. */
@Injectable({ providedIn: 'root' })
export class Dialogs {
  private readonly dialog = inject(MatDialog);

  open<C, D, R>(component: ComponentType<C>, data: D, config: MatDialogConfig<D> = {}): MatDialogRef<C, R> {
    const closesItself = isClosing(component.prototype);
    const opened = this.dialog.open<C, D, R>(component, {
      width: '560px',
      maxWidth: 'min(96vw, 100vw)',
      autoFocus: 'first-tabbable',
      restoreFocus: true,
      disableClose: closesItself,
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

  async ask<C, D, R>(component: ComponentType<C>, data: D, config: MatDialogConfig<D> = {}): Promise<R | undefined> {
    return firstValueFrom(this.open<C, D, R>(component, data, config).afterClosed());
  }

  async confirm(confirmation: Confirmation): Promise<boolean> {
    const { ConfirmDialog } = await import('./confirm-dialog');
    const answer = await this.ask<unknown, Confirmation, boolean>(ConfirmDialog, confirmation, { width: '440px', role: 'alertdialog' });
    return answer === true;
  }

  isOpen<C>(component: ComponentType<C>): boolean {
    return this.dialog.openDialogs.some((open) => open.componentInstance instanceof component);
  }

  private close(dialog: MatDialogRef<unknown>): void {
    if (isClosing(dialog.componentInstance)) {
      dialog.componentInstance.close();
    }
  }

  get anyOpen(): boolean {
    return this.dialog.openDialogs.length > 0;
  }
}

function isClosing(dialog: unknown): dialog is ClosesItself {
  return typeof (dialog as Partial<ClosesItself> | null)?.close === 'function';
}
