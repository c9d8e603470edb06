// A hundred clients play, and the server is told to end: who is told what, what is kept, and what the next start finds.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { unpack } from 'msgpackr';
import { EVENT_TOPICS } from '../../src/durability/events/event-form.js';
import { coldId, hotKey } from '../../src/durability/snapshots/snapshotter.js';
import { decodeZone } from '../../src/durability/snapshots/zone-snapshot.js';
import { loadBackends, openStores, type Stores } from '../../src/stores/open-stores.js';
import { requireOrSkip } from '../require.js';
import { startServer, type TestServer } from '../server.js';
import { TcpProxy } from '../services/proxy.js';
import { findService, type ServiceName, skipReason } from '../services/running.js';
import { startFillable } from './full-disk.js';
import { Player } from './platform.js';

const CLIENTS = 100;
const PLAY_MS = 2500;
const STOP_MS_MAX = 10000;
const GOING_AWAY = 1001;
const TRY_AGAIN_LATER = 1013;
const DRAINING = 16;
const ZONES = 4;
const TIMEOUT = { timeout: 150000 };

const folder = mkdtempSync(join(tmpdir(), 'tessera-stop-'));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Rest {
  zones: { id: number; tick: number; entities: number }[];
  eventsEmitted: number;
  eventsDropped: number;
}
interface HandedOver {
  spoolEvents: number;
  eventsDropped: number;
}

/** The fields of a line that the server has logged. */
function logged<T>(server: TestServer, message: string): T {
  const line = server
    .log()
    .split('\n')
    .findLast((candidate) => candidate.includes(`"msg":"${message}"`));
  assert.ok(line !== undefined, `'${message}' is in the log:\n${server.log()}`);
  return JSON.parse(line) as T;
}

function play(players: readonly Player[]): NodeJS.Timeout {
  let beat = 0;
  return setInterval(() => {
    beat++;
    for (const [index, player] of players.entries()) {
      if (player.closeCode !== 0 || !player.isOpen) continue;
      player.send('Move', { x: ((index + beat) % 3) * 100 - 100, y: ((index * 7 + beat) % 3) * 100 - 100 });
      if ((beat + index) % 3 === 0) player.send('Shoot', { angle: (index * 655 + beat * 97) % 65536 });
    }
  }, 100);
}

/** Plays, stops, and checks everything that those outside can see of it. */
async function stopUnderLoad(server: TestServer): Promise<{ rest: Rest; handed: HandedOver }> {
  const players = await Promise.all(
    Array.from({ length: CLIENTS }, (_, i) => new Player(server.wsUrl, `p${i}`).joined()),
  );
  // It never answers the close, so the server has to wait for it as long as it does for anybody.
  const deaf = await new Player(server.wsUrl, 'deaf').joined();
  const playing = play(players);
  await sleep(PLAY_MS);
  deaf.pause();
  const startMs = performance.now();
  const stopped = server.stop();
  await server.until('it begins to stop', () => server.log().includes('telling clients'));
  await server.until('a client is told', () => players.some(({ notices }) => notices.length > 0));
  const late = await new Player(server.wsUrl, 'late').closed();
  const code = await stopped;
  const tookMs = performance.now() - startMs;
  clearInterval(playing);
  assert.equal(code, 0, server.log());
  assert.ok(tookMs < STOP_MS_MAX, `${tookMs} ms:\n${server.log()}`);
  assert.deepEqual(
    [late.closeCode, late.closeReason, late.clientId],
    [TRY_AGAIN_LATER, 'the server is shutting down', -1],
  );
  for (const { closeCode, notices } of players) {
    assert.deepEqual([closeCode, notices], [GOING_AWAY, [{ code: DRAINING, text: 'The server is stopping.' }]]);
  }
  const rest = logged<Rest>(server, 'the world stands still');
  const handed = logged<HandedOver>(server, 'what was left is handed over');
  assert.ok(rest.eventsEmitted > CLIENTS, `${rest.eventsEmitted} events`);
  assert.deepEqual([rest.eventsDropped, handed.eventsDropped], [0, 0]);
  return { rest, handed };
}

/** The ids of the events of one session in the log, each once. */
class SessionEvents {
  private readonly from = new Map<string, number>();

  constructor(private readonly stores: Stores) {}

  /** What is in the log already is of others. */
  async begin(): Promise<void> {
    await this.stores.log.createTopics(EVENT_TOPICS);
    const names = EVENT_TOPICS.map(({ name }) => name);
    for (const { topic, partition, end } of await this.stores.log.positions('stop-test', names)) {
      this.from.set(`${topic} ${partition}`, end);
    }
  }

  async count(epoch: number): Promise<number> {
    const ids = new Set<string>();
    const topics = EVENT_TOPICS.map(({ name }) => name);
    const from = (topic: string, partition: number) => this.from.get(`${topic} ${partition}`) ?? 0;
    await this.stores.log.replay({ topics, from }, async ({ entries }) => {
      for (const { value } of entries) {
        const { eventId } = unpack(value) as { eventId: string };
        if (eventId.split('-')[1] === String(epoch)) ids.add(eventId);
      }
    });
    return ids.size;
  }
}

