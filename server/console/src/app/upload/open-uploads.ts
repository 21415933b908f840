// SPDX-License-Identifier: Apache-2.0
import { Dialogs } from '../shared/dialogs';
import { UploadKind } from './upload-kind';

/** Opens the dialog that shows the queue; `kind` says what its chooser offers. */
export function openUploads(dialogs: Dialogs, kind: UploadKind = 'image'): void {
  void dialogs.ask<UploadKind, void>(() => import('./upload-dialog').then((m) => m.UploadDialog), kind, {
    id: 'uploads',
    width: '640px',
    panelClass: 'g-wide',
    autoFocus: 'dialog',
  });
}
