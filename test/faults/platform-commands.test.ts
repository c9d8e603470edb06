// The log stands in a folder of the test's, which writes into it from its own process while the server runs.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pack, unpack } from 'msgpackr';
import { WebSocket } from 'ws';
import { openEmbeddedEventLog } from '../../src/persist/embedded-event-log.js';
import { openKafkaEventLog } from '../../src/persist/kafka-event-log.js';
import { PLATFORM_TOPIC } from '../../src/persist/platform-commands.js';
import type { EventLog } from '../../src/persist/ports.js';
import { requireOrSkip } from '../require.js';
import { startServer, type TestServer } from '../server.js';
import { findService, skipReason } from '../services/running.js';

const WAIT_MS_MAX = 30000;
const folder = mkdtempSync(join(tmpdir(), 'tessera-platform-'));
const openLogs: EventLog[] = [];
let server: TestServer | undefined;
after(async () => {
  await server?.stop();
  await Promise.all(openLogs.map((log) => log.close()));
  rmSync(folder, { recursive: true, force: true });
});

interface Answered {
  eventId: string;
  type: string;
  payload: { commandId: string; command: string; reason?: string };
}

/** The platform: gives commands and reads answers. */
class Platform {
  private constructor(private readonly log: EventLog) {}

  static openFolder(data: string): Promise<Platform> {
    return Platform.open(openEmbeddedEventLog({ folder: join(folder, data, 'stores', 'log') }));
  }

  static async open(log: EventLog): Promise<Platform> {
    openLogs.push(log);
    await log.createTopics([PLATFORM_TOPIC, { name: 'game.events.player', partitions: 4 }]);
    return new Platform(log);
  }

  async send(value: object | Uint8Array): Promise<void> {
    const bytes = value instanceof Uint8Array ? value : pack(value);
    await this.log.append([{ topic: PLATFORM_TOPIC.name, key: 'game', value: bytes, timestampMs: Date.now() }]);
  }

  async answers(): Promise<Answered[]> {
    const found: Answered[] = [];
    await this.log.replay({ topics: ['game.events.player'] }, async ({ entries }) => {
      found.push(...entries.map(({ value }) => unpack(value) as Answered));
    });
    return found.filter(({ type }) => type.startsWith('platform.'));
  }

  async answersTo(commandId: string, count = 1): Promise<Answered[]> {
    let found: Answered[] = [];
    await until(`${count} answers to '${commandId}'`, async () => {
      found = (await this.answers()).filter(({ payload }) => payload.commandId === commandId);
      return found.length >= count;
    });
    return found;
  }

  async order(command: { commandId: string; type: string; [field: string]: unknown }): Promise<Answered> {
    await this.send(command);
    return (await this.answersTo(command.commandId))[0];
  }
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WAIT_MS_MAX;
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, `${what} within ${WAIT_MS_MAX} ms; the server said:\n${server?.log()}`);
    await sleep(20);
  }
}

class Player {
  readonly notices: { code: number; text: string }[] = [];
  readonly rejects: { code: number }[] = [];
  clientId = -1;
  closeCode = 0;
  private readonly socket: WebSocket;

  constructor(url: string, name: string) {
    this.socket = new WebSocket(url, 'tessera.json.1');
    this.socket.on('open', () => this.socket.send(JSON.stringify({ type: 'join', name })));
    this.socket.on('message', (data) => {
      const { notice, rejects, welcome } = JSON.parse(String(data));
      if (notice !== undefined) this.notices.push(notice);
      if (rejects !== undefined) this.rejects.push(...rejects);
      if (welcome !== undefined) this.clientId = welcome.clientId;
    });
    this.socket.on('close', (code) => {
      this.closeCode = code;
    });
  }

  async joined(): Promise<this> {
    await until('a welcome', () => this.clientId >= 0);
    return this;
  }

  async closed(): Promise<this> {
    await until('a close', () => this.closeCode > 0);
    return this;
  }
}

function run(data: string, ...more: string[]): Promise<TestServer> {
  return startServer(['--data', join(folder, data), '--zones', '1x1', ...more]);
}

