// The records of one client's frame: what has changed of each entity in view, within the client's byte budget.

import * as R from '../../memory/records/thread-records.js';
import type { ByteRing } from '../../memory/rings/byte-ring.js';
import * as C from '../../memory/tables/client-table.js';
import type { Limits } from '../../memory/tables/live-limits.js';
import { COUNTER } from '../../memory/tables/zone-counters.js';
import { KNOWN_ENTITIES_MAX } from '../../protocol/limits.js';
import { WIRE_ID_MASK } from '../entities/entity-key.js';
import type { EngineZone } from '../zone/zone.js';
import type { ChangeTicks } from './change-ticks.js';
import type { FrameBuilder } from './frame-builder.js';
import { BUDGET_OVERRUN_BYTES, FRAME_BYTES_MAX } from './limits.js';
import { pickByPriority } from './priority.js';
import { RichChangeTicks } from './rich-change-ticks.js';
import { createFrameBuilder, RichFrameBuilder } from './rich-frame-builder.js';
import { ANEW, MATE, type TeamView } from './team-view.js';

/** Estimated bytes of a record before it is written. Too high wastes budget; room is checked by itself. */
const UPDATE_BYTES = 6;

export interface EntityWriterOptions {
  zone: EngineZone;
  changes: ChangeTicks;
  clients: C.ClientTable;
  frames: ByteRing;
  limits: Pick<Limits, 'bytesPerSecond'>;
}

/** What a client is to have in view, sorted by wire id. */
export interface ViewList {
  readonly nextKey: Uint32Array;
  /** Up to when the client was told, and up to when it is told by this frame. */
  readonly nextSent: Int32Array;
  readonly nextTold: Int32Array;
  /** Of what is far the complement of the row. */
  readonly nextRow: Int32Array;
}

/** What there is more where a game has fields that only owners get, or teams. */
interface Owned {
  changes: RichChangeTicks;
  builder: RichFrameBuilder;
}

export class EntityWriter {
  readonly builder: FrameBuilder;
  private readonly nextKey: Uint32Array;
  private readonly nextSent: Int32Array;
  private readonly nextTold: Int32Array;
  private readonly nextRow: Int32Array;
  private readonly owned: Owned | undefined;
  private readonly teamed: (Owned & { view: TeamView }) | undefined;
  private readonly recordBytesMax: number;
  private readonly isPicked = new Uint8Array(KNOWN_ENTITIES_MAX);
  private readonly priorities = new Float64Array(KNOWN_ENTITIES_MAX);
  private readonly costs = new Uint16Array(KNOWN_ENTITIES_MAX);
  private farTicks = 0;
  /** A record that begins behind this may not fit. */
  private recordLimit = 0;
  /** What judge() found of the entity that it was asked about last. */
  private isDue = false;
  private isMate = false;

  constructor(
    private readonly options: EntityWriterOptions,
    { nextKey, nextSent, nextTold, nextRow }: ViewList,
    private readonly rowOfClient: Int32Array,
    /** Where the game has fields that teams get. */
    teams: TeamView | undefined,
  ) {
    const { changes, zone, frames } = options;
    this.nextKey = nextKey;
    this.nextSent = nextSent;
    this.nextTold = nextTold;
    this.nextRow = nextRow;
    const builder = createFrameBuilder(changes, zone.kind);
    builder.attach(frames.bytes, frames.view);
    this.builder = builder;
    this.recordBytesMax = builder.recordBytesMax;
    const isRich = changes instanceof RichChangeTicks && builder instanceof RichFrameBuilder;
    const hasOwn = isRich && changes.hasOwnParts;
    this.owned = hasOwn ? { changes, builder } : undefined;
    this.teamed = hasOwn && teams !== undefined ? { changes, builder, view: teams } : undefined;
  }

