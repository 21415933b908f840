import { Dialogs } from '../shared/dialogs';

export type UploadKind = 'image' | 'json';

/** Opens the dialog that shows the queue; `kind` says what its chooser offers. */
export async function openUploads(dialogs: Dialogs, kind: UploadKind = 'image'): Promise<void> {
  const { UploadDialog } = await import('./upload-dialog');
  if (!dialogs.isOpen(UploadDialog)) {
    dialogs.open(UploadDialog, kind, { width: '640px', panelClass: 'g-wide', autoFocus: 'dialog' });
  }
}
