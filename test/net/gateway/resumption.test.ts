import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { LeaveReason } from '../../../src/game/life.js';
import { RejectCode } from '../../../src/game/reject-codes.js';
import { type ResumeClaims, TokenMint } from '../../../src/net/auth/resume-token.js';
import { HOLD_BACKLOG } from '../../../src/net/gateway/outbox.js';
import type { ResumeOptions } from '../../../src/net/gateway/resumption.js';
import { SESSION_ABSENT } from '../../../src/net/gateway/session.js';
import type { StoredPlayer } from '../../../src/net/gateway/world-port.js';
import { TOKEN_SKEW_MS } from '../../../src/net/limits.js';
import { encodeJoin, encodeLeave } from '../../../src/protocol/fb/client-message.js';
import { FrameFlag, readWelcome, type WelcomeInfo } from '../../../src/protocol/fb/server-frame.js';
import { EchoWorld } from '../echo-world.js';
import { moveBytes } from '../game-client.js';
import { createInProcess, type InProcess, type KeptConnection } from '../in-process.js';

const SECRET = Buffer.from('a secret of some length');
const NOW = 1800000000000;
const LOST = 1006;

function createNet(capacity: number, rest: Partial<ResumeOptions> = {}): InProcess {
  const resume = {
    secret: SECRET,
    worldId: randomUUID(),
    resumeMs: 30000,
    reserved: [],
    lastGeneration: 0,
    now: () => NOW,
    ...rest,
  };
  return createInProcess(new EchoWorld(), capacity, {}, resume);
}

interface Joined {
  connection: KeptConnection;
  welcome: WelcomeInfo;
}

async function join({ gateway, connect }: InProcess, token = '', name = 'player'): Promise<Joined> {
  const connection = connect();
  gateway.receive(connection.client, encodeJoin({ name, token, updateHz: 0 }));
  await settle();
  const frame = connection.frames().at(-1);
  const welcome = frame === undefined ? null : readWelcome(frame);
  assert.ok(welcome, `let in, not rejected: ${JSON.stringify(connection.rejects())}`);
  return { connection, welcome };
}

/** Asynchronous answers come. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

function strangerClaims(): ResumeClaims {
  const [worldId, playerId, sessionId] = [randomUUID(), randomUUID(), randomUUID()];
  return { worldId, playerId, sessionId, key: 7, client: 0, generation: 1, issuedMs: NOW };
}

/** A store that has every player; `waits`: until it is told to answer. */
function keepStored(waits = false): { findPlayer: () => Promise<StoredPlayer>; answer: () => void } {
  let answer = () => {};
  const isAnswered = waits ? new Promise<void>((resolve) => (answer = resolve)) : Promise.resolve();
  const player = { kind: 'player', x: 1, y: 2, fields: {} };
  return { findPlayer: () => isAnswered.then(() => player), answer: () => answer() };
}

/** The echo world makes the entity's id of it. */
function seatOf({ entityId }: WelcomeInfo): number {
  return entityId - 1000;
}

/** The world has the entity of the recovered client 2. */
function letWait(world: EchoWorld): void {
  world.clients.set(2, {
    generation: 9,
    entityId: 1002,
    updateHz: 1,
    ack: 5,
    congested: false,
    absent: true,
    wantsFull: false,
    sent: 0,
  });
}

function absent({ sessions }: InProcess): number {
  return sessions.counts[SESSION_ABSENT];
}

test('a lost client is absent in the world, gets its index back by its token, and a full frame', async () => {
  const net = createNet(4);
  const { gateway, world, sessions } = net;
  const { connection, welcome } = await join(net);
  assert.deepEqual([welcome.resumed, welcome.token.length], [false, 132]);
  gateway.receive(connection.client, moveBytes(7));
  gateway.end(connection.client, LOST);
  assert.deepEqual([world.leaves, absent(net), sessions.used], [0, 1, 0]);
  assert.ok(world.clients.get(seatOf(welcome))?.absent);
  const back = await join(net, welcome.token);
  assert.equal(back.welcome.clientId, welcome.clientId);
  assert.equal(back.welcome.entityId, welcome.entityId);
  assert.equal(back.connection.client, seatOf(welcome), 'the connection knows its index');
  assert.deepEqual([back.welcome.resumed, world.resumes, world.joins, absent(net)], [true, 1, 1, 0]);
  assert.equal(sessions.used, 1);
  world.frame(seatOf(welcome));
  assert.ok((back.connection.frames().at(-1)!.flags() & FrameFlag.Full) !== 0);
  gateway.receive(back.connection.client, moveBytes(1));
  assert.equal(world.commandCount, 2, 'numbers begin anew');
});

