// Clients that mean harm, or are broken: each is answered by a code, and the server goes on serving the others.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { RejectCode } from '../../../../src/game/reject-codes.js';
import { CLOSE_DEADLINE_MS, HANDSHAKE_TIMEOUT_MS } from '../../../../src/net/limits.js';
import { encodeJoin, encodeLeave, encodePing } from '../../../../src/protocol/fb/client-message.js';
import { FrameFlag, readWelcome } from '../../../../src/protocol/fb/server-frame.js';
import { CLIENT_MESSAGE_BYTES_MAX } from '../../../../src/protocol/limits.js';
import { AIM, MOVE } from '../../echo-world.js';
import { framesOf, GUEST, joinClient, moveBytes, openClient, rejected, rejectsOf } from '../../game-client.js';
import { BINARY, CLOSE, frameBytes, PING, PONG, RawClient, TEXT, upgradeRequest } from '../../raw-client.js';
import { type Running, sleep, startNet, stopAll, until } from '../../start-net.js';

let running: Running;
const opened: RawClient[] = [];

before(async () => {
  running = await startNet();
});
after(stopAll);

afterEach(async () => {
  for (const client of opened.splice(0)) client.destroy();
  // Whatever a test did: everyone is gone, and someone else can play.
  await until('all sessions to end', () => running.net.stats.connections === 0);
  assert.equal(running.world.clients.size, 0);
  const honest = await joinClient(running.port);
  honest.sendFrame(encodePing(1, 2));
  await until('a pong', () => honest.messages.length >= 2);
  honest.destroy();
  await until('the honest client to be gone', () => running.net.stats.connections === 0);
});

async function open(protocol?: string): Promise<RawClient> {
  const client = await openClient(running.port, protocol);
  opened.push(client);
  return client;
}

async function join(): Promise<RawClient> {
  const client = await joinClient(running.port);
  opened.push(client);
  return client;
}

function connectRaw(port = running.port): RawClient {
  const client = new RawClient(port);
  opened.push(client);
  return client;
}

function closedByServer(code: number): number {
  return running.net.stats.snapshot().closedByServer[code] ?? 0;
}

/** The client must be closed with the code, and the code counted. */
async function expectClose(client: RawClient, code: number): Promise<void> {
  const before = closedByServer(code);
  assert.equal(await client.closed(), code);
  await client.gone();
  assert.ok(closedByServer(code) >= before, `close ${code} is counted`);
  assert.notEqual(closedByServer(code), 0);
}

describe('frames that break the WebSocket protocol', () => {
  const violations: [string, number, Buffer[]][] = [
    ['an unmasked frame', 1002, [frameBytes('x', { masked: false })]],
    ['a reserved bit', 1002, [frameBytes('x', { rsv: 1 })]],
    ['the bit of a compression that was not agreed on', 1002, [frameBytes('x', { rsv: 4 })]],
    ['an unknown opcode', 1002, [frameBytes('x', { opcode: 5 })]],
    ['an unknown control opcode', 1002, [frameBytes('x', { opcode: 13 })]],
    ['a continuation of nothing', 1002, [frameBytes('x', { opcode: 0 })]],
    ['a message inside of a message', 1002, [frameBytes('x', { fin: false }), frameBytes('y')]],
    ['a fragmented ping', 1002, [frameBytes('x', { opcode: PING, fin: false })]],
    ['a ping that is too long', 1002, [frameBytes(Buffer.alloc(126), { opcode: PING })]],
    ['a close frame of one byte', 1002, [frameBytes('x', { opcode: CLOSE })]],
    ['a close code that must not be sent', 1002, [frameBytes(Buffer.from([3, 237]), { opcode: CLOSE })]],
    ['a frame that is announced as a gigabyte', 1009, [frameBytes('x', { statedBytes: 2 ** 30 })]],
    ['a frame that is announced as 2^60 bytes', 1009, [frameBytes('x', { statedBytes: 2 ** 60 })]],
    ['a message one byte too long', 1009, [frameBytes(Buffer.alloc(CLIENT_MESSAGE_BYTES_MAX + 1))]],
    [
      'fragments that are too long together',
      1009,
      [frameBytes(Buffer.alloc(900), { fin: false }), frameBytes(Buffer.alloc(900), { opcode: 0 })],
    ],
    [
      'a message of very many empty fragments',
      1008,
      [frameBytes('', { fin: false }), ...new Array(500).fill(frameBytes('', { opcode: 0, fin: false }))],
    ],
  ];
  for (const [name, code, frames] of violations) {
    test(`${name} is closed with ${code}`, async () => {
      const client = await join();
      client.write(Buffer.concat(frames));
      await expectClose(client, code);
    });
  }

  test('text on a binary sub-protocol is closed with 1003', async () => {
    const client = await join();
    client.sendFrame('{"type":"ping"}', { opcode: TEXT });
    await expectClose(client, 1003);
  });

  test('bytes on the text sub-protocol are closed with 1003', async () => {
    const client = await open('tessera.json.1');
    client.sendFrame('{}', { opcode: BINARY });
    await expectClose(client, 1003);
  });

  test('text that is not UTF-8 is closed with 1007', async () => {
    const client = await open('tessera.json.1');
    client.sendFrame(Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), { opcode: TEXT });
    await expectClose(client, 1007);
  });
});

