import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RETURNING_IDS_KEPT, STILL_ROWS_MAX } from '../../../src/memory/limits.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import { hashCommitted, hashText } from '../../../src/memory/world/state-hash.js';
import { LIVE_BLOCK, WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import {
  BLOCKS_OFFSET,
  CHANGES,
  layOutWorld,
  SCALAR_CELL_QUEUE,
  SCALAR_ENTITY_COUNT,
  SCALAR_ID_LIMIT,
  SCALAR_MIRROR_FIRST,
  SCALAR_MIRROR_LIMIT,
  SCALAR_ROW_LIMIT,
  SCALAR_TICK,
} from '../../../src/memory/world/world-layout.js';

const LAYOUT = layOutWorld(
  [
    { name: 'hp', type: 'u8' },
    { name: 'x', type: 'f32' },
    { name: 'score', type: 'f64' },
  ],
  128,
);

function createWorld(): WorldBuffer {
  return new WorldBuffer(WorldBuffer.create(LAYOUT, 3), LAYOUT);
}

function fill(world: WorldBuffer, tick: number, rows: number): void {
  const live = world.blocks[LIVE_BLOCK];
  live.scalars[SCALAR_TICK] = tick;
  live.scalars[SCALAR_ROW_LIMIT] = rows;
  live.scalars[SCALAR_ENTITY_COUNT] = rows;
  for (let row = 0; row < rows; row++) {
    live.columns.hp[row] = tick + row;
    live.columns.x[row] = tick * 1000 + row;
    live.columns.score[row] = -tick;
  }
}

test('columns do not overlap and begin where their type may begin', () => {
  let end = 0;
  for (const { offset, bytes } of LAYOUT.columns) {
    assert.equal((BLOCKS_OFFSET + offset) % bytes, 0);
    assert.ok(offset >= end);
    end = offset + bytes * LAYOUT.rowCapacity;
  }
  assert.ok(end <= LAYOUT.blockBytes);
});

test('readers see a tick only after its commit, and then all of it', () => {
  const world = createWorld();
  const reader = new WorldBuffer(world.buffer, LAYOUT);
  fill(world, 1, 10);
  assert.equal(reader.committed.scalars[SCALAR_TICK], 0);
  world.commit();
  fill(world, 2, 10);
  assert.equal(reader.committed.scalars[SCALAR_TICK], 1);
  assert.equal(reader.committed.columns.x[9], 1009);
  world.commit();
  assert.equal(reader.committed.columns.x[9], 2009);
});

test('a block that a reader has taken hold of stays whole during the next commit', () => {
  const world = createWorld();
  fill(world, 1, 100);
  world.commit();
  const held = world.committed;
  fill(world, 2, 100);
  world.commit();
  for (let row = 0; row < 100; row++) assert.equal(held.columns.x[row], 1000 + row);
});

/** Copies the tick's first columns, and then its thread is no more. */
function commitHalf(world: WorldBuffer): void {
  let copies = 0;
  world.bytes.copyWithin = (target, start, limit) => {
    if (++copies > 2) throw new Error('the thread ended');
    return Uint8Array.prototype.copyWithin.call(world.bytes, target, start, limit) as Uint8Array<SharedArrayBuffer>;
  };
  assert.throws(() => world.commit(), /the thread ended/);
  world.bytes.copyWithin = Uint8Array.prototype.copyWithin;
}

/** Every look at the column x is interrupted. */
function createInterruptedReader(world: WorldBuffer, interrupt: () => void): WorldBuffer {
  const reader = new WorldBuffer(world.buffer, LAYOUT);
  for (const { columns } of reader.blocks) {
    const { x } = columns;
    Object.defineProperty(columns, 'x', {
      get: () => {
        interrupt();
        return x;
      },
    });
  }
  return reader;
}

test('what is read during one commit and half of a second one is not taken for a tick', () => {
  const world = createWorld();
  fill(world, 1, 50);
  world.commit();
  let tick = 1;
  let interruptions = 0;
  const reader = createInterruptedReader(world, () => {
    interruptions++;
    fill(world, ++tick, 50);
    world.commit();
    fill(world, ++tick, 50);
    commitHalf(world);
  });
  assert.equal(hashCommitted(reader), undefined);
  assert.ok(interruptions > 1, 'it was tried again');
});

test('what is read during one commit is a whole tick, also after a thread that died half way through one', () => {
  const world = createWorld();
  fill(world, 1, 50);
  world.commit();
  const first = hashCommitted(world);
  fill(world, 2, 50);
  commitHalf(world);
  assert.deepEqual(hashCommitted(world), first, 'the last commit');
  let interruptions = 0;
  const reader = createInterruptedReader(world, () => {
    interruptions++;
    fill(world, 2, 50);
    new WorldBuffer(world.buffer, LAYOUT).commit(); // the successor's first
  });
  assert.deepEqual(hashCommitted(reader), first);
  assert.equal(interruptions, 1);
  const second = createWorld();
  fill(second, 2, 50);
  second.commit();
  assert.deepEqual(hashCommitted(world), hashCommitted(second));
});

test('of a block that is held, the commit that writes it again is known from its beginning', () => {
  const world = createWorld();
  fill(world, 1, 50);
  world.commit();
  const held = world.hold();
  assert.ok(world.isHeld(held));
  world.commit();
  assert.ok(world.isHeld(held), 'the other block was written');
  commitHalf(world);
  assert.ok(!world.isHeld(held), 'this one is being written');
  const later = world.hold();
  world.commit(); // the successor's first goes into the block that was left half written
  assert.ok(world.isHeld(later));
  commitHalf(world);
  assert.ok(!world.isHeld(later));
});

test('a thread that died half way through a commit leaves the last commit whole', () => {
  const world = createWorld();
  fill(world, 1, 50);
  world.commit();
  fill(world, 2, 50);
  commitHalf(world);
  const successor = new WorldBuffer(world.buffer, LAYOUT);
  successor.restore();
  assert.equal(successor.blocks[LIVE_BLOCK].scalars[SCALAR_TICK], 1);
  for (let row = 0; row < 50; row++) assert.equal(successor.blocks[LIVE_BLOCK].columns.x[row], 1000 + row);
});

test('the same state has the same hash, and any changed value another one', () => {
  const [a, b] = [createWorld(), createWorld()];
  for (const world of [a, b]) {
    fill(world, 5, 20);
    world.commit();
  }
  assert.deepEqual(hashCommitted(a), hashCommitted(b));
  const hash = hashText(hashCommitted(a)!);
  for (const [column, row] of [
    ['hp', 0],
    ['x', 19],
    ['score', 7],
  ] as const) {
    fill(b, 5, 20);
    b.blocks[LIVE_BLOCK].columns[column][row] += 1;
    b.commit();
    assert.notEqual(hashText(hashCommitted(b)!), hash, `${column} ${row}`);
  }
});

test('a buffer of other columns is not attached to', () => {
  const other = layOutWorld([{ name: 'hp', type: 'u16' }], 128);
  assert.throws(() => new WorldBuffer(createWorld().buffer, other), /same columns/);
});

test('a restore takes back the rows that a lost tick used for the first time, own ones and mirrors', () => {
  const layout = layOutWorld([{ name: 'alive', type: 'u8', role: 'alive' }], 64);
  for (const [rows, mirrorFirst, mirrorLimit, left] of [
    [2, 8, 10, 4],
    [2, 8, 8, 2],
    [2, 8, 0, 2],
    [0, 8, 9, 1],
    [5, 0, 0, 5],
  ]) {
    const world = new WorldBuffer(WorldBuffer.create(layout, 3), layout);
    const { scalars, columns } = world.blocks[LIVE_BLOCK];
    scalars[SCALAR_ROW_LIMIT] = rows;
    scalars[SCALAR_MIRROR_FIRST] = mirrorFirst;
    scalars[SCALAR_MIRROR_LIMIT] = mirrorLimit;
    columns.alive.fill(1);
    world.commit(); // those below the limits
    world.restore();
    const expected = Array.from({ length: 64 }, (_, row) => row < rows || (row >= mirrorFirst && row < mirrorLimit));
    assert.deepEqual(
      [...columns.alive].map(Boolean),
      expected,
      `${rows} rows, mirrors ${mirrorFirst} to ${mirrorLimit}`,
    );
    assert.equal(expected.filter(Boolean).length, left);
  }
});

test('a restore takes back the ids that a lost tick gave out for the first time', () => {
  const layout = layOutWorld([{ name: 'idGeneration', type: 'u16', role: 'id' }], 128);
  const world = new WorldBuffer(WorldBuffer.create(layout, 3), layout);
  const { scalars, columns } = world.blocks[LIVE_BLOCK];
  scalars[SCALAR_ID_LIMIT] = 2;
  columns.idGeneration.set([4, 7]);
  world.commit();
  scalars[SCALAR_ID_LIMIT] = 5;
  columns.idGeneration.set([5, 7, 1, 1, 1]); // and no commit
  world.restore();
  assert.equal(scalars[SCALAR_ID_LIMIT], 2);
  assert.deepEqual([...columns.idGeneration.slice(0, 6)], [4, 7, 0, 0, 0, 0]);
});

test('a commit takes mirrors, and the cells as far as their queue is in use, and a restore brings them back', () => {
  const layout = layOutWorld([{ name: 'x', type: 'f64' }], 128, {
    count: 6,
    queueRecords: 4,
    queueRecordBytes: 16,
    rowColumns: [{ name: 'x', type: 'f64' }],
  });
  const world = new WorldBuffer(WorldBuffer.create(layout, 3), layout);
  const { scalars, columns, cells, globals, marks } = world.blocks[LIVE_BLOCK];
  assert.ok(cells !== undefined);
  scalars[SCALAR_ROW_LIMIT] = 3;
  scalars[SCALAR_MIRROR_FIRST] = 64;
  scalars[SCALAR_MIRROR_LIMIT] = 66;
  scalars[SCALAR_CELL_QUEUE] = 2;
  columns.x.fill(5);
  for (const array of [cells.version, cells.state, cells.since, cells.taken]) array.fill(6);
  cells.queue.fill(7);
  globals.fill(8);
  marks.fill(9);
  world.commit();
  const { committed } = world;
  const used = Array.from({ length: 128 }, (_, row) => row < 3 || row === 64 || row === 65);
  assert.deepEqual([...committed.columns.x].map(Boolean), used);
  assert.deepEqual([...committed.cells!.version, ...committed.cells!.taken], Array(12).fill(6));
  assert.deepEqual([...committed.cells!.state, ...committed.cells!.since], Array(12).fill(6));
  assert.deepEqual([...committed.cells!.queue], [...Array(32).fill(7), ...Array(32).fill(0)]);
  assert.ok(committed.globals.every((value) => value === 8) && committed.marks.every((value) => value === 9));
  for (const array of [columns.x, cells.version, cells.state, cells.queue, globals, marks]) array.fill(1);
  world.restore();
  assert.deepEqual([columns.x[2], columns.x[65], cells.version[5], cells.state[5], cells.queue[31]], [5, 5, 6, 6, 7]);
  assert.deepEqual([globals[63], marks[63]], [8, 9]);
});

test('a successor has the claims and the waiting ids of the last commit, and none of what came later', () => {
  const world = createWorld();
  for (const tick of [1, 2, 3]) {
    world.claims.fill(tick);
    world.claims[126] = 100 + tick;
    world.returningIds.splice(0, Number.POSITIVE_INFINITY, ...Array.from({ length: tick }, (_, i) => 10 * tick + i));
    world.commit();
    const expected = [world.claims.slice(), [...world.returningIds]];
    world.claims.fill(-1);
    world.returningIds.push(99);
    const successor = new WorldBuffer(world.buffer, LAYOUT);
    successor.returningIds.push(98);
    successor.restore();
    assert.deepEqual([successor.claims, successor.returningIds], expected);
    assert.equal(successor.counters[COUNTER.idsLost], 0);
  }
});

test('of more waiting ids than a commit can carry a successor has the first, and the others are counted as lost', () => {
  const world = createWorld();
  for (let id = 0; id < RETURNING_IDS_KEPT + 3; id++) world.returningIds.push(id);
  world.commit();
  world.restore();
  assert.deepEqual(
    world.returningIds,
    Array.from({ length: RETURNING_IDS_KEPT }, (_, id) => id),
  );
  assert.equal(world.counters[COUNTER.idsLost], 3);
  world.commit();
  world.restore();
  assert.equal(world.returningIds.length, RETURNING_IDS_KEPT);
  assert.equal(world.counters[COUNTER.idsLost], 3, 'they are lost once');
});

/** What a tick does at its end; whether rows were as they had been. */
function commitTick(world: WorldBuffer): boolean {
  world.blocks[LIVE_BLOCK].scalars[SCALAR_TICK]++;
  const isStill = world.isStill();
  world.commit(isStill);
  return isStill;
}

function committedXs(world: WorldBuffer): number[] {
  return [...world.committed.columns.x.subarray(0, 3)];
}

test('a zone in which nothing moves is committed without its columns, and its tick goes on', () => {
  const world = createWorld();
  const reader = new WorldBuffer(world.buffer, LAYOUT);
  fill(world, 1, 3);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => commitTick(world)),
    [false, true, true, true],
  );
  const changes = world.words[CHANGES];
  const copied: number[] = [];
  world.bytes.copyWithin = (target, start, limit) => {
    copied.push((limit ?? 0) - start);
    return Uint8Array.prototype.copyWithin.call(world.bytes, target, start, limit) as Uint8Array<SharedArrayBuffer>;
  };
  for (let tick = 0; tick < 3; tick++) {
    assert.equal(commitTick(world), true);
    assert.deepEqual(committedXs(reader), [1000, 1001, 1002]);
  }
  world.bytes.copyWithin = Uint8Array.prototype.copyWithin;
  assert.equal(copied.length, 3, 'the head of a block each');
  assert.equal(reader.committed.scalars[SCALAR_TICK], 8);
  assert.equal(world.words[CHANGES], changes);
  world.blocks[LIVE_BLOCK].columns.x[1] = 7;
  assert.equal(commitTick(world), false);
  assert.deepEqual(committedXs(reader), [1000, 7, 1002]);
  assert.equal(world.words[CHANGES], changes + 1);
});

