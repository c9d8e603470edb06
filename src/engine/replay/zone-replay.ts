// Runs a zone's ticks again from its journal, without a thread, a client or a clock. What comes out is what was committed
// then: the same rows, the same ids, the same chance, the same events.

import type { CommandDefinition, GameDefinition } from '../../game/definition.js';
import { cellsOfWorld } from '../../memory/cells/cell-grid.js';
import type { CellPlan } from '../../memory/cells/cell-plan.js';
import { CellTable } from '../../memory/cells/cell-table.js';
import * as J from '../../memory/records/journal-records.js';
import * as R from '../../memory/records/thread-records.js';
import { ByteRing } from '../../memory/rings/byte-ring.js';
import { RecordRing } from '../../memory/rings/record-ring.js';
import { COUNTER_COUNT } from '../../memory/tables/zone-counters.js';
import { LIVE_BLOCK } from '../../memory/world/world-buffer.js';
import type { ColumnPlace } from '../../memory/world/world-layout.js';
import { BLOCKS_OFFSET, SCALAR_JOURNALED, SCALAR_MIRROR_LIMIT } from '../../memory/world/world-layout.js';
import { GAME_KIND_MIN } from '../../protocol/limits.js';
import { copyRow, keyOfPacked, kindOfPacked, travellingColumns } from '../borders/handoff.js';
import { ZoneCells } from '../cells/zone-cells.js';
import { spawnArrival } from '../clients/arrival.js';
import { DEPART_TO_CELL, mirroredColumns } from '../entities/columns.js';
import { wireIdOfKey } from '../entities/entity-key.js';
import type { WorldPlan } from '../plan/world-plan.js';
import { LazyIndex } from '../space/lazy-index.js';
import { runSystem, spawnPlayer } from '../zone/game-fault.js';
import { removePlayer, tellArrival, tellJoined, tellRestored } from '../zone/player-life.js';
import type { EngineZone } from '../zone/zone.js';
import { createZoneParts, populateZone, type ZoneParts } from '../zone/zone-parts.js';
import { ReplayRoads } from './replay-roads.js';

/** An entity that left the zone: who takes it in is another zone's journal. */
export interface Departure {
  source: number;
  target: number;
  sequence: number;
  tick: number;
  row: Uint8Array;
}

export interface ReplayEvents {
  /** A record of the event ring, to be read at once. */
  onEvent?: (view: DataView, offset: number) => void;
  /** Also of what the zone had just sent off when its snapshot was taken. */
  onDeparture?: (departure: Departure) => void;
  onArrival?: (key: number, tick: number) => void;
}

export class ZoneReplay {
  readonly zone: EngineZone;
  private readonly parts: ZoneParts;
  private readonly roads: ReplayRoads;
  private readonly mail = new Int32Array(R.HANDOFF_POST_BYTES / 4);
  private readonly index = new LazyIndex();
  private readonly events: RecordRing;
  private readonly commands: (CommandDefinition | undefined)[] = [];
  private readonly travelling: readonly ColumnPlace[];
  private readonly mirrorColumns: readonly ColumnPlace[];
  private readonly rowBytes: number;
  private readonly cells: ZoneCells | undefined;
  /** Rows that departed in the last tick: they are free from the next one on. */
  private departed: number[] = [];
  private bytes: Buffer = Buffer.alloc(0);
  private view: DataView = new DataView(new ArrayBuffer(0));
  private at = 0;

