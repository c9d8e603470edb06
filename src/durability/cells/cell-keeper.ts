// The I/O thread's part in worlds larger than memory: brings the rows of loading cells from the cold store to their zones,
// and takes those of leaving cells there. What is wanted is read from the zones' committed blocks, at every beat: a request
// cannot be lost, and one that was answered to a thread that died is answered again.

import { sha256 } from '../../base/checksum.js';
import { CELL_CHUNK_BYTES_MAX, CELL_CHUNK_ROWS } from '../../engine/cells/limits.js';
import { cellsOfWorld, localCellAt, worldCellOf } from '../../memory/cells/cell-grid.js';
import * as P from '../../memory/cells/cell-plan.js';
import { CELL_EVICTING, CELL_LOADING, CellTable } from '../../memory/cells/cell-table.js';
import { ByteRing } from '../../memory/rings/byte-ring.js';
import type { IoCounters } from '../../memory/tables/io-counters.js';
import { COUNTER } from '../../memory/tables/zone-counters.js';
import type { Block, WorldBuffer } from '../../memory/world/world-buffer.js';
import { BLOCKS_OFFSET, SCALAR_ROW_LIMIT } from '../../memory/world/world-layout.js';
import type { ColdStore } from '../../stores/store-ports.js';
import { CellCalls } from './cell-calls.js';
import { CellCleaner } from './cell-cleaner.js';
import { decodeCell, encodeCell, type PackedRows } from './cell-record.js';
import { CellRecords, firstVersion } from './cell-store.js';
import { CellWorlds } from './cell-worlds.js';
import { findCellsInView } from './cells-in-view.js';
import { CELLS_SAY_EVERY_MS } from './limits.js';

/** No tick. */
const UNASKED = -1;

/** One asking: a zone's cell that loads, or leaves, since a tick. */
interface Job {
  zone: number;
  local: number;
  cell: number;
  state: number;
  since: number;
  version: number;
}

interface StoreJob extends Job {
  record: Buffer;
  hash: string;
}

interface Delivery extends Job {
  rows: PackedRows | undefined;
  /** Rows that are in the ring already. */
  sent: number;
}

export interface CellKeeperOptions {
  worlds: readonly WorldBuffer[];
  plan: P.CellPlan;
  /** See engine/entities/columns.ts: what marks a row as one that leaves with its cell. */
  departToCell: number;
  store: ColdStore;
  worldId: string;
  /** Those of which records may be left in the store, and nobody goes on with. */
  earlierWorlds: readonly string[];
  /** Whether worlds that nobody goes on with may be told from those that live elsewhere. */
  mayDrop: () => boolean;
  counters: IoCounters;
  say: (line: string) => void;
  /** Of the wall clock: versions of records ascend from one process to the next. */
  startedMs: number;
  /** Monotonic: what waits must not wait for a clock that was set back. */
  now: () => number;
}

export class CellKeeper {
  private readonly table: CellTable;
  private readonly rings: ByteRing[];
  private readonly records: CellRecords;
  private readonly cleaner: CellCleaner;
  /** Of one record in a ring. */
  private readonly chunkRows: number;
  /** By world cell: the asking that is being answered or has been. */
  private readonly answered: Int32Array;
  /** By world cell, in the order of asking: the newest asking takes the place of one that was not answered yet. */
  private readonly loads = new Map<number, Job>();
  private readonly stores = new Map<number, StoreJob>();
  private deliveries: Delivery[] = [];
  /** By world cell: what its record is, so that it is not written again unchanged. */
  private readonly known = new Map<number, { version: number; hash: string }>();
  private readonly loading = new CellCalls();
  private readonly storing = new CellCalls();
  private nextVersion: number;
  private saidMs = Number.NEGATIVE_INFINITY;
  private lateSeen: number;
  private lateSaidMs = 0;

  constructor(private readonly options: CellKeeperOptions) {
    const { plan, worlds, store, worldId, earlierWorlds, mayDrop, counters, startedMs, now } = options;
    const cellCount = cellsOfWorld(plan.grid);
    this.table = new CellTable(plan.table, worlds.length, cellCount);
    this.rings = plan.rings.map((buffer) => new ByteRing(buffer));
    this.answered = new Int32Array(cellCount).fill(UNASKED);
    this.chunkRows = Math.min(CELL_CHUNK_ROWS, Math.floor(CELL_CHUNK_BYTES_MAX / plan.rowBytes));
    this.nextVersion = firstVersion(startedMs);
    this.lateSeen = this.countLate();
    this.records = new CellRecords(store, worldId);
    const sinceMs = startedMs - now();
    const cellWorlds = new CellWorlds({ store, worldId, earlierWorlds, mayDrop, now: () => sinceMs + now() });
    this.cleaner = new CellCleaner(worlds, plan, this.records, counters, cellWorlds);
  }

