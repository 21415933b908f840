// SPDX-License-Identifier: Apache-2.0
const ROUNDS = 64;
const YIELD_BYTES = 4 * 1024 * 1024;

/** The SHA-256 of a file in lower-case hexadecimal digits, which is the etag that the server gives it. */
export async function sha256(file: Blob): Promise<string> {
  const data = new Uint8Array(await file.arrayBuffer());
  // Browsers offer theirs to pages that came over TLS or from this computer only.
  const subtle = crypto.subtle as SubtleCrypto | undefined;
  return hex(subtle ? new Uint8Array(await subtle.digest('SHA-256', data)) : await portableSha256(data));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** FIPS 180-4, 6.2. Lets the page breathe in between. */
export async function portableSha256(data: Uint8Array): Promise<Uint8Array> {
  const { state, constants } = initial();
  const padded = new Uint8Array(((data.length + 8) >> 6) * 64 + 64 - ((data.length >> 6) << 6));
  padded.set(data.subarray((data.length >> 6) << 6));
  padded[data.length & 63] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(data.length / 0x20000000));
  view.setUint32(padded.length - 4, data.length << 3);
  const words = new Uint32Array(ROUNDS);
  const blocks = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (let at = 0; at + 64 <= data.length; at += 64) {
    compress(state, constants, words, blocks, at);
    if (at % YIELD_BYTES === 0 && at > 0) {
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
  for (let at = 0; at < padded.length; at += 64) {
    compress(state, constants, words, view, at);
  }
  const digest = new DataView(new ArrayBuffer(32));
  state.forEach((word, i) => digest.setUint32(4 * i, word));
  return new Uint8Array(digest.buffer);
}

// The first 32 bits of the fractional parts of the square roots of the first 8 primes, and of the cube roots of
// the first 64.
function initial(): { state: Uint32Array; constants: Uint32Array } {
  const primes: number[] = [];
  for (let n = 2; primes.length < ROUNDS; n++) {
    if (primes.every((prime) => n % prime !== 0)) {
      primes.push(n);
    }
  }
  const fraction = (x: number) => ((x - Math.floor(x)) * 0x100000000) >>> 0;
  return {
    state: Uint32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime))),
    constants: Uint32Array.from(primes, (prime) => fraction(Math.cbrt(prime))),
  };
}

function compress(state: Uint32Array, constants: Uint32Array, words: Uint32Array, view: DataView, at: number): void {
  const turned = (x: number, n: number) => (x >>> n) | (x << (32 - n));
  for (let i = 0; i < 16; i++) {
    words[i] = view.getUint32(at + 4 * i);
  }
  for (let i = 16; i < ROUNDS; i++) {
    const [x, y] = [words[i - 15], words[i - 2]];
    words[i] =
      words[i - 16] +
      (turned(x, 7) ^ turned(x, 18) ^ (x >>> 3)) +
      words[i - 7] +
      (turned(y, 17) ^ turned(y, 19) ^ (y >>> 10));
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < ROUNDS; i++) {
    const first = (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) + constants[i] + words[i]) | 0;
    const second = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((value, i) => (state[i] += value));
}
