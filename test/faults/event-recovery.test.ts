// Servers that were killed and have lost their journal: they go on from a snapshot and from what the event log knows since.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { TesseraClient } from '../../src/client/client.js';
import type { SocketClass } from '../../src/client/socket.js';
import { coldId, hotKey } from '../../src/durability/snapshots/snapshotter.js';
import { decodeZone } from '../../src/durability/snapshots/zone-snapshot.js';
import { ARENA_COMMANDS } from '../../src/games/arena/command-forms.js';
import { HP_MAX, MOVE_TOLD_SECONDS, PLAYER_SPEED } from '../../src/games/arena/rules.js';
import { openStores, type Stores } from '../../src/stores/open-stores.js';
import { requireOrSkip } from '../require.js';
import { startServer, type TestServer } from '../server.js';
import { findService, OwnService, skipReason } from '../services/running.js';

const folder = mkdtempSync(join(tmpdir(), 'tessera-events-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const TOY = fileURLToPath(new URL('../games/toy/game.js', import.meta.url));
const WAIT_MS_MAX = 30000;
const TIMEOUT = { timeout: 150000 };
const ZONES = [0, 1, 2, 3];
const WALK_MS = 4000;
/** So rarely that the victim is seen to be hit before it is shot at again: it must not die. */
const SHOOT_MS = 500;
const NEAR = 4;
const MOVE_STEPS = 127;
/** From a tick to the log, on a busy machine. */
const LOG_MS_MAX = 1000;
/** A place is told in steps of 1/32, and seen in steps of the wire. */
const TOLD_STEP = 0.1;

interface RecoveryHealth {
  source: string;
  snapshotTick: number;
  journalTick: number | null;
  events: { applied: number; unknown: number } | null;
  skipped: string[];
}

async function recoveryOf({ url }: TestServer): Promise<RecoveryHealth> {
  return ((await (await fetch(`${url}/healthz`)).json()) as { recovery: RecoveryHealth }).recovery;
}

async function untilSnapshot(server: TestServer): Promise<void> {
  const name = 'tessera_io_hot_snapshots_total';
  const count = await server.counter(name);
  await server.until('two more snapshots', async () => (await server.counter(name)) >= count + 2);
}

function args(data: string, ...more: string[]): string[] {
  const world = ['--zones', '2x2', '--world', '256x256', '--spawn', 'crowd', '--bots', '20', '--threads', '1'];
  return ['--data', join(folder, data), '--hot-snapshot-ms', '1000', ...world, ...more];
}

async function withStores(data: string, action: (stores: Stores) => Promise<unknown>): Promise<void> {
  const stores = openStores({ folder: join(folder, data, 'stores'), kafka: '', redis: '', mongodb: '' });
  try {
    await action(stores);
  } finally {
    await stores.close();
  }
}

/** The newest hot snapshot becomes a cold one; the server knows nothing of it. */
function keepAsCold(data: string): Promise<void> {
  return withStores(data, async ({ hot, cold }) => {
    for (const [zone, bytes] of (await hot.get(ZONES.map(hotKey))).entries()) {
      assert.ok(bytes);
      const { tick, takenAtMs } = decodeZone(bytes).header;
      await cold.save(coldId(zone), { bytes, tick, takenAtMs, meta: {} });
    }
  });
}

/** All but what is cold. */
async function loseTheRest(data: string): Promise<void> {
  await withStores(data, ({ hot }) => hot.delete(ZONES.map(hotKey)));
  rmSync(join(folder, data, 'journal'), { recursive: true });
}

/** Ends with the test, also with one that fails. */
async function startOne(t: TestContext, flags: readonly string[]): Promise<TestServer> {
  const server = await startServer(flags);
  t.after(() => server.kill());
  return server;
}

async function joinPlayer(
  t: TestContext,
  { wsUrl }: TestServer,
  name: string,
  comesBack = true,
): Promise<TesseraClient> {
  const client = new TesseraClient({
    url: wsUrl,
    name,
    commands: ARENA_COMMANDS,
    WebSocket: WebSocket as unknown as SocketClass,
    ...(comesBack && { reconnect: { delayMsMin: 50, delayMsMax: 400, attemptsMax: 200 } }),
  });
  t.after(() => client.close());
  await client.connect();
  return client;
}

interface Told {
  entityId: number | null;
  x: number;
  y: number;
  hp: number;
}

function told(client: TesseraClient): Told {
  const { self, entityId } = client;
  assert.ok(self, 'it sees itself');
  return { entityId, x: self.x, y: self.y, hp: self.fields[0] as number };
}

function apart(one: Told, other: Told): number {
  return Math.hypot(one.x - other.x, one.y - other.y);
}

function aimAt(shooter: TesseraClient, { x, y }: Told): void {
  const from = told(shooter);
  const turns = Math.atan2(y - from.y, x - from.x) / (2 * Math.PI);
  shooter.send('Shoot', { angle: Math.round(turns * 65536) & 0xffff });
}

/** Not nearer than a shot needs, and past what stands between, as walkers slide along it. */
function approach(walker: TesseraClient, { x, y }: Told): void {
  const from = told(walker);
  const distance = Math.hypot(x - from.x, y - from.y);
  const steps = distance > NEAR ? MOVE_STEPS / distance : 0;
  walker.send('Move', { x: Math.round((x - from.x) * steps), y: Math.round((y - from.y) * steps) });
}

async function goOnWithoutJournal(t: TestContext, data: string, ...more: string[]): Promise<void> {
  const first = await startOne(t, args(data, ...more));
  const [shooter, victim, walker, stopped] = await Promise.all(
    ['shooter', 'victim', 'walker', 'stopped'].map((name) => joinPlayer(t, first, name)),
  );
  const players = [shooter, victim, walker, stopped];
  await first.until('all see themselves', () => players.every(({ self }) => self !== null));
  await untilSnapshot(first);
  const before = players.map(told);
  await keepAsCold(data);

  walker.send('Move', { x: 127, y: 10 });
  stopped.send('Move', { x: -20, y: -127 });
  const walkedMs = performance.now() + WALK_MS;
  while (performance.now() < walkedMs || told(victim).hp > HP_MAX / 2) {
    if (told(victim).hp > HP_MAX / 2) {
      aimAt(shooter, told(victim));
      approach(shooter, told(victim)); // a pillar may be in the way
    }
    assert.ok(performance.now() < walkedMs + WAIT_MS_MAX, `nobody is hit: ${JSON.stringify(told(victim))}`);
    await sleep(SHOOT_MS);
  }
  for (const player of [shooter, stopped]) player.send('Move', { x: 0, y: 0 });
  const late = await joinPlayer(t, first, 'late', false);
  await sleep(MOVE_TOLD_SECONDS * 1000 + LOG_MS_MAX);
  const last = players.map(told);
  await first.kill();
  late.close();
  await loseTheRest(data);
  assert.ok(
    apart(last[2], before[2]) > 2 * PLAYER_SPEED && apart(last[3], before[3]) > 2 * PLAYER_SPEED,
    'they walked',
  );
  assert.ok(last[1].hp > 0 && last[1].hp <= HP_MAX / 2, 'one was hit');

  const second = await startOne(t, args(data, '--port', String(first.port), ...more));
  const { source, snapshotTick, journalTick, events, skipped } = await recoveryOf(second);
  assert.deepEqual([source, journalTick], ['cold', null], second.log());
  assert.deepEqual(
    skipped.filter((line) => !/ is missing($|: its segment \d+ was the last)/.test(line)),
    [],
    'what was deleted is named, and nothing else',
  );
  assert.ok(snapshotTick > 0);
  assert.ok(events !== null && events.applied > 10, JSON.stringify(events));
  assert.equal(events.unknown, 1, 'of who came after the snapshot only the log knows');
  await second.until('all are back', () => players.every((client) => client.resumed && client.self !== null));
  const now = players.map(told);
  for (const [i, { entityId, hp }] of now.entries()) {
    assert.equal(entityId, last[i].entityId);
    assert.equal(hp, last[i].hp);
  }
  const [, , ofWalker, ofStopped] = now.map((place, i) => apart(place, last[i]));
  assert.ok(ofWalker <= PLAYER_SPEED * (MOVE_TOLD_SECONDS + LOG_MS_MAX / 1000), `the walker is ${ofWalker} off`);
  assert.ok(ofStopped <= TOLD_STEP, `who stood still is ${ofStopped} off`);
}

test('a journal that is lost: players are where they were told to be, and as wounded', TIMEOUT, async (t) => {
  await goOnWithoutJournal(t, 'embedded');
});

test('the same with the log in Kafka', TIMEOUT, async (t) => {
  if (!requireOrSkip(t, findService('kafka') !== undefined, skipReason('kafka'))) return;
  const service = await OwnService.start('kafka');
  t.after(() => service.stop());
  await goOnWithoutJournal(t, 'kafka', '--kafka', `127.0.0.1:${service.port}`);
});

test(
  'a server that keeps no journal loses what the hot snapshot lacks, but for what the log knows',
  TIMEOUT,
  async (t) => {
    const more = ['--journal-flush-ms', '0', '--hot-snapshot-ms', '10000'];
    const first = await startOne(t, args('without', ...more));
    const player = await joinPlayer(t, first, 'walker');
    await first.until('a snapshot', async () => (await first.counter('tessera_io_hot_snapshots_total')) >= 1);
    const before = told(player);
    player.send('Move', { x: 0, y: 127 });
    await sleep(WALK_MS);
    const last = told(player);
    await first.kill();
    const second = await startOne(t, args('without', '--port', String(first.port), ...more));
    const { source, events } = await recoveryOf(second);
    assert.equal(source, 'hot');
    assert.ok(events !== null && events.applied >= 2, JSON.stringify(events));
    await second.until('it is back', () => player.resumed && player.self !== null);
    assert.ok(apart(told(player), last) <= PLAYER_SPEED * (MOVE_TOLD_SECONDS + LOG_MS_MAX / 1000));
    assert.ok(apart(told(player), before) > PLAYER_SPEED);
  },
);

test('a game that does not say what its events did goes on from the snapshot', TIMEOUT, async (t) => {
  const more = ['--game', TOY, '--journal-flush-ms', '0'];
  const first = await startOne(t, args('toy', ...more));
  await untilSnapshot(first);
  await first.kill();
  const second = await startOne(t, args('toy', ...more));
  const { source, events, skipped } = await recoveryOf(second);
  assert.deepEqual([source, events, skipped], ['hot', null, []]);
});