test('who leaves, says goodbye, is kicked or breaks rules has left; who is slow, silent or cut off has not', async () => {
  const ends: [string, LeaveReason | undefined, (net: InProcess, client: number) => void][] = [
    ['Leave', 'left', ({ gateway }, client) => gateway.receive(client, encodeLeave(1))],
    ['1000', 'left', ({ gateway }, client) => gateway.end(client, 1000)],
    ['1001', 'left', ({ gateway }, client) => gateway.end(client, 1001)],
    ['no code', 'left', ({ gateway }, client) => gateway.end(client, 1005)],
    [
      'kick',
      'kicked',
      ({ gateway, sessions }, client) => gateway.kick({ clientId: sessions.generation[client] }, 'out'),
    ],
    ['violation', 'kicked', ({ gateway }, client) => gateway.close(client, 4004, 'too many')],
    ['protocol', 'kicked', ({ gateway }, client) => gateway.note(client, 1002)],
    ['cut', undefined, ({ gateway }, client) => gateway.end(client, LOST)],
    ['slow', undefined, ({ gateway }, client) => gateway.close(client, 4002, 'slow')],
    ['idle', undefined, ({ gateway }, client) => gateway.close(client, 4003, 'idle')],
    ['drain', undefined, ({ gateway }) => gateway.drain(RejectCode.Draining, 'bye')],
  ];
  for (const [what, reason, end] of ends) {
    const stays = reason === undefined ? 1 : 0;
    const net = createNet(2);
    const { connection } = await join(net);
    end(net, connection.client);
    if (net.sessions.used > 0) net.gateway.end(connection.client, LOST);
    assert.deepEqual([absent(net), net.world.leaves], [stays, 1 - stays], what);
    assert.deepEqual(net.world.reasons, stays === 1 ? [] : [reason], what);
    assert.equal(net.sessions.used, 0, what);
  }
});

test('only who leaves, says goodbye, is kicked or breaks rules is gone for good; nobody else is by an end of this server', async () => {
  const ends: [string, boolean, (net: InProcess, client: number) => void][] = [
    ['Leave', true, ({ gateway }, client) => gateway.receive(client, encodeLeave(1))],
    ['1000', true, ({ gateway }, client) => gateway.end(client, 1000)],
    ['kick', true, ({ gateway, sessions }, client) => gateway.kick({ clientId: sessions.generation[client] }, 'out')],
    ['violation', true, ({ gateway }, client) => gateway.close(client, 4004, 'too many')],
    ['cut', false, ({ gateway }, client) => gateway.end(client, LOST)],
    ['slow', false, ({ gateway }, client) => gateway.close(client, 4002, 'slow')],
    ['idle', false, ({ gateway }, client) => gateway.close(client, 4003, 'idle')],
    ['drain', false, ({ gateway }) => gateway.drain(RejectCode.Draining, 'bye')],
    ['dropped', false, ({ gateway, sessions }, client) => gateway.dropped(client, sessions.generation[client], 1, 'x')],
  ];
  for (const resumeMs of [0, 30000]) {
    for (const [what, expected, end] of ends) {
      const left: boolean[] = [];
      const net = createNet(2, { resumeMs, onLeft: (_client, _epoch, isForGood) => left.push(isForGood) });
      const { gateway, sessions, clock } = net;
      const { connection } = await join(net);
      end(net, connection.client);
      if (sessions.used > 0) gateway.end(connection.client, LOST);
      clock[0] += resumeMs + 1;
      gateway.beat(true);
      assert.deepEqual(left, [expected], `${what}, resumeMs ${resumeMs}`);
    }
  }
});

test('a client that comes back to a zone that has no room is not gone for good', async () => {
  const left: boolean[] = [];
  const net = createNet(2, { onLeft: (_client, _epoch, isForGood) => left.push(isForGood) });
  const { gateway, world } = net;
  const { connection, welcome } = await join(net);
  gateway.end(connection.client, LOST);
  world.answersJoins = false;
  const back = net.connect();
  gateway.receive(back.client, encodeJoin({ name: 'player', token: welcome.token, updateHz: 0 }));
  gateway.refused(back.client, welcome.clientId, RejectCode.ServerFull);
  assert.equal(back.closeCode, 1013);
  gateway.end(back.client, 1013);
  assert.equal(left.at(-1), false);
});

