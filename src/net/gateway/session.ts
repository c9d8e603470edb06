// Sessions by client index, as columns. An index is free or belongs to one connection; the generation tells one holder of
// an index from the next. The times are those of the clock that the table is given: one word of milliseconds, set by
// the owner of the table, so that a reading costs a load and a test can set it.

import { assert } from '../../base/assert.js';
import { CLIENT_ID_MAX, CLIENTS_MAX_LIMIT } from '../../protocol/limits.js';

/** clock[0] is the time in ms. */
export type NetClock = Float64Array;

export const SESSION_FREE = 0;
/** Connected, has not asked to join. */
export const SESSION_CONNECTING = 1;
/** Has asked to join; the world has not answered yet. */
export const SESSION_JOINING = 2;
export const SESSION_LIVE = 3;
/** Told to go; the index is free when its connection is gone. */
export const SESSION_CLOSING = 4;
/** Has no connection, and its entity waits for it in the world. */
export const SESSION_ABSENT = 5;
export const SESSION_STATES = ['free', 'connecting', 'joining', 'live', 'closing', 'absent'] as const;

/** A bucket of tokens per index, refilled by time. A full bucket is one second's worth. */
export class TokenBuckets {
  perSecond: number;
  private readonly tokens: Float64Array;
  private readonly filledAt: Float64Array;
  private readonly clock: NetClock;

  constructor(capacity: number, perSecond: number, clock: NetClock) {
    assert(perSecond > 0, 'a bucket that never fills', perSecond);
    this.perSecond = perSecond;
    this.tokens = new Float64Array(capacity);
    this.filledAt = new Float64Array(capacity);
    this.clock = clock;
  }

  /** From now on; what a bucket has of the old rate is cut to the new one when it is next looked at. */
  setRate(perSecond: number): void {
    this.perSecond = perSecond;
  }

  reset(index: number): void {
    this.tokens[index] = this.perSecond;
    this.filledAt[index] = this.clock[0];
  }

  /** @hot False: the bucket is empty. */
  take(index: number): boolean {
    const now = this.clock[0];
    const earned = ((now - this.filledAt[index]) * this.perSecond) / 1000;
    const tokens = Math.min(this.perSecond, this.tokens[index] + earned);
    this.filledAt[index] = now;
    if (tokens < 1) {
      this.tokens[index] = tokens;
      return false;
    }
    this.tokens[index] = tokens - 1;
    return true;
  }
}

export class SessionTable {
  /** Indexes that the world knows, and behind them those of the anteroom. */
  readonly seats: number;
  readonly capacity: number;
  readonly clock: NetClock;
  readonly state: Uint8Array;
  readonly generation: Int32Array;
  /** How this session's messages are encoded: a number of the gateway's. */
  readonly encoding: Uint8Array;
  /** Highest sequence number seen; 0 before the first. */
  readonly lastSeq: Uint32Array;
  /** Why frames are held back: bits of the gateway's. */
  readonly hold: Uint8Array;
  readonly heldSince: Float64Array;
  readonly openedAt: Float64Array;
  /** Of an absent session: when its connection was lost. */
  readonly absentSince: Float64Array;
  /** When the world was last asked for a full frame: by the client, and by the gateway after it dropped one. */
  readonly resyncAskedAt: Float64Array;
  readonly resyncSentAt: Float64Array;
  readonly violationPoints: Int32Array;
  readonly violationSince: Float64Array;
  /** 1: has no entity and only watches. */
  readonly isSpectator: Uint8Array;
  /** Indexes of spectators, and how many of them are live. */
  spectators = 0;
  spectatorsLive = 0;
  /** What the client has called itself; empty before its Join. */
  readonly name: string[];
  /** Sessions by state. */
  readonly counts = new Int32Array(SESSION_STATES.length);

  // Free indexes wait in a queue, not on a stack: the longer an index rests, the less can still be under way for it.
  private readonly freeQueue: Int32Array;
  private freeHead = 0;
  private freeCount: number;
  /** Where one waits whose seat may be that of an absent client, until it has said who it is. */
  private readonly anteroom: number[];
  private lastGeneration: number;

  /** A server begins anywhere below CLIENT_ID_MAX, so that the number of a client of an earlier one means nobody here. */
  constructor(seats: number, clock: NetClock, lastGeneration = 0, anteroom = 0) {
    this.lastGeneration = lastGeneration;
    assert(seats > 0 && seats <= CLIENTS_MAX_LIMIT, 'clients out of range', seats);
    const capacity = seats + anteroom;
    this.seats = seats;
    this.capacity = capacity;
    this.clock = clock;
    this.state = new Uint8Array(capacity);
    this.generation = new Int32Array(capacity);
    this.encoding = new Uint8Array(capacity);
    this.lastSeq = new Uint32Array(capacity);
    this.hold = new Uint8Array(capacity);
    this.heldSince = new Float64Array(capacity);
    this.openedAt = new Float64Array(capacity);
    this.absentSince = new Float64Array(capacity);
    this.resyncAskedAt = new Float64Array(capacity);
    this.resyncSentAt = new Float64Array(capacity);
    this.violationPoints = new Int32Array(capacity);
    this.violationSince = new Float64Array(capacity);
    this.isSpectator = new Uint8Array(capacity);
    this.name = new Array(capacity).fill('');
    this.freeQueue = Int32Array.from({ length: seats }, (_, index) => index);
    this.freeCount = seats;
    this.anteroom = Array.from({ length: anteroom }, (_, index) => seats + index);
    this.counts[SESSION_FREE] = capacity;
  }

