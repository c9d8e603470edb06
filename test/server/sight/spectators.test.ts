// Spectators of a real server: what their sockets get, in each encoding, and how they follow a player.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import { TesseraClient } from '../../../src/client/client.js';
import type { ClientOptions } from '../../../src/client/client-options.js';
import type { SocketClass } from '../../../src/client/socket.js';
import { describeCommands } from '../../../src/game/describe-commands.js';
import { RejectCode } from '../../../src/game/reject-codes.js';
import { encodeJoin, type Watch } from '../../../src/protocol/fb/client-message.js';
import { CommandLayouts, encodeCommand } from '../../../src/protocol/fb/command-layout.js';
import { openFrame, readRejects, readWelcome } from '../../../src/protocol/fb/server-frame.js';
import { NO_ENTITY } from '../../../src/protocol/limits.js';
import { formatPlain, parseTrusted } from '../../../src/protocol/plain/plain-codec.js';
import { type Encoding, SUBPROTOCOLS } from '../../../src/protocol/subprotocols.js';
import { startServer, type TestServer } from '../../server.js';

const REPLAY = fileURLToPath(new URL('../../../src/server/cli/replay.js', import.meta.url));
/** Numbers that nothing else on the wire is. */
const PUBLIC = 0x51525354;
const OWN = 0xa1b2c3d4;
const TEAM = 0xb5c6d7e8;
const HIDDEN = 0xc9dadbec;
const COMMANDS = {
  Go: { payload: { x: { type: 'f32' }, y: { type: 'f32' } } },
  Hide: { payload: { on: { type: 'bool' } } },
  Jump: { payload: { x: { type: 'f32' }, y: { type: 'f32' } } },
} as const;
const FORMS = describeCommands(COMMANDS);

const gameWith = (more = '') => `export default {
  name: 'watched', version: 1, kinds: ['player', 'beacon', 'ghost'], visibility: 'masks', teams: true, ${more}
  fields: {
    open: { type: 'u32', wire: {} }, own: { type: 'u32', wire: { audience: 'owner' } },
    team_: { type: 'u32', wire: { audience: 'team' } }, beat: { type: 'u8', wire: {} },
    goX: { type: 'f32' }, goY: { type: 'f32' }, joins: { type: 'u32', wire: {} },
  },
  commands: {
    Go: { payload: { x: { type: 'f32' }, y: { type: 'f32' } }, apply(zone, row, { x, y }) {
      zone.columns.goX[row] = x; zone.columns.goY[row] = y; } },
    Hide: { payload: { on: { type: 'bool' } }, apply(zone, row, { on }) { zone.shownTo[row] = on ? 2 : 0xffffffff; } },
    Jump: { payload: { x: { type: 'f32' }, y: { type: 'f32' } }, apply(zone, row, { x, y }) {
      zone.columns.goX[row] = zone.positionX[row] = x; zone.columns.goY[row] = zone.positionY[row] = y; } },
  },
  onJoin(zone, row) { zone.columns.joins[row]++; },
  systems: [{ name: 'live', run(zone) {
    const { goX, goY, own, team_, open, beat } = zone.columns;
    for (let row = 0; row < zone.rowLimit; row++) {
      if (zone.alive[row] === 0) continue;
      beat[row]++;
      if (zone.kind[row] !== 0) continue;
      zone.positionX[row] += Math.max(-1, Math.min(1, goX[row] - zone.positionX[row]));
      zone.positionY[row] += Math.max(-1, Math.min(1, goY[row] - zone.positionY[row]));
      open[row] = ${PUBLIC};
    }
  } }],
  populate(zone, bots, area) {
    zone.spawn(1, area.x + 20, area.y + 64);
    const ghost = zone.spawn(2, area.x + 22, area.y + 66);
    zone.columns.open[ghost] = ${HIDDEN};
    zone.shownTo[ghost] = 4;
  },
  spawnPlayer(zone, x, y) {
    const row = zone.spawn(0, x, y);
    zone.columns.goX[row] = x; zone.columns.goY[row] = y;
    zone.columns.own[row] = ${OWN}; zone.columns.team_[row] = ${TEAM}; zone.team[row] = 1;
    return row;
  },
};`;

