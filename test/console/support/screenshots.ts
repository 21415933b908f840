// SPDX-License-Identifier: Apache-2.0
import { inflateSync } from 'node:zlib';

/** Pixels of a screenshot, four bytes each: red, green, blue, alpha. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Decodes the PNG that the browser makes of a screenshot: 8 bits, RGB or RGBA, not interlaced. */
export function decodePng(file: Buffer): Pixels {
  const width = file.readUInt32BE(16);
  const height = file.readUInt32BE(20);
  const [depth, type, , , interlaced] = file.subarray(24, 29);
  if (depth !== 8 || (type !== 2 && type !== 6) || interlaced !== 0) {
    throw new Error(`a PNG of depth ${depth} and type ${type} is not read here`);
  }
  const parts: Buffer[] = [];
  for (let at = 8; at < file.length; at += file.readUInt32BE(at) + 12) {
    if (file.toString('latin1', at + 4, at + 8) === 'IDAT') {
      parts.push(file.subarray(at + 8, at + 8 + file.readUInt32BE(at)));
    }
  }
  const raw = inflateSync(Buffer.concat(parts));
  const size = type === 6 ? 4 : 3;
  const length = width * size;
  const rows = new Uint8Array(length * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (length + 1)];
    for (let x = 0; x < length; x++) {
      const left = x >= size ? rows[y * length + x - size] : 0;
      const up = y > 0 ? rows[(y - 1) * length + x] : 0;
      const corner = x >= size && y > 0 ? rows[(y - 1) * length + x - size] : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      rows[y * length + x] = raw[y * (length + 1) + 1 + x] + guess;
    }
  }
  const data = new Uint8Array(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) {
    data.set(rows.subarray(i * size, i * size + size), i * 4);
  }
  return { width, height, data };
}

function paeth(a: number, b: number, c: number): number {
  const p = a + b - c;
  const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

/** How many pixels differ between two screenshots by a contrast of at least `least`, as WCAG 2 defines it. */
export function changedPixels(before: Pixels, after: Pixels, least: number): number {
  let count = 0;
  for (let i = 0; i < before.data.length; i += 4) {
    const [a, b] = [luminance(before.data, i), luminance(after.data, i)];
    if ((Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) >= least) {
      count += 1;
    }
  }
  return count;
}

const linear = Array.from({ length: 256 }, (_, value) => {
  const c = value / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
});

function luminance(data: Uint8Array, at: number): number {
  return 0.2126 * linear[data[at]] + 0.7152 * linear[data[at + 1]] + 0.0722 * linear[data[at + 2]];
}
