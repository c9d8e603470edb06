// How a world goes on after its process ended: from the newest snapshot of each zone that is whole, hot before cold; where
// there is none, from the beginning. Runs in main before any thread starts.
//
// Zones are not snapshotted at the same tick, so an entity that walked over a border meanwhile may be in two of them, or
// in none. In two: the zone with the later tick has it. Ids are given out anew from what is alive.

import { join } from 'node:path';
import type { Settings } from '../config.js';
import { LIVE_BLOCK, WorldBuffer } from '../memory/world-buffer.js';
import {
  SCALAR_ENTITY_COUNT,
  SCALAR_ID_LIMIT,
  SCALAR_JOURNALED,
  SCALAR_ROW_LIMIT,
  SCALAR_TICK,
} from '../memory/world-layout.js';
import type { Log } from '../net/log.js';
import { openStores, type Stores } from '../persist/open-stores.js';
import { coldId, hotKey } from '../persist/snapshotter.js';
import { decodeZone, type WorldShape, type ZoneSnapshot } from '../persist/zone-snapshot.js';
import type { GameDefinition } from '../sim/game.js';
import { engineColumnsOf } from '../state/columns.js';
import { wireIdOfKey } from '../state/entity-key.js';
import type { WorldPlan } from './world-plan.js';

/** Below the data folder. */
export const STORES_FOLDER = 'stores';

export interface RecoveryReport {
  source: 'hot' | 'cold' | 'initial';
  /** Highest tick of the zones' snapshots. */
  snapshotTick: number;
  /** There is no journal yet: play goes on at the snapshot. */
  journalTick: null;
  ms: number;
  /** Snapshots that were not whole, and stores that did not answer, with the reason. */
  skipped: string[];
}

export function shapeOf(settings: Settings, game: GameDefinition, plan: WorldPlan): WorldShape {
  return {
    game: game.name,
    seed: settings.seed,
    bots: settings.bots,
    zoneCount: plan.worlds.length,
    worldWidth: settings.worldWidth,
    worldHeight: settings.worldHeight,
    rowCapacity: plan.layout.rowCapacity,
  };
}

/**
 * What is stored may be another world than the settings ask for: then the world begins anew, or, where it was to be
 * resumed, this throws with one clear line.
 */
export async function recoverWorld(plan: WorldPlan, shape: WorldShape, log: Log): Promise<RecoveryReport> {
  const startMs = performance.now();
  const { data, kafka, redis, mongodb, start } = plan.settings;
  const report: RecoveryReport = { source: 'initial', snapshotTick: 0, journalTick: null, ms: 0, skipped: [] };
  if (start !== 'fresh') {
    const onNotice = (line: string): void => log.warn({}, line);
    const stores = openStores({ folder: join(data, STORES_FOLDER), kafka, redis, mongodb, onNotice });
    try {
      const found = await Promise.all(plan.worlds.map((_, zone) => findZone(stores, zone, report)));
      const stranger = found.find((entry) => entry && differenceOf(entry.snapshot.header, shape) !== undefined);
      if (stranger === undefined) {
        fillWorld(plan, found, report);
      } else {
        const difference = `${data} keeps another world: ${differenceOf(stranger.snapshot.header, shape)}`;
        if (start === 'resume') {
          throw new Error(
            `start is resume, but ${difference}; use the settings of that world, another --data folder, or --start auto`,
          );
        }
        report.skipped.push(`${difference}; this one begins anew in its place`);
      }
    } finally {
      await stores.close();
    }
  }
  report.ms = Math.round(performance.now() - startMs);
  for (const reason of report.skipped) log.warn({}, `recovery: ${reason}`);
  log.info({ ...report, skipped: report.skipped.length }, `the world begins from: ${report.source}`);
  return report;
}

interface Found {
  snapshot: ZoneSnapshot;
  source: 'hot' | 'cold';
}

