import { ComponentType } from '@angular/cdk/portal';
import { Injectable, inject } from '@angular/core';
import { MatDialog, MatDialogConfig, MatDialogRef } from '@angular/material/dialog';
import { firstValueFrom } from 'rxjs';

export interface Confirmation {
  readonly title: string;
  readonly text: string;
  readonly confirm: string;
  readonly destructive?: boolean;
}

/** Opens dialogs that are loaded when they are first wanted. */
@Injectable({ providedIn: 'root' })
export class Dialogs {
  private readonly dialog = inject(MatDialog);

  open<C, D, R>(component: ComponentType<C>, data: D, config: MatDialogConfig<D> = {}): MatDialogRef<C, R> {
    return this.dialog.open<C, D, R>(component, {
      width: '560px',
      maxWidth: 'min(96vw, 100vw)',
      autoFocus: 'first-tabbable',
      restoreFocus: true,
      ...config,
      data,
      panelClass: ['g-dialog', ...[config.panelClass ?? []].flat()],
    });
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

  get anyOpen(): boolean {
    return this.dialog.openDialogs.length > 0;
  }
}
