// SPDX-License-Identifier: Apache-2.0
import { crc32 } from './deflate';

export interface Entry {
  readonly name: string;
  readonly data: Buffer;
  /** As it is in the archive, if that is not the data itself. */
  readonly packed?: Buffer;
  readonly method?: number;
  readonly flags?: number;
  /** What the archive says of the size. */
  readonly size?: number;
  /** Where the archive says that it is. */
  readonly at?: number;
  /** Sizes and checksum are behind the content, as by a program that does not know them before. */
  readonly late?: boolean;
  /** Sizes and place are in a Zip64 field, as of a file of more than 4 GB. */
  readonly large?: boolean;
}

const NOT_HERE = 0xffffffff;

/** `numbers` in a Zip64 field, behind a field of another kind. */
function largeField(...numbers: readonly number[]): Buffer {
  const field = Buffer.alloc(8 + 4 + 8 * numbers.length);
  field.writeUInt16LE(0x5455, 0);
  field.writeUInt16LE(4, 2);
  field.writeUInt16LE(1, 8);
  field.writeUInt16LE(8 * numbers.length, 10);
  numbers.forEach((number, i) => field.writeBigUInt64LE(BigInt(number), 12 + 8 * i));
  return field;
}

/**
 * An archive, in which the entries may be stated otherwise than they are. `large`: its end is that of an archive with
 * more than 65,535 files.
 */
export function zip(entries: readonly Entry[], large = false): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let position = 0;
  for (const entry of entries) {
    const { name, data, packed = data, method = 0, size = data.length, at = position } = entry;
    const flags = (entry.flags ?? 0x800) | (entry.late ? 8 : 0);
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0);
    facts.writeUInt16LE(flags, 2);
    facts.writeUInt16LE(method, 4);
    facts.writeUInt32LE(crc32(data), 10);
    facts.writeUInt32LE(packed.length, 14);
    facts.writeUInt32LE(size, 18);
    facts.writeUInt16LE(Buffer.byteLength(name), 22);
    const before = Buffer.from(facts);
    const behind = Buffer.concat([Buffer.from('PK\x07\x08', 'latin1'), facts.subarray(10, 22)]);
    if (entry.late) {
      before.fill(0, 10, 22);
    }
    const localField = entry.large ? largeField(size, packed.length) : Buffer.alloc(0);
    before.writeUInt16LE(localField.length, 24);
    const local = Buffer.concat([
      Buffer.from('PK\x03\x04', 'latin1'),
      before,
      Buffer.from(name),
      localField,
      packed,
      entry.late ? behind : Buffer.alloc(0),
    ]);
    const rest = Buffer.alloc(14);
    const field = entry.large ? largeField(size, packed.length, at) : Buffer.alloc(0);
    if (entry.large) {
      facts.writeUInt32LE(NOT_HERE, 14);
      facts.writeUInt32LE(NOT_HERE, 18);
      facts.writeUInt16LE(field.length, 24);
    }
    rest.writeUInt32LE(entry.large ? NOT_HERE : at, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\0', 'latin1'), facts, rest, Buffer.from(name), field);
    parts.push(local);
    position += local.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(position, 16);
  if (!large) {
    return Buffer.concat([...parts, list, end]);
  }
  end.fill(0xff, 8, 20);
  const largeEnd = Buffer.alloc(56);
  largeEnd.write('PK\x06\x06', 'latin1');
  largeEnd.writeBigUInt64LE(44n, 4);
  largeEnd.writeBigUInt64LE(BigInt(entries.length), 24);
  largeEnd.writeBigUInt64LE(BigInt(entries.length), 32);
  largeEnd.writeBigUInt64LE(BigInt(list.length), 40);
  largeEnd.writeBigUInt64LE(BigInt(position), 48);
  const locator = Buffer.alloc(20);
  locator.write('PK\x06\x07', 'latin1');
  locator.writeBigUInt64LE(BigInt(position + list.length), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([...parts, list, largeEnd, locator, end]);
}

/** The files of an archive without compression. */
export function unzip(archive: Buffer): Map<string, Buffer> {
  const end = archive.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  const out = new Map<string, Buffer>();
  let at = archive.readUInt32LE(end + 16);
  for (let i = 0; i < archive.readUInt16LE(end + 10); i++) {
    const nameLength = archive.readUInt16LE(at + 28);
    const name = archive.toString('utf8', at + 46, at + 46 + nameLength);
    const local = archive.readUInt32LE(at + 42);
    const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    const data = archive.subarray(start, start + archive.readUInt32LE(at + 24));
    if (crc32(data) !== archive.readUInt32LE(at + 16)) {
      throw new Error(`${name} is damaged`);
    }
    out.set(name, data);
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return out;
}
