// Messages from entity to entity, each applied exactly once, wherever its target lives.
//
// A post stays with the zone in which it was posted until it is answered for. In the tick after it was posted it is applied, if
// its target is an entity of this zone. Otherwise a copy is sent to the zone that probably has the target, which applies it in
// its next tick, or not, and answers; `applied` ends the post, and after any other answer it is sent somewhere else:
//
//  waiting --sent--> sent --applied--> (gone)        resolve() says where to: the zone that shows the mirror, or the zone
//     ^                |                             where the target was born. That one is told of every border that
//     +--- not here ---+--- dead --> dead            the target crosses after it has left (`moved`).
//
// While a post is sent, later ones from this zone to the same target wait. So those of one zone to one target are applied in
// their order, whatever ways they take. A dead post goes back to its sender, as a post to it (`returned`); where that is gone
// too, the game hears of it without a row.
//
// All of this is in the block and is committed with the tick; records of a handoff ring count once (handoff.ts). What comes in
// and whether a ring had room are in the journal, so that a replay does the same. A recovery has no rings: settlePosts()
// compares what was sent with what was taken.

import { assert } from '../../base/assert.js';
import type { MessageDefinition } from '../../game/messages/message-definition.js';
import { POST_PAYLOAD_BYTES_MAX, POST_REFUSALS_KEPT, POSTS_MAX } from '../../memory/limits.js';
import * as R from '../../memory/records/thread-records.js';
import { COUNTER } from '../../memory/tables/zone-counters.js';
import * as P from '../../memory/world/post-layout.js';
import { SCALAR_POSTS_REFUSED } from '../../memory/world/world-layout.js';
import { wireIdOfKey } from '../entities/entity-key.js';
import { throwFault } from '../zone/game-fault.js';
import type { EngineZone } from '../zone/zone.js';
import { POST_ANSWERS_MAX, POST_HOPS_MAX } from './limits.js';
import { PostQueue } from './post-queue.js';
import { HERE, NOWHERE, UNKNOWN, Whereabouts } from './whereabouts.js';

export const WAITING = 0;
export const SENT = 1;
/** It came from another zone in this tick. */
export const TAKEN = 2;
export const DEAD = 3;
/** For another zone: what became of a post of its. */
export const ANSWER = 4;
/** For the zone of birth: the entity lives here now. */
export const MOVED = 5;

const FLAG_RETURNED = 1;
const PAYLOAD_WORDS = POST_PAYLOAD_BYTES_MAX / 4;

// Answers.
const APPLIED = 0;
const NOT_HERE = 1;
const GONE = 2;

/** Records to other zones. */
export interface PostRoads {
  /** The first word of the body of a new record; -1: the zone's ring is full. */
  claim(zone: number, kind: number): number;
  wordsOf(zone: number): Int32Array;
}

/** What the journal keeps of it. */
export interface PostJournal {
  roadFull(zone: number, records: number): void;
}

export class ZonePosts {
  private readonly queue: PostQueue;
  private readonly messages: readonly MessageDefinition[];
  private readonly numbers: ReadonlyMap<string, number>;
  private readonly whereabouts: Whereabouts;
  /** By wire id: the pass in which posts to it had to wait. */
  private readonly blocked: Int32Array;
  private pass = 0;
  /** By zone: posts that are sent and not answered. */
  private readonly inFlight: Int32Array;
  private readonly inFlightMax: number;
  /** By zone, of this tick: records claimed; and of those, where the one begins that still takes answers. */
  private readonly records: Int32Array;
  private readonly answersAt: Int32Array;
  private readonly isFull: Uint8Array;
  /** Of this tick, by zone and number. */
  private readonly answers = new Map<number, number>();

  constructor(private readonly zone: EngineZone) {
    const { buffer, game, zoneCount, rowOfId } = zone;
    this.queue = new PostQueue(buffer);
    this.messages = game.messages ?? [];
    this.numbers = new Map(this.messages.map(({ name }, number) => [name, number]));
    this.whereabouts = new Whereabouts(zone);
    this.blocked = new Int32Array(rowOfId.length);
    this.inFlight = new Int32Array(zoneCount);
    // Whatever others send has room here, so that nobody waits for room while somebody else waits for the answer.
    this.inFlightMax = Math.floor(POSTS_MAX / Math.max(1, zoneCount - 1));
    this.records = new Int32Array(zoneCount);
    this.answersAt = new Int32Array(zoneCount);
    this.isFull = new Uint8Array(zoneCount);
  }