  /** @hot Writes what changed, and sets nextTold to what the client then has. Returns how many entities it is told of. */
  write(client: number, nextCount: number, body: number): number {
    const { zone, clients, limits } = this.options;
    const updateHz = clients.state[client * C.CLIENT_STATE_WORDS + C.CLIENT_UPDATE_HZ];
    const budget = Math.min(FRAME_BYTES_MAX - R.FRAME_BODY, Math.floor(limits.bytesPerSecond / updateHz));
    this.farTicks = 1.5 * (zone.tickHz / updateHz);
    // A game's largest record may be many times the usual one: the budget is kept but for one record.
    const soft = budget - Math.min(this.recordBytesMax, BUDGET_OVERRUN_BYTES);
    this.recordLimit = body + Math.min(soft, FRAME_BYTES_MAX - R.FRAME_BODY - this.recordBytesMax);
    const own = this.owned === undefined ? -1 : this.findOwn(client, nextCount);
    this.teamed?.view.look(client, this.rowOfClient[client], zone.tick);
    const told = own < 0 ? this.writeAll(0, nextCount) : this.writeAround(own, nextCount, body);
    if (told >= 0) {
      return told;
    }
    zone.counters[COUNTER.framesOverBudget]++;
    return this.writeByPriority(client, nextCount, own, body, budget);
  }

  /** @hot Returns how many entities of a part of next* the client is told of; -1: they do not fit. */
  private writeAll(start: number, limit: number): number {
    return this.teamed === undefined ? this.writeRun(start, limit) : this.writeTeams(start, limit);
  }

  /** @hot */
  private writeRun(start: number, limit: number): number {
    const { zone, changes } = this.options;
    const { nextSent, nextTold, nextRow, nextKey, builder, farTicks, recordLimit } = this;
    const tick = zone.tick;
    let toldCount = 0;
    for (let i = start; i < limit; i++) {
      const isFar = nextRow[i] < 0;
      const row = isFar ? ~nextRow[i] : nextRow[i];
      const sent = nextSent[i];
      changes.touch(row);
      if (changes.changedTick[row] <= sent) {
        nextTold[i] = tick; // it has what there is, up to now
        continue;
      }
      if (isFar && sent >= 0 && tick - sent < farTicks) {
        nextTold[i] = sent;
        continue;
      }
      if (builder.at > recordLimit) {
        return -1;
      }
      builder.writeEntity(row, nextKey[i] & WIRE_ID_MASK, sent, tick);
      nextTold[i] = tick;
      toldCount++;
    }
    return toldCount;
  }

  /** @hot The same where some of them are told to a team mate. */
  private writeTeams(start: number, limit: number): number {
    const { tick } = this.options.zone;
    const { nextSent, nextTold, nextRow, builder, farTicks, recordLimit } = this;
    let toldCount = 0;
    for (let i = start; i < limit; i++) {
      const isFar = nextRow[i] < 0;
      const sent = this.judge(i);
      if (!this.isDue) {
        nextTold[i] = tick;
        continue;
      }
      if (isFar && sent >= 0 && tick - sent < farTicks) {
        nextTold[i] = nextSent[i];
        continue;
      }
      if (builder.at > recordLimit) {
        return -1;
      }
      this.writeJudged(i, sent);
      toldCount++;
    }
    return toldCount;
  }

  /**
   * @hot Looks at an entity for the client whose frame is written: sets isDue and isMate, and returns since when it is to be
   * told of it, which is never when what it gets is not what it got.
   */
  private judge(i: number): number {
    const { changes, zone } = this.options;
    const row = this.nextRow[i] < 0 ? ~this.nextRow[i] : this.nextRow[i];
    const sent = this.nextSent[i];
    changes.touch(row);
    this.isMate = false;
    this.isDue = changes.changedTick[row] > sent;
    if (this.teamed === undefined) return sent;
    const standing = this.teamed.view.standing(row, sent, zone.tick);
    if ((standing & MATE) !== 0) {
      this.teamed.changes.touchTeam(row, zone.tick);
      this.isMate = true;
      this.isDue ||= this.teamed.changes.teamTick[row] > sent;
    }
    if ((standing & ANEW) === 0) return sent;
    this.isDue = true;
    return C.SENT_DOUBTED;
  }

  /** @hot */
  private writeJudged(i: number, sent: number): void {
    const { builder, teamed, nextKey, nextRow } = this;
    const { tick } = this.options.zone;
    const row = nextRow[i] < 0 ? ~nextRow[i] : nextRow[i];
    const wireId = nextKey[i] & WIRE_ID_MASK;
    if (this.isMate && teamed !== undefined) teamed.builder.writeMate(row, wireId, sent, tick);
    else builder.writeEntity(row, wireId, sent, tick);
    this.nextTold[i] = tick;
  }

