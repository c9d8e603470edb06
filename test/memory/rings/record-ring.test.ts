import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { RecordRing } from '../../../src/memory/rings/record-ring.js';
import { HEAD_INDEX, MAGIC_INDEX, RING_OFFSET, TAIL_INDEX } from '../../../src/memory/rings/ring-layout.js';

const INT32_MAX = 2 ** 31 - 1;

/** A ring that has already moved `counter` records, as the counters see it. */
function createRingAt(counter: number, capacity: number, recordBytes: number): SharedArrayBuffer {
  const buffer = RecordRing.create(capacity, recordBytes);
  const i32 = new Int32Array(buffer);
  i32[TAIL_INDEX] = counter;
  i32[HEAD_INDEX] = counter;
  return buffer;
}

function write(ring: RecordRing, value: number): boolean {
  const offset = ring.claim();
  if (offset === -1) return false;
  for (let at = 0; at < ring.recordBytes; at += 4) ring.view.setInt32(offset + at, value, true);
  return true;
}

/** The i-th unread record; fails if its words do not agree. */
function read(ring: RecordRing, i: number): number {
  const offset = ring.offsetOf(i);
  const value = ring.view.getInt32(offset, true);
  for (let at = 4; at < ring.recordBytes; at += 4) assert.equal(ring.view.getInt32(offset + at, true), value);
  return value;
}

function readAll(ring: RecordRing): number[] {
  return Array.from({ length: ring.readable() }, (_, i) => read(ring, i));
}

test('a new ring is empty and has all of its room', () => {
  const ring = new RecordRing(RecordRing.create(4, 32));
  assert.equal(ring.readable(), 0);
  for (let i = 0; i < 4; i++) assert.equal(ring.claim(), RING_OFFSET + i * 32);
  assert.equal(ring.claim(), -1);
});

test('a reader sees nothing while a record is claimed or half written', () => {
  const buffer = RecordRing.create(4, 16);
  const producer = new RecordRing(buffer);
  const consumer = new RecordRing(buffer);
  const offset = producer.claim();
  assert.equal(consumer.readable(), 0);
  producer.view.setInt32(offset, 7, true);
  assert.equal(consumer.readable(), 0);
  producer.publish();
  assert.equal(consumer.readable(), 1);
});

test('several claims become readable with one publish, in the order of their claims', () => {
  const buffer = RecordRing.create(8, 16);
  const producer = new RecordRing(buffer);
  const consumer = new RecordRing(buffer);
  for (const value of [10, 11, 12]) write(producer, value);
  assert.equal(consumer.readable(), 0);
  producer.publish();
  assert.deepEqual(readAll(consumer), [10, 11, 12]);
});

test('a publish without a claim changes nothing', () => {
  const ring = new RecordRing(RecordRing.create(4, 16));
  write(ring, 1);
  ring.publish();
  ring.publish();
  assert.deepEqual(readAll(ring), [1]);
});

test('a full ring refuses a claim until a record is released, and keeps what it has', () => {
  const buffer = RecordRing.create(4, 16);
  const producer = new RecordRing(buffer);
  const consumer = new RecordRing(buffer);
  for (const value of [1, 2, 3, 4]) assert.equal(write(producer, value), true);
  assert.equal(write(producer, 5), false);
  producer.publish();
  assert.equal(write(producer, 5), false);
  assert.deepEqual(readAll(consumer), [1, 2, 3, 4]);
  assert.equal(write(producer, 5), false, 'reading alone frees nothing');
  consumer.release(1);
  assert.equal(write(producer, 5), true);
  assert.equal(write(producer, 6), false);
  producer.publish();
  assert.deepEqual(readAll(consumer), [2, 3, 4, 5]);
});

test('part of a batch can be released, and the rest is read from where it stands', () => {
  const ring = new RecordRing(RecordRing.create(8, 16));
  for (const value of [1, 2, 3, 4, 5]) write(ring, value);
  ring.publish();
  assert.equal(ring.readable(), 5);
  ring.release(2);
  assert.equal(read(ring, 0), 3);
  assert.deepEqual(readAll(ring), [3, 4, 5]);
  ring.release(0);
  assert.equal(ring.readable(), 3);
});

