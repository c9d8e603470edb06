// The cold store in MongoDB. A snapshot is cut into pieces below MongoDB's limit for a document; the header is written
// last and makes the snapshot exist, so a reader never finds half of one. Pieces that a kill or a failure left without a
// header go at the second prune that finds them so. Plain rows are one collection per table.
//
//  snapshots        {_id: '<id>@<sequence>', id, sequence, tick, takenAt, byteCount, pieces, writeId, checksum, meta}
//  snapshot_pieces  {_id: '<writeId>:<piece>', snapshot: '<id>', data}
//  rows_<table>     {_id: '<key>', value}

import { randomUUID } from 'node:crypto';
import {
  Binary,
  type Collection,
  type Db,
  type FindOptions,
  MongoClient,
  MongoServerError,
  MongoTopologyClosedError,
} from 'mongodb';
import { sha256 } from '../../base/checksum.js';
import { checkKey, checkSnapshot, findNewest, verifySnapshot } from '../cold-snapshot.js';
import { withDeadline } from '../deadline.js';
import { HealthRecord } from '../health-record.js';
import { CLOSE_GRACE_MS, SAVE_ATTEMPTS_MAX, SNAPSHOT_PIECE_BYTES } from '../limits.js';
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
  type PersistErrorKind,
} from '../store-ports.js';
import { DUPLICATE_KEY, isDuplicate, MongoLeases } from './mongo-leases.js';

/** The driver cuts larger bulk writes by what the server takes. */
const UPDATES_PER_COMMAND = 100_000;
/** FerretDB 1 holds one of its 100 connections per update until the command ends, and locks up for good without one. */
const FERRETDB_UPDATES_PER_COMMAND = 20;

export interface MongoColdStoreOptions {
  /** With the database's name as its path. */
  url: string;
  connectTimeoutMs?: number;
  /** One round trip. */
  deadlineMs?: number;
  onNotice?: NoticeListener;
  /** Told of every command that goes to the server, by name: for measurements. */
  onCommand?: (name: string) => void;
}

interface SnapshotDocument {
  _id: string;
  id: string;
  sequence: number;
  tick: number;
  takenAt: Date;
  byteCount: number;
  pieces: number;
  writeId: string;
  checksum: string;
  meta: Record<string, string | number>;
}

interface PieceDocument {
  _id: string;
  snapshot: string;
  data: Binary;
}

interface RowDocument {
  _id: string;
  value: Binary;
}

export function openMongoColdStore(options: MongoColdStoreOptions): ColdStore {
  return new MongoColdStore(options);
}

class MongoColdStore implements ColdStore {
  readonly #url: string;
  readonly #connectTimeoutMs: number;
  readonly #deadlineMs: number;
  readonly #health: HealthRecord;
  readonly #leases = new MongoLeases((what, action) => this.#call(what, action));
  readonly #onCommand: ((name: string) => void) | undefined;
  #client: Promise<MongoClient> | undefined;
  #updatesPerCommand = UPDATES_PER_COMMAND;
  #indexed = false;
  /** By id: writes that had pieces and no header when it was last swept; none: there is nothing to sweep again. */
  readonly #unnamed = new Map<string, Set<string>>();
  #closed = false;

  constructor(options: MongoColdStoreOptions) {
    this.#url = options.url;
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 3000;
    this.#deadlineMs = options.deadlineMs ?? 15000;
    this.#health = new HealthRecord('mongodb', options.onNotice);
    this.#onCommand = options.onCommand;
  }

  async save(id: string, snapshot: ColdSnapshotInput, fence?: Fence): Promise<ColdHeader> {
    checkSnapshot(id, snapshot);
    const checksum = snapshot.checksum ?? sha256(snapshot.bytes);
    await this.#ensureIndexes();
    await this.#leases.require(fence);
    const writeId = randomUUID();
    try {
      return await this.#save(id, snapshot, writeId, checksum, fence);
    } catch (error) {
      this.#unnamed.delete(id); // it may have left pieces
      throw error;
    }
  }

