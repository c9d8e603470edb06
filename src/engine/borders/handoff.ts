// Entities, and what follows them, on their way to another zone.
//
// The order of a tick: the record is written into the ring, unpublished; the row is committed as departed, and with it how
// far each ring was claimed; main is told where the client's commands go from now on; the record is published; the row is
// freed. A thread that dies between any two of these leaves a row that names its record, and whole records up to the claim:
// its successor does the rest in the same order before it runs a tick of its own. Records beyond the claim are of a tick that
// was never committed, and are written over.
//
// On the other side, records are given back to the ring only after the tick that took them in is committed, and a mark
// committed with that tick says how many were taken, so a record read twice is applied once.

import {
  COMMAND_RECORD_BYTES,
  FAR_HANDOFF_RING_RECORDS,
  FAR_POSTING_RING_RECORDS,
  HANDOFF_RING_RECORDS,
  LARGE_RINGS_ZONES_MAX,
  POSTING_RING_RECORDS,
} from '../../memory/limits.js';
import * as R from '../../memory/records/thread-records.js';
import { RecordRing } from '../../memory/rings/record-ring.js';
import { COUNTER } from '../../memory/tables/zone-counters.js';
import type { ColumnPlace } from '../../memory/world/world-layout.js';
import { BLOCKS_OFFSET, CLAIM_OF_HANDOFFS } from '../../memory/world/world-layout.js';
import { recordBytesOf } from '../clients/waiting-records.js';
import { DEPART_TO_CELL, ENGINE_COLUMNS, TRAVELLING_ENGINE_COLUMNS, ZONE_COLUMN_NAMES } from '../entities/columns.js';
import type { ZoneJournal } from '../replay/zone-journal.js';
import { tellArrival } from '../zone/player-life.js';
import type { EngineZone } from '../zone/zone.js';
import { CROSSING_MARGIN } from './limits.js';

export function travellingColumns(places: readonly ColumnPlace[]): ColumnPlace[] {
  const engine = new Set<string>(ENGINE_COLUMNS.map(({ name }) => name));
  return places.filter(
    ({ name }) => (!engine.has(name) && !ZONE_COLUMN_NAMES.has(name)) || TRAVELLING_ENGINE_COLUMNS.has(name),
  );
}

/** `commandBytes`: of the record of a command, which may have to follow its client. */
export function handoffRecordBytes(places: readonly ColumnPlace[], commandBytes = COMMAND_RECORD_BYTES): number {
  const rowBytes = travellingColumns(places).reduce((sum, { bytes }) => sum + bytes, 0);
  return Math.ceil((R.HANDOFF_BODY + Math.max(rowBytes, commandBytes, R.HANDOFF_POST_BYTES)) / 8) * 8;
}

/** Fewer records where there are many rings, one for each ordered pair of zones, most of which have no common border. */
export function handoffRingRecords(zoneCount: number, hasMessages: boolean, haveBorder: boolean): number {
  const records = hasMessages ? POSTING_RING_RECORDS : HANDOFF_RING_RECORDS;
  if (zoneCount <= LARGE_RINGS_ZONES_MAX) return records;
  if (haveBorder) return records / 8;
  return hasMessages ? FAR_POSTING_RING_RECORDS : FAR_HANDOFF_RING_RECORDS;
}

export interface HandoffEvents {
  /** Whether main can be told of so many who leave in this tick: one whose move it does not hear of is lost to it. */
  canTell(leaverCount: number): boolean;
  /** The row is about to leave; its client state must be ready to be taken up elsewhere. Called before the commit. */
  onDeparting(row: number, targetZone: number): void;
  /** Committed; main must hear of it before the record is published. */
  onDeparted(client: number, generation: number, targetZone: number): void;
  /** `departedTick` is the last one that it lived through where it comes from. */
  onArrived(row: number, departedTick: number): void;
  /** False, of both: there is no room for what it leads to, and the record waits in its ring. */
  onForwardedCommand(view: DataView, offset: number): boolean;
  /** A record of main's. */
  onStoredPlayer(view: DataView, offset: number): boolean;
}

export class Handoff {
  /** Rows that departed in this tick. */
  private readonly departing: number[] = [];
  /** Clients whose entities departed, and where to. */
  private readonly leavers: { client: number; generation: number; target: number }[] = [];
  private readonly rowBytes: number;
  private readonly columns: readonly ColumnPlace[];
  /** By source zone: records taken in this tick, not yet given back. */
  private readonly taken: Int32Array;
  private readonly outgoing: (RecordRing | undefined)[];
  private readonly incoming: (RecordRing | undefined)[];

