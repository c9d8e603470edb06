// The cells of one zone on its tick thread: what they are made of, and joins that wait for the cells around them.

import { cellsOfWorld } from '../../memory/cells/cell-grid.js';
import type { CellPlan } from '../../memory/cells/cell-plan.js';
import { CellTable } from '../../memory/cells/cell-table.js';
import * as R from '../../memory/records/thread-records.js';
import { ByteRing } from '../../memory/rings/byte-ring.js';
import { COUNTER } from '../../memory/tables/zone-counters.js';
import { WorldBuffer } from '../../memory/world/world-buffer.js';
import { copyRecord } from '../clients/waiting-records.js';
import { neighbourZones, type WorldPlan } from '../plan/world-plan.js';
import type { ZoneJournal } from '../replay/zone-journal.js';
import type { EngineZone } from '../zone/zone.js';
import { CellWatch } from './cell-watch.js';
import { CELL_JOIN_WAIT_SECONDS, CELL_JOINS_WAITING_MAX } from './limits.js';
import { ZoneCells } from './zone-cells.js';

interface WaitingJoin {
  record: DataView;
  client: number;
  generation: number;
  since: number;
}

export class CellHost {
  readonly cells: ZoneCells;
  private readonly watch: CellWatch;
  private joins: WaitingJoin[] = [];
  /** A join that is taken up now is not held back again. */
  private isLetting = false;

  constructor(
    plan: WorldPlan,
    cellPlan: CellPlan,
    private readonly zone: EngineZone,
    journal: ZoneJournal | undefined,
    private readonly joinsMax = CELL_JOINS_WAITING_MAX,
  ) {
    const table = new CellTable(cellPlan.table, plan.worlds.length, cellsOfWorld(cellPlan.grid));
    this.cells = new ZoneCells(zone, cellPlan, table, new ByteRing(cellPlan.rings[zone.id]), journal);
    zone.cells = this.cells;
    const worlds = plan.worlds.map((buffer) => new WorldBuffer(buffer, plan.layout));
    this.watch = new CellWatch(zone, this.cells, table, worlds, neighbourZones(plan, zone.id));
  }

  arrive(): void {
    this.cells.arrive();
  }

  look(): void {
    this.watch.look();
  }

  settle(): void {
    this.cells.settle();
  }

  /** Whether a word of main is kept here for now, or for good: a join that cannot see its cells yet, the leave of one. */
  holdsBack(kind: number, client: number, view: DataView, offset: number): boolean {
    if (kind === R.TO_ZONE_LEAVE) {
      const generation = view.getInt32(offset + R.COMMAND_GENERATION, true);
      const left = this.joins.filter((join) => join.client !== client || join.generation !== generation);
      const isMine = left.length < this.joins.length;
      this.joins = left;
      return isMine;
    }
    if (kind !== R.TO_ZONE_JOIN || this.isLetting || this.isPrepared(view, offset)) return false;
    if (this.joins.length >= this.joinsMax) {
      this.zone.counters[COUNTER.cellJoinsHurried]++; // it goes on without its cells, as after CELL_JOIN_WAIT_SECONDS
      return false;
    }
    const record = copyRecord(view, offset);
    const generation = record.getInt32(R.COMMAND_GENERATION, true);
    this.joins.push({ record, client, generation, since: this.zone.tick });
    return true;
  }

  /** Joins whose cells are live, and those that have waited long enough. */
  letJoin(join: (record: DataView) => void): void {
    if (this.joins.length === 0) return;
    const waiting = this.joins;
    this.joins = [];
    const ticksMax = CELL_JOIN_WAIT_SECONDS * this.zone.tickHz;
    for (const entry of waiting) {
      if (!this.isPrepared(entry.record, 0) && this.zone.tick - entry.since < ticksMax) {
        this.joins.push(entry);
        continue;
      }
      this.isLetting = true;
      join(entry.record);
      this.isLetting = false;
    }
  }

  private isPrepared(view: DataView, offset: number): boolean {
    const payload = offset + R.COMMAND_PAYLOAD;
    return this.watch.prepare(view.getFloat32(payload + 4, true), view.getFloat32(payload + 8, true));
  }
}
