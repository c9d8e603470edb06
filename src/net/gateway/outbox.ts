// What goes to clients, in the encoding of each, and when it must not go.
//
// A frame builds on the frames before it. So once one is dropped, because the client's socket is backed up, everything
// after it is useless to that client until a full frame comes: the outbox asks the world for one when the socket is free
// again, and lets nothing else pass before it.

import { buildFrame, FrameFlag, type FrameParts, openFrame, type WelcomeInfo } from '../../protocol/fb/server-frame.js';
import type { GameDescription } from '../../protocol/game-description.js';
import { PlainFrameEncoder } from '../../protocol/plain/plain-frame.js';
import type { Encoding } from '../../protocol/subprotocols.js';
import { REJECT_ANSWERS_PER_SECOND, RESYNC_RETRY_MS } from '../limits.js';
import type { Connection } from './connection.js';
import { DelayedFrames } from './delayed-frames.js';
import { DROP_AWAITING_FULL, DROP_CONGESTED, DROP_UNANSWERED_REJECT, type NetCounters } from './net-counters.js';
import { SESSION_JOINING, SESSION_LIVE, type SessionTable, TokenBuckets } from './session.js';
import type { WorldPort } from './world-port.js';

/** Bits of SessionTable.hold. */
export const HOLD_BACKLOG = 1;
export const HOLD_LATE_PONG = 2;
const HOLD_AWAITING_FULL = 4;
/** The world is told of these two. */
const CONGESTED = HOLD_BACKLOG | HOLD_LATE_PONG;

/** What every Welcome of this server says. */
export type WelcomeBase = Omit<WelcomeInfo, 'clientId' | 'entityId' | 'updateHz' | 'token' | 'resumed'>;

export interface OutboxOptions {
  sessions: SessionTable;
  counters: NetCounters;
  world: WorldPort;
  description: GameDescription;
  quantum: number;
  /** What spectators are shown is so old; absent: as of players. */
  spectators?: { delayMs: number; most: number };
}

export class Outbox {
  private readonly sessions: SessionTable;
  private readonly counters: NetCounters;
  private readonly world: WorldPort;
  private readonly options: OutboxOptions;
  private readonly connections: (Connection | null)[];
  /** Null for clients that take frames as they are. */
  private readonly encoders: (PlainFrameEncoder | null)[];
  private readonly answers: TokenBuckets;
  /** Undefined: nothing is shown late. */
  private readonly delayed: DelayedFrames | undefined;
  private readonly delayMs: number;

  constructor(options: OutboxOptions) {
    this.options = options;
    this.sessions = options.sessions;
    this.counters = options.counters;
    this.world = options.world;
    this.connections = new Array(options.sessions.capacity).fill(null);
    this.encoders = new Array(options.sessions.capacity).fill(null);
    const { delayMs = 0, most = 0 } = options.spectators ?? {};
    this.delayMs = delayMs;
    this.delayed =
      delayMs === 0 || most === 0
        ? undefined
        : new DelayedFrames({
            ...{ sessions: options.sessions, counters: options.counters, delayMs, spectatorsMax: most },
            send: (client, frame) => this.send(client, frame, 0, frame.length),
            askForFull: (client) => this.askForFull(client),
          });
    this.answers = new TokenBuckets(options.sessions.capacity, REJECT_ANSWERS_PER_SECOND, options.sessions.clock);
  }

  open(client: number, connection: Connection, encoding: Encoding): void {
    const { description, quantum } = this.options;
    this.connections[client] = connection;
    this.encoders[client] = encoding === 'fb' ? null : new PlainFrameEncoder(encoding, description, quantum);
    this.answers.reset(client);
    this.delayed?.begin(client);
  }

  /** Each of the two has the other's connection from now on. What goes to the new one of `target` begins anew. */
  swap(source: number, target: number): void {
    const { connections } = this;
    [connections[source], connections[target]] = [connections[target], connections[source]];
    const encoder = this.encoders[source];
    this.encoders[target] = encoder;
    this.encoders[source] = null;
    this.answers.reset(target);
    this.delayed?.begin(target);
    connections[target]?.reseat(target);
    connections[source]?.reseat(source);
  }

  release(client: number): void {
    this.connections[client] = null;
    this.encoders[client] = null;
  }

  connectionOf(client: number): Connection | null {
    return this.connections[client];
  }

  /** @hot One frame of the world for a live session. */
  frame(client: number, bytes: Uint8Array, start: number, limit: number): void {
    if (this.delayed !== undefined && this.sessions.isSpectator[client] !== 0) {
      this.delayed.take(client, bytes, start, limit);
      return;
    }
    this.send(client, bytes, start, limit);
  }

