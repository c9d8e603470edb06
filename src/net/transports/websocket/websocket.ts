// Owner of ws: handshakes, connections, control frames. Messages go to the gateway; frames come from it.

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type ServerOptions, WebSocket, WebSocketServer } from 'ws';
import { CLIENT_MESSAGE_BYTES_MAX } from '../../../protocol/limits.js';
import { DEFAULT_SUBPROTOCOL, type Encoding, SUBPROTOCOLS, selectSubprotocol } from '../../../protocol/subprotocols.js';
import type { Admission } from '../../auth/admission.js';
import { type BanList, plainAddress } from '../../auth/bans.js';
import { CloseCode } from '../../gateway/close-codes.js';
import type { Connection } from '../../gateway/connection.js';
import type { Gateway } from '../../gateway/gateway.js';
import {
  BYTES_IN,
  BYTES_OUT,
  DROP_AFTER_CLOSE,
  DROP_CONNECTION_FULL,
  type NetCounters,
  PACKETS_IN,
  PACKETS_OUT,
} from '../../gateway/net-counters.js';
import { HOLD_BACKLOG, HOLD_LATE_PONG } from '../../gateway/outbox.js';
import { type SessionTable, TokenBuckets } from '../../gateway/session.js';
import { refuseUpgrade } from '../../http/http.js';
import {
  CLIENT_PINGS_PER_SECOND,
  CLOSE_DEADLINE_MS,
  MESSAGE_CHUNKS_MAX,
  MESSAGE_FRAGMENTS_MAX,
  NET_BEAT_MS,
  PING_PERIOD_MS,
  REFUSALS_PENDING_MAX,
  SOCKET_BACKLOG_BYTES_MAX,
} from '../../limits.js';
import { ChunkFeed } from './chunk-feed.js';
import { ClosingSockets } from './closing-sockets.js';
import { Heartbeats } from './heartbeats.js';
import { framedBytes, OPCODE_BINARY, OPCODE_PING, SocketWriter } from './socket-writer.js';

/** A client masks what it sends: 4 bytes more than a server's header. */
const MASK_BYTES = 4;
const PING_NUMBER_BYTES = 4;
/** Every beat pings the clients of one slice, so that pings are spread over the period. */
const PING_SLICES = PING_PERIOD_MS / NET_BEAT_MS;
/**
 * Automatic pongs that may wait in a socket; beyond that, ws ends the connection without a word. Pings in one packet all
 * count as waiting, so it is above what the pings' own bound, which closes with a code, lets through.
 */
const PONGS_WAITING_MAX = 2 * CLIENT_PINGS_PER_SECOND;

// The types of ws lag behind its options.
interface Options extends ServerOptions {
  maxPendingAutoPongs: number;
  closeTimeout: number;
}

export interface WebSocketOptions {
  gateway: Gateway;
  sessions: SessionTable;
  counters: NetCounters;
  admission: Admission;
  bans: BanList;
  idleTimeoutMs: number;
}

export class WebSocketTransport {
  readonly gateway: Gateway;
  readonly counters: NetCounters;
  readonly heartbeats: Heartbeats;
  readonly traffic: Float64Array;
  readonly writer = new SocketWriter();
  readonly pings: TokenBuckets;
  readonly closing: ClosingSockets;
  private readonly connections: (WebSocketConnection | null)[];
  private readonly server: WebSocketServer;
  private readonly options: WebSocketOptions;
  private readonly pingBytes = Buffer.alloc(PING_NUMBER_BYTES);
  private refusalsPending = 0;
  private beatCount = 0;
  idleTimeoutMs: number;

