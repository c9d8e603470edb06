// Rows with the same components stand together, and which row is next follows from the columns alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { placeComponents, specifyColumns } from '../../../src/engine/entities/columns.js';
import { KindRows } from '../../../src/engine/entities/kind-rows.js';
import type { FieldDefinitions } from '../../../src/game/definition.js';
import { hashBlock } from '../../../src/memory/world/state-hash.js';
import { type Block, LIVE_BLOCK, WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { layOutWorld, SCALAR_ROW_LIMIT } from '../../../src/memory/world/world-layout.js';

const PLAYER = 0;
const PILLAR = 1;
const ROWS = 256;
const fields = {
  hp: { type: 'u8' },
  item: { type: 'u16', length: 4 },
  moss: { type: 'u8' },
} as const satisfies FieldDefinitions;
const game = { fields, components: { ofKind: [0b011, 0b101], ofField: { hp: 0, item: 1, moss: 2 } } };

function createWorld(): WorldBuffer {
  const layout = layOutWorld(specifyColumns(fields, game), ROWS, undefined, 0, placeComponents(game));
  return new WorldBuffer(WorldBuffer.create(layout, 0), layout);
}

function createRows(block: Block): KindRows {
  const rows = new KindRows(ROWS, block, game, placeComponents(game));
  for (let row = 0; row < ROWS; row++) if (block.columns.alive[row] !== 0) rows.mark(row);
  rows.sort();
  return rows;
}

function bear(rows: KindRows, block: Block, kind: number): number {
  const row = rows.takeFor(kind);
  if (row < 0) return row;
  block.columns.kind[row] = kind;
  block.columns.alive[row] = 1;
  block.scalars[SCALAR_ROW_LIMIT] = rows.limit;
  rows.reset(row, kind);
  return row;
}

function kill(rows: KindRows, block: Block, row: number): void {
  block.columns.alive[row] = 0;
  rows.give(row);
  block.scalars[SCALAR_ROW_LIMIT] = rows.limit;
}

test('kinds with other components stand in other chunks, as long as there are empty ones', () => {
  const block = createWorld().blocks[LIVE_BLOCK];
  const rows = createRows(block);
  assert.deepEqual(
    [PLAYER, PILLAR, PLAYER, PILLAR].map((kind) => bear(rows, block, kind)),
    [0, 64, 1, 65],
  );
  for (let i = 2; i < 64; i++) bear(rows, block, PLAYER);
  assert.equal(bear(rows, block, PLAYER), 128, 'the next empty chunk');
  kill(rows, block, 5);
  assert.equal(bear(rows, block, PLAYER), 5, 'the lowest free row of its like');
});

test('a zone holds as many entities as it has rows, of whatever kind', () => {
  const block = createWorld().blocks[LIVE_BLOCK];
  const rows = createRows(block);
  for (let i = 0; i < ROWS - 1; i++) assert.ok(bear(rows, block, PLAYER) >= 0);
  assert.equal(bear(rows, block, PILLAR), ROWS - 1);
  assert.equal(bear(rows, block, PILLAR), -1);
  assert.equal(bear(rows, block, PLAYER), -1);
});

test('a chunk that became empty is for any kind again', () => {
  const block = createWorld().blocks[LIVE_BLOCK];
  const rows = createRows(block);
  const players = Array.from({ length: ROWS }, () => bear(rows, block, PLAYER));
  for (const row of players.slice(64, 128)) kill(rows, block, row);
  assert.equal(bear(rows, block, PILLAR), 64);
  assert.equal(bear(rows, block, PLAYER), 65, 'the last free row of any chunk');
});

for (const seed of [1, 2, 3]) {
  test(`who takes the rows up from the columns at the beginning of a tick goes on alike, seed ${seed}`, () => {
    const random = createRandom(seed);
    const block = createWorld().blocks[LIVE_BLOCK];
    const rows = createRows(block);
    const living: number[] = [];
    for (let tick = 0; tick < 200; tick++) {
      rows.sort();
      const other = createRows(block);
      for (let step = 0; step < 12; step++) {
        if (random() < 0.55 || living.length === 0) {
          const kind = random() < 0.3 ? PLAYER : PILLAR;
          const expected = other.takeFor(kind);
          const row = bear(rows, block, kind);
          assert.equal(row, expected, `tick ${tick}`);
          if (row >= 0) living.push(row);
        } else {
          const [row] = living.splice(Math.floor(random() * living.length), 1);
          kill(rows, block, row);
          other.give(row);
        }
      }
    }
    assert.ok(living.length > 60);
  });
}

test('a commit has what rows have, and leaves the memory of absent components alone', () => {
  const world = createWorld();
  const live = world.blocks[LIVE_BLOCK];
  const rows = createRows(live);
  const player = bear(rows, live, PLAYER);
  const pillar = bear(rows, live, PILLAR);
  live.columns.item[player * 4 + 3] = 7;
  live.columns.moss[pillar] = 5;
  live.columns.item[pillar * 4] = 9; // nothing that it has
  world.commit();
  const { columns } = world.committed;
  assert.deepEqual([columns.item[player * 4 + 3], columns.moss[pillar], columns.item[pillar * 4]], [7, 5, 0]);
  assert.deepEqual(hashBlock(live, world.layout), hashBlock(world.committed, world.layout), 'nor is it hashed');
  live.columns.item.fill(0);
  live.columns.moss.fill(0);
  world.restore();
  assert.deepEqual([live.columns.item[player * 4 + 3], live.columns.moss[pillar]], [7, 5]);
});

test('a row of another kind than before has nothing of what stood there', () => {
  const block = createWorld().blocks[LIVE_BLOCK];
  const rows = createRows(block);
  const row = bear(rows, block, PLAYER);
  block.columns.hp[row] = 3;
  block.columns.moss[row] = 4; // left by somebody else
  rows.reset(row, PILLAR, PLAYER);
  assert.deepEqual([block.columns.hp[row], block.columns.moss[row]], [3, 0]);
});
