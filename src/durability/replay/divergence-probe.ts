// Finds where a replay that came out otherwise began to. The journal has a few sums per column at some ticks, so what it
// says of a tick that differs is which columns do. To find the entity, the ticks since the last state that agreed are run
// twice more, side by side:
//
// - Where the two runs differ, the game is not the same game twice, and every tick, cell and value is at hand.
// - Where a column has, at an earlier tick, the sums that it should have at the last one, it should have stayed as it was:
//   the next tick changed it, and what was there before is what should be there.
// - Where one cell alone differs, its sums give what it was; see state-hash.ts.

import type { WorldPlan } from '../../engine/plan/world-plan.js';
import { ZoneReplay } from '../../engine/replay/zone-replay.js';
import type { GameDefinition } from '../../game/definition.js';
import type { AnyColumn } from '../../memory/world/column-types.js';
import { compareHashes, hashBlock, type StateDifference } from '../../memory/world/state-hash.js';
import { type Block, LIVE_BLOCK, WorldBuffer } from '../../memory/world/world-buffer.js';
import { BLOCKS_OFFSET, type ColumnPlace, SCALAR_ROW_LIMIT } from '../../memory/world/world-layout.js';
import type { JournalRecord } from '../journal/journal-file.js';

/** A zone at a tick at which it agreed. */
export interface AgreedState {
  tick: number;
  block: Uint8Array;
}

export interface CellDifference extends StateDifference {
  values?: { before: number; now: number };
}

export interface Found {
  difference: CellDifference;
  /** The first that differs, and the last that does not. */
  tick: number;
  agreedTick: number;
  /** The game came out otherwise each time. */
  isByChance: boolean;
}

export function keepState(world: WorldBuffer, tick: number): AgreedState {
  return { tick, block: liveBytes(world).slice() };
}

function liveBytes({ bytes, layout }: WorldBuffer): Uint8Array {
  const start = BLOCKS_OFFSET + LIVE_BLOCK * layout.blockBytes;
  return bytes.subarray(start, start + layout.blockBytes);
}

/** The records of the ticks behind the state, up to the one at which the sums are known, and are others. */
export function probe(
  plan: WorldPlan,
  zone: number,
  game: GameDefinition,
  state: AgreedState,
  records: readonly JournalRecord[],
  expected: Int32Array,
): Found {
  const runs = [beginRun(plan, zone, game, state), beginRun(plan, zone, game, state)];
  const { layout } = plan;
  const [live, twin] = runs.map(({ zone: { buffer } }) => buffer.blocks[LIVE_BLOCK]);
  /** By column: what it was when its sums were those that it should have in the end, and when that was. */
  const asExpected = new Map<string, { tick: number; cells: AnyColumn }>();
  let sums = hashBlock(live, layout).sums;
  let lastTick = state.tick;
  const noteExpected = (tick: number): void => {
    const wrong = new Set(compareHashes(expected, sums, layout).map(({ field }) => field));
    for (const { name, role } of layout.columns) {
      if (role !== 'transient' && !wrong.has(name)) asExpected.set(name, { tick, cells: live.columns[name].slice() });
    }
  };
  noteExpected(lastTick);
  for (const { bytes, tick } of records) {
    for (const run of runs) run.runTick(bytes);
    const difference = findCell(layout.columns, twin, live);
    if (difference !== undefined) return { difference, tick, agreedTick: lastTick, isByChance: true };
    sums = hashBlock(live, layout).sums;
    lastTick = tick;
    if (tick !== records[records.length - 1].tick) noteExpected(tick);
  }
  const wrong = compareHashes(expected, sums, layout, live);
  const frozen = wrong.flatMap(({ field }) => {
    const before = asExpected.get(field);
    const places = layout.columns.filter(({ name }) => name === field);
    const difference =
      before && findCell(places, { ...live, columns: { ...live.columns, [field]: before.cells } }, live);
    return before && difference ? [{ difference, agreedTick: before.tick }] : [];
  });
  const [first] = frozen.sort((a, b) => a.agreedTick - b.agreedTick);
  if (first !== undefined) {
    const tick = records.find((record) => record.tick > first.agreedTick)?.tick ?? lastTick;
    return { ...first, tick, isByChance: false };
  }
  const difference = wrong.find(({ row }) => row !== undefined) ?? wrong[0];
  return { difference, tick: lastTick, agreedTick: state.tick, isByChance: false };
}

/** In buffers of its own: the zone that was played stays as it came out. */
function beginRun(plan: WorldPlan, zone: number, game: GameDefinition, { block }: AgreedState): ZoneReplay {
  const own = (buffers: SharedArrayBuffer[]): SharedArrayBuffer[] =>
    buffers.map((buffer, index) => (index === zone ? buffer.slice(0) : buffer));
  const ownPlan = { ...plan, worlds: own(plan.worlds), events: own(plan.events) };
  const world = new WorldBuffer(ownPlan.worlds[zone], plan.layout);
  liveBytes(world).set(block);
  world.commit();
  world.commit(); // into the other block too
  return new ZoneReplay(ownPlan, zone, game);
}

/** The first cell of an entity that differs: by column, then by row. */
function findCell(columns: readonly ColumnPlace[], expected: Block, actual: Block): CellDifference | undefined {
  for (const { name, role, length = 1 } of columns) {
    if (role === 'transient' || role === 'id') continue;
    const [before, now] = [expected.columns[name], actual.columns[name]];
    for (let cell = 0; cell < now.length; cell++) {
      if (Object.is(before[cell], now[cell])) continue;
      const row = Math.floor(cell / length);
      const isThere = name === 'alive' || (expected.columns.alive[row] !== 0 && actual.columns.alive[row] !== 0);
      if (isThere && isInUse(actual, row)) {
        return { field: name, row, values: { before: before[cell], now: now[cell] } };
      }
    }
  }
  return undefined;
}

/** Rows of mirrors lie above those of the zone's own. */
function isInUse({ scalars, columns }: Block, row: number): boolean {
  return row < scalars[SCALAR_ROW_LIMIT] || columns.alive[row] !== 0;
}
