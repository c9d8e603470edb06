import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Packr, Unpackr } from 'msgpackr';
import { WebSocket } from 'ws';
import { RejectCode } from '../../../../src/game/reject-codes.js';
import { encodeJoin, encodeLeave, encodePing, encodeResync } from '../../../../src/protocol/fb/client-message.js';
import { FrameFlag, readNotice, readPong, readWelcome } from '../../../../src/protocol/fb/server-frame.js';
import { MOVE, QUANTUM } from '../../echo-world.js';
import { framesOf, GUEST, joinClient, moveBytes, openClient, rejected } from '../../game-client.js';
import { RawClient } from '../../raw-client.js';
import { type Running, startNet, stopAll, until } from '../../start-net.js';

let running: Running;
before(async () => {
  running = await startNet({ updateHz: 25, tickHz: 50, viewRadius: 24 });
});
after(stopAll);

/** A connection of the ws library whose messages are kept. */
async function openLibraryClient(protocol: string) {
  const socket = new WebSocket(`ws://127.0.0.1:${running.port}/ws/game`, protocol);
  const messages: { data: Buffer; isBinary: boolean }[] = [];
  socket.on('message', (data, isBinary) => messages.push({ data: data as Buffer, isBinary }));
  await new Promise((resolve, reject) => {
    socket.on('open', resolve);
    socket.on('error', reject);
  });
  return { socket, messages };
}

test('a client that joins is welcomed with what it needs to read frames', async () => {
  const client = await joinClient(running.port);
  const welcome = framesOf(client).map(readWelcome)[0]!;
  assert.equal(welcome.game, 'echo');
  assert.equal(welcome.entityId, 1000 + running.world.indexOf(welcome.clientId));
  assert.deepEqual([welcome.tickHz, welcome.updateHz, welcome.quantum], [50, 25, QUANTUM]);
  assert.deepEqual([welcome.viewRadius, welcome.leaveRadius], [24, 30]);
  assert.deepEqual(welcome.kinds, ['player', 'tree']);
  assert.deepEqual(
    welcome.fields.map(({ name }) => name),
    ['health'],
  );
  assert.deepEqual(welcome.commands, [
    { name: 'move', kind: MOVE, bytes: 12 },
    { name: 'aim', kind: 257, bytes: 16 },
  ]);
  client.destroy();
});

test('a wanted update rate is granted up to the tick rate', async () => {
  for (const [wanted, granted] of [
    [10, 10],
    [200, 50],
  ]) {
    const client = await openClient(running.port);
    client.sendFrame(encodeJoin({ ...GUEST, updateHz: wanted }));
    await until('a Welcome', () => client.messages.length > 0);
    const welcome = readWelcome(framesOf(client)[0])!;
    assert.equal(welcome.updateHz, granted);
    assert.equal(running.world.clients.get(running.world.indexOf(welcome.clientId))?.updateHz, granted);
    client.destroy();
  }
});

test('a command reaches the world with its payload, and a frame comes back with its number', async () => {
  const client = await joinClient(running.port);
  client.sendFrame(moveBytes(7, -5, 9));
  await until('the command', () => running.world.commands.at(-1)?.seq === 7);
  const { kind, payload } = running.world.commands.at(-1)!;
  assert.deepEqual([kind, payload], [MOVE, [251, 9, 0, 0]]);
  running.world.step();
  await until('a frame', () => framesOf(client).some((frame) => frame.ack() === 7));
  client.destroy();
});

test('a ping of the protocol comes back untouched', async () => {
  const client = await joinClient(running.port);
  client.sendFrame(encodePing(3, 0xdeadbeef));
  await until('a pong', () => framesOf(client).some((frame) => readPong(frame) !== null));
  const pong = framesOf(client).map(readPong).at(-1);
  assert.deepEqual(pong, { seq: 3, clientTime: 0xdeadbeef });
  client.destroy();
});

