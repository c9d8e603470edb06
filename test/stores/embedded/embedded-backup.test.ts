import assert from 'node:assert/strict';
import { truncateSync } from 'node:fs';
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

test('a damaged store is not copied, and named', async (t) => {
  const folder = openFolder(t);
  const store = new EmbeddedStore(folder);
  for (const version of [1, 2, 3]) await writeAll(store, version);
  await store.close();
  truncateSync(join(folder, EMBEDDED_DATA_FILE), 8192);
  await assert.rejects(copyEmbeddedStore(folder, join(openFolder(t), 'copy')), /data\.mdb is damaged: /);
});
