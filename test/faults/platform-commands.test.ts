// The log stands in a folder of the test's, which writes into it from its own process while the server runs.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BanBook } from '../../src/durability/commands/ban-book.js';
import { openKafkaEventLog } from '../../src/stores/kafka/kafka-event-log.js';
import { openMongoColdStore } from '../../src/stores/mongodb/mongo-cold-store.js';
import { until } from '../folder.js';
import { requireOrSkip } from '../require.js';
import { startServer, type TestServer } from '../server.js';
import { TcpProxy } from '../services/proxy.js';
import { findService, skipReason } from '../services/running.js';
import { closeLogs, Platform, Player } from './platform.js';

const folder = mkdtempSync(join(tmpdir(), 'tessera-platform-'));
let server: TestServer | undefined;
after(async () => {
  await server?.stop();
  await closeLogs();
  rmSync(folder, { recursive: true, force: true });
});

function run(data: string, ...more: string[]): Promise<TestServer> {
  return startServer(['--data', join(folder, data), '--zones', '1x1', ...more]);
}

test('the platform talks to, removes and bans clients of a running server; garbage and repetition do no harm', async () => {
  server = await run('one');
  const platform = await Platform.openFolder(join(folder, 'one'));
  const { wsUrl } = server;
  const enter = (name: string) => new Player(wsUrl, name).joined();
  const [eve, adam, cain] = await Promise.all([enter('Eve'), enter('Adam'), enter('Cain')]);

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
  assert.match((await platform.answersTo('g1'))[0].payload.reason ?? '', /clientId and name/);

  const kicked = await platform.order({ commandId: 'k1', type: 'kick', clientId: eve.clientId, text: 'Enough.' });
  assert.equal(kicked.type, 'platform.command.done');
  assert.equal((await eve.closed()).closeCode, 1008);
  assert.deepEqual(eve.notices.at(-1), { code: 18, text: 'Enough.' });
  const again = await enter('Eve');
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
  assert.match(metrics, /^tessera_io_platform_malformed_total 3$/m);
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
  const platform = await Platform.openFolder(join(folder, 'two'));
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

test('a grant is seen by its player, given once whatever happens, and refused with the reason', async () => {
  const game = fileURLToPath(new URL('./games/gold-game.js', import.meta.url));
  server = await run('gold', '--game', game);
  const platform = await Platform.openFolder(join(folder, 'gold'));
  const eve = await new Player(server.wsUrl, 'Eve').joined();
  const gold = { type: 'grant', grant: 'gold', amount: 5 };
  const given = await platform.order({ commandId: 'g1', ...gold, clientId: eve.clientId });
  assert.deepEqual([given.type, given.payload], ['platform.command.done', { commandId: 'g1', command: 'grant' }]);
  await until('Eve sees it', () => eve.self.gold === 5);
  await platform.send({ commandId: 'g1', ...gold, name: 'Eve' });
  await platform.answersTo('g1', 2);
  await platform.order({ commandId: 'g2', ...gold, name: 'Eve' });
  await until('Eve sees the second', () => eve.self.gold === 10);
  const reasonOf = async (command: object, commandId: string) =>
    (await platform.order({ ...gold, ...command, commandId })).payload.reason ?? '';
  assert.match(await reasonOf({ name: 'Nobody' }, 'g3'), /no such client/);
  assert.match(await reasonOf({ name: 'Eve', grant: 'silver' }, 'g4'), /none of gold/);
  assert.match(await reasonOf({ name: 'Eve', amount: 101 }, 'g5'), /takes 1 to 100/);
  const events = () => platform.events<{ type: string }>(({ type }) => type === 'got');
  await until('the game has said so', async () => (await events()).length === 2);

  // After a crash the same ids come again: what was answered is answered the same, and done no more.
  await server.kill();
  server = await run('gold', '--game', game);
  const later = await new Player(server.wsUrl, 'Eve').joined();
  const answersBefore = (await platform.answersTo('g2')).length;
  await platform.send({ commandId: 'g2', ...gold, name: 'Eve' });
  const again = await platform.answersTo('g2', answersBefore + 1);
  assert.deepEqual(new Set(again.map(({ type }) => type)), new Set(['platform.command.done']));
  assert.equal(new Set(again.map(({ eventId }) => eventId)).size, 1);
  await platform.order({ commandId: 'g6', ...gold, name: 'Eve' });
  await until('Eve sees it', () => (later.self.gold ?? 0) > 0);
  assert.equal(later.self.gold, 5, 'she began anew, and g6 alone was given since');
  assert.equal(await server.stop(), 0);
});

test('a ban outlives the server that it was given to, however that ended', async () => {
  server = await run('banned');
  const platform = await Platform.openFolder(join(folder, 'banned'));
  await platform.order({ commandId: 'n1', type: 'ban', name: 'Cain', minutes: 10 });
  await server.kill();
  server = await run('banned');
  const cain = await new Player(server.wsUrl, 'Cain').closed();
  assert.deepEqual([cain.closeCode, cain.clientId], [1008, -1]);
  await new Player(server.wsUrl, 'Abel').joined();
  assert.equal(await server.stop(), 0);
});

test('without its store a server begins without bans, says so, and takes them when the store answers', async (t) => {
  const url = findService('mongodb');
  if (!requireOrSkip(t, url !== undefined, skipReason('mongodb'))) return;
  const own = new URL(url as string);
  const proxy = await TcpProxy.open(Number(own.port));
  t.after(() => proxy.close());
  own.port = String(proxy.port);
  own.pathname = `/platform${process.pid}`;
  const store = openMongoColdStore({ url: own.href });
  await new BanBook(store, assert.fail).keep({ kind: 'name', who: 'Cain', untilMs: Date.now() + 600000 });
  await store.close();
  proxy.mode = 'refusing';
  server = await run('away', '--mongodb', own.href, '--start', 'fresh');
  assert.match(server.log(), /the bans are not loaded after/);
  const [cain, abel] = await Promise.all(['Cain', 'Abel'].map((name) => new Player(server!.wsUrl, name).joined()));
  proxy.mode = 'open';
  assert.equal((await cain.closed()).closeCode, 1008);
  assert.deepEqual(cain.notices, [{ code: 18, text: 'You are banned from the game.' }]);
  assert.equal(abel.closeCode, 0);
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