async function findZone(stores: Stores, zone: number, report: RecoveryReport): Promise<Found | undefined> {
  const hot = await attempt(`the hot snapshot of zone ${zone}`, report, async () => {
    const [bytes] = await stores.hot.get([hotKey(zone)]);
    return bytes && decodeZone(bytes);
  });
  const cold = await attempt(`the cold snapshot of zone ${zone}`, report, async () => {
    const { snapshot, skipped } = await stores.cold.latest(coldId(zone));
    for (const { sequence, reason } of skipped) {
      report.skipped.push(`the cold snapshot ${sequence} of zone ${zone}: ${reason}`);
    }
    return snapshot && decodeZone(snapshot.bytes);
  });
  if (hot !== undefined && (cold === undefined || hot.header.takenAtMs >= cold.header.takenAtMs)) {
    return { snapshot: hot, source: 'hot' };
  }
  return cold && { snapshot: cold, source: 'cold' };
}

async function attempt<T>(what: string, report: RecoveryReport, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    report.skipped.push(`${what}: ${(error as Error).message}`);
    return undefined;
  }
}

function differenceOf(found: WorldShape, wanted: WorldShape): string | undefined {
  for (const name of Object.keys(wanted) as (keyof WorldShape)[]) {
    if (found[name] !== wanted[name]) {
      return `its ${name} is ${found[name]}, and ${wanted[name]} is asked for`;
    }
  }
  return undefined;
}

function fillWorld(plan: WorldPlan, found: readonly (Found | undefined)[], report: RecoveryReport): void {
  const worlds = plan.worlds.map((buffer) => new WorldBuffer(buffer, plan.layout));
  for (const [zone, entry] of found.entries()) {
    if (entry === undefined) continue;
    fillZone(worlds[zone], entry.snapshot);
    report.snapshotTick = Math.max(report.snapshotTick, entry.snapshot.header.tick);
    if (report.source !== 'cold') report.source = entry.source;
  }
  if (report.source === 'initial') return;
  dropDoubles(worlds);
  giveOutIds(worlds, plan.layout.rowCapacity);
  for (const world of worlds) {
    beginRings(world);
    const { scalars } = world.blocks[LIVE_BLOCK];
    if (scalars[SCALAR_TICK] > 0) scalars[SCALAR_TICK] = report.snapshotTick; // all zones go on together
    world.commit();
    world.commit(); // into the other block too: neither is ever older than the world
  }
}

/** By name: a column that the game no longer has is left out, one that it did not have then is zero. */
function fillZone(world: WorldBuffer, snapshot: ZoneSnapshot): void {
  const live = world.blocks[LIVE_BLOCK];
  live.scalars.set(snapshot.scalars);
  live.globals.set(snapshot.globals);
  live.marks.set(snapshot.marks);
  const { rows, ghostFirst, columns } = snapshot.header;
  for (const { name, type, role } of columns) {
    const now = world.layout.columns.find((column) => column.name === name);
    const cells = snapshot.columns.get(name);
    if (now?.type !== type || cells === undefined) continue;
    live.columns[name].set(cells.subarray(0, role === 'id' ? cells.length : rows) as never);
    if (role !== 'id') live.columns[name].set(cells.subarray(rows) as never, ghostFirst);
  }
}

/** Rings are new: nothing of what was on its way, and no count of what came, is true any more. */
function beginRings(world: WorldBuffer): void {
  const live = world.blocks[LIVE_BLOCK];
  live.marks.fill(0);
  live.scalars[SCALAR_JOURNALED] = 0;
  live.columns.departTo.fill(0);
}

function dropDoubles(worlds: readonly WorldBuffer[]): void {
  const holder = new Map<number, { world: WorldBuffer; row: number }>();
  for (const world of worlds) {
    const live = world.blocks[LIVE_BLOCK];
    const { alive, key } = engineColumnsOf(live);
    for (let row = 0; row < live.scalars[SCALAR_ROW_LIMIT]; row++) {
      if (alive[row] === 0) continue;
      const other = holder.get(key[row]);
      if (other === undefined) {
        holder.set(key[row], { world, row });
        continue;
      }
      const isLater = live.scalars[SCALAR_TICK] > other.world.blocks[LIVE_BLOCK].scalars[SCALAR_TICK];
      const loser = isLater ? other : { world, row };
      const loserLive = loser.world.blocks[LIVE_BLOCK];
      engineColumnsOf(loserLive).alive[loser.row] = 0;
      loserLive.scalars[SCALAR_ENTITY_COUNT]--;
      if (isLater) holder.set(key[row], { world, row });
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
