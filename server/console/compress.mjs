// SPDX-License-Identifier: Apache-2.0
// Compresses the files of a built console, beside them: "main.js" gets "main.js.br" and "main.js.gz", which the server
// then sends as they are. Once at the build, as small as possible, instead of at each start of a server.
//
//   node compress.mjs FOLDER
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const folder = process.argv[2];
const text = new Set(['.css', '.html', '.js', '.json', '.svg', '.txt', '.webmanifest']);
const worthCompressing = 512;

for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath ?? entry.path, entry.name);
  if (!entry.isFile() || !text.has(extname(entry.name))) {
    continue;
  }
  const content = readFileSync(path);
  if (content.length < worthCompressing) {
    continue;
  }
  const brotli = brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length } });
  for (const [ending, coded] of [['.br', brotli], ['.gz', gzipSync(content, { level: 9 })]]) {
    if (coded.length < content.length) {
      writeFileSync(path + ending, coded);
    }
  }
}
