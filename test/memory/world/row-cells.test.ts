import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { COLUMN_ARRAYS, type ColumnType } from '../../../src/memory/world/column-types.js';
import { RowCells } from '../../../src/memory/world/row-cells.js';
import { LIVE_BLOCK, WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { layOutWorld } from '../../../src/memory/world/world-layout.js';

const TYPES = Object.keys(COLUMN_ARRAYS) as ColumnType[];
const ROWS = 128;
/** Every type, and columns between them that are not asked for. */
const LAYOUT = layOutWorld(
  TYPES.flatMap((type) => [
    { name: type, type },
    { name: `other-${type}`, type },
  ]),
  ROWS,
);
const COLUMNS = LAYOUT.columns.filter(({ name }) => !name.startsWith('other'));
const cells = new RowCells(COLUMNS);

function createWorld(seed: number): WorldBuffer {
  const world = new WorldBuffer(WorldBuffer.create(LAYOUT, 0), LAYOUT);
  const random = createRandom(seed);
  for (const { columns } of world.blocks) {
    for (const column of Object.values(columns)) for (let row = 0; row < ROWS; row++) column[row] = 1e6 * random();
  }
  return world;
}

function rowOf(world: WorldBuffer, block: number, row: number): number[] {
  return LAYOUT.columns.map(({ name }) => world.blocks[block].columns[name][row]);
}

test('a row goes from one world to another, whatever its types, and nothing else changes', () => {
  const source = createWorld(1);
  const target = createWorld(2);
  const untouched = createWorld(2);
  const packed = cells.createPacked(3);
  cells.pack(source, 1, 7, packed, 2);
  cells.unpack(packed, 2, target, LIVE_BLOCK, ROWS - 1);
  for (const { name } of LAYOUT.columns) {
    const expected = name.startsWith('other') ? untouched.blocks[LIVE_BLOCK] : source.blocks[1];
    const row = name.startsWith('other') ? ROWS - 1 : 7;
    assert.equal(target.blocks[LIVE_BLOCK].columns[name][ROWS - 1], expected.columns[name][row], name);
  }
  for (const block of [0, 1, 2]) {
    for (let row = 0; row < (block === LIVE_BLOCK ? ROWS - 1 : ROWS); row++) {
      assert.deepEqual(rowOf(target, block, row), rowOf(untouched, block, row));
    }
  }
});

test('a packed row keeps to its place', () => {
  const world = createWorld(1);
  const packed = cells.createPacked(3);
  for (const place of [0, 1, 2]) cells.pack(world, LIVE_BLOCK, 10 + place, packed, place);
  for (const place of [0, 1, 2]) {
    for (const row of [10, 11, 12]) {
      assert.equal(cells.isSame(world, LIVE_BLOCK, row, packed, place), row === 10 + place);
    }
  }
});

test('a difference of any cell is seen, and in which column', () => {
  const packed = cells.createPacked(1);
  for (const [index, { name, bytes }] of COLUMNS.entries()) {
    for (let byte = 0; byte < bytes; byte++) {
      const world = createWorld(3);
      cells.pack(world, 2, 5, packed, 0);
      const column = world.blocks[2].columns[name];
      new Uint8Array(column.buffer, column.byteOffset + 5 * bytes, bytes)[byte] ^= 1;
      assert.equal(cells.isSame(world, 2, 5, packed, 0), false, name);
      for (const other of COLUMNS.keys()) {
        assert.equal(cells.isSameCell(world, 2, 5, packed, 0, other), other !== index, `${name} ${other}`);
      }
    }
  }
});

test('cells are compared by their bits', () => {
  const world = createWorld(4);
  const packed = cells.createPacked(1);
  const { f32, f64 } = world.blocks[LIVE_BLOCK].columns;
  f32[0] = 0;
  f64[0] = Number.NaN;
  cells.pack(world, LIVE_BLOCK, 0, packed, 0);
  assert.ok(cells.isSame(world, LIVE_BLOCK, 0, packed, 0));
  f32[0] = -0;
  assert.ok(!cells.isSame(world, LIVE_BLOCK, 0, packed, 0));
});