test('after one change both committed blocks have it, however still the zone is then', () => {
  const world = createWorld();
  fill(world, 1, 3);
  for (let tick = 0; tick < 5; tick++) commitTick(world);
  world.blocks[LIVE_BLOCK].columns.x[1] = 7;
  for (let tick = 0; tick < 4; tick++) {
    commitTick(world);
    assert.deepEqual(committedXs(world), [1000, 7, 1002]);
  }
});

test('what goes to and fro is no stillness', () => {
  const world = createWorld();
  const { columns } = world.blocks[LIVE_BLOCK];
  fill(world, 1, 3);
  for (let tick = 0; tick < 8; tick++) {
    columns.x[0] = tick % 2;
    assert.equal(commitTick(world), false);
    assert.deepEqual(committedXs(world), [tick % 2, 1001, 1002]);
  }
});

test('fewer rows than before are a change, and then as still as others', () => {
  const world = createWorld();
  const { scalars, columns } = world.blocks[LIVE_BLOCK];
  fill(world, 1, 7);
  for (let tick = 0; tick < 3; tick++) commitTick(world);
  columns.hp[6] = 0;
  scalars[SCALAR_ROW_LIMIT] = 5;
  assert.deepEqual(
    [1, 2, 3].map(() => commitTick(world)),
    [false, true, true],
  );
});

test('a thread that died in the middle of a commit leaves nothing that its successor takes for still', () => {
  const world = createWorld();
  fill(world, 1, 3);
  for (let tick = 0; tick < 4; tick++) commitTick(world);
  world.blocks[LIVE_BLOCK].columns.x[1] = 7;
  commitHalf(world);
  const successor = new WorldBuffer(world.buffer, LAYOUT);
  successor.restore();
  for (let tick = 0; tick < 4; tick++) {
    commitTick(successor);
    assert.deepEqual(committedXs(successor), [1000, 1001, 1002]);
  }
});

test('a zone of many rows is copied without a look', () => {
  const layout = layOutWorld([{ name: 'x', type: 'f32' }], 2048);
  const world = new WorldBuffer(WorldBuffer.create(layout, 0), layout);
  const { scalars } = world.blocks[LIVE_BLOCK];
  scalars[SCALAR_ROW_LIMIT] = STILL_ROWS_MAX;
  commitTick(world);
  assert.equal(commitTick(world), true);
  scalars[SCALAR_ROW_LIMIT] = STILL_ROWS_MAX + 1;
  commitTick(world);
  assert.equal(commitTick(world), false);
});
