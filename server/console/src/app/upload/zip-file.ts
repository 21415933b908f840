// SPDX-License-Identifier: Apache-2.0
// Reads zip archives piece by piece: the directory first, then one entry at a time. An archive may mean harm, so
// nothing that it says of itself is believed: every size is checked before memory is taken for it, and what an entry
// expands to is compared with what the directory says while it is unpacked.

/** Why an archive or an entry cannot be read, as a sentence for the user. */
export class ZipError extends Error {
  override readonly name = 'ZipError';
}

export interface ZipEntry {
  readonly name: string;
  readonly size: number;
  readonly packedSize: number;
  readonly crc: number;
  readonly method: number;
  readonly offset: number;
  /** The name as it is in the archive. */
  readonly raw: Uint8Array;
}

const MAX_ENTRIES = 200_000;
const MAX_DIRECTORY = 64 * 1024 * 1024;
const MAX_UNPACKED = 64 * 1024 ** 3;
const PIECE = 1024 * 1024;
const BREATHE_ENTRIES = 5000;

const END = 0x06054b50;
const END_SIZE = 22;
const END_64 = 0x06064b50;
const END_64_SIZE = 56;
const LOCATOR_64 = 0x07064b50;
const LOCATOR_64_SIZE = 20;
const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_ENTRY_SIZE = 46;
const LOCAL = 0x04034b50;
const LOCAL_SIZE = 30;
const EXTRA_64 = 1;

const ENCRYPTED = 1;
const UTF8 = 1 << 11;
const STORED = 0;
const DEFLATED = 8;

const DAMAGED = 'This archive is damaged or incomplete.';

/** The files in the archive, without its folders. Rejects when the signal is aborted. */
export async function readDirectory(archive: Blob, signal?: AbortSignal): Promise<readonly ZipEntry[]> {
  const end = await findEnd(archive, signal);
  if (end.count > MAX_ENTRIES || end.size > MAX_DIRECTORY) {
    throw new ZipError('This archive has too many files.');
  }
  if (end.offset + end.size > end.position || end.count * DIRECTORY_ENTRY_SIZE > end.size) {
    throw new ZipError(DAMAGED);
  }
  const view = await bytesAt(archive, end.offset, end.size, signal);
  signal?.throwIfAborted();
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  let at = 0;
  let unpacked = 0;
  for (let i = 0; i < end.count; i++) {
    if (at + DIRECTORY_ENTRY_SIZE > view.byteLength || view.getUint32(at, true) !== DIRECTORY_ENTRY) {
      throw new ZipError(DAMAGED);
    }
    const flags = view.getUint16(at + 8, true);
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + DIRECTORY_ENTRY_SIZE + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > view.byteLength) {
      throw new ZipError(DAMAGED);
    }
    const raw = new Uint8Array(view.buffer, view.byteOffset + at + DIRECTORY_ENTRY_SIZE, nameLength);
    const name = decodeName(raw, (flags & UTF8) !== 0);
    const numbers = largeNumbers(
      [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)],
      new DataView(view.buffer, view.byteOffset + at + DIRECTORY_ENTRY_SIZE + nameLength, extraLength),
    );
    const [size, packedSize, offset] = numbers;
    if (!isSafeName(name)) {
      throw new ZipError(`The name “${name}” in this archive leads out of it.`);
    }
    if (names.has(name)) {
      throw new ZipError(`This archive contains two files with the name “${name}”.`);
    }
    if ((flags & ENCRYPTED) !== 0) {
      throw new ZipError('This archive is encrypted. Make one without a password.');
    }
    names.add(name);
    unpacked += size;
    if (unpacked > MAX_UNPACKED) {
      throw new ZipError('This archive expands to more than 64 GB.');
    }
    entries.push({ name, size, packedSize, offset, raw, crc: view.getUint32(at + 16, true), method: view.getUint16(at + 10, true) });
    at = next;
    if (i % BREATHE_ENTRIES === BREATHE_ENTRIES - 1) {
      await new Promise((resolve) => setTimeout(resolve));
      signal?.throwIfAborted();
    }
  }
  refuseOverlaps(entries, end.offset);
  return entries.filter((entry) => !entry.name.endsWith('/'));
}

/** The content of an entry. The caller has found its size acceptable. Rejects when the signal is aborted. */
export async function readEntry(archive: Blob, entry: ZipEntry, signal?: AbortSignal): Promise<Blob> {
  const damaged = () => new ZipError(`“${entry.name}” in the archive is damaged.`);
  const head = await bytesAt(archive, entry.offset, LOCAL_SIZE, signal);
  const nameLength = head.getUint16(26, true);
  const start = entry.offset + LOCAL_SIZE + nameLength + head.getUint16(28, true);
  if (head.getUint32(0, true) !== LOCAL || nameLength !== entry.raw.length || start + entry.packedSize > archive.size) {
    throw damaged();
  }
  const name = await bytesAt(archive, entry.offset + LOCAL_SIZE, nameLength, signal);
  if (entry.raw.some((byte, i) => byte !== name.getUint8(i)) || head.getUint16(8, true) !== entry.method) {
    throw damaged();
  }
  const packed = archive.slice(start, start + entry.packedSize);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  let crc = 0;
  const take = (part: Uint8Array<ArrayBuffer>) => {
    signal?.throwIfAborted();
    size += part.length;
    if (size > entry.size) {
      throw damaged();
    }
    crc = crc32(part, crc);
    parts.push(part);
  };
  if (entry.method === STORED) {
    for (let at = 0; at < packed.size; at += PIECE) {
      take(new Uint8Array(await packed.slice(at, at + PIECE).arrayBuffer()));
    }
  } else if (entry.method === DEFLATED) {
    await inflate(packed, take, damaged, signal);
  } else {
    throw new ZipError(`“${entry.name}” is compressed in a way that is not supported. Make an ordinary zip archive.`);
  }
  if (size !== entry.size || crc !== entry.crc) {
    throw damaged();
  }
  return new Blob(parts);
}

