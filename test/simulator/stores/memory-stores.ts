// The hot and the cold store in memory. What they keep is apart from who reads and writes it, so that it outlives the
// simulated process; everything on the way there goes through a line (weather.ts).

import { sha256 } from '../../../src/base/checksum.js';
import { checkKey, checkSnapshot, findNewest, verifySnapshot } from '../../../src/stores/cold-snapshot.js';
import { checkEntry } from '../../../src/stores/embedded/embedded-hot-store.js';
import { requireFence, settleClaim } from '../../../src/stores/lease-rules.js';
import {
  type ColdHeader,
  type ColdRow,
  type ColdSearch,
  type ColdSnapshot,
  type ColdSnapshotInput,
  type ColdStore,
  type Fence,
  type HeldLease,
  type HotEntry,
  type HotStore,
  type LeaseClaim,
  PersistError,
} from '../../../src/stores/store-ports.js';
import type { Chance } from '../chance.js';
import { damage, type Line } from '../weather.js';

/** The leases of one store. */
class LeaseDisk {
  private readonly leases = new Map<string, HeldLease>();

  claim(name: string, claim: LeaseClaim): HeldLease {
    const found = this.leases.get(name);
    const now = settleClaim(found, claim) ?? (found as HeldLease);
    this.leases.set(name, now);
    return now;
  }

  release(name: string, holder: string): void {
    const found = this.leases.get(name);
    if (found?.holder === holder) this.leases.set(name, { ...found, holder: '' });
  }

  require(fence: Fence | undefined): void {
    if (fence !== undefined) requireFence(this.leases.get(fence.lease), fence);
  }
}

export class HotDisk {
  readonly leases = new LeaseDisk();
  readonly values = new Map<string, { value: Uint8Array; untilMs: number }>();

  constructor(readonly chance?: Chance) {}

  put({ key, value, ttlMs }: HotEntry, nowMs: number): void {
    this.values.set(key, { value: Uint8Array.from(value), untilMs: nowMs + ttlMs });
  }
}

export class MemoryHotStore implements HotStore {
  private isClosed = false;

  constructor(
    private readonly disk: HotDisk,
    private readonly line: Line,
  ) {}

  async set(entries: readonly HotEntry[], fence?: Fence): Promise<void> {
    this.requireOpen();
    for (const { key, ttlMs } of entries) checkEntry(key, ttlMs);
    const copies = entries.map((entry) => ({ ...entry, value: Uint8Array.from(entry.value) }));
    await this.line.call({
      name: 'set',
      apply: () => {
        this.disk.leases.require(fence);
        for (const entry of copies) this.disk.put(entry, this.line.nowMs());
      },
      applyPartly: () => {
        for (const entry of copies.slice(0, copies.length >> 1)) this.disk.put(entry, this.line.nowMs());
      },
    });
  }

  async get(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    this.requireOpen();
    return this.line.call({ name: 'get', apply: () => keys.map((key) => this.read(key)) });
  }

  async delete(keys: readonly string[]): Promise<void> {
    this.requireOpen();
    await this.line.call({
      name: 'delete',
      apply: () => {
        for (const key of keys) this.disk.values.delete(key);
      },
    });
  }

  async claimLease(name: string, claim: LeaseClaim): Promise<HeldLease> {
    this.requireOpen();
    return this.line.call({ name: 'claimLease', apply: () => this.disk.leases.claim(name, claim) });
  }

  async releaseLease(name: string, holder: string): Promise<void> {
    this.requireOpen();
    await this.line.call({ name: 'releaseLease', apply: () => this.disk.leases.release(name, holder) });
  }

  health() {
    return this.line.health();
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  private isLive(key: string): boolean {
    return (this.disk.values.get(key)?.untilMs ?? 0) > this.line.nowMs();
  }

  private read(key: string): Uint8Array | undefined {
    const kept = this.disk.values.get(key);
    if (kept === undefined || !this.isLive(key)) return undefined;
    if (this.line.isDamaging()) kept.value = damage(kept.value, this.disk.chance);
    return Uint8Array.from(kept.value);
  }

  private requireOpen(): void {
    if (this.isClosed) throw new PersistError('closed', 'the hot store is closed');
  }
}

export class ColdDisk {
  readonly leases = new LeaseDisk();
  /** By id, oldest first. */
  readonly snapshots = new Map<string, ColdSnapshot[]>();
  readonly tables = new Map<string, Map<string, Uint8Array>>();

  constructor(readonly chance?: Chance) {}

