// Each tick, for every client of this zone that is due: what entered its view, what left it and what changed, as one frame
// in the frame ring.
//
// What a client has is kept in shared memory (client-table.ts): the keys of its entities, sorted by wire id, and for each
// the tick up to which the client was told. That table changes only together with a frame that is committed to the ring. A
// frame that cannot be made (ring full, client backed up) changes nothing, and the next one carries the newest state: there
// is no backlog.

import * as R from '../../memory/records/thread-records.js';
import * as C from '../../memory/tables/client-table.js';
import type { NoteTable } from '../../memory/tables/note-table.js';
import { COUNTER } from '../../memory/tables/zone-counters.js';
import { KNOWN_ENTITIES_MAX } from '../../protocol/limits.js';
import { WIRE_ID_MASK } from '../entities/entity-key.js';
import type { Quadtree } from '../space/quadtree.js';
import { EntityWriter, type EntityWriterOptions } from './entity-writer.js';
import type { FarKinds } from './far-kinds.js';
import {
  FRAME_BYTES_MAX,
  FRAMES_IN_FLIGHT_MAX,
  KEEP_ALIVE_MS,
  LEAVE_RADIUS_FACTOR,
  NOTES_IN_FRAME_BYTES_MAX,
} from './limits.js';
import { RichChangeTicks } from './rich-change-ticks.js';
import { Sight } from './sight.js';
import { TeamView } from './team-view.js';

/** Entities farther than this share of the view radius are updated half as often. */
const NEAR_SHARE = 0.75;
/**
 * In a crowd the view shrinks to the nearest: in steps of so many rings of equal area; and entities enter within this part
 * of the shrunken area only, so that they do not flicker at its edge (hysteresis).
 */
const CROWD_RINGS = 1024;
const CROWD_ENTER_SHARE = 0.9;
const FLAG_FULL = 1;
/** A frame is due when this much of one is owed. Less than 1 by the error of adding fractions: 30 of 60 is every second tick. */
const FULL_DEBT = 1 - 1e-9;
/** A frame that answers an input may be sent this early. The debt is kept, so the rate stays the same. */
const EARLY_DEBT = 0.5 - 1e-9;

// Marks of rows found by the query of one observer, above its stamp.
const MARK_BAND = 0; // between view radius and leave radius: stays if known
const MARK_FAR = 1;
const MARK_NEAR = 2;
const MARKS = 4;

export interface ReplicatorOptions extends EntityWriterOptions {
  index: Quadtree;
  viewRadius: number;
  leaveRadius: number;
  /** Undefined: the game has no kinds that are seen from afar. */
  far?: FarKinds | undefined;
  /** Undefined: the game tells clients nothing. */
  notes?: NoteTable | undefined;
}

export class Replicator {
  /** Clients of this zone, in no order, and by client its place here + 1. */
  private readonly attached: Int32Array;
  private readonly placeOfClient: Int32Array;
  private attachedCount = 0;
  /** How often a client has come to this zone. */
  arrivals = 0;
  /** By client: the row of its own entity, and the ticks of its last frame. */
  readonly rowOfClient: Int32Array;
  /** By client: which holder of the index is attached. Main may have given the index to another one, in another zone. */
  readonly generationOfClient: Int32Array;
  /** Where each client looks from: its entity, or where that last was. */
  readonly viewX: Float32Array;
  readonly viewY: Float32Array;
  private readonly lastFrameTick: Int32Array;
  private readonly updateDebt: Float64Array;
  private readonly writer: EntityWriter;
  private readonly keepAliveTicks: number;
  private readonly claimBytes: number;
  /** Undefined: the game has no masks. */
  private readonly sight: Sight | undefined;
  /** Undefined: the game has no fields that teams get. */
  private readonly teams: TeamView | undefined;

  // Scratch of one observer.
  private readonly candidates = new Int32Array(KNOWN_ENTITIES_MAX * 16);
  private readonly distances = new Float32Array(KNOWN_ENTITIES_MAX * 16);
  private readonly mark: Int32Array;
  private stamp = MARKS;
  readonly nextKey = new Uint32Array(KNOWN_ENTITIES_MAX);
  readonly nextSent = new Int32Array(KNOWN_ENTITIES_MAX);
  readonly nextTold = new Int32Array(KNOWN_ENTITIES_MAX);
  readonly nextRow = new Int32Array(KNOWN_ENTITIES_MAX);
  private readonly enterRows = new Int32Array(KNOWN_ENTITIES_MAX);
  private readonly leaves = new Uint32Array(KNOWN_ENTITIES_MAX);
  private readonly ringCounts = new Int32Array(CROWD_RINGS);
  private leaveCount = 0;

