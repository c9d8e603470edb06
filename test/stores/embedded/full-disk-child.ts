// Appends until the disk is full, then reports. Run under a limit on file sizes.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedEventLog } from '../../../src/stores/embedded/embedded-event-log.js';
import type { PersistError } from '../../../src/stores/store-ports.js';

// A write beyond the limit raises a signal, which would end the process, before it fails.
process.on('SIGXFSZ', () => {});

const folder = mkdtempSync(join(tmpdir(), 'tessera-full-'));
const log = openEmbeddedEventLog({ folder });
await log.createTopics([{ name: 't', partitions: 1 }]);
// Its commits and leases fail too, beside the appends.
await log.subscribe({ group: 'g', topics: ['t'], batchRecordsMax: 1 }, async () => {});
const value = new Uint8Array(50000);
let acknowledged = 0;
let rejections = 0;
let retriable = true;
while (rejections < 20) {
  try {
    await log.append([{ topic: 't', key: 'k', value, timestampMs: 0 }]);
    acknowledged++;
  } catch (error) {
    rejections++;
    retriable &&= (error as PersistError).retriable;
  }
}
await log.close();
const reopened = openEmbeddedEventLog({ folder });
let kept = 0;
await reopened.replay({ topics: ['t'] }, async ({ entries }) => {
  kept += entries.length;
});
await reopened.close();
rmSync(folder, { recursive: true, force: true });
console.log(JSON.stringify({ acknowledged, rejections, kept, retriable }));