describe('frames that arrive in pieces', () => {
  test('a message that comes byte by byte is still a message', async () => {
    const client = await open();
    for (const byte of frameBytes(encodeJoin({ ...GUEST, name: '' }))) {
      client.write(Uint8Array.of(byte));
      await sleep(1);
    }
    await until('a Welcome', () => client.messages.length > 0);
  });

  test('a long message that comes byte by byte is closed with 1008', async () => {
    const client = await open();
    for (const byte of frameBytes(Buffer.alloc(1000))) {
      if (client.closeCode !== 0 || client.isGone) break;
      client.write(Uint8Array.of(byte));
      await sleep(1);
    }
    await expectClose(client, 1008);
  });

  test('a message in fragments with a ping in between is a message', async () => {
    const client = await join();
    const bytes = moveBytes(1);
    const count = running.world.commandCount;
    client.sendFrame(bytes.subarray(0, 3), { fin: false });
    client.sendFrame('hello', { opcode: PING });
    client.sendFrame(bytes.subarray(3, 9), { opcode: 0, fin: false });
    client.sendFrame(bytes.subarray(9), { opcode: 0 });
    await until('the command', () => running.world.commandCount > count);
    await until('the pong', () => client.frames.some(({ opcode }) => opcode === PONG));
    assert.equal(client.frames.find(({ opcode }) => opcode === PONG)?.payload.toString(), 'hello');
  });

  test('a client that stops in the middle of its Join is closed when its time to join is over', async () => {
    const strict = await startNet({ joinTimeoutMs: 300 });
    const client = await openClient(strict.port);
    client.write(frameBytes(encodeJoin(GUEST)).subarray(0, 20));
    assert.equal(await client.closed(), 4000);
    await client.gone();
    assert.equal(strict.net.stats.snapshot().closedByServer[4000], 1);
    await strict.stop();
  });
});

