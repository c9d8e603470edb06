// What stands between sockets and the world, whatever the transport. A message goes through these checks in this order:
// size, header, session, rate, shape; what passes them all goes to the world. Everything else is counted by its code and
// answered by a Reject, within a bound; too much of it ends the session.

import type { Log } from '../../base/log.js';
import type { Settings } from '../../config/settings.js';
import { RejectCode } from '../../game/reject-codes.js';
import {
  ClientKind,
  checkClientMessage,
  clientTimeOf,
  kindOf,
  readJoin,
  seqOf,
} from '../../protocol/fb/client-message.js';
import type { CommandLayouts } from '../../protocol/fb/command-layout.js';
import { CLIENT_HEADER_BYTES, CLIENT_MESSAGE_BYTES_MAX, GAME_KIND_MIN, NO_ENTITY } from '../../protocol/limits.js';
import { transcodePlain } from '../../protocol/plain/plain-client-message.js';
import type { PlainEncoding } from '../../protocol/plain/plain-codec.js';
import type { Encoding } from '../../protocol/subprotocols.js';
import type { Selection } from '../auth/bans.js';
import { RESYNC_INTERVAL_MS, VIOLATION_POINTS_MAX, VIOLATION_WINDOW_MS } from '../limits.js';
import { CloseCode, leaveReasonOf } from './close-codes.js';
import type { Connection } from './connection.js';
import { type Doorkeeper, Entrance, type EntranceOptions } from './entrance.js';
import { DROP_AFTER_CLOSE, DROP_STALE, type NetCounters } from './net-counters.js';
import type { Outbox, WelcomeBase } from './outbox.js';
import type { Resumption } from './resumption.js';
import {
  SESSION_ABSENT,
  SESSION_CLOSING,
  SESSION_CONNECTING,
  SESSION_FREE,
  SESSION_JOINING,
  SESSION_LIVE,
  type SessionTable,
  TokenBuckets,
} from './session.js';
import { NOT_LET_IN, POINTS } from './violations.js';
import type { ClientSink, WorldPort } from './world-port.js';

const ENCODINGS: readonly Encoding[] = ['fb', 'json', 'msgpack'];
const ENCODING_FB = 0;

export type GatewaySettings = Pick<
  Settings,
  'messagesPerSecond' | 'tickHz' | 'updateHz' | 'joinTimeoutMs' | 'slowClientMs' | 'spectators'
>;

export interface GatewayOptions extends EntranceOptions {
  settings: GatewaySettings;
  counters: NetCounters;
  layouts: CommandLayouts;
  welcome: WelcomeBase;
  log: Log;
}

export class Gateway implements ClientSink, Doorkeeper {
  private readonly options: GatewayOptions;
  private readonly sessions: SessionTable;
  private readonly counters: NetCounters;
  private readonly world: WorldPort;
  private readonly outbox: Outbox;
  private readonly resumption: Resumption | undefined;
  private readonly layouts: CommandLayouts;
  private readonly messages: TokenBuckets;
  private readonly entrance: Entrance;
  // The message under inspection. It is copied here first: then it is aligned, it is never a view to be made, and its
  // sender's buffer can be anything.
  private readonly scratch = new Uint8Array(CLIENT_MESSAGE_BYTES_MAX);
  private readonly view = new DataView(this.scratch.buffer);
  private readonly settings: GatewaySettings;
  private draining = false;

  constructor(options: GatewayOptions) {
    const { sessions, settings } = options;
    this.options = options;
    this.settings = { ...settings };
    this.sessions = sessions;
    this.counters = options.counters;
    this.world = options.world;
    this.outbox = options.outbox;
    this.resumption = options.resumption;
    this.layouts = options.layouts;
    this.messages = new TokenBuckets(sessions.capacity, settings.messagesPerSecond, sessions.clock);
    this.entrance = new Entrance(options, this.settings, this);
  }

  /** Settings that can change at any time. */
  adopt({ messagesPerSecond, updateHz, joinTimeoutMs, slowClientMs }: GatewaySettings): void {
    this.messages.setRate(messagesPerSecond);
    Object.assign(this.settings, { updateHz, joinTimeoutMs, slowClientMs });
  }

  get isDraining(): boolean {
    return this.draining;
  }

  /** Whether a connection that comes now can have a session. */
  isOpen(): boolean {
    return !this.draining && this.sessions.isOpen;
  }

  // --- for transports ---

  /** The index of a new session, or -1. From here on the transport owes an end(). */
  open(connection: Connection, encoding: Encoding): number {
    if (this.draining) return -1;
    const client = this.sessions.open(ENCODINGS.indexOf(encoding));
    if (client === -1) return -1;
    this.messages.reset(client);
    this.outbox.open(client, connection, encoding);
    return client;
  }