test('readable counts records published after an earlier, partly drained batch', () => {
  const ring = new RecordRing(RecordRing.create(8, 16));
  for (const value of [1, 2, 3]) write(ring, value);
  ring.publish();
  assert.equal(ring.readable(), 3);
  ring.release(1);
  write(ring, 4);
  ring.publish();
  assert.deepEqual(readAll(ring), [2, 3, 4]);
});

test('records whose size is no power of two stay apart over many laps', () => {
  const ring = new RecordRing(RecordRing.create(4, 20));
  const offsets = new Set<number>();
  for (let value = 0; value < 1000; value++) {
    const offset = ring.claim();
    offsets.add(offset);
    for (let at = 0; at < 20; at += 4) ring.view.setInt32(offset + at, value, true);
    ring.publish();
    if (value % 4 !== 3) continue;
    assert.deepEqual(readAll(ring), [value - 3, value - 2, value - 1, value]);
    ring.release(4);
  }
  assert.deepEqual(
    [...offsets].sort((a, b) => a - b),
    [0, 20, 40, 60].map((at) => RING_OFFSET + at),
  );
});

test('a ring of one record holds one record', () => {
  const ring = new RecordRing(RecordRing.create(1, 8));
  for (let value = 0; value < 5; value++) {
    assert.equal(write(ring, value), true);
    assert.equal(write(ring, value), false);
    ring.publish();
    assert.deepEqual(readAll(ring), [value]);
    ring.release(1);
  }
});

for (const [where, counter] of [
  ['past 2^31', INT32_MAX - 5],
  ['past 2^32', -6],
] as const) {
  test(`full, empty and order hold while the counters run ${where}`, () => {
    const buffer = createRingAt(counter, 8, 24);
    const producer = new RecordRing(buffer);
    const consumer = new RecordRing(buffer);
    let next = 0;
    let expected = 0;
    for (let round = 0; round < 40; round++) {
      assert.equal(consumer.readable(), 0);
      while (write(producer, next)) assert.equal(++next - expected <= 8, true);
      producer.publish();
      const count = consumer.readable();
      assert.equal(count, 8);
      for (let i = 0; i < count; i++) assert.equal(read(consumer, i), expected++);
      // A release of less than a lap lets the counters cross the edge at every position of the ring.
      consumer.release(3);
      assert.equal(write(producer, next++), true);
      assert.equal(write(producer, next++), true);
      assert.equal(write(producer, next++), true);
      assert.equal(write(producer, next), false);
      producer.publish();
      assert.equal(consumer.readable(), 8);
      for (let i = 5; i < 8; i++) assert.equal(read(consumer, i), expected++);
      consumer.release(8);
    }
    assert.equal(consumer.consumed(), (counter + expected) | 0);
    assert.equal(producer.written(), (counter + next) | 0);
  });

  test(`full is noticed with claims unpublished on both sides of the edge ${where}`, () => {
    const ring = new RecordRing(createRingAt(counter + 4, 4, 16));
    for (let value = 0; value < 4; value++) assert.equal(write(ring, value), true);
    assert.equal(write(ring, 4), false);
    ring.publish();
    assert.deepEqual(readAll(ring), [0, 1, 2, 3]);
  });
}

test('written and consumed count what was published and released, whoever asks', () => {
  const buffer = RecordRing.create(4, 16);
  const producer = new RecordRing(buffer);
  const consumer = new RecordRing(buffer);
  write(producer, 1);
  write(producer, 2);
  assert.equal(consumer.written(), 0);
  producer.publish();
  assert.equal(consumer.written(), 2);
  consumer.readable();
  consumer.release(1);
  assert.equal(producer.consumed(), 1);
});

test('a producer that dies with records half written leaves nothing behind, and its successor goes on', () => {
  const buffer = RecordRing.create(4, 16);
  const consumer = new RecordRing(buffer);
  const dying = new RecordRing(buffer);
  write(dying, 1);
  dying.publish();
  write(dying, 98);
  dying.view.setInt32(dying.claim(), 99, true);
  const successor = new RecordRing(buffer);
  assert.deepEqual(readAll(consumer), [1]);
  for (const value of [2, 3, 4]) assert.equal(write(successor, value), true);
  assert.equal(write(successor, 5), false, 'what was published before is still in the way');
  successor.publish();
  assert.deepEqual(readAll(consumer), [1, 2, 3, 4]);
});

