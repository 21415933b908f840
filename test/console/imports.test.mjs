// SPDX-License-Identifier: Apache-2.0
// No file of the console imports itself by way of others, not even where it imports a dialog when it is first opened.
//   node --test test/console/imports.test.mjs
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const IMPORT = /(?:\bfrom\s*|\bimport\s*\(\s*)'(\.[^']+)'/g;

/** The files of a folder by name, with the files that each imports. */
function importsIn(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.ts'));
  return new Map(
    files.map((name) => {
      const text = readFileSync(join(folder, name), 'utf8');
      return [name, [...text.matchAll(IMPORT)].map(([, path]) => `${relative(folder, join(folder, dirname(name), path))}.ts`)];
    }),
  );
}

/** A way from a file back to itself; null where there is none. */
function circle(imports) {
  const done = new Set();
  const visit = (file, way) => {
    if (way.includes(file)) {
      return [...way.slice(way.indexOf(file)), file];
    }
    if (done.has(file)) {
      return null;
    }
    for (const next of imports.get(file) ?? []) {
      const found = visit(next, [...way, file]);
      if (found) {
        return found;
      }
    }
    done.add(file);
    return null;
  };
  for (const file of imports.keys()) {
    const found = visit(file, []);
    if (found) {
      return found;
    }
  }
  return null;
}

const source = join(dirname(fileURLToPath(import.meta.url)), '../../server/console/src');

test('a circle is found', () => {
  assert.deepEqual(circle(new Map([['a', ['b', 'c']], ['b', []], ['c', ['d']], ['d', ['c']]])), ['c', 'd', 'c']);
});

test('the console has no circular imports', () => {
  const imports = importsIn(source);
  assert.ok(imports.get('main.ts')?.includes('app/app.ts'));
  assert.ok(imports.get('app/images/image-editor.ts')?.includes('app/images/edit-dialog.ts'));
  for (const file of [...imports.values()].flat()) {
    assert.ok(imports.has(file), `${file} is imported and was not read`);
  }
  assert.equal(circle(imports)?.join(' → ') ?? null, null);
});
