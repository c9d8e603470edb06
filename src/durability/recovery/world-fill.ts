// From snapshots to a world that can tick: fills each zone by itself, then makes one world of them. Entities are counted once,
// ids are free or taken, and all zones stand at one tick.

import { engineColumnsOf } from '../../engine/entities/columns.js';
import { wireIdOfKey } from '../../engine/entities/entity-key.js';
import { thawTimers, timerColumnsOf } from '../../engine/entities/timer-columns.js';
import { settlePosts } from '../../engine/posts/settle-posts.js';
import { clearSparse, setSparse } from '../../memory/world/component-rows.js';
import { type Block, LIVE_BLOCK, type WorldBuffer } from '../../memory/world/world-buffer.js';
import {
  SCALAR_ENTITY_COUNT,
  SCALAR_ID_LIMIT,
  SCALAR_JOURNALED,
  SCALAR_POSTS,
  SCALAR_ROW_LIMIT,
  SCALAR_TICK,
} from '../../memory/world/world-layout.js';
import type { ZoneSnapshot } from '../snapshots/zone-snapshot.js';
import { fillCells, wakeCells } from './cell-recovery.js';

/** Columns are matched by name: one that the game no longer has is dropped, a new one has its initial value. */
export function fillZone(world: WorldBuffer, snapshot: ZoneSnapshot): void {
  const live = world.blocks[LIVE_BLOCK];
  live.scalars.set(snapshot.scalars);
  live.globals.set(snapshot.globals);
  live.marks.set(snapshot.marks);
  const { rows, mirrorFirst, columns } = snapshot.header;
  for (const { name, initial = 0, component } of world.layout.columns) {
    if (component === undefined) live.columns[name].fill(initial);
    else clearSparse(live.columns[name]);
  }
  for (const { name, type, role, length = 1 } of columns) {
    const now = world.layout.columns.find((column) => column.name === name);
    const cells = snapshot.columns.get(name);
    if (now?.type !== type || (now.length ?? 1) !== length || cells === undefined) continue;
    if (now.component !== undefined) {
      setSparse(live.columns[name], cells.subarray(0, rows * length), 0);
      setSparse(live.columns[name], cells.subarray(rows * length), mirrorFirst * length);
      continue;
    }
    live.columns[name].set(cells.subarray(0, role === 'id' ? cells.length : rows * length) as never);
    if (role !== 'id') live.columns[name].set(cells.subarray(rows * length) as never, mirrorFirst * length);
  }
  fillCells(world, snapshot.cells);
  if (live.posts !== undefined && snapshot.posts !== undefined) live.posts.set(snapshot.posts);
  else live.scalars[SCALAR_POSTS] = 0; // the game has messages no more, or had none yet
  commitTwice(world);
}

/** Makes one world, at this tick, of zones that were filled one by one. */
export function finishWorld(worlds: readonly WorldBuffer[], rowCapacity: number, tick: number): void {
  for (const world of worlds) wakeCells(world);
  dropDoubles(worlds);
  reviveDeparted(worlds);
  giveOutIds(worlds, rowCapacity);
  settlePosts(worlds, rowCapacity);
  for (const world of worlds) {
    const live = world.blocks[LIVE_BLOCK];
    // The handoff rings are new and empty, so marks and departures of the old ones mean nothing.
    live.marks.fill(0);
    live.columns.departTo.fill(0);
    live.scalars[SCALAR_JOURNALED] = 0;
    if (live.scalars[SCALAR_TICK] > 0) moveToTick(live, tick); // all zones go on together
    commitTwice(world);
  }
}

/** What was due in so many ticks still is. */
function moveToTick(live: Block, tick: number): void {
  const timers = timerColumnsOf(live);
  const { alive } = engineColumnsOf(live);
  const { scalars } = live;
  for (let row = 0; timers.length > 0 && row < scalars[SCALAR_ROW_LIMIT]; row++) {
    if (alive[row] !== 0) thawTimers(timers, row, tick - scalars[SCALAR_TICK]);
  }
  scalars[SCALAR_TICK] = tick;
}

