// What outlives every simulated process: the stores' contents and the spool's. Keeps every snapshot that was ever handed
// to a store, so that what a world is restored from is known to have been a committed state of it.

import type { RecoveryReport } from '../../../src/durability/recovery/recovery.js';
import { decodeZone, type ZoneSnapshot } from '../../../src/durability/snapshots/zone-snapshot.js';
import { engineColumnsOf } from '../../../src/engine/entities/columns.js';
import { wireIdOfKey } from '../../../src/engine/entities/entity-key.js';
import type { WorldPlan } from '../../../src/engine/plan/world-plan.js';
import { WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { SCALAR_ROW_LIMIT, SCALAR_TICK } from '../../../src/memory/world/world-layout.js';
import type { Stores } from '../../../src/stores/open-stores.js';
import type { HotEntry } from '../../../src/stores/store-ports.js';
import type { Chance } from '../chance.js';
import { require } from '../checks/violation.js';
import type { WorldHistory } from '../checks/world-history.js';
import type { Faults } from '../faults.js';
import type { Owner, Schedule } from '../schedule.js';
import { StormyLine } from '../weather.js';
import { LogDisk, MemoryEventLog } from './memory-log.js';
import { SpoolDisk } from './memory-spool.js';
import { ColdDisk, HotDisk, MemoryColdStore, MemoryHotStore } from './memory-stores.js';

export class Backends {
  readonly log = new LogDisk();
  readonly spool = new SpoolDisk();
  readonly hot: HotDisk;
  readonly cold: ColdDisk;
  /** By zone: what was taken, in order. */
  private readonly taken: ZoneSnapshot[][] = [];
  /** When the last snapshot that was acknowledged to be in the hot store was taken. */
  private hotAcknowledgedMs = Number.NEGATIVE_INFINITY;
  private opened = 0;

  constructor(
    private readonly schedule: Schedule,
    private readonly faults: Faults,
    private readonly chance: Chance,
  ) {
    this.hot = new HotDisk(chance.stream('hot disk'));
    this.cold = new ColdDisk(chance.stream('cold disk'));
  }

  /** `history`: of the world whose snapshots are taken. */
  open(owner: Owner, history?: WorldHistory): Stores {
    const { schedule, faults } = this;
    const line = (store: 'log' | 'hot' | 'cold'): StormyLine =>
      new StormyLine(store, schedule, owner, faults, this.chance.stream(`${store} line ${this.opened++}`));
    const log = new MemoryEventLog(this.log, line('log'));
    const hot = new MemoryHotStore(this.hot, line('hot'));
    const cold = new MemoryColdStore(this.cold, line('cold'));
    if (history !== undefined) this.watch(hot, cold, history);
    return {
      log,
      hot,
      cold,
      close: async () => {
        await Promise.all([log.close(), hot.close(), cold.close()]);
      },
    };
  }

  private watch(hot: MemoryHotStore, cold: MemoryColdStore, history: WorldHistory): void {
    const set = hot.set.bind(hot);
    hot.set = async (entries: readonly HotEntry[]) => {
      const takenMs = entries.map(({ value }) => this.note(history, value));
      await set(entries);
      this.hotAcknowledgedMs = Math.max(this.hotAcknowledgedMs, Math.min(...takenMs));
    };
    const save = cold.save.bind(cold);
    cold.save = async (id, snapshot) => {
      this.note(history, snapshot.bytes);
      return save(id, snapshot);
    };
  }

  private note(history: WorldHistory, bytes: Uint8Array): number {
    const snapshot = decodeZone(bytes);
    const { zone, takenAtMs } = snapshot.header;
    const difference = history.differenceOf(snapshot);
    require(difference === undefined, 'a snapshot is a committed state', () => `zone ${zone}: ${difference}`);
    this.taken[zone] ??= [];
    this.taken[zone].push(snapshot);
    return takenAtMs;
  }

  /** After a recovery: every zone stands as one of its snapshots says, or one of the journal's states, or is empty. */
  checkRecovered(plan: WorldPlan, report: RecoveryReport, states: readonly ZoneSnapshot[]): void {
    const living = this.livingIn(plan);
    for (const [zone, buffer] of plan.worlds.entries()) {
      const { committed } = new WorldBuffer(buffer, plan.layout);
      if (committed.scalars[SCALAR_TICK] === 0 && committed.scalars[SCALAR_ROW_LIMIT] === 0) continue;
      const stored = [...(this.taken[zone] ?? []), ...states.filter(({ header }) => header.zone === zone)];
      const sources = stored.filter((snapshot) => isFrom(committed, snapshot, living));
      const source = sources.sort((one, other) => one.header.takenAtMs - other.header.takenAtMs).at(-1);
      require(source !== undefined, 'a restored zone is one that was', () =>
        `zone ${zone} from ${report.source}, tick ${committed.scalars[SCALAR_TICK]}`);
      const isNewEnough =
        report.skipped.length > 0 || (source as ZoneSnapshot).header.takenAtMs >= this.hotAcknowledgedMs;
      require(isNewEnough, 'what was acknowledged is found again', () =>
        `zone ${zone} is of ${source?.header.takenAtMs}, ${this.hotAcknowledgedMs} was acknowledged`);
    }
  }

  /** Wire ids. */
  livingIn(plan: WorldPlan): Set<number> {
    const living = new Set<number>();
    for (const buffer of plan.worlds) {
      const block = new WorldBuffer(buffer, plan.layout).committed;
      const { alive, key } = engineColumnsOf(block);
      for (let row = 0; row < block.scalars[SCALAR_ROW_LIMIT]; row++)
        if (alive[row] !== 0) living.add(wireIdOfKey(key[row]));
    }
    return living;
  }
}

type Cells = { scalars: Int32Array; columns: Record<string, { [row: number]: number }> };

/**
 * Its living are in the block as they were, but for those who live in another zone by now; so are those whom it had just
 * sent off, if no other zone has them.
 */
function isFrom(block: Cells, snapshot: ZoneSnapshot, living: ReadonlySet<number>): boolean {
  const cellsOf = (name: string): ArrayLike<number> => snapshot.columns.get(name) as ArrayLike<number>;
  const [alive, departTo, key] = ['alive', 'departTo', 'key'].map(cellsOf);
  const { rows, columns } = snapshot.header;
  if (rows !== block.scalars[SCALAR_ROW_LIMIT]) return false;
  for (let row = 0; row < rows; row++) {
    const wasThere = alive[row] !== 0 || departTo[row] !== 0;
    if (block.columns.alive[row] === 0) {
      if (wasThere && !living.has(wireIdOfKey(key[row]))) return false;
      continue;
    }
    if (!wasThere) return false;
    for (const { name, role } of columns) {
      const cells = cellsOf(name);
      if (role === undefined && !Object.is(cells[row], block.columns[name][row])) return false;
    }
  }
  return true;
}
