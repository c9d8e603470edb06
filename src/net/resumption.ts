// Clients that come back. An entity outlives its client's connection for a while: the session is absent, its index and
// epoch stay taken, and the world makes no frames for it. Whoever shows the token that was given to the client takes the
// session over, also while its old connection seems to live: a lost connection is often noticed by its owner first.

import { randomUUID } from 'node:crypto';
import { CloseCode } from './close-codes.js';
import type { NetCounters } from './counters.js';
import type { Outbox } from './outbox.js';
import type { StoredPlayer } from './ports.js';
import { type ResumeClaims, TokenMint } from './resume-token.js';
import { SESSION_ABSENT, SESSION_CLOSING, SESSION_JOINING, SESSION_LIVE, type SessionTable } from './session.js';

/** Ends by this server after which a client may come back. After any other one it is meant to be gone. */
const FORGIVEN: ReadonlySet<number> = new Set([
  CloseCode.GoingAway,
  CloseCode.TryAgainLater,
  CloseCode.JoinTimeout,
  CloseCode.TooSlow,
  CloseCode.Idle,
]);
/** A close frame without a code is what a browser sends when a page says close(). */
const CLOSE_WITHOUT_CODE = 1005;
/** Ends by the client by which it says that it does not come back. */
const FAREWELLS: ReadonlySet<number> = new Set([CloseCode.Normal, CloseCode.GoingAway, CLOSE_WITHOUT_CODE]);

export interface ReservedClient {
  client: number;
  epoch: number;
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
  /** Epochs given out are above this one. */
  lastEpoch: number;
  /** The wall clock. */
  now?: () => number;
  /** What is stored of a player, undefined where there is nothing; it answers within a bounded time and never rejects. */
  findPlayer?: (playerId: string) => Promise<StoredPlayer | undefined>;
  onJoined?: (session: StaySession) => void;
  /** For good: on purpose, or sent away; else it may still come back to what is stored of it. */
  onLeft?: (client: number, epoch: number, isForGood: boolean) => void;
}

/** Who plays, as the world outside is told. */
export interface StaySession {
  client: number;
  epoch: number;
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
  /** Its connection is closing, its entity stays. */
  private readonly isKept: Uint8Array;

  constructor(
    private readonly options: ResumeOptions,
    private readonly sessions: SessionTable,
    private readonly outbox: Outbox,
    private readonly counters: NetCounters,
  ) {
    this.now = options.now ?? Date.now;
    this.startedMs = this.now();
    this.mint = new TokenMint(options.secret, this.now);
    this.stays = new Array(sessions.capacity).fill(undefined);
    this.isKept = new Uint8Array(sessions.capacity);
    sessions.reserve(options.reserved, options.lastEpoch);
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

  /** The session whose entity is here and belongs to who has this token. */
  find(claims: ResumeClaims): number | undefined {
    const { client, epoch } = claims;
    if (claims.worldId !== this.options.worldId || !this.sessions.holds(client, epoch)) return undefined;
    const stay = this.stays[client];
    const isOwner =
      stay === undefined
        ? this.reservedKeys.get(client) === claims.key && claims.issuedMs <= this.startedMs
        : stay.sessionId === claims.sessionId;
    return isOwner && this.isInWorld(client) ? client : undefined;
  }

  /** A new stay: of the player that these claims name, or of a new one. */
  enter(client: number, claims: ResumeClaims | undefined): void {
    this.stays[client] = this.createStay(claims?.playerId ?? randomUUID(), randomUUID(), 0);
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
   * `source` until it is gone.
   */
  comeBack(source: number, target: number, { playerId, sessionId, key }: ResumeClaims): void {
    const { sessions, outbox } = this;
    const stay = this.stays[target] ?? this.createStay(playerId, sessionId, key);
    stay.isTold = true;
    stay.claimedKey = stay.key;
    this.stays[target] = stay;
    this.reservedKeys.delete(target);
    this.isKept[target] = 0;
    const former = outbox.connectionOf(target);
    const isClosing = sessions.state[target] === SESSION_CLOSING;
    sessions.reseat(source, target);
    outbox.swap(source, target);
    sessions.setState(target, SESSION_JOINING);
    if (former === null) {
      sessions.release(source);
      return;
    }
    sessions.setState(source, SESSION_CLOSING);
    if (isClosing) return;
    this.counters.countClose(true, CloseCode.Replaced);
    former.close(CloseCode.Replaced, 'you have come back by another connection');
  }

  /** The world has the client's entity: what the Welcome says of it. */
  joined(client: number, key: number): { token: string; resumed: boolean } {
    const stay = this.stays[client];
    if (stay === undefined) return { token: '', resumed: false };
    const { playerId, sessionId, claimedKey, isRestored } = stay;
    stay.key = key;
    stay.isTold = true;
    const epoch = this.sessions.epoch[client];
    const { joinedAtMs } = stay;
    this.options.onJoined?.({ client, epoch, playerId, sessionId, name: this.sessions.name[client], joinedAtMs });
    const { worldId } = this.options;
    const token = this.mint.sign({ worldId, playerId, sessionId, key, client, epoch, issuedMs: this.now() });
    return { token, resumed: isRestored || claimedKey === key };
  }

  /** Whether the entity waits, now that its client's connection ends. */
  keeps(client: number, byServer: boolean, code: number): boolean {
    if (this.options.resumeMs === 0 || this.stays[client]?.isTold !== true) return false;
    const isKept = byServer ? FORGIVEN.has(code) : !FAREWELLS.has(code);
    this.isKept[client] = isKept ? 1 : 0;
    this.sessions.absentSince[client] = this.sessions.clock[0];
    return isKept;
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

  /** The index is about to be free. */
  forget(client: number, isForGood: boolean): void {
    this.options.onLeft?.(client, this.sessions.epoch[client], isForGood);
    this.stays[client] = undefined;
    this.reservedKeys.delete(client);
    this.isKept[client] = 0;
  }

  private createStay(playerId: string, sessionId: string, key: number): Stay {
    const joinedAtMs = this.now();
    return { playerId, sessionId, key, isTold: false, claimedKey: undefined, joinedAtMs, isRestored: false };
  }

  private isInWorld(client: number): boolean {
    const state = this.sessions.state[client];
    if (state === SESSION_CLOSING) return this.isKept[client] !== 0;
    return state === SESSION_ABSENT || state === SESSION_LIVE || state === SESSION_JOINING;
  }
}
