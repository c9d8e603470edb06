// Records per second between two threads: over both rings, and the same records by postMessage beside them.
//
// Every way moves the records of ring-records.ts and reads every word of them. Both threads are warm before the clock
// starts, and the median of several equal parts is what is reported, so one pause of a shared machine does not count.

import { once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';
import { assert } from '../../src/base/assert.js';
import { ByteRing } from '../../src/memory/rings/byte-ring.js';
import { RecordRing } from '../../src/memory/rings/record-ring.js';
import type { BenchModule, BenchRow } from '../bench.js';
import { Turns } from '../turns.js';
import { BATCH_RECORDS, checksumOf, RECORD_BYTES } from './ring-records.js';
import type { RingBenchResult, RingBenchSide, RingBenchWay } from './ring-worker.js';

/** As many records as a command ring holds, and the same records' bytes for the byte ring, rounded up. */
const RING_RECORDS = 16384;
const BYTE_RING_BYTES = 1024 * 1024;
/** In the small form only the shape is of interest, not the figures. */
const SMALL_SHARE = 1 / 100;

const WAYS: { way: RingBenchWay; name: string; records: number; note?: string }[] = [
  {
    way: 'record-ring',
    name: 'RecordRing',
    records: 60_000_000,
    note: `published and released in batches of ${BATCH_RECORDS}`,
  },
  {
    way: 'byte-ring',
    name: 'ByteRing',
    records: 30_000_000,
    note: `published and released in batches of ${BATCH_RECORDS}`,
  },
  { way: 'message', name: 'postMessage, one record each', records: 600_000 },
  { way: 'message-batch', name: `postMessage, ${BATCH_RECORDS} records each`, records: 12_000_000 },
];

export const bench: BenchModule = {
  name: 'ring',
  summary: `records of ${RECORD_BYTES} bytes from one thread to another`,
  async run({ small }) {
    const rows: BenchRow[] = [];
    for (const { way, name, records, note } of WAYS) {
      const result = await moveRecords(way, small ? records * SMALL_SHARE : records);
      rows.push({
        name,
        perSecond: result.perSecond,
        meanUs: 1e6 / result.perSecond,
        p99Us: 1e6 / result.perSecondMin, // of so few parts the slowest
        samples: result.samples,
        checksum: result.checksum >>> 0,
        ...(note && { note }),
      });
    }
    return rows;
  },
};

async function moveRecords(way: RingBenchWay, records: number): Promise<RingBenchResult> {
  const { port1, port2 } = new MessageChannel();
  const buffer = way === 'byte-ring' ? ByteRing.create(BYTE_RING_BYTES) : RecordRing.create(RING_RECORDS, RECORD_BYTES);
  const turns = Turns.create();
  const consumer = startSide({ role: 'consume', way, records, buffer, turns, port: port1 });
  const producer = startSide({ role: 'produce', way, records, buffer, turns, port: port2 });
  try {
    const [result] = await once(consumer, 'message');
    assert(result.checksum === checksumOf(records), `${way}: every record arrived, unchanged`, result.checksum);
    return result;
  } finally {
    await Promise.all([consumer.terminate(), producer.terminate()]);
  }
}

function startSide(side: RingBenchSide): Worker {
  return new Worker(new URL('./ring-worker.js', import.meta.url), { workerData: side, transferList: [side.port] });
}
