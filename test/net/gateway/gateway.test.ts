import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RejectCode } from '../../../src/game/reject-codes.js';
import { CloseCode } from '../../../src/net/gateway/close-codes.js';
import {
  CLOSE_CODES,
  DROP_AFTER_CLOSE,
  DROP_AWAITING_FULL,
  DROP_CONGESTED,
  DROP_STALE,
  DROP_UNANSWERED_REJECT,
} from '../../../src/net/gateway/net-counters.js';
import { HOLD_BACKLOG, HOLD_LATE_PONG } from '../../../src/net/gateway/outbox.js';
import {
  REJECT_ANSWERS_PER_SECOND,
  RESYNC_INTERVAL_MS,
  RESYNC_RETRY_MS,
  VIOLATION_WINDOW_MS,
} from '../../../src/net/limits.js';
import { encodeJoin, encodePing, encodeResync } from '../../../src/protocol/fb/client-message.js';
import { FrameFlag, readNotice, readWelcome } from '../../../src/protocol/fb/server-frame.js';
import { CLIENT_MESSAGE_BYTES_MAX } from '../../../src/protocol/limits.js';
import { EchoWorld } from '../echo-world.js';
import { GUEST, moveBytes } from '../game-client.js';
import { createInProcess, type InProcess, type KeptConnection } from '../in-process.js';

async function joinIn({ gateway, connect }: InProcess): Promise<KeptConnection> {
  const connection = connect();
  gateway.receive(connection.client, encodeJoin(GUEST));
  await Promise.resolve();
  assert.ok(readWelcome(connection.frames().at(-1)!) !== null);
  return connection;
}

function isFull(connection: KeptConnection): boolean {
  return (connection.frames().at(-1)!.flags() & FrameFlag.Full) !== 0;
}

test('frames of a congested client are dropped, and only a full one goes on after that', async () => {
  const net = createInProcess(new EchoWorld(), 4);
  const { gateway, world, counters } = net;
  const connection = await joinIn(net);
  world.frame(connection.client);
  gateway.hold(connection.client, HOLD_BACKLOG);
  assert.ok(world.clients.get(connection.client)!.congested);
  const received = connection.sentCount;
  world.frame(connection.client);
  assert.equal(counters.drops[DROP_CONGESTED], 1);
  // The world is asked for a full frame, but one that builds on the dropped frame is already on its way.
  gateway.unhold(connection.client, HOLD_BACKLOG);
  assert.equal(world.resyncs, 1);
  world.clients.get(connection.client)!.wantsFull = false;
  world.frame(connection.client);
  assert.equal(counters.drops[DROP_AWAITING_FULL], 1);
  assert.equal(connection.sentCount, received);
  world.clients.get(connection.client)!.wantsFull = true;
  world.frame(connection.client);
  assert.equal(connection.sentCount, received + 1);
  assert.ok(isFull(connection));
  world.frame(connection.client);
  assert.equal(connection.sentCount, received + 2);
});

test('a client that was congested while nothing was sent needs no full frame', async () => {
  const net = createInProcess(new EchoWorld(), 4);
  const { gateway, world } = net;
  const connection = await joinIn(net);
  world.frame(connection.client);
  gateway.hold(connection.client, HOLD_BACKLOG);
  gateway.unhold(connection.client, HOLD_BACKLOG);
  assert.equal(world.resyncs, 0);
  const received = connection.sentCount;
  world.frame(connection.client);
  assert.equal(connection.sentCount, received + 1);
});

test('the world is told once for both kinds of congestion, and that it is over when both are', async () => {
  const net = createInProcess(new EchoWorld(), 4);
  const { gateway, world } = net;
  const { client } = await joinIn(net);
  gateway.hold(client, HOLD_BACKLOG);
  gateway.hold(client, HOLD_LATE_PONG);
  gateway.hold(client, HOLD_BACKLOG);
  assert.equal(world.congestions, 1);
  gateway.unhold(client, HOLD_BACKLOG);
  assert.ok(world.clients.get(client)!.congested);
  gateway.unhold(client, HOLD_LATE_PONG);
  assert.ok(!world.clients.get(client)!.congested);
});

