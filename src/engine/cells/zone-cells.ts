// The cells of a zone: which are live, and how the rows that rest in them come and go. Lives on the zone's tick thread; what
// it keeps stands in the zone's block, so a commit carries it and a restore brings it back.
//
//   COLD --beginLoad--> LOADING --takeRow...--> LIVE --beginEvict--> EVICTING --finishEvict--> COLD
//     never stored: populated, and LIVE at once    <----cancelEvict----
//
// Why no entity is lost or doubled, whoever dies when:
// - A resting entity is in exactly one of three places: alive in a row, parked in a row of a cell that is EVICTING, or in
//   the record that a COLD cell's version names, or in a LOADING one's from row `taken` on. All four are in one block, so
//   each commit holds one consistent answer, and each snapshot of the zone does too.
// - Records in the store are never overwritten: each leaving writes one under a version of its own, and a record that a
//   snapshot may still name is kept. So a snapshot, however old, and the records that it names are the world of its tick.
// - The I/O thread reads committed blocks only, and says that a cell is stored when it is durable. Parked rows stand still
//   until then, so what was stored is what is given up. `since` names one leaving: a word about an earlier one is ignored.
// - Rows that were loaded are given back to the ring after the commit that took them in, and `taken` is committed with
//   them: a row that a successor reads again is passed over.
//
// What comes in from outside of the systems comes through a few methods, each of which says so to the journal first: when a
// session is played again, the journal calls them and nothing decides.

import { createRandom } from '../../base/chance.js';
import type { CellEvent } from '../../game/definition.js';
import { areaOfCell, cellsOfWorld, localCellAt, worldCellOf } from '../../memory/cells/cell-grid.js';
import * as P from '../../memory/cells/cell-plan.js';
import { CELL_COLD, CELL_EVICTING, CELL_LIVE, CELL_LOADING, type CellTable } from '../../memory/cells/cell-table.js';
import * as J from '../../memory/records/journal-records.js';
import type { ByteRing } from '../../memory/rings/byte-ring.js';
import { COUNTER } from '../../memory/tables/zone-counters.js';
import { type CellArrays, LIVE_BLOCK } from '../../memory/world/world-buffer.js';
import { copyRow, kindOfPacked } from '../borders/handoff.js';
import { DEPART_TO_CELL } from '../entities/columns.js';
import type { ZoneJournal } from '../replay/zone-journal.js';
import type { EngineZone } from '../zone/zone.js';
import { CellQueue } from './cell-queue.js';
import { CELL_ROWS_PER_TICK, CELL_ROWS_SHARE } from './limits.js';

export class ZoneCells {
  readonly count: number;
  readonly state: Int32Array;
  readonly since: Int32Array;
  readonly version: Float64Array;
  /** By cell: rows that rest in it, as of the last sweep. */
  readonly resting: Int32Array;
  readonly queue: CellQueue;
  restingTotal = 0;
  evictingCount = 0;
  /** Live and loading ones. */
  heldCount = 0;
  private readonly taken: Int32Array;
  private readonly isResting: Uint8Array;
  /** Scratch: cells that one pass over the rows is about. */
  private readonly marked: Uint8Array;
  private parkedCount = 0;
  /** The ring's present record is not used up. */
  private isChunkOpen = false;
  private hasRead = false;

  constructor(
    private readonly zone: EngineZone,
    readonly plan: P.CellPlan,
    private readonly table: CellTable,
    private readonly ring: ByteRing,
    private readonly journal?: ZoneJournal,
  ) {
    const cells = zone.buffer.blocks[LIVE_BLOCK].cells as CellArrays;
    this.state = cells.state;
    this.since = cells.since;
    this.version = cells.version;
    this.taken = cells.taken;
    this.count = cells.state.length;
    this.resting = new Int32Array(this.count);
    this.marked = new Uint8Array(this.count);
    this.isResting = new Uint8Array(256);
    for (const kind of plan.restingKinds) this.isResting[kind] = 1;
    this.queue = new CellQueue(zone.buffer, plan);
    for (let cell = 0; cell < this.count; cell++) this.countIn(this.state[cell], 1);
    for (let row = 0; row < zone.rowLimit; row++) {
      if (zone.engine.departTo[row] === DEPART_TO_CELL) this.parkedCount++;
    }
  }

