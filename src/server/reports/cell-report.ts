// What is told from outside of how cells come and go: in /healthz by zone, in /metrics by state, and how long loads take.

import type { WorldPlan } from '../../engine/plan/world-plan.js';
import { cellsOfWorld } from '../../memory/cells/cell-grid.js';
import type { CellPlan } from '../../memory/cells/cell-plan.js';
import { CELL_COLD, CELL_EVICTING, CELL_LIVE, CELL_LOADING, CellTable } from '../../memory/cells/cell-table.js';
import { WorldBuffer } from '../../memory/world/world-buffer.js';
import type { Metrics } from '../../net/http/metrics.js';

export interface CellHealth {
  live: number;
  loading: number;
  evicting: number;
  cold: number;
}

const STATES: readonly [keyof CellHealth, number][] = [
  ['live', CELL_LIVE],
  ['loading', CELL_LOADING],
  ['evicting', CELL_EVICTING],
  ['cold', CELL_COLD],
];
const SHARES = [0.5, 0.99, 1];

export class CellReport {
  private readonly worlds: WorldBuffer[];
  private readonly table: CellTable;

  constructor(
    private readonly plan: WorldPlan,
    cells: CellPlan,
  ) {
    this.worlds = plan.worlds.map((buffer) => new WorldBuffer(buffer, plan.layout));
    this.table = new CellTable(cells.table, plan.worlds.length, cellsOfWorld(cells.grid));
  }

  zone(id: number): CellHealth {
    const health: CellHealth = { live: 0, loading: 0, evicting: 0, cold: 0 };
    const states = this.worlds[id].committed.cells?.state ?? new Int32Array();
    const counts = [0, 0, 0, 0];
    for (const state of states) counts[state]++;
    for (const [name, state] of STATES) health[name] = counts[state];
    return health;
  }

  register(metrics: Metrics): void {
    metrics.registerGauge('tessera_cells', 'Cells of each zone by state', ['zone', 'state'], (report) => {
      for (const zone of this.worlds.keys()) {
        for (const [state, count] of Object.entries(this.zone(zone))) report(count, { zone: String(zone), state });
      }
    });
    metrics.registerQuantiles(
      'tessera_cell_load_ms',
      'From the tick that asks for a cell to its rows',
      [],
      (report) => {
        for (const share of SHARES) report(this.loadMs(share), { quantile: String(share) });
      },
    );
  }

  /** Since the start, in whole ticks; 0 when none was loaded. */
  private loadMs(share: number): number {
    const { loadTicks } = this.table;
    const counts = loadTicks[0].map((_, ticks) => loadTicks.reduce((sum, histogram) => sum + histogram[ticks], 0));
    let left = counts.reduce((sum, count) => sum + count, 0) * share;
    if (left === 0) return 0;
    const ticks = counts.findIndex((count) => {
      left -= count;
      return left <= 0;
    });
    return (ticks * 1000) / this.plan.settings.tickHz;
  }
}
