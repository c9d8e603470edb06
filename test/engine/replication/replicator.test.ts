// The replicator over rows that a test places by hand: which entities a client is told of, when, and what is counted.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeKey } from '../../../src/engine/entities/entity-key.js';
import { ChangeTicks } from '../../../src/engine/replication/change-ticks.js';
import { Replicator } from '../../../src/engine/replication/replicator.js';
import { Quadtree } from '../../../src/engine/space/quadtree.js';
import type { EngineZone } from '../../../src/engine/zone/zone.js';
import { listReplicatedFields } from '../../../src/game/fields/replicated-fields.js';
import * as R from '../../../src/memory/records/thread-records.js';
import { ByteRing } from '../../../src/memory/rings/byte-ring.js';
import {
  CLIENT_APPLIED_SEQUENCE,
  CLIENT_STATE_WORDS,
  ClientTable,
  CONGESTED_ABSENT,
  CONGESTED_BACKLOG,
} from '../../../src/memory/tables/client-table.js';
import { COUNTER, COUNTER_COUNT } from '../../../src/memory/tables/zone-counters.js';
import { EntityDecoder } from '../../../src/protocol/fb/entity-decoder.js';
import { openFrame } from '../../../src/protocol/fb/server-frame.js';

const ROWS = 128;
const CLIENTS = 4;
const VIEW = 40;
const LEAVE = 45;
const SIDE = 256;
const TICK_HZ = 60;
const QUANTUM = 1 / 64;

function createStage(bytesPerSecond = 1 << 20, firstTick = 1) {
  const columns = { hp: new Uint8Array(ROWS) };
  const zone = {
    rowCapacity: ROWS,
    tick: firstTick,
    tickHz: TICK_HZ,
    dt: 1 / TICK_HZ,
    world: { width: SIDE, height: SIDE },
    kind: new Uint8Array(ROWS),
    alive: new Uint8Array(ROWS),
    positionX: new Float32Array(ROWS),
    positionY: new Float32Array(ROWS),
    counters: new Float64Array(COUNTER_COUNT),
    rowOfId: new Int32Array(ROWS),
    engine: { key: new Uint32Array(ROWS), ownerGeneration: new Int32Array(ROWS) },
    buffer: { blocks: [{ columns }] },
  };
  const clients = new ClientTable(ClientTable.create(CLIENTS), CLIENTS);
  const ring = ByteRing.create(1 << 18);
  const consumer = new ByteRing(ring);
  const index = new Quadtree({ originX: 0, originY: 0, width: SIDE, height: SIDE, leafSize: 8, capacity: ROWS });
  const changes = new ChangeTicks(
    zone as unknown as EngineZone,
    listReplicatedFields({ hp: { type: 'u8', wire: { type: 'u8' } } }),
    QUANTUM,
  );
  const replicator = new Replicator({
    ...{ zone: zone as unknown as EngineZone, changes, index, clients, frames: new ByteRing(ring) },
    ...{ viewRadius: VIEW, leaveRadius: LEAVE, limits: { bytesPerSecond } },
  });
  const decoders = Array.from({ length: CLIENTS }, () => {
    return new EntityDecoder([{ name: 'hp', type: 'u8', scale: 1, offset: 0 }], QUANTUM, ['one']);
  });
  const place = (row: number, x: number, y = 100): void => {
    zone.alive[row] = 1;
    zone.positionX[row] = x;
    zone.positionY[row] = y;
    zone.engine.key[row] = makeKey(row, 1);
    zone.rowOfId[row] = row + 1;
  };
  /** Runs one tick; what each client was told: ids that entered, that changed, that left. */
  const run = () => {
    index.build(zone.alive, zone.positionX, zone.positionY, 0, ROWS);
    replicator.run();
    const told = new Map<number, { entered: number[]; updated: number[]; left: number[] }>();
    while (consumer.next()) {
      const client = consumer.view.getInt32(consumer.offset + R.FRAME_CLIENT, true);
      const body = consumer.offset + R.FRAME_BODY;
      const frame = openFrame(consumer.bytes.slice(body, consumer.offset + consumer.payloadBytes));
      assert.ok(frame !== null && frame.tick() === zone.tick);
      const { error, entered, updated, left } = decoders[client].apply(frame);
      assert.equal(error, null);
      told.set(client, { entered, updated: updated.map(({ id }) => id), left });
      clients.delivered[client]++;
    }
    consumer.release();
    zone.tick++;
    return told;
  };
  const join = (client: number, row: number, updateHz = TICK_HZ): void => {
    clients.begin(client, 1, 0, updateHz, 0);
    zone.engine.ownerGeneration[row] = 1;
    replicator.attach(client, row);
    replicator.forget(client);
  };
  return { zone, clients, replicator, place, run, join, counter: (at: number) => zone.counters[at] };
}

