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
