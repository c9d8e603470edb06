// The cold store in the embedded database. A snapshot is two rows of one transaction, header and bytes, under a key that
// sorts the history; plain rows of all tables share one database, each key led by its table's name.

import { sha256 } from '../../base/checksum.js';
import { checkKey, checkSnapshot, decodeHeader, encodeHeader, findNewest, verifySnapshot } from '../cold-snapshot.js';
import { HealthRecord } from '../health-record.js';
import {
  type BackendHealth,
  type ColdHeader,
  type ColdRow,
  type ColdSearch,
  type ColdSnapshot,
  type ColdSnapshotInput,
  type ColdStore,
  type Fence,
  type HeldLease,
  type LeaseClaim,
  type NoticeListener,
  PersistError,
} from '../store-ports.js';
import { EmbeddedLeases } from './embedded-lease.js';
import { EmbeddedStore, type Table } from './embedded-store.js';

const SEQUENCE_MAX = 0xffffffff;

export interface EmbeddedColdStoreOptions {
  folder: string;
  onNotice?: NoticeListener;
}

export function openEmbeddedColdStore(options: EmbeddedColdStoreOptions): ColdStore {
  return new EmbeddedColdStore(options);
}

/** | id (UTF-8) | 0 | sequence u32, big endian | */
function snapshotKey(id: string, sequence: number): Buffer {
  const key = Buffer.alloc(Buffer.byteLength(id) + 5);
  key.write(id);
  key.writeUInt32BE(sequence, key.length - 4);
  return key;
}

/** | table | 0 | key | */
function rowKey(table: string, key: string): Buffer {
  return Buffer.from(`${table}\0${key}`);
}

/** Of a row's key, as its table knows it. */
function keyOf(table: string, key: Uint8Array): string {
  return Buffer.from(key).toString('utf8', Buffer.byteLength(table) + 1);
}

function scanStart(table: string, prefix: string, afterKey: string): Buffer {
  const leading = rowKey(table, prefix);
  const behind = Buffer.concat([rowKey(table, afterKey), LOWEST]);
  return afterKey === '' || behind.compare(leading) < 0 ? leading : behind;
}

class EmbeddedColdStore implements ColdStore {
  readonly #store: EmbeddedStore;
  readonly #headers: Table;
  readonly #bytes: Table;
  readonly #rows: Table;
  readonly #leases: EmbeddedLeases;
  readonly #health: HealthRecord;
  #closed = false;

  constructor(options: EmbeddedColdStoreOptions) {
    this.#store = new EmbeddedStore(options.folder);
    this.#headers = this.#store.table('snapshots');
    this.#bytes = this.#store.table('snapshot-bytes');
    this.#rows = this.#store.table('rows');
    this.#leases = new EmbeddedLeases(this.#store);
    this.#health = new HealthRecord('embedded cold store', options.onNotice);
  }

  async save(id: string, snapshot: ColdSnapshotInput, fence?: Fence): Promise<ColdHeader> {
    checkSnapshot(id, snapshot);
    const { bytes, tick, takenAtMs, meta } = snapshot;
    const checksum = snapshot.checksum ?? sha256(bytes);
    return this.#write(() => {
      this.#leases.require(fence);
      const newest = this.#readHistory(id, 1)[0];
      const sequence = (newest?.sequence ?? 0) + 1;
      const header = { id, sequence, tick, takenAtMs, byteCount: bytes.length, checksum, meta };
      this.#bytes.put(snapshotKey(id, sequence), bytes);
      this.#headers.put(snapshotKey(id, sequence), encodeHeader(header));
      return header;
    });
  }

  async latest(id: string, isWanted: (header: ColdHeader) => boolean = () => true): Promise<ColdSearch> {
    this.#requireOpen();
    return findNewest(this.#readHistory(id, SEQUENCE_MAX).filter(isWanted), async (header) =>
      this.#readSnapshot(header),
    );
  }

  async prune(id: string, keep: number, fence?: Fence): Promise<number> {
    return this.#write(() => {
      this.#leases.require(fence);
      const old = this.#readHistory(id, SEQUENCE_MAX).slice(keep);
      for (const { sequence } of old) {
        this.#bytes.remove(snapshotKey(id, sequence));
        this.#headers.remove(snapshotKey(id, sequence)); // by which the next prune would find the bytes
      }
      return old.length;
    });
  }

  async putRows(table: string, rows: readonly ColdRow[]): Promise<void> {
    for (const { key } of rows) checkKey(key);
    await this.#write(() => {
      for (const { key, value } of rows) this.#rows.put(rowKey(table, key), value);
    });
  }

  async getRows(table: string, keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    this.#requireOpen();
    return keys.map((key) => this.#rows.get(rowKey(table, key)));
  }

  async deleteRows(table: string, keys: readonly string[]): Promise<void> {
    await this.#write(() => {
      for (const key of keys) this.#rows.remove(rowKey(table, key));
    });
  }

  async scanRows(table: string, prefix: string, afterKey: string, limit: number): Promise<ColdRow[]> {
    this.#requireOpen();
    const leading = rowKey(table, prefix);
    const found: ColdRow[] = [];
    for (const { key, value } of this.#rows.rows({ start: scanStart(table, prefix, afterKey), rowsMax: limit })) {
      if (!leading.equals(key.subarray(0, leading.length))) break;
      found.push({ key: keyOf(table, key), value });
    }
    return found;
  }

  async scanKeys(table: string, prefix: string, afterKey: string, limit: number): Promise<string[]> {
    this.#requireOpen();
    const leading = rowKey(table, prefix);
    const found: string[] = [];
    for (const key of this.#rows.keys({ start: scanStart(table, prefix, afterKey), rowsMax: limit })) {
      if (!leading.equals(key.subarray(0, leading.length))) break;
      found.push(keyOf(table, key));
    }
    return found;
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
    await this.#store.close();
  }

  /** Newest first. */
  #readHistory(id: string, limit: number): ColdHeader[] {
    const headers: ColdHeader[] = [];
    const range = { start: snapshotKey(id, SEQUENCE_MAX), limit: snapshotKey(id, 0), reverse: true, rowsMax: limit };
    for (const { key, value } of this.#headers.rows(range)) {
      headers.push(decodeHeader(value, id, Buffer.from(key).readUInt32BE(key.length - 4)));
    }
    return headers;
  }

  #readSnapshot(header: ColdHeader): ColdSnapshot {
    return verifySnapshot(header, this.#bytes.get(snapshotKey(header.id, header.sequence)));
  }

  #requireOpen(): void {
    if (this.#closed) throw new PersistError('closed', 'the cold store is closed');
  }

  async #write<T>(action: () => T): Promise<T> {
    this.#requireOpen();
    return this.#health.track(() => this.#store.write(action));
  }
}

/** Behind a key, it makes the lowest key above. */
const LOWEST = Buffer.from([0]);
