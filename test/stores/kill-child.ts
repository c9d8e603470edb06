// The process that is killed: writes to the embedded stores for ever and prints what was acknowledged.
// Usage: node kill-child.js FOLDER FIRST

import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { openEmbeddedColdStore } from '../../src/stores/embedded/embedded-cold-store.js';
import { openEmbeddedEventLog } from '../../src/stores/embedded/embedded-event-log.js';
import { openEmbeddedHotStore } from '../../src/stores/embedded/embedded-hot-store.js';

const [folder, first] = process.argv.slice(2);
const log = openEmbeddedEventLog({ folder: join(folder, 'log'), leaseMs: 60000 });
const hot = openEmbeddedHotStore({ folder: join(folder, 'hot') });
const cold = openEmbeddedColdStore({ folder: join(folder, 'cold') });

// Synchronous, so that a line is out before anything else can happen to this process.
function say(line: string): void {
  writeSync(1, `${line}\n`);
}

async function writeLog(): Promise<void> {
  for (let n = Number(first); ; ) {
    const records = Array.from({ length: 1 + (n % 50) }, (_, index) => {
      const value = Buffer.alloc(100 + ((n + index) % 900), (n + index) & 0xff);
      value.writeUInt32LE(n + index, 0);
      return { topic: 't', key: `k${(n + index) % 5}`, value, timestampMs: n + index };
    });
    n += records.length;
    await log.append(records);
    say(`log ${n}`);
  }
}

async function writeHot(): Promise<void> {
  for (let n = 0; ; n++) {
    await hot.set([{ key: 'snapshot', value: Buffer.alloc(20000, n & 0xff), ttlMs: 600000 }]);
    say(`hot ${n & 0xff}`);
  }
}

async function writeCold(): Promise<void> {
  for (let n = 0; ; n++) {
    const { sequence } = await cold.save('zone', { bytes: Buffer.alloc(30000, n), tick: n, takenAtMs: 0, meta: {} });
    say(`cold ${sequence}`);
    await cold.prune('zone', 3);
  }
}

await log.createTopics([{ name: 't', partitions: 2 }]);
await log.subscribe({ group: 'g', topics: ['t'], batchRecordsMax: 40 }, async ({ entries }) => {
  for (const { value } of entries) say(`seen ${Buffer.from(value).readUInt32LE(0)}`);
});
await Promise.all([writeLog(), writeHot(), writeCold()]);
