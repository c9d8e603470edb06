// Servers on one Redis or MongoDB of a test's own.

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import { MongoClient } from 'mongodb';
import { requireOrSkip } from '../require.js';
import { startServer, type TestServer } from '../server.js';
import { emptyRedis } from '../services/redis-client.js';
import { findService, skipReason } from '../services/running.js';

export const folder = mkdtempSync(join(tmpdir(), 'tessera-shared-'));
after(() => rmSync(folder, { recursive: true, force: true }));

async function ownRedis(t: TestContext, database: number): Promise<string | undefined> {
  const url = findService('redis');
  if (!requireOrSkip(t, url !== undefined, skipReason('redis'))) return undefined;
  const own = new URL(url as string);
  own.pathname = `/${database}`;
  await emptyRedis(own.href);
  return own.href;
}

function ownMongodb(t: TestContext, _database: number): string | undefined {
  const url = findService('mongodb');
  if (!requireOrSkip(t, url !== undefined, skipReason('mongodb'))) return undefined;
  const own = new URL(url as string);
  own.pathname = `/shared_${randomUUID().slice(0, 8)}`;
  t.after(async () => {
    const client = await MongoClient.connect(own.href);
    await client.db().dropDatabase();
    await client.close();
  });
  return own.href;
}

export interface Stage {
  start(data: string, ...more: string[]): Promise<TestServer>;
  /** Kills it. */
  end(server: TestServer): Promise<void>;
}

export function stage(t: TestContext, name: string, url: string): Stage {
  const running = new Set<TestServer>();
  t.after(() => Promise.all([...running].map((server) => server.kill())));
  return {
    start: async (data, ...more) => {
      const server = await startServer([
        ...['--data', join(folder, name, data), '--bots', '20', '--threads', '1', `--${name}`, url, ...more],
        ...['--hot-snapshot-ms', '1000', '--cold-snapshot-ms', '5000', '--cell-size', '64'],
      ]);
      running.add(server);
      return server;
    },
    end: async (server) => {
      running.delete(server);
      await server.kill();
    },
  };
}

export const STORES = [
  { name: 'redis', counter: 'tessera_io_hot_snapshots_total', open: ownRedis },
  { name: 'mongodb', counter: 'tessera_io_cold_snapshots_total', open: ownMongodb },
] as const;
