// Keeps what a headless world writes to its journal rings, and the state that each zone committed, tick by tick.

import type { JournalRecord } from '../../../src/durability/journal/journal-file.js';
import { ByteRing } from '../../../src/memory/rings/byte-ring.js';
import { hashCommitted } from '../../../src/memory/world/state-hash.js';
import { WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import type { HeadlessWorld } from '../../../src/testing/headless-world.js';

export class JournalKeeper {
  readonly records: JournalRecord[][];
  /** By zone and tick. */
  readonly hashes: Map<number, Int32Array>[];
  private readonly rings: ByteRing[];
  private readonly worlds: WorldBuffer[];

  constructor(world: HeadlessWorld) {
    const { plan } = world;
    this.rings = plan.journals.map((buffer) => new ByteRing(buffer));
    this.worlds = plan.worlds.map((buffer) => new WorldBuffer(buffer, plan.layout));
    this.records = this.rings.map(() => []);
    this.hashes = this.rings.map(() => new Map());
  }

  /** After every tick. */
  take(): void {
    for (const [zone, ring] of this.rings.entries()) {
      while (ring.next()) {
        const bytes = Buffer.from(ring.bytes.slice(ring.offset, ring.offset + ring.payloadBytes));
        this.records[zone].push({ zone, serial: bytes.readInt32LE(0), tick: bytes.readInt32LE(4), bytes });
      }
      ring.release();
      const hash = hashCommitted(this.worlds[zone]);
      if (hash !== undefined) this.hashes[zone].set(hash.tick, hash.sums);
    }
  }
}
