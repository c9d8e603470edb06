// The stores of the persistence bench, each real, with what reaches the database counted. An operation is what the
// database has to answer: a durable transaction of the embedded one, a command of MongoDB's protocol.

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dropWorld } from '../../src/durability/checkpoints/entity-rows.js';
import { openEmbeddedColdStore } from '../../src/stores/embedded/embedded-cold-store.js';
import { openMongoColdStore } from '../../src/stores/mongodb/mongo-cold-store.js';
import type { ColdRow, ColdStore } from '../../src/stores/store-ports.js';

/** So that a bench never writes where a server does. */
const MONGO_DATABASE = 'tessera_bench';

export class CountedStore {
  operations = 0;
  rows = 0;
  bytes = 0;
  readonly callMs: number[] = [];

  constructor(
    private readonly inner: ColdStore,
    private readonly countsCalls: boolean,
  ) {}

  /** Of the port, what checkpoints use. */
  get port(): ColdStore {
    return this as unknown as ColdStore;
  }

  putRows(table: string, rows: readonly ColdRow[]): Promise<void> {
    this.rows += rows.length;
    for (const { value } of rows) this.bytes += value.length;
    return this.time(this.inner.putRows(table, rows));
  }

  deleteRows(table: string, keys: readonly string[]): Promise<void> {
    this.rows += keys.length;
    return this.time(this.inner.deleteRows(table, keys));
  }

  getRows(table: string, keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return this.time(this.inner.getRows(table, keys));
  }

  scanRows(table: string, prefix: string, afterKey: string, limit: number): Promise<ColdRow[]> {
    return this.time(this.inner.scanRows(table, prefix, afterKey, limit));
  }

  scanKeys(table: string, prefix: string, afterKey: string, limit: number): Promise<string[]> {
    return this.time(this.inner.scanKeys(table, prefix, afterKey, limit));
  }

  private async time<T>(call: Promise<T>): Promise<T> {
    const startMs = performance.now();
    if (this.countsCalls) this.operations++;
    const result = await call;
    this.callMs.push(performance.now() - startMs);
    return result;
  }
}

export interface StoreSession {
  counted: CountedStore;
  /** For a look at what is stored, uncounted. */
  plain: ColdStore;
  close(world: string): Promise<void>;
}

export interface StoreChoice {
  name: string;
  open(): Promise<StoreSession>;
}

/** The embedded store and, where TESSERA_MONGODB says so, a server of MongoDB's protocol. */
export function chooseStores(): StoreChoice[] {
  const url = process.env.TESSERA_MONGODB;
  const choices: StoreChoice[] = [{ name: 'embedded store', open: openEmbedded }];
  if (url) choices.push({ name: 'mongodb', open: () => openMongo(url) });
  return choices;
}

async function openEmbedded(): Promise<StoreSession> {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-bench-'));
  const plain = openEmbeddedColdStore({ folder });
  return {
    counted: new CountedStore(plain, true),
    plain,
    close: async () => {
      await plain.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function openMongo(url: string): Promise<StoreSession> {
  const onCommand = (): void => {
    counted.operations++;
  };
  const plain = openMongoColdStore({
    url: url.replace(/^(mongodb(?:\+srv)?:\/\/[^/?]+)(\/[^?]*)?/, `$1/${MONGO_DATABASE}`),
    onCommand,
  });
  const counted = new CountedStore(plain, false);
  await plain.getRows('entities', [randomUUID()]); // connected
  counted.operations = 0;
  return {
    counted,
    plain,
    close: async (world) => {
      await dropWorld(plain, world);
      await plain.close();
    },
  };
}
