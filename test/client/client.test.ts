// The client against a server of the real protocol that says exactly what a test wants it to say.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { type Ending, type FrameInfo, TesseraClient } from '../../src/client/client.js';
import type { ClientOptions } from '../../src/client/client-options.js';
import { listNotes } from '../../src/game/notes/list-notes.js';
import { RejectCode } from '../../src/game/reject-codes.js';
import {
  ClientKind,
  checkClientMessage,
  clientTimeOf,
  kindOf,
  readJoin,
  seqOf,
} from '../../src/protocol/fb/client-message.js';
import { CommandLayouts, type DescribedCommand, decodeCommand } from '../../src/protocol/fb/command-layout.js';
import { buildFrame, type FrameParts, type WelcomeInfo } from '../../src/protocol/fb/server-frame.js';

const WALK: DescribedCommand = {
  name: 'Walk',
  kind: 256,
  payload: [
    { name: 'x', type: 'i8' },
    { name: 'far', type: 'f32' },
  ],
};
const LAYOUTS = new CommandLayouts([WALK]);
const [WALK_LAYOUT] = LAYOUTS.all;

const WELCOME: WelcomeInfo = {
  protocol: 1,
  game: 'test',
  clientId: 3,
  entityId: 5,
  tickHz: 60,
  updateHz: 30,
  worldWidth: 64,
  worldHeight: 64,
  quantum: 0.5,
  viewRadius: 24,
  leaveRadius: 28,
  kinds: ['body'],
  fields: [{ name: 'hp', type: 'u8', scale: 1, offset: 0 }],
  commands: [{ name: 'Walk', kind: 256, bytes: WALK_LAYOUT.bytes }],
  token: '',
  resumed: false,
};

/** Entity 5 of kind 0 enters at raw (20, 40) with hp 9. */
const ENTER = Uint8Array.from([5, 0b111, 0, 20, 0, 0, 0, 40, 0, 0, 0, 9]);
/** Entity 5 moves to raw (21, 39). */
const MOVE = Uint8Array.from([5, 0b001, 21, 39]);
/** Entity 6, which nobody was told of, moves. */
const STRANGER = Uint8Array.from([6, 0b001, 21, 39]);

let server: WebSocketServer;
let url: string;
/** What the server does with a new connection; each test sets its own. */
let serve: (link: Link) => void = () => {};
const clients: TesseraClient[] = [];

class Link {
  onMessage: (view: DataView, kind: number, seq: number) => void = () => {};

  constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
      assert.equal(checkClientMessage(LAYOUTS, view, 0, data.length), RejectCode.None);
      this.onMessage(view, kindOf(view, 0), seqOf(view, 0));
    });
  }

  send(parts: Partial<FrameParts>): void {
    this.socket.send(buildFrame({ tick: 0, ack: 0, ...parts }));
  }
}

function welcomeAll(link: Link): void {
  link.onMessage = (_view, kind) => {
    if (kind === ClientKind.Join) link.send({ welcome: WELCOME });
  };
}

function makeClient(options: Partial<ClientOptions> = {}): TesseraClient {
  const client = new TesseraClient({ url, name: 'tester', commands: [WALK], WebSocket, ...options });
  clients.push(client);
  return client;
}

function nextFrame(client: TesseraClient): Promise<FrameInfo> {
  return new Promise((resolve) => {
    client.onFrame = resolve;
  });
}

function nextClose(client: TesseraClient): Promise<Ending> {
  return new Promise((resolve) => {
    client.onClose = resolve;
  });
}