test('a resync brings a full frame, and a second one right after it is refused', async () => {
  const client = await joinClient(running.port);
  running.world.step();
  await until('the first frame', () => client.messages.length >= 2);
  const before = running.world.resyncs;
  client.sendFrame(encodeResync(1));
  client.sendFrame(encodeResync(2));
  const rejects = await rejected(client);
  assert.deepEqual(rejects[0], { seq: 2, kind: 3, code: RejectCode.RateLimited });
  assert.equal(running.world.resyncs, before + 1);
  running.world.step();
  await until('a full frame', () => (framesOf(client).at(-1)!.flags() & FrameFlag.Full) !== 0);
  client.destroy();
});

test('a leave ends the session and the connection', async () => {
  const client = await joinClient(running.port);
  const leaves = running.world.leaves;
  client.sendFrame(encodeLeave(1));
  assert.equal(await client.closed(), 1000);
  await client.gone();
  assert.equal(running.world.leaves, leaves + 1);
});

test('what the world refuses is told to the client', async () => {
  const client = await joinClient(running.port);
  const index = running.world.indexOf(readWelcome(framesOf(client)[0])!.clientId);
  running.world.reject(index, 12, MOVE, RejectCode.Cooldown);
  assert.deepEqual(await rejected(client), [{ seq: 12, kind: MOVE, code: RejectCode.Cooldown }]);
  assert.equal(running.net.stats.snapshot().rejects.Cooldown, 1);
  client.destroy();
});

test('a full command ring is told to the client and does not end the session', async () => {
  const client = await joinClient(running.port);
  running.world.ringIsFull = true;
  client.sendFrame(moveBytes(1));
  assert.deepEqual(await rejected(client), [{ seq: 1, kind: MOVE, code: RejectCode.QueueFull }]);
  running.world.ringIsFull = false;
  const count = running.world.commandCount;
  client.sendFrame(moveBytes(2));
  await until('the next command', () => running.world.commandCount > count);
  client.destroy();
});

test('frames for a former holder of an index reach nobody', async () => {
  const client = await joinClient(running.port);
  const index = running.world.indexOf(readWelcome(framesOf(client)[0])!.clientId);
  const { generation } = running.world.clients.get(index)!;
  const received = client.messages.length;
  running.world.send(index, generation - 1, { tick: 1, ack: 0 });
  running.world.send(index, generation, { tick: 99, ack: 0 });
  await until('the frame that is meant', () => client.messages.length > received);
  assert.equal(framesOf(client).at(-1)!.tick(), 99);
  assert.equal(client.messages.length, received + 1);
  client.destroy();
});

test('a client that the world drops is told why and closed with 4005', async () => {
  const client = await joinClient(running.port);
  const index = running.world.indexOf(readWelcome(framesOf(client)[0])!.clientId);
  const { generation } = running.world.clients.get(index)!;
  running.net.sink.dropped(index, generation, 5, 'no zone left');
  assert.equal(await client.closed(), 4005);
  assert.deepEqual(readNotice(framesOf(client).at(-1)!), { code: 5, text: 'no zone left' });
  await client.gone();
  running.world.clients.delete(index);
});

test('the JSON sub-protocol carries the same messages as objects', async () => {
  const { socket, messages } = await openLibraryClient('tessera.json.1');
  const objects = () => messages.map(({ data }) => JSON.parse(data.toString()));
  socket.send(JSON.stringify({ type: 'join', name: 'Zoë', token: '', updateHz: 20 }));
  await until('a Welcome', () => messages.length > 0);
  assert.equal(messages[0].isBinary, false);
  const { welcome } = objects()[0];
  assert.equal(welcome.updateHz, 20);
  running.world.step();
  await until('the full frame', () => messages.length > 1);
  assert.deepEqual(objects()[1].entities, [
    { id: welcome.entityId, entered: true, kind: 'player', x: 1, y: 2, health: 100 },
  ]);
  socket.send(JSON.stringify({ type: 'move', seq: 4, x: 3, y: -3 }));
  await until('the command', () => running.world.commands.at(-1)?.client === running.world.indexOf(welcome.clientId));
  assert.deepEqual(running.world.commands.at(-1)?.payload, [3, 253, 0, 0]);
  running.world.step();
  await until('the next frame', () => messages.length > 2);
  assert.equal(objects()[2].ack, 4);
  assert.deepEqual(objects()[2].entities, [{ id: welcome.entityId, x: 257 * QUANTUM, y: 514 * QUANTUM }]);
  socket.send(JSON.stringify({ type: 'move', seq: 4, x: 3, y: -3 }));
  await until('a reject', () => messages.length > 3);
  assert.deepEqual(
    objects()[3].rejects.map((reject: { seq: number; kind: string; code: number }) => [
      reject.seq,
      reject.kind,
      reject.code,
    ]),
    [[4, 'move', RejectCode.BadSequence]],
  );
  socket.close();
});

