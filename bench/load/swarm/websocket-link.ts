// One WebSocket connection of the generator, reduced to what costs nothing per frame: reads land in one buffer that
// all links of a thread share (a read is parsed before the next one begins), and frames are handed on as ranges of it.

import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { maskFrame } from './client-frames.js';
import {
  type FrameReceiver,
  FrameSplitter,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_PING,
  OPCODE_PONG,
} from './frame-splitter.js';

const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const RESPONSE_HEAD_BYTES_MAX = 8192;
const CLOSE_NORMAL = 1000;
const CLOSE_PROTOCOL_ERROR = 1002;
/** Long enough for any read of a socket's buffer; shared by all links of a thread. */
export const READ_BUFFER_BYTES = 256 * 1024;

export interface Target {
  host: string;
  port: number;
  path: string;
}

/** Told by links which of their clients something happened to. */
export interface LinkOwner {
  opened(client: number): void;
  /** A binary message in bytes[start, limit), valid during the call; frameBytes counts its header too. */
  message(client: number, bytes: Uint8Array, start: number, limit: number, frameBytes: number): void;
  /** Once per link, however it ended. */
  ended(client: number, reason: string): void;
}

export class WebSocketLink implements FrameReceiver {
  private readonly client: number;
  private readonly owner: LinkOwner;
  private readonly socket: Socket;
  private readonly splitter = new FrameSplitter(this);
  private readonly maskKey: number;
  private readonly acceptWanted: string;
  /** Text of the upgrade response so far; null once the connection is open. */
  private responseHead: string | null = '';
  private ended = false;
  private closing = false;

  constructor(
    client: number,
    owner: LinkOwner,
    target: Target,
    protocol: string,
    maskKey: number,
    readBuffer: Uint8Array,
  ) {
    this.client = client;
    this.owner = owner;
    this.maskKey = maskKey;
    const key = randomBytes(16).toString('base64');
    this.acceptWanted = createHash('sha1')
      .update(key + ACCEPT_SUFFIX)
      .digest('base64');
    this.socket = connect({
      host: target.host,
      port: target.port,
      noDelay: true,
      onread: { buffer: readBuffer, callback: (bytes, buffer) => this.read(bytes, buffer) },
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => this.end(`socket error ${error.code ?? error.message}`));
    this.socket.on('close', () => this.end('connection ended without a close frame'));
    this.socket.write(
      `GET ${target.path} HTTP/1.1\r\nHost: ${target.host}:${target.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
    );
  }

  /** Nothing waits in this process: a frame written now leaves now, and its buffer may be used again. */
  get isWritable(): boolean {
    return this.socket.writableLength === 0 && !this.ended && !this.closing;
  }

  /** @hot Writes a finished frame. */
  writeFrame(frame: Buffer): void {
    this.socket.write(frame);
  }

  send(payload: Uint8Array): void {
    this.socket.write(maskFrame(OPCODE_BINARY, payload, this.maskKey));
  }

  /** Says goodbye; the owner is told nothing more. */
  close(): void {
    this.ended = true;
    this.sendClose(CLOSE_NORMAL);
    this.socket.end();
  }

  /** Drops the connection at once, for a reason that the owner is told. */
  abort(reason: string): void {
    this.end(reason);
    this.socket.destroy();
  }

  frame(opcode: number, bytes: Uint8Array, start: number, limit: number, headerBytes: number): void {
    if (opcode === OPCODE_BINARY) {
      this.owner.message(this.client, bytes, start, limit, limit - start + headerBytes);
    } else if (opcode === OPCODE_PING) {
      this.socket.write(maskFrame(OPCODE_PONG, bytes.slice(start, limit), this.maskKey));
    } else if (opcode === OPCODE_CLOSE) {
      const view = Buffer.from(bytes.slice(start, limit));
      const code = view.length >= 2 ? view.readUInt16BE(0) : 1005;
      const text = view.length > 2 ? ` ${view.toString('utf8', 2)}` : '';
      this.end(`closed by the server: ${code}${text}`);
      this.sendClose(view.length >= 2 ? code : CLOSE_NORMAL);
      this.socket.end();
    } else if (opcode !== OPCODE_PONG) {
      this.fail('text message on a binary protocol');
    }
  }

  private read(bytes: number, buffer: Uint8Array): boolean {
    const start = this.responseHead === null ? 0 : this.readResponse(buffer, bytes);
    if (this.responseHead === null && !this.ended) {
      const violation = this.splitter.push(buffer, start, bytes);
      if (violation !== '') this.fail(violation);
    }
    return true;
  }

  /** Gathers the upgrade response; returns how many bytes of this chunk belong to it. */
  private readResponse(buffer: Uint8Array, bytes: number): number {
    const before = this.responseHead!.length;
    const head = this.responseHead! + Buffer.from(buffer.buffer, buffer.byteOffset, bytes).toString('latin1');
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) {
      this.responseHead = head;
      if (head.length > RESPONSE_HEAD_BYTES_MAX) this.abort('upgrade response too long');
      return bytes;
    }
    const refusal = this.judgeResponse(head.slice(0, end));
    if (refusal !== '') {
      this.abort(refusal);
      return bytes;
    }
    this.responseHead = null;
    this.owner.opened(this.client);
    return end + 4 - before;
  }

  private judgeResponse(head: string): string {
    const [statusLine = '', ...lines] = head.split('\r\n');
    if (!/^HTTP\/1\.1 101(\s|$)/.test(statusLine)) return `upgrade refused: ${statusLine.slice(0, 80)}`;
    const accept = lines.find((line) => /^sec-websocket-accept:/i.test(line));
    return accept?.slice(accept.indexOf(':') + 1).trim() === this.acceptWanted ? '' : 'upgrade with a wrong accept key';
  }

  private fail(reason: string): void {
    this.sendClose(CLOSE_PROTOCOL_ERROR);
    this.abort(`protocol violation: ${reason}`);
  }

  private sendClose(code: number): void {
    if (this.closing || !this.socket.writable) return;
    this.closing = true;
    this.socket.write(maskFrame(OPCODE_CLOSE, Uint8Array.of(code >> 8, code & 0xff), this.maskKey));
  }

  private end(reason: string): void {
    if (this.ended) return;
    this.ended = true;
    this.owner.ended(this.client, reason);
  }
}