  constructor(private readonly options: ReplicatorOptions) {
    const { zone, clients } = options;
    this.attached = new Int32Array(clients.clientsMax);
    this.placeOfClient = new Int32Array(clients.clientsMax);
    this.rowOfClient = new Int32Array(clients.clientsMax).fill(-1);
    this.generationOfClient = new Int32Array(clients.clientsMax);
    this.viewX = new Float32Array(clients.clientsMax);
    this.viewY = new Float32Array(clients.clientsMax);
    this.lastFrameTick = new Int32Array(clients.clientsMax);
    this.updateDebt = new Float64Array(clients.clientsMax);
    this.sight = zone.sightColumns && new Sight(zone.sightColumns, clients.clientsMax);
    this.mark = new Int32Array(zone.rowCapacity);
    const hasTeamFields = options.changes instanceof RichChangeTicks && options.changes.hasTeamParts;
    this.teams = hasTeamFields ? new TeamView(zone.team, clients.clientsMax) : undefined;
    this.writer = new EntityWriter(options, this, this.rowOfClient, this.teams);
    this.claimBytes = FRAME_BYTES_MAX + (options.notes === undefined ? 0 : NOTES_IN_FRAME_BYTES_MAX);
    this.keepAliveTicks = Math.round((KEEP_ALIVE_MS / 1000) * zone.tickHz);
    zone.counters[COUNTER.clients] = 0; // a former thread's are attached anew
  }

  /** Clients of this zone. */
  get clientCount(): number {
    return this.attachedCount;
  }

  clientAt(place: number): number {
    return this.attached[place];
  }

  isAttached(client: number): boolean {
    return this.placeOfClient[client] > 0; // a recovered world may have indexes that this server does not
  }

  attach(client: number, row: number): void {
    this.enlist(client);
    this.rowOfClient[client] = row;
    this.generationOfClient[client] = this.options.zone.engine.ownerGeneration[row];
    this.sight?.look(client, row);
    this.begin(client, row);
  }

  /** A client without an entity, which looks from the place that it is told. Again for one that does already. */
  attachView(client: number, generation: number, sees: number, x: number, y: number): void {
    this.enlist(client);
    this.rowOfClient[client] = -1;
    this.generationOfClient[client] = generation;
    this.sight?.beginSpectator(client, sees);
    this.moveView(client, x, y);
    this.begin(client, -1);
  }

  moveView(client: number, x: number, y: number): void {
    this.viewX[client] = x;
    this.viewY[client] = y;
  }

  private enlist(client: number): void {
    this.arrivals++;
    if (this.placeOfClient[client] !== 0) return;
    this.attached[this.attachedCount] = client;
    this.placeOfClient[client] = ++this.attachedCount;
  }

  private begin(client: number, row: number): void {
    this.lastFrameTick[client] = this.options.zone.tick;
    this.teams?.attach(client, row);
    // Clients begin at different parts of an update period, so that sends are even and no tick carries all of them.
    this.updateDebt[client] = (client * 0.618034) % 1;
    this.options.zone.counters[COUNTER.clients] = this.attachedCount;
  }

  detach(client: number): void {
    if (!this.isAttached(client)) {
      return;
    }
    const place = this.placeOfClient[client] - 1;
    const last = this.attached[--this.attachedCount];
    this.attached[place] = last;
    this.placeOfClient[last] = place + 1;
    this.placeOfClient[client] = 0;
    this.rowOfClient[client] = -1;
    this.options.zone.counters[COUNTER.clients] = this.attachedCount;
  }

  /** The row stands for another entity from now on. */
  resetRow(row: number): void {
    this.options.changes.reset(row);
    this.teams?.reset(row);
  }

  /** The next frame of the client is a full one. */
  forget(client: number): void {
    this.options.clients.state[client * C.CLIENT_STATE_WORDS + C.CLIENT_FULL_WANTED] = 1;
  }