test('the MessagePack sub-protocol carries the same messages as maps', async () => {
  const packr = new Packr({ useRecords: false });
  const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });
  const { socket, messages } = await openLibraryClient('tessera.msgpack.1');
  socket.send(packr.pack({ type: 'join', name: 'm', token: '', updateHz: 0 }));
  await until('a Welcome', () => messages.length > 0);
  assert.equal(messages[0].isBinary, true);
  const { welcome } = unpackr.unpack(messages[0].data);
  assert.equal(welcome.game, 'echo');
  socket.send(packr.pack({ type: 'aim', seq: 2, angle: 1.5, power: 3 }));
  await until('the command', () => running.world.commands.at(-1)?.client === running.world.indexOf(welcome.clientId));
  socket.send(packr.pack({ type: 'ping', seq: 3, clientTime: 17 }));
  await until('a pong', () => messages.length > 1);
  assert.deepEqual(unpackr.unpack(messages[1].data).pong, { seq: 3, clientTime: 17 });
  socket.close();
});

test('the first sub-protocol of the client that is spoken here is chosen, and none offered means FlatBuffers', async () => {
  const chosen = new RawClient(running.port);
  await chosen.handshake('other.9, tessera.json.1, tessera.fb.1');
  assert.match(chosen.answer, /sec-websocket-protocol: tessera\.json\.1/i);
  chosen.destroy();
  const socket = new WebSocket(`ws://127.0.0.1:${running.port}/ws/game`);
  await new Promise((resolve) => socket.on('open', resolve));
  assert.equal(socket.protocol, '');
  socket.send(encodeJoin(GUEST));
  const [data] = await new Promise<[Buffer, boolean]>((resolve) => {
    socket.on('message', (message, isBinary) => resolve([message as Buffer, isBinary]));
  });
  assert.ok(data.length > 0);
  socket.close();
});

test('traffic is counted in both directions', async () => {
  const { packetsIn, packetsOut, bytesIn, bytesOut } = running.net.stats;
  const client = await joinClient(running.port);
  client.sendFrame(encodePing(1, 1));
  await until('a pong', () => client.messages.length >= 2);
  const { stats } = running.net;
  assert.ok(stats.packetsIn >= packetsIn + 2 && stats.packetsOut >= packetsOut + 2);
  const join = encodeJoin(GUEST).length;
  assert.ok(stats.bytesIn - bytesIn >= join + 6 + 12 + 6);
  assert.ok(stats.bytesOut - bytesOut >= client.messages.reduce((sum, message) => sum + message.length + 2, 0));
  client.destroy();
});

test('every connection that ends gives its index back', async () => {
  await until('all sessions to end', () => running.net.stats.connections === 0);
  assert.equal(running.world.clients.size, 0);
});

test('draining tells everyone, closes with 1001, and lets nobody in', async () => {
  const draining = await startNet();
  const client = await joinClient(draining.port);
  const done = draining.net.drain(9, 'back in a minute');
  assert.equal(await client.closed(), 1001);
  assert.deepEqual(readNotice(framesOf(client).at(-1)!), { code: 9, text: 'back in a minute' });
  await done;
  assert.equal(draining.net.stats.connections, 0);
  assert.equal(draining.world.clients.size, 0);
  const late = await openClient(draining.port);
  assert.equal(await late.closed(), 1013);
  await draining.stop();
});

test('closing ends connections that do not answer', async () => {
  const closing = await startNet();
  const client = await joinClient(closing.port);
  client.socket.pause();
  await closing.stop();
  client.socket.resume();
  await client.gone();
});
