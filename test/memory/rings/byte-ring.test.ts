import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { ByteRing } from '../../../src/memory/rings/byte-ring.js';
import { HEAD_INDEX, RECORD_HEADER_BYTES, RING_OFFSET, TAIL_INDEX } from '../../../src/memory/rings/ring-layout.js';

const INT32_MAX = 2 ** 31 - 1;

/** An empty ring that has already moved `counter` bytes, as the counters see it. */
function createRingAt(counter: number, ringBytes: number): SharedArrayBuffer {
  assert.equal(counter % 8 === 0, true, 'byte counters are multiples of 8');
  const buffer = ByteRing.create(ringBytes);
  const i32 = new Int32Array(buffer);
  i32[TAIL_INDEX] = counter;
  i32[HEAD_INDEX] = counter;
  return buffer;
}

/** Writes a payload of `bytes` bytes that all equal the low byte of kind. */
function write(ring: ByteRing, kind: number, bytes: number, bytesMax = bytes): boolean {
  const offset = ring.claim(kind, bytesMax);
  if (offset === -1) return false;
  ring.bytes.fill(kind & 0xff, offset, offset + bytes);
  ring.commit(bytes);
  return true;
}

/** The next record as [kind, bytes]; fails if its payload is not what write() put there. */
function read(ring: ByteRing): [number, number] | null {
  if (!ring.next()) return null;
  const payload = ring.bytes.subarray(ring.offset, ring.offset + ring.payloadBytes);
  assert.equal(ring.offset % 8, 0);
  assert.equal(
    payload.every((byte) => byte === (ring.kind & 0xff)),
    true,
    `torn payload of record ${ring.kind}`,
  );
  return [ring.kind, ring.payloadBytes];
}

function readAll(ring: ByteRing): [number, number][] {
  const records: [number, number][] = [];
  for (let record = read(ring); record !== null; record = read(ring)) {
    records.push(record);
    assert.equal(records.length <= ring.ringBytes / RECORD_HEADER_BYTES, true, 'more records than the ring can hold');
  }
  return records;
}

test('a new ring is empty and has all of its room', () => {
  const ring = new ByteRing(ByteRing.create(128));
  assert.equal(ring.next(), false);
  assert.equal(ring.readableBytes(), 0);
  assert.equal(ring.freeBytes(), 128);
});

test('a record costs its header and its payload padded to 8', () => {
  const ring = new ByteRing(ByteRing.create(256));
  const costs = [0, 1, 7, 8, 9, 16].map((bytes) => {
    const before = ring.freeBytes();
    assert.equal(write(ring, 1, bytes), true);
    return before - ring.freeBytes();
  });
  assert.deepEqual(costs, [8, 16, 16, 16, 24, 24]);
});

test('a reader sees nothing while a record is claimed, half written or committed', () => {
  const buffer = ByteRing.create(128);
  const producer = new ByteRing(buffer);
  const consumer = new ByteRing(buffer);
  const offset = producer.claim(5, 16);
  assert.equal(consumer.next(), false);
  producer.bytes[offset] = 5;
  assert.equal(consumer.next(), false);
  producer.bytes.fill(5, offset, offset + 16);
  producer.commit(16);
  assert.equal(consumer.next(), false);
  assert.equal(consumer.readableBytes(), 0);
  producer.publish();
  assert.deepEqual(readAll(consumer), [[5, 16]]);
});

test('several commits become readable with one publish, in order', () => {
  const ring = new ByteRing(ByteRing.create(256));
  write(ring, 1, 5);
  write(ring, 2, 0);
  write(ring, 3, 40);
  assert.equal(ring.next(), false);
  ring.publish();
  assert.deepEqual(readAll(ring), [
    [1, 5],
    [2, 0],
    [3, 40],
  ]);
});

test('a claim that is not committed is replaced by the next claim', () => {
  const ring = new ByteRing(ByteRing.create(128));
  const first = ring.claim(1, 48);
  const second = ring.claim(2, 8);
  assert.equal(second, first);
  ring.bytes.fill(2, second, second + 8);
  ring.commit(8);
  ring.publish();
  assert.deepEqual(readAll(ring), [[2, 8]]);
});

test('an open claim is not published', () => {
  const ring = new ByteRing(ByteRing.create(128));
  write(ring, 1, 8);
  const offset = ring.claim(2, 8);
  ring.publish();
  assert.deepEqual(readAll(ring), [[1, 8]]);
  ring.bytes.fill(2, offset, offset + 8);
  ring.commit(8);
  ring.publish();
  assert.deepEqual(readAll(ring), [[2, 8]]);
});

