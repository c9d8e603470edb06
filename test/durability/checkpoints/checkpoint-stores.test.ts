// Checkpoints in the real stores: what readers find, what an outage costs, what kill -9 leaves behind.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MongoClient } from 'mongodb';
import { createRandom } from '../../../src/base/chance.js';
import {
  ENTITIES_TABLE,
  entityRowKey,
  listWorlds,
  readEntity,
  scanEntities,
} from '../../../src/durability/checkpoints/entity-rows.js';
import { openEmbeddedColdStore } from '../../../src/stores/embedded/embedded-cold-store.js';
import { openMongoColdStore } from '../../../src/stores/mongodb/mongo-cold-store.js';
import type { ColdStore } from '../../../src/stores/store-ports.js';
import { openFolder, until } from '../../folder.js';
import { requireOrSkip } from '../../require.js';
import { TcpProxy } from '../../services/proxy.js';
import { findService, skipReason } from '../../services/running.js';
import { readAll, Stage } from './checkpoint-stage.js';

const SEED = Number(process.env.TESSERA_SEED ?? 1);
const KILLS = Number(process.env.TESSERA_KILLS ?? 6);
const CHILD = fileURLToPath(new URL('./checkpoint-child.js', import.meta.url));

/** A database of the test's own: worlds of one database take each other's place. */
function openOwnDatabase(t: TestContext, port?: number): ColdStore | undefined {
  const service = findService('mongodb');
  if (!requireOrSkip(t, service !== undefined, skipReason('mongodb'))) return undefined;
  const url = new URL(service!);
  url.pathname = `/test_checkpoints_${randomUUID().slice(0, 8)}`;
  const direct = url.href;
  if (port !== undefined) url.port = String(port);
  const store = openMongoColdStore({ url: url.href, deadlineMs: 1500, connectTimeoutMs: 800 });
  t.after(async () => {
    await store.close();
    const client = await MongoClient.connect(direct);
    await client.db().dropDatabase();
    await client.close();
  });
  return store;
}

const STORES: Record<string, (t: TestContext) => ColdStore | undefined> = {
  embedded: (t) => {
    const store = openEmbeddedColdStore({ folder: openFolder(t) });
    t.after(() => store.close());
    return store;
  },
  mongodb: (t) => openOwnDatabase(t),
};

for (const [name, open] of Object.entries(STORES)) {
  test(`${name}: any reader of the table finds every entity as it is now`, { timeout: 60000 }, async (t) => {
    const store = open(t);
    if (!store) return;
    const stage = new Stage();
    for (let n = 0; n < 1500; n++) {
      stage.place(n & 1, n >> 1, 0, n, 1);
      stage.set(n & 1, n >> 1, { gold: n, luck: n / 3 });
    }
    stage.commit();
    const checkpointer = stage.checkpointer(store);
    checkpointer.take();
    await checkpointer.settled();
    for (let n = 0; n < 1500; n += 3) stage.set(n & 1, n >> 1, { gold: n + 10_000 });
    for (let n = 1; n < 1500; n += 3) {
      stage.set(n & 1, n >> 1, { alive: 0 });
      stage.freeId(0, n);
    }
    stage.commit();
    checkpointer.take();
    await checkpointer.settled();

    const world = (await listWorlds(store)).at(-1)!;
    assert.deepEqual([world.world, world.game, world.seed], [checkpointer.world, 'stage', 7]);
    const rows = await readAll(store, world.world);
    assert.equal(rows.size, 1000, 'over several pages');
    for (let n = 0; n < 1500; n++) {
      const row = rows.get(`${n}.1`);
      if (n % 3 === 1) assert.equal(row, undefined);
      else assert.deepEqual(row?.fields, { gold: n % 3 === 0 ? n + 10_000 : n, luck: n / 3 });
    }
    assert.equal(stage.counters.get('checkpointRowsWritten'), 2000);
    assert.equal(stage.counters.get('checkpointRowsDeleted'), 500);
  });

  test(`${name}: a damaged row is told of and passed over`, async (t) => {
    const store = open(t);
    if (!store) return;
    const stage = new Stage();
    for (let n = 0; n < 3; n++) stage.place(0, n, 0, n, 1);
    stage.commit();
    const checkpointer = stage.checkpointer(store);
    await checkpointer.stop(10000);
    const { world } = checkpointer;
    await store.putRows(ENTITIES_TABLE, [
      { key: entityRowKey(world, '1.1'), value: Uint8Array.of(0x85, 0xa1) },
      { key: entityRowKey(world, '2.1'), value: Uint8Array.of(0x80) },
    ]);
    const damaged: string[] = [];
    const whole: string[] = [];
    for await (const { entity } of scanEntities(store, world, (entity) => damaged.push(entity))) whole.push(entity);
    assert.deepEqual([whole, damaged], [['0.1'], ['1.1', '2.1']]);
    await assert.rejects(readEntity(store, world, '1.1'), { kind: 'corrupt' });
    await assert.rejects(readEntity(store, world, '2.1'), /another form/);
  });
}