  /** False: as many wait already as may; nothing is posted. `from`: an own row that hears of it if the target is gone, or -1. */
  post(target: number, message: string, values: Readonly<Record<string, unknown>>, from: number): boolean {
    const { zone, queue } = this;
    const number = this.numbers.get(message);
    if (number === undefined) throw new Error(`zone.post: the game has no message '${message}'`);
    if (from !== -1 && !(from >= 0 && from < zone.ownCapacity && zone.alive[from] !== 0)) {
      throw new Error(`zone.post: ${message} is sent from row ${from}; allowed: a living row of this zone, or none`);
    }
    if (queue.count >= POSTS_MAX) {
      zone.counters[COUNTER.postsRefused]++;
      return false;
    }
    const word = queue.add();
    queue.words[word + P.POST_TARGET] = target;
    queue.words[word + P.POST_SENDER] = from < 0 ? 0 : zone.engine.key[from];
    queue.view.setUint16(word * 4 + P.POST_MESSAGE, number, true);
    try {
      this.messages[number].write(queue.view, (word + P.POST_PAYLOAD) * 4, values);
    } catch (error) {
      queue.count--;
      throw error;
    }
    zone.counters[COUNTER.postsPosted]++;
    return true;
  }

  // --- what comes in: before deliver(), in play and in a replay ---

  /** A post of another zone. It has the number that follows on the last one from there. */
  take(source: number, record: Int32Array, at: number): void {
    const { queue } = this;
    const { words } = queue;
    const word = queue.add();
    assert(word >= 0, 'there is room for whatever others may send', queue.count);
    queue.bytes[word * 4 + P.POST_STATE] = TAKEN;
    queue.bytes[word * 4 + P.POST_WAY] = source;
    words[word + P.POST_NUMBER] = record[at];
    words[word + P.POST_TARGET] = record[at + 1];
    words[word + P.POST_SENDER] = record[at + 2];
    words[word + P.POST_MESSAGE / 4] = record[at + 3]; // and its flags
    for (let i = 0; i < PAYLOAD_WORDS; i++) words[word + P.POST_PAYLOAD + i] = record[at + 4 + i];
    words[P.POSTS_TAKEN_FROM + source] = record[at];
  }

  takeAnswers(source: number, record: Int32Array, at: number): void {
    for (let i = 0; i < record[at]; i++) {
      this.answers.set(nameOf(source, record[at + 2 + 2 * i]), record[at + 3 + 2 * i]);
    }
  }

  takeMoved(key: number, zone: number, tick: number): void {
    this.whereabouts.moved(key, zone, tick);
  }

  // --- the tick ---

  /** @hot Applies what has a target here. Before the systems. */
  deliver(): void {
    const { queue, answers } = this;
    this.inFlight.fill(0);
    const limit = queue.count;
    if (limit === 0) return;
    this.pass++;
    let kept = 0;
    let run = 0; // posts from here on are kept, up to the next one that is not
    for (let index = 0; index < limit; index++) {
      if (!this.isDone(index)) continue;
      kept = queue.moveUp(run, index, kept);
      run = index + 1;
    }
    queue.closeGap(queue.moveUp(run, limit, kept), limit);
    answers.clear();
  }

  /** @hot Sends what has its target elsewhere. After whoever leaves has left. */
  route(roads: PostRoads, journal?: PostJournal): void {
    const { queue } = this;
    const limit = queue.count;
    if (limit === 0) return;
    this.pass++;
    this.records.fill(0);
    this.answersAt.fill(-1);
    this.isFull.fill(0);
    let kept = 0;
    let run = 0;
    for (let index = 0; index < limit; index++) {
      if (!this.hasLeft(index, roads, journal)) continue;
      kept = queue.moveUp(run, index, kept);
      run = index + 1;
    }
    queue.closeGap(queue.moveUp(run, limit, kept), limit);
  }

  // --- where entities are ---

  /** A row is about to depart. */
  departing(key: number, target: number): void {
    this.whereabouts.departing(key, target);
  }

  arrived(key: number): void {
    const { queue, zone, whereabouts } = this;
    if (whereabouts.isBack(key)) return;
    const word = queue.add();
    if (word < 0) {
      zone.counters[COUNTER.postsLost]++;
      return;
    }
    queue.bytes[word * 4 + P.POST_STATE] = MOVED;
    queue.bytes[word * 4 + P.POST_WAY] = whereabouts.homeOf(key);
    queue.words[word + P.POST_TARGET] = key;
    queue.words[word + P.POST_TICK] = zone.tick;
  }

  freed(localId: number): void {
    this.whereabouts.freed(localId);
  }

  shownFrom(row: number, zone: number): void {
    this.whereabouts.shownFrom(row, zone);
  }

  // --- one post ---