test('a commit smaller than its claim gives the difference back', () => {
  const ring = new ByteRing(ByteRing.create(128));
  assert.equal(write(ring, 1, 3, 56), true);
  assert.equal(ring.freeBytes(), 128 - 16);
  assert.equal(ring.claim(2, 1), RING_OFFSET + 16 + RECORD_HEADER_BYTES);
});

test('a full ring refuses a claim until enough is released, and keeps what it has', () => {
  const buffer = ByteRing.create(128);
  const producer = new ByteRing(buffer);
  const consumer = new ByteRing(buffer);
  for (let kind = 0; kind < 8; kind++) assert.equal(write(producer, kind, 8), true);
  assert.equal(producer.freeBytes(), 0);
  assert.equal(producer.claim(8, 0), -1);
  producer.publish();
  assert.equal(consumer.readableBytes(), 128);
  assert.deepEqual(read(consumer), [0, 8]);
  assert.equal(producer.claim(8, 0), -1, 'reading alone frees nothing');
  consumer.release();
  assert.equal(producer.claim(8, 16), -1, 'a claim larger than what is free');
  assert.equal(write(producer, 8, 8), true);
  producer.publish();
  assert.deepEqual(
    readAll(consumer).map(([kind]) => kind),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
});

test('a refused claim takes nothing: a smaller one can follow it', () => {
  const ring = new ByteRing(ByteRing.create(128));
  write(ring, 1, 40);
  write(ring, 2, 40);
  assert.equal(ring.freeBytes(), 32);
  assert.equal(ring.claim(3, 32), -1);
  assert.throws(() => ring.commit(8), /a commit fits its claim/);
  assert.equal(write(ring, 3, 24), true);
  assert.equal(ring.freeBytes(), 0);
});

test('a refused claim closes the claim before it', () => {
  const ring = new ByteRing(ByteRing.create(128));
  write(ring, 1, 56);
  ring.claim(2, 8);
  assert.equal(ring.claim(3, 56), 64 + RING_OFFSET + RECORD_HEADER_BYTES);
  write(ring, 3, 24);
  assert.equal(ring.claim(4, 8) >= 0, true);
  assert.equal(ring.claim(5, 40), -1);
  assert.throws(() => ring.commit(8), /a commit fits its claim/);
});

test('a claim of exactly what was just released is granted', () => {
  const ring = new ByteRing(ByteRing.create(128));
  write(ring, 1, 56);
  write(ring, 2, 56);
  ring.publish();
  ring.next();
  ring.release();
  assert.equal(write(ring, 3, 56), true);
  assert.equal(ring.claim(4, 0), -1);
});

test('one release gives back the current record and all before it', () => {
  const ring = new ByteRing(ByteRing.create(128));
  for (let kind = 0; kind < 4; kind++) write(ring, kind, 8);
  ring.publish();
  read(ring);
  read(ring);
  read(ring);
  ring.release();
  assert.equal(ring.readableBytes(), 16);
  assert.equal(ring.freeBytes(), 112);
  assert.deepEqual(readAll(ring), [[3, 8]]);
});

test('a release without a next frees nothing', () => {
  const ring = new ByteRing(ByteRing.create(128));
  write(ring, 1, 8);
  ring.publish();
  ring.release();
  assert.equal(ring.readableBytes(), 16);
  assert.deepEqual(readAll(ring), [[1, 8]]);
});

test('a payload is never split: what is left before the end is skipped', () => {
  const ring = new ByteRing(createRingAt(88, 128));
  // 40 bytes are left before the end, the record needs 48.
  assert.equal(ring.claim(1, 40), RING_OFFSET + RECORD_HEADER_BYTES);
  assert.equal(write(ring, 1, 40), true);
  assert.equal(ring.freeBytes(), 128 - 40 - 48);
  ring.publish();
  assert.deepEqual(readAll(ring), [[1, 40]]);
  ring.release();
  assert.equal(ring.freeBytes(), 128);
});

test('a record that ends exactly at the end needs no skip, and the next one starts at the front', () => {
  const ring = new ByteRing(createRingAt(80, 128));
  assert.equal(write(ring, 1, 40), true);
  assert.equal(ring.freeBytes(), 80);
  assert.equal(ring.claim(2, 8), RING_OFFSET + RECORD_HEADER_BYTES);
  assert.equal(write(ring, 2, 8), true);
  ring.publish();
  assert.deepEqual(readAll(ring), [
    [1, 40],
    [2, 8],
  ]);
});

test('a skip record can be nothing but a header exactly at the end', () => {
  const ring = new ByteRing(createRingAt(120, 128));
  assert.equal(write(ring, 1, 1), true);
  assert.equal(ring.freeBytes(), 128 - 8 - 16);
  ring.publish();
  assert.deepEqual(readAll(ring), [[1, 1]]);
});

test('an empty payload exactly at the end is a record, not a skip', () => {
  const ring = new ByteRing(createRingAt(120, 128));
  assert.equal(write(ring, 1, 0), true);
  write(ring, 2, 8);
  ring.publish();
  assert.deepEqual(readAll(ring), [
    [1, 0],
    [2, 8],
  ]);
});

test('a claim that would have to skip is refused when the front is still in use', () => {
  const ring = new ByteRing(ByteRing.create(128));
  write(ring, 1, 40);
  write(ring, 2, 40);
  ring.publish();
  assert.deepEqual(read(ring), [1, 40]);
  assert.equal(ring.claim(3, 40), -1);
  ring.release();
  // 48 bytes at the front and 32 before the end are free: 80 in all, and exactly enough for 32 skipped and 48 used.
  assert.equal(ring.freeBytes(), 80);
  assert.equal(write(ring, 3, 40), true);
  assert.equal(ring.freeBytes(), 0);
  ring.publish();
  assert.deepEqual(readAll(ring), [
    [2, 40],
    [3, 40],
  ]);
});

test('a forgotten claim that had skipped leaves no skip behind', () => {
  const ring = new ByteRing(createRingAt(96, 128));
  assert.equal(ring.claim(1, 40), RING_OFFSET + RECORD_HEADER_BYTES);
  assert.equal(write(ring, 2, 24), true);
  assert.equal(ring.freeBytes(), 96);
  ring.publish();
  assert.deepEqual(readAll(ring), [[2, 24]]);
});

test('the largest claim succeeds on an empty ring wherever its counters stand', () => {
  for (let position = 0; position < 256; position += 8) {
    const ring = new ByteRing(createRingAt(position, 256));
    assert.equal(ring.payloadBytesMax, 120);
    assert.equal(write(ring, 1, 120), true, `position ${position}`);
    ring.publish();
    assert.deepEqual(readAll(ring), [[1, 120]]);
  }
});

for (const [where, counter] of [
  ['past 2^31', INT32_MAX + 1 - 1024],
  ['past 2^32', -1024],
] as const) {
  test(`full, empty and order hold while the counters run ${where}`, () => {
    const buffer = createRingAt(counter, 256);
    const producer = new ByteRing(buffer);
    const consumer = new ByteRing(buffer);
    let next = 0;
    let expected = 0;
    for (let round = 0; round < 40; round++) {
      assert.equal(consumer.next(), false);
      while (write(producer, next, (next * 7) % 33)) assert.equal(++next - expected <= 256 / 8, true);
      assert.equal(producer.freeBytes() < 88, true);
      producer.publish();
      for (const [kind, bytes] of readAll(consumer)) {
        assert.equal(kind, expected);
        assert.equal(bytes, (expected * 7) % 33);
        expected++;
      }
      assert.equal(expected, next);
      consumer.release();
      assert.equal(producer.freeBytes(), 256);
    }
    assert.equal(Math.sign(new Int32Array(buffer)[TAIL_INDEX]), -Math.sign(counter), 'the counter crossed the edge');
  });
}

test('a producer that dies before its publish leaves nothing behind, and its successor goes on', () => {
  const buffer = ByteRing.create(256);
  const consumer = new ByteRing(buffer);
  const dying = new ByteRing(buffer);
  write(dying, 1, 20);
  dying.publish();
  write(dying, 2, 60);
  dying.bytes.fill(99, dying.claim(3, 8));
  const successor = new ByteRing(buffer);
  assert.equal(successor.freeBytes(), 256 - 32);
  write(successor, 4, 8);
  successor.publish();
  assert.deepEqual(readAll(consumer), [
    [1, 20],
    [4, 8],
  ]);
});

test('a skip that a dead producer committed but did not publish does not hide its successor', () => {
  const buffer = createRingAt(96, 128);
  const consumer = new ByteRing(buffer);
  write(new ByteRing(buffer), 1, 40);
  const successor = new ByteRing(buffer);
  write(successor, 2, 16);
  successor.publish();
  assert.deepEqual(readAll(consumer), [[2, 16]]);
});

test('a consumer that dies before its release leaves its records to its successor, past a skip too', () => {
  const buffer = createRingAt(72, 128);
  const producer = new ByteRing(buffer);
  write(producer, 1, 24);
  write(producer, 2, 32);
  producer.publish();
  const dying = new ByteRing(buffer);
  assert.deepEqual(read(dying), [1, 24]);
  dying.release();
  assert.deepEqual(read(dying), [2, 32]);
  const successor = new ByteRing(buffer);
  assert.deepEqual(readAll(successor), [[2, 32]]);
  successor.release();
  assert.equal(producer.freeBytes(), 128);
});

test('any order of claims, commits, publishes, releases and deaths gives each published record once and in order', () => {
  const seed = Number(process.env.SEED ?? 20261121);
  const random = createRandom(seed);
  for (let round = 0; round < 200; round++) {
    const ringBytes = 64 << Math.floor(random() * 5);
    const start = [0, INT32_MAX + 1 - 512, -512, (Math.floor(random() * 2 ** 29) << 3) | 0][round % 4]!;
    const buffer = createRingAt(start, ringBytes);
    let producer = new ByteRing(buffer);
    let consumer = new ByteRing(buffer);
    let nextKind = 0;
    let committed: [number, number][] = [];
    // What the consumer has to read next, in order; what it has read and not released; both by value.
    let unread: [number, number][] = [];
    let unreleased: [number, number][] = [];
    for (let step = 0; step < 300; step++) {
      const message = `SEED=${seed} round ${round} step ${step}`;
      const chance = random();
      if (chance < 0.45) {
        const bytesMax = Math.floor(random() * (producer.payloadBytesMax + 1));
        const bytes = Math.floor(random() * (bytesMax + 1));
        const isEmpty = committed.length + unread.length + unreleased.length === 0;
        const wrote = write(producer, nextKind, bytes, bytesMax);
        if (isEmpty) assert.equal(wrote, true, message);
        if (wrote) committed.push([nextKind++, bytes]);
        // A refusal is right only if the record and the longest skip that it could need do not fit.
        else assert.equal(producer.freeBytes() < 2 * (bytesMax + RECORD_HEADER_BYTES + 8), true, message);
      } else if (chance < 0.5) {
        producer.claim(99, Math.floor(random() * (producer.payloadBytesMax + 1)));
      } else if (chance < 0.65) {
        producer.publish();
        unread.push(...committed);
        committed = [];
      } else if (chance < 0.85) {
        const expected = unread.shift();
        assert.deepEqual(read(consumer), expected ?? null, message);
        if (expected !== undefined) unreleased.push(expected);
      } else if (chance < 0.94) {
        consumer.release();
        unreleased = [];
      } else if (chance < 0.97) {
        producer = new ByteRing(buffer);
        committed = [];
      } else {
        consumer = new ByteRing(buffer);
        unread = [...unreleased, ...unread];
        unreleased = [];
      }
    }
  }
});

test('misuse is asserted: sizes, a foreign buffer, a kind below zero, a commit beyond its claim', () => {
  assert.throws(() => ByteRing.create(100), /power of two.*: 100/);
  assert.throws(() => ByteRing.create(32), /64 B to 1 GiB.*: 32/);
  assert.throws(() => ByteRing.create(2 ** 31), /64 B to 1 GiB/);
  assert.throws(() => new ByteRing(new SharedArrayBuffer(1024)), /holds a byte ring/);
  assert.throws(() => new ByteRing(ByteRing.create(128).slice(0, RING_OFFSET + 64)), /as long as its header says/);
  const ring = new ByteRing(ByteRing.create(128));
  assert.throws(() => ring.claim(-1, 8), /negative kinds/);
  assert.throws(() => ring.claim(1, 57), /at most half of the ring: 57/);
  assert.throws(() => ring.claim(1, -1), /at most half/);
  assert.throws(() => ring.commit(0), /fits its claim/);
  ring.claim(1, 8);
  assert.throws(() => ring.commit(9), /fits its claim: 9/);
  ring.commit(8);
  assert.throws(() => ring.commit(8), /fits its claim/);
});
