// Clients that come back. An entity outlives its client's connection for a while: the session is absent, its index and
// generation stay taken, and the world makes no frames for it. Whoever shows the token that was given to the client takes the
// session over, also while its old connection seems to live: a lost connection is often noticed by its owner first.

import { randomUUID } from 'node:crypto';
import { wallMs } from '../../base/clock.js';
import { type ResumeClaims, TokenMint } from '../auth/resume-token.js';
import { TOKEN_SKEW_MS } from '../limits.js';
import { CloseCode, FAREWELLS, FORGIVEN } from './close-codes.js';
import type { NetCounters } from './net-counters.js';
import type { Outbox } from './outbox.js';
import { SESSION_ABSENT, SESSION_CLOSING, SESSION_JOINING, SESSION_LIVE, type SessionTable } from './session.js';
import type { StoredPlayer } from './world-port.js';

export interface ReservedClient {
  client: number;
  generation: number;
  /** Of its entity. */
  key: number;
}

export interface ResumeOptions {
  secret: Uint8Array;
  worldId: string;
  /** How long an entity waits for its client; 0: not at all. */
  resumeMs: number;
  /** Clients of a recovered world: their entities are there and wait. */
  reserved: readonly ReservedClient[];
  /** Generations given out are above this one. */
  lastGeneration: number;
  /** The wall clock, or better one that does not jump. */
  now?: () => number;
  /** What is stored of a player, undefined where there is nothing; it answers within a bounded time and never rejects. */
  findPlayer?: (playerId: string) => Promise<StoredPlayer | undefined>;
  onJoined?: (session: StaySession) => void;
  /** For good: on purpose, or sent away; else it may still come back to what is stored of it. */
  onLeft?: (client: number, generation: number, isForGood: boolean) => void;
}

/** Who plays, as the world outside is told. */
export interface StaySession {
  client: number;
  generation: number;
  playerId: string;
  sessionId: string;
  name: string;
  /** When the stay began, by the wall clock. */
  joinedAtMs: number;
}

/** One player's stay: through all its connections, as long as its entity is there. */
interface Stay {
  playerId: string;
  sessionId: string;
  key: number;
  /** Whether the client has a token for it. */
  isTold: boolean;
  /** Undefined: did not come back to an entity. */
  claimedKey: number | undefined;
  joinedAtMs: number;
  /** Its entity is another one, made as the former was stored. */
  isRestored: boolean;
}

export class Resumption {
  private readonly mint: TokenMint;
  private readonly now: () => number;
  private readonly startedMs: number;
  /** By client. Of a recovered one that has not come yet, only the key is known. */
  private readonly stays: (Stay | undefined)[];
  private readonly reservedKeys = new Map<number, number>();
  /** By player: the client of its newest stay. No other one of its stays has an entity. */
  private readonly clientOfPlayer = new Map<string, number>();
  /** Its connection is closing, its entity stays. */
  private readonly isKept: Uint8Array;
  /** The client has said, or was told, that it does not come back. */
  private readonly isForGood: Uint8Array;

  constructor(
    private readonly options: ResumeOptions,
    private readonly sessions: SessionTable,
    private readonly outbox: Outbox,
    private readonly counters: NetCounters,
  ) {
    this.now = options.now ?? wallMs;
    this.startedMs = this.now();
    this.mint = new TokenMint(options.secret, this.now);
    this.stays = new Array(sessions.capacity).fill(undefined);
    this.isKept = new Uint8Array(sessions.capacity);
    this.isForGood = new Uint8Array(sessions.capacity);
    sessions.reserve(options.reserved, options.lastGeneration);
    for (const { client, key } of options.reserved) this.reservedKeys.set(client, key);
  }

  /** From now on recovered clients can come, and their time runs. */
  begin(): void {
    for (const client of this.reservedKeys.keys()) this.sessions.absentSince[client] = this.sessions.clock[0];
  }

  /** What a token says that is one of ours. */
  read(token: string): ResumeClaims | undefined {
    return this.mint.verify(token);
  }

  /**
   * The session whose entity is here, or about to be, and belongs to who has this token. A player who is here is found by
   * any of his tokens: else an older one, or one of another server, would bring him in once more.
   */
  find({ playerId, worldId, client, generation, key, issuedMs }: ResumeClaims): number | undefined {
    const playing = this.clientOfPlayer.get(playerId);
    if (playing !== undefined && this.isInWorld(playing)) return playing;
    if (worldId !== this.options.worldId || !this.sessions.holds(client, generation)) return undefined;
    const isOwner = this.reservedKeys.get(client) === key && issuedMs <= this.startedMs + TOKEN_SKEW_MS;
    return isOwner && this.isInWorld(client) ? client : undefined;
  }

  /** A new stay of this player. */
  enter(client: number, playerId: string): void {
    this.beginStay(client, playerId, randomUUID(), 0);
  }

