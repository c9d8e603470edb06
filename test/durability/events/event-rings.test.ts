import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { EventRings } from '../../../src/durability/events/event-rings.js';
import { EVENT_RECORD_BYTES } from '../../../src/memory/limits.js';
import * as R from '../../../src/memory/records/thread-records.js';
import { RecordRing } from '../../../src/memory/rings/record-ring.js';

const STEPS = 20_000;
const TIMEOUT = { timeout: 30000 };

function write(ring: RecordRing, tick: number, entity: number): void {
  const offset = ring.claim();
  assert.ok(offset >= 0);
  ring.view.setInt32(offset + R.EVENT_TICK, tick, true);
  ring.view.setUint32(offset + R.EVENT_ENTITY, entity, true);
}

function readAll(rings: EventRings): [tick: number, entity: number][] {
  const seen: [number, number][] = [];
  const count = rings.read((view, offset) => {
    seen.push([view.getInt32(offset + R.EVENT_TICK, true), view.getUint32(offset + R.EVENT_ENTITY, true)]);
  });
  assert.equal(count, seen.length, 'it tells how many there were');
  return seen;
}

test('an entity that walks against the order of the zones keeps the order of its events', () => {
  const sides = [0, 1, 2].map(() => RecordRing.create(64, EVENT_RECORD_BYTES));
  const writers = sides.map((buffer) => new RecordRing(buffer));
  const rings = new EventRings(sides.map((buffer) => new RecordRing(buffer)));
  // Tick 1 in zone 2, tick 2 in zone 1, tick 3 in zone 0; the reader comes late and finds all of them.
  for (const [zone, tick] of [
    [2, 1],
    [1, 2],
    [0, 3],
    [2, 3],
  ]) {
    write(writers[zone], tick, zone);
    writers[zone].publish();
  }
  assert.deepEqual(readAll(rings), [
    [1, 2],
    [2, 1],
    [3, 0],
    [3, 2],
  ]);
  assert.deepEqual(readAll(rings), []);
});

test('room is given back: rings that are read go round and round', () => {
  const buffer = RecordRing.create(8, EVENT_RECORD_BYTES);
  const writer = new RecordRing(buffer);
  const rings = new EventRings([new RecordRing(buffer)]);
  for (let tick = 0; tick < 100; tick++) {
    for (let i = 0; i < 8; i++) write(writer, tick, i);
    writer.publish();
    assert.equal(readAll(rings).length, 8);
  }
});

test('rings in which something moves at every look are read later, and then wholly', () => {
  const buffer = RecordRing.create(64, EVENT_RECORD_BYTES);
  const writer = new RecordRing(buffer);
  const ring = new RecordRing(buffer);
  const readable = ring.readable.bind(ring);
  let written = 0;
  let isBusy = true;
  ring.readable = () => {
    if (isBusy) write(writer, written++, 0);
    writer.publish();
    return readable();
  };
  const rings = new EventRings([ring]);
  assert.deepEqual(readAll(rings), []);
  isBusy = false;
  assert.equal(readAll(rings).length, written);
});

test(
  'a reader beside a writer that goes from ring to ring never sees a step before those it followed',
  TIMEOUT,
  async (t) => {
    const sides = [0, 1, 2].map(() => RecordRing.create(1024, EVENT_RECORD_BYTES));
    const rings = new EventRings(sides.map((buffer) => new RecordRing(buffer)));
    const worker = new Worker(new URL('./event-rings-writer.js', import.meta.url), {
      workerData: { sides, steps: STEPS },
    });
    t.after(() => worker.terminate());
    const failed = new Promise<never>((_, reject) => worker.once('error', reject));
    let next = 1;
    while (next <= STEPS) {
      for (let looks = 0; looks < 1000 && next <= STEPS; looks++) {
        for (const [tick] of readAll(rings)) assert.equal(tick, next++);
      }
      await Promise.race([failed, new Promise((resolve) => setImmediate(resolve))]);
    }
  },
);