test('mongodb: silent for a while and then cut, the table has the newest of every row in the end', async (t) => {
  const service = findService('mongodb');
  if (!requireOrSkip(t, service !== undefined, skipReason('mongodb'))) return;
  const proxy = await TcpProxy.open(Number(new URL(service!).port));
  t.after(() => proxy.close());
  const store = openOwnDatabase(t, proxy.port)!;
  const stage = new Stage();
  for (let n = 0; n < 200; n++) stage.place(0, n, 0, n, 1);
  stage.commit();
  const checkpointer = stage.checkpointer(store);
  const random = createRandom(SEED);
  const play = (round: number): void => {
    for (let n = 0; n < 200; n++) {
      if (random() < 0.5) stage.set(0, n, { gold: round });
    }
    stage.commit();
    checkpointer.take();
  };
  checkpointer.take();
  await checkpointer.settled();
  for (const mode of ['silent', 'refusing', 'mute'] as const) {
    const { world } = checkpointer;
    const failures = stage.counters.get('checkpointFailures');
    proxy.mode = mode;
    if (mode === 'refusing') proxy.cut();
    play(1);
    await until('a failure', () => stage.counters.get('checkpointFailures') > failures);
    play(2);
    assert.ok(stage.counters.get('checkpointRowsWaiting') <= 200, 'one entry per entity');
    proxy.mode = 'open';
    proxy.cut();
    await checkpointer.settled();
    play(3);
    await checkpointer.settled();
    assert.equal(checkpointer.world, world);
    const rows = await readAll(store, world);
    assert.equal(rows.size, 200, `TESSERA_SEED=${SEED}`);
    for (const [n, gold] of stage.worlds[0].committed.columns.gold.subarray(0, 200).entries()) {
      assert.equal(rows.get(`${n}.1`)?.fields.gold, gold, `entity ${n} after ${mode}, TESSERA_SEED=${SEED}`);
    }
  }
});

test('kill -9 at random moments leaves whole rows, and all that was acknowledged', { timeout: 120000 }, async (t) => {
  const folder = openFolder(t);
  const random = createRandom(SEED);
  for (let kill = 0; kill < KILLS; kill++) {
    const context = `kill ${kill}, TESSERA_SEED=${SEED}`;
    const child = spawn(process.execPath, [CHILD, join(folder, 'cold'), String(kill)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => child.kill('SIGKILL'));
    let text = '';
    child.stdout.on('data', (bytes) => {
      text += bytes;
    });
    const closed = once(child, 'close');
    await until('the child to write', () => text.includes('\n'));
    await sleep(random() * 200);
    child.kill('SIGKILL');
    await closed;
    const acknowledged = Number(text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1));
    const store = openEmbeddedColdStore({ folder: join(folder, 'cold') });
    const world = (await listWorlds(store)).at(-1)!.world;
    const damaged: string[] = [];
    let rows = 0;
    for await (const { entity, fields: stored, positionX } of scanEntities(store, world, (name) =>
      damaged.push(name),
    )) {
      const fields = stored as Record<string, number>;
      rows++;
      assert.equal(fields.luck, fields.gold * 2, `${entity} is of two rounds, ${context}`);
      assert.equal(positionX, fields.gold & 1023, `${entity} is of two rounds, ${context}`);
      assert.ok(fields.gold >= acknowledged, `${entity}: ${fields.gold} of ${acknowledged}, ${context}`);
    }
    assert.deepEqual([rows, damaged], [2500, []], context);
    await store.close();
  }
});