test('a client that is congested before it joins is so for the world from the start', async () => {
  const { gateway, world, connect } = createInProcess(new EchoWorld(), 1);
  const connection = connect();
  gateway.hold(connection.client, HOLD_LATE_PONG);
  assert.equal(world.congestions, 0);
  gateway.receive(connection.client, encodeJoin(GUEST));
  assert.equal(world.clients.get(connection.client)!.congested, true);
  gateway.unhold(connection.client, HOLD_LATE_PONG);
  assert.equal(world.clients.get(connection.client)!.congested, false);
});

test('a lost request for a full frame is repeated', async () => {
  const net = createInProcess(new EchoWorld(), 4);
  const { gateway, world, clock } = net;
  const { client } = await joinIn(net);
  gateway.hold(client, HOLD_BACKLOG);
  world.frame(client);
  gateway.unhold(client, HOLD_BACKLOG);
  gateway.beat(true);
  assert.equal(world.resyncs, 1);
  clock[0] += RESYNC_RETRY_MS;
  gateway.beat(true);
  assert.equal(world.resyncs, 2);
  world.frame(client);
  clock[0] += RESYNC_RETRY_MS;
  gateway.beat(true);
  assert.equal(world.resyncs, 2, 'it came');
});

test('a client that is congested too long, or does not join in time, is closed; not after a stall of this process', async () => {
  const net = createInProcess(new EchoWorld(), 4, { slowClientMs: 1000, joinTimeoutMs: 5000 });
  const { gateway, clock, connect } = net;
  const slow = await joinIn(net);
  const idle = connect();
  gateway.hold(slow.client, HOLD_LATE_PONG);
  clock[0] += 1000;
  gateway.beat(true);
  assert.equal(slow.closeCode, 0, 'not yet too long');
  clock[0] += 1;
  gateway.beat(false);
  assert.deepEqual([slow.closeCode, idle.closeCode], [0, 0]);
  gateway.beat(true);
  assert.deepEqual([slow.closeCode, idle.closeCode], [4002, 0]);
  clock[0] += 3999;
  gateway.beat(true);
  assert.equal(idle.closeCode, 0);
  clock[0] += 1;
  gateway.beat(true);
  assert.equal(idle.closeCode, 4000);
});

test('a session that ends leaves the world once, and its index begins uncongested', async () => {
  const net = createInProcess(new EchoWorld(), 1);
  const { gateway, world, sessions } = net;
  const first = await joinIn(net);
  gateway.hold(first.client, HOLD_BACKLOG);
  gateway.close(first.client, 4002, 'slow');
  gateway.close(first.client, 4003, 'again');
  assert.equal(world.leaves, 1);
  gateway.end(first.client, 4002);
  assert.equal(world.leaves, 1);
  assert.equal(sessions.used, 0);
  const second = await joinIn(net);
  assert.equal(second.client, first.client);
  assert.equal(world.clients.get(second.client)!.congested, false);
  world.frame(second.client);
  assert.ok(isFull(second));
});

test('every code by which this server closes is counted by its number', () => {
  for (const code of Object.values(CloseCode)) assert.ok((CLOSE_CODES as readonly number[]).includes(code), `${code}`);
});

test('answers of the world to a session that is gone are dropped', async () => {
  const net = createInProcess(new EchoWorld(), 1);
  const { gateway, world, counters, connect } = net;
  world.answersJoins = false;
  const first = connect();
  gateway.receive(first.client, encodeJoin(GUEST));
  const { generation } = world.clients.get(first.client)!;
  gateway.end(first.client, 1006);
  const second = connect();
  gateway.joined(second.client, generation, 1, 1);
  gateway.refused(second.client, generation, RejectCode.ServerFull);
  gateway.rejected(second.client, generation, 1, 256, RejectCode.Cooldown);
  gateway.dropped(second.client, generation, 1, 'x');
  gateway.frame(second.client, generation, new Uint8Array(8), 0, 8);
  gateway.frame(99, 1, new Uint8Array(8), 0, 8);
  assert.equal(second.sentCount, 0);
  assert.equal(second.closeCode, 0);
  assert.equal(counters.drops[DROP_STALE], 6);
});