  constructor(
    private readonly zone: EngineZone,
    outgoing: (SharedArrayBuffer | undefined)[],
    /** A zone sends itself nothing: in its own place is the ring of main. */
    incoming: (SharedArrayBuffer | undefined)[],
    private readonly events: HandoffEvents,
    private readonly journal?: ZoneJournal,
  ) {
    this.columns = travellingColumns(zone.buffer.layout.columns);
    this.rowBytes = this.columns.reduce((sum, { bytes }) => sum + bytes, 0);
    this.outgoing = outgoing.map((buffer) => buffer && new RecordRing(buffer));
    this.incoming = incoming.map((buffer) => buffer && new RecordRing(buffer));
    this.taken = new Int32Array(incoming.length);
  }

  /**
   * After a restore: publishes what a dead thread had committed and did not come to publish. A departed row whose record
   * was readable already needs nothing but to be free.
   */
  recover(): void {
    const { zone } = this;
    const { departTo, departSequence } = zone.engine;
    for (let row = 0; row < zone.rowLimit; row++) {
      if (departTo[row] === 0 || departTo[row] === DEPART_TO_CELL) {
        continue;
      }
      const target = departTo[row] - 1;
      const ring = this.outgoing[target] as RecordRing;
      if (((ring.written() - departSequence[row]) | 0) <= 0) {
        this.noteLeaver(row, target); // main may not have heard of it
      }
      this.departing.push(row);
    }
    this.tellLeavers();
    for (let target = 0; target < this.outgoing.length; target++) {
      this.outgoing[target]?.publishUpTo(zone.buffer.claims[CLAIM_OF_HANDOFFS + target]);
    }
    this.freeDeparted();
  }

  /** Before the commit: records up to here belong to it. */
  claimRecords(): void {
    const { claims } = this.zone.buffer;
    for (let target = 0; target < this.outgoing.length; target++) {
      const ring = this.outgoing[target];
      if (ring !== undefined) claims[CLAIM_OF_HANDOFFS + target] = ring.claimedCount();
    }
  }

  /** Takes in what other zones have sent. A full zone leaves the rest where it is, and the sender's ring fills. */
  arrive(): void {
    const { marks } = this.zone.buffer.blocks[0];
    for (let source = 0; source < this.incoming.length; source++) {
      const ring = this.incoming[source];
      if (ring === undefined) {
        continue;
      }
      const readable = ring.readable();
      let taken = 0;
      while (taken < readable && this.takeRecord(ring, ring.offsetOf(taken), source, taken)) {
        taken++;
      }
      this.taken[source] = taken;
      if (taken > 0) {
        marks[source] = (ring.consumed() + taken) | 0;
        this.journal?.taken(source, marks[source]);
      }
    }
  }

  /** Marks rows that are beyond the border as departed and writes their records, unpublished. */
  depart(): void {
    const { zone } = this;
    if (zone.zoneCount === 1) {
      return;
    }
    const { area, positionX, positionY, alive } = zone;
    const minX = area.x - CROSSING_MARGIN;
    const maxX = area.x + area.width + CROSSING_MARGIN;
    const minY = area.y - CROSSING_MARGIN;
    const maxY = area.y + area.height + CROSSING_MARGIN;
    for (let row = 0; row < zone.rowLimit; row++) {
      const x = positionX[row];
      const y = positionY[row];
      if (alive[row] !== 0 && (x < minX || x > maxX || y < minY || y > maxY)) {
        this.departRow(row);
      }
    }
  }

  /** After the commit: main is told, records are published, departed rows are freed, taken records are given back. */
  settle(): void {
    this.tellLeavers();
    for (let target = 0; target < this.outgoing.length; target++) {
      this.outgoing[target]?.publish();
    }
    this.freeDeparted();
    for (let source = 0; source < this.incoming.length; source++) {
      if (this.taken[source] > 0) {
        this.incoming[source]?.release(this.taken[source]);
        this.taken[source] = 0;
      }
    }
  }

  private tellLeavers(): void {
    for (let i = 0; i < this.leavers.length; i++) {
      const { client, generation, target } = this.leavers[i];
      this.events.onDeparted(client, generation, target);
    }
    this.leavers.length = 0;
  }