  constructor(options: WebSocketOptions) {
    const { sessions } = options;
    this.options = options;
    this.idleTimeoutMs = options.idleTimeoutMs;
    this.gateway = options.gateway;
    this.counters = options.counters;
    this.traffic = options.counters.addTransport('ws');
    this.heartbeats = new Heartbeats(sessions.capacity, sessions.clock);
    this.pings = new TokenBuckets(sessions.capacity, CLIENT_PINGS_PER_SECOND, sessions.clock);
    this.closing = new ClosingSockets(sessions.clock);
    this.connections = new Array(sessions.capacity).fill(null);
    const serverOptions: Options = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: CLIENT_MESSAGE_BYTES_MAX,
      maxFragments: MESSAGE_FRAGMENTS_MAX,
      maxBufferedChunks: MESSAGE_CHUNKS_MAX,
      maxPendingAutoPongs: PONGS_WAITING_MAX,
      // The closing sockets have a deadline of their own; this one is for a clock that stands still.
      closeTimeout: 2 * CLOSE_DEADLINE_MS,
      handleProtocols: (offered) => selectSubprotocol(offered)?.name ?? false,
    };
    this.server = new WebSocketServer(serverOptions);
  }

  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const encoding = chooseEncoding(request);
    if (encoding === null) {
      const known = SUBPROTOCOLS.map(({ name }) => name).join(', ');
      refuseUpgrade(socket, '400 Bad Request', `Sub-protocols: ${known}.`);
    } else if (!this.options.admission.upgrade(socket)) {
      refuseUpgrade(socket, '429 Too Many Requests', 'Too many connections from this address.');
    } else if (this.mayShakeHands(socket)) {
      this.server.handleUpgrade(request, socket, head, (ws) => this.accept(ws, socket, encoding));
    } else if (this.isBanned(socket)) {
      this.counters.drops[DROP_CONNECTION_FULL] += 1;
      refuseUpgrade(socket, '403 Forbidden', 'This address is banned.');
    } else {
      this.counters.drops[DROP_CONNECTION_FULL] += 1;
      refuseUpgrade(socket, '503 Service Unavailable', 'The server is full.');
    }
  }

  /** Pings those whose turn it is, and looks at what became of earlier pings. */
  beat(judges: boolean): void {
    const { sessions } = this.options;
    this.closing.beat();
    const slice = this.beatCount++ % PING_SLICES;
    if (sessions.used === 0) return;
    for (let client = 0; client < sessions.capacity; client++) {
      const connection = this.connections[client];
      if (connection === null || connection.isClosing()) continue;
      if (client % PING_SLICES === slice) this.ping(client, connection);
      if (!judges) continue;
      if (this.heartbeats.isSilent(client, this.idleTimeoutMs)) {
        this.gateway.close(client, CloseCode.Idle, 'no answer to pings');
      } else if (this.heartbeats.isLate(client)) {
        this.gateway.hold(client, HOLD_LATE_PONG);
      } else {
        this.gateway.unhold(client, HOLD_LATE_PONG);
      }
    }
  }

  /** Ends what is left, without a handshake. */
  terminate(): void {
    for (const connection of this.connections) connection?.terminate();
    this.closing.terminate();
    this.server.close();
  }

  forget(client: number): void {
    this.connections[client] = null;
  }

  reseat(connection: WebSocketConnection, source: number, target: number): void {
    if (this.connections[source] === connection) this.connections[source] = null;
    this.connections[target] = connection;
    this.heartbeats.open(target);
    this.pings.reset(target);
  }

  private accept(ws: WebSocket, socket: Socket, encoding: Encoding): void {
    const connection = new WebSocketConnection(this, ws, socket, encoding);
    if (this.options.bans.hasAddress(connection.address)) {
      this.explainRefusal(connection, CloseCode.Policy, 'banned');
      return;
    }
    const client = this.gateway.open(connection, encoding);
    if (client === -1) {
      const reason = this.gateway.isDraining ? 'the server is shutting down' : 'the server is full';
      this.explainRefusal(connection, CloseCode.TryAgainLater, reason);
      return;
    }
    this.connections[client] = connection;
    this.heartbeats.open(client);
    this.pings.reset(client);
    connection.begin(client);
  }

  private isBanned(socket: Socket): boolean {
    return this.options.bans.hasAddress(plainAddress(socket.remoteAddress ?? ''));
  }

  /** As a client, or at least to be told why not. */
  private mayShakeHands(socket: Socket): boolean {
    if (this.refusalsPending < REFUSALS_PENDING_MAX) return true;
    return this.gateway.isOpen() && !this.isBanned(socket);
  }

  /** A browser shows no HTTP status of a failed upgrade, so the reason goes into a close frame. */
  private explainRefusal(connection: WebSocketConnection, code: number, reason: string): void {
    this.refusalsPending += 1;
    this.counters.countClose(true, code);
    connection.refuse(code, reason, () => {
      this.refusalsPending -= 1;
    });
  }

  private ping(client: number, connection: WebSocketConnection): void {
    this.pingBytes.writeUInt32LE(this.heartbeats.beginPing(client));
    connection.write(OPCODE_PING, this.pingBytes, 0, PING_NUMBER_BYTES);
  }
}