  /** The client comes from another zone: it keeps what it has and is told each entity anew. */
  doubtAll(client: number): void {
    const { knownSent, state } = this.options.clients;
    const start = client * KNOWN_ENTITIES_MAX;
    knownSent.fill(C.SENT_DOUBTED, start, start + state[client * C.CLIENT_STATE_WORDS + C.CLIENT_KNOWN_COUNT]);
  }

  /** After the commit of a tick. */
  run(): void {
    const { zone, clients, frames } = this.options;
    for (let i = 0; i < this.attachedCount; i++) {
      const client = this.attached[i];
      const stateAt = client * C.CLIENT_STATE_WORDS;
      if (clients.state[stateAt + C.CLIENT_GENERATION] !== this.generationOfClient[client]) {
        continue; // what is known of a client is the new holder's
      }
      const debt = this.updateDebt[client] + clients.state[stateAt + C.CLIENT_UPDATE_HZ] * zone.dt;
      // A client that waits for an answer may have its frame early: so frames fall in with the inputs of those who send as
      // often as they are told, and the answer to an input does not wait for a tick that has nothing to do with it.
      const isAwaited =
        clients.state[stateAt + C.CLIENT_APPLIED_SEQUENCE] !== clients.state[stateAt + C.CLIENT_ACK_SENT];
      if (debt < (isAwaited ? EARLY_DEBT : FULL_DEBT)) {
        this.updateDebt[client] = debt;
        continue;
      }
      this.updateDebt[client] = debt >= 2 ? 0 : debt - 1;
      const congested = Atomics.load(clients.congested, client); // acquire: main says how the socket stands
      if (congested !== 0) {
        if (congested !== C.CONGESTED_ABSENT) zone.counters[COUNTER.framesSkippedCongested]++;
        continue;
      }
      const inFlight = clients.state[stateAt + C.CLIENT_FRAMES_MADE] - Atomics.load(clients.delivered, client); // acquire: what main took
      if ((inFlight | 0) >= FRAMES_IN_FLIGHT_MAX) {
        zone.counters[COUNTER.framesSkippedInFlight]++;
        continue;
      }
      this.tell(client, stateAt);
    }
    frames.publish();
  }

  /** @hot One observer, one frame, or none when nothing changed. */
  private tell(client: number, stateAt: number): void {
    const { zone, clients, frames, notes } = this.options;
    const payload = frames.claim(R.FROM_ZONE_FRAME, this.claimBytes);
    if (payload < 0) {
      zone.counters[COUNTER.framesSkippedRingFull]++;
      return;
    }
    const isFull = clients.state[stateAt + C.CLIENT_FULL_WANTED] !== 0;
    const knownStart = client * KNOWN_ENTITIES_MAX;
    const nextCount = this.findVisible(client, knownStart, isFull ? 0 : clients.state[stateAt + C.CLIENT_KNOWN_COUNT]);
    const ack = clients.state[stateAt + C.CLIENT_APPLIED_SEQUENCE];
    const body = payload + R.FRAME_BODY;
    const noteBytes = notes === undefined ? 0 : notes.waiting(client);
    const { builder } = this.writer;
    const flags = isFull ? FLAG_FULL : 0;
    builder.begin(body, zone.tick, ack >>> 0, this.leaves, this.leaveCount, flags, noteBytes > 0);
    const toldCount = this.writer.write(client, nextCount, body);
    const isQuiet =
      !isFull &&
      noteBytes === 0 &&
      this.leaveCount === 0 &&
      toldCount === 0 &&
      ack === clients.state[stateAt + C.CLIENT_ACK_SENT];
    this.remember(stateAt, knownStart, nextCount, ack);
    if (isQuiet) {
      if (zone.tick - this.lastFrameTick[client] < this.keepAliveTicks) {
        return; // the claim is forgotten
      }
      zone.counters[COUNTER.keepAlives]++;
    }
    this.lastFrameTick[client] = zone.tick;
    if (notes !== undefined && noteBytes > 0) {
      builder.addNotes(notes.firstNumber(client), notes.bytes, notes.startOf(client), noteBytes);
      notes.clear(client); // before the frame is published: a thread that dies in between loses them, and repeats none
    }
    const bytes = builder.end();
    frames.view.setInt32(payload + R.FRAME_CLIENT, client, true);
    frames.view.setInt32(payload + R.FRAME_GENERATION, clients.state[stateAt + C.CLIENT_GENERATION], true);
    frames.view.setInt32(payload + R.FRAME_CROSSINGS, clients.state[stateAt + C.CLIENT_CROSSINGS], true);
    frames.commit(R.FRAME_BODY + bytes);
    clients.state[stateAt + C.CLIENT_FRAMES_MADE]++;
    zone.counters[COUNTER.framesWritten]++;
    zone.counters[COUNTER.frameBytes] += bytes;
    zone.counters[COUNTER.entityUpdates] += toldCount;
    zone.counters[COUNTER.entityLeaves] += this.leaveCount;
  }