test('an entity enters within the view radius, stays as far as the leave radius, and leaves beyond', () => {
  const { place, run, join, counter } = createStage();
  place(0, 100);
  place(1, 100 + VIEW);
  place(2, 100 + VIEW + 1);
  join(0, 0);
  assert.deepEqual(run().get(0), { entered: [0, 1], updated: [], left: [] }, 'on the radius is within it');
  place(1, 100 + LEAVE);
  assert.deepEqual(run().get(0)?.left ?? [], [], 'in the band it stays');
  place(2, 100 + VIEW);
  place(1, 100 + LEAVE + 0.1);
  assert.deepEqual(run().get(0), { entered: [2], updated: [], left: [1] });
  assert.deepEqual([counter(COUNTER.entityEnters), counter(COUNTER.entityLeaves)], [3, 1]);
});

test('an id whose holder has changed leaves and enters in one frame', () => {
  const { zone, place, run, join } = createStage();
  place(0, 100);
  place(1, 110);
  join(0, 0);
  run();
  zone.engine.key[1] = makeKey(1, 2);
  assert.deepEqual(run().get(0), { entered: [1], updated: [], left: [1] });
  zone.alive[1] = 0;
  zone.rowOfId[1] = 0;
  assert.deepEqual(run().get(0), { entered: [], updated: [], left: [1] });
});

for (const firstTick of [0, 1]) {
  test(`what is far is told half as often as what is near, from tick ${firstTick} on`, () => {
    const { zone, place, run, join } = createStage(1 << 20, firstTick);
    place(5, 100);
    place(1, 110);
    place(2, 100 + VIEW * 0.75 - 1);
    place(3, 100 + VIEW * 0.75 + 1);
    join(0, 5);
    assert.deepEqual(run().get(0)?.entered, [1, 2, 3, 5]);
    const updates: number[][] = [];
    for (let i = 0; i < 4; i++) {
      for (const row of [1, 2, 3]) zone.positionY[row] += 1 / 16;
      updates.push(run().get(0)?.updated ?? []);
    }
    assert.deepEqual(updates, [
      [1, 2],
      [1, 2, 3],
      [1, 2],
      [1, 2, 3],
    ]);
  });
}

test('clients that are detached get nothing, whoever was attached and detached before', () => {
  for (const order of [
    [0, 1, 2],
    [0, 2, 1],
    [2, 0, 1],
    [1, 0, 2],
  ]) {
    const { zone, place, run, join, replicator, counter } = createStage();
    for (const client of [0, 1, 2]) {
      place(client, 100 + client);
      join(client, client);
    }
    const left = new Set([0, 1, 2]);
    for (const client of [3, ...order]) {
      replicator.detach(client);
      left.delete(client);
      replicator.detach(client);
      assert.equal(counter(COUNTER.clients), left.size);
      for (const row of [0, 1, 2]) zone.positionX[row] += 1;
      assert.deepEqual([...run().keys()].sort(), [...left], `${order} after ${client}`);
      for (const each of [0, 1, 2, 3]) assert.equal(replicator.isAttached(each), left.has(each));
    }
  }
});