  /** @hot Whether a post is over. */
  private isDone(index: number): boolean {
    const { queue, blocked, pass } = this;
    const word = queue.wordOf(index);
    const at = word * 4;
    const state = queue.bytes[at + P.POST_STATE];
    if (state === ANSWER || state === MOVED) return false;
    if (state === TAKEN) {
      this.answerFor(word);
      return false;
    }
    if (state === SENT && this.isStillSent(word)) return false;
    if (queue.bytes[at + P.POST_STATE] === SENT) return true; // it was applied
    if (queue.bytes[at + P.POST_STATE] === DEAD && this.isGivenUp(word)) return true;
    const target = queue.words[word + P.POST_TARGET] >>> 0;
    if (blocked[wireIdOfKey(target)] === pass) return false;
    const row = this.whereabouts.ownRowOf(target);
    if (row < 0) return false;
    this.apply(word, row);
    return true;
  }

  /** Whether nobody has answered for it. What was refused waits again, or is dead. */
  private isStillSent(word: number): boolean {
    const { queue, answers } = this;
    const at = word * 4;
    const way = queue.bytes[at + P.POST_WAY];
    const answer = answers.get(nameOf(way, queue.words[word + P.POST_NUMBER]));
    if (answer === undefined) {
      this.blocked[wireIdOfKey(queue.words[word + P.POST_TARGET])] = this.pass;
      this.inFlight[way]++;
      return true;
    }
    const result = answer & 0xff;
    if (result !== APPLIED) {
      queue.bytes[at + P.POST_STATE] = result === GONE ? DEAD : WAITING;
      queue.bytes[at + P.POST_HINT] = answer >> 8;
      this.countHop(at);
    }
    return false;
  }

  /** A post of another zone is applied or refused, and becomes the answer. */
  private answerFor(word: number): void {
    const { queue, zone } = this;
    const at = word * 4;
    const target = queue.words[word + P.POST_TARGET] >>> 0;
    const row = this.whereabouts.ownRowOf(target);
    let result = APPLIED;
    let hint = 0;
    if (row >= 0) this.apply(word, row);
    else {
      const place = this.whereabouts.resolve(target, 0, 0);
      result = place === NOWHERE ? GONE : NOT_HERE;
      hint = place >= 0 ? place + 1 : 0;
      const refused = P.POSTS_REFUSED + 2 * (zone.scalars[SCALAR_POSTS_REFUSED]++ % POST_REFUSALS_KEPT);
      queue.words[refused] = queue.words[word + P.POST_NUMBER];
      queue.words[refused + 1] = queue.bytes[at + P.POST_WAY] + 1;
    }
    queue.bytes[at + P.POST_STATE] = ANSWER;
    queue.bytes[at + P.POST_HOPS] = result;
    queue.bytes[at + P.POST_HINT] = hint;
  }

  /** A dead post goes back to its sender; false: as a post that waits. True: there is nobody it could go back to. */
  private isGivenUp(word: number): boolean {
    const { queue } = this;
    const at = word * 4;
    const sender = queue.words[word + P.POST_SENDER];
    const isReturned = (queue.view.getUint16(at + P.POST_FLAGS, true) & FLAG_RETURNED) !== 0;
    if (sender === 0 || isReturned) {
      this.tellUndelivered(word, -1);
      return true;
    }
    queue.bytes[at + P.POST_STATE] = WAITING;
    queue.bytes[at + P.POST_HINT] = 0;
    queue.bytes[at + P.POST_HOPS] = 0;
    queue.view.setUint16(at + P.POST_FLAGS, FLAG_RETURNED, true);
    queue.words[word + P.POST_TARGET] = sender;
    return false;
  }

  private apply(word: number, row: number): void {
    const { queue, zone } = this;
    if ((queue.view.getUint16(word * 4 + P.POST_FLAGS, true) & FLAG_RETURNED) !== 0) {
      this.tellUndelivered(word, row);
      return;
    }
    const message = this.messages[queue.view.getUint16(word * 4 + P.POST_MESSAGE, true)];
    zone.counters[COUNTER.postsApplied]++;
    try {
      message?.apply(zone as never, row, queue.view, (word + P.POST_PAYLOAD) * 4);
    } catch (error) {
      throwFault(zone, `message '${message.name}'`, error);
    }
  }

  private tellUndelivered(word: number, row: number): void {
    const { queue, zone } = this;
    const message = this.messages[queue.view.getUint16(word * 4 + P.POST_MESSAGE, true)];
    zone.counters[COUNTER.postsUndelivered]++;
    try {
      message?.undelivered?.(zone as never, row, queue.view, (word + P.POST_PAYLOAD) * 4);
    } catch (error) {
      throwFault(zone, `undelivered of message '${message.name}'`, error);
    }
  }

