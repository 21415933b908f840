// SPDX-License-Identifier: Apache-2.0
import { isUsable } from './file-check';

export interface Dropped {
  readonly files: File[];
  /** Files in folders that cannot be used, such as the operating system's own, and what cannot be read. */
  readonly leftOut: number;
}

/**
 * The dropped files, and the pictures, exports and archives in dropped folders at any depth, in the order of their names. Call it
 * within the event: the transfer is empty afterwards.
 */
export async function readDropped(transfer: DataTransfer): Promise<Dropped> {
  const entries = [...transfer.items].filter((item) => item.kind === 'file').map((item) => item.webkitGetAsEntry());
  if (!entries.some((entry) => entry?.isDirectory)) {
    return { files: [...transfer.files], leftOut: 0 };
  }
  const files: File[] = [];
  let leftOut = 0;
  const read = async (entry: FileSystemEntry, inFolder: boolean): Promise<void> => {
    try {
      if (entry.isDirectory) {
        const inside = await entriesIn(entry as FileSystemDirectoryEntry);
        inside.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
        for (const one of inside) {
          await read(one, true);
        }
        return;
      }
      const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
      if (inFolder && !isUsable(file)) {
        leftOut += 1;
      } else {
        files.push(file);
      }
    } catch {
      leftOut += 1;
    }
  };
  for (const entry of entries) {
    if (entry) {
      await read(entry, false);
    }
  }
  return { files, leftOut };
}

async function entriesIn(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const entries: FileSystemEntry[] = [];
  // A reader returns a part at a time and ends with an empty one.
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) {
      return entries;
    }
    entries.push(...part);
  }
}