  /** Often; does only what can be done at once, and begins what takes time. */
  run(): void {
    const nowMs = this.options.now();
    for (let zone = 0; zone < this.options.worlds.length; zone++) this.look(zone);
    this.dropUnwanted(this.loads);
    this.dropUnwanted(this.stores);
    if (this.loads.size > 0 && this.loading.isDue(nowMs)) void this.load();
    if (this.stores.size > 0 && this.storing.isDue(nowMs)) void this.store();
    this.deliver();
    this.cleaner.run(nowMs);
    this.sayLate(nowMs);
    this.options.counters.set('cellsWaiting', this.loads.size + this.stores.size);
  }

  /** Finds what the zone has begun to ask. */
  private look(zone: number): void {
    const world = this.options.worlds[zone];
    const held = world.hold();
    const block = world.committed;
    const { cells } = block;
    if (cells === undefined) return;
    const asked: Job[] = [];
    for (let local = 0; local < cells.state.length; local++) {
      const state = cells.state[local];
      if (state !== CELL_LOADING && state !== CELL_EVICTING) continue;
      const cell = worldCellOf(this.options.plan.grid, zone, local);
      if (this.answered[cell] === cells.since[local]) continue;
      asked.push({ zone, local, cell, since: cells.since[local], version: cells.version[local], state });
    }
    if (asked.length === 0) return;
    const leaving = new Map(
      asked.filter(({ state }) => state === CELL_EVICTING).map(({ local }) => [local, [] as Uint8Array[]]),
    );
    if (leaving.size > 0) this.packRows(world, block, leaving);
    // What was read while the zone turned its blocks may be of two ticks: the next beat reads again.
    if (!world.isHeld(held)) return;
    for (const job of asked) {
      this.answered[job.cell] = job.since;
      const rows = leaving.get(job.local);
      if (rows === undefined) this.loads.set(job.cell, job);
      else this.storeCell(job, rows);
    }
  }

  /** While a store is away zones change their minds: what none waits for any more is not in the way of the rest. */
  private dropUnwanted(jobs: Map<number, Job>): void {
    for (const job of jobs.values()) {
      if (this.isWanted(job)) continue;
      jobs.delete(job.cell);
      this.forget(job);
    }
  }

  private isWanted({ zone, local, state, since }: Job): boolean {
    const { cells } = this.options.worlds[zone].committed;
    return cells?.state[local] === state && cells.since[local] === since;
  }

  /** The block may have been read while the zone wrote it: if the job is wanted after all, the next look finds it anew. */
  private forget({ cell, since }: Job): void {
    if (this.answered[cell] === since) this.answered[cell] = UNASKED;
  }

  /** Packs every row that leaves with one of these cells. */
  private packRows(world: WorldBuffer, block: Block, leaving: Map<number, Uint8Array[]>): void {
    const { plan, departToCell } = this.options;
    const { departTo, positionX, positionY } = block.columns;
    const start = BLOCKS_OFFSET + world.blocks.indexOf(block) * world.layout.blockBytes;
    const rowLimit = block.scalars[SCALAR_ROW_LIMIT];
    for (let row = 0; row < rowLimit; row++) {
      if (departTo[row] !== departToCell) continue;
      const rows = leaving.get(localCellAt(plan.grid, world.zoneId, positionX[row], positionY[row]));
      if (rows === undefined) continue;
      const packed = new Uint8Array(plan.rowBytes);
      let at = 0;
      for (const { offset, bytes } of plan.rowColumns) {
        const from = start + offset + row * bytes;
        packed.set(world.bytes.subarray(from, from + bytes), at);
        at += bytes;
      }
      rows.push(packed);
    }
  }

  private storeCell(job: Job, rows: Uint8Array[]): void {
    const record = encodeCell(job.cell, this.options.plan.rowColumns, rows);
    const hash = sha256(record);
    const known = this.known.get(job.cell);
    if (known !== undefined && known.version === job.version && known.hash === hash) {
      this.options.counters.add('cellsSpared', 1);
      this.stores.delete(job.cell);
      this.table.storeDone(job.cell, job.since, job.version);
      return;
    }
    this.stores.set(job.cell, { ...job, version: this.nextVersion++, record, hash });
  }

  private async store(): Promise<void> {
    const { counters } = this.options;
    const batch = this.storing.choose([...this.stores.values()]);
    this.storing.isBusy = true;
    try {
      await this.records.write(batch);
      this.storing.succeeded(batch);
      for (const job of batch) {
        const { cell, since, version, hash, record } = job;
        this.known.set(cell, { version, hash });
        this.cleaner.wrote(cell, version);
        // One that was asked anew meanwhile is about other rows; its zone hears when those are stored.
        if (this.stores.get(cell) === job) {
          this.stores.delete(cell);
          this.table.storeDone(cell, since, version);
        }
        counters.add('cellsStored', 1);
        counters.add('cellBytesStored', record.length);
      }
    } catch (error) {
      this.storing.failed(batch, error, this.options.now());
      this.fail(`cells cannot be stored and stay in memory (${this.stores.size} wait)`, error);
    } finally {
      this.storing.isBusy = false;
    }
  }