test('a join that the world refuses later is answered with its number, and the world is not told of the end', () => {
  const { gateway, world, connect } = createInProcess(new EchoWorld(), 1);
  world.answersJoins = false;
  const connection = connect();
  gateway.receive(connection.client, encodeJoin(GUEST, 17));
  const { generation } = world.clients.get(connection.client)!;
  gateway.refused(connection.client, generation, RejectCode.ServerFull);
  assert.deepEqual(connection.rejects(), [{ seq: 17, kind: 1, code: RejectCode.ServerFull }]);
  assert.equal(connection.closeCode, 1013);
  gateway.end(connection.client, 1013);
  assert.equal(world.leaves, 0);
});

test('a garbled message does not shut out the numbers that follow', async () => {
  const net = createInProcess(new EchoWorld(), 1);
  const { gateway, world } = net;
  const connection = await joinIn(net);
  const garbled = moveBytes(0xffffffff);
  garbled[2] = 1;
  gateway.receive(connection.client, garbled);
  gateway.receive(connection.client, moveBytes(1));
  assert.equal(world.commandCount, 1);
});

test('a Join without a number does not set back the numbers of a session', async () => {
  const { gateway, world, connect } = createInProcess(new EchoWorld(), 1);
  const connection = connect();
  gateway.receive(connection.client, encodeJoin({ ...GUEST, name: 'x'.repeat(25) }, 9));
  gateway.receive(connection.client, encodeJoin(GUEST, 9));
  assert.equal(world.joins, 0, 'a number is used once');
  gateway.receive(connection.client, encodeJoin(GUEST));
  await Promise.resolve();
  gateway.receive(connection.client, moveBytes(9));
  gateway.receive(connection.client, moveBytes(10));
  assert.equal(world.commandCount, 1);
});

test('what a stalled link delivers in one go costs commands, not the session', async () => {
  const net = createInProcess(new EchoWorld(), 1, { messagesPerSecond: 90 });
  const { gateway, world } = net;
  const connection = await joinIn(net);
  for (let seq = 1; seq <= 300; seq++) gateway.receive(connection.client, moveBytes(seq));
  assert.equal(world.commandCount, 89);
  assert.equal(connection.closeCode, 0);
});

test('violations that are spread out are forgiven', async () => {
  const net = createInProcess(new EchoWorld(), 1);
  const { gateway, clock } = net;
  const connection = await joinIn(net);
  for (let index = 0; index < 200; index++) {
    gateway.receive(connection.client, Uint8Array.of(1));
    clock[0] += VIOLATION_WINDOW_MS / 40;
  }
  assert.equal(connection.closeCode, 0);
});

test('a resync may come as often as the limit says', async () => {
  const net = createInProcess(new EchoWorld(), 1);
  const { gateway, world, clock } = net;
  const { client } = await joinIn(net);
  for (let seq = 1; seq <= 10; seq++) {
    gateway.receive(client, encodeResync(seq));
    clock[0] += RESYNC_INTERVAL_MS / 2;
  }
  assert.equal(world.resyncs, 5);
});

test('a client whose socket is full gets no answers either', async () => {
  const net = createInProcess(new EchoWorld(), 1);
  const { gateway, counters } = net;
  const connection = await joinIn(net);
  gateway.hold(connection.client, HOLD_BACKLOG);
  const received = connection.sentCount;
  for (let seq = 1; seq <= 20; seq++) gateway.receive(connection.client, encodePing(seq, seq));
  assert.equal(connection.sentCount, received);
  assert.equal(counters.drops[DROP_CONGESTED], 20);
});

test('an accepted command leaves no garbage behind', async () => {
  const net = createInProcess(new EchoWorld(), 1, { messagesPerSecond: 1e9 });
  const { gateway, world } = net;
  const { client } = await joinIn(net);
  // Only the gateway's own path is of interest here.
  world.command = () => true;
  const message = moveBytes(0);
  const view = new DataView(message.buffer);
  let seq = 1;
  const send = (count: number) => {
    for (let index = 0; index < count; index++) {
      view.setUint32(4, seq++, true);
      gateway.receive(client, message);
    }
  };
  send(200_000);
  // A collection in between makes one reading useless: of several, the smallest is what the path itself costs.
  let growth = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const before = process.memoryUsage().heapUsed;
    send(50_000);
    const grown = process.memoryUsage().heapUsed - before;
    if (grown >= 0) growth = Math.min(growth, grown);
  }
  assert.ok(growth < 50_000 * 4, `${growth} bytes for 50,000 commands`);
});

