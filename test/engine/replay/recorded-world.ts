// A world of two zones whose journals are kept, so that one of them, the first unless said otherwise, can be run again.

import assert from 'node:assert/strict';
import { recordsAfter } from '../../../src/durability/recovery/journal-recovery.js';
import { fillZone } from '../../../src/durability/recovery/world-fill.js';
import { decodeZone } from '../../../src/durability/snapshots/zone-snapshot.js';
import { planWorld, type WorldPlan } from '../../../src/engine/plan/world-plan.js';
import { type Departure, ZoneReplay } from '../../../src/engine/replay/zone-replay.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import { compareHashes, hashBlock } from '../../../src/memory/world/state-hash.js';
import { type Block, LIVE_BLOCK, WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { SCALAR_JOURNALED } from '../../../src/memory/world/world-layout.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';
import { JournalKeeper } from '../../durability/recovery/journal-keeper.js';
import { encodeZone } from '../../durability/snapshots/plain-snapshot.js';

/** Fewer would be a world in which little crosses the border. */
const ARRIVALS_MIN = 10;

export interface Replayed {
  plan: WorldPlan;
  /** At the end of the replay. */
  block: Block;
  departures: Departure[];
}

export class RecordedWorld {
  readonly world: HeadlessWorld;
  private readonly keeper: JournalKeeper;
  private snapshot: Buffer | undefined;

  constructor(
    private readonly game: GameDefinition,
    private readonly zone = 0,
  ) {
    this.world = new HeadlessWorld(game, { zoneColumns: 2, zoneRows: 1, bots: 0, seed: 3 });
    this.keeper = new JournalKeeper(this.world);
  }

  run(ticks: number): void {
    for (let i = 0; i < ticks; i++) {
      this.world.run(1);
      this.keeper.take();
    }
  }

  /** Of the zone, as it is now. */
  takeSnapshot(): Buffer {
    const { layout, worlds } = this.world.plan;
    const identity = { rowCapacity: layout.rowCapacity } as never;
    this.snapshot = encodeZone(new WorldBuffer(worlds[this.zone], layout), identity, 1, 0);
    return this.snapshot;
  }

  /** Runs the zone again, from its beginning and from the snapshot, and compares all that has a hash: at least so many ticks. */
  replay(comparedMin: number): Replayed[] {
    assert.ok(this.world.counter(COUNTER.entitiesArrived) > ARRIVALS_MIN);
    assert.ok(this.snapshot !== undefined, 'a snapshot was taken');
    return [undefined, this.snapshot].map((start) => this.replayFrom(start, comparedMin));
  }

  private replayFrom(start: Buffer | undefined, comparedMin: number): Replayed {
    const { keeper, game, zone } = this;
    const { layout } = this.world.plan;
    const plan = planWorld(this.world.settings, game, 1, 0);
    let serial = 0;
    if (start !== undefined) {
      const decoded = decodeZone(start);
      fillZone(new WorldBuffer(plan.worlds[zone], layout), decoded);
      serial = decoded.scalars[SCALAR_JOURNALED];
    }
    const departures: Departure[] = [];
    const replay = new ZoneReplay(plan, zone, game, { onDeparture: (departure) => departures.push(departure) });
    const block = replay.zone.buffer.blocks[LIVE_BLOCK];
    let compared = 0;
    for (const { tick, bytes } of recordsAfter(keeper.records[zone], serial)) {
      replay.runTick(bytes);
      const expected = keeper.hashes[zone].get(tick);
      if (expected === undefined) continue;
      assert.deepEqual(compareHashes(expected, hashBlock(block, layout).sums, layout), [], `tick ${tick}`);
      compared++;
    }
    assert.ok(compared > comparedMin, String(compared));
    return { plan, block, departures };
  }
}

/** One more in a cell of the column changes the hash, and the comparison names the field and the row. */
export function assertHashed({ plan, block }: Replayed, field: string, cellOf = (row: number): number => row): void {
  const { layout } = plan;
  const before = hashBlock(block, layout).sums;
  const row = block.columns.alive.indexOf(1);
  block.columns[field][cellOf(row)]++;
  assert.deepEqual(compareHashes(before, hashBlock(block, layout).sums, layout), [{ field, row }]);
}
