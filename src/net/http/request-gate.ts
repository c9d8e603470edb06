// One request at a time on each HTTP connection, and a bound on the responses that nobody reads.
//
// Node's parser starts every request of a chunk at once: 59 KB of pipelined requests are 1,800 pages in one turn of the
// event loop. So the gate stands before the parser. It hands over the bytes up to the end of one request's headers, and
// holds back the rest, and the socket, until the response has been given to the kernel. The next request takes its turn
// behind whatever else the event loop has to do, and few of all connections begin in one turn of the loop. A client that does not read its response is not read either.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { assert } from '../../base/assert.js';
import { DROP_RESPONSE_UNSENT, type NetCounters } from '../gateway/net-counters.js';
import {
  HTTP_REQUESTS_PER_TURN,
  HTTP_UNSENT_BYTES_MAX,
  HTTP_UNSENT_BYTES_TOTAL_MAX,
  HTTP_WAITING_BYTES_MAX,
} from '../limits.js';

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

type Feed = (bytes: Buffer) => void;

interface GateLimits {
  unsentBytesMax: number;
  unsentBytesTotalMax: number;
}

const LIMITS: GateLimits = {
  unsentBytesMax: HTTP_UNSENT_BYTES_MAX,
  unsentBytesTotalMax: HTTP_UNSENT_BYTES_TOTAL_MAX,
};

/** The gates of all connections, and what they have unsent together. */
export class RequestGates {
  private readonly gates = new WeakMap<Socket, RequestGate>();
  private readonly turns = new RequestTurns();
  private unsentBytes = 0;

  constructor(
    private readonly counters: NetCounters,
    private readonly limits: GateLimits = LIMITS,
  ) {}

  /** After the HTTP server has taken the connection: the gate takes the place of its listener for data. */
  attach(socket: Socket): void {
    if (!socket.destroyed) this.gates.set(socket, new RequestGate(socket, this.turns));
  }

  /** Before anyone works on the request. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const gate = this.gates.get(socket);
    assert(gate !== undefined, 'a request comes through a gate');
    gate.begin(request);
    let unsent = 0;
    response.once('prefinish', () => {
      unsent = socket.writableLength;
      this.unsentBytes += unsent;
      const { unsentBytesMax, unsentBytesTotalMax } = this.limits;
      if (unsent <= unsentBytesMax && this.unsentBytes <= unsentBytesTotalMax) return;
      this.counters.drops[DROP_RESPONSE_UNSENT] += 1;
      socket.destroy();
    });
    response.once('close', () => {
      this.unsentBytes -= unsent;
      gate.finish();
    });
  }

  /** The connection is no longer HTTP. Returns what came behind the request that was parsed last. */
  detach(socket: Socket): Buffer {
    const rest = this.gates.get(socket)?.detach() ?? Buffer.alloc(0);
    this.gates.delete(socket);
    return rest;
  }
}

/** Whose turn it is to begin a request: first come, first served. */
class RequestTurns {
  private readonly gates: RequestGate[] = [];
  private isDue = false;

  add(gate: RequestGate): void {
    this.gates.push(gate);
    this.runLater();
  }

  private runLater(): void {
    if (this.isDue) return;
    this.isDue = true;
    setImmediate(() => {
      this.isDue = false;
      for (const gate of this.gates.splice(0, HTTP_REQUESTS_PER_TURN)) gate.pump();
      if (this.gates.length > 0) this.runLater();
    });
  }
}

class RequestGate {
  private readonly feed: Feed;
  private readonly onData = (bytes: Buffer) => this.take(bytes);
  private waiting: Buffer = Buffer.alloc(0);
  /** Requests whose responses are not finished: one, or two where the parser takes a request to end elsewhere. */
  private responsesDue = 0;
  private request: IncomingMessage | undefined;
  private isLineEmpty = false;
  private isPumpDue = false;
  private isDetached = false;

  constructor(
    private readonly socket: Socket,
    private readonly turns: RequestTurns,
  ) {
    const listeners = socket.listeners('data');
    assert(listeners.length === 1, 'the HTTP server listens for data once', listeners.length);
    this.feed = listeners[0] as Feed;
    socket.removeListener('data', this.feed);
    socket.on('data', this.onData);
  }

  begin(request: IncomingMessage): void {
    this.responsesDue += 1;
    this.request = request;
  }

  finish(): void {
    this.responsesDue -= 1;
    this.pumpLater();
  }

  detach(): Buffer {
    this.isDetached = true;
    this.socket.removeListener('data', this.onData);
    this.socket.resume();
    return this.waiting;
  }

  private take(bytes: Buffer): void {
    this.waiting = this.waiting.length === 0 ? bytes : Buffer.concat([this.waiting, bytes]);
    // The socket is paused while anything waits, so this is more than can come.
    if (this.waiting.length > HTTP_WAITING_BYTES_MAX) this.socket.destroy();
    this.socket.pause();
    this.pumpLater();
  }

  private pumpLater(): void {
    if (this.isPumpDue) return;
    this.isPumpDue = true;
    this.turns.add(this);
  }

  pump(): void {
    this.isPumpDue = false;
    if (this.isDetached || this.socket.destroyed) return;
    if (this.waiting.length > 0 && this.isOpen()) this.feedOne();
    if (this.isDetached) return;
    if (this.waiting.length > 0) this.socket.pause();
    else if (this.isOpen()) this.socket.resume();
  }

  /** While the body of a request is still to come, its bytes go through. */
  private isOpen(): boolean {
    return this.responsesDue === 0 || this.request?.complete === false;
  }

  private feedOne(): void {
    const bytes = this.waiting;
    const end = this.findEnd(bytes);
    this.waiting = bytes.subarray(end);
    this.feed(bytes.subarray(0, end));
    if (this.waiting.length > 0 && this.isOpen()) this.pumpLater();
  }

  /** Behind the first empty line, else the end of what is there. */
  private findEnd(bytes: Buffer): number {
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index];
      if (byte !== LINE_FEED) {
        if (byte !== CARRIAGE_RETURN) this.isLineEmpty = false;
        continue;
      }
      if (this.isLineEmpty) {
        this.isLineEmpty = false;
        return index + 1;
      }
      this.isLineEmpty = true;
    }
    return bytes.length;
  }
}
