// The attackers of a flood, in a thread of their own: they connect from 127.0.0.2, so that no bound per address is in
// the way of the honest ones.

import { connect, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { encodeJoin, encodeLeave, encodePing } from '../../src/protocol/fb/client-message.js';
import { maskFrame } from '../load/swarm/client-frames.js';
import { OPCODE_BINARY, OPCODE_TEXT } from '../load/swarm/frame-splitter.js';
import type { FloodFigures, FloodPlan } from './flood-plan.js';

const ATTACKER_ADDRESS = '127.0.0.2';
const MASK_KEY = 0x01020304;
const PIPELINED_REQUESTS = 1800;
const METRICS_SOCKETS = 4;
const UNREAD_SOCKETS = 100;
const WEBSOCKETS = 10;
const BURST_BYTES = 64 * 1024;
const RECONNECT_MS = 5;
const BUSY_MS = 10;

const { flood, port } = workerData as FloodPlan;
const figures: FloodFigures = { connects: 0, mebibytesWritten: 0 };
let isOver = false;

parentPort?.on('message', () => {
  isOver = true;
  parentPort?.postMessage(figures);
  setTimeout(() => process.exit(0), 0);
});

switch (flood) {
  case 'none':
    break;
  case 'busy':
    spin();
    break;
  case 'metrics':
    repeat(METRICS_SOCKETS, (socket) => {
      socket.on('data', () => {});
      write(socket, requests('/metrics'));
    });
    break;
  case 'unread':
    repeat(UNREAD_SOCKETS, (socket) => {
      socket.pause();
      pour(socket, requests('/'));
    });
    break;
  case 'text':
    repeatUpgraded([], repeated(maskFrame(OPCODE_TEXT, Buffer.from('x'), MASK_KEY)));
    break;
  case 'leave':
    repeatUpgraded(
      [encodeJoin({ name: 'flood', token: '', updateHz: 1 }, 0), encodeLeave(1)],
      repeated(maskFrame(OPCODE_BINARY, encodePing(2, 0), MASK_KEY)),
    );
    break;
}

/** What a flood takes of the processor by itself: the measure for the others. */
function spin(): void {
  const limitMs = performance.now() + BUSY_MS;
  while (performance.now() < limitMs);
  if (!isOver) setImmediate(spin);
}

/** So many sockets at all times: one that ends is replaced. */
function repeat(count: number, begin: (socket: Socket) => void): void {
  for (let i = 0; i < count; i++) open(begin);
}

function open(begin: (socket: Socket) => void): void {
  const socket = connect({ host: '127.0.0.1', port, localAddress: ATTACKER_ADDRESS, noDelay: true });
  socket.once('connect', () => {
    figures.connects++;
    begin(socket);
  });
  socket.on('error', () => {});
  socket.once('close', () => {
    if (!isOver) setTimeout(() => open(begin), RECONNECT_MS);
  });
}

function repeatUpgraded(messages: readonly Uint8Array[], burst: Buffer): void {
  const head =
    `GET /ws/game HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: tessera.fb.1\r\n\r\n';
  repeat(WEBSOCKETS, (socket) => {
    write(socket, Buffer.from(head));
    socket.once('data', () => {
      for (const message of messages) write(socket, maskFrame(OPCODE_BINARY, message, MASK_KEY));
      pour(socket, burst);
      socket.on('data', () => {});
    });
  });
}

/** As fast as the kernel takes it. */
function pour(socket: Socket, burst: Buffer): void {
  if (socket.destroyed || isOver) return;
  write(socket, burst, () => setImmediate(pour, socket, burst));
}

function write(socket: Socket, bytes: Buffer, then: () => void = () => {}): void {
  socket.write(bytes, (error) => {
    if (error) return;
    figures.mebibytesWritten += bytes.length / 2 ** 20;
    then();
  });
}

function requests(path: string): Buffer {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`.repeat(PIPELINED_REQUESTS));
}

function repeated(frame: Buffer): Buffer {
  return Buffer.concat(new Array(Math.floor(BURST_BYTES / frame.length)).fill(frame));
}
