// How a world goes on after its process ended: from the newest state of each zone that is whole, be it a hot snapshot, what
// a segment of the journal begins with, or a cold snapshot; then the ticks that the journal has beyond it are run again, or
// what the event log tells since then is applied. Where there is nothing, from the beginning. Runs in main before any thread starts.
//
// Without the journal zones are of different ticks, so an entity that walked over a border meanwhile may be in two of
// them, or in none. In two: the zone with the later tick has it. Ids are given out anew from what is alive.

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { JOURNAL_FOLDER, STORES_FOLDER } from '../../base/data-folder.js';
import type { Log } from '../../base/log.js';
import { isUuid } from '../../base/uuid.js';
import type { Settings } from '../../config/settings.js';
import type { WorldPlan } from '../../engine/plan/world-plan.js';
import type { GameDefinition } from '../../game/definition.js';
import { WorldBuffer } from '../../memory/world/world-buffer.js';
import { Backoff, pause } from '../../stores/deadline.js';
import { loadBackends, openStores, type StoreSettings, type Stores } from '../../stores/open-stores.js';
import { type ColdHeader, type EventLog, PersistError } from '../../stores/store-ports.js';
import { DISK, type JournalFiles } from '../journal/journal-disk.js';
import { type JournalSession, listSessions } from '../journal/journal-reader.js';
import { acquireLeases, type LeaseHolder, openLeases, type StoreLeases, StoreTaken } from '../lease/world-lease.js';
import { ColumnMisfit, migrateColumns } from '../snapshots/column-migration.js';
import { coldId, hotKey } from '../snapshots/snapshotter.js';
import { decodeZone, type WorldShape, type ZoneSnapshot } from '../snapshots/zone-snapshot.js';
import { type EventsReport, eventLimits, recoverEvents } from './event-recovery.js';
import { findJournal, type RecoveredEvents, replayJournal, type WorldJournal } from './journal-recovery.js';
import { OwnWriters, type WrittenHeader } from './own-writers.js';
import { differenceOf } from './world-difference.js';
import { fillZone, finishWorld } from './world-fill.js';
import type { WorldFolder } from './world-folder.js';

/** How long stores that do not answer are asked again, where this folder alone cannot say what the world is. */
const STORES_WAIT_MS = 8000;
/** A journal that was written to so shortly before the start is the end of the world: no store can know more. */
const JOURNAL_CURRENT_MS = 60000;
/** Ticks are numbers of 32 bits: a world that has less than this left is not begun. */
const TICKS_END = 2 ** 31;
const TICKS_LEFT_MIN_SECONDS = 7 * 24 * 3600;
const STORES_PAUSE_MS_MIN = 100;
const STORES_PAUSE_MS_MAX = 1000;

/** Best first, where two are of the same tick. */
const SOURCES = ['hot', 'journal', 'cold'] as const;
type Source = (typeof SOURCES)[number];

export interface RecoveryReport {
  /** Of the zone that has the least of it. */
  source: Source | 'initial';
  /** Of the world that goes on; a new one where it begins anew. */
  worldId: string;
  /** Highest tick of the zones' snapshots. */
  snapshotTick: number;
  /** The tick that the journal brought the world to; null: it had nothing to bring. */
  journalTick: number | null;
  /** What of the event log was applied where the journal had nothing to bring; null: nothing was looked for, or it could not be. */
  events: EventsReport | null;
  ms: number;
  /** Snapshots that were not whole, and stores that did not answer, with the reason. */
  skipped: string[];
}

export function shapeOf(settings: Settings, game: GameDefinition, plan: WorldPlan): WorldShape {
  return {
    game: game.name,
    seed: settings.seed,
    bots: settings.bots,
    zoneColumns: settings.zoneColumns,
    zoneCount: plan.worlds.length,
    worldWidth: settings.worldWidth,
    worldHeight: settings.worldHeight,
    rowCapacity: plan.layout.rowCapacity,
    cellSize: settings.cellSize,
  };
}

