// The hot store in the embedded database. A value's time is kept in rows of its own, so that a snapshot of many megabytes
// is written as it is; a second set of rows, ordered by time, is what the sweep walks.

import { wallMs } from '../../base/clock.js';
import { withDeadline } from '../deadline.js';
import { HealthRecord } from '../health-record.js';
import { CLOSE_GRACE_MS, STORE_KEY_BYTES_MAX, SWEEP_EVERY_MS, SWEEP_ROWS_MAX } from '../limits.js';
import {
  type BackendHealth,
  type Fence,
  type HeldLease,
  type HotEntry,
  type HotStore,
  type LeaseClaim,
  type NoticeListener,
  PersistError,
} from '../store-ports.js';
import { EmbeddedLeases } from './embedded-lease.js';
import { EmbeddedStore, type Table } from './embedded-store.js';

export interface EmbeddedHotStoreOptions {
  folder: string;
  onNotice?: NoticeListener;
  sweepEveryMs?: number;
}

export function openEmbeddedHotStore(options: EmbeddedHotStoreOptions): HotStore {
  return new EmbeddedHotStore(options);
}

class EmbeddedHotStore implements HotStore {
  readonly #store: EmbeddedStore;
  readonly #values: Table;
  /** key -> | expires at, ms, u64 | */
  readonly #expiries: Table;
  /** | expires at, ms, u64 | key | -> nothing */
  readonly #queue: Table;
  readonly #leases: EmbeddedLeases;
  readonly #health: HealthRecord;
  readonly #timer: NodeJS.Timeout;
  #sweeping: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: EmbeddedHotStoreOptions) {
    this.#store = new EmbeddedStore(options.folder);
    this.#values = this.#store.table('values');
    this.#expiries = this.#store.table('expiries');
    this.#queue = this.#store.table('queue');
    this.#leases = new EmbeddedLeases(this.#store);
    this.#health = new HealthRecord('embedded hot store', options.onNotice);
    this.#timer = setInterval(() => {
      this.#sweeping = this.#sweep();
    }, options.sweepEveryMs ?? SWEEP_EVERY_MS);
    this.#timer.unref();
  }

  async set(entries: readonly HotEntry[], fence?: Fence): Promise<void> {
    for (const { key, ttlMs } of entries) checkEntry(key, ttlMs);
    const nowMs = wallMs();
    await this.#write(() => {
      this.#leases.require(fence);
      for (const { key, value, ttlMs } of entries) {
        const keyBytes = Buffer.from(key);
        const expiry = encodeTime(nowMs + ttlMs);
        const oldExpiry = this.#expiries.get(keyBytes);
        this.#queue.put(Buffer.concat([expiry, keyBytes]), EMPTY);
        this.#values.put(keyBytes, value);
        this.#expiries.put(keyBytes, expiry);
        if (oldExpiry && !expiry.equals(oldExpiry)) this.#queue.remove(Buffer.concat([oldExpiry, keyBytes]));
      }
    });
  }

  async get(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    this.#requireOpen();
    const nowMs = wallMs();
    return keys.map((key) => {
      const keyBytes = Buffer.from(key);
      return this.#isLive(keyBytes, nowMs) ? this.#values.get(keyBytes) : undefined;
    });
  }

  async delete(keys: readonly string[]): Promise<void> {
    await this.#write(() => {
      for (const key of keys) this.#remove(Buffer.from(key));
    });
  }

  claimLease(name: string, claim: LeaseClaim): Promise<HeldLease> {
    return this.#write(() => this.#leases.claim(name, claim));
  }

  releaseLease(name: string, holder: string): Promise<void> {
    return this.#write(() => this.#leases.release(name, holder));
  }

  health(): BackendHealth {
    return this.#health.read();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    await withDeadline(this.#sweeping, CLOSE_GRACE_MS, 'the sweep').catch(() => {});
    await this.#store.close();
  }

  #isLive(key: Uint8Array, nowMs: number): boolean {
    const expiry = this.#expiries.get(key);
    return expiry !== undefined && decodeTime(expiry) > nowMs;
  }

  /** Inside of a write. Last goes what a sweep would find the rest by. */
  #remove(key: Buffer): void {
    const expiry = this.#expiries.get(key);
    this.#values.remove(key);
    this.#expiries.remove(key);
    if (expiry) this.#queue.remove(Buffer.concat([expiry, key]));
  }

  async #sweep(): Promise<void> {
    try {
      const limit = encodeTime(wallMs());
      let removed = SWEEP_ROWS_MAX;
      while (removed === SWEEP_ROWS_MAX && !this.#closed) {
        const expired = [...this.#queue.keys({ limit, rowsMax: SWEEP_ROWS_MAX })].map((key) => Buffer.from(key));
        removed = expired.length;
        if (removed > 0) {
          await this.#store.write(() => {
            for (const place of expired) {
              const key = place.subarray(8);
              // Looked at inside of the write: a value that was set meanwhile lives by another time.
              if (place.subarray(0, 8).equals(this.#expiries.get(key) ?? EMPTY)) this.#remove(key);
              this.#queue.remove(place);
            }
          });
        }
      }
    } catch (error) {
      if (!this.#closed) this.#health.notice(`sweep: ${(error as Error).message}`);
    }
  }

  #requireOpen(): void {
    if (this.#closed) throw new PersistError('closed', 'the hot store is closed');
  }

  async #write<T>(action: () => T): Promise<T> {
    this.#requireOpen();
    return this.#health.track(() => this.#store.write(action));
  }
}

/** LMDB tells an empty value from none, its binding does not in every call. */
const EMPTY = Buffer.from([0]);

function encodeTime(ms: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64BE(BigInt(Math.ceil(ms)));
  return bytes;
}

function decodeTime(bytes: Uint8Array): number {
  return Number(Buffer.from(bytes.buffer, bytes.byteOffset, 8).readBigUInt64BE());
}

/** The same rule for every hot store. */
export function checkEntry(key: string, ttlMs: number): void {
  if (key === '' || Buffer.byteLength(key) > STORE_KEY_BYTES_MAX) {
    throw new PersistError('rejected', `a key has 1 to ${STORE_KEY_BYTES_MAX} bytes, '${key.slice(0, 64)}' does not`);
  }
  if (!(ttlMs >= 1)) throw new PersistError('rejected', `${key}: a time to live of ${ttlMs} ms is none`);
}