describe('messages that break the rules of the protocol', () => {
  const header = (kind: number, seq: number, reserved = 0) => {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt16LE(kind, 0);
    bytes.writeUInt16LE(reserved, 2);
    bytes.writeUInt32LE(seq, 4);
    return bytes;
  };
  const message = (kind: number, seq: number, ...payload: number[]) =>
    Buffer.concat([header(kind, seq), Buffer.from(payload)]);
  const aim = (seq: number, angle: number, power: number, padding = 0) => {
    const bytes = Buffer.alloc(16);
    header(AIM, seq).copy(bytes);
    bytes.writeFloatLE(angle, 8);
    bytes[12] = power;
    bytes[15] = padding;
    return bytes;
  };
  const cases: [string, Buffer, { seq: number; kind: number; code: RejectCode }][] = [
    ['an empty message', Buffer.alloc(0), { seq: 0, kind: 0, code: RejectCode.Malformed }],
    ['seven bytes', Buffer.alloc(7), { seq: 0, kind: 0, code: RejectCode.Malformed }],
    ['a reserved header word', header(2, 5, 1), { seq: 5, kind: 2, code: RejectCode.Malformed }],
    ['kind 0', message(0, 5), { seq: 5, kind: 0, code: RejectCode.UnknownKind }],
    ['an unknown engine kind', message(77, 5), { seq: 5, kind: 77, code: RejectCode.UnknownKind }],
    ['an unknown game kind', message(999, 5, 1, 2), { seq: 5, kind: 999, code: RejectCode.UnknownKind }],
    ['the highest kind', message(65535, 5), { seq: 5, kind: 65535, code: RejectCode.UnknownKind }],
    ['a short ping', message(2, 5, 1), { seq: 5, kind: 2, code: RejectCode.Malformed }],
    ['a long resync', message(3, 5, 1), { seq: 5, kind: 3, code: RejectCode.Malformed }],
    ['a short command', message(MOVE, 5, 1, 2), { seq: 5, kind: MOVE, code: RejectCode.Malformed }],
    ['a long command', message(MOVE, 5, 1, 2, 0, 0, 0), { seq: 5, kind: MOVE, code: RejectCode.Malformed }],
    [
      'the largest message',
      message(MOVE, 5, ...new Array(1016).fill(0)),
      { seq: 5, kind: MOVE, code: RejectCode.Malformed },
    ],
    ['a reserved field', message(MOVE, 5, 1, 2, 0, 1), { seq: 5, kind: MOVE, code: RejectCode.Malformed }],
    ['a value below its range', message(MOVE, 5, 128, 2, 0, 0), { seq: 5, kind: MOVE, code: RejectCode.OutOfRange }],
    ['a value above its range', aim(5, 1, 11), { seq: 5, kind: AIM, code: RejectCode.OutOfRange }],
    ['a float that is no number', aim(5, Number.NaN, 1), { seq: 5, kind: AIM, code: RejectCode.OutOfRange }],
    ['an infinite float', aim(5, Number.POSITIVE_INFINITY, 1), { seq: 5, kind: AIM, code: RejectCode.OutOfRange }],
    ['padding that is not zero', aim(5, 1, 1, 1), { seq: 5, kind: AIM, code: RejectCode.Malformed }],
    ['a second Join', Buffer.from(encodeJoin(GUEST)), { seq: 0, kind: 1, code: RejectCode.AlreadyJoined }],
    ['a sequence number of 0', message(2, 0, 1, 2, 3, 4), { seq: 0, kind: 2, code: RejectCode.BadSequence }],
  ];
  for (const [name, bytes, expected] of cases) {
    test(`${name} is rejected as ${RejectCode[expected.code]}, and the next command is taken`, async () => {
      const client = await join();
      const count = running.world.commandCount;
      client.sendFrame(bytes);
      assert.deepEqual(await rejected(client), [expected]);
      assert.equal(running.world.commandCount, count, 'nothing reached the world');
      client.sendFrame(moveBytes(1));
      await until('the next command', () => running.world.commandCount === count + 1);
    });
  }

  test('a sequence number that repeats or goes back is rejected, one that leaps ahead is not', async () => {
    const client = await join();
    const count = running.world.commandCount;
    for (const seq of [10, 10, 9, 4_000_000_000, 4_000_000_000]) client.sendFrame(moveBytes(seq));
    const rejects = await rejected(client, 3);
    assert.deepEqual(
      rejects.map(({ seq, code }) => [seq, code]),
      [10, 9, 4_000_000_000].map((seq) => [seq, RejectCode.BadSequence]),
    );
    assert.equal(running.world.commandCount, count + 2);
  });

  test('commands, pings and resyncs before a Join are rejected and reach nothing', async () => {
    const client = await open();
    const count = running.world.commandCount;
    client.sendFrame(moveBytes(1));
    client.sendFrame(encodePing(2, 0));
    client.sendFrame(message(3, 3));
    const rejects = await rejected(client, 3);
    assert.ok(rejects.every(({ code }) => code === RejectCode.NotJoined));
    assert.equal(running.world.commandCount, count);
  });

  test('a Join while the first is on its way is rejected', async () => {
    running.world.answersJoins = false;
    const client = await open();
    client.sendFrame(encodeJoin(GUEST));
    client.sendFrame(encodeJoin(GUEST));
    client.sendFrame(moveBytes(1));
    const rejects = await rejected(client, 2);
    assert.deepEqual(
      rejects.map(({ code }) => code),
      [RejectCode.AlreadyJoined, RejectCode.NotJoined],
    );
    running.world.answersJoins = true;
  });

  test('a Join with a name that is too long is rejected, and can be tried again', async () => {
    const client = await open();
    client.sendFrame(encodeJoin({ ...GUEST, name: 'x'.repeat(25) }));
    assert.deepEqual(await rejected(client), [{ seq: 0, kind: 1, code: RejectCode.OutOfRange }]);
    client.sendFrame(encodeJoin(GUEST));
    await until('a Welcome', () => framesOf(client).some((frame) => readWelcome(frame) !== null));
  });

  test('a token that nobody issued is rejected and closed with 4001', async () => {
    const client = await open();
    client.sendFrame(encodeJoin({ ...GUEST, token: 'admin' }));
    assert.equal((await rejected(client))[0].code, RejectCode.BadToken);
    await expectClose(client, 4001);
  });

  test('a world that is full says so and closes with 1013', async () => {
    running.world.isFull = true;
    const client = await open();
    client.sendFrame(encodeJoin(GUEST));
    assert.equal((await rejected(client))[0].code, RejectCode.ServerFull);
    await expectClose(client, 1013);
    running.world.isFull = false;
  });

  test('objects that are no messages are rejected', async () => {
    const client = await open('tessera.json.1');
    const texts = [
      '',
      'null',
      '[]',
      '{}',
      '{"type":5}',
      '{"type":"__proto__","seq":1}',
      '[[[[[[',
      '{"type":"move","seq":1.5}',
    ];
    for (const text of texts) client.sendFrame(text, { opcode: TEXT });
    await until('all rejects', () => client.messages.length >= texts.length);
    assert.ok(client.messages.every((data) => JSON.parse(data.toString()).rejects.length === 1));
  });
});

