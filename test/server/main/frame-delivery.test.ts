import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as breathe } from 'node:timers/promises';
import { ByteRing } from '../../../src/memory/rings/byte-ring.js';
import { ThreadControl } from '../../../src/memory/tables/thread-control.js';
import { FrameDelivery } from '../../../src/server/main/frame-delivery.js';
import { FRAMES_PER_SLICE } from '../../../src/server/main/limits.js';

const TURNS_MAX = 1000;

function stage(threads = 2) {
  const rings = Array.from({ length: threads }, () => ByteRing.create(256 * 1024));
  const writers = rings.map((buffer) => new ByteRing(buffer));
  const buffers = rings.map(() => ThreadControl.create());
  const controls = buffers.map((buffer) => new ThreadControl(buffer));
  const taken: number[] = [];
  const events = { slices: 0, onTake: (_frames: ByteRing, _value: number): void => {} };
  const delivery = new FrameDelivery(rings, buffers, {
    beforeSlice: () => events.slices++,
    take: (frames) => {
      const value = frames.view.getInt32(frames.offset, true);
      taken.push(value);
      events.onTake(frames, value);
    },
  });
  /** A thread makes these, and wakes main. */
  const make = (thread: number, values: readonly number[]): void => {
    const ring = writers[thread];
    for (const value of values) {
      const at = ring.claim(1, 4);
      assert.ok(at >= 0);
      ring.view.setInt32(at, value, true);
      ring.commit(4);
    }
    ring.publish();
    controls[thread].wakeMain();
  };
  const until = async (what: string, check: () => boolean): Promise<void> => {
    for (let turn = 0; !check(); turn++) {
      assert.ok(turn < TURNS_MAX, what);
      await breathe();
    }
  };
  return { delivery, events, taken, make, until };
}

function numbers(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

test('all that waits is delivered at once, ring by ring, each record once', () => {
  const { delivery, taken, make, events } = stage();
  make(1, [10, 11]);
  make(0, [1, 2]);
  delivery.deliverAll();
  assert.deepEqual(taken, [1, 2, 10, 11]);
  assert.equal(events.slices, 1);
  delivery.deliverAll();
  assert.equal(taken.length, 4);
  assert.deepEqual([delivery.bytesWaiting(0), delivery.bytesWaiting(1)], [0, 0]);
});

test('what was made before the start and what is made later is delivered, until the stop', async () => {
  const { delivery, taken, make, until } = stage();
  make(0, [1]);
  delivery.start();
  await until('the first', () => taken.length === 1);
  make(1, [2]);
  await until('the second', () => taken.length === 2);
  make(0, [3]);
  await until('the third', () => taken.length === 3);
  delivery.stop();
  make(0, [4]);
  for (let turn = 0; turn < 10; turn++) await breathe();
  assert.deepEqual(taken, [1, 2, 3]);
  assert.ok(delivery.bytesWaiting(0) > 0);
});

test('many records are delivered in slices, and main does other things between two of them', async () => {
  const { delivery, taken, make, until, events } = stage(1);
  make(0, numbers(0, 3 * FRAMES_PER_SLICE));
  delivery.start();
  assert.equal(taken.length, FRAMES_PER_SLICE, 'no more than one slice');
  assert.equal(events.slices, 1);
  await until('the rest', () => taken.length === 3 * FRAMES_PER_SLICE);
  assert.ok(events.slices >= 3);
  assert.deepEqual(taken, numbers(0, 3 * FRAMES_PER_SLICE));
  delivery.stop();
});

test('a stop between two slices ends the delivery', async () => {
  const { delivery, taken, make } = stage(1);
  make(0, numbers(0, 2 * FRAMES_PER_SLICE));
  delivery.start();
  delivery.stop();
  for (let turn = 0; turn < 10; turn++) await breathe();
  assert.ok(taken.length <= 2 * FRAMES_PER_SLICE && taken.length >= FRAMES_PER_SLICE);
});

test('other rings are caught up from inside of a record, and the ring of that record goes on where it was', () => {
  const { delivery, taken, make, events } = stage(3);
  make(0, [1, 2]);
  make(1, [10, 11]);
  make(2, [20]);
  events.onTake = (frames, value) => {
    if (value === 1 || value === 10) delivery.catchUpOthers(frames); // the second one is inside of the first: nothing happens
  };
  delivery.deliverAll();
  assert.deepEqual(taken, [1, 10, 11, 20, 2]);
  make(2, [21]);
  make(0, [3]);
  events.onTake = (frames, value) => {
    if (value === 3) delivery.catchUpOthers(frames);
  };
  delivery.deliverAll();
  assert.deepEqual(taken.slice(5), [3, 21], 'it works again');
});
