// Takes the world to the hot and the cold store, from committed blocks only: no tick knows of it. This thread copies; the
// job pool compresses and sums; this thread hands what came back to the store.

import { setTimeout as sleep, setImmediate as yieldToOthers } from 'node:timers/promises';
import { nowMs, processMs } from '../../base/clock.js';
import type { IoCounters } from '../../memory/tables/io-counters.js';
import type { WorldBuffer } from '../../memory/world/world-buffer.js';
import type { ColdStore, Fence, HotStore } from '../../stores/store-ports.js';
import type { StoredZones } from '../recovery/last-stored.js';
import type { JobPool } from './job-pool.js';
import {
  COLD_HISTORY_KEPT,
  HOT_SNAPSHOT_TTL_MS,
  SNAPSHOT_COPIES_BYTES_MAX,
  SNAPSHOT_COPY_ATTEMPTS,
  SNAPSHOT_LAST_WAIT_MS,
} from './limits.js';
import type { PackedByJob } from './snapshot-jobs.js';
import { copyZone, SNAPSHOT_COMPRESSION, SNAPSHOT_FORMAT, type WorldIdentity, type ZoneCopy } from './zone-snapshot.js';

export function hotKey(zone: number): string {
  return `snapshot:zone:${zone}`;
}

export function coldId(zone: number): string {
  return `zone:${zone}`;
}

interface PackedWorldZone extends PackedByJob {
  zone: number;
  tick: number;
  /** Of processMs(). */
  copiedMs: number;
}

export class Snapshotter {
  private hotUnderWay: Promise<void> | undefined;
  private coldUnderWay: Promise<void> | undefined;
  private readonly failing = new Set<'hot' | 'cold'>();
  private isPruneFailing = false;

  constructor(
    private readonly worlds: readonly WorldBuffer[],
    private readonly shape: WorldIdentity,
    private readonly epoch: number,
    private readonly hot: HotStore,
    private readonly cold: ColdStore,
    private readonly jobs: Pick<JobPool, 'run'>,
    private readonly counters: IoCounters,
    private readonly say: (line: string) => void,
    /** What a write carries where several servers reach the store. Throws with the reason when this one may not write there. */
    private readonly requireFence: (store: 'hot' | 'cold') => Fence | undefined = () => undefined,
    /** Resolves when no event of a tick that is committed by now is in memory alone; see kept-events.ts. */
    private readonly whenKept: () => Promise<void> = async () => {},
    /** Told what is stored by now, for the next start to miss it if it is gone. */
    private readonly onStored: (store: 'hot' | 'cold', zones: StoredZones) => void = () => {},
  ) {}

  /** One that is still under way when the next is due lets it pass: a slow store gets fewer, not more at once. */
  async takeHot(nowMs: number): Promise<void> {
    this.hotUnderWay ??= this.attempt('hot', async () => this.storeHot(await this.packAll(nowMs), nowMs)).finally(
      () => {
        this.hotUnderWay = undefined;
      },
    );
    await this.hotUnderWay;
  }

  async takeCold(nowMs: number): Promise<void> {
    this.coldUnderWay ??= this.attempt('cold', async () => this.storeCold(await this.packAll(nowMs), nowMs)).finally(
      () => {
        this.coldUnderWay = undefined;
      },
    );
    await this.coldUnderWay;
  }

  /** The last of both, from one copy: what is under way is older than the end of the world. */
  async takeLast(nowMs: number, wait = waitUnheld): Promise<void> {
    this.failing.clear(); // whatever was said before: the end is said by itself
    // A second try, as there is no next snapshot that would make up for this one.
    const packed = this.packAll(nowMs).catch(() => this.packAll(nowMs));
    const waitFor = (former: Promise<void> | undefined): Promise<void> =>
      Promise.race([former, wait(SNAPSHOT_LAST_WAIT_MS)]);
    const [hotWaited, coldWaited] = [waitFor(this.hotUnderWay), waitFor(this.coldUnderWay)];
    await Promise.all([
      this.attempt('hot', async () => {
        await hotWaited;
        await this.storeHot(await packed, nowMs);
      }),
      this.attempt('cold', async () => {
        await coldWaited;
        await this.storeCold(await packed, nowMs);
      }),
    ]);
  }

  private async attempt(store: 'hot' | 'cold', take: () => Promise<void>): Promise<void> {
    try {
      await take();
      if (this.failing.delete(store)) this.say(`${store} snapshots are taken again`);
    } catch (error) {
      this.counters.add(store === 'hot' ? 'hotFailures' : 'coldFailures', 1);
      // Once for all that follow: a store that is away for an hour would fill the log.
      if (!this.failing.has(store)) this.say(`a ${store} snapshot was not taken: ${(error as Error).message}`);
      this.failing.add(store);
    }
  }

