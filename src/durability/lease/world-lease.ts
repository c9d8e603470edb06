// Who writes a store's zone snapshots. Their keys are the same for every world, so of the servers that share a networked
// store one at a time may write them: the one whose lease lies there. It is renewed every few seconds; one that has not
// been for a while is free, however the clocks of machines differ, as whoever waits for it watches it with its own.
//
//  hot   key `lease:zones`, which expires by itself     {folderId, token, worldId, server, beat}, as JSON
//  cold  table `leases`, key `zones`                    the same
//
// An embedded store is locked by its folder already. What a world's own keys tell apart (cells, checkpoints, players)
// needs no lease.

import { pause } from '../../stores/deadline.js';
import type { StoreSettings, Stores } from '../../stores/open-stores.js';
import { LEASE_RENEW_MS, LEASE_SETTLE_MS, LEASE_TTL_MS } from './limits.js';

const HOT_LEASE_KEY = 'lease:zones';
const LEASES_TABLE = 'leases';
const COLD_LEASE_KEY = 'zones';

/** Plain data: main takes a lease, the I/O thread of the same server goes on with it. */
export interface LeaseHolder {
  /** Of the data folder, which one process at a time has: what an earlier one of it held is ours at once. */
  folderId: string;
  /** Of this process. */
  token: string;
  worldId: string;
  /** For people: where to look for it. */
  server: string;
}

interface Lease extends LeaseHolder {
  /** Changes with each renewal. */
  beat: number;
}

/** Where a lease lies. */
export interface LeasePlace {
  setting: 'redis' | 'mongodb';
  /** The setting's value, without what is secret in it. */
  url: string;
  /** What another server may be given instead. */
  example: string;
  read(): Promise<Uint8Array | undefined>;
  write(bytes: Uint8Array): Promise<void>;
  drop(): Promise<void>;
}

export interface LeaseTimes {
  ttlMs: number;
  renewMs: number;
  /** Of two who took a free lease at once, both see by then which of them has it. */
  settleMs: number;
}

const TIMES: LeaseTimes = { ttlMs: LEASE_TTL_MS, renewMs: LEASE_RENEW_MS, settleMs: LEASE_SETTLE_MS };

/** Another server lives in this store. */
export class StoreTaken extends Error {}

type Step = 'held' | 'written' | 'waiting';

export class WorldLease {
  private confirmedMs = Number.NEGATIVE_INFINITY;
  private hadIt = false;
  private beat = 0;
  /** Of somebody else, with when it was first seen as it is, and how often it has changed under our eyes. */
  private other: { lease: Lease; sinceMs: number; changes: number } | undefined;
  private acquiring: Promise<void> | undefined;
  private stepping: Promise<Step> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private renewing: Promise<void> | undefined;
  private isSaid = false;

  constructor(
    private readonly place: LeasePlace,
    private readonly holder: LeaseHolder,
    private readonly say: (line: string) => void,
    private readonly times: LeaseTimes = TIMES,
  ) {}

  /** Until then nobody else takes it. */
  get isHeld(): boolean {
    return performance.now() - this.confirmedMs < this.times.ttlMs;
  }

  /** One change may be the last words of a process that was killed, late on their way. */
  private get isOtherAlive(): boolean {
    return (this.other?.changes ?? 0) > 1;
  }

  /**
   * At a start: resolves when the lease is ours, which after the death of another server takes its time. Rejects with
   * StoreTaken where one lives, and as the store does. May be tried again; once it is ours, it is renewed.
   */
  acquire(): Promise<void> {
    this.acquiring ??= this.take().catch((error: unknown) => {
      this.acquiring = undefined;
      throw error;
    });
    return this.acquiring;
  }

  /** While the server runs: renews the lease, takes it when it can be had, and says when it cannot. */
  keep(): void {
    this.timer ??= setInterval(() => this.beginRenewal(), this.times.renewMs).unref();
    this.beginRenewal();
  }

  /** Throws with the reason when this server may not write there. */
  require(): void {
    if (this.isHeld) return;
    throw new Error(
      this.other === undefined
        ? `${this.place.url} has not said for ${this.times.ttlMs} ms that no other server keeps its world there`
        : `${this.place.url} has the world of another server, ${this.other.lease.server}`,
    );
  }

  /** It stays as it lies, for the I/O thread or until its time is over. Resolves when nothing is under way any more. */
  async pause(): Promise<void> {
    clearInterval(this.timer);
    this.timer = undefined;
    await this.renewing;
  }

  /** Whoever comes next need not wait. */
  async release(): Promise<void> {
    await this.pause();
    if (!this.isHeld) return;
    this.confirmedMs = Number.NEGATIVE_INFINITY;
    if (readLease(await this.place.read())?.token === this.holder.token) await this.place.drop();
  }