test('a broadcast reaches who plays, and not who is backed up or has not joined', async () => {
  const net = createInProcess(new EchoWorld(), 4);
  const { gateway, counters } = net;
  const [free, full] = [await joinIn(net), await joinIn(net)];
  const stranger = net.connect();
  gateway.hold(full.client, HOLD_BACKLOG);
  const before = full.sentCount;
  assert.equal(gateway.broadcast('news'), 1);
  assert.deepEqual(readNotice(free.frames().at(-1)!), { code: 0, text: 'news' });
  assert.equal(full.sentCount, before);
  assert.equal(counters.drops[DROP_CONGESTED], 1);
  assert.equal(stranger.sentCount, 0);
});

test('a kick closes with 1008 who is meant, by id, name or address, and nobody else', async () => {
  const net = createInProcess(new EchoWorld(), 4);
  const { gateway } = net;
  const [first, second, third] = [await joinIn(net), await joinIn(net), await joinIn(net)];
  third.address = '10.0.0.3';
  assert.equal(gateway.kick({ clientId: 99 }, 'out'), 0);
  assert.equal(gateway.kick({ name: 'nobody' }, 'out'), 0);
  assert.equal(gateway.kick({ address: '10.0.0.3' }, 'out'), 1);
  assert.deepEqual(readNotice(third.frames().at(-1)!), { code: 18, text: 'out' });
  assert.equal(gateway.kick({ clientId: net.sessions.generation[first.client] }, 'out'), 1);
  assert.deepEqual([first.closeCode, second.closeCode, third.closeCode], [1008, 0, 1008]);
  assert.equal(gateway.kick({ name: GUEST.name }, 'out'), 1, 'who is on the way out is not counted again');
  assert.equal(second.closeCode, 1008);
  gateway.end(second.client, 1008);
  assert.equal(gateway.kick({ name: GUEST.name }, 'out'), 0);
});

test('the id of a client that has left means nobody, also when its index has a new holder', async () => {
  const net = createInProcess(new EchoWorld(), 1);
  const { gateway } = net;
  const idOf = (connection: KeptConnection) => readWelcome(connection.frames()[0])!.clientId;
  const first = await joinIn(net);
  gateway.end(first.client, 1000);
  const second = await joinIn(net);
  assert.equal(second.client, first.client);
  assert.notEqual(idOf(second), idOf(first));
  assert.equal(gateway.kick({ clientId: idOf(first) }, 'out'), 0);
  assert.deepEqual(gateway.playersOf({ clientId: idOf(first) }), []);
  assert.equal(gateway.playersOf({ clientId: idOf(second) }).length, 1);
  assert.equal(gateway.kick({ clientId: idOf(second) }, 'out'), 1);
});

test('what the world says of a former session does not reach the next one of its index, nor one that has not joined', async () => {
  const net = createInProcess(new EchoWorld(), 1);
  const { gateway, sessions, counters } = net;
  const first = await joinIn(net);
  const former = sessions.generation[first.client];
  gateway.end(first.client, 1006);
  const next = await joinIn(net);
  const sent = next.sentCount;
  gateway.frame(next.client, former, new Uint8Array(8), 0, 8);
  gateway.rejected(next.client, former, 1, 256, RejectCode.Cooldown);
  assert.equal(next.sentCount, sent);
  gateway.end(next.client, 1006);
  const early = net.connect();
  gateway.frame(early.client, sessions.generation[early.client], new Uint8Array(8), 0, 8);
  assert.equal(early.sentCount, 0);
  assert.equal(counters.drops[DROP_STALE], 3);
});