  /** Goes on from what is committed in the plan's world buffer; where that is nothing, from the beginning. */
  constructor(
    plan: WorldPlan,
    zoneId: number,
    game: GameDefinition,
    private readonly listener: ReplayEvents = {},
  ) {
    this.events = new RecordRing(plan.events[zoneId]);
    const counters = new Float64Array(COUNTER_COUNT);
    const parts = createZoneParts(plan, zoneId, game, this.events, counters, (tree) => this.index.over(tree));
    this.zone = parts.zone;
    this.parts = parts;
    this.roads = new ReplayRoads(plan.worlds.length);
    for (const command of game.commands) {
      this.commands[command.kind - GAME_KIND_MIN] = command as CommandDefinition;
    }
    const { zone } = this;
    this.travelling = travellingColumns(zone.buffer.layout.columns);
    this.rowBytes = this.travelling.reduce((sum, { bytes }) => sum + bytes, 0);
    this.mirrorColumns = mirroredColumns(zone.buffer.layout, zone.game.fields);
    zone.onKeyTaken = (key) => this.releaseMirror(key);
    const { departTo, departSequence } = zone.engine;
    for (let row = 0; row < zone.rowLimit; row++) {
      if (departTo[row] === 0 || departTo[row] === DEPART_TO_CELL) continue;
      this.tellDeparture(row, departTo[row] - 1, departSequence[row]);
      zone.forgetDeparted(row);
    }
    this.cells = plan.cells && openReplayCells(plan, plan.cells, zone);
    for (let row = zone.ownCapacity; row < zone.scalars[SCALAR_MIRROR_LIMIT]; row++) {
      const wireId = wireIdOfKey(zone.engine.key[row]);
      if (zone.alive[row] === 0) continue;
      if (zone.rowOfId[wireId] === 0) zone.rowOfId[wireId] = row + 1;
      else this.dropMirror(row); // as in play: the own row of the same id stands
    }
    populateZone(plan, parts);
    this.index.note(zone);
  }

  /** One tick, up to where it was committed. Throws when the record is not one that this game can have written. */
  runTick(record: Buffer): void {
    const { zone, events } = this;
    this.settle();
    this.bytes = record;
    this.view = new DataView(record.buffer, record.byteOffset, record.byteLength);
    zone.tick = this.view.getInt32(J.JOURNAL_TICK, true);
    this.at = J.JOURNAL_BODY;
    this.roads.begin();
    while (this.at < record.length) this.takeEntry();
    this.parts.posts?.route(this.roads);
    zone.idsToReturn.length = 0; // those who get them have it in their own journals
    this.index.note(zone);
    zone.scalars[SCALAR_JOURNALED] = this.view.getInt32(J.JOURNAL_SERIAL, true);
    zone.publishEvents();
    const count = events.readable();
    for (let i = 0; i < count; i++) this.listener.onEvent?.(events.view, events.offsetOf(i));
    events.release(count);
  }

  /** Rows that have departed are free: a tick does that after its commit. */
  settle(): void {
    for (const row of this.departed) this.zone.forgetDeparted(row);
    this.departed = [];
  }

  /** Puts in an entity that left another zone and was not taken in before the journals end. */
  deliver(row: Uint8Array): boolean {
    const isThere = this.arrive(row, 0);
    const { rowOfId } = this.zone;
    if (isThere) tellArrival(this.zone, rowOfId[wireIdOfKey(keyOfPacked(this.travelling, row, 0))] - 1);
    return isThere;
  }

  private takeEntry(): void {
    const { zone } = this;
    const entry = this.bytes[this.at++];
    switch (entry) {
      case J.ENTRY_COMMAND:
        this.takeCommand();
        break;
      case J.ENTRY_JOIN:
        this.takeJoin();
        break;
      case J.ENTRY_GRANT:
        this.takeGrant();
        break;
      case J.ENTRY_STORED:
        this.takeStored();
        break;
      case J.ENTRY_CAME:
        this.takeCame();
        break;
      case J.ENTRY_GONE: {
        const row = this.takeUint32();
        removePlayer(zone, row, this.bytes[this.at++]);
        break;
      }
      case J.ENTRY_HERE:
        tellArrival(zone, this.takeUint32());
        break;
      case J.ENTRY_GOES_ON:
        tellRestored(zone);
        break;
      case J.ENTRY_ARRIVE:
        if (!this.arrive(this.bytes, this.at)) throw new Error('an entity arrives where there is no room');
        this.listener.onArrival?.(keyOfPacked(this.travelling, this.bytes, this.at), zone.tick);
        this.at += this.rowBytes;
        break;
      case J.ENTRY_ID_BACK:
        zone.takeIdBack(this.takeUint32());
        break;
      case J.ENTRY_TAKEN: {
        const source = this.bytes[this.at++];
        zone.buffer.blocks[LIVE_BLOCK].marks[source] = this.takeUint32() | 0;
        break;
      }
      case J.ENTRY_SYSTEMS:
        this.parts.posts?.deliver();
        zone.timers?.run(zone);
        for (const system of zone.game.systems) runSystem(zone, system);
        break;
      case J.ENTRY_POST:
        zone.posts?.take(this.bytes[this.at++], this.takeMail(), 0);
        break;
      case J.ENTRY_ANSWERS:
        zone.posts?.takeAnswers(this.bytes[this.at++], this.takeMail(), 0);
        break;
      case J.ENTRY_MOVED:
        zone.posts?.takeMoved(this.takeUint32(), this.bytes[this.at++], this.takeUint32() | 0);
        break;
      case J.ENTRY_ROAD_FULL:
        this.roads.limit(this.bytes[this.at++], this.view.getUint16(this.passBy(2), true));
        break;
      case J.ENTRY_DEPART:
        this.takeDeparture();
        break;
      case J.ENTRY_MIRROR:
        this.takeMirror();
        break;
      case J.ENTRY_MIRROR_GONE:
        this.dropMirror(this.takeUint32());
        break;
      default:
        if (this.cells !== undefined && this.takeCellEntry(this.cells, entry)) return;
        throw new Error(`the journal has an entry of kind ${entry}, which this server does not know`);
    }
  }