  /** @hot Fills next* with what the client is to have, sorted by wire id, and leaves with what it is to lose. */
  private findVisible(client: number, knownStart: number, knownCount: number): number {
    const { zone, clients, index, far } = this.options;
    const { mark, candidates, distances, nextKey, nextSent, nextRow, sight } = this;
    let { viewRadius, leaveRadius } = this.options;
    const ownRow = this.rowOfClient[client];
    if (ownRow >= 0) {
      this.viewX[client] = zone.positionX[ownRow];
      this.viewY[client] = zone.positionY[ownRow];
    }
    if (sight !== undefined) {
      viewRadius = Math.min(viewRadius, sight.look(client, ownRow));
      leaveRadius = Math.min(leaveRadius, viewRadius * LEAVE_RADIUS_FACTOR);
    }
    index.circle[0] = this.viewX[client];
    index.circle[1] = this.viewY[client];
    index.circle[2] = leaveRadius;
    let found = index.collectCircleWithDistance(candidates, distances);
    if (sight !== undefined) found = sight.keepShown(client, candidates, distances, found);
    const viewSquared = viewRadius * viewRadius;
    const nearSquared = viewSquared * NEAR_SHARE * NEAR_SHARE;
    this.stamp += MARKS;
    if (this.stamp > 0x7ffffff0) {
      this.stamp = MARKS;
      mark.fill(0);
    }
    const stamp = this.stamp;
    let enterSquared = viewSquared;
    let staySquared = Number.POSITIVE_INFINITY;
    const farCount =
      far === undefined ? 0 : far.collect(this.viewX[client], this.viewY[client], viewRadius, sight, client);
    // What all clients have, wherever they look from.
    const sharedRow = zone.sharedRow >= 0 && zone.alive[zone.sharedRow] !== 0 ? zone.sharedRow : -1;
    const room = KNOWN_ENTITIES_MAX - farCount - (sharedRow < 0 ? 0 : 1);
    if (found > room) {
      // More than a client can have: the view shrinks to the nearest, with a band of its own between coming and going.
      staySquared = this.crowdRadiusSquared(found, leaveRadius * leaveRadius, room);
      enterSquared = Math.min(viewSquared, staySquared * CROWD_ENTER_SHARE);
      zone.counters[COUNTER.visibleTruncated]++;
    }
    for (let i = 0; i < found; i++) {
      const squared = distances[i];
      if (squared <= staySquared) {
        mark[candidates[i]] =
          stamp + (squared > enterSquared ? MARK_BAND : squared > nearSquared ? MARK_FAR : MARK_NEAR);
      }
    }
    if (far !== undefined) found = this.markFar(far, farCount, found);
    if (ownRow >= 0) {
      mark[ownRow] = stamp + MARK_NEAR;
    }
    if (sharedRow >= 0) mark[sharedRow] = stamp + MARK_NEAR;
    // What stays, in its order; marks are taken off, so that what is left of them came new.
    let count = 0;
    let leaveCount = 0;
    for (let i = knownStart; i < knownStart + knownCount; i++) {
      const key = clients.knownKey[i];
      const row = zone.rowOfId[key & WIRE_ID_MASK] - 1;
      if (row >= 0 && mark[row] >= stamp && zone.engine.key[row] === key) {
        nextKey[count] = key;
        nextSent[count] = clients.knownSent[i];
        nextRow[count] = mark[row] === stamp + MARK_NEAR ? row : ~row; // told apart by sign until writeEntities
        mark[row] = 0;
        count++;
      } else if (clients.knownSent[i] !== C.SENT_NEVER) {
        this.leaves[leaveCount++] = key & WIRE_ID_MASK;
      }
    }
    this.leaveCount = leaveCount;
    let enterCount = 0;
    if (ownRow >= 0 && mark[ownRow] === stamp + MARK_NEAR) {
      mark[ownRow] = 0;
      this.enterRows[enterCount++] = ownRow;
    }
    if (sharedRow >= 0 && mark[sharedRow] === stamp + MARK_NEAR) {
      mark[sharedRow] = 0;
      this.enterRows[enterCount++] = sharedRow;
    }
    for (let i = 0; i < found; i++) {
      if (mark[candidates[i]] > stamp + MARK_BAND) {
        if (count + enterCount >= KNOWN_ENTITIES_MAX) {
          break;
        }
        mark[candidates[i]] = 0;
        this.enterRows[enterCount++] = candidates[i];
      }
    }
    zone.counters[COUNTER.entityEnters] += enterCount;
    return enterCount === 0 ? count : this.mergeEnters(count, enterCount);
  }