  private async take(): Promise<void> {
    const { setting, url, example } = this.place;
    for (;;) {
      const step = await this.step();
      if (step === 'held') break;
      if (this.other !== undefined && this.isOtherAlive) {
        const { server, worldId } = this.other.lease;
        throw new StoreTaken(
          `${setting} is ${url}, but another server keeps its world there: ${server}, world ${worldId || 'not yet known'}; ` +
            `give each server a database of its own, such as ${example}, or stop the other one`,
        );
      }
      if (step === 'waiting' && !this.isSaid) {
        this.isSaid = true;
        this.say(
          `${setting} is ${url}, where another server kept its world: ${this.other?.lease.server}; ` +
            `this one begins when that has been silent for ${this.times.ttlMs / 1000} s`,
        );
      }
      await pause(step === 'written' ? this.times.settleMs : this.times.renewMs / 2);
    }
    this.isSaid = false;
    this.keep();
  }

  /** One that is still under way when the next is due lets it pass. */
  private beginRenewal(): void {
    this.renewing ??= this.renew().finally(() => {
      this.renewing = undefined;
    });
  }

  private async renew(): Promise<void> {
    try {
      if ((await this.step()) === 'written') {
        await pause(this.times.settleMs);
        await this.step();
      }
    } catch {
      return; // A store that is away is told of by those who need it; what is not confirmed ends by itself.
    }
    const { setting, url, example } = this.place;
    const isTaken = this.isOtherAlive;
    if (isTaken && !this.isSaid) {
      this.say(
        `${setting} is ${url}, but another server keeps its world there: ${this.other?.lease.server}; ` +
          `zone snapshots of this one are held back; give each server a database of its own, such as ${example}`,
      );
    }
    if (this.isSaid && this.isHeld) this.say(`${url} is free: zone snapshots go there again`);
    this.isSaid = isTaken || (this.isSaid && !this.isHeld);
  }

  /** One at a time. */
  private step(): Promise<Step> {
    this.stepping ??= this.look().finally(() => {
      this.stepping = undefined;
    });
    return this.stepping;
  }

  private async look(): Promise<Step> {
    const nowMs = performance.now();
    const found = readLease(await this.place.read());
    const isOurs = found?.token === this.holder.token;
    const isPredecessors = !this.hadIt && found?.folderId === this.holder.folderId;
    if (found !== undefined && !isOurs && !isPredecessors) {
      this.confirmedMs = Number.NEGATIVE_INFINITY;
      this.watch(found, nowMs);
      if (this.other === undefined || nowMs - this.other.sinceMs < this.times.ttlMs) return 'waiting';
    }
    await this.write();
    if (isOurs) {
      // Only what was read back counts: of two who found it free, one has been written over.
      this.confirmedMs = nowMs;
      this.hadIt = true;
      this.other = undefined;
    }
    return isOurs ? 'held' : 'written';
  }

  private watch(lease: Lease, nowMs: number): void {
    const before = this.other;
    if (before?.lease.token === lease.token && before.lease.beat === lease.beat) return;
    this.other = { lease, sinceMs: nowMs, changes: before === undefined ? 0 : before.changes + 1 };
  }

  private async write(): Promise<void> {
    const lease: Lease = { ...this.holder, beat: ++this.beat };
    await this.place.write(Buffer.from(JSON.stringify(lease)));
  }
}

/** What cannot be read is nobody's. */
function readLease(bytes: Uint8Array | undefined): Lease | undefined {
  if (bytes === undefined) return undefined;
  try {
    const lease = JSON.parse(Buffer.from(bytes).toString()) as Lease;
    return typeof lease.token === 'string' ? lease : undefined;
  } catch {
    return undefined;
  }
}

export interface StoreLeases {
  hot?: WorldLease;
  cold?: WorldLease;
}

/** One for each store that others can reach. */
export function openLeases(
  { hot, cold }: Pick<Stores, 'hot' | 'cold'>,
  { redis, mongodb }: Pick<StoreSettings, 'redis' | 'mongodb'>,
  holder: LeaseHolder,
  say: (line: string) => void,
): StoreLeases {
  const leases: StoreLeases = {};
  if (redis !== '') {
    const place: LeasePlace = {
      ...{ setting: 'redis', url: withoutSecrets(redis), example: 'redis://host:port/1' },
      read: async () => (await hot.get([HOT_LEASE_KEY]))[0],
      write: (value) => hot.set([{ key: HOT_LEASE_KEY, value, ttlMs: LEASE_TTL_MS }]),
      drop: () => hot.delete([HOT_LEASE_KEY]),
    };
    leases.hot = new WorldLease(place, holder, say);
  }
  if (mongodb !== '') {
    const place: LeasePlace = {
      ...{ setting: 'mongodb', url: withoutSecrets(mongodb), example: 'mongodb://host:port/another' },
      read: async () => (await cold.getRows(LEASES_TABLE, [COLD_LEASE_KEY]))[0],
      write: (value) => cold.putRows(LEASES_TABLE, [{ key: COLD_LEASE_KEY, value }]),
      drop: () => cold.deleteRows(LEASES_TABLE, [COLD_LEASE_KEY]),
    };
    leases.cold = new WorldLease(place, holder, say);
  }
  return leases;
}

export function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//').replace(/\?.*$/, '');
}