test('messages are counted: accepted ones, rejects of the gateway and of the world by code, and what comes after the end', async () => {
  const net = createInProcess(new EchoWorld(), 1);
  const { gateway, world, counters } = net;
  const { client } = await joinIn(net);
  assert.equal(counters.accepted[0], 1, 'its Join');
  gateway.receive(client, moveBytes(1));
  assert.equal(counters.accepted[0], 2);
  world.reject(client, 1, 256, RejectCode.Cooldown);
  assert.equal(counters.rejects[RejectCode.Cooldown], 1);
  gateway.receive(client, Uint8Array.of(1));
  assert.equal(counters.rejects[RejectCode.Malformed], 1);
  gateway.close(client, CloseCode.Idle, 'idle');
  gateway.receive(client, moveBytes(2));
  assert.equal(counters.drops[DROP_AFTER_CLOSE], 1);
  assert.equal(counters.accepted[0], 2);
});

test('rejects beyond those that one client is answered are counted', async () => {
  const net = createInProcess(new EchoWorld(), 1);
  const connection = await joinIn(net);
  const { client } = connection;
  const before = connection.sentCount;
  for (let n = 0; n < REJECT_ANSWERS_PER_SECOND + 5; n++) net.world.reject(client, 1, 256);
  assert.equal(connection.sentCount - before, REJECT_ANSWERS_PER_SECOND);
  assert.equal(net.counters.drops[DROP_UNANSWERED_REJECT], 5);
});

test('a message may be as long as the limit says, and no longer', async () => {
  const net = createInProcess(new EchoWorld(), 1);
  const { gateway, counters } = net;
  const { client } = await joinIn(net);
  gateway.receive(client, new Uint8Array(CLIENT_MESSAGE_BYTES_MAX));
  assert.equal(counters.rejects[RejectCode.TooLarge], 0);
  gateway.receive(client, new Uint8Array(CLIENT_MESSAGE_BYTES_MAX + 1));
  assert.equal(counters.rejects[RejectCode.TooLarge], 1);
});

test('a gateway is open until it is full or drains; a drain tells those who play why, and closes each connection once', async () => {
  const net = createInProcess(new EchoWorld(), 2);
  const { gateway, counters } = net;
  assert.equal(gateway.isOpen(), true);
  const player = await joinIn(net);
  const stranger = net.connect();
  assert.equal(gateway.isOpen(), false, 'it is full');
  gateway.end(stranger.client, 1006);
  const second = net.connect();
  gateway.drain(RejectCode.Draining, 'bye');
  assert.deepEqual(readNotice(player.frames().at(-1)!), { code: RejectCode.Draining, text: 'bye' });
  assert.deepEqual([player.closeCode, second.closeCode, second.sentCount], [1001, 1001, 0]);
  assert.equal(counters.closedByServer[CLOSE_CODES.indexOf(CloseCode.GoingAway)], 2);
  gateway.end(second.client, 1001);
  assert.equal(gateway.isOpen(), false, 'it drains');
});

test('a kick of everybody counts who was there', async () => {
  const net = createInProcess(new EchoWorld(), 3);
  await joinIn(net);
  net.connect();
  assert.equal(net.gateway.kick({}, 'out'), 2);
  assert.equal(net.counters.closedByServer[CLOSE_CODES.indexOf(CloseCode.Policy)], 2);
});

test('who takes JSON is sent text, also in frames of the world', async () => {
  const net = createInProcess(new EchoWorld(), 2);
  const plain = net.connect('json');
  net.gateway.receive(plain.client, new TextEncoder().encode(JSON.stringify({ type: 'join', name: 'guest' })));
  await Promise.resolve();
  net.world.frame(plain.client);
  assert.equal(net.world.joins, 1);
  assert.equal(plain.sentCount, 2);
  for (const message of plain.messages) assert.equal(typeof message, 'string');
});

test('a client that takes JSON and is sent a frame that does not follow gets a full one instead', async () => {
  const net = createInProcess(new EchoWorld(), 2);
  const { gateway, world, counters } = net;
  const plain = net.connect('json');
  gateway.receive(plain.client, new TextEncoder().encode(JSON.stringify({ type: 'join', name: 'guest' })));
  await Promise.resolve();
  world.clients.get(plain.client)!.wantsFull = false;
  world.frame(plain.client);
  assert.deepEqual([counters.drops[DROP_AWAITING_FULL], world.resyncs, plain.sentCount], [1, 1, 1]);
  world.frame(plain.client);
  assert.equal(plain.sentCount, 2);
});
