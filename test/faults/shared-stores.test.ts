// Servers that share a Redis or a MongoDB by mistake: none takes, or destroys, the world of one that lives.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { requireOrSkip } from '../require.js';
import { startServer, type TestServer } from '../server.js';
import { emptyRedis } from '../services/redis-client.js';
import { findService, skipReason } from '../services/running.js';

const folder = mkdtempSync(join(tmpdir(), 'tessera-shared-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const WAIT_MS_MAX = 20000;

interface Recovery {
  source: string;
  worldId: string;
  journalTick: number | null;
  snapshotTick: number;
  skipped: string[];
}

async function recovery({ url }: TestServer): Promise<Recovery> {
  return ((await (await fetch(`${url}/healthz`)).json()) as { recovery: Recovery }).recovery;
}

async function untilCounted(server: TestServer, name: string, count: number): Promise<void> {
  const deadline = performance.now() + WAIT_MS_MAX;
  for (;;) {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    if (Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1] ?? 0) >= count) return;
    assert.ok(performance.now() < deadline, `${name} reaches ${count}; the server said:\n${server.log()}`);
    await sleep(50);
  }
}

async function ownRedis(t: TestContext): Promise<string | undefined> {
  const url = findService('redis');
  if (!requireOrSkip(t, url !== undefined, skipReason('redis'))) return undefined;
  const own = new URL(url as string);
  own.pathname = '/11';
  await emptyRedis(own.href);
  return own.href;
}

function ownMongodb(t: TestContext): string | undefined {
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

interface Stage {
  start(data: string, ...more: string[]): Promise<TestServer>;
  /** Kills it. */
  end(server: TestServer): Promise<void>;
}

function stage(t: TestContext, name: string, url: string): Stage {
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

const STORES = [
  { name: 'redis', counter: 'tessera_io_hot_snapshots_total', open: ownRedis },
  { name: 'mongodb', counter: 'tessera_io_cold_snapshots_total', open: ownMongodb },
] as const;

for (const { name, counter, open } of STORES) {
  test(`${name}: a second server is refused while one lives there, and each folder goes on with its own world`, {
    timeout: 120000,
  }, async (t) => {
    const url = await open(t);
    if (url === undefined) return;
    const { start, end } = stage(t, name, url);
    const first = await start('a');
    await untilCounted(first, counter, 1);
    const { worldId } = await recovery(first);
    const refused = new RegExp(`${name} is \\S+, but another server keeps its world there: process ${first.pid} on `);
    for (const how of ['auto', 'fresh']) {
      await assert.rejects(start('b', '--start', how), refused, how);
    }
    await end(first);

    // Nothing lives there, and a new world was asked for: it is written over what the first one has stored.
    const second = await start('b', '--start', 'fresh');
    assert.match(second.log(), /where another server kept its world: process \d+ on .*silent for 8 s/);
    const other = (await recovery(second)).worldId;
    assert.notEqual(other, worldId);
    await untilCounted(second, counter, 1);
    await assert.rejects(start('a'), /another server keeps its world there/);
    await end(second);

    const again = await start('a', '--start', 'resume');
    const found = await recovery(again);
    assert.equal(found.worldId, worldId, again.log());
    assert.ok(found.journalTick !== null, 'its journal is its own, however new the other one is');
    assert.match(found.skipped.join('\n'), new RegExp(`store keeps world ${other}, but .* is world ${worldId}`));
    // The same folder's next process waits for nobody.
    await end(again);
    const startMs = performance.now();
    const last = await start('a');
    assert.ok(performance.now() - startMs < 7000 || !/silent for/.test(last.log()), last.log());
    assert.doesNotMatch(last.log(), /another server/);
    assert.equal(await last.stop(), 0);
  });

  test(`${name}: a copy of a data folder is refused beside the original, and cannot replace its journal later`, {
    timeout: 120000,
  }, async (t) => {
    const url = await open(t);
    if (url === undefined) return;
    const { start, end } = stage(t, name, url);
    const path = (data: string): string => join(folder, name, data);
    const first = await start('original');
    await untilCounted(first, counter, 1);
    const { worldId } = await recovery(first);
    await end(first);
    cpSync(path('original'), path('copy'), { recursive: true });
    const second = await start('original');
    await untilCounted(second, counter, 1);
    await assert.rejects(start('copy'), new RegExp(`another server keeps its world there: process ${second.pid} on `));
    await end(second);

    const copy = await start('copy');
    await untilCounted(copy, counter, 2);
    assert.equal((await recovery(copy)).worldId, worldId);
    await end(copy);

    const again = await start('original', '--start', 'resume');
    const found = await recovery(again);
    assert.equal(found.worldId, worldId);
    assert.ok(found.journalTick !== null, again.log());
    const own = /store has a snapshot of tick \d+ that a server on a copy of \S+ wrote .*: it is passed over/;
    assert.match(found.skipped.join('\n'), own, again.log());
  });
}