class WebSocketConnection implements Connection {
  readonly address: string;
  private readonly transport: WebSocketTransport;
  private readonly ws: WebSocket;
  /** Also used by ws; see socket-writer.ts for why that is safe. */
  private readonly socket: Socket;
  private readonly feed: ChunkFeed;
  private readonly isText: boolean;
  private client = -1;

  constructor(transport: WebSocketTransport, ws: WebSocket, socket: Socket, encoding: Encoding) {
    this.transport = transport;
    this.ws = ws;
    this.socket = socket;
    this.feed = new ChunkFeed(ws, socket);
    this.isText = encoding === 'json';
    this.address = plainAddress(socket.remoteAddress ?? '');
  }

  begin(client: number): void {
    this.client = client;
    this.ws.on('message', (data, isBinary) => this.receive(data as Buffer, isBinary));
    this.ws.on('ping', (data) => this.receivePing(data));
    this.ws.on('pong', (data) => this.receivePong(data));
    this.ws.on('error', (error) => this.fail(error as NodeJS.ErrnoException));
    this.ws.on('close', (code) => this.end(code));
    this.socket.on('drain', () => this.transport.gateway.unhold(this.client, HOLD_BACKLOG));
  }

  /** Instead of begin. */
  refuse(code: number, reason: string, onGone: () => void): void {
    this.ws.on('error', ignoreError);
    this.ws.on('close', onGone);
    this.close(code, reason);
  }

  /** @hot */
  send(bytes: Uint8Array, start: number, limit: number): void {
    this.write(OPCODE_BINARY, bytes, start, limit);
  }

  /** @hot */
  write(opcode: number, bytes: Uint8Array, start: number, limit: number): void {
    // ws leaves the open state as soon as a close frame has gone out or come in, and after one nothing may follow.
    if (this.ws.readyState !== WebSocket.OPEN) {
      this.transport.counters.drops[DROP_AFTER_CLOSE] += 1;
      return;
    }
    this.transport.writer.write(this.socket, opcode, bytes, start, limit);
    this.countOut(limit - start);
  }

  sendMessage(message: Uint8Array | string): void {
    if (this.ws.readyState !== WebSocket.OPEN) {
      this.transport.counters.drops[DROP_AFTER_CLOSE] += 1;
      return;
    }
    this.ws.send(message);
    this.countOut(typeof message === 'string' ? Buffer.byteLength(message) : message.length);
  }

  reseat(client: number): void {
    this.transport.reseat(this, this.client, client);
    this.client = client;
  }

  close(code: number, reason: string): void {
    this.feed.close(code, reason);
    this.transport.closing.add(this.ws, this.socket);
  }

  /** Whoever sent the first close frame: from now on the socket is only looked at for its end. */
  isClosing(): boolean {
    if (this.ws.readyState === WebSocket.OPEN) return false;
    this.transport.closing.add(this.ws, this.socket);
    return true;
  }

