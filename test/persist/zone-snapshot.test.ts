import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIVE_BLOCK, WorldBuffer } from '../../src/memory/world-buffer.js';
import {
  type ColumnSpec,
  layOutWorld,
  SCALAR_GHOST_FIRST,
  SCALAR_GHOST_LIMIT,
  SCALAR_ID_LIMIT,
  SCALAR_ROW_LIMIT,
  SCALAR_TICK,
} from '../../src/memory/world-layout.js';
import { decodeZone, encodeZone, type WorldShape } from '../../src/persist/zone-snapshot.js';
import { createRandom } from '../../src/prng.js';

const SHAPE: WorldShape = {
  game: 'toy',
  seed: 1,
  bots: 2,
  zoneCount: 4,
  worldWidth: 100,
  worldHeight: 90,
  rowCapacity: 64,
};
const COLUMNS: ColumnSpec[] = [
  { name: 'hp', type: 'u8' },
  { name: 'x', type: 'f32' },
  { name: 'score', type: 'f64' },
  { name: 'given', type: 'u16', role: 'id' },
];

function createWorld(): WorldBuffer {
  const layout = layOutWorld(COLUMNS, 64);
  const world = new WorldBuffer(WorldBuffer.create(layout, 3), layout);
  const live = world.blocks[LIVE_BLOCK];
  live.scalars[SCALAR_TICK] = 77;
  live.scalars[SCALAR_ROW_LIMIT] = 10;
  live.globals[5] = 0.125;
  live.scalars[SCALAR_GHOST_FIRST] = 40;
  live.scalars[SCALAR_GHOST_LIMIT] = 42;
  live.scalars[SCALAR_ID_LIMIT] = 3;
  live.columns.given.set([7, 8, 9]);
  for (const row of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 40, 41]) {
    live.columns.hp[row] = row;
    live.columns.x[row] = row / 3;
    live.columns.score[row] = row * 1e9;
  }
  world.commit();
  return world;
}

test('a zone comes back from its bytes as it was', () => {
  const world = createWorld();
  const { header, scalars, globals, columns } = decodeZone(encodeZone(world, SHAPE, 5, 1234) as Buffer);
  assert.deepEqual(
    { ...header, columns: COLUMNS },
    {
      ...SHAPE,
      format: 2,
      zone: 3,
      epoch: 5,
      tick: 77,
      takenAtMs: 1234,
      rows: 10,
      ghostFirst: 40,
      ghosts: 2,
      ids: 3,
      columns: COLUMNS,
    },
  );
  assert.equal(scalars[SCALAR_TICK], 77);
  assert.equal(globals[5], 0.125);
  for (const { name } of COLUMNS) {
    const cells = world.committed.columns[name];
    const used = name === 'given' ? cells.subarray(0, 3) : [...cells.subarray(0, 10), ...cells.subarray(40, 42)];
    assert.deepEqual([...(columns.get(name) ?? [])], [...used]);
  }
});

test('bytes that begin at any address are read', () => {
  const bytes = encodeZone(createWorld(), SHAPE, 5, 1) as Buffer;
  for (let shift = 0; shift < 8; shift++) {
    const shifted = new Uint8Array(bytes.length + 8).subarray(shift, shift + bytes.length);
    shifted.set(bytes);
    assert.equal(decodeZone(shifted).header.tick, 77);
  }
});

for (const seed of [1, 2, 3]) {
  test(`a snapshot with a flipped bit, or cut short, is refused with a reason, seed ${seed}`, () => {
    const random = createRandom(seed);
    const bytes = encodeZone(createWorld(), SHAPE, 5, 1) as Buffer;
    for (let round = 0; round < 300; round++) {
      const flipped = Buffer.from(bytes);
      const at = Math.floor(random() * bytes.length);
      flipped[at] ^= 1 << Math.floor(random() * 8);
      assert.throws(() => decodeZone(flipped), `seed ${seed}: byte ${at} was flipped unseen`);
      const cut = bytes.subarray(0, Math.floor(random() * bytes.length));
      assert.throws(() => decodeZone(cut), `seed ${seed}: ${cut.length} of ${bytes.length} bytes`);
    }
  });
}