  /** @hot What is seen from afar and is not in view already. Returns how many candidates there are then. */
  private markFar({ seenRows, mayEnter }: FarKinds, farCount: number, found: number): number {
    const { mark, candidates, stamp } = this;
    let count = found;
    for (let i = 0; i < farCount; i++) {
      const row = seenRows[i];
      if (mark[row] > stamp + MARK_BAND) continue;
      mark[row] = stamp + (mayEnter[i] !== 0 ? MARK_FAR : MARK_BAND);
      if (count < candidates.length) candidates[count++] = row;
    }
    return count;
  }

  /** @hot The squared radius within which at most so many of the found stand, by rings of equal area. */
  private crowdRadiusSquared(found: number, reachSquared: number, most: number): number {
    const { distances, ringCounts } = this;
    const ringsPerSquare = ringCounts.length / reachSquared;
    ringCounts.fill(0);
    for (let i = 0; i < found; i++) {
      ringCounts[Math.min(ringCounts.length - 1, Math.floor(distances[i] * ringsPerSquare))]++;
    }
    let sum = ringCounts[0];
    let ring = 1;
    // The innermost ring is always in view: a crowd on one spot is not nobody.
    while (ring < ringCounts.length && sum + ringCounts[ring] <= most) {
      sum += ringCounts[ring++];
    }
    return ring / ringsPerSquare;
  }

  /** @hot Few enter at a time: an insertion sort, then one merge from the end. */
  private mergeEnters(count: number, enterCount: number): number {
    const { zone } = this.options;
    const { enterRows, nextKey, nextSent, nextRow } = this;
    const key = zone.engine.key;
    for (let i = 1; i < enterCount; i++) {
      const row = enterRows[i];
      const id = key[row] & WIRE_ID_MASK;
      let at = i - 1;
      while (at >= 0 && (key[enterRows[at]] & WIRE_ID_MASK) > id) {
        enterRows[at + 1] = enterRows[at];
        at--;
      }
      enterRows[at + 1] = row;
    }
    const total = count + enterCount;
    let known = count - 1;
    let enter = enterCount - 1;
    for (let target = total - 1; enter >= 0; target--) {
      const id = key[enterRows[enter]] & WIRE_ID_MASK;
      if (known >= 0 && (nextKey[known] & WIRE_ID_MASK) > id) {
        nextKey[target] = nextKey[known];
        nextSent[target] = nextSent[known];
        nextRow[target] = nextRow[known];
        known--;
      } else {
        nextKey[target] = key[enterRows[enter]];
        nextSent[target] = C.SENT_NEVER;
        nextRow[target] = enterRows[enter];
        enter--;
      }
    }
    return total;
  }

  /** @hot What the frame says is from now on what the client has; what did not change it has without a frame. */
  private remember(stateAt: number, knownStart: number, nextCount: number, ack: number): void {
    const { clients } = this.options;
    for (let i = 0; i < nextCount; i++) {
      clients.knownKey[knownStart + i] = this.nextKey[i];
      clients.knownSent[knownStart + i] = this.nextTold[i];
    }
    clients.state[stateAt + C.CLIENT_KNOWN_COUNT] = nextCount;
    clients.state[stateAt + C.CLIENT_FULL_WANTED] = 0;
    clients.state[stateAt + C.CLIENT_ACK_SENT] = ack;
  }
}