  terminate(): void {
    this.ws.terminate();
  }

  /** @hot */
  private countOut(messageBytes: number): void {
    const { traffic } = this.transport;
    traffic[PACKETS_OUT] += 1;
    traffic[BYTES_OUT] += framedBytes(messageBytes);
    if (this.socket.writableLength > SOCKET_BACKLOG_BYTES_MAX) this.transport.gateway.hold(this.client, HOLD_BACKLOG);
  }

  /** @hot */
  private countIn(messageBytes: number): void {
    const { traffic } = this.transport;
    traffic[PACKETS_IN] += 1;
    traffic[BYTES_IN] += framedBytes(messageBytes) + MASK_BYTES;
  }

  /** @hot */
  private receive(data: Buffer, isBinary: boolean): void {
    this.countIn(data.length);
    if (this.ws.readyState !== WebSocket.OPEN) {
      this.transport.counters.drops[DROP_AFTER_CLOSE] += 1;
      return;
    }
    this.transport.heartbeats.hear(this.client);
    if (isBinary === this.isText) {
      this.refuseFrameType();
      return;
    }
    this.transport.gateway.receive(this.client, data);
  }

  private refuseFrameType(): void {
    const wanted = this.isText ? 'text' : 'binary';
    this.transport.gateway.close(this.client, CloseCode.WrongFrameType, `this sub-protocol is ${wanted}`);
  }

  private receivePing(data: Buffer): void {
    this.countIn(data.length);
    // ws answers it.
    this.transport.traffic[PACKETS_OUT] += 1;
    this.transport.traffic[BYTES_OUT] += framedBytes(data.length);
    this.spendControl('too many pings');
  }

  private receivePong(data: Buffer): void {
    this.countIn(data.length);
    const number = data.length === PING_NUMBER_BYTES ? data.readUInt32LE() : 0;
    if (this.transport.heartbeats.takePong(this.client, number)) {
      this.transport.gateway.unhold(this.client, HOLD_LATE_PONG);
    } else {
      this.spendControl('too many pongs'); // nobody asked for it: allowed, and bounded like pings
    }
  }

  private spendControl(complaint: string): void {
    if (!this.transport.pings.take(this.client)) {
      this.transport.gateway.close(this.client, CloseCode.Policy, complaint);
    }
  }

  /** ws has found a violation of the protocol and is closing by itself, or the socket failed. */
  private fail(error: NodeJS.ErrnoException): void {
    const code = closeCodeOf(error);
    if (code !== null) this.transport.gateway.note(this.client, code);
    // ws resumes the socket in the next tick, to throw away what comes.
    process.nextTick(() => this.transport.closing.add(this.ws, this.socket));
  }

  private end(code: number): void {
    this.transport.forget(this.client);
    this.transport.gateway.end(this.client, code);
    this.client = -1;
  }
}

function ignoreError(): void {
  // A connection that is being refused: its close event says all there is to know.
}

function chooseEncoding(request: IncomingMessage): Encoding | null {
  const header = request.headers['sec-websocket-protocol'];
  if (header === undefined) return DEFAULT_SUBPROTOCOL.encoding;
  return selectSubprotocol(header.split(',').map((name) => name.trim()))?.encoding ?? null;
}

/** The close code that ws answers a violation with; null for errors of the socket. */
function closeCodeOf(error: NodeJS.ErrnoException): number | null {
  switch (error.code) {
    case 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH':
    case 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH':
      return CloseCode.TooBig;
    case 'WS_ERR_INVALID_UTF8':
      return CloseCode.BadText;
    case 'WS_ERR_TOO_MANY_BUFFERED_PARTS':
      return CloseCode.Policy;
    default:
      return error.code?.startsWith('WS_ERR_') === true ? CloseCode.ProtocolError : null;
  }
}