test('a kick reaches who is on the way out and would come back, and counts the one who is not kept only once', async () => {
  const left: boolean[] = [];
  const net = createNet(4, { onLeft: (_client, _epoch, isForGood) => left.push(isForGood) });
  const { gateway, world, sessions } = net;
  const { connection, welcome } = await join(net, '', 'idler');
  gateway.close(connection.client, 4003, 'idle');
  assert.equal(gateway.kick({ name: 'idler' }, 'out'), 1);
  assert.equal(gateway.kick({ clientId: welcome.clientId }, 'out'), 0);
  assert.equal(world.leaves, 1);
  gateway.end(connection.client, 4003);
  assert.deepEqual([left, absent(net), sessions.used], [[true], 0, 0]);
  assert.equal((await join(net, welcome.token)).welcome.resumed, false);
});

test('nobody waits for a client that has not been told its token, or where waiting is off', async () => {
  const net = createNet(2);
  net.world.answersJoins = false;
  const early = net.connect();
  net.gateway.receive(early.client, encodeJoin({ name: 'early', token: '', updateHz: 0 }));
  net.gateway.end(early.client, LOST);
  assert.deepEqual([absent(net), net.world.leaves], [0, 1]);
  const off = createNet(2, { resumeMs: 0 });
  const { connection, welcome } = await join(off);
  off.gateway.end(connection.client, LOST);
  assert.deepEqual([absent(off), off.world.leaves], [0, 1]);
  const again = await join(off, welcome.token);
  assert.equal(again.welcome.resumed, false);
});

test('an absent client is gone after its time, not after a stall of this process, and its token lets it in anew', async () => {
  const net = createNet(2);
  const { gateway, world, clock, sessions } = net;
  const { connection, welcome } = await join(net);
  gateway.end(connection.client, LOST);
  clock[0] += 30000;
  gateway.beat(true);
  assert.equal(absent(net), 1);
  clock[0] += 1;
  gateway.beat(false);
  assert.equal(absent(net), 1);
  gateway.beat(true);
  assert.deepEqual([absent(net), world.leaves, sessions.freeSeats], [0, 1, 2]);
  assert.deepEqual(world.reasons, ['lost'], 'it was lost, and nobody came');
  const back = await join(net, welcome.token);
  assert.deepEqual([back.welcome.resumed, world.joins], [false, 2]);
  const [first, second] = world.identities;
  assert.deepEqual(first, second, 'it is the same player');
});

test('a full server lets in a stranger in the place of who has been absent longest', async () => {
  const net = createNet(2);
  const { gateway, world, clock } = net;
  const [first, second] = [await join(net), await join(net)];
  gateway.end(second.connection.client, LOST);
  clock[0] += 10;
  gateway.end(first.connection.client, LOST);
  assert.ok(gateway.isOpen());
  const stranger = await join(net);
  assert.equal(seatOf(stranger.welcome), seatOf(second.welcome));
  assert.deepEqual([absent(net), world.leaves], [1, 1]);
  assert.equal(
    (await join(net, first.welcome.token)).welcome.resumed,
    true,
    'nobody takes the place of who comes back',
  );
  assert.equal(net.sessions.used, 2);
  assert.equal(net.connect().client, -1, 'nobody is absent any more');
});

test('a token takes a live session over: the old connection is closed with 4006 and says nothing any more', async () => {
  const net = createNet(4);
  const { gateway, world, sessions } = net;
  const old = await join(net);
  gateway.hold(old.connection.client, HOLD_BACKLOG);
  const back = await join(net, old.welcome.token);
  assert.equal(old.connection.closeCode, 4006);
  assert.deepEqual([back.welcome.clientId, back.welcome.resumed], [old.welcome.clientId, true]);
  assert.notEqual(old.connection.client, back.connection.client);
  assert.equal(world.clients.get(back.connection.client)?.congested, false);
  gateway.receive(old.connection.client, moveBytes(3));
  assert.equal(world.commandCount, 0);
  world.frame(back.connection.client);
  assert.ok((back.connection.frames().at(-1)!.flags() & FrameFlag.Full) !== 0);
  gateway.end(old.connection.client, LOST);
  assert.deepEqual([world.leaves, sessions.used, absent(net)], [0, 1, 0]);
  gateway.end(back.connection.client, LOST);
  assert.equal(absent(net), 1);
});

test('a session whose connection is still closing can be taken over', async () => {
  const net = createNet(4);
  const { gateway, world, sessions } = net;
  const old = await join(net);
  gateway.close(old.connection.client, 4003, 'idle');
  const back = await join(net, old.welcome.token);
  assert.deepEqual([back.welcome.resumed, old.connection.closeCode], [true, 4003]);
  gateway.end(old.connection.client, 4003);
  assert.deepEqual([world.leaves, sessions.used, absent(net)], [0, 1, 0]);
});