  private async load(): Promise<void> {
    const { counters } = this.options;
    const batch = this.nextLoads();
    this.loading.isBusy = true;
    try {
      const values = await this.records.read(batch);
      const read: Delivery[] = [];
      for (const [i, job] of batch.entries()) read.push({ ...job, rows: await this.open(job, values[i]), sent: 0 });
      for (const [i, job] of batch.entries()) {
        if (this.loads.get(job.cell) !== job) continue; // nobody waits for it any more, or for another version
        this.loads.delete(job.cell);
        this.deliveries.push(read[i]);
      }
      this.loading.succeeded(batch);
      counters.add('cellsLoaded', batch.length);
    } catch (error) {
      this.loading.failed(batch, error, this.options.now());
      this.fail(`cells cannot be loaded and are seen empty (${this.loads.size} wait)`, error);
    } finally {
      this.loading.isBusy = false;
    }
    this.deliver();
  }

  /** Where they need several calls: what players see goes first. */
  private nextLoads(): Job[] {
    const waiting = [...this.loads.values()];
    if (this.loading.takesAll(waiting.length)) return waiting;
    const inView = findCellsInView(this.options.worlds, this.options.plan);
    const seen = waiting.filter(({ cell }) => inView.has(cell));
    const unseen = waiting.filter(({ cell }) => !inView.has(cell));
    return this.loading.choose([...seen, ...unseen]);
  }

  /** Undefined: there is no whole record of the cell. */
  private async open(job: Job, value: Uint8Array | undefined): Promise<PackedRows | undefined> {
    const { cell, version } = job;
    const { plan, counters, say } = this.options;
    try {
      if (value === undefined) throw new Error('it is not there');
      const rows = decodeCell(value, cell, plan.rowColumns);
      this.known.set(cell, { version, hash: sha256(value) });
      return rows;
    } catch (error) {
      counters.add('cellsDamaged', 1);
      const substitute = await this.records.findOlder(job, plan.rowColumns);
      const instead = substitute === undefined ? 'it begins anew' : 'an older record of it is taken';
      say(`the record ${this.records.key(job)} of a cell: ${(error as Error).message}; ${instead}`);
      return substitute;
    }
  }

  /** As much as the rings have room for; the rest goes at a later beat. */
  private deliver(): void {
    if (this.deliveries.length === 0) return;
    const full = new Set<number>();
    this.deliveries = this.deliveries.filter((delivery) => {
      if (!this.isWanted(delivery)) {
        this.forget(delivery);
        return false;
      }
      if (full.has(delivery.zone)) return true;
      const isDone = this.write(delivery);
      if (!isDone) full.add(delivery.zone);
      return !isDone;
    });
    for (const ring of this.rings) ring.publish();
  }

  private write(delivery: Delivery): boolean {
    const { rowBytes } = this.options.plan;
    const ring = this.rings[delivery.zone];
    const { rows } = delivery;
    const total = rows?.count ?? 0;
    do {
      const count = Math.min(this.chunkRows, total - delivery.sent);
      const size = P.CHUNK_BODY + count * rowBytes;
      const at = ring.claim(rows === undefined ? P.FROM_STORE_NOTHING : P.FROM_STORE_ROWS, size);
      if (at < 0) return false;
      ring.view.setFloat64(at + P.CHUNK_VERSION, delivery.version, true);
      ring.view.setInt32(at + P.CHUNK_CELL, delivery.local, true);
      ring.view.setInt32(at + P.CHUNK_FIRST, delivery.sent, true);
      ring.view.setInt32(at + P.CHUNK_ROWS, count, true);
      ring.view.setInt32(at + P.CHUNK_TOTAL, total, true);
      if (rows !== undefined) {
        const start = delivery.sent * rowBytes;
        ring.bytes.set(rows.bytes.subarray(start, start + count * rowBytes), at + P.CHUNK_BODY);
      }
      ring.commit(size);
      delivery.sent += count;
    } while (delivery.sent < total);
    return true;
  }

  private sayLate(nowMs: number): void {
    if (nowMs - this.lateSaidMs < CELLS_SAY_EVERY_MS) return;
    const late = this.countLate();
    if (late > this.lateSeen) {
      this.options.say(`${late - this.lateSeen} cells came into view before they were loaded and were seen empty`);
    }
    this.lateSeen = late;
    this.lateSaidMs = nowMs;
  }

  private countLate(): number {
    return this.options.worlds.reduce((sum, world) => sum + world.counters[COUNTER.cellsLate], 0);
  }

  private fail(what: string, error: unknown): void {
    const nowMs = this.options.now();
    this.options.counters.add('cellFailures', 1);
    if (nowMs - this.saidMs < CELLS_SAY_EVERY_MS) return;
    this.saidMs = nowMs;
    this.options.say(`${what}: ${(error as Error).message}`);
  }
}
