// Writes event n to one ring after the other, from the last to the first, each published before the next; not so fast that
// a reader would never find them at rest.

import { workerData } from 'node:worker_threads';
import * as R from '../../../src/memory/records/thread-records.js';
import { RecordRing } from '../../../src/memory/rings/record-ring.js';

const REST_MS = 0.02;

const { sides, steps } = workerData as { sides: SharedArrayBuffer[]; steps: number };
const rings = sides.map((buffer) => new RecordRing(buffer));
for (let tick = 1; tick <= steps; tick++) {
  const ring = rings[rings.length - 1 - (tick % rings.length)];
  let offset = ring.claim();
  while (offset < 0) offset = ring.claim();
  ring.view.setInt32(offset + R.EVENT_TICK, tick, true);
  ring.publish();
  const restUntil = performance.now() + REST_MS;
  while (performance.now() < restUntil) offset = -1;
}
