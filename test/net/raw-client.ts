// A WebSocket client over a bare socket, which can say what no library would.

import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { until } from './start-net.js';

export interface RawFrame {
  opcode: number;
  payload: Buffer;
}

export interface FrameForm {
  fin?: boolean;
  rsv?: number;
  opcode?: number;
  masked?: boolean;
  /** What the header says, if it is to lie. */
  statedBytes?: number;
}

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

export class RawClient {
  readonly socket: Socket;
  /** The HTTP answer, once it is whole. */
  answer = '';
  status = 0;
  readonly frames: RawFrame[] = [];
  /** Code of the close frame that came, 0 before. */
  closeCode = 0;
  closeReason = '';
  isGone = false;
  answersPings = true;
  private pending: Buffer = Buffer.alloc(0);

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setNoDelay();
    this.socket.on('data', (chunk: Buffer) => this.take(chunk));
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.isGone = true;
    });
  }

  get isOpen(): boolean {
    return this.status === 101;
  }

  /** Binary messages of the server. */
  get messages(): Buffer[] {
    return this.frames.filter(({ opcode }) => opcode === BINARY || opcode === TEXT).map(({ payload }) => payload);
  }

  async handshake(protocol = 'tessera.fb.1', headers: readonly string[] = []): Promise<void> {
    this.write(upgradeRequest('/ws/game', [`Sec-WebSocket-Protocol: ${protocol}`, ...headers]));
    await until('the answer to a handshake', () => this.status !== 0 || this.isGone);
  }

  write(data: string | Uint8Array): void {
    this.socket.write(data);
  }

  sendFrame(payload: Uint8Array | string, form: FrameForm = {}): void {
    this.write(frameBytes(payload, form));
  }

  async gone(): Promise<void> {
    await until('the end of a connection', () => this.isGone);
  }

  async closed(): Promise<number> {
    await until('a close frame or the end', () => this.closeCode !== 0 || this.isGone);
    return this.closeCode;
  }

  destroy(): void {
    this.socket.destroy();
  }

  private take(chunk: Buffer): void {
    this.pending = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
    if (this.status === 0 && !this.takeAnswer()) return;
    while (this.isOpen && this.takeFrame());
  }

  private takeAnswer(): boolean {
    const end = this.pending.indexOf('\r\n\r\n');
    if (end === -1) return false;
    this.answer = this.pending.subarray(0, end).toString();
    this.status = Number(this.answer.split(' ')[1]);
    this.pending = this.pending.subarray(end + 4);
    return true;
  }

  private takeFrame(): boolean {
    const bytes = this.pending;
    if (bytes.length < 2) return false;
    const stated = bytes[1] & 0x7f;
    const header = stated < 126 ? 2 : stated === 126 ? 4 : 10;
    if (bytes.length < header) return false;
    const length = stated < 126 ? stated : stated === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    if (bytes.length < header + length) return false;
    const payload = Buffer.from(bytes.subarray(header, header + length));
    this.pending = bytes.subarray(header + length);
    this.handle({ opcode: bytes[0] & 0x0f, payload });
    return true;
  }

  private handle(frame: RawFrame): void {
    if (frame.opcode === PING && this.answersPings) this.sendFrame(frame.payload, { opcode: PONG });
    if (frame.opcode === CLOSE && frame.payload.length >= 2) {
      this.closeCode = frame.payload.readUInt16BE();
      this.closeReason = frame.payload.subarray(2).toString();
      this.sendFrame(frame.payload.subarray(0, 2), { opcode: CLOSE });
    }
    this.frames.push(frame);
  }
}

export function upgradeRequest(path: string, headers: readonly string[] = []): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    ...headers,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

export function frameBytes(data: Uint8Array | string, form: FrameForm = {}): Buffer {
  const payload = Buffer.from(data);
  const { fin = true, rsv = 0, opcode = BINARY, masked = true, statedBytes = payload.length } = form;
  const header = lengthHeader(statedBytes);
  header[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  if (!masked) return Buffer.concat([header, payload]);
  header[1] |= 0x80;
  const mask = randomBytes(4);
  for (let index = 0; index < payload.length; index++) payload[index] ^= mask[index & 3];
  return Buffer.concat([header, mask, payload]);
}

function lengthHeader(bytes: number): Buffer {
  if (bytes < 126) return Buffer.from([0, bytes]);
  if (bytes < 65536) return Buffer.from([0, 126, bytes >> 8, bytes & 255]);
  const header = Buffer.alloc(10);
  header[1] = 127;
  header.writeBigUInt64BE(BigInt(bytes), 2);
  return header;
}