  /** Undefined: nothing is stored anywhere. */
  findStored({ playerId }: ResumeClaims): Promise<StoredPlayer | undefined> | undefined {
    return this.options.findPlayer?.(playerId);
  }

  noteRestored(client: number): void {
    const stay = this.stays[client];
    if (stay !== undefined) stay.isRestored = true;
  }

  /**
   * The connection at `source` goes on with the stay at `target`. One that is there still is closed, and holds the index
   * `source` until it is gone. False: a former Join is still being answered, and its answer is for the new connection.
   */
  comeBack(source: number, target: number, { playerId, sessionId, key }: ResumeClaims): boolean {
    const { sessions, outbox } = this;
    let stay = this.stays[target];
    if (stay === undefined) {
      stay = this.beginStay(target, playerId, sessionId, key);
      stay.isTold = true;
      this.reservedKeys.delete(target);
    }
    if (stay.isTold) stay.claimedKey = stay.key;
    this.isKept[target] = 0;
    const former = outbox.connectionOf(target);
    const isClosing = sessions.state[target] === SESSION_CLOSING;
    sessions.reseat(source, target);
    outbox.swap(source, target);
    sessions.setState(target, SESSION_JOINING);
    if (former === null) sessions.release(source);
    else sessions.setState(source, SESSION_CLOSING);
    if (former !== null && !isClosing) {
      this.counters.countClose(true, CloseCode.Replaced);
      former.close(CloseCode.Replaced, 'you have come back by another connection');
    }
    return stay.isTold;
  }

  /** The world has the client's entity: what the Welcome says of it. */
  joined(client: number, key: number): { token: string; resumed: boolean } {
    const stay = this.stays[client];
    if (stay === undefined) return { token: '', resumed: false };
    const { playerId, sessionId, claimedKey, isRestored } = stay;
    stay.key = key;
    stay.isTold = true;
    const generation = this.sessions.generation[client];
    const { joinedAtMs } = stay;
    this.options.onJoined?.({ client, generation, playerId, sessionId, name: this.sessions.name[client], joinedAtMs });
    const { worldId } = this.options;
    const token = this.mint.sign({ worldId, playerId, sessionId, key, client, generation, issuedMs: this.now() });
    return { token, resumed: isRestored || claimedKey === key };
  }

  /** The client's connection ends. */
  noteEnd(client: number, byServer: boolean, code: number): void {
    const isForGood = byServer ? !FORGIVEN.has(code) : FAREWELLS.has(code);
    this.isForGood[client] = isForGood ? 1 : 0;
  }

  /** Whether its entity waits. */
  keeps(client: number): boolean {
    if (this.isForGood[client] !== 0 || this.options.resumeMs === 0) return false;
    if (this.stays[client]?.isTold !== true) return false;
    this.isKept[client] = 1;
    this.sessions.absentSince[client] = this.sessions.clock[0];
    return true;
  }

  /** False: nobody would have waited for it. */
  stopWaiting(client: number): boolean {
    if (this.isKept[client] === 0) return false;
    this.isKept[client] = 0;
    this.isForGood[client] = 1;
    return true;
  }

  /** The connection is gone. True: the session is absent now, false: it is over. */
  leaveAbsent(client: number): boolean {
    if (this.isKept[client] === 0) return false;
    this.isKept[client] = 0;
    this.sessions.setState(client, SESSION_ABSENT);
    return true;
  }

  isExpired(client: number): boolean {
    return this.sessions.clock[0] - this.sessions.absentSince[client] > this.options.resumeMs;
  }

  /** The index is about to be free. Who was absent may still come back to what is stored, unless it is sent away. */
  forget(client: number, isSentAway: boolean): void {
    const isForGood = isSentAway || this.isForGood[client] !== 0;
    const playerId = this.stays[client]?.playerId ?? '';
    // Who has left and is here again by another session has not left for good.
    const isElsewhere = (this.clientOfPlayer.get(playerId) ?? client) !== client;
    this.options.onLeft?.(client, this.sessions.generation[client], isForGood && !isElsewhere);
    if (!isElsewhere) this.clientOfPlayer.delete(playerId);
    this.stays[client] = undefined;
    this.reservedKeys.delete(client);
    this.isKept[client] = 0;
    this.isForGood[client] = 0;
  }

  private beginStay(client: number, playerId: string, sessionId: string, key: number): Stay {
    const joinedAtMs = this.now();
    const stay = { playerId, sessionId, key, isTold: false, claimedKey: undefined, joinedAtMs, isRestored: false };
    this.stays[client] = stay;
    this.clientOfPlayer.set(playerId, client);
    return stay;
  }

  private isInWorld(client: number): boolean {
    const state = this.sessions.state[client];
    if (state === SESSION_CLOSING) return this.isKept[client] !== 0;
    return state === SESSION_ABSENT || state === SESSION_LIVE || state === SESSION_JOINING;
  }
}