export interface Recovery {
  report: RecoveryReport;
  /** The tick that the world goes on from. */
  tick: number;
  /** Above that of every session before. */
  epochMin: number;
  events?: RecoveredEvents;
}

/** Where a world is looked for; by default where the settings say. */
export interface RecoverySources {
  open?: (settings: StoreSettings) => Stores;
  files?: JournalFiles;
  waitMs?: number;
  /** What the data folder says of itself; without it any world that is stored is taken. */
  folder?: WorldFolder;
  /** Who may write to stores that other servers reach; it stays with them for the I/O thread. */
  lease?: LeaseHolder;
}

/**
 * What is stored may be another world than the settings ask for: then the world begins anew, or, where it was to be
 * resumed, this throws with one clear line.
 */
export async function recoverWorld(
  plan: WorldPlan,
  game: GameDefinition,
  shape: WorldShape,
  log: Log,
  { open = openStores, files, waitMs = STORES_WAIT_MS, folder, lease }: RecoverySources = {},
): Promise<Recovery> {
  const startMs = performance.now();
  const { data, kafka, redis, mongodb, start } = plan.settings;
  const report: RecoveryReport = {
    source: 'initial',
    worldId: randomUUID(),
    snapshotTick: 0,
    journalTick: null,
    events: null,
    ms: 0,
    skipped: [],
  };
  const skip = (reason: string): void => void report.skipped.push(reason);
  const sessions = listSessions(join(data, JOURNAL_FOLDER), files);
  const recovery: Recovery = { report, tick: 0, epochMin: (sessions[0]?.epoch ?? 0) + 1 };
  const isLeased = lease !== undefined && (redis !== '' || mongodb !== '');
  if (start !== 'fresh' || isLeased) {
    const onNotice = (line: string): void => log.warn({}, line);
    await loadBackends({ kafka, redis, mongodb });
    const stores = open({ folder: join(data, STORES_FOLDER), kafka, redis, mongodb, onNotice });
    const leases = isLeased ? openLeases(stores, { redis, mongodb }, lease, onNotice) : {};
    try {
      if (start === 'fresh') await acquireLeases(leases, skip);
      else await takeUp({ plan, game, shape, log, stores, leases, sessions, files, folder, waitMs, recovery });
    } catch (error) {
      await Promise.allSettled([leases.hot?.release(), leases.cold?.release()]);
      throw error;
    } finally {
      await Promise.all([leases.hot?.pause(), leases.cold?.pause()]);
      await stores.close();
    }
  }
  report.ms = Math.round(performance.now() - startMs);
  for (const reason of report.skipped) log.warn({}, `recovery: ${reason}`);
  log.info({ ...report, skipped: report.skipped.length }, `the world begins from: ${report.source}`);
  return recovery;
}

/** An older one may be of before the disk was full, or of before it was switched off: then a store may have more. */
async function isCurrent(
  journal: WorldJournal | undefined,
  sessions: readonly JournalSession[],
  files: JournalFiles = DISK,
): Promise<boolean> {
  const session = sessions.find(({ epoch }) => epoch === journal?.info.epoch);
  const name = session?.segments.at(-1);
  if (session === undefined || name === undefined) return false;
  const { mtimeMs } = await files.stat(join(session.folder, name));
  return Math.abs(Date.now() - mtimeMs) < JOURNAL_CURRENT_MS;
}

interface TakeUp {
  plan: WorldPlan;
  game: GameDefinition;
  shape: WorldShape;
  log: Log;
  stores: Stores;
  leases: StoreLeases;
  sessions: readonly JournalSession[];
  files: JournalFiles | undefined;
  folder: WorldFolder | undefined;
  waitMs: number;
  recovery: Recovery;
}

