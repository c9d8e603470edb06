import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { DROP_RESPONSE_UNSENT, NetCounters } from '../../../src/net/gateway/net-counters.js';
import { RequestGates } from '../../../src/net/http/request-gate.js';
import { HTTP_REQUESTS_PER_TURN } from '../../../src/net/limits.js';
import { frameBytes, PING, PONG, RawClient, upgradeRequest } from '../raw-client.js';
import { sleep, startNet, stopAll, until } from '../start-net.js';

after(stopAll);

const request = (path: string, headers: readonly string[] = []) =>
  [`GET ${path} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n');

/** A connection that counts its answers and keeps the last of their text. */
function connectCounting(port: number) {
  const socket = connect(port, '127.0.0.1').setNoDelay();
  let text = '';
  let count = 0;
  socket.on('data', (chunk: Buffer) => {
    const parts = (text + chunk.toString('latin1')).split('HTTP/1.1 ');
    count += parts.length - 1;
    text = parts[parts.length - 1].slice(-16);
  });
  return { socket, count: () => count };
}

/** A server that says how many requests it began in one turn of the event loop, at most. */
async function startCounting() {
  let inTurn = 0;
  const seen = { total: 0, inTurnMax: 0 };
  const health = () => {
    inTurn += 1;
    seen.total += 1;
    seen.inTurnMax = Math.max(seen.inTurnMax, inTurn);
    setImmediate(() => {
      inTurn = 0;
    });
    return {};
  };
  return { seen, running: await startNet({}, { health }) };
}

for (const [title, text] of [
  ['whole', request('/healthz')],
  ['with an expectation that nobody knows', request('/healthz', ['Expect: miracles'])],
  ['with bodies', `${request('/healthz', ['Content-Length: 4'])}\r\n\r\n`],
] as const) {
  test(`pipelined requests are worked on one at a time, ${title}`, async () => {
    const { seen, running } = await startCounting();
    const { socket, count } = connectCounting(running.port);
    socket.write(text.repeat(300));
    await until('all answers', () => count() === 300);
    assert.deepEqual(seen, { total: 300, inTurnMax: 1 });
    await running.stop();
  });
}

test('few requests begin in one turn of the event loop, however many connections ask', async () => {
  const { seen, running } = await startCounting();
  const clients = Array.from({ length: 40 }, () => connectCounting(running.port));
  for (const { socket } of clients) socket.write(request('/healthz').repeat(20));
  await until('all answers', () => clients.every(({ count }) => count() === 20));
  assert.equal(seen.total, 800);
  assert.ok(seen.inTurnMax <= HTTP_REQUESTS_PER_TURN, `${seen.inTurnMax} requests began in one turn`);
  await running.stop();
});

test('requests that come cut anywhere are answered one by one', async () => {
  const { seen, running } = await startCounting();
  const { socket, count } = connectCounting(running.port);
  const bytes = Buffer.from(request('/healthz').repeat(4));
  for (let index = 0; index < bytes.length; index += 7) {
    socket.write(bytes.subarray(index, index + 7));
    if (index % 21 === 0) await sleep(1);
  }
  await until('all answers', () => count() === 4);
  assert.equal(seen.inTurnMax, 1);
  await running.stop();
});

test('a handshake behind requests, with messages right behind it, is a WebSocket whose messages are read', async () => {
  const running = await startNet();
  const client = new RawClient(running.port);
  const handshake = upgradeRequest('/ws/game', ['Sec-WebSocket-Protocol: tessera.fb.1']);
  let text = '';
  client.socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  const pings = Buffer.concat(['one', 'two'].map((payload) => frameBytes(payload, { opcode: PING })));
  client.write(Buffer.concat([Buffer.from(request('/healthz') + handshake), pings]));
  const pong = (payload: string) => String.fromCharCode(0x80 | PONG, payload.length) + payload;
  await until('both pongs', () => text.includes(pong('one')) && text.includes(pong('two')));
  assert.match(text, /200 OK.*101 Switching/s);
  await running.stop();
});

test('a client that does not read its answers is not read either', async () => {
  let begun = 0;
  const padding = 'x'.repeat(500_000);
  const running = await startNet({}, { health: () => ({ padding, begun: ++begun }) });
  const { socket, count } = connectCounting(running.port);
  socket.pause();
  socket.write(request('/healthz').repeat(60));
  for (let before = -1; before !== begun; await sleep(300)) before = begun;
  assert.ok(begun < 50, `${begun} answers of 500 KB begun for nobody`);
  socket.resume();
  await until('all answers', () => count() === 60);
  socket.destroy();
  await running.stop();
});

test('the metrics page is built once for all who ask in a quarter of a second', async () => {
  const running = await startNet();
  let built = 0;
  running.metrics.registerGauge('test_built', 'Builds', [], (report) => report(++built));
  const { socket, count } = connectCounting(running.port);
  const start = performance.now();
  socket.write(request('/metrics').repeat(200));
  await until('all answers', () => count() === 200);
  const quarters = Math.floor((performance.now() - start) / 250);
  assert.ok(built >= 1 && built <= quarters + 1, `${built} builds in ${quarters} quarters of a second`);
  await sleep(260);
  await (await fetch(`http://127.0.0.1:${running.port}/metrics`)).text();
  assert.ok(built >= 2, 'and anew after that');
  await running.stop();
});

/** Gates of connections whose clients leave so many bytes of a response in the socket. */
function createGates(unsentBytesMax: number, unsentBytesTotalMax: number) {
  const counters = new NetCounters();
  const gates = new RequestGates(counters, { unsentBytesMax, unsentBytesTotalMax });
  const ask = (bytes: number) => {
    const socket = Object.assign(new EventEmitter(), {
      destroyed: false,
      writableLength: 0,
      pause() {},
      resume() {},
      destroy() {
        this.destroyed = true;
      },
    });
    socket.on('data', () => {});
    gates.attach(socket as unknown as Socket);
    const response = new EventEmitter();
    gates.begin({ socket, complete: true } as unknown as IncomingMessage, response as unknown as ServerResponse);
    socket.writableLength = bytes;
    response.emit('prefinish');
    return { socket, response };
  };
  return { counters, ask };
}

test('a connection with more unsent than one may have is closed, and counted', () => {
  const { counters, ask } = createGates(100, 1000);
  assert.equal(ask(100).socket.destroyed, false);
  assert.equal(ask(101).socket.destroyed, true);
  assert.equal(counters.drops[DROP_RESPONSE_UNSENT], 1);
});

test('a connection that asks for more than all may have unsent is closed; what was sent makes room', () => {
  const { counters, ask } = createGates(100, 250);
  const first = ask(100);
  ask(100);
  const third = ask(51);
  assert.equal(third.socket.destroyed, true);
  third.response.emit('close');
  assert.equal(ask(50).socket.destroyed, false);
  first.response.emit('close');
  assert.equal(ask(100).socket.destroyed, false);
  assert.equal(ask(1).socket.destroyed, true);
  assert.equal(counters.drops[DROP_RESPONSE_UNSENT], 2);
});

test('the gate takes the place of the one listener for data that Node puts on a connection', async () => {
  const server = createServer();
  const listeners = new Promise<number>((resolve) => {
    server.on('connection', (socket) => resolve(socket.listenerCount('data')));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = new RawClient((server.address() as AddressInfo).port);
  assert.equal(await listeners, 1);
  client.destroy();
  server.close();
});