  /** Their records hold them. */
  private freeDeparted(): void {
    for (let i = 0; i < this.departing.length; i++) {
      this.zone.forgetDeparted(this.departing[i]);
    }
    this.departing.length = 0;
  }

  /** A command for a client whose entity has gone to another zone follows it. False: no room. */
  forwardCommand(view: DataView, offset: number, targetZone: number): boolean {
    const ring = this.outgoing[targetZone];
    const target = ring === undefined ? -1 : ring.claim();
    if (ring === undefined || target < 0) {
      return false;
    }
    this.writeHead(ring, target, R.HANDOFF_COMMAND);
    for (let i = 0; i < recordBytesOf(view, offset); i += 4) {
      ring.view.setInt32(target + R.HANDOFF_BODY + i, view.getInt32(offset + i, true), true);
    }
    return true;
  }

  /** The first word of the body of a new record; -1: no room. */
  claim(target: number, kind: number): number {
    const ring = this.outgoing[target];
    const offset = ring === undefined ? -1 : ring.claim();
    if (ring === undefined || offset < 0) return -1;
    this.writeHead(ring, offset, kind);
    return (offset + R.HANDOFF_BODY) / 4;
  }

  wordsOf(target: number): Int32Array {
    return (this.outgoing[target] as RecordRing).i32;
  }

  /** Sends ids home whose entities died here. What finds no room waits. */
  returnIds(): void {
    const { zone } = this;
    while (zone.idsToReturn.length > 0) {
      const wireId = zone.idsToReturn[zone.idsToReturn.length - 1];
      const home = Math.floor(wireId / zone.rowCapacity);
      const ring = this.outgoing[home];
      const target = ring === undefined ? -1 : ring.claim();
      if (ring === undefined || target < 0) {
        return;
      }
      this.writeHead(ring, target, R.HANDOFF_ID);
      ring.view.setUint32(target + R.HANDOFF_BODY, wireId - home * zone.rowCapacity, true);
      zone.idsToReturn.pop();
    }
  }

  private departRow(row: number): void {
    const target = this.targetOf(this.zone.positionX[row], this.zone.positionY[row]);
    if (target === this.zone.id) {
      return; // beyond the edge of the world: there is nobody to give it to
    }
    const isTold = this.zone.owner[row] === 0 || this.events.canTell(this.leavers.length + 1);
    this.zone.timers?.freeze(row);
    if (!isTold || !this.writeEntity(row, target)) {
      this.zone.timers?.thaw(row);
      this.zone.counters[COUNTER.handoffFull]++;
      return; // stays here, and tries again next tick
    }
    this.events.onDeparting(row, target);
    const sequence = ((this.outgoing[target] as RecordRing).claimedCount() - 1) | 0;
    this.zone.depart(row, target, sequence);
    this.journal?.depart(row, target, sequence);
    this.noteLeaver(row, target);
    this.departing.push(row);
    this.zone.counters[COUNTER.entitiesDeparted]++;
  }

  private noteLeaver(row: number, target: number): void {
    const client = this.zone.owner[row] - 1;
    if (client >= 0) {
      this.leavers.push({ client, generation: this.zone.engine.ownerGeneration[row], target });
    }
  }

  private targetOf(x: number, y: number): number {
    const { zone } = this;
    const columns = Math.round(zone.world.width / zone.area.width);
    const rows = Math.round(zone.world.height / zone.area.height);
    const column = Math.min(columns - 1, Math.max(0, Math.floor(x / zone.area.width)));
    const row = Math.min(rows - 1, Math.max(0, Math.floor(y / zone.area.height)));
    return row * columns + column;
  }

  private writeEntity(row: number, target: number): boolean {
    const ring = this.outgoing[target];
    const offset = ring === undefined ? -1 : ring.claim();
    if (ring === undefined || offset < 0) {
      return false;
    }
    this.writeHead(ring, offset, R.HANDOFF_ENTITY);
    copyRow(this.zone.buffer.bytes, ring.bytes, this.columns, row, offset + R.HANDOFF_BODY, true);
    return true;
  }

  private writeHead(ring: RecordRing, offset: number, kind: number): void {
    ring.view.setInt32(offset + R.HANDOFF_KIND, kind, true);
    ring.view.setInt32(offset + R.HANDOFF_TICK, this.zone.tick, true);
  }

