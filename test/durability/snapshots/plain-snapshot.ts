import { copyZone, packPlain, type WorldIdentity } from '../../../src/durability/snapshots/zone-snapshot.js';
import type { WorldBuffer } from '../../../src/memory/world/world-buffer.js';

/** A snapshot of a world that stands still, uncompressed. */
export function encodeZone(world: WorldBuffer, identity: WorldIdentity, epoch: number, takenAtMs: number): Buffer {
  const copy = copyZone(world, identity, epoch, takenAtMs);
  if (copy === undefined) throw new Error('the zone commits while it is copied');
  return packPlain(copy);
}
