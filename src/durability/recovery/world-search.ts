// Looks for the newest whole state of each zone: the hot snapshot, what a segment of the journal begins with, the cold
// snapshot. Stores may be slow, silent, damaged, or another world's; what is passed over is told to `skip`.

import { nowMs } from '../../base/clock.js';
import type { Log } from '../../base/log.js';
import { isUuid } from '../../base/uuid.js';
import type { WorldPlan } from '../../engine/plan/world-plan.js';
import { Backoff, pause } from '../../stores/deadline.js';
import type { Stores } from '../../stores/open-stores.js';
import { type ColdHeader, PersistError } from '../../stores/store-ports.js';
import { type StoreLeases, StoreTaken } from '../lease/world-lease.js';
import { ColumnMisfit, migrateColumns } from '../snapshots/column-migration.js';
import { coldId, hotKey } from '../snapshots/snapshotter.js';
import { decodeZone, type WorldShape, type ZoneSnapshot } from '../snapshots/zone-snapshot.js';
import type { WorldJournal } from './journal-recovery.js';
import { STORES_PAUSE_MS_MAX, STORES_PAUSE_MS_MIN } from './limits.js';
import type { StoreAnswer } from './missing-state.js';
import type { OwnWriters, WrittenHeader } from './own-writers.js';
import { differencesOf } from './world-difference.js';

/** Best first, where two are of the same tick. */
export const SOURCES = ['hot', 'journal', 'cold'] as const;
export type Source = (typeof SOURCES)[number];

export interface Found {
  snapshot: ZoneSnapshot;
  source: Source;
}

export interface Search {
  plan: WorldPlan;
  shape: WorldShape;
  stores: Stores;
  leases: StoreLeases;
  journal: WorldJournal | undefined;
  log: Log;
  skip(reason: string): void;
  /** Of the world that the data folder is; '' where it does not say. */
  ownId: string;
  /** What was passed over because it is of another world, once per place and world. */
  strangers: Set<string>;
  /** Tells what a server on a copy of the data folder wrote. */
  writers: OwnWriters;
  /** Why whole snapshots of a zone cannot be taken up, the newest one first. */
  misfits: Map<number, string>;
  /** What became of columns that the game had, or has now. */
  changes: Set<string>;
  /** By zone, what each store has; none where it could not be asked. */
  answers: Record<'hot' | 'cold', StoreAnswer[]>;
  /** By the monotonic clock. */
  askUntilMs: number;
  isWaiting: boolean;
  /** What could not be asked in time. */
  unanswered: string[];
}

/** The newest state of a zone. */
export async function findZone(search: Search, zone: number): Promise<Found | undefined> {
  const [hot, cold] = [await findHot(search, zone), await findCold(search, zone)];
  const snapshots: Record<Source, ZoneSnapshot | undefined> = { hot, journal: search.journal?.bases[zone], cold };
  const found: Found[] = [];
  for (const source of SOURCES) {
    const snapshot = snapshots[source];
    if (snapshot !== undefined) found.push({ snapshot, source });
  }
  return found.sort((a, b) => compareAge(a.snapshot, b.snapshot))[0];
}

export function findHot(search: Search, zone: number): Promise<ZoneSnapshot | undefined> {
  const { stores, leases, answers } = search;
  return attempt(`the hot snapshot of zone ${zone}`, search, async () => {
    await leases.hot?.acquire(); // what another server is writing is not ours to take up
    answers.hot[zone] = { isPresent: true }; // also where reading it fails for good
    const [bytes] = await stores.hot.get([hotKey(zone)]);
    answers.hot[zone].isPresent = bytes !== undefined;
    const snapshot = bytes && readZone(search, zone, 'the hot store', bytes);
    if (snapshot !== undefined) answers.hot[zone].newest = snapshot.header;
    return snapshot;
  });
}