  async #save(
    id: string,
    snapshot: ColdSnapshotInput,
    writeId: string,
    checksum: string,
    fence: Fence | undefined,
  ): Promise<ColdHeader> {
    const { bytes, tick, takenAtMs, meta } = snapshot;
    const pieces = await this.#writePieces(id, writeId, bytes);
    await this.#leases.require(fence);
    for (let attempt = 1; ; attempt++) {
      const [newest] = await this.#findHistory(id, 1);
      const sequence = (newest?.sequence ?? 0) + 1;
      const header: ColdHeader = { id, sequence, tick, takenAtMs, byteCount: bytes.length, checksum, meta };
      try {
        await this.#call('save', (db) => snapshotsOf(db).insertOne(toDocument(header, pieces, writeId)));
        // The lease may have gone between the look at it and the insert: then the snapshot goes too.
        await this.#leases.require(fence).catch(async (error: unknown) => {
          await this.#call('save', (db) => snapshotsOf(db).deleteOne({ _id: snapshotId(id, sequence), writeId }));
          throw error;
        });
        return header;
      } catch (error) {
        if (!isDuplicate(error) || attempt === SAVE_ATTEMPTS_MAX) throw error;
      }
    }
  }

  async latest(id: string, isWanted: (header: ColdHeader) => boolean = () => true): Promise<ColdSearch> {
    const documents = await this.#findHistory(id, 0);
    return findNewest(documents.map(toHeader).filter(isWanted), (header) =>
      this.#loadDocument(documents.find(({ sequence }) => sequence === header.sequence)!),
    );
  }

  async prune(id: string, keep: number, fence?: Fence): Promise<number> {
    try {
      await this.#leases.require(fence);
      const count = await this.#prune(id, keep);
      await this.#sweep(id);
      return count;
    } catch (error) {
      this.#unnamed.delete(id);
      throw error;
    }
  }

  async #prune(id: string, keep: number): Promise<number> {
    const old = (await this.#findHistory(id, 0)).slice(keep);
    for (const { _id, writeId, pieces } of old) {
      // The header goes first: pieces without a header are only waste, a header without pieces is damage.
      await this.#call('prune', (db) => snapshotsOf(db).deleteOne({ _id }));
      const ids = Array.from({ length: pieces }, (_, piece) => `${writeId}:${piece}`);
      await this.#call('prune', (db) => piecesOf(db).deleteMany({ _id: { $in: ids } }));
    }
    return old.length;
  }

  /** A write under way has no header yet either, so only what was found without one before goes. */
  async #sweep(id: string): Promise<void> {
    const before = this.#unnamed.get(id);
    if (before?.size === 0) return;
    const found = await this.#call('sweep', (db) =>
      piecesOf(db)
        .find({ snapshot: id }, { projection: { _id: 1 } })
        .toArray(),
    );
    const named = new Set((await this.#findHistory(id, 0)).map(({ writeId }) => writeId));
    const unnamed = found.filter(({ _id }) => !named.has(writeOf(_id)));
    const gone = unnamed.filter(({ _id }) => before?.has(writeOf(_id)));
    if (gone.length > 0) {
      await this.#call('sweep', (db) => piecesOf(db).deleteMany({ _id: { $in: gone.map(({ _id }) => _id) } }));
    }
    const left = unnamed.filter((piece) => !gone.includes(piece));
    this.#unnamed.set(id, new Set(left.map(({ _id }) => writeOf(_id))));
  }

  async putRows(table: string, rows: readonly ColdRow[]): Promise<void> {
    if (rows.length === 0) return;
    for (const { key } of rows) checkKey(key);
    // Of several values for one key the last one counts; an unordered bulk write keeps no order.
    const last = new Map(rows.map(({ key, value }) => [key, value]));
    const operations = [...last].map(([_id, value]) => ({
      replaceOne: { filter: { _id }, replacement: { value: new Binary(value) }, upsert: true },
    }));
    for (let start = 0; start < operations.length; ) {
      const limit = await this.#call('put rows', async (db) => {
        const sliceLimit = start + this.#updatesPerCommand;
        await rowsOf(db, table).bulkWrite(operations.slice(start, sliceLimit), { ordered: false });
        return sliceLimit;
      });
      start = limit;
    }
  }

  async getRows(table: string, keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    if (keys.length === 0) return [];
    const found = await this.#call('get rows', (db) =>
      rowsOf(db, table)
        .find({ _id: { $in: [...keys] } })
        .toArray(),
    );
    const values = new Map(found.map(({ _id, value }) => [_id, toBytes(value)]));
    return keys.map((key) => values.get(key));
  }

  async deleteRows(table: string, keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    await this.#call('delete rows', (db) => rowsOf(db, table).deleteMany({ _id: { $in: [...keys] } }));
  }

  async scanRows(table: string, prefix: string, afterKey: string, limit: number): Promise<ColdRow[]> {
    const rows = await this.#scan(table, prefix, afterKey, limit, {});
    return rows.map(({ _id, value }) => ({ key: _id, value: toBytes(value) }));
  }

  async scanKeys(table: string, prefix: string, afterKey: string, limit: number): Promise<string[]> {
    const rows = await this.#scan(table, prefix, afterKey, limit, { projection: { _id: 1 } });
    return rows.map(({ _id }) => _id);
  }

  claimLease(name: string, claim: LeaseClaim): Promise<HeldLease> {
    return this.#leases.claim(name, claim);
  }

  releaseLease(name: string, holder: string): Promise<void> {
    return this.#leases.release(name, holder);
  }

  health(): BackendHealth {
    return this.#health.read();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#discardClient();
  }

  async #scan(
    table: string,
    prefix: string,
    afterKey: string,
    limit: number,
    options: FindOptions,
  ): Promise<RowDocument[]> {
    if (limit === 0) return [];
    const filter = { $and: [prefixFilter('_id', prefix), { _id: { $gt: afterKey } }] };
    return this.#call('scan rows', (db) =>
      rowsOf(db, table).find(filter, options).sort({ _id: 1 }).limit(limit).toArray(),
    );
  }

  async #ensureIndexes(): Promise<void> {
    if (this.#indexed) return;
    await this.#call('index', (db) => snapshotsOf(db).createIndex({ id: 1, sequence: -1 }));
    await this.#call('index', (db) => piecesOf(db).createIndex({ snapshot: 1, _id: 1 }));
    this.#indexed = true;
  }

  async #writePieces(id: string, writeId: string, bytes: Uint8Array): Promise<number> {
    const pieces = Math.ceil(bytes.length / SNAPSHOT_PIECE_BYTES);
    for (let piece = 0; piece < pieces; piece++) {
      const data = bytes.subarray(piece * SNAPSHOT_PIECE_BYTES, (piece + 1) * SNAPSHOT_PIECE_BYTES);
      await this.#call('save', (db) =>
        piecesOf(db).insertOne({ _id: `${writeId}:${piece}`, snapshot: id, data: new Binary(data) }),
      );
    }
    return pieces;
  }

  /** Newest first; 0: all. */
  #findHistory(id: string, limit: number): Promise<SnapshotDocument[]> {
    return this.#call('history', (db) => snapshotsOf(db).find({ id }).sort({ sequence: -1 }).limit(limit).toArray());
  }

  async #loadDocument(document: SnapshotDocument): Promise<ColdSnapshot> {
    const parts: Uint8Array[] = [];
    for (let piece = 0; piece < document.pieces; piece++) {
      const found = await this.#call('load', (db) => piecesOf(db).findOne({ _id: `${document.writeId}:${piece}` }));
      if (!found) return verifySnapshot(toHeader(document), undefined);
      parts.push(toBytes(found.data));
    }
    return verifySnapshot(toHeader(document), parts.length === 1 ? parts[0] : Buffer.concat(parts));
  }

  async #call<T>(what: string, action: (db: Db) => Promise<T>): Promise<T> {
    if (this.#closed) throw new PersistError('closed', 'the cold store is closed');
    return this.#health.track(async () => {
      try {
        const client = await withDeadline(this.#openClient(), this.#connectTimeoutMs + 1000, 'connect');
        return await withDeadline(action(client.db()), this.#deadlineMs, what);
      } catch (error) {
        if (error instanceof MongoTopologyClosedError) void this.#discardClient();
        throw toPersistError(error, what);
      }
    });
  }

  /** A client whose first connection fails is closed for good, so each attempt is made with a new one. */
  #openClient(): Promise<MongoClient> {
    this.#client ??= this.#connect();
    return this.#client;
  }

  async #connect(): Promise<MongoClient> {
    const client = new MongoClient(this.#url, {
      appName: 'tessera',
      maxPoolSize: 4,
      connectTimeoutMS: this.#connectTimeoutMs,
      serverSelectionTimeoutMS: this.#connectTimeoutMs,
      waitQueueTimeoutMS: this.#deadlineMs,
      // Without it a half-open connection holds a call for as long as the kernel likes.
      socketTimeoutMS: this.#deadlineMs,
      writeConcern: { w: 'majority', journal: true },
      readConcern: { level: 'majority' },
      monitorCommands: this.#onCommand !== undefined,
    });
    client.on('commandStarted', ({ commandName }) => this.#onCommand?.(commandName));
    try {
      await client.connect();
      const { ferretdbVersion } = await client.db().admin().command({ buildInfo: 1 });
      this.#updatesPerCommand = ferretdbVersion ? FERRETDB_UPDATES_PER_COMMAND : UPDATES_PER_COMMAND;
      return client;
    } catch (error) {
      this.#client = undefined;
      void client.close().catch(() => {});
      throw error;
    }
  }

  async #discardClient(): Promise<void> {
    const opening = this.#client;
    this.#client = undefined;
    if (!opening) return;
    const closing = opening.then((client) => client.close());
    await withDeadline(closing, CLOSE_GRACE_MS, 'close').catch(() => {});
  }
}

