// Checkpoints of a server as a reader of its store sees them: while it runs, after kill -9, and after another start.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { WebSocket } from 'ws';
import { type EntityRow, listWorlds } from '../../src/durability/checkpoints/entity-rows.js';
import { openEmbeddedColdStore } from '../../src/stores/embedded/embedded-cold-store.js';
import { readAll } from '../durability/checkpoints/checkpoint-stage.js';
import { until } from '../folder.js';
import { startServer, type TestServer } from '../server.js';

const folder = mkdtempSync(join(tmpdir(), 'tessera-checkpoints-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function start(data: string, ...more: string[]): Promise<TestServer> {
  const fast = ['--checkpoint-ms', '100', '--hot-snapshot-ms', '1000', '--bots', '20'];
  return startServer(['--data', join(folder, data), ...fast, ...more]);
}

async function joinWorld({ wsUrl }: TestServer): Promise<WebSocket> {
  const socket = new WebSocket(wsUrl, 'tessera.json.1');
  socket.on('error', () => {}); // the server is killed in the end
  await new Promise((resolve) => socket.once('open', resolve));
  const welcomed = new Promise((resolve) => socket.once('message', resolve));
  socket.send(JSON.stringify({ type: 'join', name: 'walker' }));
  await welcomed;
  return socket;
}

async function readRows(data: string): Promise<{ world: string | undefined; rows: EntityRow[] }> {
  const store = openEmbeddedColdStore({ folder: join(folder, data, 'stores', 'cold') });
  try {
    const world = (await listWorlds(store)).at(-1)?.world;
    return { world, rows: world === undefined ? [] : [...(await readAll(store, world)).values()] };
  } finally {
    await store.close();
  }
}

test('a player who walks has a row that follows, bots have none, and it is there after kill -9', async (t) => {
  const server = await start('killed');
  t.after(() => server.kill());
  const socket = await joinWorld(server);
  t.after(() => socket.terminate());
  await until('a row', async () => (await readRows('killed')).rows.length === 1);
  const before = await readRows('killed');
  assert.equal(before.rows[0].kind, 'player');
  assert.deepEqual(before.rows[0].fields, { hp: 100 });
  socket.send(JSON.stringify({ type: 'Move', seq: 1, x: 127, y: 60 }));
  await until('the row to follow', async () => {
    const [row] = (await readRows('killed')).rows;
    return row.tick > before.rows[0].tick && Math.abs(row.positionX - before.rows[0].positionX) > 0.5;
  });
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  assert.match(metrics, /^tessera_io_checkpoint_rows_written_total [1-9]/m);
  assert.match(metrics, /^tessera_io_checkpoint_failures_total 0/m);
  await server.kill();
  const left = await readRows('killed');
  assert.equal(left.world, before.world);
  assert.deepEqual(
    left.rows.map(({ entity }) => entity),
    before.rows.map(({ entity }) => entity),
  );
});

test('a world that goes on keeps its name, one that begins anew has another, and 0 turns checkpoints off', async () => {
  const worlds: (string | undefined)[] = [];
  for (const more of [[], [], ['--start', 'fresh'], ['--checkpoint-ms=0', '--start=fresh']]) {
    const server = await start('again', ...more);
    assert.equal(await server.stop(), 0);
    worlds.push((await readRows('again')).world);
  }
  assert.equal(worlds[1], worlds[0]);
  assert.notEqual(worlds[2], worlds[1]);
  assert.equal(worlds[3], worlds[2]);
});