describe('floods', () => {
  test('messages beyond the rate are rejected, answered within a bound, and in the end closed with 4004', async () => {
    const client = await join();
    const count = running.world.commandCount;
    const accepted = running.net.stats.snapshot().accepted;
    for (let seq = 1; seq <= 3000; seq++) client.sendFrame(moveBytes(seq));
    await expectClose(client, 4004);
    const reached = running.world.commandCount - count;
    assert.ok(reached >= 80 && reached < 300, `${reached} commands reached the world`);
    assert.equal(running.net.stats.snapshot().accepted - accepted, reached);
    const answers = rejectsOf(client);
    assert.ok(answers.length > 0 && answers.length < 100, `${answers.length} answers`);
    assert.ok(answers.every(({ code }) => code === RejectCode.RateLimited));
    assert.ok(running.net.stats.snapshot().drops.unanswered_reject > 0);
  });

  test('fifty malformed messages are closed with 4004', async () => {
    const client = await join();
    const before = running.net.stats.snapshot().rejects.Malformed;
    for (let index = 0; index < 50; index++) client.sendFrame('nonsense');
    await expectClose(client, 4004);
    assert.ok(running.net.stats.snapshot().rejects.Malformed - before <= 50);
  });

  test('a flood of pings is closed with 1008', async () => {
    const client = await join();
    for (let index = 0; index < 200; index++) client.sendFrame('x'.repeat(125), { opcode: PING });
    await expectClose(client, 1008);
    assert.ok(client.frames.filter(({ opcode }) => opcode === PONG).length <= 12);
  });

  test('a flood of pongs that nobody asked for is closed with 1008', async () => {
    const client = await join();
    for (let index = 0; index < 200; index++) client.sendFrame('x'.repeat(125), { opcode: PONG });
    await expectClose(client, 1008);
  });

  test('connections that come and go in a hurry leave nothing behind', async () => {
    for (let round = 0; round < 20; round++) {
      const clients = await Promise.all([open(), open(), open(), open(), open()]);
      for (const client of clients) {
        client.sendFrame(encodeJoin(GUEST));
        if (round % 2 === 0) client.socket.resetAndDestroy();
        else client.socket.end();
      }
    }
  });
});

