import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { HASH_ATTEMPTS_MAX } from '../../../src/memory/limits.js';
import { compareHashes, hashBlock, hashCommitted } from '../../../src/memory/world/state-hash.js';
import { LIVE_BLOCK, WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import * as L from '../../../src/memory/world/world-layout.js';

const LAYOUT = L.layOutWorld(
  [
    { name: 'alive', type: 'u8', role: 'alive' },
    { name: 'x', type: 'f32' },
    { name: 'score', type: 'f64' },
    { name: 'hp', type: 'u8' },
    { name: 'departTo', type: 'u8', role: 'transient' },
    { name: 'generation', type: 'u16', role: 'id' },
  ],
  192,
);

function fillWorld(seed: number): WorldBuffer {
  const world = new WorldBuffer(WorldBuffer.create(LAYOUT, 0), LAYOUT);
  const { scalars, columns } = world.blocks[LIVE_BLOCK];
  const random = createRandom(seed);
  scalars[L.SCALAR_ROW_LIMIT] = 100;
  scalars[L.SCALAR_ID_LIMIT] = 120;
  scalars[L.SCALAR_MIRROR_FIRST] = 128;
  scalars[L.SCALAR_MIRROR_LIMIT] = 140;
  for (let row = 0; row < 192; row++) {
    columns.alive[row] = random() < 0.8 ? 1 : 0;
    columns.x[row] = random() * 100;
    columns.score[row] = random();
    columns.hp[row] = random() * 100;
    columns.generation[row] = random() * 100;
  }
  return world;
}

test('one value that differs is named, in every kind of column', () => {
  const seed = 5;
  for (const [name, row] of [
    ['x', 0],
    ['x', 99],
    ['score', 17],
    ['hp', 131],
    ['generation', 119],
  ] as const) {
    const before = fillWorld(seed);
    const after = fillWorld(seed);
    for (const { blocks } of [before, after]) blocks[LIVE_BLOCK].columns.alive[row] = 1;
    after.blocks[LIVE_BLOCK].columns[name][row] += 1;
    const expected = hashBlock(before.blocks[LIVE_BLOCK], LAYOUT).sums;
    const actual = hashBlock(after.blocks[LIVE_BLOCK], LAYOUT).sums;
    assert.deepEqual(compareHashes(expected, actual, LAYOUT), [{ field: name, row }], `seed ${seed}`);
  }
});

test('what a cell that differs was follows from the sums', () => {
  const layout = L.layOutWorld(
    [
      { name: 'alive', type: 'u8', role: 'alive' },
      ...(['u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'f32', 'f64'] as const).map((type) => ({ name: type, type })),
    ],
    64,
  );
  const [before, now] = [0, 1].map(() => new WorldBuffer(WorldBuffer.create(layout, 0), layout).blocks[LIVE_BLOCK]);
  const was = { u8: 200, i8: -3, u16: 60000, i16: -30000, u32: 4e9, i32: -2e9, f32: -0.1, f64: 0.1 };
  for (const block of [before, now]) {
    block.scalars[L.SCALAR_ROW_LIMIT] = 64;
    block.columns.alive.fill(1);
    for (const name of Object.keys(was)) block.columns[name].fill(7);
  }
  for (const [name, value] of Object.entries(was)) before.columns[name][41] = value;
  const found = compareHashes(hashBlock(before, layout).sums, hashBlock(now, layout).sums, layout, now);
  for (const { field, row, values } of found) {
    assert.equal(row, 41);
    const expected = field === 'f64' ? undefined : { before: before.columns[field][41], now: 7 };
    assert.deepEqual(values, expected, field);
  }
  assert.equal(found.length, 8);
});

test('where several values of a column differ, the column is named without a row', () => {
  const before = fillWorld(6);
  const after = fillWorld(6);
  for (const row of [3, 50, 77]) {
    for (const { blocks } of [before, after]) blocks[LIVE_BLOCK].columns.alive[row] = 1;
    after.blocks[LIVE_BLOCK].columns.x[row] += 1 + row;
  }
  const expected = hashBlock(before.blocks[LIVE_BLOCK], LAYOUT).sums;
  assert.deepEqual(compareHashes(expected, hashBlock(after.blocks[LIVE_BLOCK], LAYOUT).sums, LAYOUT), [{ field: 'x' }]);
});

test('what is no entity, transient or beyond the limits does not count', () => {
  const before = fillWorld(7);
  const after = fillWorld(7);
  for (const { blocks } of [before, after]) blocks[LIVE_BLOCK].columns.alive[20] = 0;
  const { columns } = after.blocks[LIVE_BLOCK];
  columns.x[20] = -1;
  columns.departTo[4] = 1;
  columns.hp[101] = 1;
  columns.alive[101] = 1;
  columns.alive[141] = 1 - columns.alive[141];
  columns.generation[120] += 1;
  const expected = hashBlock(before.blocks[LIVE_BLOCK], LAYOUT).sums;
  assert.deepEqual(compareHashes(expected, hashBlock(after.blocks[LIVE_BLOCK], LAYOUT).sums, LAYOUT), []);
});

test('a difference that no row of the zone explains names the column alone', () => {
  const { sums } = hashBlock(fillWorld(8).blocks[LIVE_BLOCK], LAYOUT);
  const differ = (row: number, bySquare = row * row * 5) => {
    const actual = sums.slice();
    const x = 2 + 3 * 1;
    actual[x] += 5;
    actual[x + 1] += 5 * row;
    actual[x + 2] += bySquare;
    return compareHashes(sums, actual, LAYOUT);
  };
  assert.deepEqual(differ(191), [{ field: 'x', row: 191 }]);
  assert.deepEqual(differ(192), [{ field: 'x' }]);
  assert.deepEqual(differ(7, 1), [{ field: 'x' }]);
  assert.deepEqual(differ(0, 1), [{ field: 'x' }], 'by its last sum alone');
});

test('scalars and globals that differ are named, and those that only say how a state is kept are not', () => {
  const differences = (change: (world: WorldBuffer) => void) => {
    const [before, after] = [fillWorld(9), fillWorld(9)];
    change(after);
    const [expected, actual] = [before, after].map((world) => hashBlock(world.blocks[LIVE_BLOCK], LAYOUT).sums);
    return compareHashes(expected, actual, LAYOUT);
  };
  for (const scalar of [L.SCALAR_TICK, L.SCALAR_ENTITY_COUNT, L.SCALAR_RANDOM]) {
    assert.deepEqual(
      differences(({ blocks }) => {
        blocks[LIVE_BLOCK].scalars[scalar] += 1;
      }),
      [{ field: 'scalars' }],
    );
  }
  assert.deepEqual(
    differences(({ blocks }) => {
      blocks[LIVE_BLOCK].globals[63] = -0;
    }),
    [{ field: 'globals' }],
  );
  assert.deepEqual(
    differences(({ blocks }) => {
      blocks[LIVE_BLOCK].scalars[L.SCALAR_JOURNALED] += 1;
    }),
    [],
  );
});

test('a zone that commits faster than it can be read has no hash for now, and is not asked for ever', () => {
  const world = fillWorld(10);
  world.commit();
  let looks = 0;
  let failures = HASH_ATTEMPTS_MAX - 1;
  const busy = new Proxy(world, {
    get(target, name) {
      if (name !== 'isHeld') return Reflect.get(target, name, target);
      return () => ++looks > failures;
    },
  });
  assert.deepEqual(hashCommitted(busy), hashCommitted(world));
  assert.equal(looks, HASH_ATTEMPTS_MAX);
  failures = Number.POSITIVE_INFINITY;
  looks = 0;
  assert.equal(hashCommitted(busy), undefined);
  assert.equal(looks, HASH_ATTEMPTS_MAX);
});