const replay = (...args: string[]) => promisify(execFile)(process.execPath, [REPLAY, ...args]);

async function start(t: TestContext, ...flags: string[]): Promise<TestServer & { game: string }> {
  return startGame(t, gameWith(), ...flags);
}

async function startGame(t: TestContext, game: string, ...flags: string[]): Promise<TestServer & { game: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-watch-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'watched.mjs'), game);
  const world = ['--zones', '2x1', '--world', '256x128', '--view-radius', '16', '--threads', '2', '--spawn', 'crowd'];
  const server = await startServer(['--game', join(folder, 'watched.mjs'), ...world, '--bots', '0', ...flags]);
  t.after(() => server.stop());
  return { ...server, game: join(folder, 'watched.mjs') };
}

function client(t: TestContext, server: TestServer, options: Partial<ClientOptions> = {}): TesseraClient {
  const made = new TesseraClient({
    url: server.wsUrl,
    name: 'ada',
    commands: FORMS,
    WebSocket: WebSocket as unknown as SocketClass,
    ...options,
  });
  t.after(() => made.close());
  return made;
}

async function goTo(server: TestServer, player: TesseraClient, x: number, y: number): Promise<void> {
  await server.until('the player sees itself', () => player.self !== null);
  player.send('Go', { x, y });
  await server.until(`the player is at ${x}, ${y}`, () => Math.hypot(player.self!.x - x, player.self!.y - y) < 0.1);
}

interface Said {
  entityId?: number;
  isSpectator: boolean;
  rejects: number[];
  kinds: string[];
}

/** A spectator's socket, read byte by byte. */
class Reader {
  messages: Buffer[] = [];
  closed = 0;
  readonly said: Said = { isSpectator: false, rejects: [], kinds: [] };
  private readonly socket: WebSocket;

  constructor(
    url: string,
    private readonly encoding: Encoding,
    protocol: string,
    watch: Watch,
  ) {
    this.socket = new WebSocket(url, protocol);
    const join = { name: 'spy', token: '', updateHz: 0, watch };
    const plain = 'player' in watch ? { watchPlayer: watch.player } : { watchX: watch.x, watchY: watch.y };
    this.socket.on('open', () => this.say(encodeJoin(join), { type: 'join', name: 'spy', ...plain }));
    this.socket.on('message', (data: Buffer) => this.take(data));
    this.socket.on('close', (code) => {
      this.closed = code;
    });
  }

  go(): void {
    const layout = new CommandLayouts(FORMS).findByName('Go')!;
    this.say(encodeCommand(layout, { x: 1, y: 1 }, 1), { type: 'Go', seq: 1, x: 1, y: 1 });
  }

  holds(value: number): boolean {
    return this.messages.some((message) => {
      if (this.encoding === 'json') return message.includes(String(value));
      if (this.encoding === 'msgpack')
        return message.includes(Buffer.from(formatPlain('msgpack', [value]).slice(1) as Uint8Array));
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32LE(value);
      return message.includes(bytes);
    });
  }

  close(): void {
    this.socket.terminate();
  }

  private say(bytes: Uint8Array, plain: object): void {
    this.socket.send(this.encoding === 'fb' ? bytes : formatPlain(this.encoding, plain as never));
  }

  private take(message: Buffer): void {
    const { said } = this;
    if (this.encoding === 'fb') {
      const frame = openFrame(message)!;
      const welcome = readWelcome(frame);
      if (welcome !== null)
        Object.assign(said, { entityId: welcome.entityId, isSpectator: welcome.spectator === true });
      said.rejects.push(...readRejects(frame).map(({ code }) => code));
    } else {
      const plain = parseTrusted(this.encoding, message) as {
        welcome?: { entityId: number; spectator?: boolean };
        rejects?: { code: string | number }[];
        entities?: { kind?: string }[];
      };
      const { welcome, rejects = [], entities = [] } = plain;
      if (welcome !== undefined)
        Object.assign(said, { entityId: welcome.entityId, isSpectator: welcome.spectator === true });
      said.rejects.push(...rejects.map(({ code }) => Number(code)));
      for (const { kind } of entities) if (kind !== undefined) said.kinds.push(kind);
    }
    if (said.entityId !== undefined) this.messages.push(message);
  }
}