test('over budget the own entity is always told, the others by what they have waited, and all in the end', () => {
  const bytesPerFrame = 200;
  const { zone, place, run, join, counter } = createStage(bytesPerFrame * TICK_HZ);
  for (let row = 0; row < 100; row++) place(row, 100 + (row % 10), 100 + row / 10);
  join(0, 0);
  const entered = new Set<number>();
  for (let i = 0; i < 20; i++) {
    for (const id of run().get(0)?.entered ?? []) entered.add(id);
  }
  assert.equal(entered.size, 100);
  assert.ok(counter(COUNTER.framesOverBudget) > 0);
  const bytesBefore = counter(COUNTER.frameBytes);
  const lastTold = new Int32Array(100);
  for (let i = 1; i <= 40; i++) {
    for (let row = 0; row < 100; row++) zone.positionX[row] += i % 2 === 0 ? 1 / 16 : -1 / 16;
    const updated = run().get(0)?.updated ?? [];
    assert.equal(updated[0], 0, `frame ${i} tells the client's own entity`);
    for (const id of updated) lastTold[id] = i;
  }
  assert.ok(counter(COUNTER.frameBytes) - bytesBefore <= 40 * (bytesPerFrame + 40));
  assert.ok(
    lastTold.every((frame) => frame > 30),
    `${lastTold}`,
  );
});

test('a client that nothing happens to gets a frame when a command of it was applied, and else one per second', () => {
  const { clients, place, run, join, counter } = createStage();
  place(0, 100);
  join(0, 0);
  assert.equal(run().size, 1);
  for (let i = 1; i < TICK_HZ; i++) assert.equal(run().size, 0, `tick ${i}`);
  assert.equal(run().size, 1);
  assert.equal(counter(COUNTER.keepAlives), 1);
  clients.state[CLIENT_APPLIED_SEQUENCE + 0 * CLIENT_STATE_WORDS] = 7;
  assert.equal(run().size, 1);
  assert.equal(run().size, 0);
  assert.deepEqual([counter(COUNTER.framesWritten), counter(COUNTER.keepAlives)], [3, 1]);
});

test('a client that is backed up, absent, or has two frames under way gets none, and each is counted as what it is', () => {
  const { zone, clients, place, run, join, counter } = createStage();
  place(0, 100);
  join(0, 0);
  run();
  const skipped = () => [counter(COUNTER.framesSkippedCongested), counter(COUNTER.framesSkippedInFlight)];
  const move = () => {
    zone.positionX[0] += 1;
    return run().size;
  };
  clients.congested[0] = CONGESTED_BACKLOG;
  assert.deepEqual([move(), move(), ...skipped()], [0, 0, 2, 0]);
  clients.congested[0] = CONGESTED_ABSENT;
  assert.deepEqual([move(), ...skipped()], [0, 2, 0]);
  clients.congested[0] = 0;
  clients.delivered[0] -= 1;
  assert.deepEqual([move(), ...skipped()], [1, 2, 0], 'one frame is under way');
  clients.delivered[0] -= 1;
  assert.deepEqual([move(), ...skipped()], [0, 2, 1]);
  clients.delivered[0] += 2;
  assert.deepEqual([move(), ...skipped()], [1, 2, 1]);
});

test('entities that enter before, between and behind those that are known come sorted by id', () => {
  const { place, run, join } = createStage();
  for (const row of [10, 20, 30]) place(row, 100);
  join(0, 20);
  assert.deepEqual(run().get(0)?.entered, [10, 20, 30]);
  for (const row of [40, 25, 5, 15, 7]) place(row, 101);
  assert.deepEqual(run().get(0), { entered: [5, 7, 15, 25, 40], updated: [], left: [] });
  place(8, 101);
  place(10, 102);
  assert.deepEqual(run().get(0), { entered: [8], updated: [10], left: [] });
});
