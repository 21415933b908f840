// SPDX-License-Identifier: Apache-2.0
export { deflateSync } from 'node:zlib';

const table = Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) {
    c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  }
  return c >>> 0;
});

/** The checksum of PNG chunks; Node has its own only from version 20.15 on. */
export function crc32(data: Buffer): number {
  let c = 0xffffffff;
  for (const byte of data) {
    c = table[(c ^ byte) & 0xff] ^ (c >>> 8);
  }
  return (c ^ 0xffffffff) >>> 0;
}
