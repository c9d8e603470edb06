// Clients that come back to their entities: after their connection was lost, and after the server's process was.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { type Ending, TesseraClient } from '../../src/client/client.js';
import type { SocketClass } from '../../src/client/socket.js';
import { ARENA_COMMANDS } from '../../src/games/arena/command-forms.js';
import { KIND_PLAYER } from '../../src/games/arena/fields.js';
import type { DescribedCommand } from '../../src/protocol/fb/command-layout.js';
import { until } from '../folder.js';
import { requireOrSkip } from '../require.js';
import { startServer, type TestServer } from '../server.js';
import { TcpProxy } from '../services/proxy.js';
import { emptyRedis, listRedisKeys } from '../services/redis-client.js';
import { findService, skipReason } from '../services/running.js';
import chaos from './games/chaos-game.js';

const folder = mkdtempSync(join(tmpdir(), 'tessera-resume-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const CLIENTS = 6;
/** Units that a player may have walked between the newest snapshot and now; a world is 512 wide. */
const NEAR = 60;

const sockets = new Map<TesseraClient, WebSocket>();

interface Player {
  client: TesseraClient;
  endings: Ending[];
}

function createPlayer(url: string, name: string, token: string, commands: readonly DescribedCommand[]): Player {
  // Tests cut the wire, which only the socket itself can do.
  class Kept extends WebSocket {
    constructor(address: string, protocol: string) {
      super(address, protocol);
      sockets.set(client, this);
    }
  }
  const client: TesseraClient = new TesseraClient({
    url,
    name,
    token,
    commands,
    WebSocket: Kept as unknown as SocketClass,
    reconnect: { delayMsMin: 50, delayMsMax: 400, attemptsMax: 100 },
  });
  const endings: Ending[] = [];
  client.onClose = (ending) => endings.push(ending);
  return { client, endings };
}

async function joinPlayer(
  url: string,
  name: string,
  token = '',
  commands: readonly DescribedCommand[] = ARENA_COMMANDS,
): Promise<Player> {
  const player = createPlayer(url, name, token, commands);
  await player.client.connect();
  await until(`${name} sees itself`, () => player.client.self !== null);
  return player;
}

async function untilSnapshot(server: TestServer): Promise<void> {
  const name = 'tessera_io_player_snapshots_total';
  const count = await server.counter(name);
  await server.until('two more snapshots', async () => (await server.counter(name)) >= count + 2);
}

function args(data: string, ...more: string[]): string[] {
  return ['--data', join(folder, data), '--bots', '40', '--hot-snapshot-ms', '1000', '--threads', '1', ...more];
}

function cut({ client }: Player): void {
  sockets.get(client)?.terminate();
}

function placeOf({ client }: Player): { x: number; y: number } {
  assert.ok(client.self, 'it sees itself');
  return { x: client.self.x, y: client.self.y };
}

test('after kill -9 and a start clients come back to their own entities, near where they were; a guest gets a new one', async () => {
  const first = await startServer(args('killed'));
  const players = await Promise.all(Array.from({ length: CLIENTS }, (_, i) => joinPlayer(first.wsUrl, `p${i}`)));
  for (const { client } of players) client.send('Move', { x: 90, y: 40 });
  await untilSnapshot(first);
  const before = players.map(({ client }) => client.entityId);
  const places = players.map(placeOf);
  assert.deepEqual(
    players.map(({ client }) => client.resumed),
    Array(CLIENTS).fill(false),
  );
  assert.equal(statSync(join(folder, 'killed', 'resume.key')).mode & 0o777, 0o600);
  await first.kill();
  await until('all have noticed', () => players.every(({ client }) => client.state !== 'joined'));
  const second = await startServer(args('killed', '--port', String(first.port)));
  try {
    const guest = await joinPlayer(second.wsUrl, 'guest');
    await second.until('all are back', () => players.every(({ client }) => client.self !== null));
    assert.deepEqual(
      players.map(({ client }) => client.entityId),
      before,
    );
    assert.ok(players.every(({ client }) => client.resumed));
    players.forEach((player, i) => {
      const { x, y } = placeOf(player);
      assert.ok(Math.hypot(x - places[i].x, y - places[i].y) < NEAR, `${i} is near ${JSON.stringify(places[i])}`);
    });
    assert.equal(guest.client.resumed, false);
    assert.ok(!before.includes(guest.client.entityId), 'nobody waits for a guest');
    const seq = players[0].client.send('Move', { x: 0, y: 0 });
    await until('its commands are obeyed', () => players[0].client.ack >= seq);
    assert.equal((await second.health()).absent, 0);
    for (const { client } of [...players, guest]) client.close();
  } finally {
    await second.stop();
  }
});

test('entities of a recovered world that nobody comes back to go; who is late comes in as it was stored, and once', async () => {
  const first = await startServer(args('nobody', '--resume-ms', '1500'));
  const player = await joinPlayer(first.wsUrl, 'late');
  const { resumeToken } = player.client;
  const place = placeOf(player);
  await untilSnapshot(first);
  await first.kill();
  player.client.close();
  const second = await startServer(args('nobody', '--resume-ms', '1500'));
  try {
    assert.equal((await second.health()).absent, 1);
    await second.until('it is over', async () => (await second.health()).absent === 0);
    // By two connections at once, with one token.
    const both = ['one', 'other'].map((name) => createPlayer(second.wsUrl, name, resumeToken, ARENA_COMMANDS));
    await Promise.allSettled(both.map(({ client }) => client.connect()));
    await second.until('one of them is gone', () => both.some(({ client }) => client.state === 'closed'));
    const late = both.find(({ client }) => client.state === 'joined');
    assert.ok(late, 'and the other is there');
    await until('it sees itself', () => late.client.self !== null);
    assert.equal(late.client.resumed, true);
    const players = [...late.client.entities.values()].filter(({ kind }) => kind === KIND_PLAYER);
    assert.equal(players.length, 1, 'it is there once');
    assert.ok(Math.hypot(placeOf(late).x - place.x, placeOf(late).y - place.y) < 1, 'it stands where it stood');
    assert.notEqual(late.client.resumeToken, resumeToken);
    late.client.close();
  } finally {
    await second.stop();
  }
});

test('a lost connection leaves the entity for its client; one that is left on purpose does not', async () => {
  const server = await startServer(args('cut', '--spawn', 'crowd'));
  try {
    const [player, leaver, watcher] = [
      await joinPlayer(server.wsUrl, 'player'),
      await joinPlayer(server.wsUrl, 'leaver'),
      await joinPlayer(server.wsUrl, 'watcher'),
    ];
    const id = player.client.entityId as number;
    const leaverId = leaver.client.entityId as number;
    await until('they are seen', () => watcher.client.entities.has(id) && watcher.client.entities.has(leaverId));
    leaver.client.close();
    await until('who left is gone', () => !watcher.client.entities.has(leaverId));
    let vanished = false;
    watcher.client.onFrame = () => {
      vanished ||= !watcher.client.entities.has(id);
    };
    for (let round = 0; round < 3; round++) {
      cut(player);
      await until('it is lost', () => player.client.state !== 'joined');
      await server.until('it is back', () => player.client.self !== null);
      assert.deepEqual([player.client.entityId, player.client.resumed], [id, true]);
      const seq = player.client.send('Move', { x: round, y: 0 });
      await until('its commands are obeyed', () => player.client.ack >= seq);
      assert.equal(player.client.ack, seq, 'its numbers began anew');
    }
    assert.equal(vanished, false);
    player.client.close();
    watcher.client.close();
  } finally {
    await server.stop();
  }
});

test('who shows a token while its old connection lives takes over, and the old one is told why', async () => {
  const server = await startServer(args('twice'));
  try {
    const old = await joinPlayer(server.wsUrl, 'player');
    const { resumeToken, entityId } = old.client;
    const ended = new Promise<Ending>((resolve) => {
      old.client.onClose = resolve;
    });
    const fresh = await joinPlayer(server.wsUrl, 'player', resumeToken);
    const { code, retryMs } = await ended;
    assert.deepEqual([code, retryMs], [4006, null]);
    assert.deepEqual([fresh.client.entityId, fresh.client.resumed], [entityId, true]);
    const seq = fresh.client.send('Move', { x: 1, y: 1 });
    await until('its commands are obeyed', () => fresh.client.ack >= seq);
    fresh.client.close();
  } finally {
    await server.stop();
  }
});

test('a server that was stopped in order keeps its players too; another secret makes guests of them', async () => {
  const first = await startServer(args('stopped', '--resume-secret', 'a secret of some length'));
  const player = await joinPlayer(first.wsUrl, 'player');
  const id = player.client.entityId;
  assert.equal(await first.stop(), 0);
  await until('it has noticed', () => player.client.state !== 'joined');
  const port = ['--port', String(first.port)];
  const second = await startServer(args('stopped', '--resume-secret', 'a secret of some length', ...port));
  await second.until('it is back', () => player.client.self !== null);
  assert.deepEqual([player.client.entityId, player.client.resumed], [id, true]);
  assert.ok(!first.log().includes('a secret of') && !second.log().includes('a secret of'));
  await second.kill();
  const third = await startServer(args('stopped', '--resume-secret', 'another secret of length', ...port));
  try {
    await third.until('it is let in as a guest', () => player.client.self !== null);
    assert.equal(player.client.resumed, false);
    assert.ok(
      player.endings.some(({ code }) => code === 4001),
      'its token was refused first',
    );
    player.client.close();
  } finally {
    await third.stop();
  }
});

const SECRET = 'a secret of some length';
const GAME = fileURLToPath(new URL('./games/chaos-game.js', import.meta.url));
const CHAOS = ['--game', GAME, '--zones', '2x2', '--world', '200x200', '--hot-snapshot-ms', '1000', '--threads', '1'];
const CHAOS_COMMANDS = chaos.commands as never;

/** A database of its own in the Redis that tests share; it begins empty. */
async function findOwnRedis(t: TestContext): Promise<string | undefined> {
  const url = findService('redis');
  if (!requireOrSkip(t, url !== undefined, skipReason('redis'))) return undefined;
  const own = new URL(url as string);
  own.pathname = '/13';
  await emptyRedis(own.href);
  return own.href;
}

test('a player goes on on another server that shares the store and the secret, with what it had', async (t) => {
  const redis = await findOwnRedis(t);
  if (redis === undefined) return;
  const options = [...CHAOS, '--redis', redis, '--resume-secret', SECRET, '--start', 'fresh'];
  const first = await startServer(options);
  const player = await joinPlayer(first.wsUrl, 'wanderer', '', CHAOS_COMMANDS);
  for (let step = 0; step < 42; step++) player.client.send('Step', {});
  await until('it has made its steps', () => player.client.self?.fields[0] === 42);
  await untilSnapshot(first);
  const place = placeOf(player);
  const { resumeToken } = player.client;
  await first.kill();
  player.client.close();
  const second = await startServer([...options, '--seed', '7']);
  try {
    const anew = await joinPlayer(second.wsUrl, 'newcomer', '', CHAOS_COMMANDS);
    const back = await joinPlayer(second.wsUrl, 'wanderer', resumeToken, CHAOS_COMMANDS);
    assert.deepEqual([anew.client.resumed, anew.client.self?.fields[0]], [false, 0]);
    assert.deepEqual([back.client.resumed, back.client.self?.fields[0]], [true, 42]);
    assert.deepEqual(placeOf(back), place);
    const seq = back.client.send('Step', {});
    await until('its commands are obeyed', () => back.client.ack >= seq && back.client.self?.fields[0] === 43);
    await untilSnapshot(second);
    assert.equal((await listRedisKeys(redis, 'snapshot:player:*')).length, 2);
    anew.client.close();
    back.client.close();
    await until(
      'who left is stored no more',
      async () => (await listRedisKeys(redis, 'snapshot:player:*')).length === 0,
    );
  } finally {
    await second.stop();
  }
});

test('where the store does not answer, a token lets in anew all the same, and the log says so', async (t) => {
  const redis = await findOwnRedis(t);
  if (redis === undefined) return;
  const { port, pathname } = new URL(redis);
  const proxy = await TcpProxy.open(Number(port));
  t.after(() => proxy.close());
  const options = [...CHAOS, '--resume-secret', SECRET, '--start', 'fresh'];
  options.push('--redis', `redis://127.0.0.1:${proxy.port}${pathname}`);
  const first = await startServer(options);
  const player = await joinPlayer(first.wsUrl, 'wanderer', '', CHAOS_COMMANDS);
  const { resumeToken } = player.client;
  await untilSnapshot(first);
  await first.kill();
  player.client.close();
  const second = await startServer(options);
  try {
    proxy.mode = 'silent';
    const back = await joinPlayer(second.wsUrl, 'wanderer', resumeToken, CHAOS_COMMANDS);
    assert.equal(back.client.resumed, false);
    assert.match(second.log(), /a player joins anew: /);
    back.client.close();
    proxy.mode = 'open';
  } finally {
    await second.stop();
  }
});