  /** @hot One message, as it came: at most CLIENT_MESSAGE_BYTES_MAX bytes, or it is refused. */
  receive(client: number, message: Uint8Array): void {
    const state = this.sessions.state[client];
    if (state === SESSION_CLOSING || state === SESSION_FREE) {
      this.counters.drops[DROP_AFTER_CLOSE] += 1;
      return;
    }
    if (message.length > CLIENT_MESSAGE_BYTES_MAX) {
      this.refuse(client, 0, 0, RejectCode.TooLarge);
    } else if (this.sessions.encoding[client] === ENCODING_FB) {
      this.scratch.set(message);
      this.receiveScratch(client, message.length);
    } else {
      this.receivePlain(client, message);
    }
  }

  /** The connection is gone. `code` is what it was closed with, as far as that is known. */
  end(client: number, code: number): void {
    if (this.sessions.state[client] !== SESSION_CLOSING) this.markClosing(client, false, code);
    this.outbox.release(client);
    if (this.resumption?.leaveAbsent(client) !== true) this.free(client);
  }

  /** The transport itself is closing the connection, for a violation of its own protocol. */
  note(client: number, code: number): void {
    if (this.isOver(client)) return;
    this.options.log.debug({ clientId: this.sessions.generation[client], code }, 'connection closed by its transport');
    this.markClosing(client, true, code);
  }

  hold(client: number, bit: number): void {
    this.outbox.hold(client, bit);
  }

  unhold(client: number, bit: number): void {
    this.outbox.unhold(client, bit);
  }

  close(client: number, code: number, reason: string): void {
    if (this.isOver(client)) return;
    this.options.log.debug({ clientId: this.sessions.generation[client], code, reason }, 'closing a connection');
    this.markClosing(client, true, code);
    this.outbox.connectionOf(client)?.close(code, reason);
  }

  /** The entity of an absent client has waited long enough. */
  dismiss(client: number, isSentAway = false): void {
    this.world.leave(client, this.sessions.generation[client], isSentAway ? 'kicked' : 'lost');
    this.free(client, isSentAway);
  }

  /** Looks for sessions that took too long. */
  beat(judges: boolean): void {
    if (this.sessions.isEmpty) return;
    const { state, heldSince, openedAt, clock, capacity } = this.sessions;
    const { joinTimeoutMs, slowClientMs } = this.settings;
    for (let client = 0; client < capacity; client++) {
      if (state[client] === SESSION_FREE || state[client] === SESSION_CLOSING) continue;
      if (state[client] === SESSION_ABSENT) {
        if (judges && this.resumption?.isExpired(client)) this.dismiss(client);
        continue;
      }
      if (state[client] === SESSION_LIVE) {
        this.outbox.repeatLostRequest(client);
      } else if (judges && clock[0] - openedAt[client] > joinTimeoutMs) {
        this.close(client, CloseCode.JoinTimeout, 'not joined in time');
        continue;
      }
      if (judges && this.outbox.isCongested(client) && clock[0] - heldSince[client] > slowClientMs) {
        this.close(client, CloseCode.TooSlow, 'reads too slowly');
      }
    }
  }

  /** Lets nobody in any more, tells everyone why, and begins to close their connections. */
  drain(code: number, text: string): void {
    this.draining = true;
    for (let client = 0; client < this.sessions.capacity; client++) {
      if (this.isOver(client)) continue;
      if (this.sessions.state[client] === SESSION_LIVE) this.outbox.tell(client, { notice: { code, text } });
      this.close(client, CloseCode.GoingAway, 'the server is shutting down');
    }
  }

  // --- for the operators ---

  /** How many clients were told. */
  broadcast(text: string): number {
    const frame = this.outbox.build({ notice: { code: RejectCode.None, text } });
    let told = 0;
    for (let client = 0; client < this.sessions.capacity; client++) {
      if (this.sessions.state[client] === SESSION_LIVE && this.outbox.answerFrame(client, frame)) told += 1;
    }
    return told;
  }

  /** Those who play. */
  playersOf(who: Selection): { client: number; generation: number }[] {
    const found: { client: number; generation: number }[] = [];
    for (let client = 0; client < this.sessions.capacity; client++) {
      if (this.sessions.state[client] !== SESSION_LIVE || !this.isMeant(client, who)) continue;
      if (this.sessions.isSpectator[client] !== 0) continue;
      found.push({ client, generation: this.sessions.generation[client] });
    }
    return found;
  }

  /** Tells them why and closes their connections. How many they were. */
  kick(who: Selection, text: string): number {
    let kicked = 0;
    for (let client = 0; client < this.sessions.capacity; client++) {
      if (this.sessions.state[client] !== SESSION_FREE && this.isMeant(client, who) && this.kickOne(client, text)) {
        kicked += 1;
      }
    }
    return kicked;
  }