/** Fills the world's buffers with what there is of it, and the recovery with what became of that. */
async function takeUp(parts: TakeUp): Promise<void> {
  const { plan, game, shape, log, stores, leases, sessions, files, folder, waitMs, recovery } = parts;
  const { report } = recovery;
  const { data, start } = plan.settings;
  const startMs = performance.now();
  const skip = (reason: string): void => void report.skipped.push(reason);
  const written = findJournal(plan, game, skip, files); // also where none is to be written from now on
  const newestId = written?.info.epoch === sessions[0]?.epoch ? idOfJournal(written) : '';
  const ownId = folder?.worldId || newestId; // a folder of before it said so has its journal
  const strangers = new Set<string>();
  const journal = isOther({ plan, ownId, strangers }, 'the journal', idOfJournal(written)) ? undefined : written;
  const search: Search = {
    ...{ stores, leases, journal, plan, shape, report, log, ownId, strangers },
    writers: new OwnWriters(data, folder?.writers ?? []),
    misfits: new Map(),
    changes: new Set(),
    askUntilMs: (await isCurrent(journal, sessions, files)) ? startMs : startMs + waitMs,
    isWaiting: false,
    unanswered: [],
  };
  // Side by side, as each may take its time; what comes of it is told to those who ask again below.
  for (const lease of [leases.hot, leases.cold]) lease?.acquire().catch(() => {});
  const findAll = () => Promise.all(plan.worlds.map((_, zone) => findZone(search, zone)));
  let found = await findAll();
  if (found.includes(undefined) && search.writers.takeCopies()) found = await findAll();
  recovery.epochMin = Math.max(recovery.epochMin, search.writers.copyEpoch + 1);
  report.skipped = [...new Set([...report.skipped, ...strangers, ...search.writers.lines()])];
  refuseMisfits(search, found);
  refuseSilence(search, found);
  const stranger = found.find((entry) => entry && differenceOf(entry.snapshot.header, shape) !== undefined);
  if (stranger === undefined) {
    if (start === 'resume') refuseGaps(search, found);
    refuseAge(search, found);
    if (search.changes.size > 0) log.warn({}, `recovery: columns changed: ${[...search.changes].join('; ')}`);
    await fillWorld(plan, game, found, journal, recovery, { eventLog: stores.log, waitMs, log });
  } else {
    const difference = `${data} keeps another world: ${differenceOf(stranger.snapshot.header, shape)}`;
    if (start === 'resume') {
      throw new Error(
        `start is resume, but ${difference}; use the settings of that world, another --data folder, or --start auto`,
      );
    }
    skip(`${difference}; this one begins anew in its place`);
  }
}

interface Found {
  snapshot: ZoneSnapshot;
  source: Source;
}

interface Search {
  /** Of the world that the data folder is; '' where it does not say. */
  ownId: string;
  /** What was passed over because it is of another world, once per place and world. */
  strangers: Set<string>;
  /** Tells what a server on a copy of the data folder wrote. */
  writers: OwnWriters;
  stores: Stores;
  leases: StoreLeases;
  journal: WorldJournal | undefined;
  plan: WorldPlan;
  shape: WorldShape;
  report: RecoveryReport;
  /** Why whole snapshots of a zone cannot be taken up, the newest one first. */
  misfits: Map<number, string>;
  /** What became of columns that the game had, or has now. */
  changes: Set<string>;
  log: Log;
  askUntilMs: number;
  isWaiting: boolean;
  /** What could not be asked in time. */
  unanswered: string[];
}

/** The latest of what there is of a zone. */
async function findZone(search: Search, zone: number): Promise<Found | undefined> {
  const { stores, leases, journal, report } = search;
  const hot = await attempt(`the hot snapshot of zone ${zone}`, search, async () => {
    await leases.hot?.acquire(); // what another server is writing is not ours to take up
    const [bytes] = await stores.hot.get([hotKey(zone)]);
    return bytes && readZone(search, zone, 'the hot store', bytes);
  });
  const cold = await attempt(`the cold snapshot of zone ${zone}`, search, async () => {
    await leases.cold?.acquire();
    // The history may be of several worlds that took turns.
    const isWanted = ({ meta, tick }: ColdHeader): boolean =>
      isOwn(search, 'the cold store', { ...meta, tick } as WrittenHeader & { worldId?: string });
    const { snapshot, skipped } = await stores.cold.latest(coldId(zone), isWanted);
    for (const { sequence, reason } of skipped) {
      report.skipped.push(`the cold snapshot ${sequence} of zone ${zone}: ${reason}`);
    }
    return snapshot && readZone(search, zone, 'the cold store', snapshot.bytes);
  });
  const snapshots: Record<Source, ZoneSnapshot | undefined> = { hot, journal: journal?.bases[zone], cold };
  const found: Found[] = [];
  for (const source of SOURCES) {
    const snapshot = snapshots[source];
    if (snapshot !== undefined) found.push({ snapshot, source });
  }
  return found.sort((a, b) => compareAge(a.snapshot, b.snapshot))[0];
}