  /** @hot The same where one of them is the client's own entity, of which it is told more. */
  private writeAround(own: number, nextCount: number, body: number): number {
    const before = this.writeAll(0, own);
    if (before < 0) {
      return -1;
    }
    let told = 0;
    if (this.isOwnDue(own)) {
      if (this.builder.at > body + FRAME_BYTES_MAX - R.FRAME_BODY - this.builder.ownRecordBytesMax) {
        return -1;
      }
      told = this.writeOwn(own);
    }
    const behind = this.writeAll(own + 1, nextCount);
    return behind < 0 ? -1 : before + told + behind;
  }

  /** @hot Where in next* the client's own entity is; -1: it is not there. */
  private findOwn(client: number, nextCount: number): number {
    const ownRow = this.rowOfClient[client];
    if (ownRow < 0) {
      return -1;
    }
    for (let i = 0; i < nextCount; i++) {
      if (this.nextRow[i] === ownRow) {
        return i;
      }
    }
    return -1;
  }

  /** @hot Whether anything has changed of what the owner is told; if not, it has what there is. */
  private isOwnDue(own: number): boolean {
    const { changes } = this.owned as Owned;
    const row = this.nextRow[own];
    const sent = this.nextSent[own];
    changes.touch(row);
    changes.touchOwner(row, this.options.zone.tick);
    if (changes.changedTick[row] > sent || changes.isOwnDue(row, sent)) {
      return true;
    }
    this.nextTold[own] = this.options.zone.tick;
    return false;
  }

  /** @hot Returns how many records it has written: one. */
  private writeOwn(own: number): number {
    const { builder } = this.owned as Owned;
    const { tick } = this.options.zone;
    builder.writeOwn(this.nextRow[own], this.nextKey[own] & WIRE_ID_MASK, this.nextSent[own], tick);
    this.nextTold[own] = tick;
    return 1;
  }

  /**
   * @hot What is due does not fit: the frame is written again with what matters most. What waits grows older, which is
   * what its priority is made of; the client's own entity always goes. `own`: where in next* it is told more of, or -1.
   */
  private writeByPriority(client: number, nextCount: number, own: number, body: number, budget: number): number {
    const { zone } = this.options;
    const { nextTold, nextSent, nextRow, builder, priorities, costs, isPicked } = this;
    const tick = zone.tick;
    const ownRow = this.rowOfClient[client];
    const enterBytes = Math.min(this.recordBytesMax, BUDGET_OVERRUN_BYTES);
    builder.restart();
    for (let i = 0; i < nextCount; i++) {
      const isFar = nextRow[i] < 0;
      const row = isFar ? ~nextRow[i] : nextRow[i];
      const sent = this.judge(i);
      costs[i] = sent < 0 ? enterBytes : UPDATE_BYTES;
      if (!this.isDue) {
        nextTold[i] = tick;
        priorities[i] = 0;
        continue;
      }
      nextTold[i] = nextSent[i];
      const age = sent < 0 ? zone.tickHz : tick - sent;
      priorities[i] = row === ownRow ? Number.POSITIVE_INFINITY : isFar ? age : age * 2;
    }
    let frameLimit = body + FRAME_BYTES_MAX - R.FRAME_BODY;
    const isOwnDue = own >= 0 && this.isOwnDue(own);
    if (isOwnDue) {
      nextTold[own] = nextSent[own];
      priorities[own] = Number.POSITIVE_INFINITY;
      costs[own] = builder.ownRecordBytesMax;
      frameLimit -= builder.ownRecordBytesMax;
    }
    pickByPriority(priorities, costs, isPicked, nextCount, body + budget - builder.at);
    if (!isOwnDue) {
      return this.writePicked(0, nextCount, frameLimit);
    }
    const before = this.writePicked(0, own, frameLimit);
    return before + this.writeOwn(own) + this.writePicked(own + 1, nextCount, frameLimit);
  }

  /** @hot */
  private writePicked(start: number, limit: number, frameLimit: number): number {
    const { builder, isPicked } = this;
    const roomLimit = frameLimit - this.recordBytesMax;
    let toldCount = 0;
    for (let i = start; i < limit; i++) {
      if (isPicked[i] !== 0 && builder.at <= roomLimit) {
        this.writeJudged(i, this.judge(i));
        toldCount++;
      }
    }
    return toldCount;
  }
}