function snapshotsOf(db: Db): Collection<SnapshotDocument> {
  return db.collection('snapshots');
}

function piecesOf(db: Db): Collection<PieceDocument> {
  return db.collection('snapshot_pieces');
}

function rowsOf(db: Db, table: string): Collection<RowDocument> {
  return db.collection(`rows_${table}`);
}

function writeOf(pieceId: string): string {
  return pieceId.slice(0, pieceId.indexOf(':'));
}

/** Sequences are padded, so that documents also sort by their id. */
function snapshotId(id: string, sequence: number): string {
  return `${id}@${String(sequence).padStart(10, '0')}`;
}

function toDocument(header: ColdHeader, pieces: number, writeId: string): SnapshotDocument {
  const { id, sequence, tick, takenAtMs, byteCount, checksum, meta } = header;
  return {
    _id: snapshotId(id, sequence),
    id,
    sequence,
    tick,
    takenAt: new Date(takenAtMs),
    byteCount,
    pieces,
    writeId,
    checksum,
    meta: { ...meta },
  };
}

function toHeader({ id, sequence, tick, takenAt, byteCount, checksum, meta }: SnapshotDocument): ColdHeader {
  return { id, sequence, tick, takenAtMs: new Date(takenAt).getTime(), byteCount, checksum, meta };
}