test('a consumer that dies before its release leaves its records to its successor', () => {
  const buffer = RecordRing.create(4, 16);
  const producer = new RecordRing(buffer);
  for (const value of [1, 2, 3]) write(producer, value);
  producer.publish();
  const dying = new RecordRing(buffer);
  assert.equal(dying.readable(), 3);
  dying.release(1);
  assert.equal(read(dying, 0), 2);
  const successor = new RecordRing(buffer);
  assert.deepEqual(readAll(successor), [2, 3]);
  successor.release(2);
  for (const value of [4, 5, 6, 7]) assert.equal(write(producer, value), true);
  producer.publish();
  assert.deepEqual(readAll(successor), [4, 5, 6, 7]);
});

test('a successor on a full ring finds it full', () => {
  const buffer = createRingAt(INT32_MAX - 1, 4, 16);
  const dying = new RecordRing(buffer);
  for (let value = 0; value < 4; value++) write(dying, value);
  dying.publish();
  const successor = new RecordRing(buffer);
  assert.equal(successor.claim(), -1);
  assert.deepEqual(readAll(successor), [0, 1, 2, 3]);
});

test('any order of claims, publishes, releases and deaths gives each published record once and in order', () => {
  const seed = Number(process.env.SEED ?? 20261121);
  const random = createRandom(seed);
  for (let round = 0; round < 200; round++) {
    const capacity = 1 << Math.floor(random() * 6);
    const recordBytes = 4 * (1 + Math.floor(random() * 12));
    const start = [0, INT32_MAX - 40, -40, Math.floor(random() * 2 ** 32) | 0][round % 4]!;
    const buffer = createRingAt(start, capacity, recordBytes);
    let producer = new RecordRing(buffer);
    let consumer = new RecordRing(buffer);
    let claimed = 0;
    let published = 0;
    let released = 0;
    for (let step = 0; step < 300; step++) {
      const message = `SEED=${seed} round ${round} step ${step}`;
      const chance = random();
      if (chance < 0.5) {
        assert.equal(write(producer, claimed), claimed - released < capacity, message);
        if (claimed - released < capacity) claimed++;
      } else if (chance < 0.7) {
        producer.publish();
        published = claimed;
      } else if (chance < 0.94) {
        assert.equal(consumer.readable(), published - released, message);
        for (let i = 0; i < published - released; i++) assert.equal(read(consumer, i), released + i, message);
        const count = Math.floor(random() * (published - released + 1));
        consumer.release(count);
        released += count;
      } else if (chance < 0.97) {
        producer = new RecordRing(buffer);
        claimed = published;
      } else {
        consumer = new RecordRing(buffer);
      }
    }
  }
});

test('misuse is asserted: sizes, a foreign buffer, a release of more than was readable', () => {
  assert.throws(() => RecordRing.create(3, 16), /power of two.*: 3/);
  assert.throws(() => RecordRing.create(0, 16), /power of two/);
  assert.throws(() => RecordRing.create(0.5, 16), /power of two/);
  assert.throws(() => RecordRing.create(4, 0), /multiple of 4/);
  assert.throws(() => RecordRing.create(4, 18), /multiple of 4.*: 18/);
  assert.throws(() => RecordRing.create(2 ** 20, 2048), /1 GiB/);
  assert.throws(() => new RecordRing(new SharedArrayBuffer(1024)), /holds a record ring/);
  const cut = RecordRing.create(4, 16).slice(0, RING_OFFSET + 32);
  assert.equal(new Int32Array(cut)[MAGIC_INDEX] !== 0, true);
  assert.throws(() => new RecordRing(cut), /as long as its header says/);
  const ring = new RecordRing(RecordRing.create(4, 16));
  write(ring, 1);
  ring.publish();
  ring.readable();
  assert.throws(() => ring.release(2), /only what was readable is released: 2/);
  assert.throws(() => ring.release(-1), /only what was readable/);
});