  private kickOne(client: number, text: string): boolean {
    const state = this.sessions.state[client];
    if (state === SESSION_CLOSING) {
      // Its entity would have waited for it.
      if (this.resumption?.stopWaiting(client) !== true) return false;
      this.world.leave(client, this.sessions.generation[client], 'kicked');
    } else if (state === SESSION_ABSENT) {
      this.dismiss(client, true);
    } else {
      if (state === SESSION_LIVE) this.outbox.tell(client, { notice: { code: RejectCode.Banned, text } });
      this.close(client, CloseCode.Policy, 'removed by an operator');
    }
    return true;
  }

  // --- for the world ---

  joined(client: number, generation: number, entityId: number, key: number): void {
    if (!this.isHeld(client, generation, SESSION_JOINING)) return;
    this.sessions.setState(client, SESSION_LIVE);
    const updateHz = this.entrance.updateHz[client];
    const resume = this.resumption?.joined(client, key) ?? { token: '', resumed: false };
    this.outbox.tell(client, {
      welcome: { ...this.options.welcome, clientId: generation, ...this.roleOf(client, entityId), updateHz, ...resume },
    });
  }

  private roleOf(client: number, entityId: number): { entityId: number; spectator?: true } {
    return this.sessions.isSpectator[client] === 0 ? { entityId } : { entityId: NO_ENTITY, spectator: true };
  }

  refused(client: number, generation: number, code: number): void {
    if (this.freeAbsent(client, generation)) return;
    if (!this.isHeld(client, generation, SESSION_JOINING)) return;
    // The world never had it, so it is not told of the end.
    this.sessions.setState(client, SESSION_CONNECTING);
    this.refuse(client, this.sessions.lastSeq[client], ClientKind.Join, code);
    this.close(client, CloseCode.TryAgainLater, 'not let in');
  }

  rejected(client: number, generation: number, seq: number, kind: number, code: number): void {
    if (!this.isHeld(client, generation, SESSION_LIVE)) return;
    this.counters.rejects[code] += 1;
    this.outbox.reject(client, seq, kind, code);
  }

  /** @hot */
  frame(client: number, generation: number, bytes: Uint8Array, start: number, limit: number): void {
    if (this.isHeld(client, generation, SESSION_LIVE)) this.outbox.frame(client, bytes, start, limit);
  }

  dropped(client: number, generation: number, code: number, text: string): void {
    if (this.freeAbsent(client, generation)) return;
    if (!this.sessions.holds(client, generation) || this.isOver(client)) {
      this.counters.drops[DROP_STALE] += 1;
      return;
    }
    this.outbox.tell(client, { notice: { code, text } });
    this.sessions.setState(client, SESSION_CONNECTING);
    this.close(client, CloseCode.WorldDropped, 'the world dropped this client');
  }

  // --- one message ---

  private receivePlain(client: number, message: Uint8Array): void {
    const encoding = ENCODINGS[this.sessions.encoding[client]] as PlainEncoding;
    const bytes = transcodePlain(this.layouts, encoding, message, this.view, 0);
    if (bytes >= 0) {
      this.receiveScratch(client, bytes);
      return;
    }
    // A message that cannot be written as bytes has had no look at its rate yet.
    const code = this.messages.take(client) ? -bytes : RejectCode.RateLimited;
    this.refuse(client, seqOf(this.view, 0), kindOf(this.view, 0), code);
  }

  /** @hot */
  private receiveScratch(client: number, bytes: number): void {
    if (bytes < CLIENT_HEADER_BYTES) {
      this.refuse(client, 0, 0, RejectCode.Malformed);
      return;
    }
    const kind = kindOf(this.view, 0);
    const seq = seqOf(this.view, 0);
    let code = this.checkSession(client, kind, seq);
    if (code === RejectCode.None && !this.messages.take(client)) code = RejectCode.RateLimited;
    if (code === RejectCode.None) code = checkClientMessage(this.layouts, this.view, 0, bytes);
    if (code === RejectCode.None) {
      // Only what was in order moves the sequence on: a garbled number must not shut out all that follow.
      if (seq > this.sessions.lastSeq[client]) this.sessions.lastSeq[client] = seq;
      code = kind >= GAME_KIND_MIN ? this.command(client, kind, seq, bytes) : this.act(client, kind, seq, bytes);
    }
    if (code === RejectCode.None) this.counters.accepted[0] += 1;
    else this.refuse(client, seq, kind, code);
  }

