// A job thread whose jobs fail in every way there is. For packZoneJob the tick of the zone says how.

import { threadId } from 'node:worker_threads';
import { moveBack } from '../../../src/durability/snapshots/job-pool.js';
import { packZoneJob as packWell } from '../../../src/durability/snapshots/snapshot-jobs.js';
import type { ZoneCopy } from '../../../src/durability/snapshots/zone-snapshot.js';

export const TICK_THROWS = 1001;
export const TICK_DIES = 1002;

export function addOne(bytes: Uint8Array): Uint8Array {
  return moveBack(
    bytes.map((byte) => byte + 1),
    [],
  );
}

export function giveBack(bytes: Uint8Array): { bytes: Uint8Array } {
  return moveBack({ bytes }, [bytes.buffer]);
}

export function fail(): void {
  throw new Error('this job always fails');
}

export function die(): void {
  process.exit(7);
}

export function hang(): void {
  for (;;);
}

export function nap(ms: number): number {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  return ms;
}

export function threadOf(ms: number): number {
  nap(ms);
  return threadId;
}

export function packZoneJob(copy: ZoneCopy): ReturnType<typeof packWell> {
  if (copy.head.tick === TICK_THROWS) fail();
  if (copy.head.tick === TICK_DIES) die();
  return packWell(copy);
}
