// The embedded database: LMDB, opened here and nowhere else. One environment is one folder with one file of data; it may
// be open in several threads and processes at once, of which one writes at a time.
//
// A write is a transaction: all of it or nothing, also after kill -9 or a power cut, because LMDB never writes over a
// page that the last commit refers to. `overlappingSync` is off, so that a commit is on the disk when its promise
// resolves, and the writes run in a child transaction, which is what lets a failed one leave no half of itself behind.
//
// One exception: when a worker is terminated in the middle of a write, LMDB's own thread commits the rows that were
// written so far. Nobody was told that they are there, but they are: each write puts its rows in an order of which every
// beginning makes sense by itself, first what is pointed to, then what points; and takes them away so that none is left which
// nobody would find again.

import { mkdirSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { assert } from '../../base/assert.js';
import { DISK_FREE_BYTES_MIN, EMBEDDED_KEY_BYTES_MAX, EMBEDDED_TABLES_MAX } from '../limits.js';
import { PersistError } from '../store-ports.js';
import { findFileDamage } from './embedded-file.js';
import { RoomProbe } from './room-probe.js';

const DATA_FILE = 'data.mdb';
/** No space, quota exceeded and file too large, of the system; map full, of LMDB: -30792. */
const NO_SPACE_CODES = new Set([28, 122, 27, 30792]);
const IO_ERROR = 5;

/** LMDB prints what fails a commit, with its stack, besides rejecting the write. Who asked for the write says it in a line. */
const printError = console.error;
console.error = (...parts: unknown[]): void => {
  const [error] = parts;
  if (!(error instanceof Error && error.stack?.includes('/lmdb/write.js'))) printError(...parts);
};

interface TableRange {
  /** Inclusive. */
  start?: Uint8Array;
  /** Exclusive; with `reverse`, rows are walked down from `start` to above `limit`. */
  limit?: Uint8Array;
  reverse?: boolean;
  rowsMax?: number;
}

export interface TableRow {
  key: Uint8Array;
  value: Uint8Array;
}

/** Rows sorted by key, bytewise. Reads see the last commit, or inside of a write what it has written so far. */
export class Table {
  readonly #database: Database<Uint8Array, Uint8Array>;

  constructor(database: Database<Uint8Array, Uint8Array>) {
    this.#database = database;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#database.getBinary(key);
  }

  /** Inside of a write only. */
  put(key: Uint8Array, value: Uint8Array): void {
    assert(key.length <= EMBEDDED_KEY_BYTES_MAX, 'a key of the embedded database is too long', key.length);
    this.#database.putSync(key, value);
  }

  /** Inside of a write only. */
  remove(key: Uint8Array): void {
    this.#database.removeSync(key);
  }

  *rows({ start, limit, reverse = false, rowsMax }: TableRange): IterableIterator<TableRow> {
    const range = {
      reverse,
      ...(start ? { start } : {}),
      ...(limit ? { end: limit } : {}),
      ...(rowsMax === undefined ? {} : { limit: rowsMax }),
    };
    for (const { key, value } of this.#database.getRange(range)) yield { key, value };
  }

  *keys({ start, limit, reverse = false, rowsMax }: TableRange): IterableIterator<Uint8Array> {
    const range = {
      reverse,
      ...(start ? { start } : {}),
      ...(limit ? { end: limit } : {}),
      ...(rowsMax === undefined ? {} : { limit: rowsMax }),
    };
    yield* this.#database.getKeys(range);
  }
}

export class EmbeddedStore {
  readonly #environment: RootDatabase<Uint8Array, Uint8Array>;
  readonly #tables = new Map<string, Table>();
  readonly #folder: string;
  readonly #room: RoomProbe;
  #closed = false;

  constructor(folder: string) {
    this.#folder = folder;
    this.#room = new RoomProbe(folder);
    mkdirSync(folder, { recursive: true });
    requireSoundStore(folder);
    try {
      this.#environment = open<Uint8Array, Uint8Array>({
        path: folder,
        noSubdir: false,
        overlappingSync: false,
        eventTurnBatching: false,
        maxDbs: EMBEDDED_TABLES_MAX,
        encoding: 'binary',
        keyEncoding: 'binary',
      });
    } catch (error) {
      throw new PersistError('unavailable', `the embedded store in ${folder} does not open: ${String(error)}`, error);
    }
  }

  table(name: string): Table {
    let table = this.#tables.get(name);
    if (!table) {
      assert(this.#tables.size < EMBEDDED_TABLES_MAX, 'too many tables in the embedded store', name);
      table = new Table(this.#openTable(name));
      this.#tables.set(name, table);
    }
    return table;
  }

  #openTable(name: string): Database<Uint8Array, Uint8Array> {
    try {
      return this.#environment.openDB(name, { encoding: 'binary', keyEncoding: 'binary' });
    } catch (error) {
      throw damaged(this.#folder, (error as Error).message);
    }
  }

  /** Resolves when what `action` wrote is on the disk; rejects when none of it is. `action` awaits nothing. */
  async write<T>(action: () => T): Promise<T> {
    if (this.#closed) throw new PersistError('closed', 'the embedded store is closed');
    if (this.#room.isShut) {
      const why = await this.#room.failure();
      if (this.#closed) throw new PersistError('closed', 'the embedded store is closed');
      if (why !== undefined) throw await toPersistError(why, this.#folder);
    }
    let failure: unknown;
    try {
      return await this.#environment.childTransaction(() => {
        try {
          return action();
        } catch (error) {
          failure = error;
          throw error;
        }
      });
    } catch (error) {
      const cause = failure ?? (await findCause(error));
      const told = await toPersistError(cause, this.#folder);
      if (failure === undefined || told.kind === 'full') this.#room.shut(cause as Error);
      throw told;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#environment.close();
  }
}

/** Throws with one line where the store in this folder is damaged; one that is not there yet is sound. */
export function requireSoundStore(folder: string): void {
  const damage = findFileDamage(join(folder, DATA_FILE));
  if (damage !== undefined) throw damaged(folder, damage);
}

function damaged(folder: string, reason: string): PersistError {
  const path = join(folder, DATA_FILE);
  return new PersistError(
    'unavailable',
    `${path} is damaged: ${reason}; put a copy in its place, or move it away and begin without what is in it`,
  );
}

async function toPersistError(error: unknown, folder: string): Promise<PersistError> {
  if (error instanceof PersistError) return error;
  const cause = error as { message: string; code?: number | string; errno?: number };
  // LMDB gives the system's number as the code; the system's own errors have a name there, and the number below 0 beside it.
  const code = Math.abs(cause.errno ?? Number(cause.code));
  // A disk that fills up in the middle of a write is reported as a failure of the write.
  const full = NO_SPACE_CODES.has(code) || (code === IO_ERROR && (await findFreeBytes(folder)) < DISK_FREE_BYTES_MIN);
  const what = full ? 'has no room' : 'did not write';
  return new PersistError(full ? 'full' : 'unavailable', `the embedded store ${what}: ${cause.message}`, cause);
}

/** A failed commit carries its cause as a promise that rejects; left alone, it would end the process. */
async function findCause(error: unknown): Promise<Error> {
  const { commitError } = error as { commitError?: Promise<unknown> };
  if (!commitError) return error as Error;
  try {
    await commitError;
    return error as Error;
  } catch (cause) {
    return cause as Error;
  }
}

async function findFreeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