  /** Of a place in this zone. */
  cellAt(x: number, y: number): number {
    return localCellAt(this.plan.grid, this.zone.id, x, y);
  }

  worldCellOf(cell: number): number {
    return worldCellOf(this.plan.grid, this.zone.id, cell);
  }

  isLive(x: number, y: number): boolean {
    return this.state[this.cellAt(x, y)] === CELL_LIVE;
  }

  /** False: the place is not in this zone, or too much waits already. */
  tell(event: CellEvent): boolean {
    const { area } = this.zone;
    const { x, y } = event;
    if (!(x >= area.x && y >= area.y && x < area.x + area.width && y < area.y + area.height)) return false;
    const cell = this.cellAt(x, y);
    if (this.state[cell] === CELL_LIVE && this.queue.waitingFor(cell) === 0) {
      this.zone.game.applyToCell?.(this.zone, event);
      return true;
    }
    if (this.queue.pushEvent(cell, event)) return true;
    this.zone.counters[COUNTER.cellQueueFull]++;
    return false;
  }

  /** At the beginning of a tick: cells that are stored go, rows that are loaded come. */
  arrive(): void {
    this.takeStored();
    this.takeChunks();
  }

  /** After the commit: what was taken in cannot be lost any more. */
  settle(): void {
    if (this.hasRead && !this.isChunkOpen) {
      this.ring.release();
      this.hasRead = false;
    }
  }

  /** One pass over the rows: counts what rests, and puts who walked into a cold cell into that cell's queue. */
  sweep(): void {
    const { zone, state, resting, isResting } = this;
    this.journal?.cellSweep();
    const { alive, owner, kind, positionX, positionY } = zone;
    resting.fill(0);
    let total = 0;
    for (let row = 0; row < zone.rowLimit; row++) {
      if (alive[row] === 0 || owner[row] !== 0 || isResting[kind[row]] === 0) continue;
      const cell = this.cellAt(positionX[row], positionY[row]);
      if (state[cell] === CELL_COLD && this.putToRest(cell, row)) continue;
      resting[cell]++;
      total++;
    }
    this.restingTotal = total;
    this.applyWaiting();
    zone.counters[COUNTER.cellEntities] = total;
    zone.counters[COUNTER.cellQueue] = this.queue.count;
    zone.counters[COUNTER.cellsHeld] = this.heldCount;
    zone.counters[COUNTER.cellsEvicting] = this.evictingCount;
  }

  /** False: the zone has no room for more that rests. */
  beginLoad(cell: number): boolean {
    const { zone } = this;
    if (zone.entityCount + this.parkedCount >= zone.ownCapacity * CELL_ROWS_SHARE) {
      zone.counters[COUNTER.cellRoomShort]++;
      return false;
    }
    this.startLoad(cell);
    return true;
  }

  startLoad(cell: number): void {
    this.journal?.cell(J.ENTRY_CELL_LOAD, cell);
    if (this.version[cell] === 0) {
      this.populate(cell);
    } else {
      this.set(cell, CELL_LOADING);
      this.taken[cell] = 0;
    }
  }

  /** Nothing of it is here yet, and nobody wants it any more. */
  cancelLoad(cell: number): void {
    if (this.taken[cell] !== 0) return;
    this.journal?.cell(J.ENTRY_CELL_NOT, cell);
    this.set(cell, CELL_COLD);
  }

  /** The cells' resting rows stand still from now on, until the store has them. */
  beginEvict(cells: readonly number[]): void {
    const { zone } = this;
    for (const cell of cells) {
      this.journal?.cell(J.ENTRY_CELL_LEAVE, cell);
      this.set(cell, CELL_EVICTING);
      this.marked[cell] = 1;
    }
    const { alive, owner, kind, positionX, positionY } = zone;
    for (let row = 0; row < zone.rowLimit; row++) {
      if (alive[row] === 0 || owner[row] !== 0 || this.isResting[kind[row]] === 0) continue;
      if (this.marked[this.cellAt(positionX[row], positionY[row])] === 0) continue;
      zone.timers?.freeze(row);
      zone.park(row);
      this.parkedCount++;
    }
    this.finishPass(cells);
  }

