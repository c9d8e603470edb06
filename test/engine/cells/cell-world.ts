// A headless world whose cells come from and go to a store on virtual time: one beat of the I/O thread per tick.

import type { Settings } from '../../../src/config/settings.js';
import { CellKeeper } from '../../../src/durability/cells/cell-keeper.js';
import type { CellHost } from '../../../src/engine/cells/cell-host.js';
import { DEPART_TO_CELL } from '../../../src/engine/entities/columns.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import { IoCounters } from '../../../src/memory/tables/io-counters.js';
import { WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';
import garden from './garden-game.js';
import { TickStore } from './tick-store.js';

export const GARDEN = garden as unknown as GameDefinition;

export const CELLS_WORLD = '7b0cf7a8-6b1f-4d0a-9a53-0d6d1c5f6b11';

export class CellWorld {
  readonly world: HeadlessWorld;
  readonly store = new TickStore();
  readonly counters: IoCounters;
  readonly said: string[] = [];
  earlierWorlds: string[] = [];
  mayDrop = true;
  startedMs = 1e12;
  readonly worlds: WorldBuffer[];
  keeper: CellKeeper;

  constructor(settings: Partial<Settings>, threads = 1, game = GARDEN) {
    this.world = new HeadlessWorld(
      game,
      {
        worldWidth: 800,
        worldHeight: 800,
        zoneColumns: 1,
        zoneRows: 1,
        cellSize: 40,
        viewRadius: 20,
        cellTtlMs: 500,
        spawn: 'crowd',
        ...settings,
      },
      threads,
    );
    const { plan } = this.world;
    this.counters = new IoCounters(plan.io);
    this.worlds = plan.worlds.map((buffer) => new WorldBuffer(buffer, plan.layout));
    this.keeper = this.createKeeper();
  }

  /** As after the I/O thread ended. */
  replaceKeeper(): void {
    this.store.forget();
    this.keeper = this.createKeeper();
  }

  async run(ticks: number, each: () => void | Promise<void> = () => {}): Promise<void> {
    for (let i = 0; i < ticks; i++) {
      this.world.run(1);
      this.keeper.run();
      await this.store.beat(this.world.tick);
      await each();
    }
  }

  async until(what: string, check: () => boolean, ticksMax = 600): Promise<void> {
    for (let i = 0; !check(); i++) {
      if (i === ticksMax) throw new Error(`${what}: not within ${ticksMax} ticks`);
      await this.run(1);
    }
  }

  host(zone = 0): CellHost {
    const { cells } = this.world.hosts[zone];
    if (cells === undefined) throw new Error('this world has no cells');
    return cells;
  }

  counter(index: number): number {
    return this.world.counter(index);
  }

  private get nowMs(): number {
    return Math.round((this.world.tick * 1000) / this.world.settings.tickHz);
  }

  private createKeeper(): CellKeeper {
    const { plan } = this.world;
    if (plan.cells === undefined) throw new Error('this world has no cells');
    return new CellKeeper({
      worlds: this.worlds,
      plan: plan.cells,
      departToCell: DEPART_TO_CELL,
      store: this.store,
      worldId: CELLS_WORLD,
      earlierWorlds: this.earlierWorlds,
      mayDrop: () => this.mayDrop,
      counters: this.counters,
      say: (line) => this.said.push(line),
      startedMs: this.startedMs + this.nowMs,
      now: () => this.nowMs,
    });
  }
}