  /** The body of a post or of answers, whose words do not begin at multiples of four here. */
  private takeMail(): Int32Array {
    const start = this.passBy(R.HANDOFF_POST_BYTES);
    new Uint8Array(this.mail.buffer).set(this.bytes.subarray(start, this.at));
    return this.mail;
  }

  /** Where the next bytes of the record begin. */
  private passBy(count: number): number {
    this.at += count;
    return this.at - count;
  }

  private takeCellEntry(cells: ZoneCells, entry: number): boolean {
    if (entry === J.ENTRY_CELL_SWEEP) {
      cells.sweep();
      return true;
    }
    const cell = this.takeUint32();
    if (entry === J.ENTRY_CELL_ROW) {
      if (!cells.takeRow(cell, this.bytes, this.at)) throw new Error('a row of a cell arrives where there is no room');
      this.at += cells.plan.rowBytes;
    } else if (entry === J.ENTRY_CELL_STORED) {
      cells.finishEvict([cell], [this.view.getFloat64(this.at, true)]);
      this.at += 8;
    } else if (entry === J.ENTRY_CELL_LOAD) cells.startLoad(cell);
    else if (entry === J.ENTRY_CELL_NOT) cells.cancelLoad(cell);
    else if (entry === J.ENTRY_CELL_LIVE) cells.finishLoad(cell);
    else if (entry === J.ENTRY_CELL_ANEW) cells.beginAnew(cell);
    else if (entry === J.ENTRY_CELL_LEAVE) cells.beginEvict([cell]);
    else if (entry === J.ENTRY_CELL_STAY) cells.cancelEvict([cell]);
    else return false;
    return true;
  }

  private takeCommand(): void {
    const row = this.takeUint32();
    const kind = this.view.getUint16(this.at, true);
    const bytes = this.bytes[this.at + 2];
    const command = this.commands[kind - GAME_KIND_MIN];
    if (command === undefined)
      throw new Error(`the journal has a command of kind ${kind}, which the game does not know`);
    command.apply(this.zone, row, this.view, this.at + 3);
    this.at += 3 + bytes;
  }

  private takeJoin(): void {
    const { zone } = this;
    const client = this.takeUint32();
    const generation = this.takeUint32();
    const x = this.view.getFloat32(this.at, true);
    const y = this.view.getFloat32(this.at + 4, true);
    this.at += 8;
    this.own(spawnPlayer(zone, x, y), client, generation);
  }

  private takeStored(): void {
    const start = this.at + 2;
    this.at = start + this.view.getUint16(this.at, true);
    const client = this.view.getInt32(start + R.ARRIVAL_CLIENT, true);
    this.own(spawnArrival(this.zone, this.view, start), client, this.view.getInt32(start + R.ARRIVAL_GENERATION, true));
  }

  private takeCame(): void {
    const row = this.takeUint32();
    const reason = this.bytes[this.at++];
    tellJoined(this.zone, row, reason, {
      playerId: this.takeText(),
      name: this.takeText(),
      claims: this.takeText(),
    });
  }

  private takeText(): string {
    const start = this.at + 2;
    this.at = start + this.view.getUint16(this.at, true);
    return this.bytes.toString('utf8', start, this.at);
  }

