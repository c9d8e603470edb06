// A start from chosen cold snapshots (--start cold:TICK). One snapshot of the world is one of each zone, all with the same
// time; the newest whole one at or before the tick is taken. Whatever is later is passed over, and kept: the hot snapshots
// go into the cold history before they are written over, journals to a folder of their own that nothing is pruned from.

import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { JOURNAL_FOLDER } from '../../base/data-folder.js';
import type { ColdHeader } from '../../stores/store-ports.js';
import type { JournalSession } from '../journal/journal-reader.js';
import { KEPT_JOURNALS_FOLDER } from '../journal/journal-session.js';
import { coldId, hotKey } from '../snapshots/snapshotter.js';
import type { ZoneSnapshot } from '../snapshots/zone-snapshot.js';
import { attempt, type Found, findHot, listCold, readZone, type Search } from './world-search.js';

/** One cold snapshot of the world. */
export interface ColdSet {
  takenAtMs: number;
  /** The lowest of its zones. */
  tick: number;
  /** By zone. */
  headers: (ColdHeader | undefined)[];
}

/** Newest first. `histories`: by zone. */
export function groupByTime(histories: readonly (readonly ColdHeader[])[]): ColdSet[] {
  const sets = new Map<number, ColdSet>();
  for (const [zone, headers] of histories.entries()) {
    for (const header of headers) {
      const { takenAtMs, tick } = header;
      const set = sets.get(takenAtMs) ?? { takenAtMs, tick, headers: histories.map(() => undefined) };
      set.headers[zone] ??= header;
      set.tick = Math.min(set.tick, tick);
      sets.set(takenAtMs, set);
    }
  }
  return [...sets.values()].sort((a, b) => b.takenAtMs - a.takenAtMs);
}

/** What a start from chosen snapshots found. All by zone. */
export interface Choice {
  found: (Found | undefined)[];
  hot: (ZoneSnapshot | undefined)[];
  histories: ColdHeader[][];
}

export async function chooseCold(search: Search, tick: number): Promise<Choice> {
  const zones = [...search.plan.worlds.keys()];
  const histories = await Promise.all(
    zones.map(async (zone) => {
      return (await attempt(`the cold snapshots of zone ${zone}`, search, () => listCold(search, zone))) ?? [];
    }),
  );
  const hot = await Promise.all(zones.map((zone) => findHot(search, zone)));
  const silent = search.unanswered[0];
  if (silent !== undefined) {
    throw new Error(`what the stores have later cannot be kept: ${silent}; bring the store back, then start again`);
  }
  if (!histories.flat().some((header) => header.tick <= tick)) refuseTick(search, histories, tick);
  return { found: await findChosen(search, histories, tick), hot, histories };
}

function refuseTick({ plan }: Search, histories: readonly (readonly ColdHeader[])[], tick: number): void {
  const ticks = [...new Set(histories.flat().map((header) => header.tick))].sort((a, b) => a - b);
  const others = ticks.length === 0 ? 'there are none' : `there are those of ticks ${ticks.join(', ')}`;
  throw new Error(
    `start is cold:${tick}, but no cold snapshot in ${plan.settings.data} is at or before that tick: ${others}; npm run worlds lists them`,
  );
}

/**
 * By zone. Of the snapshots of all zones at or before the tick, the latest one that is whole; where there is none, the latest
 * whole one of each zone.
 */
async function findChosen(
  search: Search,
  histories: readonly (readonly ColdHeader[])[],
  tick: number,
): Promise<(Found | undefined)[]> {
  const sets = groupByTime(histories)
    .filter((set) => set.tick <= tick)
    .sort((a, b) => b.tick - a.tick || b.takenAtMs - a.takenAtMs);
  const read = new Map<ColdHeader, Promise<ZoneSnapshot | undefined>>();
  const readOnce = (zone: number, header: ColdHeader): Promise<ZoneSnapshot | undefined> => {
    const reading = read.get(header) ?? readCold(search, zone, header);
    read.set(header, reading);
    return reading;
  };
  for (const { headers } of sets) {
    const snapshots = await Promise.all(headers.map((header, zone) => header && readOnce(zone, header)));
    if (snapshots.every((snapshot) => snapshot !== undefined)) return snapshots.map(asFound);
  }
  const found: (Found | undefined)[] = [];
  for (const zone of histories.keys()) {
    let snapshot: ZoneSnapshot | undefined;
    for (const header of sets.flatMap(({ headers }) => headers[zone] ?? [])) snapshot ??= await readOnce(zone, header);
    found.push(snapshot && asFound(snapshot));
  }
  const ticks = found.map((entry) => entry?.snapshot.header.tick ?? 'none');
  search.skip(
    `no cold snapshot of all zones at or before tick ${tick} is whole: zones go on from ticks ${ticks.join(', ')}`,
  );
  return found;
}