interface Kept {
  epoch: number;
}

/** The snapshots of both stores are of the last tick, with everybody who was in it. */
async function checkSnapshots(stores: Stores, rest: Rest): Promise<Kept> {
  const hot = await stores.hot.get(rest.zones.map(({ id }) => hotKey(id)));
  let epoch = 0;
  for (const { id, tick, entities } of rest.zones) {
    const cold = (await stores.cold.latest(coldId(id))).snapshot?.bytes;
    for (const [name, bytes] of [
      ['hot', hot[id]],
      ['cold', cold],
    ] as const) {
      assert.ok(bytes, `zone ${id} has a ${name} snapshot`);
      const { header, columns } = decodeZone(bytes);
      const alive = (columns.get('alive') as Uint8Array).reduce((sum, cell) => sum + cell, 0);
      const mirrors = alive - entities;
      assert.equal(header.tick, tick, `the ${name} snapshot of zone ${id} is of the last tick`);
      assert.ok(mirrors >= 0, `zone ${id}: ${alive} of ${entities} are in the ${name} snapshot`);
      epoch = (header as { epoch?: number }).epoch ?? epoch;
    }
  }
  return { epoch };
}

async function checkNextStart(rest: Rest, args: string[]): Promise<TestServer> {
  const next = await startServer([...args, '--start', 'resume']);
  const { recovery, zones } = (await (await fetch(`${next.url}/healthz`)).json()) as {
    recovery: { source: string; snapshotTick: number; skipped: string[] };
    zones: { tick: number; entities: number }[];
  };
  assert.equal(recovery.source, 'hot');
  assert.equal(recovery.snapshotTick, Math.max(...rest.zones.map(({ tick }) => tick)));
  assert.deepEqual(recovery.skipped, []);
  assert.ok(zones.every(({ tick }) => tick >= recovery.snapshotTick));
  return next;
}

function argsOf(data: string, ...more: string[]): string[] {
  return ['--data', join(folder, data), '--zones', '2x2', '--bots', '80', '--spawn', 'hubs:25', ...more];
}

function serviceUrl(t: TestContext, name: ServiceName): string | undefined {
  const url = findService(name);
  return requireOrSkip(t, url !== undefined, skipReason(name)) ? url : undefined;
}

test(
  'with nothing configured: all are told, nothing is lost, the next start goes on from the last tick',
  TIMEOUT,
  async () => {
    const args = argsOf('embedded');
    const { rest, handed } = await stopUnderLoad(await startServer(args));
    assert.equal(rest.zones.length, ZONES);
    assert.equal(handed.spoolEvents, 0);
    const stores = openStores({ folder: join(folder, 'embedded', 'stores'), kafka: '', redis: '', mongodb: '' });
    const { epoch } = await checkSnapshots(stores, rest);
    assert.equal(await new SessionEvents(stores).count(epoch), rest.eventsEmitted);
    await stores.close();
    assert.equal(await (await checkNextStart(rest, args)).stop(), 0);
  },
);

test('the same with Kafka, Redis and a MongoDB-protocol server', TIMEOUT, async (t) => {
  const [kafka, redis, mongodb] = (['kafka', 'redis', 'mongodb'] as const).map((name) => serviceUrl(t, name));
  if (kafka === undefined || redis === undefined || mongodb === undefined) return;
  const [ownRedis, ownMongodb] = [new URL(redis), new URL(mongodb)];
  ownRedis.pathname = '/9';
  ownMongodb.pathname = `/stop${process.pid}`;
  const urls = { kafka, redis: ownRedis.href, mongodb: ownMongodb.href };
  await loadBackends(urls);
  const stores = openStores({ folder, ...urls });
  t.after(() => stores.close());
  const events = new SessionEvents(stores);
  await events.begin();
  const args = argsOf('networked', ...Object.entries(urls).flatMap(([name, url]) => [`--${name}`, url]));
  const { rest, handed } = await stopUnderLoad(await startServer([...args, '--start', 'fresh']));
  assert.equal(handed.spoolEvents, 0);
  const { epoch } = await checkSnapshots(stores, rest);
  assert.equal(await events.count(epoch), rest.eventsEmitted);
  assert.equal(await (await checkNextStart(rest, args)).stop(), 0);
});