  damage(id: string, sequence: number): void {
    const found = this.snapshots.get(id)?.find((snapshot) => snapshot.sequence === sequence);
    if (found) found.bytes = damage(found.bytes, this.chance);
  }
}

export class MemoryColdStore implements ColdStore {
  private isClosed = false;

  constructor(
    private readonly disk: ColdDisk,
    private readonly line: Line,
  ) {}

  async save(id: string, snapshot: ColdSnapshotInput, fence?: Fence): Promise<ColdHeader> {
    checkSnapshot(id, snapshot);
    const { tick, takenAtMs, meta } = snapshot;
    const bytes = Uint8Array.from(snapshot.bytes);
    const checksum = snapshot.checksum ?? sha256(bytes);
    return this.call('save', () => {
      this.disk.leases.require(fence);
      const history = this.disk.snapshots.get(id) ?? [];
      const sequence = (history.at(-1)?.sequence ?? 0) + 1;
      const header = { id, sequence, tick, takenAtMs, byteCount: bytes.length, checksum, meta };
      this.disk.snapshots.set(id, [...history, { ...header, bytes }]);
      return header;
    });
  }

  async latest(id: string, isWanted: (header: ColdHeader) => boolean = () => true): Promise<ColdSearch> {
    const headers = await this.call('latest', () =>
      [...(this.disk.snapshots.get(id) ?? [])].reverse().map(({ bytes: _, ...header }) => header),
    );
    return findNewest(headers.filter(isWanted), async (header) => this.read(id, header.sequence) as ColdSnapshot);
  }

  async prune(id: string, keep: number, fence?: Fence): Promise<number> {
    return this.call('prune', () => {
      this.disk.leases.require(fence);
      const history = this.disk.snapshots.get(id) ?? [];
      const gone = Math.max(0, history.length - keep);
      this.disk.snapshots.set(id, history.slice(gone));
      return gone;
    });
  }

  async putRows(table: string, rows: readonly ColdRow[]): Promise<void> {
    for (const { key } of rows) checkKey(key);
    const copies = rows.map(({ key, value }) => ({ key, value: Uint8Array.from(value) }));
    await this.call('putRows', () => {
      for (const { key, value } of copies) this.table(table).set(key, value);
    });
  }

  async getRows(table: string, keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return this.call('getRows', () => keys.map((key) => this.table(table).get(key)));
  }

  async deleteRows(table: string, keys: readonly string[]): Promise<void> {
    await this.call('deleteRows', () => {
      for (const key of keys) this.table(table).delete(key);
    });
  }

  async scanRows(table: string, prefix: string, afterKey: string, limit: number): Promise<ColdRow[]> {
    return this.call('scanRows', () =>
      this.page(table, prefix, afterKey, limit).map((key) => ({
        key,
        value: this.table(table).get(key) as Uint8Array,
      })),
    );
  }

  async scanKeys(table: string, prefix: string, afterKey: string, limit: number): Promise<string[]> {
    return this.call('scanKeys', () => this.page(table, prefix, afterKey, limit));
  }

  private page(table: string, prefix: string, afterKey: string, limit: number): string[] {
    const keys = [...this.table(table).keys()].filter((key) => key.startsWith(prefix) && isAfter(key, afterKey));
    return keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).slice(0, limit);
  }

  claimLease(name: string, claim: LeaseClaim): Promise<HeldLease> {
    return this.call('claimLease', () => this.disk.leases.claim(name, claim));
  }

  async releaseLease(name: string, holder: string): Promise<void> {
    await this.call('releaseLease', () => this.disk.leases.release(name, holder));
  }

  health() {
    return this.line.health();
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  private table(name: string): Map<string, Uint8Array> {
    const table = this.disk.tables.get(name) ?? new Map<string, Uint8Array>();
    this.disk.tables.set(name, table);
    return table;
  }

  private read(id: string, sequence: number): ColdSnapshot | undefined {
    if (this.line.isDamaging()) this.disk.damage(id, sequence);
    const found = this.disk.snapshots.get(id)?.find((snapshot) => snapshot.sequence === sequence);
    if (found === undefined) return undefined;
    const { bytes, ...header } = found;
    return verifySnapshot(header, Uint8Array.from(bytes));
  }

  private async call<T>(name: string, apply: () => T): Promise<T> {
    if (this.isClosed) throw new PersistError('closed', 'the cold store is closed');
    return this.line.call({ name, apply });
  }
}

function isAfter(key: string, other: string): boolean {
  return Buffer.compare(Buffer.from(key), Buffer.from(other)) > 0;
}