function asFound(snapshot: ZoneSnapshot): Found {
  return { snapshot, source: 'cold' };
}

function readCold(search: Search, zone: number, header: ColdHeader): Promise<ZoneSnapshot | undefined> {
  return attempt(`the cold snapshot ${header.sequence} of zone ${zone}`, search, async () => {
    const { snapshot, skipped } = await search.stores.cold.latest(
      coldId(zone),
      ({ sequence }) => sequence === header.sequence,
    );
    for (const { reason } of skipped) throw new Error(reason);
    return snapshot && readZone(search, zone, 'the cold store', snapshot.bytes);
  });
}

/** Tells what the start passes over, and keeps what the next snapshots would write over. */
export async function keepLater(search: Search, choice: Choice, sessions: readonly JournalSession[]): Promise<void> {
  const { found, hot, histories } = choice;
  const headers = found.flatMap((entry) => entry?.snapshot.header ?? []);
  const tick = Math.max(...headers.map((header) => header.tick));
  const hotTicks = hot.flatMap((snapshot, zone) => {
    return snapshot && isLater(snapshot, found[zone]) ? snapshot.header.tick : [];
  });
  const coldTick = Math.max(tick, ...histories.flat().map((header) => header.tick));
  const later = [
    ...(hotTicks.length > 0 ? [`hot snapshots of tick ${Math.max(...hotTicks)}, now in the cold history`] : []),
    ...(coldTick > tick ? [`cold snapshots up to tick ${coldTick}`] : []),
    ...sessions.map(({ epoch }) => `the journal of session ${epoch}, now in ${JOURNAL_FOLDER}/${KEPT_JOURNALS_FOLDER}`),
  ];
  const what = later.length === 0 ? 'nothing later is known' : `passed over and kept: ${later.join('; ')}`;
  const takenAt = new Date(Math.max(...headers.map(({ takenAtMs }) => takenAtMs))).toISOString();
  search.log.warn({}, `recovery: the world goes back to tick ${tick}, cold snapshots of ${takenAt}; ${what}`);
  try {
    await keepHot(search, choice);
  } catch (error) {
    throw new Error(
      `the later state cannot be kept in the cold store: ${(error as Error).message}; make it writable, or start with --start auto`,
    );
  }
}

function isLater({ header }: ZoneSnapshot, chosen: Found | undefined): boolean {
  const than = chosen?.snapshot.header;
  return than === undefined || (header.epoch - than.epoch || header.tick - than.tick) > 0;
}

/** The journals that may have play that is later than the chosen snapshots. */
export function laterSessions(
  sessions: readonly JournalSession[],
  found: readonly (Found | undefined)[],
): JournalSession[] {
  const epochMin = Math.min(...found.flatMap((entry) => entry?.snapshot.header.epoch ?? []));
  return sessions.filter(({ epoch }) => epoch >= epochMin);
}

/** Hot snapshots that are later go to the end of the cold history. Rejects where one cannot be kept there. */
async function keepHot(search: Search, { found, hot, histories }: Choice): Promise<void> {
  const { stores } = search;
  for (const [zone, snapshot] of hot.entries()) {
    if (snapshot === undefined || !isLater(snapshot, found[zone])) continue;
    const { tick, takenAtMs, format, compression, ...header } = snapshot.header;
    // At a stop the last of both come from one copy.
    if (histories[zone].some((cold) => cold.takenAtMs >= takenAtMs)) continue;
    const [bytes] = await stores.hot.get([hotKey(zone)]);
    if (bytes === undefined) continue; // expired since it was read
    const { game, seed, bots, zoneColumns = 1, zoneCount, worldWidth, worldHeight, rowCapacity, cellSize } = header;
    const shape = { game, seed, bots, zoneColumns, zoneCount, worldWidth, worldHeight, rowCapacity, cellSize };
    const meta = { ...shape, worldId: header.worldId, format, compression };
    await stores.cold.save(coldId(zone), { bytes, tick, takenAtMs, meta });
  }
}

/** Out of the way of the journal that is written from now on, which prunes what is old. */
export async function keepJournals(data: string, sessions: readonly JournalSession[]): Promise<void> {
  const kept = join(data, JOURNAL_FOLDER, KEPT_JOURNALS_FOLDER);
  if (sessions.length > 0) await mkdir(kept, { recursive: true });
  for (const { epoch, folder } of sessions) await rename(folder, join(kept, String(epoch)));
}
