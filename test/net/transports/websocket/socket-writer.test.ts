import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { FRAME_BYTES_MAX } from '../../../../src/engine/replication/limits.js';
import { framedBytes, OPCODE_BINARY, SocketWriter } from '../../../../src/net/transports/websocket/socket-writer.js';
import { until } from '../../start-net.js';

interface Pair {
  /** The side that writes. */
  source: Socket;
  target: Socket;
  close(): void;
}

async function connectPair(): Promise<Pair> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const target = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const source = await accepted;
  const close = () => {
    source.destroy();
    target.destroy();
    server.close();
  };
  return { source, target, close };
}

function collect(socket: Socket): { bytes(): Buffer } {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { bytes: () => Buffer.concat(chunks) };
}

/** Splits unmasked frames of at most 64 KiB. */
function parseFrames(bytes: Buffer): { first: number; payload: Buffer }[] {
  const frames: { first: number; payload: Buffer }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const isLong = bytes[at + 1] === 126;
    const length = isLong ? bytes.readUInt16BE(at + 2) : bytes[at + 1];
    const start = at + (isLong ? 4 : 2);
    frames.push({ first: bytes[at], payload: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return frames;
}

function patternFrame(shared: Uint8Array, start: number, length: number, seed: number): void {
  for (let index = 0; index < length; index++) shared[start + index] = (seed * 31 + index * 7) & 255;
}

function isPattern(payload: Buffer, seed: number): boolean {
  return payload.every((byte, index) => byte === ((seed * 31 + index * 7) & 255));
}

test('a frame of any length arrives whole behind the right header', async () => {
  const pair = await connectPair();
  const received = collect(pair.target);
  const shared = new Uint8Array(new SharedArrayBuffer(FRAME_BYTES_MAX + 100));
  const writer = new SocketWriter();
  const lengths = [0, 1, 125, 126, 127, 200, 2043, 2044, 2045, 2048, 4000, FRAME_BYTES_MAX];
  lengths.forEach((length, seed) => {
    patternFrame(shared, 50, length, seed);
    writer.write(pair.source, OPCODE_BINARY, shared, 50, 50 + length);
  });
  const total = lengths.reduce((sum, length) => sum + framedBytes(length), 0);
  await until('all frames', () => received.bytes().length >= total);
  const frames = parseFrames(received.bytes());
  assert.deepEqual(
    frames.map(({ payload }) => payload.length),
    lengths,
  );
  frames.forEach(({ first, payload }, seed) => {
    assert.equal(first, 0x82);
    assert.ok(isPattern(payload, seed), `frame ${seed} is not what was sent`);
  });
  pair.close();
});

test('frames that wait behind a reader who pauses are not written over by later ones', async () => {
  const pair = await connectPair();
  const other = await connectPair();
  const received = collect(pair.target);
  const elsewhere = collect(other.target);
  pair.target.pause();
  const shared = new Uint8Array(new SharedArrayBuffer(1 << 16));
  const writer = new SocketWriter();
  let sent = 0;
  // Until the kernel takes no more, and then some; a second client keeps using the scratch in between.
  for (let extra = 0; extra < 20; sent++) {
    const length = 1 + ((sent * 997) % 9000);
    patternFrame(shared, 8, length, sent);
    writer.write(pair.source, OPCODE_BINARY, shared, 8, 8 + length);
    patternFrame(shared, 8, 300, sent + 1);
    writer.write(other.source, OPCODE_BINARY, shared, 8, 308);
    if (pair.source.writableLength > 0) extra++;
    if (sent % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(pair.source.writableLength > 0);
  pair.target.resume();
  await until('the backlog to drain', () => pair.source.writableLength === 0);
  let total = 0;
  for (let index = 0; index < sent; index++) total += framedBytes(1 + ((index * 997) % 9000));
  await until('all bytes', () => received.bytes().length >= total && elsewhere.bytes().length >= sent * 304);
  const frames = parseFrames(received.bytes());
  assert.equal(frames.length, sent);
  assert.ok(frames.every(({ payload }, seed) => isPattern(payload, seed)));
  assert.ok(parseFrames(elsewhere.bytes()).every(({ payload }, seed) => isPattern(payload, seed + 1)));
  pair.close();
  other.close();
});

test('a frame above the limit is our own mistake', async () => {
  const pair = await connectPair();
  const bytes = new Uint8Array(FRAME_BYTES_MAX + 1);
  assert.throws(() => new SocketWriter().write(pair.source, OPCODE_BINARY, bytes, 0, bytes.length), /too large/);
  pair.close();
});
