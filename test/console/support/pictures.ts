// SPDX-License-Identifier: Apache-2.0
import { crc32, deflateSync } from './deflate';

export interface PictureFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

/** A PNG of one colour with a lighter disc in its middle. */
export function png(name: string, width: number, height: number, colour: [number, number, number]): PictureFile {
  const rows = Buffer.alloc((width * 3 + 1) * height);
  const radius = Math.min(width, height) * 0.32;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const inside = Math.hypot(x - width / 2, y - height / 2) < radius;
      const at = y * (width * 3 + 1) + 1 + x * 3;
      for (let c = 0; c < 3; c++) {
        rows[at + c] = inside ? Math.min(255, colour[c] + 90) : colour[c];
      }
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const buffer = Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
  return { name, mimeType: 'image/png', buffer };
}

export function svg(name: string, body: string, width = 120, height = 80): PictureFile {
  const text = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${body}</svg>`;
  return { name, mimeType: 'image/svg+xml', buffer: Buffer.from(text) };
}

/** A picture that differs with its number, small and quick to make. */
export function numbered(index: number, name = `picture ${index}.png`): PictureFile {
  const colour: [number, number, number] = [(index * 47) % 160, (index * 83) % 160, (index * 29) % 160];
  return png(name, 40 + (index % 5) * 12, 30 + (index % 7) * 9, colour);
}

/** A TIFF of one colour, which browsers other than Safari cannot draw. */
export function tiff(name: string, width: number, height: number, colour: [number, number, number]): PictureFile {
  const SHORT = 3;
  const LONG = 4;
  const tags = 11;
  const bits = 8 + 2 + tags * 12 + 4;
  const pixels = bits + 6;
  const entries: [number, number, number, number][] = [
    [256, LONG, 1, width],
    [257, LONG, 1, height],
    [258, SHORT, 3, bits],
    [259, SHORT, 1, 1], // not compressed
    [262, SHORT, 1, 2], // RGB
    [273, LONG, 1, pixels],
    [274, SHORT, 1, 1], // upright
    [277, SHORT, 1, 3],
    [278, LONG, 1, height],
    [279, LONG, 1, width * height * 3],
    [284, SHORT, 1, 1], // colours side by side
  ];
  const head = Buffer.alloc(pixels);
  head.write('II*\0', 'latin1');
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(entries.length, 8);
  entries.forEach(([tag, type, count, value], i) => {
    const at = 10 + i * 12;
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(type, at + 2);
    head.writeUInt32LE(count, at + 4);
    head.writeUInt32LE(value, at + 8);
  });
  [8, 8, 8].forEach((value, i) => head.writeUInt16LE(value, bits + 2 * i));
  const buffer = Buffer.concat([head, Buffer.alloc(width * height * 3, Buffer.from(colour))]);
  return { name, mimeType: 'image/tiff', buffer };
}