  /** Somebody comes near while they are on their way: they never left. */
  cancelEvict(cells: readonly number[]): void {
    const { zone } = this;
    for (const cell of cells) {
      this.journal?.cell(J.ENTRY_CELL_STAY, cell);
      this.set(cell, CELL_LIVE);
      this.marked[cell] = 1;
    }
    this.forParked((row) => {
      zone.unpark(row);
      zone.timers?.thaw(row);
    });
    this.finishPass(cells);
  }

  /** The store has the cells' rows under these versions: they are given up here. */
  finishEvict(cells: readonly number[], versions: readonly number[]): void {
    const { zone } = this;
    for (const [i, cell] of cells.entries()) {
      this.journal?.cellStored(cell, versions[i]);
      this.version[cell] = versions[i];
      this.set(cell, CELL_COLD);
      this.marked[cell] = 1;
    }
    this.forParked((row) => zone.releaseParked(row));
    for (const cell of cells) this.marked[cell] = 0;
    zone.counters[COUNTER.cellEvictions] += cells.length;
  }

  /** The next row of a loading cell's record, packed. False: no row is free. */
  takeRow(cell: number, bytes: Uint8Array, offset: number): boolean {
    if (!this.bearRow(bytes, offset)) return false;
    this.journal?.cellRow(cell, bytes, offset, this.plan.rowBytes);
    this.taken[cell]++;
    return true;
  }

  /** All its rows are here. */
  finishLoad(cell: number): void {
    this.journal?.cell(J.ENTRY_CELL_LIVE, cell);
    this.countLoad(cell);
    this.becomeLive(cell);
  }

  /** There is no record of it that can be read. Where some of its rows came before that was found, they are the cell. */
  beginAnew(cell: number): void {
    this.journal?.cell(J.ENTRY_CELL_ANEW, cell);
    this.version[cell] = 0;
    if (this.taken[cell] > 0) this.becomeLive(cell);
    else this.populate(cell);
  }

  private bearRow(bytes: Uint8Array, offset: number): boolean {
    const { zone } = this;
    const row = zone.bear(kindOfPacked(this.plan.rowColumns, bytes, offset), 0, 0);
    if (row < 0) return false;
    copyRow(zone.buffer.bytes, bytes, this.plan.rowColumns, row, offset, false);
    zone.timers?.thaw(row);
    return true;
  }

  private takeStored(): void {
    if (this.evictingCount === 0) return;
    const cells: number[] = [];
    const versions: number[] = [];
    for (let cell = 0; cell < this.count; cell++) {
      if (this.state[cell] !== CELL_EVICTING) continue;
      const version = this.table.storedAs(this.worldCellOf(cell), this.since[cell]);
      if (version === 0) continue;
      cells.push(cell);
      versions.push(version);
    }
    if (cells.length > 0) this.finishEvict(cells, versions);
  }

  private takeChunks(): void {
    let left = CELL_ROWS_PER_TICK;
    while (left > 0) {
      if (!this.isChunkOpen && !this.ring.next()) return;
      this.isChunkOpen = true;
      this.hasRead = true;
      const rows = this.takeChunk(left);
      if (rows < 0) return; // the rest of it waits for the next tick
      left -= rows;
      this.isChunkOpen = false;
    }
  }

