// The jobs of snapshots: pure work on bytes that were handed over. Run by a thread of the job pool.

import { nowMs } from '../../base/clock.js';
import { moveBack } from './job-pool.js';
import { type PackedZone, packZone, type ZoneCopy } from './zone-snapshot.js';

export interface PackedByJob extends PackedZone {
  /** Of the job's own work. */
  ms: number;
}

export function packZoneJob(copy: ZoneCopy): PackedByJob {
  const startMs = nowMs();
  const packed = packZone(copy);
  return moveBack({ ...packed, ms: nowMs() - startMs }, [packed.bytes.buffer]);
}
