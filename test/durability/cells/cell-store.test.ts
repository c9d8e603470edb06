// Records of cells as a store has them: many of one cell, and such as are larger than one of its rows may be.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { decodeCell, encodeCell } from '../../../src/durability/cells/cell-record.js';
import { CELLS_TABLE, CellRecords } from '../../../src/durability/cells/cell-store.js';
import type { ColumnSpec } from '../../../src/memory/world/world-layout.js';
import { openEmbeddedColdStore } from '../../../src/stores/embedded/embedded-cold-store.js';
import { SNAPSHOT_PIECE_BYTES } from '../../../src/stores/limits.js';
import { openMongoColdStore } from '../../../src/stores/mongodb/mongo-cold-store.js';
import type { ColdStore } from '../../../src/stores/store-ports.js';
import { openFolder } from '../../folder.js';
import { requireOrSkip } from '../../require.js';
import { findService, skipReason } from '../../services/running.js';

const COLUMNS: ColumnSpec[] = [{ name: 'hp', type: 'f64' }];

function rowOf(hp: number): Uint8Array {
  return new Uint8Array(Float64Array.of(hp).buffer);
}

function recordOf(cell: number, hp: number): Buffer {
  return encodeCell(cell, COLUMNS, [rowOf(hp)]);
}

function hpOf(bytes: Uint8Array): number {
  return Buffer.from(bytes).readDoubleLE(0);
}

const STORES: [string, (t: TestContext) => ColdStore | undefined][] = [
  ['embedded', (t) => openEmbeddedColdStore({ folder: openFolder(t) })],
  [
    'mongodb',
    (t) => {
      const url = findService('mongodb');
      return requireOrSkip(t, url !== undefined, skipReason('mongodb')) ? openMongoColdStore({ url: url! }) : undefined;
    },
  ],
];

for (const [name, open] of STORES) {
  test(`${name}: a cell whose record is larger than a row may be is stored, read, found and deleted whole`, async (t) => {
    const store = open(t);
    if (store === undefined) return;
    t.after(() => store.close());
    const worldId = randomUUID();
    const records = new CellRecords(store, worldId);
    const rows = Array.from({ length: 2100 }, (_, i) => new Uint8Array(8192).fill(i));
    const wide: ColumnSpec[] = Array.from({ length: 1024 }, (_, i) => ({ name: `wide${i}`, type: 'f64' }));
    const large = encodeCell(5, wide, rows);
    assert.ok(large.length > 2 * SNAPSHOT_PIECE_BYTES);
    await records.write([
      { cell: 4, version: 70, record: recordOf(4, 1) },
      { cell: 5, version: 71, record: large },
      { cell: 6, version: 72, record: recordOf(6, 2) },
    ]);
    const names = [4, 5, 6, 7].map((cell, i) => ({ cell, version: 70 + i }));
    const later = new CellRecords(store, worldId);
    const read = await later.read(names);
    assert.equal(hpOf(decodeCell(read[0]!, 4, COLUMNS).bytes), 1);
    assert.ok(Buffer.from(read[1]!).equals(large));
    assert.equal(hpOf(decodeCell(read[2]!, 6, COLUMNS).bytes), 2);
    assert.equal(read[3], undefined);
    const cleaner = new CellRecords(store, worldId);
    assert.deepEqual(await cleaner.listVersions(5), [71]);
    await cleaner.delete(names);
    assert.deepEqual(await store.scanRows(CELLS_TABLE, `${worldId}/`, '', 10), []);
  });

  test(`${name}: of very many records of a cell all are listed, and the newest older one is found`, async (t) => {
    const store = open(t);
    if (store === undefined) return;
    t.after(() => store.close());
    const records = new CellRecords(store, randomUUID());
    const versions = Array.from({ length: 100 }, (_, i) => 1e15 + i);
    await records.write(versions.map((version, i) => ({ cell: 5, version, record: recordOf(5, i) })));
    assert.deepEqual(await records.listVersions(5), versions);
    const older = await records.findOlder({ cell: 5, version: versions[90] }, COLUMNS);
    assert.equal(hpOf(older!.bytes), 89);
    await records.delete(versions.map((version) => ({ cell: 5, version })));
  });
}
