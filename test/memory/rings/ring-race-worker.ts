// One side of a ring race: writes or reads sequenced, checksummed records until the goal, on a thread of its own.
// Started by ring-race.test.ts, which may also kill it at any point and start another on the same ring.
//
// What a record contains follows from its sequence number and the seed, so the consumer knows every word before it
// reads it. Sequence numbers wrap past 2^31 like the rings' counters.

import { parentPort, workerData } from 'node:worker_threads';
import { Turns } from '../../../bench/turns.js';
import { nextUint32, seedState } from '../../../src/base/chance.js';
import { ByteRing } from '../../../src/memory/rings/byte-ring.js';
import { RecordRing } from '../../../src/memory/rings/record-ring.js';
import { CONSUMED, GOAL, GOAL_KNOWN, PRODUCED, type RaceTask } from './ring-race-task.js';

const task: RaceTask = workerData;
const shared = new Int32Array(task.shared);
const turns = new Turns(task.turns, task.role);
// Sizes of batches and claims: chance on which the sides need not agree.
const chance = new Int32Array(1);
seedState(chance, 0, task.seed ^ (task.role === 'produce' ? 1 : 2));

/** The at-th word of a record: neighbours in either argument differ in about half of their bits. */
function wordOf(seq: number, at: number): number {
  let x = Math.imul(seq ^ task.seed, 0x9e3779b1) + Math.imul(at + 1, 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  return (x ^ (x >>> 12)) | 0;
}

function batchSize(): number {
  return 1 + (nextUint32(chance, 0) % task.batchMax);
}

function isGoal(seq: number): boolean {
  if (Atomics.load(shared, GOAL_KNOWN) === 0) return false; // acquire: the goal below is set before it is known
  return ((seq - shared[GOAL]) | 0) >= 0;
}

// --- record ring: every record fills its slot ---

function produceRecords(ring: RecordRing): number {
  const words = ring.recordBytes / 4;
  let seq = task.start;
  while (!isGoal(seq)) {
    const before = seq;
    for (let room = batchSize(); room > 0 && !isGoal(seq); room--) {
      const offset = ring.claim();
      if (offset === -1) break;
      writeRecord(ring.i32, offset >> 2, words, seq);
      seq = (seq + 1) | 0;
    }
    Atomics.store(shared, PRODUCED, seq); // publish: for the test, before the batch itself
    ring.publish();
    turns.ring();
    if (seq === before) turns.waitUntil(() => ((ring.written() - ring.consumed()) | 0) < ring.capacity);
  }
  return seq;
}

function consumeRecords(ring: RecordRing): number {
  const words = ring.recordBytes / 4;
  let seq = task.start;
  while (!isGoal(seq)) {
    const readable = ring.readable();
    if (readable < 0 || readable > ring.capacity) fail('more is readable than the ring holds', seq, readable);
    const count = Math.min(readable, batchSize());
    for (let i = 0; i < count; i++) {
      checkRecord(ring.i32, ring.offsetOf(i) >> 2, words, seq);
      seq = (seq + 1) | 0;
    }
    Atomics.store(shared, CONSUMED, seq); // publish: for the test, before the batch itself
    ring.release(count);
    turns.ring();
    if (count === 0) turns.waitUntil(() => ring.readable() > 0);
  }
  return seq;
}

// --- byte ring: kind is the low half of the sequence number, the payload as long as chance has it ---

const PAYLOAD_WORDS_MIN = 2;
const PAYLOAD_WORDS_MAX = 40;
/** A claim asks for up to this many words more than its commit takes. */
const EXCESS_WORDS_MAX = 7;

function payloadWordsOf(seq: number): number {
  return PAYLOAD_WORDS_MIN + ((wordOf(seq, -1) >>> 0) % (PAYLOAD_WORDS_MAX - PAYLOAD_WORDS_MIN + 1));
}

function produceBytes(ring: ByteRing): number {
  const i32 = new Int32Array(task.buffer);
  let seq = task.start;
  while (!isGoal(seq)) {
    const before = seq;
    for (let room = batchSize(); room > 0 && !isGoal(seq); room--) {
      const words = payloadWordsOf(seq);
      const draw = nextUint32(chance, 0);
      // Now and then a claim that is never committed, which the next one has to replace.
      if (draw >>> 28 === 0) ring.claim(0, 4 * PAYLOAD_WORDS_MAX);
      const offset = ring.claim(seq & 0xffff, 4 * (words + (draw % (EXCESS_WORDS_MAX + 1))));
      if (offset === -1) break;
      writeRecord(i32, offset >> 2, words, seq);
      ring.commit(4 * words);
      seq = (seq + 1) | 0;
    }
    Atomics.store(shared, PRODUCED, seq); // publish: for the test, before the batch itself
    ring.publish();
    turns.ring();
    if (seq === before) turns.waitUntil(() => ring.readableBytes() < ring.ringBytes / 2);
  }
  return seq;
}

function consumeBytes(ring: ByteRing): number {
  const i32 = new Int32Array(task.buffer);
  let seq = task.start;
  while (!isGoal(seq)) {
    const before = seq;
    for (let room = batchSize(); room > 0 && ring.next(); room--) {
      if (ring.kind !== (seq & 0xffff)) fail('kind', seq, ring.kind);
      const words = payloadWordsOf(seq);
      if (ring.payloadBytes !== 4 * words) fail('size', seq, ring.payloadBytes);
      checkRecord(i32, ring.offset >> 2, words, seq);
      seq = (seq + 1) | 0;
    }
    Atomics.store(shared, CONSUMED, seq); // publish: for the test, before the batch itself
    ring.release();
    turns.ring();
    if (seq === before) turns.waitUntil(() => ring.readableBytes() > 0);
  }
  return seq;
}

// --- a record: [seq i32][word i32 ...][checksum i32] ---

function writeRecord(i32: Int32Array, index: number, words: number, seq: number): void {
  i32[index] = seq;
  let checksum = seq;
  for (let at = 1; at < words - 1; at++) {
    const word = wordOf(seq, at);
    i32[index + at] = word;
    checksum = Math.imul(checksum ^ word, 0x01000193);
  }
  i32[index + words - 1] = checksum;
}

/** A wrong number is a lost, doubled or misplaced record; a wrong word or checksum is a torn one. */
function checkRecord(i32: Int32Array, index: number, words: number, seq: number): void {
  if (i32[index] !== seq) fail('number', seq, i32[index]);
  let checksum = seq;
  for (let at = 1; at < words - 1; at++) {
    const word = i32[index + at];
    if (word !== wordOf(seq, at)) fail('word', seq, word);
    checksum = Math.imul(checksum ^ word, 0x01000193);
  }
  if (i32[index + words - 1] !== checksum) fail('checksum', seq, i32[index + words - 1]);
}

function fail(what: string, seq: number, found: number): never {
  throw new Error(`record ${seq}: wrong ${what}: ${found}, SEED=${task.seed}`);
}

function run(): number {
  if (task.ring === 'record') {
    const ring = new RecordRing(task.buffer);
    return task.role === 'produce' ? produceRecords(ring) : consumeRecords(ring);
  }
  const ring = new ByteRing(task.buffer);
  return task.role === 'produce' ? produceBytes(ring) : consumeBytes(ring);
}

parentPort?.postMessage(run());