test("no byte of what owners, teams and masks keep reaches a spectator's socket, in any encoding", async (t) => {
  const server = await start(t, '--spectators', '8');
  const player = client(t, server);
  const { entityId } = await player.connect();
  await goTo(server, player, 24, 64);
  for (const { name, encoding } of SUBPROTOCOLS) {
    for (const watch of [{ x: 20, y: 64 }, { player: entityId }]) {
      const reader = new Reader(server.wsUrl, encoding, name, watch);
      t.after(() => reader.close());
      await server.until(`${name}: frames`, () => reader.messages.length > 30);
      assert.deepEqual([reader.said.isSpectator, reader.said.entityId], [true, NO_ENTITY]);
      assert.ok(reader.holds(PUBLIC), `${name}: what is searched for can be found`);
      for (const secret of [OWN, TEAM, HIDDEN]) assert.ok(!reader.holds(secret), `${name}: ${secret}`);
      reader.go();
      await server.until(`${name}: a command is refused`, () => reader.said.rejects.length > 0);
      assert.deepEqual(reader.said.rejects, [RejectCode.Spectating]);
      if (encoding !== 'fb') assert.deepEqual([...new Set(reader.said.kinds)].sort(), ['beacon', 'player']);
      reader.close();
    }
  }
});

test('a game lets spectators see more by seesAsSpectator, and nothing of owners and teams', async (t) => {
  const server = await startGame(t, gameWith('seesAsSpectator: 5,'), '--spectators', '8');
  const player = client(t, server);
  await player.connect();
  await goTo(server, player, 24, 64);
  const reader = new Reader(server.wsUrl, 'fb', SUBPROTOCOLS[0].name, { x: 20, y: 64 });
  t.after(() => reader.close());
  await server.until('frames', () => reader.messages.length > 30);
  assert.deepEqual(
    [PUBLIC, HIDDEN, OWN, TEAM].map((value) => reader.holds(value)),
    [true, true, false, false],
  );
});

test('spectators are no players: they have no entity, onJoin hears nothing, and figures tell them apart', async (t) => {
  const server = await start(t, '--spectators', '2');
  const player = client(t, server);
  await player.connect();
  await goTo(server, player, 24, 64);
  const entities = async () => (await server.health()).zones.reduce((sum, zone) => sum + zone.entities, 0);
  const before = await entities();
  const first = client(t, server, { watch: { x: 20, y: 64 } });
  const second = client(t, server, { watch: { x: 150, y: 64 } });
  const { token, resumed } = await first.connect();
  await second.connect();
  assert.deepEqual([token, resumed, first.entityId, first.self, first.isSpectator], ['', false, null, null, true]);
  assert.equal(first.send('Go', { x: 1, y: 1 }), 0);
  await server.until('both see', () => first.entities.size === 2 && second.entities.size === 1);
  const health = await server.health();
  assert.deepEqual([health.clients, health.spectators, await entities()], [1, 2, before]);
  assert.equal(
    health.zones.reduce((sum, zone) => sum + zone.clients, 0),
    1,
  );
  assert.equal(await server.counter('tessera_net_spectators'), 2);
  assert.equal(await server.counter('tessera_zone_spectators'), 2);
  const joins = player.fieldIndex('joins');
  assert.equal(player.self!.fields[joins], 1);

  await assert.rejects(client(t, server, { watch: { x: 1, y: 1 } }).connect(), /the server is full/);
  first.close();
  await server.until('one is gone', async () => (await server.counter('tessera_zone_spectators')) === 1);
  const third = client(t, server, { watch: { x: 20, y: 64 } });
  await third.connect();
  await server.until('a seat that is free is given again', () => third.entities.size === 2);
});