  private takeRecord(ring: RecordRing, offset: number, source: number, recordIndex: number): boolean {
    const { zone } = this;
    const applied = zone.buffer.blocks[0].marks[source];
    if (((ring.consumed() + recordIndex - applied) | 0) < 0) {
      return true; // committed by a thread that died before giving it back
    }
    if (((ring.view.getInt32(offset + R.HANDOFF_TICK, true) - zone.tick) | 0) >= 0) {
      return false; // it has already lived through this tick where it comes from
    }
    const kind = ring.view.getInt32(offset + R.HANDOFF_KIND, true);
    if (kind === R.HANDOFF_COMMAND) {
      return this.events.onForwardedCommand(ring.view, offset + R.HANDOFF_BODY);
    } else if (kind === R.HANDOFF_PLAYER) {
      return this.events.onStoredPlayer(ring.view, offset);
    } else if (kind === R.HANDOFF_POST) {
      this.journal?.post(source, ring.bytes, offset + R.HANDOFF_BODY);
      zone.posts?.take(source, ring.i32, (offset + R.HANDOFF_BODY) / 4);
    } else if (kind === R.HANDOFF_ANSWERS) {
      this.journal?.answers(source, ring.bytes, offset + R.HANDOFF_BODY);
      zone.posts?.takeAnswers(source, ring.i32, (offset + R.HANDOFF_BODY) / 4);
    } else if (kind === R.HANDOFF_MOVED) {
      const key = ring.view.getUint32(offset + R.HANDOFF_BODY, true);
      const tick = ring.view.getInt32(offset + R.HANDOFF_BODY + 4, true);
      this.journal?.moved(key, source, tick);
      zone.posts?.takeMoved(key, source, tick);
    } else if (kind === R.HANDOFF_ID) {
      const localId = ring.view.getUint32(offset + R.HANDOFF_BODY, true);
      this.journal?.idBack(localId);
      zone.takeIdBack(localId);
    } else {
      return this.takeEntity(ring, offset);
    }
    return true;
  }

  private takeEntity(ring: RecordRing, offset: number): boolean {
    const { zone } = this;
    const key = keyOfPacked(this.columns, ring.bytes, offset + R.HANDOFF_BODY);
    const row = zone.adopt(key, kindOfPacked(this.columns, ring.bytes, offset + R.HANDOFF_BODY));
    if (row < 0) {
      zone.counters[COUNTER.handoffFull]++;
      return false;
    }
    copyRow(zone.buffer.bytes, ring.bytes, this.columns, row, offset + R.HANDOFF_BODY, false);
    zone.timers?.thaw(row);
    zone.posts?.arrived(key);
    this.journal?.arrive(ring.bytes, offset + R.HANDOFF_BODY, this.rowBytes);
    zone.counters[COUNTER.entitiesArrived]++;
    this.events.onArrived(row, ring.view.getInt32(offset + R.HANDOFF_TICK, true));
    // A player whose client has left meanwhile is gone already, and what the game left behind may have its row.
    if (zone.game.onArrive !== undefined && zone.alive[row] !== 0 && zone.engine.key[row] === key) {
      this.journal?.here(row);
      tellArrival(zone, row);
    }
    return true;
  }
}

/** The key in a packed row. */
export function keyOfPacked(columns: readonly ColumnSize[], record: Uint8Array, offset: number): number {
  return readUint32(record, offset + placeOf('key', columns));
}

export function kindOfPacked(columns: readonly ColumnSize[], record: Uint8Array, offset: number): number {
  return record[offset + placeOf('kind', columns)];
}

type ColumnSize = Pick<ColumnPlace, 'name' | 'bytes'>;

function placeOf(wanted: string, columns: readonly ColumnSize[]): number {
  let at = 0;
  for (const { name, bytes } of columns) {
    if (name === wanted) return at;
    at += bytes;
  }
  throw new Error(`assertion failed: a packed row has a ${wanted}`);
}

/** Little endian, as every typed array on the machines that Node runs on. */
function readUint32(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

/** Packs a live row into a record (out) or back. */
export function copyRow(
  world: Uint8Array,
  record: Uint8Array,
  columns: readonly ColumnPlace[],
  row: number,
  recordOffset: number,
  out: boolean,
): void {
  let at = recordOffset;
  for (let i = 0; i < columns.length; i++) {
    const { bytes, offset } = columns[i];
    const cell = BLOCKS_OFFSET + offset + row * bytes;
    for (let byte = 0; byte < bytes; byte++, at++) {
      if (out) {
        record[at] = world[cell + byte];
      } else {
        world[cell + byte] = record[at];
      }
    }
  }
}