test('a world that cannot be told now loses nobody: the client is sent away and its entity waits', async () => {
  const net = createNet(4);
  const { gateway, world } = net;
  const { connection, welcome } = await join(net);
  gateway.end(connection.client, LOST);
  world.isFull = true;
  const early = net.connect();
  gateway.receive(early.client, encodeJoin({ name: 'player', token: welcome.token, updateHz: 0 }));
  assert.equal(early.closeCode, 1013);
  gateway.end(early.client, 1013);
  assert.deepEqual([absent(net), world.leaves], [1, 0]);
  world.isFull = false;
  assert.ok((await join(net, welcome.token)).welcome.resumed);
});

test('recovered clients are absent from the start; only a token for the same entity brings one back', async () => {
  const worldId = randomUUID();
  const net = createNet(4, { worldId, lastGeneration: 70, reserved: [{ client: 2, generation: 9, key: 1002 }] });
  const { world } = net;
  letWait(world);
  const mint = new TokenMint(SECRET, () => NOW);
  const claims = {
    worldId,
    playerId: randomUUID(),
    sessionId: randomUUID(),
    key: 1002,
    client: 2,
    generation: 9,
    issuedMs: NOW,
  };
  for (const wrong of [{ key: 1003 }, { generation: 8 }, { client: 1 }, { client: 60000 }, { worldId: randomUUID() }]) {
    const { welcome, connection } = await join(net, mint.sign({ ...claims, ...wrong }));
    assert.equal(welcome.resumed, false, JSON.stringify(wrong));
    assert.ok(welcome.clientId > 70);
    net.gateway.end(connection.client, 1000);
  }
  const { welcome } = await join(net, mint.sign(claims));
  assert.deepEqual([welcome.resumed, welcome.clientId, welcome.entityId], [true, 9, 1002]);
  // From now on its session is known, and another player's token for the same place is a stranger's.
  const other = { playerId: randomUUID(), sessionId: randomUUID() };
  const stranger = await join(net, mint.sign({ ...claims, ...other }));
  assert.deepEqual([stranger.welcome.resumed, stranger.welcome.clientId > 70], [false, true]);
});

test('a recovered client comes back though the clock was set back meanwhile, by a bounded time', async () => {
  for (const [aheadMs, resumed] of [
    [120000, true],
    [TOKEN_SKEW_MS, true],
    [TOKEN_SKEW_MS + 1, false],
  ] as const) {
    let now = NOW;
    const worldId = randomUUID();
    const reserved = [{ client: 2, generation: 9, key: 1002 }];
    const net = createNet(4, { worldId, lastGeneration: 70, reserved, now: () => now });
    letWait(net.world);
    const claims = { ...strangerClaims(), worldId, key: 1002, client: 2, generation: 9, issuedMs: NOW + aheadMs };
    now += 2;
    assert.equal((await join(net, new TokenMint(SECRET, () => now).sign(claims))).welcome.resumed, resumed);
  }
});

test('a token whose entity is gone brings its player in once: shown again, it takes over', async () => {
  const { findPlayer } = keepStored();
  const net = createNet(4, { findPlayer });
  const { gateway, world, clock, sessions } = net;
  const { connection, welcome } = await join(net);
  gateway.end(connection.client, LOST);
  clock[0] += 30001;
  gateway.beat(true);
  assert.deepEqual([absent(net), world.leaves], [0, 1]);
  const first = await join(net, welcome.token);
  const second = await join(net, welcome.token);
  assert.deepEqual([world.restored.length, world.clients.size], [1, 1]);
  assert.deepEqual([first.connection.closeCode, second.connection.closeCode], [4006, 0]);
  assert.deepEqual([second.welcome.resumed, second.welcome.entityId], [true, first.welcome.entityId]);
  gateway.end(first.connection.client, 4006);
  assert.deepEqual([world.leaves, sessions.used, absent(net)], [1, 1, 0]);
  gateway.end(second.connection.client, LOST);
  assert.equal(absent(net), 1, 'it waits as any other');
  assert.ok((await join(net, welcome.token)).welcome.resumed);
  assert.deepEqual([world.restored.length, world.clients.size], [1, 1]);
});