  /** Nobody holds an index, and nobody's waits. */
  get isEmpty(): boolean {
    return this.counts[SESSION_FREE] === this.capacity;
  }

  /** Connections that hold an index. */
  get used(): number {
    return this.capacity - this.counts[SESSION_FREE] - this.counts[SESSION_ABSENT];
  }

  /** Before anybody is let in: these indexes wait, absent, for who held them, and later generations are above `lastGeneration`. */
  reserve(entries: readonly { client: number; generation: number }[], lastGeneration: number): void {
    assert(this.counts[SESSION_FREE] === this.capacity && this.freeHead === 0, 'sessions are reserved first');
    this.lastGeneration = lastGeneration;
    for (const { client, generation } of entries) {
      assert(this.state[client] === SESSION_FREE, 'an index is reserved once', client);
      this.generation[client] = generation;
      this.setState(client, SESSION_ABSENT);
    }
    this.freeQueue.set(this.freeQueue.filter((index) => this.state[index] === SESSION_FREE));
    this.freeCount -= entries.length;
  }

  get freeSeats(): number {
    return this.freeCount;
  }

  /** Whether open() would give an index. */
  get isOpen(): boolean {
    return this.freeCount > 0 || (this.counts[SESSION_ABSENT] > 0 && this.anteroom.length > 0);
  }

  /** The connection of `source` is that of `target` from now on: what is of the connection goes along. */
  reseat(source: number, target: number): void {
    this.encoding[target] = this.encoding[source];
    this.lastSeq[target] = this.lastSeq[source];
    this.hold[target] = this.hold[source];
    this.heldSince[target] = this.heldSince[source];
    this.openedAt[target] = this.openedAt[source];
    this.resyncAskedAt[target] = this.resyncAskedAt[source];
    this.resyncSentAt[target] = this.resyncSentAt[source];
    this.violationPoints[target] = this.violationPoints[source];
    this.violationSince[target] = this.violationSince[source];
    this.name[target] = this.name[source];
  }

  /** The absent session that has waited longest, or -1. */
  oldestAbsent(): number {
    let oldest = -1;
    if (this.counts[SESSION_ABSENT] === 0) return oldest;
    for (let index = 0; index < this.capacity; index++) {
      if (this.state[index] !== SESSION_ABSENT) continue;
      if (oldest === -1 || this.absentSince[index] < this.absentSince[oldest]) oldest = index;
    }
    return oldest;
  }

  /** The index of a new session in state connecting, or -1 when all are taken. */
  open(encoding: number): number {
    if (this.freeCount > 0) return this.openSeat(encoding);
    if (!this.isOpen) return -1;
    return this.begin(this.anteroom.pop() as number, encoding);
  }

  /** The same, but never in the anteroom. */
  openSeat(encoding = 0): number {
    if (this.freeCount === 0) return -1;
    const index = this.freeQueue[this.freeHead];
    this.freeHead = (this.freeHead + 1) % this.seats;
    this.freeCount--;
    return this.begin(index, encoding);
  }

  private begin(index: number, encoding: number): number {
    const now = this.clock[0];
    this.lastGeneration = this.lastGeneration === CLIENT_ID_MAX ? 1 : this.lastGeneration + 1;
    this.generation[index] = this.lastGeneration;
    this.encoding[index] = encoding;
    this.lastSeq[index] = 0;
    this.hold[index] = 0;
    this.heldSince[index] = 0;
    this.openedAt[index] = now;
    this.resyncAskedAt[index] = Number.NEGATIVE_INFINITY;
    this.resyncSentAt[index] = Number.NEGATIVE_INFINITY;
    this.violationPoints[index] = 0;
    this.violationSince[index] = now;
    this.name[index] = '';
    this.setState(index, SESSION_CONNECTING);
    return index;
  }

  /** Until the index is free again, or it is said otherwise. Not of a live one. */
  setSpectator(index: number, is: boolean): void {
    this.spectators += Number(is) - this.isSpectator[index];
    this.isSpectator[index] = Number(is);
  }

  setState(index: number, state: number): void {
    if (this.isSpectator[index] !== 0) {
      this.spectatorsLive += Number(state === SESSION_LIVE) - Number(this.state[index] === SESSION_LIVE);
    }
    this.counts[this.state[index]] -= 1;
    this.counts[state] += 1;
    this.state[index] = state;
  }

  release(index: number): void {
    assert(this.state[index] !== SESSION_FREE, 'a session released twice', index);
    if (index < this.seats) this.freeQueue[(this.freeHead + this.freeCount++) % this.seats] = index;
    else this.anteroom.push(index);
    this.generation[index] = 0;
    this.setState(index, SESSION_FREE);
    this.setSpectator(index, false);
  }

  /** @hot True while `generation` holds the index. Generation 0 holds nothing. */
  holds(index: number, generation: number): boolean {
    return this.generation[index] === generation && generation !== 0;
  }

  /** Adds to the session's score of violations; true when it has too many. */
  addViolation(index: number, points: number, windowMs: number, pointsMax: number): boolean {
    const now = this.clock[0];
    if (now - this.violationSince[index] > windowMs) {
      this.violationSince[index] = now;
      this.violationPoints[index] = 0;
    }
    this.violationPoints[index] += points;
    return this.violationPoints[index] >= pointsMax;
  }
}