test('the platform talks to, removes and bans clients of a running server; garbage and repetition do no harm', async () => {
  server = await run('one');
  const platform = await Platform.openFolder('one');
  const { wsUrl } = server;
  const join = (name: string) => new Player(wsUrl, name).joined();
  const [eve, adam, cain] = await Promise.all([join('Eve'), join('Adam'), join('Cain')]);

  const told = await platform.order({ commandId: 'b1', type: 'broadcast', text: 'Grüße' });
  assert.deepEqual(told.payload, { commandId: 'b1', command: 'broadcast' });
  assert.equal(told.type, 'platform.command.done');
  await until('all are told', () => [eve, adam, cain].every(({ notices }) => notices.length > 0));
  assert.deepEqual(adam.notices, [{ code: 0, text: 'Grüße' }]);

  await platform.send({ commandId: 'b1', type: 'broadcast', text: 'Grüße' });
  await platform.send(Uint8Array.of(0xc1, 0xff, 0));
  await platform.send({ commandId: 'b2', type: 'broadcast', text: 'x'.repeat(600) });
  await platform.send({ commandId: 'g1', type: 'grant', item: 5 });
  const repeated = await platform.answersTo('b1', 2);
  assert.equal(new Set(repeated.map(({ eventId }) => eventId)).size, 1);
  const [garbage] = await platform.answersTo('');
  assert.equal(garbage.type, 'platform.command.failed');
  assert.match((await platform.answersTo('b2'))[0].payload.reason ?? '', /text/);
  assert.match((await platform.answersTo('g1'))[0].payload.reason ?? '', /unsupported/);

  const kicked = await platform.order({ commandId: 'k1', type: 'kick', clientId: eve.clientId, text: 'Enough.' });
  assert.equal(kicked.type, 'platform.command.done');
  assert.equal((await eve.closed()).closeCode, 1008);
  assert.deepEqual(eve.notices.at(-1), { code: 18, text: 'Enough.' });
  const again = await join('Eve');
  await platform.send({ commandId: 'k1', type: 'kick', clientId: again.clientId });
  await platform.answersTo('k1', 2);
  const missed = await platform.order({ commandId: 'k2', type: 'kick', name: 'Nobody' });
  assert.match(missed.payload.reason ?? '', /no such client/);

  await platform.order({ commandId: 'n1', type: 'ban', name: 'Cain', minutes: 10, text: 'For good.' });
  assert.equal((await cain.closed()).closeCode, 1008);
  assert.deepEqual(cain.notices.at(-1), { code: 18, text: 'For good.' });
  const banned = await new Player(wsUrl, 'Cain').closed();
  assert.equal(banned.closeCode, 1008);
  assert.deepEqual(
    banned.rejects.map(({ code }) => code),
    [18],
  );
  assert.equal(adam.closeCode + again.closeCode, 0, 'the others play on');
  assert.deepEqual(adam.notices.length, 1, 'a repeated broadcast is not heard twice');

  await platform.order({ commandId: 'n2', type: 'ban', address: '127.0.0.1', minutes: 10 });
  assert.equal((await adam.closed()).closeCode, 1008);
  const stranger = await new Player(wsUrl, 'Stranger').closed();
  assert.equal(stranger.closeCode, 1008);
  assert.equal(stranger.clientId, -1);

  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  assert.match(metrics, /^tessera_io_platform_malformed_total 2$/m);
  assert.match(metrics, /^tessera_io_platform_done_total 6$/m);
  assert.equal(await server.stop(), 0);
});

function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true; // no such process
  }
}

test('a drain tells clients, is answered, and ends the process with 0; the next server starts all the same', async () => {
  server = await run('two');
  const platform = await Platform.openFolder('two');
  const player = await new Player(server.wsUrl, 'Eve').joined();
  await platform.send({ commandId: 'd1', type: 'drain', text: 'Moving house.' });
  await player.closed();
  assert.equal(player.closeCode, 1001);
  assert.deepEqual(player.notices, [{ code: 16, text: 'Moving house.' }]);
  const { pid } = server;
  await until('the process ends', () => hasEnded(pid));
  assert.equal(await server.stop(), 0);
  assert.equal((await platform.answersTo('d1'))[0].type, 'platform.command.done');

  // While no server runs.
  await platform.send({ commandId: 'd2', type: 'drain' });
  await platform.send({ commandId: 'n1', type: 'ban', name: 'Cain', minutes: 10 });
  server = await run('two');
  const late = (await platform.answersTo('d2'))[0];
  assert.match(late.payload.reason ?? '', /before this server was started/);
  await platform.answersTo('n1');
  assert.equal((await new Player(server.wsUrl, 'Cain').closed()).closeCode, 1008);
  await new Player(server.wsUrl, 'Eve').joined();
  assert.equal((await platform.answersTo('d1')).length, 1, 'what was committed does not come again');
  assert.equal(await server.stop(), 0);
});

test('the same through Kafka: a broadcast is heard and answered, a drain ends the server', async (t) => {
  const broker = findService('kafka');
  if (!requireOrSkip(t, broker !== undefined, skipReason('kafka'))) return;
  const platform = await Platform.open(openKafkaEventLog({ brokers: [broker as string] }));
  server = await run('kafka', '--kafka', broker as string);
  const player = await new Player(server.wsUrl, 'Eve').joined();
  const [told, drained] = [randomUUID(), randomUUID()];
  await platform.send({ commandId: told, type: 'broadcast', text: 'hello' });
  await until('the client is told', () => player.notices.length > 0);
  assert.deepEqual(player.notices, [{ code: 0, text: 'hello' }]);
  assert.equal((await platform.answersTo(told))[0].type, 'platform.command.done');
  await platform.send({ commandId: drained, type: 'drain' });
  await player.closed();
  assert.equal(player.closeCode, 1001);
  const { pid } = server;
  await until('the process ends', () => hasEnded(pid));
  assert.equal(await server.stop(), 0);
  assert.equal((await platform.answersTo(drained))[0].type, 'platform.command.done');
});
