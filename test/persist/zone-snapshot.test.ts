import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIVE_BLOCK, WorldBuffer } from '../../src/memory/world-buffer.js';
import { type ColumnSpec, layOutWorld, SCALAR_ROW_LIMIT, SCALAR_TICK } from '../../src/memory/world-layout.js';
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
];

function createWorld(): WorldBuffer {
  const layout = layOutWorld(COLUMNS, 64);
  const world = new WorldBuffer(WorldBuffer.create(layout, 3), layout);
  const live = world.blocks[LIVE_BLOCK];
  live.scalars[SCALAR_TICK] = 77;
  live.scalars[SCALAR_ROW_LIMIT] = 10;
  live.globals[5] = 0.125;
  for (let row = 0; row < 10; row++) {
    live.columns.hp[row] = row;
    live.columns.x[row] = row / 3;
    live.columns.score[row] = row * 1e9;
  }
  world.commit();
  return world;
}

test('a zone comes back from its bytes as it was', () => {
  const world = createWorld();
  const { header, scalars, globals, columns } = decodeZone(encodeZone(world, SHAPE, 1234) as Buffer);
  assert.deepEqual(
    { ...header, checksum: '', columns: COLUMNS },
    { ...SHAPE, format: 1, zone: 3, tick: 77, takenAtMs: 1234, rows: 10, columns: COLUMNS, checksum: '' },
  );
  assert.equal(scalars[SCALAR_TICK], 77);
  assert.equal(globals[5], 0.125);
  for (const { name } of COLUMNS) {
    assert.deepEqual([...(columns.get(name) ?? [])], [...world.committed.columns[name].subarray(0, 10)]);
  }
});

test('bytes that begin at any address are read', () => {
  const bytes = encodeZone(createWorld(), SHAPE, 1) as Buffer;
  for (let shift = 0; shift < 8; shift++) {
    const shifted = new Uint8Array(bytes.length + 8).subarray(shift, shift + bytes.length);
    shifted.set(bytes);
    assert.equal(decodeZone(shifted).header.tick, 77);
  }
});

for (const seed of [1, 2, 3]) {
  test(`a snapshot with a flipped bit, or cut short, is refused with a reason, seed ${seed}`, () => {
    const random = createRandom(seed);
    const bytes = encodeZone(createWorld(), SHAPE, 1) as Buffer;
    for (let round = 0; round < 300; round++) {
      const flipped = Buffer.from(bytes);
      const at = Math.floor(random() * bytes.length);
      flipped[at] ^= 1 << Math.floor(random() * 8);
      let decoded: ReturnType<typeof decodeZone> | undefined;
      try {
        decoded = decodeZone(flipped);
      } catch (error) {
        assert.ok((error as Error).message.length > 0);
      }
      // A flip inside the JSON may leave another whole header; the state behind it is covered by the checksum.
      if (decoded !== undefined)
        assert.ok(at < 4 + bytes.readUInt32LE(0), `seed ${seed}: byte ${at} was flipped unseen`);
      const cut = bytes.subarray(0, Math.floor(random() * bytes.length));
      assert.throws(() => decodeZone(cut), `seed ${seed}: ${cut.length} of ${bytes.length} bytes`);
    }
  });
}