/** Later ones first. Ticks are one order within a session only. */
function compareAge({ header: a }: ZoneSnapshot, { header: b }: ZoneSnapshot): number {
  return b.epoch - a.epoch || b.tick - a.tick;
}

/** Of this folder's world, and not of a copy of the folder. */
function isOwn(search: Search, where: string, header: WrittenHeader & { worldId?: string }): boolean {
  return !isOther(search, where, header.worldId) && !search.writers.passesOver(where, header);
}

/** Snapshots of before worlds had ids may be of any world. */
function isOther(
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

function idOfJournal(journal: WorldJournal | undefined): string {
  return journal?.bases[0]?.header.worldId ?? '';
}

/** Columns of a world of another shape are left alone: it is told below that it is another one. */
function readZone(search: Search, zone: number, where: string, bytes: Uint8Array): ZoneSnapshot | undefined {
  const { plan, shape, misfits, changes } = search;
  const snapshot = decodeZone(bytes);
  if (!isOwn(search, where, snapshot.header)) return undefined;
  if (differenceOf(snapshot.header, shape) !== undefined) {
    return snapshot;
  }
  try {
    const migration = migrateColumns(snapshot, plan.layout.columns);
    for (const change of migration.changes) changes.add(change);
    return migration.snapshot;
  } catch (error) {
    if (error instanceof ColumnMisfit && !misfits.has(zone)) misfits.set(zone, error.message);
    throw error;
  }
}

/** A zone that has snapshots, of which none fits, would begin empty in the middle of a world that goes on. */
function refuseMisfits({ plan, misfits }: Search, found: readonly (Found | undefined)[]): void {
  const { start, data } = plan.settings;
  const zone = found.findIndex((entry, index) => entry === undefined && misfits.has(index));
  if (start === 'resume' && zone >= 0) {
    throw new Error(
      `start is resume, but the world in ${data} does not fit the game: in zone ${zone}, ${misfits.get(zone)}; use the game that wrote it, another --data folder, or --start auto`,
    );
  }
}

/** Where nothing may begin anew, neither may a zone of which there is nothing, or nothing that can be read. */
function refuseGaps({ plan, report }: Search, found: readonly (Found | undefined)[]): void {
  const zone = found.indexOf(undefined);
  if (zone < 0) return;
  const { data } = plan.settings;
  const reason = report.skipped.find((line) => line.includes(`zone ${zone}:`)) ?? report.skipped[0];
  const what =
    reason === undefined
      ? `nothing is stored of ${found.some((entry) => entry) ? `zone ${zone} of the world` : 'a world'} in ${data}`
      : `zone ${zone} of the world in ${data} cannot be had: ${reason}`;
  throw new Error(`start is resume, but ${what}; mend that, or use --start auto to begin anew what is missing`);
}

/** Where a store that did not answer may keep the world, another one must not begin in its place and be written over it. */
function refuseSilence({ plan, unanswered, report }: Search, found: readonly (Found | undefined)[]): void {
  const { start, data } = plan.settings;
  if (start === 'resume' || unanswered.length === 0 || !found.includes(undefined)) return; // resume has its own refusal
  const unusable = report.skipped.find((line) => /^(the )?journal /.test(line));
  const journal =
    unusable === undefined ? `${data} has no journal of one` : `the journal in ${data} cannot be used: ${unusable}`;
  throw new Error(
    `whether a world is stored cannot be told: ${unanswered[0]}, and ${journal}; bring the store back, or use --start fresh to begin a new world over whatever it keeps`,
  );
}

/** At the end of their numbers ticks would turn negative, and such a world stands still without a word when it is begun again. */
function refuseAge({ plan }: Search, found: readonly (Found | undefined)[]): void {
  const { data, tickHz } = plan.settings;
  const tickMax = TICKS_END - TICKS_LEFT_MIN_SECONDS * tickHz;
  const tick = Math.max(0, ...found.map((entry) => (entry === undefined ? 0 : entry.snapshot.header.tick >>> 0)));
  if (tick <= tickMax) return;
  throw new Error(
    `the world in ${data} is ${tick} ticks old, and at ${tickHz} ticks per second it can be begun up to ${tickMax}, a week before their numbers end; use another --data folder, or --start fresh to begin a new world in its place`,
  );
}

/** A store that does not answer is asked again for a while: it may be starting beside us. */
async function attempt<T>(what: string, search: Search, read: () => Promise<T>): Promise<T | undefined> {
  const backoff = new Backoff(STORES_PAUSE_MS_MIN, STORES_PAUSE_MS_MAX);
  for (;;) {
    try {
      return await read();
    } catch (error) {
      if (error instanceof StoreTaken) throw error;
      const isSilent = error instanceof PersistError && error.retriable;
      const line = `${what}: ${(error as Error).message}`;
      const leftMs = search.askUntilMs - performance.now();
      if (!isSilent || leftMs <= 0) {
        search.report.skipped.push(line);
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

interface EventSource {
  eventLog: EventLog;
  waitMs: number;
  log: Log;
}

async function fillWorld(
  plan: WorldPlan,
  game: GameDefinition,
  found: readonly (Found | undefined)[],
  journal: WorldJournal | undefined,
  recovery: Recovery,
  { eventLog, waitMs, log }: EventSource,
): Promise<void> {
  const { report } = recovery;
  const worlds = plan.worlds.map((buffer) => new WorldBuffer(buffer, plan.layout));
  const sources = new Set<Source>();
  for (const [zone, entry] of found.entries()) {
    if (entry === undefined) continue;
    const { header } = entry.snapshot;
    fillZone(worlds[zone], entry.snapshot);
    sources.add(entry.source);
    report.snapshotTick = Math.max(report.snapshotTick, header.tick);
    recovery.epochMin = Math.max(recovery.epochMin, header.epoch + 1);
  }
  if (sources.size === 0) return;
  report.source = SOURCES.findLast((source) => sources.has(source)) as Source;
  recovery.tick = report.snapshotTick;
  const bases = found.map((entry) => entry?.snapshot);
  const { worldId = '' } = bases.flatMap((base) => base ?? []).sort(compareAge)[0].header;
  if (isUuid(worldId)) report.worldId = worldId; // snapshots of before worlds had ids have none
  const skip = (reason: string): void => void report.skipped.push(reason);
  if (journal !== undefined && isOfSession(bases, journal)) {
    const played = replayJournal(plan, game, journal, bases, skip, log);
    if (played !== undefined) {
      report.journalTick = played.journalTick;
      recovery.tick = played.journalTick;
      recovery.events = played.events;
    }
  }
  finishWorld(worlds, plan.layout.rowCapacity, recovery.tick);
  if (report.journalTick !== null || game.applyEvent === undefined) return;
  const headers = bases.map((base) => base?.header);
  const past = await recoverEvents({ plan, game, bases: headers, eventLog, limits: eventLimits(waitMs), skip, log });
  if (past === undefined) return;
  report.events = past.report;
  recovery.tick = Math.max(recovery.tick, past.tick);
  finishWorld(worlds, plan.layout.rowCapacity, recovery.tick);
}

/** Zones of which one is from elsewhere cannot be brought to one tick: then none of them is. */
function isOfSession(bases: readonly (ZoneSnapshot | undefined)[], { info }: WorldJournal): bases is ZoneSnapshot[] {
  return bases.every((base) => base?.header.epoch === info.epoch);
}