before(async () => {
  server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    handleProtocols: (offered) => (offered.has('tessera.fb.1') ? 'tessera.fb.1' : false),
  });
  server.on('connection', (socket) => serve(new Link(socket)));
  await once(server, 'listening');
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws/game`;
});

after(() => {
  for (const client of clients) client.close();
  for (const socket of server.clients) socket.terminate();
  server.close();
});

test('a client joins with its name, token and rate, and knows what the server welcomed it with', async () => {
  let joined: unknown = null;
  serve = (link) => {
    link.onMessage = (view, kind) => {
      assert.equal(kind, ClientKind.Join);
      joined = readJoin(view, 0, view.byteLength);
      link.send({ welcome: WELCOME });
    };
  };
  const client = makeClient({ token: 'secret', updateHz: 20 });
  assert.equal(client.fieldIndex('hp'), -1, 'nothing is known of the game yet');
  assert.deepEqual(await client.connect(), WELCOME);
  assert.deepEqual([client.fieldIndex('hp'), client.fieldIndex('mp')], [0, -1]);
  assert.deepEqual(joined, { name: 'tester', token: 'secret', updateHz: 20 });
  assert.deepEqual([client.state, client.entityId], ['joined', 5]);
});

test('frames are decoded into entities, and the own one is found among them', async () => {
  serve = (link) => {
    link.onMessage = () => {
      link.send({ welcome: WELCOME });
      link.send({ tick: 100, ack: 0, full: true, entities: ENTER });
      link.send({ tick: 102, ack: 0, entities: MOVE });
      link.send({ tick: 104, ack: 0, leaves: [5] });
    };
  };
  const client = makeClient();
  const seen: unknown[] = [];
  const done = new Promise<void>((resolve) => {
    client.onFrame = ({ tick, full, delta }) => {
      seen.push([tick, full, delta.error, client.self && [client.self.x, client.self.y, client.self.fields[0]]]);
      if (tick === 104) resolve();
    };
  });
  await client.connect();
  await done;
  assert.deepEqual(seen, [
    [100, true, null, [10, 20, 9]],
    [102, false, null, [10.5, 19.5, 9]],
    [104, false, null, null],
  ]);
  assert.equal(client.traffic.framesIn, 4);
});

test('a command arrives as the game laid it out, numbered, and its acknowledgement gives the round trip', async () => {
  const received: unknown[] = [];
  serve = (link) => {
    link.onMessage = (view, kind, seq) => {
      if (kind === ClientKind.Join) return link.send({ welcome: WELCOME });
      received.push([kind, seq, decodeCommand(WALK_LAYOUT, view, 0)]);
      if (seq === 2) link.send({ tick: 9, ack: 2 });
    };
  };
  let now = 1000;
  const client = makeClient({ clock: () => now });
  await client.connect();
  assert.equal(client.send('Walk', { x: -3, far: 1.5 }), 1);
  assert.equal(client.send('Walk', { x: 127, far: 0 }), 2);
  now += 25;
  const frame = await nextFrame(client);
  assert.deepEqual(received, [
    [256, 1, { x: -3, far: 1.5 }],
    [256, 2, { x: 127, far: 0 }],
  ]);
  assert.deepEqual([frame.ack, client.roundTrip.lastMs, client.roundTrip.count], [2, 25, 1]);
});

test('a ping comes back with the time it took', async () => {
  serve = (link) => {
    link.onMessage = (view, kind, seq) => {
      if (kind === ClientKind.Join) link.send({ welcome: WELCOME });
      if (kind !== ClientKind.Ping) return;
      now += 12;
      link.send({ pong: { seq, clientTime: clientTimeOf(view, 0) } });
      link.send({ notice: { code: 0, text: 'after the pong' } });
    };
  };
  // So late that 32 bits of microseconds wrap between the ping and its pong.
  let now = 4294967.29;
  const client = makeClient({ clock: () => now });
  await client.connect();
  const noticed = new Promise((resolve) => {
    client.onNotice = resolve;
  });
  client.ping();
  assert.deepEqual(await noticed, { code: 0, text: 'after the pong' });
  assert.ok(Math.abs(client.pingMs - 12) < 0.01, `${client.pingMs}`);
});

test('a rejected command is reported with its number and code', async () => {
  serve = (link) => {
    link.onMessage = (_view, kind, seq) => {
      if (kind === ClientKind.Join) link.send({ welcome: WELCOME });
      else link.send({ rejects: [{ seq, kind, code: RejectCode.Cooldown }] });
    };
  };
  const client = makeClient();
  await client.connect();
  const rejected = new Promise((resolve) => {
    client.onReject = resolve;
  });
  client.send('Walk', { x: 1, far: 0 });
  assert.deepEqual(await rejected, { seq: 1, kind: 256, code: RejectCode.Cooldown });
});

test('a frame that does not fit what is known asks for everything anew, once, and nothing counts until it comes', async () => {
  let resyncs = 0;
  serve = (link) => {
    link.onMessage = (_view, kind) => {
      if (kind === ClientKind.Join) {
        link.send({ welcome: WELCOME });
        link.send({ tick: 1, full: true, entities: ENTER });
        link.send({ tick: 2, entities: STRANGER });
        link.send({ tick: 3, entities: STRANGER });
        link.send({ tick: 4, entities: MOVE });
      }
      if (kind !== ClientKind.Resync) return;
      resyncs++;
      link.send({ tick: 5, full: true, entities: ENTER });
      link.send({ tick: 6, entities: MOVE });
    };
  };
  const client = makeClient();
  const seen: unknown[] = [];
  const done = new Promise<void>((resolve) => {
    client.onFrame = ({ tick, delta }) => {
      seen.push([tick, delta.error, client.self?.x]);
      if (tick === 6) resolve();
    };
  });
  await client.connect();
  await done;
  assert.deepEqual(seen, [
    [1, null, 10],
    [2, 'an unknown entity is updated', 10],
    [5, null, 10],
    [6, null, 10.5],
  ]);
  assert.deepEqual([resyncs, client.traffic.resyncs, client.traffic.framesBad], [1, 1, 1]);
});

test('a refused join says why', async () => {
  serve = (link) => {
    link.onMessage = () => {
      link.send({ rejects: [{ seq: 0, kind: ClientKind.Join, code: RejectCode.ServerFull }] });
      link.socket.close(1013, 'not let in');
    };
  };
  const client = makeClient();
  await assert.rejects(client.connect(), /the server is full/);
  assert.equal(client.state, 'closed');
});

test('a server that is not there is an error, and another attempt may be made', async () => {
  const client = makeClient({ url: 'ws://127.0.0.1:9/ws/game' });
  await assert.rejects(client.connect());
  await assert.rejects(client.connect());
});

test('an address that is none is an error', async () => {
  await assert.rejects(makeClient({ url: 'not an address' }).connect());
});

test('a server that never answers a join is given up', async () => {
  serve = () => {};
  await assert.rejects(makeClient({ joinTimeoutMs: 50 }).connect(), /no answer in time/);
});

test('a server of another version or another game is not joined', async () => {
  for (const welcome of [
    { ...WELCOME, protocol: 2 },
    { ...WELCOME, commands: [] },
    { ...WELCOME, commands: [{ name: 'Walk', kind: 256, bytes: 24 }] },
  ]) {
    serve = (link) => {
      link.onMessage = () => link.send({ welcome });
    };
    const client = makeClient();
    await assert.rejects(client.connect(), /version 2|no command like Walk/);
    assert.equal(client.state, 'closed');
  }
});

test('a server that sends garbage is left, and nothing throws', async () => {
  serve = (link) => {
    link.onMessage = () => {
      link.send({ welcome: WELCOME });
      link.socket.send(Uint8Array.from([1, 2, 3, 255, 255, 255, 255, 0, 9]));
    };
  };
  const client = makeClient();
  const ended = nextClose(client);
  await client.connect();
  assert.deepEqual(await ended, { code: 0, reason: 'the server sent what is no frame', retryMs: null });
  assert.equal(client.traffic.framesBad, 1);
});

test('a text message is no frame either', async () => {
  serve = (link) => {
    link.onMessage = () => link.socket.send('hello');
  };
  await assert.rejects(makeClient().connect(), /no frame/);
});

test('a lost connection is told with the reason of its close', async () => {
  serve = (link) => {
    link.onMessage = () => {
      link.send({ welcome: WELCOME });
      link.socket.close(4002, 'reads too slowly');
    };
  };
  const client = makeClient();
  const ended = nextClose(client);
  await client.connect();
  assert.deepEqual(await ended, { code: 4002, reason: 'reads too slowly', retryMs: null });
  assert.equal(client.send('Walk', { x: 1, far: 0 }), 0);
  assert.equal(client.entities.size, 0);
});

test('a client that may reconnect comes back by itself and starts with a clean view', async () => {
  let connections = 0;
  serve = (link) => {
    connections++;
    link.onMessage = (_view, kind, seq) => {
      if (kind === ClientKind.Join) return link.send({ welcome: WELCOME });
      link.send({ tick: connections, ack: seq, full: true, entities: ENTER });
      if (connections === 1 && seq === 2) link.socket.close(1012, 'restart');
    };
  };
  const client = makeClient({ reconnect: { delayMsMin: 5, delayMsMax: 10, random: () => 0 } });
  const ended = nextClose(client);
  await client.connect();
  assert.deepEqual([client.send('Walk', { x: 1, far: 0 }), client.send('Walk', { x: 1, far: 0 })], [1, 2]);
  const welcomedAgain = new Promise((resolve) => {
    client.onWelcome = resolve;
  });
  assert.deepEqual(await ended, { code: 1012, reason: 'restart', retryMs: 2.5 });
  assert.equal(client.state, 'waiting');
  assert.deepEqual(await welcomedAgain, WELCOME);
  assert.deepEqual([client.state, client.entities.size, client.traffic.reconnects], ['joined', 0, 1]);
  assert.equal(client.roundTrip.count, 2);
  const frame = nextFrame(client);
  assert.equal(client.send('Walk', { x: 1, far: 0 }), 1);
  await frame;
  assert.deepEqual([client.roundTrip.count, client.entities.size], [3, 1]);
});

test('a client that comes back shows the newest token that it was given, and goes without one that is refused', async () => {
  const shown: string[] = [];
  serve = (link) => {
    link.onMessage = (view, kind, seq) => {
      if (kind !== ClientKind.Join) return;
      const { token } = readJoin(view, 0, view.byteLength)!;
      shown.push(token);
      if (token === 'ticket-2') {
        link.send({ rejects: [{ seq, kind, code: RejectCode.BadToken }] });
        link.socket.close(4001, 'the token is not valid');
        return;
      }
      link.send({ welcome: { ...WELCOME, token: `ticket-${shown.length}`, resumed: token === 'ticket-1' } });
      if (shown.length < 3) link.socket.close(1012, 'restart');
    };
  };
  const client = makeClient({ token: 'mine', reconnect: { delayMsMin: 1, delayMsMax: 2 } });
  const resumed: boolean[] = [];
  client.onWelcome = () => resumed.push(client.resumed);
  await client.connect();
  while (shown.length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(shown, ['mine', 'ticket-1', 'ticket-2', 'mine']);
  assert.deepEqual(resumed, [false, true, false]);
  assert.equal(client.resumeToken, 'ticket-4');
});

test('a client whose own token is refused as well as its newest one comes in without any', async () => {
  const shown: string[] = [];
  serve = (link) => {
    link.onMessage = (view, kind, seq) => {
      if (kind !== ClientKind.Join) return;
      const { token } = readJoin(view, 0, view.byteLength)!;
      shown.push(token);
      // A server that has begun again with another key knows neither of them.
      if (shown.length > 1 && token !== '') {
        link.send({ rejects: [{ seq, kind, code: RejectCode.BadToken }] });
        link.socket.close(4001, 'the token is not valid');
        return;
      }
      link.send({ welcome: { ...WELCOME, token: `ticket-${shown.length}` } });
      if (shown.length === 1) link.socket.close(1012, 'restart');
    };
  };
  const client = makeClient({ token: 'of last week', reconnect: { attemptsMax: 4, delayMsMin: 1, delayMsMax: 2 } });
  let ending: Ending | undefined;
  client.onClose = (info) => {
    ending = info;
  };
  await client.connect();
  const until = performance.now() + 5000;
  while (client.resumeToken !== 'ticket-4' && ending?.retryMs !== null && performance.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(shown, ['of last week', 'ticket-1', 'of last week', '']);
  assert.deepEqual([client.state, client.resumeToken], ['joined', 'ticket-4']);
});

test('a token that was not refused is still there after an attempt that failed, for the next client', async () => {
  for (const [code, left] of [
    [RejectCode.ServerFull, 'mine'],
    [RejectCode.BadToken, ''],
  ] as const) {
    serve = (link) => {
      link.onMessage = (_view, kind, seq) => {
        link.send({ rejects: [{ seq, kind, code }] });
        link.socket.close(1013, 'not let in');
      };
    };
    const client = makeClient({ token: 'mine' });
    await assert.rejects(client.connect());
    assert.equal(client.resumeToken, left);
  }
});

test('a client whose token was shown by another connection does not take over in turn', async () => {
  serve = (link) => {
    link.onMessage = () => {
      link.send({ welcome: { ...WELCOME, token: 'ticket' } });
      link.socket.close(4006, 'you have come back by another connection');
    };
  };
  const client = makeClient({ reconnect: { delayMsMin: 1, delayMsMax: 2 } });
  const ended = nextClose(client);
  await client.connect();
  assert.deepEqual(await ended, { code: 4006, reason: 'you have come back by another connection', retryMs: null });
  assert.equal(client.state, 'closed');
});

test('attempts to reconnect are bounded', async () => {
  let connections = 0;
  serve = (link) => {
    connections++;
    link.onMessage = () => {
      if (connections === 1) link.send({ welcome: WELCOME });
      link.socket.close(1013, 'no');
    };
  };
  const client = makeClient({ reconnect: { attemptsMax: 3, delayMsMin: 1, delayMsMax: 2 } });
  const retries: boolean[] = [];
  const gaveUp = new Promise<void>((resolve) => {
    client.onClose = ({ retryMs }) => {
      retries.push(retryMs !== null);
      if (retryMs === null) resolve();
    };
  });
  await client.connect();
  await gaveUp;
  assert.deepEqual(retries, [true, true, true, false]);
  assert.equal(connections, 4);
  assert.equal(client.state, 'closed');
});

test('a client that closes says so to the server and hears nothing any more', async () => {
  const left = new Promise<number>((resolve) => {
    serve = (link) => {
      link.onMessage = (_view, kind, seq) => {
        if (kind === ClientKind.Join) link.send({ welcome: WELCOME });
        if (kind === ClientKind.Leave) resolve(seq);
      };
    };
  });
  const client = makeClient({ reconnect: {} });
  let closes = 0;
  client.onClose = () => closes++;
  await client.connect();
  client.close();
  assert.equal(await left, 1);
  assert.deepEqual([client.state, closes], ['closed', 0]);
});

test('the end of an earlier connection does not end the next one', async () => {
  const earlierEnded = new Promise((resolve) => {
    serve = (link) => {
      link.onMessage = (_view, kind) => {
        if (kind === ClientKind.Join) link.send({ welcome: WELCOME });
      };
      link.socket.on('close', resolve);
    };
  });
  const client = makeClient();
  let closes = 0;
  client.onClose = () => closes++;
  await client.connect();
  client.close();
  await client.connect();
  await earlierEnded;
  const frame = nextFrame(client);
  for (const socket of server.clients) socket.send(buildFrame({ tick: 1, ack: 0 }));
  await frame;
  assert.deepEqual([client.state, closes], ['joined', 0]);
});

test('closing before the answer to a join ends the attempt', async () => {
  serve = welcomeAll;
  const client = makeClient();
  const attempt = client.connect();
  client.close();
  await assert.rejects(attempt, /closed before/);
});

test('notes go to the handler of their name, in order, with how many did not come before them', async () => {
  const notes = listNotes({ said: { payload: { text: { type: 'text', bytes: 9 } } } });
  serve = (link) => {
    link.onMessage = () => {
      link.send({ welcome: { ...WELCOME, notes } });
      link.send({ tick: 1, full: true, notes: { number: 1, bytes: Uint8Array.of(0, 1, 65, 0, 1, 66) } });
      link.send({ tick: 2, notes: { number: 5, bytes: Uint8Array.of(0, 1, 67) } });
      link.send({ tick: 3, notes: { number: 6, bytes: Uint8Array.of(7) } });
      link.send({ tick: 4, notes: { number: 6, bytes: Uint8Array.of(0, 1, 68) } });
    };
  };
  const client = makeClient();
  const told: unknown[] = [];
  client.onNotesMissed = (count) => told.push(count);
  const ended = new Promise<void>((resolve) => {
    client.onNote('said', ({ text }, { number }) => {
      told.push([text, number]);
      if (number === 6) resolve();
    });
  });
  await client.connect();
  await ended;
  assert.deepEqual(told, [['A', 1], ['B', 2], 2, ['C', 5], ['D', 6]]);
  assert.equal(client.traffic.framesBad, 1);
});
