// Takes away records of cells that nothing names any more. A record is kept while its zone's state names it, and on for as
// many cold snapshots as it takes until no snapshot that a start would choose can name it. Those that a crash left behind
// are found when their cell is stored for the first time after it. Those of worlds that nobody goes on with go when as many
// cold snapshots of this one are there.

import { localOfCell, zoneOfCell } from '../../memory/cells/cell-grid.js';
import type { CellPlan } from '../../memory/cells/cell-plan.js';
import type { IoCounters } from '../../memory/tables/io-counters.js';
import type { WorldBuffer } from '../../memory/world/world-buffer.js';
import type { CellName, CellRecords } from './cell-store.js';
import type { CellWorlds } from './cell-worlds.js';
import { CELL_KEPT_SNAPSHOTS, CELL_SEARCHES_PER_RUN, CELLS_CLEAN_EVERY_MS } from './limits.js';

export class CellCleaner {
  /** By world cell: versions in the store, each with the count of cold snapshots at which it was first unnamed, or -1. */
  private readonly versions = new Map<number, Map<number, number>>();
  private readonly unsearched = new Set<number>();
  private readonly searched = new Set<number>();
  private cleanedMs = 0;
  private isBusy = false;

  constructor(
    private readonly worlds: readonly WorldBuffer[],
    private readonly plan: CellPlan,
    private readonly records: CellRecords,
    private readonly counters: IoCounters,
    private readonly cellWorlds: CellWorlds,
  ) {}

  wrote(cell: number, version: number): void {
    this.note(cell, version);
    if (!this.searched.has(cell)) this.unsearched.add(cell);
  }

  run(nowMs: number): void {
    if (this.isBusy || nowMs - this.cleanedMs < CELLS_CLEAN_EVERY_MS) return;
    this.cleanedMs = nowMs;
    this.isBusy = true;
    // A store that is down is the business of those who need it: what cannot be cleaned now is cleaned later.
    void this.clean()
      .catch(() => this.counters.add('cellFailures', 1))
      .finally(() => {
        this.isBusy = false;
      });
  }

  private async clean(): Promise<void> {
    await this.cellWorlds.note();
    for (const cell of [...this.unsearched].slice(0, CELL_SEARCHES_PER_RUN)) {
      for (const version of await this.records.listVersions(cell)) this.note(cell, version);
      this.unsearched.delete(cell);
      this.searched.add(cell);
    }
    if (this.counters.get('coldSnapshots') >= CELL_KEPT_SNAPSHOTS) {
      this.counters.add('cellsDeleted', await this.cellWorlds.dropSome());
    }
    const old = this.findOld();
    if (old.length === 0) return;
    await this.records.delete(old);
    for (const { cell, version } of old) this.versions.get(cell)?.delete(version);
    this.counters.add('cellsDeleted', old.length);
  }

  private findOld(): CellName[] {
    const snapshots = this.counters.get('coldSnapshots');
    const old: CellName[] = [];
    for (const [cell, versions] of this.versions) {
      const named = this.namedVersion(cell);
      for (const [version, unnamedAt] of versions) {
        if (version === named) versions.set(version, -1);
        else if (unnamedAt < 0) versions.set(version, snapshots);
        else if (snapshots - unnamedAt >= CELL_KEPT_SNAPSHOTS) old.push({ cell, version });
      }
    }
    return old;
  }

  /** By the zone's committed state. A torn read names a version a beat early or late, which three snapshots outlast. */
  private namedVersion(cell: number): number {
    const { grid } = this.plan;
    return this.worlds[zoneOfCell(grid, cell)].committed.cells?.version[localOfCell(grid, cell)] ?? 0;
  }

  private note(cell: number, version: number): void {
    const versions = this.versions.get(cell) ?? new Map<number, number>();
    if (!versions.has(version)) versions.set(version, -1);
    this.versions.set(cell, versions);
  }
}
