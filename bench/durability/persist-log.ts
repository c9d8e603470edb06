// Events per second into the embedded event log and out of it again. An append counts when its promise has resolved, so
// when it is flushed to the disk; several appends are under way at once, as they are where events come in faster than a
// disk flushes.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert } from '../../src/base/assert.js';
import { createRandom } from '../../src/base/chance.js';
import { openEmbeddedEventLog } from '../../src/stores/embedded/embedded-event-log.js';
import type { EventLog, LogRecord } from '../../src/stores/store-ports.js';
import { type BenchModule, type BenchOptions, type BenchRow, foldChecksum } from '../bench.js';

const TOPIC = 'bench';
const PARTITIONS = 8;
const KEYS = 2000;
/** What an event of the arena takes in MessagePack, about. */
const VALUE_BYTES = 150;
const APPENDS_UNDER_WAY = 4;
const SMALL_SHARE = 1 / 200;

const CASES = [
  { batchRecords: 100, records: 200_000 },
  { batchRecords: 1000, records: 1_000_000 },
  { batchRecords: 5000, records: 1_500_000 },
];

export const bench: BenchModule = {
  name: 'persist-log',
  summary: `events of ${VALUE_BYTES} bytes into the embedded event log, flushed, and out again`,
  async run(options) {
    const rows: BenchRow[] = [];
    for (const { batchRecords, records } of CASES) {
      const total = Math.max(Math.ceil(records * (options.small ? SMALL_SHARE : 1)), batchRecords * 2);
      rows.push(...(await measure(batchRecords, total, options)));
    }
    return rows;
  },
};

async function measure(batchRecords: number, total: number, { seed }: BenchOptions): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-bench-'));
  const log = openEmbeddedEventLog({ folder });
  try {
    await log.createTopics([{ name: TOPIC, partitions: PARTITIONS }]);
    const batches = makeBatches(batchRecords, total, seed);
    const appended = await measureAppends(log, batches);
    const replayed = await measureReplay(log, batches.length * batchRecords);
    const names = `batches of ${batchRecords}`;
    return [
      { name: `append, ${names}`, ...appended, checksum: replayed.checksum, note: 'p99 is of a batch, to its flush' },
      { name: `replay, ${names}`, ...replayed },
    ];
  } finally {
    await log.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeBatches(batchRecords: number, total: number, seed: number): LogRecord[][] {
  const random = createRandom(seed);
  const values = Array.from({ length: 256 }, () => Uint8Array.from({ length: VALUE_BYTES }, () => random() * 256));
  const keys = Array.from({ length: KEYS }, (_, n) => `player:${n}`);
  return Array.from({ length: Math.ceil(total / batchRecords) }, (_, batch) =>
    Array.from({ length: batchRecords }, (_, n) => ({
      topic: TOPIC,
      key: keys[Math.floor(random() * KEYS)],
      value: values[n & 255],
      timestampMs: batch,
    })),
  );
}

async function measureAppends(log: EventLog, batches: readonly LogRecord[][]) {
  const batchMs: number[] = [];
  const startedMs = performance.now();
  const underWay: Promise<void>[] = [];
  for (const batch of batches) {
    const beganMs = performance.now();
    underWay.push(
      log.append(batch).then(() => {
        batchMs.push(performance.now() - beganMs);
      }),
    );
    if (underWay.length >= APPENDS_UNDER_WAY) await underWay.shift();
  }
  await Promise.all(underWay);
  const totalMs = performance.now() - startedMs;
  batchMs.sort((a, b) => a - b);
  const records = batches.length * batches[0].length;
  return {
    perSecond: (records * 1000) / totalMs,
    meanUs: (totalMs * 1000) / records,
    p99Us: batchMs[Math.floor(batchMs.length * 0.99)] * 1000,
    samples: batchMs.length,
  };
}

async function measureReplay(log: EventLog, wanted: number) {
  let records = 0;
  let batches = 0;
  // Per partition and then together: partitions are read one after the other, but their order says nothing.
  const checksums = new Array<number>(PARTITIONS).fill(0);
  let slowestUs = 0;
  const startedMs = performance.now();
  let beganMs = startedMs;
  await log.replay({ topics: [TOPIC] }, async ({ partition, entries }) => {
    for (const { offset, value } of entries) {
      checksums[partition] = foldChecksum(checksums[partition], value[offset % VALUE_BYTES]);
    }
    records += entries.length;
    batches++;
    slowestUs = Math.max(slowestUs, ((performance.now() - beganMs) * 1000) / entries.length);
    beganMs = performance.now();
  });
  const totalMs = performance.now() - startedMs;
  assert(records === wanted, 'every record that was acknowledged is read again', records);
  return {
    perSecond: (records * 1000) / totalMs,
    meanUs: (totalMs * 1000) / records,
    p99Us: slowestUs,
    samples: batches,
    checksum: checksums.reduce((sum, value) => foldChecksum(sum, value), 0),
  };
}
