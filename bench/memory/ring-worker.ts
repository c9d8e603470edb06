// One side of the ring bench on a thread of its own. The consumer measures, from the end of the warm-up to the last
// record, and posts its result.

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../src/base/assert.js';
import { nowMs } from '../../src/base/clock.js';
import { ByteRing } from '../../src/memory/rings/byte-ring.js';
import { RecordRing } from '../../src/memory/rings/record-ring.js';
import { type Side, Turns } from '../turns.js';
import { BATCH_RECORDS, RECORD_BYTES, RECORD_WORDS, readRecord, writeRecord } from './ring-records.js';

export type RingBenchWay = 'record-ring' | 'byte-ring' | 'message' | 'message-batch';

export interface RingBenchSide {
  role: Side;
  way: RingBenchWay;
  records: number;
  /** A ring of the way's kind; unused by messages. */
  buffer: SharedArrayBuffer;
  /** How the sides of a ring wait for each other; unused by messages. */
  turns: SharedArrayBuffer;
  /** To the other side; unused by rings. */
  port: MessagePort;
}

export interface RingBenchResult {
  /** Of the median part. */
  perSecond: number;
  /** Of the slowest part. */
  perSecondMin: number;
  /** Parts that were timed. */
  samples: number;
  checksum: number;
}

/** The records are timed in this many equal parts, of which the first is the warm-up. */
const PARTS = 6;
/** Messages under way at most, and how many of them are acknowledged at once: without a bound the queue would grow. */
const MESSAGES_AHEAD_MAX = 1024;
const MESSAGES_PER_ACK = 256;

const side: RingBenchSide = workerData;
const turns = new Turns(side.turns, side.role);

/** Counts the records that were read and takes the time at the end of each part. */
class Stopwatch {
  private readonly partRecords = Math.ceil(side.records / PARTS);
  private readonly partEndsMs: number[] = [];
  private readonly partEnds: number[] = [];

  lap(records: number): void {
    if (records < this.partRecords * (this.partEnds.length + 1) && records < side.records) return;
    this.partEnds.push(records);
    this.partEndsMs.push(nowMs());
  }

  result(checksum: number): RingBenchResult {
    const rates = this.partEnds
      .slice(1)
      .map((end, i) => ((end - this.partEnds[i]) * 1000) / Math.max(this.partEndsMs[i + 1] - this.partEndsMs[i], 1e-3))
      .sort((a, b) => a - b);
    assert(rates.length > 0, 'at least one part follows the warm-up', side.records);
    return { perSecond: rates[rates.length >> 1], perSecondMin: rates[0], samples: rates.length, checksum };
  }
}

function produceRecordRing(): void {
  const ring = new RecordRing(side.buffer);
  // Half of the ring at a time: to go on for every record that is freed would cost a wake for each.
  const hasRoom = () => ((ring.written() - ring.consumed()) | 0) <= ring.capacity / 2;
  for (let seq = 0; seq < side.records; ) {
    const offset = ring.claim();
    if (offset === -1) {
      ring.publish();
      turns.ring();
      turns.waitUntil(hasRoom);
      continue;
    }
    writeRecord(ring.i32, offset >> 2, seq++);
    if (seq % BATCH_RECORDS === 0 || seq === side.records) {
      ring.publish();
      turns.ring();
    }
  }
}

function consumeRecordRing(): RingBenchResult {
  const ring = new RecordRing(side.buffer);
  const stopwatch = new Stopwatch();
  const hasRecords = () => ring.readable() > 0;
  let checksum = 0;
  for (let seq = 0; seq < side.records; ) {
    const count = Math.min(ring.readable(), BATCH_RECORDS);
    if (count === 0) {
      turns.waitUntil(hasRecords);
      continue;
    }
    for (let i = 0; i < count; i++) checksum = readRecord(ring.i32, ring.offsetOf(i) >> 2, checksum);
    ring.release(count);
    turns.ring();
    seq += count;
    stopwatch.lap(seq);
  }
  return stopwatch.result(checksum);
}

function produceByteRing(): void {
  const ring = new ByteRing(side.buffer);
  const i32 = new Int32Array(side.buffer);
  const hasRoom = () => ring.freeBytes() >= ring.ringBytes / 2;
  for (let seq = 0; seq < side.records; ) {
    const offset = ring.claim(1, RECORD_BYTES);
    if (offset === -1) {
      ring.publish();
      turns.ring();
      turns.waitUntil(hasRoom);
      continue;
    }
    writeRecord(i32, offset >> 2, seq++);
    ring.commit(RECORD_BYTES);
    if (seq % BATCH_RECORDS === 0 || seq === side.records) {
      ring.publish();
      turns.ring();
    }
  }
}

function consumeByteRing(): RingBenchResult {
  const ring = new ByteRing(side.buffer);
  const i32 = new Int32Array(side.buffer);
  const stopwatch = new Stopwatch();
  const hasRecords = () => ring.readableBytes() > 0;
  let checksum = 0;
  for (let seq = 0; seq < side.records; ) {
    let count = 0;
    while (count < BATCH_RECORDS && ring.next()) {
      checksum = readRecord(i32, ring.offset >> 2, checksum);
      count++;
    }
    if (count === 0) {
      turns.waitUntil(hasRecords);
      continue;
    }
    ring.release();
    turns.ring();
    seq += count;
    stopwatch.lap(seq);
  }
  return stopwatch.result(checksum);
}

/** Posts copies, as a sender does that goes on with its buffer; the receiver acknowledges so that the queue stays short. */
function produceMessages(recordsPerMessage: number): void {
  let seq = 0;
  let messagesAhead = 0;
  function pump(): void {
    for (; messagesAhead < MESSAGES_AHEAD_MAX && seq < side.records; messagesAhead++) {
      const count = Math.min(recordsPerMessage, side.records - seq);
      const i32 = new Int32Array(count * RECORD_WORDS);
      for (let i = 0; i < count; i++) writeRecord(i32, i * RECORD_WORDS, seq++);
      side.port.postMessage(i32);
    }
  }
  side.port.on('message', (acknowledged: number) => {
    messagesAhead -= acknowledged;
    pump();
  });
  pump();
}

function consumeMessages(): Promise<RingBenchResult> {
  const stopwatch = new Stopwatch();
  let seq = 0;
  let messages = 0;
  let checksum = 0;
  return new Promise((resolve) => {
    side.port.on('message', (i32: Int32Array) => {
      for (let index = 0; index < i32.length; index += RECORD_WORDS) checksum = readRecord(i32, index, checksum);
      seq += i32.length / RECORD_WORDS;
      stopwatch.lap(seq);
      if (++messages % MESSAGES_PER_ACK === 0) side.port.postMessage(MESSAGES_PER_ACK);
      if (seq === side.records) resolve(stopwatch.result(checksum));
    });
  });
}

const WAYS: Record<RingBenchWay, { produce: () => void; consume: () => RingBenchResult | Promise<RingBenchResult> }> = {
  'record-ring': { produce: produceRecordRing, consume: consumeRecordRing },
  'byte-ring': { produce: produceByteRing, consume: consumeByteRing },
  message: { produce: () => produceMessages(1), consume: consumeMessages },
  'message-batch': { produce: () => produceMessages(BATCH_RECORDS), consume: consumeMessages },
};

if (side.role === 'produce') WAYS[side.way].produce();
else parentPort?.postMessage(await WAYS[side.way].consume());