test('so does a token of another world, and one of an earlier session of a recovered player', async () => {
  const worldId = randomUUID();
  const net = createNet(4, { worldId, lastGeneration: 70, reserved: [{ client: 2, generation: 9, key: 1002 }] });
  const mint = new TokenMint(SECRET, () => NOW);
  const [playerId, sessionId] = [randomUUID(), randomUUID()];
  const claims = { worldId, playerId, sessionId, key: 1002, client: 2, generation: 9, issuedMs: NOW };
  const elsewhere = mint.sign({ ...claims, worldId: randomUUID(), sessionId: randomUUID() });
  const first = await join(net, elsewhere);
  const second = await join(net, elsewhere);
  const third = await join(net, mint.sign(claims));
  assert.deepEqual(
    [first, second, third].map((joined) => joined.connection.closeCode),
    [4006, 4006, 0],
  );
  assert.equal(net.world.joins, 1);
});

test('two joins of one player at once, while the store or the world has not answered the first, are one', async () => {
  for (const waitsFor of ['store', 'world']) {
    const { findPlayer, answer } = keepStored(waitsFor === 'store');
    const net = createNet(4, { findPlayer });
    const { gateway, world, sessions } = net;
    const token = new TokenMint(SECRET, () => NOW).sign(strangerClaims());
    world.answersJoins = waitsFor === 'store';
    const [first, second] = [net.connect(), net.connect()];
    gateway.receive(first.client, encodeJoin({ name: 'first', token, updateHz: 0 }));
    if (waitsFor === 'world') {
      await settle();
      gateway.hold(second.client, HOLD_BACKLOG);
    }
    gateway.receive(second.client, encodeJoin({ name: 'second', token, updateHz: 0 }));
    assert.deepEqual([first.closeCode, second.closeCode], [4006, 0], waitsFor);
    gateway.end(first.client, 4006);
    answer();
    await settle();
    if (waitsFor === 'world') {
      const { generation, entityId, congested } = world.clients.get(second.client)!;
      assert.equal(congested, true, 'as is the connection that is there');
      gateway.joined(second.client, generation, entityId, entityId);
    }
    const welcome = readWelcome(second.frames().at(-1)!);
    assert.deepEqual([welcome?.resumed, world.restored.length, world.resumes], [true, 1, 0], waitsFor);
    assert.deepEqual([world.clients.size, world.leaves, sessions.used], [1, 0, 1], waitsFor);
  }
});

test('what is stored of a player is not deleted by the end of a former session while another one plays', async () => {
  const ends: [number, boolean][] = [];
  const { findPlayer } = keepStored();
  const net = createNet(4, {
    findPlayer,
    onLeft: (_client, generation, isForGood) => ends.push([generation, isForGood]),
  });
  const { gateway } = net;
  const { connection, welcome } = await join(net);
  gateway.receive(connection.client, encodeLeave(1));
  const back = await join(net, welcome.token);
  gateway.end(connection.client, 1000);
  assert.deepEqual(ends, [[welcome.clientId, false]]);
  gateway.end(back.connection.client, 1000);
  assert.deepEqual(ends.at(-1), [back.welcome.clientId, true]);
});

test('an absent client can be kicked, and one that the world has lost is forgotten', async () => {
  const net = createNet(4);
  const { gateway, world } = net;
  const first = await join(net, '', 'first');
  const second = await join(net, '', 'second');
  gateway.end(first.connection.client, LOST);
  gateway.end(second.connection.client, LOST);
  assert.equal(gateway.kick({ name: 'first' }, 'out'), 1);
  assert.deepEqual([absent(net), world.leaves], [1, 1]);
  gateway.refused(seatOf(second.welcome), second.welcome.clientId, RejectCode.NotAlive);
  assert.deepEqual([absent(net), world.leaves], [0, 1]);
});

test('tokens that are not ours are rejected as such, however they are wrong', async () => {
  const net = createNet(8);
  const { welcome } = await join(net);
  const other = new TokenMint(Buffer.from('another secret, as long'), () => NOW);
  const forged = other.sign({ ...new TokenMint(SECRET, () => NOW).verify(welcome.token)! });
  const tokens = [
    forged,
    `${welcome.token.slice(0, -2)}AA`,
    'x',
    'A'.repeat(132),
    'A'.repeat(768),
    '\u{1f600}'.repeat(33),
  ];
  for (const token of tokens) {
    const connection = net.connect();
    net.gateway.receive(connection.client, encodeJoin({ name: 'x', token, updateHz: 0 }));
    assert.deepEqual([connection.rejects()[0].code, connection.closeCode], [RejectCode.BadToken, 4001], token);
    net.gateway.end(connection.client, 4001);
  }
  const connection = net.connect();
  net.gateway.receive(connection.client, encodeJoin({ name: 'x', token: 'A'.repeat(769), updateHz: 0 }));
  assert.equal(connection.rejects()[0].code, RejectCode.OutOfRange);
  assert.equal(net.world.joins, 1);
});