  /** @hot */
  private checkSession(client: number, kind: number, seq: number): RejectCode {
    const { state, lastSeq } = this.sessions;
    if (kind === ClientKind.Join) {
      if (state[client] !== SESSION_CONNECTING) return RejectCode.AlreadyJoined;
      return seq === 0 || seq > lastSeq[client] ? RejectCode.None : RejectCode.BadSequence;
    }
    if (state[client] !== SESSION_LIVE && kind !== ClientKind.Leave) return RejectCode.NotJoined;
    return seq > lastSeq[client] ? RejectCode.None : RejectCode.BadSequence;
  }

  /** @hot */
  private command(client: number, kind: number, seq: number, bytes: number): RejectCode {
    if (this.sessions.isSpectator[client] !== 0) return RejectCode.Spectating;
    const generation = this.sessions.generation[client];
    const published = this.world.command(client, generation, seq, kind, this.scratch, CLIENT_HEADER_BYTES, bytes);
    return published ? RejectCode.None : RejectCode.QueueFull;
  }

  private act(client: number, kind: number, seq: number, bytes: number): RejectCode {
    switch (kind) {
      case ClientKind.Join:
        return this.join(client, bytes);
      case ClientKind.Ping:
        this.outbox.answer(client, { pong: { seq, clientTime: clientTimeOf(this.view, 0) } });
        return RejectCode.None;
      case ClientKind.Resync:
        return this.resync(client);
      default:
        this.close(client, CloseCode.Normal, 'left');
        return RejectCode.None;
    }
  }

  private join(client: number, bytes: number): RejectCode {
    const join = readJoin(this.view, 0, bytes);
    return join === null ? RejectCode.OutOfRange : this.entrance.join(client, join);
  }

  private resync(client: number): RejectCode {
    const { resyncAskedAt, clock, generation } = this.sessions;
    if (clock[0] - resyncAskedAt[client] < RESYNC_INTERVAL_MS) return RejectCode.RateLimited;
    if (!this.world.resync(client, generation[client])) return RejectCode.QueueFull;
    resyncAskedAt[client] = clock[0];
    return RejectCode.None;
  }

  private refuse(client: number, seq: number, kind: number, code: number): void {
    this.counters.rejects[code] += 1;
    this.outbox.reject(client, seq, kind, code);
    if (code === RejectCode.BadToken) {
      this.close(client, CloseCode.BadToken, 'the token is not valid');
    } else if (code === RejectCode.Banned) {
      this.close(client, CloseCode.Policy, 'banned');
    } else if (NOT_LET_IN.has(code)) {
      this.close(client, CloseCode.TryAgainLater, 'not let in');
    } else if (this.sessions.addViolation(client, POINTS[code], VIOLATION_WINDOW_MS, VIOLATION_POINTS_MAX)) {
      this.close(client, CloseCode.TooManyViolations, 'too many violations');
    }
  }

  // --- states ---

  private markClosing(client: number, byServer: boolean, code: number): void {
    const state = this.sessions.state[client];
    this.resumption?.noteEnd(client, byServer, code);
    if (state === SESSION_JOINING || state === SESSION_LIVE) {
      // The next holder of this index begins uncongested.
      if (this.outbox.isCongested(client)) this.world.setCongested(client, false);
      if (this.resumption?.keeps(client)) this.world.setAbsent(client);
      else this.world.leave(client, this.sessions.generation[client], leaveReasonOf(code, byServer));
    }
    this.sessions.setState(client, SESSION_CLOSING);
    this.counters.countClose(byServer, code);
  }

  /** True: it is absent, and the world has it no more. */
  private freeAbsent(client: number, generation: number): boolean {
    if (!this.sessions.holds(client, generation) || this.sessions.state[client] !== SESSION_ABSENT) return false;
    this.free(client);
    return true;
  }

  private free(client: number, isSentAway = false): void {
    this.resumption?.forget(client, isSentAway);
    this.sessions.release(client);
  }

  private isMeant(client: number, { clientId, name, address, isBanned }: Selection): boolean {
    const { bans } = this.options;
    const from = this.outbox.connectionOf(client)?.address;
    return (
      (clientId === undefined || clientId === this.sessions.generation[client]) &&
      (name === undefined || name === this.sessions.name[client]) &&
      (address === undefined || address === from) &&
      (isBanned === undefined || bans.hasName(this.sessions.name[client]) || bans.hasAddress(from ?? ''))
    );
  }

  private isOver(client: number): boolean {
    const state = this.sessions.state[client];
    return state === SESSION_CLOSING || state === SESSION_FREE || state === SESSION_ABSENT;
  }

  /** @hot Whether what the world says of a client still concerns whoever holds the index now. */
  private isHeld(client: number, generation: number, state: number): boolean {
    if (this.sessions.holds(client, generation) && this.sessions.state[client] === state) return true;
    this.counters.drops[DROP_STALE] += 1;
    return false;
  }
}