  /** Nothing is sent late any more. */
  stop(): void {
    this.delayed?.stop();
  }

  /** @hot */
  private send(client: number, bytes: Uint8Array, start: number, limit: number): void {
    if (this.sessions.hold[client] !== 0 && !this.passesHold(client, bytes, start, limit)) return;
    if (this.encoders[client] === null) this.connections[client]?.send(bytes, start, limit);
    else this.framePlain(client, bytes.slice(start, limit));
  }

  /** A frame of the gateway's own. Its tick is 0: it carries no state of the world. */
  tell(client: number, parts: Omit<FrameParts, 'tick' | 'ack'>): void {
    this.framePlain(client, this.build(parts));
  }

  /** The same for what a client can have any number of. */
  answer(client: number, parts: Omit<FrameParts, 'tick' | 'ack'>): void {
    if ((this.sessions.hold[client] & HOLD_BACKLOG) === 0) this.tell(client, parts);
    else this.counters.drops[DROP_CONGESTED] += 1;
  }

  /** A frame of the gateway's own for many clients. */
  build(parts: Omit<FrameParts, 'tick' | 'ack'>): Uint8Array {
    return buildFrame({ tick: 0, ack: 0, ...parts });
  }

  /** False: this client is backed up and does not get it. */
  answerFrame(client: number, frame: Uint8Array): boolean {
    if ((this.sessions.hold[client] & HOLD_BACKLOG) !== 0) {
      this.counters.drops[DROP_CONGESTED] += 1;
      return false;
    }
    this.framePlain(client, frame);
    return true;
  }

  reject(client: number, seq: number, kind: number, code: number): void {
    if (this.answers.take(client)) this.answer(client, { rejects: [{ seq, kind, code }] });
    else this.counters.drops[DROP_UNANSWERED_REJECT] += 1;
  }

  /** Something is in the way of this client's frames. */
  hold(client: number, bit: number): void {
    const { hold, heldSince, clock } = this.sessions;
    const before = hold[client];
    hold[client] = before | bit;
    if ((before & CONGESTED) !== 0) return;
    heldSince[client] = clock[0];
    if (this.isInWorld(client)) this.world.setCongested(client, true);
  }

  unhold(client: number, bit: number): void {
    const { hold } = this.sessions;
    const before = hold[client];
    const after = before & ~bit;
    hold[client] = after;
    if ((before & CONGESTED) === 0 || (after & CONGESTED) !== 0 || !this.isInWorld(client)) return;
    if ((after & HOLD_AWAITING_FULL) !== 0) this.askForFull(client);
    this.world.setCongested(client, false);
  }

  isCongested(client: number): boolean {
    return (this.sessions.hold[client] & CONGESTED) !== 0;
  }

  /** A request for a full frame can be lost with a zone: it is repeated until the frame comes. */
  repeatLostRequest(client: number): void {
    const { hold, resyncSentAt, clock, isSpectator } = this.sessions;
    const retryMs = RESYNC_RETRY_MS + isSpectator[client] * this.delayMs;
    if (hold[client] === HOLD_AWAITING_FULL && clock[0] - resyncSentAt[client] >= retryMs) {
      this.askForFull(client);
    }
  }

  private askForFull(client: number): void {
    const { resyncSentAt, generation, clock } = this.sessions;
    if (this.world.resync(client, generation[client])) resyncSentAt[client] = clock[0];
  }

  private isInWorld(client: number): boolean {
    const state = this.sessions.state[client];
    return state === SESSION_JOINING || state === SESSION_LIVE;
  }

  private passesHold(client: number, bytes: Uint8Array, start: number, limit: number): boolean {
    const { hold } = this.sessions;
    if (this.isCongested(client)) {
      this.counters.drops[DROP_CONGESTED] += 1;
      hold[client] |= HOLD_AWAITING_FULL;
      return false;
    }
    const frame = openFrame(bytes.slice(start, limit));
    if (frame === null || (frame.flags() & FrameFlag.Full) === 0) {
      this.counters.drops[DROP_AWAITING_FULL] += 1;
      return false;
    }
    hold[client] &= ~HOLD_AWAITING_FULL;
    return true;
  }

  /** Frames of any client off the hot path, and all frames of clients that want plain objects. */
  private framePlain(client: number, frame: Uint8Array): void {
    const encoder = this.encoders[client];
    const message = encoder === null ? frame : encoder.encode(frame);
    if (message !== null) {
      this.connections[client]?.sendMessage(message);
      return;
    }
    // It does not follow from what this client has been told, so only a full frame can go on from here.
    this.counters.drops[DROP_AWAITING_FULL] += 1;
    this.sessions.hold[client] |= HOLD_AWAITING_FULL;
    this.askForFull(client);
  }
}