  private own(row: number, client: number, generation: number): void {
    const { zone } = this;
    if (row < 0) return;
    zone.owner[row] = client + 1;
    zone.engine.ownerGeneration[row] = generation;
  }

  private takeGrant(): void {
    const { zone } = this;
    const row = this.takeUint32();
    const index = this.takeUint32();
    const amount = this.view.getFloat64(this.at, true);
    this.at += 8;
    const grant = zone.game.grants?.[index];
    if (grant === undefined) throw new Error(`the journal has grant ${index}, which the game does not know`);
    grant.apply(zone, row, amount);
  }

  private arrive(packed: Uint8Array, offset: number): boolean {
    const { zone, travelling } = this;
    const row = zone.adopt(keyOfPacked(travelling, packed, offset), kindOfPacked(travelling, packed, offset));
    if (row < 0) return false;
    copyRow(zone.buffer.bytes, packed, travelling, row, offset, false);
    zone.timers?.thaw(row);
    zone.posts?.arrived(keyOfPacked(travelling, packed, offset));
    return true;
  }

  private takeDeparture(): void {
    const { zone } = this;
    const row = this.takeUint32();
    const target = this.bytes[this.at++];
    const sequence = this.takeUint32() | 0;
    zone.timers?.freeze(row);
    this.tellDeparture(row, target, sequence);
    zone.depart(row, target, sequence);
    this.departed.push(row);
  }

  private tellDeparture(row: number, target: number, sequence: number): void {
    const { zone, listener, travelling, rowBytes } = this;
    if (listener.onDeparture === undefined) return;
    const packed = new Uint8Array(rowBytes);
    copyRow(zone.buffer.bytes, packed, travelling, row, 0, true);
    listener.onDeparture({ source: zone.id, target, sequence, tick: zone.tick, row: packed });
  }

  private takeMirror(): void {
    const { zone, mirrorColumns: columns } = this;
    const row = this.takeUint32();
    const bits = this.at;
    this.at += Math.ceil(columns.length / 8);
    this.forgetMirrorId(row);
    const world = zone.buffer.bytes;
    for (let index = 0; index < columns.length; index++) {
      if ((this.bytes[bits + (index >> 3)] & (1 << (index & 7))) === 0) continue;
      const { offset, bytes } = columns[index];
      const cell = BLOCKS_OFFSET + offset + row * bytes;
      for (let byte = 0; byte < bytes; byte++) world[cell + byte] = this.bytes[this.at++];
    }
    zone.alive[row] = 1;
    zone.rowOfId[wireIdOfKey(zone.engine.key[row])] = row + 1;
    const { scalars } = zone;
    scalars[SCALAR_MIRROR_LIMIT] = Math.max(scalars[SCALAR_MIRROR_LIMIT], row + 1, zone.ownCapacity);
  }

  private dropMirror(row: number): void {
    const { zone } = this;
    this.forgetMirrorId(row);
    zone.alive[row] = 0;
    let limit = zone.scalars[SCALAR_MIRROR_LIMIT];
    while (limit > zone.ownCapacity && zone.alive[limit - 1] === 0) limit--;
    zone.scalars[SCALAR_MIRROR_LIMIT] = limit;
  }

  private forgetMirrorId(row: number): void {
    const { zone } = this;
    const wireId = wireIdOfKey(zone.engine.key[row]);
    if (zone.alive[row] !== 0 && zone.rowOfId[wireId] === row + 1) zone.rowOfId[wireId] = 0;
  }

  private releaseMirror(key: number): void {
    const row = this.zone.rowOfId[wireIdOfKey(key)] - 1;
    if (row >= this.zone.ownCapacity) this.dropMirror(row);
  }

  private takeUint32(): number {
    const value = this.view.getUint32(this.at, true);
    this.at += 4;
    return value;
  }
}

/** Nobody is asked, and nothing is told to others. */
function openReplayCells(plan: WorldPlan, cellPlan: CellPlan, zone: EngineZone): ZoneCells {
  const cellCount = cellsOfWorld(cellPlan.grid);
  const table = new CellTable(CellTable.create(plan.worlds.length, cellCount), plan.worlds.length, cellCount);
  const cells = new ZoneCells(zone, cellPlan, table, new ByteRing(cellPlan.rings[zone.id]));
  zone.cells = cells;
  return cells;
}