  /** @hot Whether it needs to be kept no more. A post that is sent is kept. */
  private hasLeft(index: number, roads: PostRoads, journal: PostJournal | undefined): boolean {
    const { queue, blocked, pass } = this;
    const word = queue.wordOf(index);
    const at = word * 4;
    const state = queue.bytes[at + P.POST_STATE];
    if (state === ANSWER) return this.sendAnswer(word, roads, journal);
    if (state === MOVED) return this.sendMoved(word, roads, journal);
    const target = queue.words[word + P.POST_TARGET] >>> 0;
    const wireId = wireIdOfKey(target);
    if (state === SENT) blocked[wireId] = pass;
    if (state !== WAITING || blocked[wireId] === pass) return false;
    const place = this.whereabouts.resolve(target, queue.bytes[at + P.POST_HINT], queue.bytes[at + P.POST_HOPS]);
    if (place === NOWHERE) queue.bytes[at + P.POST_STATE] = DEAD;
    else if (place === UNKNOWN) this.countHop(at);
    else if (place !== HERE && !this.send(word, place, roads, journal)) blocked[wireId] = pass;
    return false;
  }

  private send(word: number, way: number, roads: PostRoads, journal: PostJournal | undefined): boolean {
    const { queue } = this;
    if (this.inFlight[way] >= this.inFlightMax) return false;
    const offset = this.claim(way, R.HANDOFF_POST, roads, journal);
    if (offset < 0) return false;
    const at = word * 4;
    const record = roads.wordsOf(way);
    const { words } = queue;
    const number = (queue.words[P.POSTS_SENT_TO + way] + 1) | 0;
    queue.words[P.POSTS_SENT_TO + way] = number;
    queue.words[word + P.POST_NUMBER] = number;
    queue.bytes[at + P.POST_STATE] = SENT;
    queue.bytes[at + P.POST_WAY] = way;
    queue.bytes[at + P.POST_HINT] = 0;
    this.inFlight[way]++;
    record[offset] = number;
    record[offset + 1] = words[word + P.POST_TARGET];
    record[offset + 2] = words[word + P.POST_SENDER];
    record[offset + 3] = words[word + P.POST_MESSAGE / 4];
    for (let i = 0; i < PAYLOAD_WORDS; i++) record[offset + 4 + i] = words[word + P.POST_PAYLOAD + i];
    this.zone.counters[COUNTER.postsSent]++;
    return true;
  }

  private sendAnswer(word: number, roads: PostRoads, journal: PostJournal | undefined): boolean {
    const { queue, answersAt } = this;
    const at = word * 4;
    const way = queue.bytes[at + P.POST_WAY];
    let offset = answersAt[way];
    if (offset < 0) {
      offset = this.claim(way, R.HANDOFF_ANSWERS, roads, journal);
      if (offset < 0) return false;
      answersAt[way] = offset;
      roads.wordsOf(way)[offset] = 0;
    }
    const record = roads.wordsOf(way);
    const count = record[offset]++;
    record[offset + 2 + 2 * count] = queue.words[word + P.POST_NUMBER];
    record[offset + 3 + 2 * count] = queue.bytes[at + P.POST_HOPS] | (queue.bytes[at + P.POST_HINT] << 8);
    if (count + 1 === POST_ANSWERS_MAX) answersAt[way] = -1;
    return true;
  }

  private sendMoved(word: number, roads: PostRoads, journal: PostJournal | undefined): boolean {
    const { queue } = this;
    const way = queue.bytes[word * 4 + P.POST_WAY];
    const offset = this.claim(way, R.HANDOFF_MOVED, roads, journal);
    if (offset < 0) return false;
    roads.wordsOf(way)[offset] = queue.words[word + P.POST_TARGET];
    roads.wordsOf(way)[offset + 1] = queue.words[word + P.POST_TICK];
    return true;
  }

  private claim(way: number, kind: number, roads: PostRoads, journal: PostJournal | undefined): number {
    if (this.isFull[way] !== 0) return -1;
    const offset = roads.claim(way, kind);
    if (offset >= 0) this.records[way]++;
    else {
      this.isFull[way] = 1;
      journal?.roadFull(way, this.records[way]);
    }
    return offset;
  }

  private countHop(at: number): void {
    const { bytes } = this.queue;
    if (++bytes[at + P.POST_HOPS] >= POST_HOPS_MAX) bytes[at + P.POST_STATE] = DEAD;
  }
}

/** Of a post among all that are sent: the zone that it was sent to, and its number there. */
function nameOf(zone: number, number: number): number {
  return zone * 2 ** 32 + (number >>> 0);
}