test('with Kafka away: events stay on the disk, and the next start hands them over', TIMEOUT, async (t) => {
  const broker = serviceUrl(t, 'kafka');
  if (broker === undefined) return;
  const proxy = await TcpProxy.open(Number(broker.split(':').at(-1)));
  t.after(() => proxy.close());
  await loadBackends({ kafka: broker, redis: '', mongodb: '' });
  const stores = openStores({ folder: join(folder, 'reader'), kafka: broker, redis: '', mongodb: '' });
  t.after(() => stores.close());
  const events = new SessionEvents(stores);
  await events.begin();
  proxy.mode = 'refusing';
  const args = argsOf('away', '--kafka', `127.0.0.1:${proxy.port}`);
  const { rest, handed } = await stopUnderLoad(await startServer(args));
  assert.equal(handed.spoolEvents, rest.eventsEmitted);
  const kept = openStores({ folder: join(folder, 'away', 'stores'), kafka: broker, redis: '', mongodb: '' });
  const { epoch } = await checkSnapshots(kept, rest);
  await kept.close();
  assert.equal(await events.count(epoch), 0);
  proxy.mode = 'open';
  const next = await checkNextStart(rest, args);
  await next.until('the spool is empty', async () => (await next.counter('tessera_io_spool_events')) === 0);
  assert.equal(await events.count(epoch), rest.eventsEmitted);
  assert.equal(await next.stop(), 0);
});

test(
  'stores that have fallen silent do not keep it: the end comes in time, and the journal has the world',
  TIMEOUT,
  async (t) => {
    const [redis, mongodb] = (['redis', 'mongodb'] as const).map((name) => serviceUrl(t, name));
    if (redis === undefined || mongodb === undefined) return;
    const proxies: TcpProxy[] = [];
    const through = async (service: string, path: string): Promise<string> => {
      const url = new URL(service);
      const proxy = await TcpProxy.open(Number(url.port));
      t.after(() => proxy.close());
      proxies.push(proxy);
      url.port = String(proxy.port);
      url.pathname = path;
      return url.href;
    };
    const urls = ['--redis', await through(redis, '/10'), '--mongodb', await through(mongodb, `/silent${process.pid}`)];
    const args = argsOf('silent', ...urls, '--hot-snapshot-ms', '1000', '--cold-snapshot-ms', '5000');
    const server = await startServer([...args, '--start', 'fresh']);
    await server.until('a snapshot', async () => (await server.counter('tessera_io_hot_snapshots_total')) > 0);
    for (const proxy of proxies) proxy.mode = 'silent';
    await sleep(5500); // both kinds of snapshots are under way
    const startMs = performance.now();
    assert.equal(await server.stop(), 0, server.log());
    assert.ok(performance.now() - startMs < STOP_MS_MAX, server.log());
    const rest = logged<Rest>(server, 'the world stands still');
    logged<HandedOver>(server, 'what was left is handed over');
    assert.doesNotMatch(server.log(), /did not finish within/);
    for (const proxy of proxies) {
      proxy.cut();
      proxy.mode = 'open';
    }
    const next = await startServer([...args, '--start', 'resume']);
    const { recovery } = (await (await fetch(`${next.url}/healthz`)).json()) as {
      recovery: { snapshotTick: number; journalTick: number | null };
    };
    const reached = Math.max(recovery.snapshotTick, recovery.journalTick ?? 0);
    assert.equal(reached, Math.max(...rest.zones.map(({ tick }) => tick)), next.log());
    assert.equal(await next.stop(), 0);
  },
);

test(
  'on a full disk the events that nothing could take are counted, named, and the exit code is 1',
  TIMEOUT,
  async (t) => {
    const server = await startFillable(t, argsOf('full'));
    if (server === undefined) return;
    const players = await Promise.all(Array.from({ length: 8 }, (_, i) => new Player(server.wsUrl, `p${i}`).joined()));
    const playing = play(players);
    await sleep(500);
    server.fillDisk();
    await server.until('writes fail', async () => (await server.counter('tessera_io_append_failures_total')) > 0);
    await sleep(500);
    clearInterval(playing);
    const code = await server.stop();
    const [, lost] = /(\d+) events could neither reach the event log nor the disk/.exec(server.log()) ?? [];
    assert.ok(Number(lost) > 0, server.log());
    assert.equal(code, 1, server.log());
    const { eventsDropped } = logged<HandedOver>(server, 'what was left is handed over in part');
    assert.ok(eventsDropped >= Number(lost));
  },
);

test('a second signal ends at once, and says so', TIMEOUT, async (t) => {
  // It takes connections and never says a word, so leaving it takes its time.
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.after(() => silent.close());
  const kafka = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const server = await startServer(argsOf(`second-${signal}`, '--kafka', kafka));
    const deaf = await new Player(server.wsUrl, 'deaf').joined();
    deaf.pause();
    const stopped = server.stop();
    await server.until('it begins to stop', () => server.log().includes('telling clients'));
    // The same signal within a second is one that came twice, as from a terminal and from npm.
    if (signal === 'SIGTERM') await sleep(1100);
    process.kill(server.pid, signal);
    assert.equal(await stopped, 1);
    assert.match(server.log(), new RegExp(`tessera: ${signal} while stopping: ends at once`));
    assert.doesNotMatch(server.log(), /handed over/);
  }
});
