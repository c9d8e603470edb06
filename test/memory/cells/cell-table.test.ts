import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CELL_LOAD_TICKS_MAX } from '../../../src/engine/cells/limits.js';
import { CellTable } from '../../../src/memory/cells/cell-table.js';

const ZONES = 3;
const CELLS = 50;

function createTables(): [CellTable, CellTable] {
  const buffer = CellTable.create(ZONES, CELLS);
  return [new CellTable(buffer, ZONES, CELLS), new CellTable(buffer, ZONES, CELLS)];
}

test('what one thread says of a cell another one reads, and nothing else changes', () => {
  const [written, read] = createTables();
  for (let zone = 0; zone < ZONES; zone++) {
    for (let cell = 0; cell < CELLS; cell++) written.need(zone, cell, 1000 * zone + cell + 1);
    written.loadTicks[zone].fill(7 + zone);
  }
  for (let cell = 0; cell < CELLS; cell++) written.storeDone(cell, 5000 + cell, 2 ** 40 + cell);
  for (let zone = 0; zone < ZONES; zone++) {
    for (let cell = 0; cell < CELLS; cell++) assert.equal(read.neededAt(zone, cell), 1000 * zone + cell + 1);
    assert.equal(read.loadTicks[zone].length, CELL_LOAD_TICKS_MAX);
    assert.ok(read.loadTicks[zone].every((count) => count === 7 + zone));
  }
  for (let cell = 0; cell < CELLS; cell++) assert.equal(read.storedAs(cell, 5000 + cell), 2 ** 40 + cell);
});

test('needs of two zones are a cache line apart', () => {
  const { needs } = createTables()[0] as unknown as { needs: Int32Array[] };
  for (let zone = 1; zone < ZONES; zone++) {
    const gap = needs[zone].byteOffset - needs[zone - 1].byteOffset;
    assert.ok(gap % 128 === 0 && gap >= CELLS * 4);
  }
});

test('a cell is stored only for the leaving that it was stored for', () => {
  const [written, read] = createTables();
  assert.equal(read.storedAs(4, 100), 0);
  written.storeDone(4, 100, 12);
  assert.equal(read.storedAs(4, 100), 12);
  assert.equal(read.storedAs(4, 101), 0, 'it left again since');
  assert.equal(read.storedAs(5, 100), 0);
});