test('what cannot be watched is refused with a code', async (t) => {
  const closed = await start(t);
  const none = new Reader(closed.wsUrl, 'json', 'tessera.json.1', { x: 1, y: 1 });
  t.after(() => none.close());
  await closed.until('it is refused', () => none.said.rejects.length > 0);
  assert.deepEqual(none.said.rejects, [RejectCode.NoSpectators]);
  const server = await start(t, '--spectators', '4');
  for (const [watch, code] of [
    [{ x: 256, y: 1 }, RejectCode.OutOfRange],
    [{ x: -1, y: 1 }, RejectCode.OutOfRange],
    [{ player: 7 }, RejectCode.NotAlive],
  ] as const) {
    const reader = new Reader(server.wsUrl, 'fb', SUBPROTOCOLS[0].name, watch);
    t.after(() => reader.close());
    await server.until('it is refused', () => reader.said.rejects.length > 0);
    assert.deepEqual(reader.said.rejects, [code], JSON.stringify(watch));
  }
});

test('a spectator follows its player over a border and back, and stays at the place when the player leaves', async (t) => {
  const server = await start(t, '--spectators', '4');
  const player = client(t, server);
  const { entityId } = await player.connect();
  await goTo(server, player, 24, 64);
  const watcher = client(t, server, { watch: { player: entityId } });
  await watcher.connect();
  const sees = (x: number) => Math.abs((watcher.entities.get(entityId)?.x ?? -1) - x) < 0.1;
  await server.until('it sees the player', () => sees(24));
  let gaps = 0;
  watcher.onFrame = () => {
    if (!watcher.entities.has(entityId)) gaps++;
  };
  for (const x of [148, 100, 150, 24, 148]) {
    await goTo(server, player, x, 64);
    await server.until(`it sees the player at ${x}`, () => sees(x));
  }
  assert.equal(gaps, 0, 'the player is in every frame');
  assert.equal(watcher.traffic.framesBad + watcher.traffic.resyncs, 0);
  const beacon = [...watcher.entities.values()].find(({ kind }) => kind === 1);
  assert.equal(beacon?.x, 148);
  player.close();
  await server.until('the player is gone', () => !watcher.entities.has(entityId));
  const { tick } = watcher;
  await server.until('it goes on to see the place', () => watcher.tick > tick + 90 && watcher.entities.size === 1);
  assert.equal(await server.counter('tessera_zone_spectators'), 1);
});

test('a spectator finds a player again that has jumped beyond all that its zone sees', async (t) => {
  const server = await start(t, '--spectators', '4', '--zones', '4x1', '--world', '512x128');
  const player = client(t, server);
  const { entityId } = await player.connect();
  await goTo(server, player, 24, 64);
  const watcher = client(t, server, { watch: { player: entityId } });
  await watcher.connect();
  for (const x of [500, 24, 300]) {
    player.send('Jump', { x, y: 64 });
    const isThere = () => Math.abs((watcher.entities.get(entityId)?.x ?? -1) - x) < 0.1;
    await server.until(`it sees the player at ${x}`, isThere);
  }
  assert.equal(watcher.traffic.framesBad + watcher.traffic.resyncs, 0);
});

