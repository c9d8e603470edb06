// Who writes the zone snapshots of a store that several servers can reach. Their keys are the same for every world, so
// one server at a time may write them: the one that holds the lease `zones` in that store.
//
// - The store compares and sets (LeasePort): of two that take a lease at once, one gets it.
// - The holder renews it every LEASE_RENEW_MS. A server that finds another's lease watches it with its own clock, so clocks
//   of machines need not agree, and takes it over when it has not changed for LEASE_TTL_MS.
// - Every holder has a higher fencing token. Zone snapshots carry it, and the store refuses those of an earlier holder,
//   however late they arrive.
// - The next process on the same data folder need not wait: `folder` is known as its own. A copy of the folder has another.
//
// An embedded store is guarded by the lock of its folder and needs no lease.

import { nowMs } from '../../base/clock.js';
import { pause } from '../../stores/deadline.js';
import type { StoreSettings, Stores } from '../../stores/open-stores.js';
import { type Fence, type HeldLease, type LeasePort, PersistError } from '../../stores/store-ports.js';
import { LEASE_RENEW_MS, LEASE_TTL_MS } from './limits.js';

const ZONES_LEASE = 'zones';

/** Plain data: main takes a lease, the I/O thread of the same server goes on with it. */
export interface LeaseHolder {
  /** The data folder on this machine (folder-identity.ts): no copy of it has the same. */
  folder: string;
  /** Random, of this process. */
  token: string;
  worldId: string;
  /** For people: where to look for it. */
  server: string;
}

/** What a lease says of its holder, as JSON. */
type About = Omit<LeaseHolder, 'token'>;

/** Where a lease lies. */
export interface LeasePlace {
  setting: 'redis' | 'mongodb';
  /** The setting's value, without what is secret in it. */
  url: string;
  /** What another server may be given instead. */
  example: string;
  store: LeasePort;
}

export interface LeaseTimes {
  ttlMs: number;
  renewMs: number;
}

const TIMES: LeaseTimes = { ttlMs: LEASE_TTL_MS, renewMs: LEASE_RENEW_MS };

/** Another server lives in this store. */
export class StoreTaken extends Error {}