  /** How many rows it took; -1 when it is not done with the record. */
  private takeChunk(most: number): number {
    const { ring, plan, taken } = this;
    const { view, offset } = ring;
    const cell = view.getInt32(offset + P.CHUNK_CELL, true);
    const first = view.getInt32(offset + P.CHUNK_FIRST, true);
    const rows = view.getInt32(offset + P.CHUNK_ROWS, true);
    const isAwaited =
      this.state[cell] === CELL_LOADING && this.version[cell] === view.getFloat64(offset + P.CHUNK_VERSION, true);
    if (!isAwaited || first > taken[cell]) return 0; // an earlier asking was answered, and this one will be
    if (ring.kind === P.FROM_STORE_NOTHING) {
      this.beginAnew(cell);
      return 0;
    }
    let count = 0;
    for (; taken[cell] < first + rows && count < most; count++) {
      const at = offset + P.CHUNK_BODY + (taken[cell] - first) * plan.rowBytes;
      if (!this.takeRow(cell, ring.bytes, at)) {
        this.zone.counters[COUNTER.cellRoomShort]++;
        return -1;
      }
    }
    if (taken[cell] < first + rows) return -1;
    // More where another record of the cell is read now, which has fewer rows.
    if (taken[cell] >= view.getInt32(offset + P.CHUNK_TOTAL, true)) this.finishLoad(cell);
    return count;
  }

  /** A cell that was never stored: the same seed makes the same rows. */
  private populate(cell: number): void {
    const { zone, plan } = this;
    const worldCell = this.worldCellOf(cell);
    const total = cellsOfWorld(plan.grid);
    const share = Math.floor((plan.bots * (worldCell + 1)) / total) - Math.floor((plan.bots * worldCell) / total);
    const random = createRandom(Math.imul(plan.seed + 1, 0x9e3779b1) ^ worldCell);
    zone.game.populateCell?.(zone, areaOfCell(plan.grid, worldCell), share, random);
    this.becomeLive(cell);
  }

  private becomeLive(cell: number): void {
    this.set(cell, CELL_LIVE);
    this.zone.counters[COUNTER.cellLoads]++;
    this.tellGame(cell);
    this.applyQueue(cell);
  }

  /** In the order in which it came. What finds no row waits for the next sweep. */
  private applyQueue(cell: number): void {
    const { zone, queue } = this;
    if (queue.waitingFor(cell) === 0) return;
    queue.drain(
      cell,
      (rowOffset) => this.bearRow(zone.buffer.bytes, rowOffset),
      (event) => zone.game.applyToCell?.(zone, event),
    );
  }

  private applyWaiting(): void {
    const { queue } = this;
    for (let index = 0; index < queue.count; index++) {
      const cell = queue.cellOf(index);
      if (this.state[cell] !== CELL_LIVE) continue;
      this.applyQueue(cell);
      if (queue.waitingFor(cell) > 0) return; // no row is free
      index = -1;
    }
  }

  private putToRest(cell: number, row: number): boolean {
    const { zone } = this;
    zone.timers?.freeze(row);
    if (!this.queue.pushEntity(cell, row, zone.tick)) {
      zone.timers?.thaw(row);
      zone.counters[COUNTER.cellQueueFull]++;
      return false;
    }
    zone.despawn(row);
    return true;
  }

  private forParked(act: (row: number) => void): void {
    const { zone, marked } = this;
    const { departTo } = zone.engine;
    for (let row = 0; row < zone.rowLimit; row++) {
      if (departTo[row] !== DEPART_TO_CELL) continue;
      if (marked[this.cellAt(zone.positionX[row], zone.positionY[row])] === 0) continue;
      act(row);
      this.parkedCount--;
    }
  }

  private finishPass(cells: readonly number[]): void {
    for (const cell of cells) {
      this.marked[cell] = 0;
      this.tellGame(cell);
    }
  }

  private tellGame(cell: number): void {
    this.zone.game.cellChanged?.(this.zone, areaOfCell(this.plan.grid, this.worldCellOf(cell)));
  }

  private countLoad(cell: number): void {
    const histogram = this.table.loadTicks[this.zone.id];
    histogram[Math.min(histogram.length - 1, this.zone.tick - this.since[cell])]++;
  }

  private set(cell: number, state: number): void {
    this.countIn(this.state[cell], -1);
    this.countIn(state, 1);
    this.state[cell] = state;
    this.since[cell] = this.zone.tick;
  }

  private countIn(state: number, change: number): void {
    if (state === CELL_EVICTING) this.evictingCount += change;
    else if (state !== CELL_COLD) this.heldCount += change;
  }
}