async function inflate(
  packed: Blob,
  take: (part: Uint8Array<ArrayBuffer>) => void,
  damaged: () => Error,
  signal?: AbortSignal,
): Promise<void> {
  if (typeof DecompressionStream === 'undefined') {
    throw new ZipError('This browser cannot unpack compressed archives. Use a newer one, or an archive without compression.');
  }
  const reader = packed.stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return;
      }
      take(value as Uint8Array<ArrayBuffer>);
    }
  } catch (error) {
    // Nothing more is unpacked.
    void reader.cancel().catch(() => undefined);
    throw error instanceof ZipError || signal?.aborted ? error : damaged();
  }
}

interface DirectoryEnd {
  readonly count: number;
  readonly size: number;
  readonly offset: number;
  /** Where the end itself begins. */
  readonly position: number;
}

async function findEnd(archive: Blob, signal?: AbortSignal): Promise<DirectoryEnd> {
  const start = Math.max(0, archive.size - END_SIZE - 0xffff);
  const tail = await bytesAt(archive, start, archive.size - start, signal);
  let at = tail.byteLength - END_SIZE;
  // Behind the end is a comment, which may look like anything.
  while (at >= 0 && !(tail.getUint32(at, true) === END && at + END_SIZE + tail.getUint16(at + 20, true) === tail.byteLength)) {
    at--;
  }
  if (at < 0) {
    throw new ZipError('This is not a zip archive, or it is incomplete.');
  }
  const end = {
    count: tail.getUint16(at + 10, true),
    size: tail.getUint32(at + 12, true),
    offset: tail.getUint32(at + 16, true),
    position: start + at,
  };
  const locator = start + at - LOCATOR_64_SIZE;
  if (locator >= 0) {
    const found = await bytesAt(archive, locator, LOCATOR_64_SIZE, signal);
    if (found.getUint32(0, true) === LOCATOR_64) {
      return findLargeEnd(archive, Number(found.getBigUint64(8, true)), locator, signal);
    }
  }
  if (tail.getUint16(at + 4, true) !== 0 || tail.getUint16(at + 6, true) !== 0 || tail.getUint16(at + 8, true) !== end.count) {
    throw new ZipError('This is one part of an archive that has several. Make one in a single file.');
  }
  return end;
}

async function findLargeEnd(archive: Blob, position: number, locator: number, signal?: AbortSignal): Promise<DirectoryEnd> {
  if (position + END_64_SIZE > locator) {
    throw new ZipError(DAMAGED);
  }
  const end = await bytesAt(archive, position, END_64_SIZE, signal);
  if (end.getUint32(0, true) !== END_64) {
    throw new ZipError(DAMAGED);
  }
  return {
    count: Number(end.getBigUint64(32, true)),
    size: Number(end.getBigUint64(40, true)),
    offset: Number(end.getBigUint64(48, true)),
    position,
  };
}

/** The numbers of an entry, of which some may be in a Zip64 field, in this order. */
function largeNumbers(numbers: readonly number[], extra: DataView): number[] {
  if (!numbers.includes(0xffffffff)) {
    return [...numbers];
  }
  for (let at = 0; at + 4 <= extra.byteLength; ) {
    const length = extra.getUint16(at + 2, true);
    if (extra.getUint16(at, true) === EXTRA_64 && at + 4 + length <= extra.byteLength) {
      let field = at + 4;
      return numbers.map((number) => {
        if (number !== 0xffffffff) {
          return number;
        }
        if (field + 8 > at + 4 + length) {
          throw new ZipError(DAMAGED);
        }
        field += 8;
        return Number(extra.getBigUint64(field - 8, true));
      });
    }
    at += 4 + length;
  }
  throw new ZipError(DAMAGED);
}

// Entries that share bytes are how a small archive expands to a huge one.
function refuseOverlaps(entries: readonly ZipEntry[], directory: number): void {
  const inOrder = [...entries].sort((a, b) => a.offset - b.offset);
  inOrder.forEach((entry, i) => {
    const end = entry.offset + LOCAL_SIZE + entry.raw.length + entry.packedSize;
    if (end > (inOrder[i + 1]?.offset ?? directory)) {
      throw new ZipError('The files in this archive overlap. It is damaged, or it is not meant well.');
    }
  });
}

function isSafeName(name: string): boolean {
  return name !== '' && !name.startsWith('/') && !/[\\\0]/.test(name) && !/^.:/.test(name) && !name.split('/').includes('..');
}

function decodeName(raw: Uint8Array, utf8: boolean): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(raw);
  } catch {
    if (utf8) {
      throw new ZipError(DAMAGED);
    }
    return new TextDecoder('windows-1252').decode(raw);
  }
}

async function bytesAt(archive: Blob, offset: number, length: number, signal?: AbortSignal): Promise<DataView<ArrayBuffer>> {
  signal?.throwIfAborted();
  if (offset + length > archive.size) {
    throw new ZipError(DAMAGED);
  }
  return new DataView(await archive.slice(offset, offset + length).arrayBuffer());
}

let table: Uint32Array | null = null;

function crc32(data: Uint8Array, before: number): number {
  table ??= Uint32Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let bit = 0; bit < 8; bit++) {
      c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    }
    return c;
  });
  let crc = ~before;
  for (const byte of data) {
    crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff];
  }
  return ~crc >>> 0;
}