describe('connections that were told to go', () => {
  /** 420,000 messages of one byte: 2.9 MB. */
  const flood = Buffer.concat(Array.from({ length: 10000 }, () => frameBytes('x')));
  const FLOOD_TIMES = 42;
  /** 2 KiB of the chunk in which the close was decided, and in each of 20 beats. */
  const PARSED_MAX = (21 * 2048) / 7 + 100;

  const dropped = () => running.net.stats.snapshot().drops.after_close ?? 0;
  const causes: Record<string, { code: number; begin(client: RawClient): void }> = {
    'a frame of the wrong type': { code: 1003, begin: (client) => client.sendFrame('{}', { opcode: TEXT }) },
    'its own Leave': { code: 1000, begin: (client) => client.sendFrame(encodeLeave(1)) },
    'an operator': { code: 1008, begin: () => void running.net.kick({ name: GUEST.name }, 'go') },
  };
  for (const [cause, { code, begin }] of Object.entries(causes)) {
    test(`a client that was told to go by ${cause} is hardly read any more, and has the code`, async () => {
      const client = await join();
      const before = dropped();
      begin(client);
      for (let times = 0; times < FLOOD_TIMES; times++) client.write(flood);
      assert.equal(await client.closed(), code);
      await client.gone();
      assert.ok(dropped() - before < PARSED_MAX, `${dropped() - before} messages were parsed`);
    });

    test(`a client that was told to go by ${cause} and answers is gone before the deadline`, async () => {
      const client = await join();
      begin(client);
      assert.equal(await client.closed(), code);
      const start = performance.now();
      await client.gone();
      assert.ok(performance.now() - start < CLOSE_DEADLINE_MS / 2, 'not by the deadline');
    });
  }

  test('a Leave with messages behind it in the same packet ends the reading of that packet', async () => {
    const client = await join();
    const before = dropped();
    client.write(Buffer.concat([frameBytes(encodeLeave(1)), flood]));
    assert.equal(await client.closed(), 1000);
    await client.gone();
    assert.ok(dropped() - before < PARSED_MAX, `${dropped() - before} messages were parsed`);
  });

  test('the close answer is found behind hundreds of messages that were under way', async () => {
    const client = await join();
    const underWay = Array.from({ length: 600 }, () => frameBytes('x'));
    const answer = frameBytes(Buffer.from([3, 232]), { opcode: CLOSE });
    client.write(Buffer.concat([frameBytes(encodeLeave(1)), ...underWay, answer]));
    const start = performance.now();
    await client.gone();
    assert.equal(client.closeCode, 1000);
    assert.ok(performance.now() - start < CLOSE_DEADLINE_MS / 2, 'not by the deadline');
  });

  test('one that says goodbye and goes on talking is ended at once', async () => {
    const client = await join();
    client.sendFrame(Buffer.from([3, 232]), { opcode: CLOSE });
    for (let times = 0; times < FLOOD_TIMES; times++) client.write(flood);
    const start = performance.now();
    await until('the end of the session', () => running.net.stats.connections === 0);
    assert.ok(performance.now() - start < CLOSE_DEADLINE_MS / 2, 'not by the deadline');
  });

  test('one that breaks the WebSocket protocol and never answers is gone at the deadline', async () => {
    const client = await join();
    client.write(Buffer.from([0xff, 0xff]));
    for (let times = 0; times < FLOOD_TIMES; times++) client.write(flood);
    assert.equal(await client.closed(), 1002);
    await client.gone();
  });
});

