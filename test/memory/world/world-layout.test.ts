import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RETURNING_IDS_KEPT } from '../../../src/memory/limits.js';
import * as L from '../../../src/memory/world/world-layout.js';

const COLUMNS: L.ColumnSpec[] = [
  { name: 'alive', type: 'u8', role: 'alive' },
  { name: 'x', type: 'f64' },
  { name: 'hp', type: 'u16' },
];
const CELLS: L.CellsSpec = { count: 9, queueRecords: 7, queueRecordBytes: 24, rowColumns: COLUMNS };

test('columns, cells and blocks follow each other without overlap, each aligned to its type', () => {
  for (const cells of [undefined, CELLS, { ...CELLS, count: 10 }]) {
    const layout = L.layOutWorld(COLUMNS, 64, cells);
    let end = L.COLUMNS_IN_BLOCK;
    for (const { offset, bytes } of layout.columns) {
      assert.ok(offset >= end && offset % bytes === 0);
      end = offset + 64 * bytes;
    }
    if (layout.cells !== undefined) {
      const { offset, queueOffset, count } = layout.cells;
      assert.ok(offset >= end && offset % 8 === 0);
      assert.ok(queueOffset >= offset + count * 20 && queueOffset % 8 === 0);
      end = queueOffset + 7 * 24;
    }
    assert.ok(layout.blockBytes >= end && layout.blockBytes % 128 === 0 && layout.blockBytes < end + 128);
    assert.equal(layout.totalBytes, L.BLOCKS_OFFSET + 3 * layout.blockBytes);
  }
});

test('the header and the scalars of a block have a place each', () => {
  const header = [L.MAGIC, L.VERSION, L.LAYOUT_HASH, L.ZONE_ID, L.ROW_CAPACITY];
  assert.equal(new Set(header).size, header.length);
  assert.ok(header.every((word) => word * 4 < 128) && L.COMMITS * 4 >= 128 && L.COMMITS * 4 < L.COUNTERS_OFFSET);
  const scalars = Object.entries(L).filter(([name]) => name.startsWith('SCALAR_') && name !== 'SCALAR_COUNT');
  assert.equal(new Set(scalars.map(([, word]) => word)).size, scalars.length);
  assert.ok(scalars.every(([, word]) => (word as number) < L.SCALAR_COUNT));
  assert.ok(L.GLOBALS_IN_BLOCK >= L.SCALAR_COUNT * 4 && L.GLOBALS_IN_BLOCK % 8 === 0);
  assert.ok(L.MARKS_IN_BLOCK > L.GLOBALS_IN_BLOCK && L.COLUMNS_IN_BLOCK > L.MARKS_IN_BLOCK);
});

test('an outbox is its claims, the count of waiting ids, and as many ids as are kept, without a gap', () => {
  assert.equal(L.RETURNING_ID_COUNT, L.CLAIM_COUNT);
  assert.equal(L.RETURNING_IDS, L.CLAIM_COUNT + 1);
  assert.equal(L.OUTBOX_WORDS, L.CLAIM_COUNT + 1 + RETURNING_IDS_KEPT);
  assert.equal(L.BLOCKS_OFFSET, L.OUTBOXES_OFFSET + 2 * 4 * L.OUTBOX_WORDS);
  assert.equal(L.BLOCKS_OFFSET % 8, 0, 'blocks hold numbers of 8 bytes');
});

test('layouts that differ in a name, a type, an order or the cells have different hashes', () => {
  const [alive, x, hp] = COLUMNS;
  const hashes = [
    L.layOutWorld(COLUMNS, 64),
    L.layOutWorld([alive, hp, x], 64),
    L.layOutWorld([alive, x], 64),
    L.layOutWorld([alive, x, { ...hp, type: 'i16' }], 64),
    L.layOutWorld([alive, x, { ...hp, name: 'hq' }], 64),
    L.layOutWorld(COLUMNS, 64, CELLS),
    L.layOutWorld(COLUMNS, 64, { ...CELLS, count: 10 }),
    L.layOutWorld(COLUMNS, 64, { ...CELLS, queueRecordBytes: 32 }),
  ].map(({ hash }) => hash);
  assert.equal(new Set(hashes).size, hashes.length);
  assert.equal(L.layOutWorld(COLUMNS, 128).hash, hashes[0], 'capacity is compared by itself');
});

test('a capacity that would misalign columns, and a queue record that would, are refused', () => {
  for (const capacity of [0, -64, 32, 65]) assert.throws(() => L.layOutWorld(COLUMNS, capacity), /multiple of 64/);
  assert.throws(() => L.layOutWorld(COLUMNS, 64, { ...CELLS, queueRecordBytes: 20 }), /aligned/);
});

test('a packed row has no gaps', () => {
  assert.equal(L.rowBytesOf(COLUMNS), 11);
  assert.equal(L.rowBytesOf([]), 0);
});
