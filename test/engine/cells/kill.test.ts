// The whole server is killed at random moments, while cells come and go: whoever was ever born is in exactly one place of
// the world that the next start begins with.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { createRandom } from '../../../src/base/chance.js';
import { STORES_FOLDER } from '../../../src/base/data-folder.js';
import { TesseraClient } from '../../../src/client/client.js';
import type { SocketClass } from '../../../src/client/socket.js';
import { loadSettings, type Settings } from '../../../src/config/settings.js';
import { recoverWorld, shapeOf } from '../../../src/durability/recovery/recovery.js';
import { planWorld } from '../../../src/engine/plan/world-plan.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import { WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { openEmbeddedColdStore } from '../../../src/stores/embedded/embedded-cold-store.js';
import { requireOrSkip } from '../../require.js';
import { startServer, type TestServer } from '../../server.js';
import { TcpProxy } from '../../services/proxy.js';
import { findService, skipReason } from '../../services/running.js';
import { type Census, checkCensus, takeCensus } from './census.js';
import garden from './garden-game.js';

const SEED = Number(process.env.TESSERA_SEED ?? 1);
const ROUNDS = Number(process.env.TESSERA_KILLS ?? 3);
const PLAYERS = 3;
const GAME = fileURLToPath(new URL('./garden-game.js', import.meta.url));

const root = mkdtempSync(join(tmpdir(), 'tessera-cells-'));
after(() => rmSync(root, { recursive: true, force: true }));

function args(zones: string, folder: string): string[] {
  return [
    ...['--game', GAME, '--world', '1600x1600', '--zones', zones, '--cell-size', '40', '--view-radius', '20'],
    ...['--cell-ttl-ms', '300', '--hot-snapshot-ms', '1000', '--cold-snapshot-ms', '5000', '--data', folder],
  ];
}

function readSettings(argv: readonly string[]): Settings {
  const loaded = loadSettings({ argv, env: {}, readFile: () => '{}' });
  assert.ok(loaded.ok && 'settings' in loaded);
  return loaded.settings;
}

async function joinAll(server: TestServer): Promise<TesseraClient[]> {
  const options = {
    url: server.wsUrl,
    commands: garden.commands as never,
    WebSocket: WebSocket as unknown as SocketClass,
  };
  const clients = Array.from({ length: PLAYERS }, (_, i) => new TesseraClient({ ...options, name: `p${i}` }));
  await Promise.all(clients.map((client) => client.connect()));
  return clients;
}

async function play(clients: readonly TesseraClient[], ms: number, random: () => number): Promise<void> {
  for (const until = performance.now() + ms; performance.now() < until; ) {
    for (const client of clients) {
      client.send('Go', { x: Math.floor(random() * 240 - 120), y: Math.floor(random() * 240 - 120) });
    }
    await sleep(250);
  }
}

async function censusOnDisk(argv: readonly string[]): Promise<Census> {
  const settings = readSettings(argv);
  const game = garden as unknown as GameDefinition;
  const plan = planWorld(settings, game, 1, 0);
  const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
  const { report } = await recoverWorld(plan, game, shapeOf(settings, game, plan), silent as never);
  assert.deepEqual(report.skipped, [], 'the journal came out as it was played');
  assert.ok(report.journalTick !== null);
  const worlds = plan.worlds.map((buffer) => new WorldBuffer(buffer, plan.layout));
  const store = openEmbeddedColdStore({ folder: join(settings.data, STORES_FOLDER, 'cold') });
  try {
    return await takeCensus(plan, worlds, store, report.worldId);
  } finally {
    await store.close();
  }
}

for (const zones of ['1x1', '2x2']) {
  test(`kill -9 while cells come and go loses nobody and doubles nobody, ${zones} zones`, {
    timeout: 120000,
  }, async () => {
    const argv = args(zones, join(root, zones));
    const random = createRandom(SEED);
    let cold = 0;
    let evictions = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const context = `round ${round}, TESSERA_SEED=${SEED}`;
      const server = await startServer(argv);
      const clients = await joinAll(server);
      await play(clients, 1500 + random() * 1500, random);
      evictions += await server.counter('tessera_zone_cell_evictions_total');
      await server.kill();
      for (const client of clients) client.close();
      const census = await censusOnDisk(argv);
      assert.deepEqual(checkCensus(census, context), [], `${context}: nobody is nowhere`);
      assert.ok(census.expected.size > 0, context);
      cold = Math.max(cold, census.cold);
    }
    assert.ok(cold > 5 && evictions > 20, `${cold} cold cells, ${evictions} evictions`);
  });
}

test('a game of which nothing rests cannot be cut into cells, and a cell that does not divide its zone is refused', async () => {
  const toy = fileURLToPath(new URL('../../games/toy/game.js', import.meta.url));
  await assert.rejects(
    startServer(['--game', toy, '--cell-size', '64']),
    /cellSize is 64, but nothing of the game coins rests .*allowed: 0/,
  );
  await assert.rejects(
    startServer(['--cell-size', '48']),
    /cellSize is 48 \(from --cell-size\) while worldWidth is 512 \(default\), .*allowed: what divides the width of a zone, 256/,
  );
});

test('the same from MongoDB, which is cut off for a while: cells stay, play goes on, and then they go', async (t) => {
  const url = findService('mongodb');
  if (!requireOrSkip(t, url !== undefined, skipReason('mongodb'))) return;
  const target = new URL(url as string);
  const proxy = await TcpProxy.open(Number(target.port));
  const database = `cells_${randomUUID().slice(0, 8)}`;
  const through = `mongodb://127.0.0.1:${proxy.port}/${database}?directConnection=true`;
  const data = mkdtempSync(join(tmpdir(), 'tessera-cells-'));
  const server = await startServer([...args('1x1', data), '--mongodb', through]);
  t.after(async () => {
    await server.stop();
    await proxy.close();
    rmSync(data, { recursive: true, force: true });
  });
  const random = createRandom(SEED);
  const clients = await joinAll(server);
  const evictions = (): Promise<number> => server.counter('tessera_zone_cell_evictions_total');
  const until = async (what: string, check: () => Promise<boolean>): Promise<void> => {
    for (const deadline = performance.now() + 30000; !(await check()); ) {
      assert.ok(performance.now() < deadline, `${what}; the server said:\n${server.log()}`);
      await play(clients, 250, random);
    }
  };
  await until('cells go', async () => (await evictions()) > 5);
  proxy.mode = 'refusing';
  proxy.cut();
  await until('the store is missed', async () =>
    /cells cannot be (stored and stay in memory|loaded and are seen empty)/.test(server.log()),
  );
  assert.ok((await server.counter('tessera_io_cell_failures_total')) > 0);
  const [before, ticks] = [await evictions(), await server.counter('tessera_zone_commands_applied_total')];
  await play(clients, 1000, random);
  assert.ok((await server.counter('tessera_zone_commands_applied_total')) > ticks, 'play goes on');
  proxy.mode = 'open';
  await until('cells go again', async () => (await evictions()) > before + 5);
  await until('and come back', async () => (await server.counter('tessera_io_cells_loaded_total')) > 0);
  assert.equal(await server.counter('tessera_io_cells_damaged_total'), 0);
  for (const client of clients) client.close();
});