function toBytes(value: Binary | undefined): Uint8Array {
  return value instanceof Binary ? value.value() : new Uint8Array(0);
}

/** A range instead of a pattern: it uses the index and needs no escaping. U+10FFFF sorts above all other characters. */
function prefixFilter(field: string, prefix: string): Record<string, { $gte: string; $lt: string }> {
  return { [field]: { $gte: prefix, $lt: `${prefix}\u{10ffff}` } };
}

const DISK_FULL = 14031;
/** What is wrong with the call itself. All else, missing rights included, a person may put right meanwhile. */
const REFUSED_CODES = new Set([2, 9, 14, 121, 10334, 17280, 17419, 17420, DUPLICATE_KEY]);

function toPersistError(error: unknown, what: string): PersistError {
  if (error instanceof PersistError) return error;
  const { message, name } = error as Error;
  let kind: PersistErrorKind = 'unavailable';
  if (name === 'MongoNetworkTimeoutError' || name === 'MongoOperationTimeoutError') kind = 'timeout';
  if (error instanceof MongoServerError) {
    if (Number(error.code) === DISK_FULL) kind = 'full';
    if (REFUSED_CODES.has(Number(error.code))) kind = 'rejected';
  }
  return new PersistError(kind, `${what}: ${message}`, error);
}
