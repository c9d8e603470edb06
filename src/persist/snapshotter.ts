// Takes the world to the hot and the cold store, from committed blocks only: no tick knows of it.

import { COLD_HISTORY_KEPT, HOT_SNAPSHOT_TTL_MS, SNAPSHOT_COPY_ATTEMPTS } from '../constants.js';
import type { IoCounters } from '../memory/io-counters.js';
import type { WorldBuffer } from '../memory/world-buffer.js';
import { SCALAR_TICK } from '../memory/world-layout.js';
import { pause } from './deadline.js';
import type { ColdStore, HotStore } from './ports.js';
import { encodeZone, type WorldShape } from './zone-snapshot.js';

export function hotKey(zone: number): string {
  return `snapshot:zone:${zone}`;
}

export function coldId(zone: number): string {
  return `zone:${zone}`;
}

/** How often the end looks whether a snapshot is still under way. */
const LAST_LOOK_MS = 5;

export class Snapshotter {
  private isTakingHot = false;
  private isTakingCold = false;

  constructor(
    private readonly worlds: readonly WorldBuffer[],
    private readonly shape: WorldShape,
    private readonly epoch: number,
    private readonly hot: HotStore,
    private readonly cold: ColdStore,
    private readonly counters: IoCounters,
    private readonly say: (line: string) => void,
  ) {}

  /** One that is still under way when the next is due lets it pass: a slow store gets fewer, not more at once. */
  async takeHot(nowMs: number): Promise<void> {
    if (this.isTakingHot) {
      return;
    }
    this.isTakingHot = true;
    try {
      const zones = this.encodeAll(nowMs);
      await this.hot.set(
        zones.map(({ zone, bytes }) => ({ key: hotKey(zone), value: bytes, ttlMs: HOT_SNAPSHOT_TTL_MS })),
      );
      this.counters.add('hotSnapshots', 1);
      this.counters.set('hotTick', zones[0]?.tick ?? 0);
    } catch (error) {
      this.counters.add('hotFailures', 1);
      this.say(`a hot snapshot was not taken: ${(error as Error).message}`);
    } finally {
      this.isTakingHot = false;
    }
  }

  async takeCold(nowMs: number): Promise<void> {
    if (this.isTakingCold) {
      return;
    }
    this.isTakingCold = true;
    try {
      const zones = this.encodeAll(nowMs);
      for (const { zone, tick, bytes } of zones) {
        await this.cold.save(coldId(zone), { bytes, tick, takenAtMs: nowMs, meta: { ...this.shape } });
        await this.cold.prune(coldId(zone), COLD_HISTORY_KEPT);
      }
      this.counters.add('coldSnapshots', 1);
      this.counters.set('coldTick', zones[0]?.tick ?? 0);
    } catch (error) {
      this.counters.add('coldFailures', 1);
      this.say(`a cold snapshot was not taken: ${(error as Error).message}`);
    } finally {
      this.isTakingCold = false;
    }
  }

  /** The end: one that is under way may be of an earlier tick, so another follows it. */
  async takeLast(now: () => number): Promise<void> {
    const lastHot = async (): Promise<void> => {
      while (this.isTakingHot) await pause(LAST_LOOK_MS);
      await this.takeHot(now());
    };
    const lastCold = async (): Promise<void> => {
      while (this.isTakingCold) await pause(LAST_LOOK_MS);
      await this.takeCold(now());
    };
    await Promise.all([lastHot(), lastCold()]);
  }

  private encodeAll(nowMs: number): { zone: number; tick: number; bytes: Buffer }[] {
    const start = performance.now();
    const zones = this.worlds.map((world) => ({
      zone: world.zoneId,
      tick: world.committed.scalars[SCALAR_TICK],
      bytes: this.encode(world, nowMs),
    }));
    this.counters.set('snapshotMs', performance.now() - start);
    this.counters.set(
      'snapshotBytes',
      zones.reduce((sum, { bytes }) => sum + bytes.length, 0),
    );
    return zones;
  }

  private encode(world: WorldBuffer, nowMs: number): Buffer {
    for (let attempt = 0; attempt < SNAPSHOT_COPY_ATTEMPTS; attempt++) {
      const bytes = encodeZone(world, this.shape, this.epoch, nowMs);
      if (bytes !== undefined) {
        return bytes;
      }
    }
    throw new Error(`zone ${world.zoneId} commits faster than it can be copied`);
  }
}
