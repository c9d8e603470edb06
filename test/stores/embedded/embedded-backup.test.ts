import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync, readSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { copyEmbeddedStore, EMBEDDED_DATA_FILE } from '../../../src/stores/embedded/embedded-backup.js';
import { EmbeddedStore } from '../../../src/stores/embedded/embedded-store.js';
import { openFolder } from '../../folder.js';

const ROWS = 500;

/** Each write gives all rows one version, so that a copy of two moments would show. */
function writeAll(store: EmbeddedStore, version: number): Promise<void> {
  const table = store.table('rows');
  return store.write(() => {
    for (let row = 0; row < ROWS; row++) table.put(Buffer.from(`row ${row}`), Buffer.alloc(2000, version));
  });
}

test('a copy that is made while the store is written to is the store of one moment', async (t) => {
  const [folder, target] = [openFolder(t), join(openFolder(t), 'copy')];
  const store = new EmbeddedStore(folder);
  await writeAll(store, 1);
  let isCopying = true;
  const copying = copyEmbeddedStore(folder, target).finally(() => {
    isCopying = false;
  });
  let version = 1;
  while (isCopying && version < 200) await writeAll(store, ++version);
  await copying;
  await store.close();
  const copy = new EmbeddedStore(target);
  const found = [...copy.table('rows').rows({})].map(({ value }) => [value.length, value[0], value[1999]].join());
  await copy.close();
  assert.equal(found.length, ROWS);
  assert.equal(new Set(found).size, 1, [...new Set(found)].join(' '));
});

test('reading the file piece by piece while the store is written to is no copy: that is what the other one is for', async (t) => {
  const [folder, target] = [openFolder(t), openFolder(t)];
  const store = new EmbeddedStore(folder);
  for (const version of [1, 2, 3, 4]) await writeAll(store, version);
  const file = openSync(join(folder, EMBEDDED_DATA_FILE), 'r');
  t.after(() => closeSync(file));
  const bytes = Buffer.alloc(fstatSync(file).size);
  const pieceBytes = bytes.length >> 4;
  for (let piece = 0; piece <= 16; piece++) {
    readSync(
      file,
      bytes,
      piece * pieceBytes,
      Math.min(pieceBytes, bytes.length - piece * pieceBytes),
      piece * pieceBytes,
    );
    await writeAll(store, 5 + piece);
  }
  await store.close();
  writeFileSync(join(target, EMBEDDED_DATA_FILE), bytes);
  let found: string[] = [];
  try {
    const copy = new EmbeddedStore(target);
    found = [...copy.table('rows').rows({})].map(({ value }) => [value.length, value[0], value[1999]].join());
    await copy.close();
  } catch {
    // It does not even open.
  }
  assert.ok(found.length !== ROWS || new Set(found).size > 1, `all rows are ${found[0]}`);
});

test('a damaged store is not copied, and named', async (t) => {
  const folder = openFolder(t);
  const store = new EmbeddedStore(folder);
  for (const version of [1, 2, 3]) await writeAll(store, version);
  await store.close();
  truncateSync(join(folder, EMBEDDED_DATA_FILE), 8192);
  await assert.rejects(copyEmbeddedStore(folder, join(openFolder(t), 'copy')), /data\.mdb is damaged: /);
});
