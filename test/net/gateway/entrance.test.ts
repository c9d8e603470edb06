// From a Join to a seat: what a client is told that finds none, and whose seat it gets.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { DEFAULTS } from '../../../src/config/settings.js';
import { RejectCode } from '../../../src/game/reject-codes.js';
import { DROP_STALE } from '../../../src/net/gateway/net-counters.js';
import { SESSION_ABSENT } from '../../../src/net/gateway/session.js';
import { encodeJoin } from '../../../src/protocol/fb/client-message.js';
import { readWelcome, type WelcomeInfo } from '../../../src/protocol/fb/server-frame.js';
import { NO_ENTITY } from '../../../src/protocol/limits.js';
import { EchoWorld } from '../echo-world.js';
import { GUEST } from '../game-client.js';
import { createInProcess, type InProcess, type KeptConnection } from '../in-process.js';

const LOST = 1006;

/** Clients that are lost are waited for; four places are in the anteroom. */
function createNet(seats: number, spectators = 0): InProcess {
  const resume = {
    secret: Buffer.from('a secret of some length'),
    worldId: randomUUID(),
    resumeMs: 30000,
    reserved: [],
    lastGeneration: 0,
  };
  return createInProcess(new EchoWorld(), seats, { spectators }, resume);
}

async function watch({ gateway }: InProcess, connection: KeptConnection): Promise<void> {
  gateway.receive(connection.client, encodeJoin({ ...GUEST, watch: { x: 1, y: 2 } }, 5));
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

async function ask({ gateway }: InProcess, connection: KeptConnection, token = '', updateHz = 0): Promise<void> {
  gateway.receive(connection.client, encodeJoin({ ...GUEST, token, updateHz }, 5));
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

function welcomeOf(connection: KeptConnection): WelcomeInfo {
  const welcome = readWelcome(connection.frames().at(-1)!);
  assert.ok(welcome !== null);
  return welcome;
}

async function join(net: InProcess, token = ''): Promise<{ connection: KeptConnection; welcome: WelcomeInfo }> {
  const connection = net.connect();
  await ask(net, connection, token);
  return { connection, welcome: welcomeOf(connection) };
}

test('a client gets as many frames as it asks for, at most one a tick, and those of the settings where it asks for none', async () => {
  for (const [asked, given] of [
    [0, DEFAULTS.updateHz],
    [7, 7],
    [255, DEFAULTS.tickHz],
  ]) {
    const net = createInProcess(new EchoWorld(), 1);
    const connection = net.connect();
    await ask(net, connection, '', asked);
    assert.equal(net.world.clients.get(connection.client)?.updateHz, given);
    assert.equal(welcomeOf(connection).updateHz, given);
  }
});

test('whom the world cannot be told of now is rejected with the number of its Join, and sent away', async () => {
  const net = createInProcess(new EchoWorld(), 1);
  net.world.isFull = true;
  const connection = net.connect();
  await ask(net, connection);
  assert.deepEqual(connection.rejects(), [{ seq: 5, kind: 1, code: RejectCode.ServerFull }]);
  assert.equal(connection.closeCode, 1013);
  net.gateway.end(connection.client, 1013);
  assert.deepEqual([net.world.leaves, net.sessions.used], [0, 0]);
});

test('so is one that has got the seat of an absent client', async () => {
  const net = createNet(1);
  const { gateway, world, sessions } = net;
  gateway.end((await join(net)).connection.client, LOST);
  const late = net.connect();
  world.isFull = true;
  await ask(net, late);
  assert.equal(late.closeCode, 1013);
  gateway.end(late.client, 1013);
  assert.deepEqual([sessions.used, sessions.freeSeats], [0, 1]);
});

test('everyone in the anteroom gets a seat of the world, whichever place it has there', async () => {
  const net = createNet(4);
  const { gateway, sessions, world } = net;
  for (let n = 0; n < 4; n++) await join(net);
  for (let seat = 0; seat < 4; seat++) gateway.end(seat, LOST);
  const waiting = [0, 1, 2, 3].map(() => net.connect());
  assert.ok(waiting.every(({ client }) => client >= sessions.seats));
  for (const connection of waiting) await ask(net, connection);
  assert.ok(waiting.every(({ client }) => client < sessions.seats));
  assert.equal(world.clients.size, 4);
});

test('nobody is sent away for a client in the anteroom while a seat is free', async () => {
  const net = createNet(2);
  const { gateway, sessions, world } = net;
  const [stays, goes] = [await join(net), await join(net)];
  gateway.end(stays.connection.client, LOST);
  const late = net.connect();
  gateway.end(goes.connection.client, 1000);
  await ask(net, late);
  welcomeOf(late);
  assert.deepEqual([sessions.counts[SESSION_ABSENT], world.leaves], [1, 1]);
  assert.equal((await join(net, stays.welcome.token)).welcome.resumed, true);
});

test('who waits in the anteroom for the seat of one who has come back is told that the server is full', async () => {
  const net = createNet(1);
  const { gateway, world } = net;
  const { connection, welcome } = await join(net);
  gateway.end(connection.client, LOST);
  const late = net.connect();
  await join(net, welcome.token);
  await ask(net, late);
  assert.deepEqual(late.rejects(), [{ seq: 5, kind: 1, code: RejectCode.ServerFull }]);
  assert.equal(late.closeCode, 1013);
  assert.deepEqual([world.leaves, world.clients.size], [0, 1]);
});

test('that the world has lost an absent client is not an answer that comes too late', async () => {
  const net = createNet(2);
  const { gateway, sessions, counters } = net;
  for (const tell of ['refused', 'dropped']) {
    const { connection, welcome } = await join(net);
    const seat = connection.client;
    gateway.end(seat, LOST);
    if (tell === 'refused') gateway.refused(seat, welcome.clientId, RejectCode.NotAlive);
    else gateway.dropped(seat, welcome.clientId, 1, 'gone');
    assert.deepEqual([sessions.counts[SESSION_ABSENT], counters.drops[DROP_STALE]], [0, 0]);
  }
});

test('as many spectators are let in as the settings say, and their seats are given again', async () => {
  const net = createNet(8, 2);
  const { gateway, sessions, world } = net;
  const [first, second, third] = [net.connect(), net.connect(), net.connect()];
  for (const connection of [first, second, third]) await watch(net, connection);
  assert.deepEqual([sessions.spectators, sessions.spectatorsLive, world.watched.length], [2, 2, 2]);
  assert.deepEqual(third.rejects(), [{ seq: 5, kind: 1, code: RejectCode.ServerFull }]);
  const { entityId, spectator, token } = welcomeOf(first);
  assert.deepEqual([entityId, spectator, token], [NO_ENTITY, true, '']);
  gateway.end(first.client, LOST);
  assert.deepEqual([sessions.spectators, sessions.spectatorsLive, sessions.counts[SESSION_ABSENT]], [1, 1, 0]);
  assert.deepEqual(world.reasons, ['lost'], 'nobody waits for it');
  const fourth = net.connect();
  await watch(net, fourth);
  assert.equal(welcomeOf(fourth).spectator, true);
  const player = await join(net);
  assert.equal(player.welcome.spectator, undefined);
  assert.deepEqual(gateway.playersOf({}), [{ client: player.connection.client, generation: player.welcome.clientId }]);
});

test('a spectator does not get the seat of an absent player, and takes none away', async () => {
  const net = createNet(1, 4);
  const { gateway, sessions, world } = net;
  const { connection, welcome } = await join(net);
  gateway.end(connection.client, LOST);
  const late = net.connect();
  await watch(net, late);
  assert.deepEqual(late.rejects(), [{ seq: 5, kind: 1, code: RejectCode.ServerFull }]);
  assert.deepEqual([sessions.spectators, world.watched.length], [0, 0]);
  assert.equal((await join(net, welcome.token)).welcome.resumed, true);
});

test('a spectator whom the world refuses is no spectator', async () => {
  const net = createNet(2, 4);
  net.world.watchCode = RejectCode.OutOfRange;
  const connection = net.connect();
  await watch(net, connection);
  assert.deepEqual([net.sessions.spectators, connection.closeCode], [0, 0]);
  net.gateway.receive(connection.client, encodeJoin(GUEST, 6));
  await Promise.resolve();
  assert.equal(welcomeOf(connection).spectator, undefined, 'it may join to play');
});