test('a player that is hidden is not followed, not even its place is told; shown again it is, in whatever zone', async (t) => {
  const server = await start(t, '--spectators', '4');
  const player = client(t, server);
  const { entityId } = await player.connect();
  await goTo(server, player, 24, 64);
  const watcher = client(t, server, { watch: { player: entityId } });
  await watcher.connect();
  await server.until('it sees player and beacon', () => watcher.entities.size === 2);
  player.send('Hide', { on: true });
  await server.until('the player is hidden', () => !watcher.entities.has(entityId));
  const kinds = new Set<number>();
  let entered = 0;
  watcher.onFrame = ({ delta }) => {
    entered += delta.entered.length;
    for (const { kind } of watcher.entities.values()) kinds.add(kind);
  };
  await goTo(server, player, 148, 64);
  await sleep(1500);
  assert.deepEqual([...kinds], [1], 'it looks at the first beacon all the while');
  assert.equal(entered, 0, 'and not at the one where the player is');
  player.send('Hide', { on: false });
  await server.until('it sees the player again', () => watcher.entities.has(entityId));
  const refused = client(t, server, { watch: { player: entityId } });
  player.send('Hide', { on: true });
  await server.until('the player is hidden again', () => !watcher.entities.has(entityId));
  await assert.rejects(refused.connect(), /the entity cannot act now/);
});

test('a spectator outlives the tick threads, and after a restart joins again by itself', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'tessera-watch-data-'));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  const flags = ['--spectators', '4', '--data', join(data, 'world')];
  const server = await start(t, ...flags);
  const player = client(t, server, { reconnect: {} });
  const { entityId } = await player.connect();
  await goTo(server, player, 24, 64);
  const place = client(t, server, { watch: { x: 20, y: 64 }, reconnect: {} });
  const follower = client(t, server, { watch: { player: entityId }, reconnect: {} });
  await Promise.all([place.connect(), follower.connect()]);
  await server.until('both see', () => place.entities.has(entityId) && follower.entities.has(entityId));
  for (const x of [148, 24]) {
    process.kill(server.pid, 'SIGUSR2');
    await server.untilCounter('tessera_thread_restarts_total', x === 148 ? 1 : 2);
    await goTo(server, player, x, 64);
    const { tick } = follower;
    await server.until(
      'the follower is with it',
      () => follower.tick > tick && Math.abs((follower.entities.get(entityId)?.x ?? -1) - x) < 0.1,
    );
  }
  await server.until('the place is seen', () => place.entities.has(entityId));
  assert.equal(place.traffic.reconnects + follower.traffic.reconnects, 0);

  await server.kill();
  // What spectators looked at is no part of what is played again.
  const { stdout } = await replay('latest', '--game', server.game, '--data', join(data, 'world'));
  assert.match(stdout, /[1-9]\d* hashes and \d+ whole states agreed, 0 differed/);
  const next = await start(t, ...flags, '--port', String(server.port));
  for (const one of [place, follower]) {
    await next.until('it has joined again and sees', () => one.state === 'joined' && one.entities.has(entityId));
    assert.deepEqual([one.resumed, one.isSpectator], [false, true]);
  }
  assert.equal((await next.health()).spectators, 2);
});

test('with a delay spectators see everything so late, whole and in order, in each encoding', async (t) => {
  const server = await start(t, '--spectators', '4', '--spectator-delay-ms', '1000');
  const player = client(t, server);
  const { entityId, tickHz } = await player.connect();
  await goTo(server, player, 24, 64);
  const plain = new Reader(server.wsUrl, 'json', 'tessera.json.1', { player: entityId });
  const watcher = client(t, server, { watch: { player: entityId } });
  t.after(() => plain.close());
  const behind: number[] = [];
  watcher.onFrame = () => behind.push((player.tick - watcher.tick) / tickHz);
  await watcher.connect();
  await goTo(server, player, 148, 64);
  await server.until('it sees the player there', () => Math.abs((watcher.entities.get(entityId)?.x ?? 0) - 148) < 0.1);
  assert.ok(behind.length > 20);
  assert.ok(Math.min(...behind) > 0.9, `${Math.min(...behind)} s`);
  assert.ok(behind.toSorted((a, b) => a - b)[behind.length >> 1] < 1.5);
  assert.equal(watcher.traffic.framesBad + watcher.traffic.resyncs, 0);
  const ticks = plain.messages
    .map((message) => (JSON.parse(message.toString()) as { tick: number }).tick)
    .filter((tick) => tick > 0);
  assert.ok(ticks.length > 20);
  assert.deepEqual(
    ticks,
    ticks.toSorted((a, b) => a - b),
  );
});