function findCold(search: Search, zone: number): Promise<ZoneSnapshot | undefined> {
  return attempt(`the cold snapshot of zone ${zone}`, search, async () => {
    await search.leases.cold?.acquire();
    const headers: ColdHeader[] = [];
    const { snapshot, skipped } = await search.stores.cold.latest(coldId(zone), (header) => {
      const isWanted = isOwnCold(search, header);
      if (isWanted) headers.push(header);
      return isWanted;
    });
    noteCold(search, zone, headers);
    for (const { sequence, reason } of skipped) {
      search.skip(`the cold snapshot ${sequence} of zone ${zone}: ${reason}`);
    }
    return snapshot && readZone(search, zone, 'the cold store', snapshot.bytes);
  });
}

/** This world's, newest first. The history may be of several worlds that took turns. */
export async function listCold(search: Search, zone: number): Promise<ColdHeader[]> {
  await search.leases.cold?.acquire();
  const headers: ColdHeader[] = [];
  await search.stores.cold.latest(coldId(zone), (header) => {
    if (isOwnCold(search, header)) headers.push(header);
    return false; // its bytes are not read yet
  });
  noteCold(search, zone, headers);
  return headers;
}

function noteCold({ answers }: Search, zone: number, headers: readonly ColdHeader[]): void {
  const isReadable = headers.length > 0 && headers.every(({ takenAtMs }) => takenAtMs > 0);
  answers.cold[zone] = { isPresent: headers.length > 0, ...(isReadable && { newest: headers[0] }) };
}

/** Later ones first. Ticks are one order within a session only. */
export function compareAge({ header: a }: ZoneSnapshot, { header: b }: ZoneSnapshot): number {
  return b.epoch - a.epoch || b.tick - a.tick;
}

/** A snapshot that names no world may be of any. */
export function isOther(
  { plan, ownId, strangers }: Pick<Search, 'plan' | 'ownId' | 'strangers'>,
  where: string,
  worldId: string | number | undefined,
): boolean {
  if (ownId === '' || worldId === ownId || !isUuid(String(worldId))) return false;
  const { data } = plan.settings;
  strangers.add(
    `${where} keeps world ${worldId}, but ${data} is world ${ownId}: what is of the other one is passed over`,
  );
  return true;
}

/** Of this folder's world, and not of a copy of the folder. */
function isOwn(search: Search, where: string, header: WrittenHeader & { worldId?: string }): boolean {
  return !isOther(search, where, header.worldId) && !search.writers.passesOver(where, header);
}

function isOwnCold(search: Search, { meta, tick }: ColdHeader): boolean {
  return isOwn(search, 'the cold store', { ...meta, tick } as WrittenHeader & { worldId?: string });
}

/** Columns of a world of another shape are left alone: the start is refused for the shape. */
export function readZone(search: Search, zone: number, where: string, bytes: Uint8Array): ZoneSnapshot | undefined {
  const { plan, shape, misfits, changes } = search;
  const snapshot = decodeZone(bytes);
  if (!isOwn(search, where, snapshot.header)) return undefined;
  if (differencesOf(snapshot.header, shape).length > 0) return snapshot;
  try {
    const migration = migrateColumns(snapshot, plan.layout.columns);
    for (const change of migration.changes) changes.add(change);
    return migration.snapshot;
  } catch (error) {
    if (error instanceof ColumnMisfit && !misfits.has(zone)) misfits.set(zone, error.message);
    throw error;
  }
}

/** A store that does not answer is asked again for a while: it may be starting beside us. */
export async function attempt<T>(what: string, search: Search, read: () => Promise<T>): Promise<T | undefined> {
  const backoff = new Backoff(STORES_PAUSE_MS_MIN, STORES_PAUSE_MS_MAX);
  for (;;) {
    try {
      return await read();
    } catch (error) {
      if (error instanceof StoreTaken) throw error;
      const isSilent = error instanceof PersistError && error.retriable;
      const line = `${what}: ${(error as Error).message}`;
      const leftMs = search.askUntilMs - nowMs();
      if (!isSilent || leftMs <= 0) {
        search.skip(line);
        if (isSilent) search.unanswered.push(line);
        return undefined;
      }
      if (!search.isWaiting) search.log.warn({}, `recovery: ${line}; asked again for ${Math.ceil(leftMs / 1000)} s`);
      search.isWaiting = true;
      backoff.failed();
      await pause(Math.min(backoff.pauseMs, leftMs));
    }
  }
}