/** Into both committed blocks, so that no reader finds one that is older than the world. */
function commitTwice(world: WorldBuffer): void {
  world.commit();
  world.commit();
}

export function aliveKeys(worlds: readonly WorldBuffer[]): Set<number> {
  const keys = new Set<number>();
  for (const world of worlds) {
    const live = world.blocks[LIVE_BLOCK];
    const { alive, key } = engineColumnsOf(live);
    for (let row = 0; row < live.scalars[SCALAR_ROW_LIMIT]; row++) {
      if (alive[row] !== 0) keys.add(key[row]);
    }
  }
  return keys;
}

/** An entity that walked over a border between two snapshots may be in both: the zone with the later tick keeps it. */
function dropDoubles(worlds: readonly WorldBuffer[]): void {
  const holder = new Map<number, { world: WorldBuffer; row: number }>();
  for (const world of worlds) {
    const live = world.blocks[LIVE_BLOCK];
    const { alive, key } = engineColumnsOf(live);
    for (let row = 0; row < live.scalars[SCALAR_ROW_LIMIT]; row++) {
      if (alive[row] === 0) continue;
      const wireId = wireIdOfKey(key[row]); // not its key: the id may have been reused in between
      const other = holder.get(wireId);
      if (other === undefined) {
        holder.set(wireId, { world, row });
        continue;
      }
      const isLater = live.scalars[SCALAR_TICK] > other.world.blocks[LIVE_BLOCK].scalars[SCALAR_TICK];
      const loser = isLater ? other : { world, row };
      const loserLive = loser.world.blocks[LIVE_BLOCK];
      engineColumnsOf(loserLive).alive[loser.row] = 0;
      loserLive.scalars[SCALAR_ENTITY_COUNT]--;
      if (isLater) holder.set(wireId, { world, row });
    }
  }
}

/**
 * Revives entities that were in a handoff ring from their source rows: the ring is gone, the row is not. Where a journal was run
 * again they were delivered, and live in the target zone.
 */
function reviveDeparted(worlds: readonly WorldBuffer[]): void {
  const living = new Set([...aliveKeys(worlds)].map(wireIdOfKey)); // not keys: the id may have been reused
  const latestFirst = worlds.map(({ blocks }) => blocks[LIVE_BLOCK]);
  latestFirst.sort((a, b) => b.scalars[SCALAR_TICK] - a.scalars[SCALAR_TICK]);
  for (const live of latestFirst) {
    const { alive, departTo, key } = engineColumnsOf(live);
    const timers = timerColumnsOf(live);
    for (let row = 0; row < live.scalars[SCALAR_ROW_LIMIT]; row++) {
      if (departTo[row] === 0 || living.has(wireIdOfKey(key[row]))) continue;
      living.add(wireIdOfKey(key[row]));
      alive[row] = 1;
      thawTimers(timers, row, live.scalars[SCALAR_TICK]);
      live.scalars[SCALAR_ENTITY_COUNT]++;
    }
  }
}

function giveOutIds(worlds: readonly WorldBuffer[], rowCapacity: number): void {
  for (const world of worlds) {
    world.blocks[LIVE_BLOCK].columns.idTaken.fill(0);
  }
  for (const world of worlds) {
    const live = world.blocks[LIVE_BLOCK];
    const { alive, key } = engineColumnsOf(live);
    for (let row = 0; row < live.scalars[SCALAR_ROW_LIMIT]; row++) {
      if (alive[row] === 0) continue;
      const wireId = wireIdOfKey(key[row]);
      const home = worlds[Math.floor(wireId / rowCapacity)].blocks[LIVE_BLOCK];
      const localId = wireId % rowCapacity;
      home.columns.idTaken[localId] = 1;
      home.scalars[SCALAR_ID_LIMIT] = Math.max(home.scalars[SCALAR_ID_LIMIT], localId + 1);
    }
  }
}