  private async storeHot(zones: readonly PackedWorldZone[], nowMs: number): Promise<void> {
    const fence = this.requireFence('hot');
    await this.hot.set(
      zones.map(({ zone, bytes }) => ({ key: hotKey(zone), value: bytes, ttlMs: HOT_SNAPSHOT_TTL_MS })),
      fence,
    );
    this.counters.add('hotSnapshots', 1);
    for (const { zone, copiedMs } of zones) this.counters.hotTakenMs[zone] = copiedMs;
    this.counters.set('hotTick', zones[0]?.tick ?? 0);
    this.noteStored('hot', zones, nowMs);
  }

  private async storeCold(zones: readonly PackedWorldZone[], nowMs: number): Promise<void> {
    const meta = { ...this.shape, epoch: this.epoch, format: SNAPSHOT_FORMAT, compression: SNAPSHOT_COMPRESSION };
    for (const { zone, tick, bytes, checksum, copiedMs } of zones) {
      const fence = this.requireFence('cold');
      await this.cold.save(coldId(zone), { bytes, tick, takenAtMs: nowMs, checksum, meta }, fence);
      this.counters.coldTakenMs[zone] = copiedMs;
    }
    this.counters.add('coldSnapshots', 1);
    this.counters.set('coldTick', zones[0]?.tick ?? 0);
    this.noteStored('cold', zones, nowMs);
    await this.pruneCold(zones);
  }

  private noteStored(store: 'hot' | 'cold', zones: readonly PackedWorldZone[], takenAtMs: number): void {
    const ticks: number[] = [];
    for (const { zone, tick } of zones) ticks[zone] = tick;
    this.onStored(store, { epoch: this.epoch, takenAtMs, ticks });
  }

  /** When all zones are saved. A history that is longer than it need be is no failure of the snapshot. */
  private async pruneCold(zones: readonly PackedWorldZone[]): Promise<void> {
    try {
      for (const { zone } of zones) await this.cold.prune(coldId(zone), COLD_HISTORY_KEPT, this.requireFence('cold'));
      this.isPruneFailing = false;
    } catch (error) {
      if (!this.isPruneFailing) this.say(`old cold snapshots are not removed: ${(error as Error).message}`);
      this.isPruneFailing = true;
    }
  }

  /**
   * Zones are copied one right after the other, so that hardly anything walks from one into another meanwhile; between
   * two of them this thread does its other work. Only where the copies would take too much memory, one waits for jobs.
   */
  private async packAll(takenAtMs: number): Promise<PackedWorldZone[]> {
    const jobs: Promise<PackedWorldZone>[] = [];
    let copyMs = 0;
    let rawBytes = 0;
    let waitingBytes = 0;
    for (const world of this.worlds) {
      if (jobs.length > 0) await yieldToOthers();
      if (waitingBytes > SNAPSHOT_COPIES_BYTES_MAX) {
        await Promise.all(jobs);
        waitingBytes = 0;
      }
      const start = nowMs();
      const copy = this.copy(world, takenAtMs);
      rawBytes += copy.body.length;
      waitingBytes += copy.body.length;
      const job = this.pack(copy);
      job.catch(() => {}); // told below, with the first of them
      jobs.push(job);
      copyMs += nowMs() - start;
    }
    const [zones] = await Promise.all([Promise.all(jobs), this.whenKept()]);
    this.counters.set('snapshotMs', copyMs);
    this.counters.set('snapshotRawBytes', rawBytes);
    this.counters.set('snapshotBytes', sum(zones.map(({ bytes }) => bytes.length)));
    this.counters.set('snapshotJobMs', sum(zones.map(({ ms }) => ms)));
    return zones;
  }

  private copy(world: WorldBuffer, takenAtMs: number): ZoneCopy {
    for (let attempt = 0; attempt < SNAPSHOT_COPY_ATTEMPTS; attempt++) {
      const copy = copyZone(world, this.shape, this.epoch, takenAtMs);
      if (copy !== undefined) {
        return copy;
      }
    }
    throw new Error(`zone ${world.zoneId} commits faster than it can be copied`);
  }

  private async pack(copy: ZoneCopy): Promise<PackedWorldZone> {
    const { zone, tick } = copy.head;
    const copiedMs = processMs();
    const packed = await this.jobs.run<PackedByJob>('packZoneJob', copy, [copy.body.buffer]);
    return { ...packed, zone, tick, copiedMs };
  }
}

/** A pause that keeps no process alive. */
function waitUnheld(ms: number): Promise<void> {
  return sleep(ms, undefined, { ref: false });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