export class WorldLease {
  private confirmedMs = Number.NEGATIVE_INFINITY;
  private hadIt = false;
  private fence = 0;
  /** The lease of somebody else, when it was first seen as it is, and how often it has changed since it was first seen. */
  private other: { lease: HeldLease; about: About; sinceMs: number; changes: number } | undefined;
  private acquiring: Promise<void> | undefined;
  private claiming: Promise<void> | undefined;
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
    return nowMs() - this.confirmedMs < this.times.ttlMs;
  }

  /** One change may be the last renewal of a process that was killed, late on its way. */
  private get isOtherAlive(): boolean {
    return (this.other?.changes ?? 0) > 1;
  }

  /**
   * At a start: resolves when the lease is ours, which after the death of another server takes LEASE_TTL_MS. Rejects with
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

  /** What a write has to carry. Throws with the reason when this server may not write there. */
  require(): Fence {
    if (this.isHeld) return { lease: ZONES_LEASE, holder: this.holder.token, number: this.fence };
    throw new Error(
      this.other === undefined
        ? `${this.place.url} has not confirmed for ${this.times.ttlMs} ms that this server holds its lease`
        : `${this.place.url} has the world of another server, ${this.other.about.server}`,
    );
  }

  /** Stops renewing; the lease stays for the I/O thread, or until it expires. Resolves when no call is under way. */
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
    await this.place.store.releaseLease(ZONES_LEASE, this.holder.token);
  }

  private async take(): Promise<void> {
    const { setting, url, example } = this.place;
    for (;;) {
      await this.claim();
      if (this.other === undefined) break;
      const { server, worldId } = this.other.about;
      if (this.isOtherAlive) {
        throw new StoreTaken(
          `${setting} is ${url}, but another server keeps its world there: ${server}, world ${worldId || 'not yet known'}; ` +
            `give each server a database of its own, such as ${example}, or stop the other one`,
        );
      }
      if (!this.isSaid) {
        this.isSaid = true;
        this.say(
          `${setting} is ${url}, where another server kept its world: ${server}; ` +
            `this one begins when that has been silent for ${this.times.ttlMs / 1000} s`,
        );
      }
      await pause(this.times.renewMs / 2);
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
      await this.claim();
    } catch {
      return; // The store's health tells of a store that is away; a lease that is not confirmed ends by itself.
    }
    const { setting, url, example } = this.place;
    const isTaken = this.isOtherAlive;
    if (isTaken && !this.isSaid) {
      this.say(
        `${setting} is ${url}, but another server keeps its world there: ${this.other?.about.server}; ` +
          `zone snapshots of this one are held back; give each server a database of its own, such as ${example}`,
      );
    }
    if (this.isSaid && this.isHeld) this.say(`${url} is free: zone snapshots go there again`);
    this.isSaid = isTaken || (this.isSaid && !this.isHeld);
  }

  /** One at a time. Afterwards `other` is undefined where the lease is ours. */
  private claim(): Promise<void> {
    this.claiming ??= this.claimOnce().finally(() => {
      this.claiming = undefined;
    });
    return this.claiming;
  }

  private async claimOnce(): Promise<void> {
    // A lease counts from before it was asked for: the store may have renewed it at once and answered late.
    let askedMs = nowMs();
    let lease = await this.ask();
    const isPredecessors = !this.hadIt && readAbout(lease).folder === this.holder.folder;
    if (lease.holder !== this.holder.token && (isPredecessors || this.isSilent(lease, askedMs))) {
      askedMs = nowMs();
      lease = await this.ask(lease);
    }
    if (lease.holder !== this.holder.token) {
      this.confirmedMs = Number.NEGATIVE_INFINITY;
      this.watch(lease, askedMs);
      return;
    }
    this.confirmedMs = askedMs;
    this.fence = lease.fence;
    this.hadIt = true;
    this.other = undefined;
  }

  private ask(over?: HeldLease): Promise<HeldLease> {
    const { token, ...about } = this.holder;
    const claim = { holder: token, about: JSON.stringify(about), ttlMs: this.times.ttlMs };
    return this.place.store.claimLease(ZONES_LEASE, over === undefined ? claim : { ...claim, over });
  }

  private isSilent(lease: HeldLease, askedMs: number): boolean {
    const { other } = this;
    return other !== undefined && isSame(other.lease, lease) && askedMs - other.sinceMs >= this.times.ttlMs;
  }

  private watch(lease: HeldLease, askedMs: number): void {
    if (this.other !== undefined && isSame(this.other.lease, lease)) return;
    const changes = this.other === undefined ? 0 : this.other.changes + 1;
    this.other = { lease, about: readAbout(lease), sinceMs: askedMs, changes };
  }
}

function isSame(a: HeldLease, b: HeldLease): boolean {
  return a.holder === b.holder && a.beat === b.beat;
}

/** A holder of which nothing can be read is a stranger. */
function readAbout({ holder, about }: HeldLease): About {
  const unknown = { folder: '', worldId: '', server: `one that says nothing of itself (${holder})` };
  try {
    return { ...unknown, ...(JSON.parse(about) as Partial<About>) };
  } catch {
    return unknown;
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
    const place = { url: withoutSecrets(redis), example: 'redis://host:port/1', store: hot };
    leases.hot = new WorldLease({ setting: 'redis', ...place }, holder, say);
  }
  if (mongodb !== '') {
    const place = { url: withoutSecrets(mongodb), example: 'mongodb://host:port/another', store: cold };
    leases.cold = new WorldLease({ setting: 'mongodb', ...place }, holder, say);
  }
  return leases;
}

/** A new world is written over whatever is stored, but not over one that lives. */
export async function acquireLeases({ hot, cold }: StoreLeases, skip: (reason: string) => void): Promise<void> {
  for (const outcome of await Promise.allSettled([hot?.acquire(), cold?.acquire()])) {
    if (outcome.status === 'fulfilled') continue;
    const { reason } = outcome as { reason: Error };
    if (!(reason instanceof PersistError)) throw reason;
    skip(`whether another server keeps its world in the same store is not known yet: ${reason.message}`);
  }
}

export function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//').replace(/\?.*$/, '');
}