describe('handshakes', () => {
  const requests: [string, number, string][] = [
    ['another path', 404, upgradeRequest('/ws/other')],
    ['a path that only begins like ours', 404, upgradeRequest('/ws/game/x')],
    ['no path', 404, upgradeRequest('/')],
    ['no Upgrade header', 426, 'GET /ws/game HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['another protocol', 400, upgradeRequest('/ws/game').replace('Upgrade: websocket', 'Upgrade: h2c')],
    ['another method', 405, upgradeRequest('/ws/game').replace('GET', 'POST')],
    ['a key that is too short', 400, upgradeRequest('/ws/game').replace(/Key: .*/, 'Key: abc')],
    ['an old version', 400, upgradeRequest('/ws/game').replace('Version: 13', 'Version: 7')],
    ['only unknown sub-protocols', 400, upgradeRequest('/ws/game', ['Sec-WebSocket-Protocol: a, b'])],
    ['a broken list of sub-protocols', 400, upgradeRequest('/ws/game', ['Sec-WebSocket-Protocol: tessera.fb.1,,'])],
    ['headers beyond the limit', 431, upgradeRequest('/ws/game', [`X-Bomb: ${'x'.repeat(9000)}`])],
    ['very many headers', 431, upgradeRequest('/ws/game', new Array(5000).fill('X: y'))],
    ['what is no HTTP', 400, '\u0000\u0001\u0002\r\n\r\n'],
  ];
  for (const [name, status, request] of requests) {
    test(`a request with ${name} is answered with ${status}`, async () => {
      const client = connectRaw();
      client.write(request);
      await until('an answer', () => client.status !== 0 || client.isGone);
      assert.equal(client.status, status, client.answer);
    });
  }

  test('frames right behind the handshake, in the same packet, are read', async () => {
    const client = connectRaw();
    client.write(Buffer.concat([Buffer.from(upgradeRequest('/ws/game')), frameBytes(encodeJoin(GUEST))]));
    await until('a Welcome', () => client.messages.length > 0);
  });

  test('a handshake that is never completed, and a connection that says nothing, are ended', async () => {
    const dribbling = connectRaw();
    const silent = connectRaw();
    const start = performance.now();
    const request = upgradeRequest('/ws/game', [`X-Long: ${'x'.repeat(4000)}`]);
    for (let at = 0; at < request.length && !(dribbling.isGone && silent.isGone); at++) {
      dribbling.write(request[at]);
      await sleep(20);
      assert.ok(performance.now() - start < 4 * HANDSHAKE_TIMEOUT_MS, 'still waiting for them');
    }
    assert.equal(dribbling.status, 408);
  });

  test('an address may have so many WebSockets and no more', async () => {
    const strict = await startNet({ connectionsPerAddress: 3 });
    const clients = await Promise.all([1, 2, 3].map(() => openClient(strict.port)));
    const refused = await openClient(strict.port);
    assert.equal(refused.status, 429);
    clients[0].destroy();
    await until('a place', () => strict.net.stats.connections === 2);
    assert.equal((await openClient(strict.port)).status, 101);
    assert.equal(strict.net.stats.snapshot().drops.connection_address, 1);
    await strict.stop();
  });

  test('an address that opens very many connections is cut off before it says anything', async () => {
    const strict = await startNet({ connectionsPerAddress: 3 });
    const clients = Array.from({ length: 100 }, () => connectRaw(strict.port));
    await until('refusals', () => clients.filter(({ isGone }) => isGone).length >= 80);
    assert.ok((strict.net.stats.snapshot().drops.connection_address ?? 0) >= 80);
    await strict.stop();
  });

  test('a server with no place left says so with 1013', async () => {
    const small = await startNet({ clientsMax: 2 });
    await joinClient(small.port);
    const second = await joinClient(small.port);
    const third = await openClient(small.port);
    assert.equal(await third.closed(), 1013);
    await third.gone();
    second.destroy();
    await until('a place', () => small.net.stats.connections === 1);
    await joinClient(small.port);
    await small.stop();
  });
});

describe('clients that do not read', () => {
  const PADDING_BYTES = 12_000;

  test('a slow reader is sent nothing while it is backed up, and the newest state when it reads again', async () => {
    const slow = await startNet({ slowClientMs: 60_000 });
    const client = await joinClient(slow.port);
    const index = slow.world.indexOf(readWelcome(framesOf(client)[0])!.clientId);
    client.socket.pause();
    slow.stepEvery(2, PADDING_BYTES);
    await until('the world to be told', () => slow.world.clients.get(index)!.congested);
    // Frames that were already in a ring when the world was told.
    slow.world.frame(index);
    slow.world.frame(index);
    assert.equal(slow.net.stats.snapshot().drops.congested, 2);
    const { packetsOut, bytesOut } = slow.net.stats;
    const { tick } = slow.world;
    await until('the world to go on', () => slow.world.tick > tick + 50);
    assert.ok(slow.net.stats.packetsOut - packetsOut <= 1, 'nothing but a ping is added to what waits');
    assert.ok(slow.net.stats.bytesOut - bytesOut < 100);
    client.socket.resume();
    await until('the world to be told', () => !slow.world.clients.get(index)!.congested);
    const lastTick = () => framesOf(client).at(-1)!.tick();
    await until('new frames', () => lastTick() > tick + 50);
    const frames = framesOf(client);
    const gap = frames.findIndex((frame, index) => index > 1 && frame.tick() > frames[index - 1].tick() + 1);
    assert.ok(frames[gap].tick() > tick + 50, 'ticks of the meantime never come');
    assert.ok((frames[gap].flags() & FrameFlag.Full) !== 0, 'what comes first is a full frame');
    await slow.stop();
  });

  test('one that stays backed up is closed with 4002', async () => {
    const slow = await startNet({ slowClientMs: 500 });
    const client = await joinClient(slow.port);
    client.socket.pause();
    slow.stepEvery(2, PADDING_BYTES);
    await until('the end of the session', () => slow.net.stats.connections === 0);
    assert.deepEqual(slow.net.stats.snapshot().closedByServer, { 4002: 1 });
    assert.equal(slow.world.clients.size, 0);
    client.destroy();
    await slow.stop();
  });

  test('one that reads nothing and is sent little is noticed by its late pong', async () => {
    const slow = await startNet({ slowClientMs: 60_000 });
    const client = await joinClient(slow.port);
    const index = slow.world.indexOf(readWelcome(framesOf(client)[0])!.clientId);
    client.socket.pause();
    await until('the world to be told', () => slow.world.clients.get(index)!.congested);
    client.socket.resume();
    await until('the world to be told', () => !slow.world.clients.get(index)!.congested);
    client.destroy();
    await slow.stop();
  });

  test('one that answers no ping and says nothing is closed with 4003', async () => {
    const strict = await startNet({ idleTimeoutMs: 2500 });
    const client = await joinClient(strict.port);
    const honest = await joinClient(strict.port);
    client.answersPings = false;
    assert.equal(await client.closed(), 4003);
    await until('a ping to the other', () => honest.frames.some(({ opcode }) => opcode === PING));
    assert.equal(strict.net.stats.clients, 1, 'the one that answers stays');
    await strict.stop();
  });

  test('one that talks but cannot answer pings is left alone', async () => {
    const strict = await startNet({ idleTimeoutMs: 2500, slowClientMs: 500 });
    const client = await joinClient(strict.port, false);
    for (let seq = 1; seq < 90; seq++) {
      client.sendFrame(moveBytes(seq));
      await sleep(50);
    }
    assert.ok(client.frames.some(({ opcode }) => opcode === PING));
    assert.equal(strict.world.congestions, 0);
    assert.equal(client.closeCode, 0);
    await strict.stop();
  });
});
