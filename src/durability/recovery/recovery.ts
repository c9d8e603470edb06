// How a world goes on after its process ended: from the newest whole state of each zone, be it a hot snapshot, the state that a
// journal segment begins with, or a cold snapshot. Then the ticks that the journal has beyond it are run again, or, without a
// journal, the events of the log are applied. Runs in main before any thread starts. The ladder is in README.md.

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { nowMs, wallMs } from '../../base/clock.js';
import { JOURNAL_FOLDER, STORES_FOLDER } from '../../base/data-folder.js';
import type { Log } from '../../base/log.js';
import { isUuid } from '../../base/uuid.js';
import type { Settings } from '../../config/settings.js';
import { chosenColdTick } from '../../config/start-mode.js';
import type { WorldPlan } from '../../engine/plan/world-plan.js';
import type { GameDefinition } from '../../game/definition.js';
import { WorldBuffer } from '../../memory/world/world-buffer.js';
import { loadBackends, openStores, type StoreSettings, type Stores } from '../../stores/open-stores.js';
import type { EventLog } from '../../stores/store-ports.js';
import { DISK, type JournalFiles } from '../journal/journal-disk.js';
import { type JournalSession, listSessions } from '../journal/journal-reader.js';
import { type RulesReport, reportRules, whyNotReplayed } from '../journal/rules-change.js';
import { acquireLeases, type LeaseHolder, openLeases, type StoreLeases } from '../lease/world-lease.js';
import type { SnapshotHeader, WorldShape, ZoneSnapshot } from '../snapshots/zone-snapshot.js';
import { chooseCold, keepJournals, keepLater, laterSessions } from './cold-choice.js';
import { type EventsReport, eventLimits, recoverEvents } from './event-recovery.js';
import {
  findJournal,
  type RecoveredEvents,
  replayJournal,
  ticksBeyond,
  type WorldJournal,
} from './journal-recovery.js';
import { type LastStored, readLastStored } from './last-stored.js';
import { JOURNAL_CURRENT_MS, STORES_WAIT_MS } from './limits.js';
import { describeMissingSegments, describeMissingSnapshots } from './missing-state.js';
import { OwnWriters } from './own-writers.js';
import { checkStart } from './start-refusals.js';
import { fillZone, finishWorld } from './world-fill.js';
import type { WorldFolder } from './world-folder.js';
import { compareAge, type Found, findZone, isOther, type Search, SOURCES, type Source } from './world-search.js';

export interface RecoveryReport {
  /** The last rung of the ladder that a zone needed. */
  source: Source | 'initial';
  /** Of the world that goes on; a new one where it begins anew. */
  worldId: string;
  /** Highest tick of the zones' snapshots. */
  snapshotTick: number;
  /** The tick that the journal brought the world to; null: it was not used. */
  journalTick: number | null;
  /** Events applied where the journal was not used; null: none were looked for, or the log could not be read. */
  events: EventsReport | null;
  ms: number;
  /** Null: a new world, or the caller does not say what its code is. */
  rules: RulesReport | null;
  /** Snapshots and segments that are damaged or missing, and stores that did not answer, each with the reason. */
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
  /** Where the start went back to older snapshots: moves the journals that it gave up out of the way of the next one. */
  keepJournals?: () => Promise<void>;
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
  /** The hash of the game's code. Without it the rules count as unchanged. */
  code?: string;
}

/** Throws with one clear line where a world exists that cannot be gone on with as it was asked for. */
export async function recoverWorld(
  plan: WorldPlan,
  game: GameDefinition,
  shape: WorldShape,
  log: Log,
  { open = openStores, files, waitMs = STORES_WAIT_MS, folder, lease, code }: RecoverySources = {},
): Promise<Recovery> {
  const startMs = nowMs();
  const { data, kafka, redis, mongodb, start } = plan.settings;
  const report: RecoveryReport = {
    source: 'initial',
    worldId: randomUUID(),
    snapshotTick: 0,
    journalTick: null,
    events: null,
    rules: null,
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
      else await takeUp({ plan, game, shape, log, stores, leases, sessions, files, folder, waitMs, code, recovery });
    } catch (error) {
      await Promise.allSettled([leases.hot?.release(), leases.cold?.release()]);
      throw error;
    } finally {
      await Promise.all([leases.hot?.pause(), leases.cold?.pause()]);
      await stores.close();
    }
  }
  report.ms = Math.round(nowMs() - startMs);
  for (const reason of report.skipped) log.warn({}, `recovery: ${reason}`);
  log.info({ ...report, skipped: report.skipped.length }, `the world begins from: ${report.source}`);
  return recovery;
}

/** A journal that ended earlier may be from before the disk was full, or before it was switched off: a store may have more. */
async function isCurrent(
  journal: WorldJournal | undefined,
  sessions: readonly JournalSession[],
  files: JournalFiles = DISK,
): Promise<boolean> {
  const session = sessions.find(({ epoch }) => epoch === journal?.info.epoch);
  const name = session?.segments.at(-1);
  if (session === undefined || name === undefined) return false;
  const { mtimeMs } = await files.stat(join(session.folder, name));
  return Math.abs(wallMs() - mtimeMs) < JOURNAL_CURRENT_MS;
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
  code: string | undefined;
  recovery: Recovery;
}

/** Fills the world's buffers, and the recovery with what was found and done. */
async function takeUp(parts: TakeUp): Promise<void> {
  const { plan, game, shape, log, stores, leases, sessions, files, folder, waitMs, code, recovery } = parts;
  const { skipped } = recovery.report;
  const { data, start } = plan.settings;
  const startMs = nowMs();
  const skip = (reason: string): void => void skipped.push(reason);
  const written = findJournal(plan, game, skip, files); // also where none is to be written from now on
  const newestId = written?.info.epoch === sessions[0]?.epoch ? idOfJournal(written) : '';
  const ownId = folder?.worldId || newestId; // a folder whose world.json was lost has its journal
  const strangers = new Set<string>();
  const journal = isOther({ plan, ownId, strangers }, 'the journal', idOfJournal(written)) ? undefined : written;
  const lastStored = folder === undefined ? undefined : lookUpStored(data, ownId, skip);
  skipped.push(...describeMissingSegments(sessions, lastStored ?? {}));
  const search: Search = {
    ...{ stores, leases, journal, plan, shape, skip, log, ownId, strangers },
    writers: new OwnWriters(data, folder?.writers ?? []),
    misfits: new Map(),
    changes: new Set(),
    answers: { hot: [], cold: [] },
    askUntilMs: (await isCurrent(journal, sessions, files)) ? startMs : startMs + waitMs,
    isWaiting: false,
    unanswered: [],
  };
  // Both leases at once, as each may take seconds. Whoever reads a store below waits for its lease and sees its error.
  for (const lease of [leases.hot, leases.cold]) lease?.acquire().catch(() => {});
  const tick = chosenColdTick(start);
  const choice = tick === undefined ? undefined : await chooseCold(search, tick);
  const findAll = () => Promise.all(plan.worlds.map((_, zone) => findZone(search, zone)));
  let found = choice?.found ?? (await findAll());
  if (choice === undefined && found.includes(undefined) && search.writers.takeCopies()) found = await findAll();
  recovery.epochMin = Math.max(recovery.epochMin, search.writers.copyEpoch + 1);
  skipped.push(...strangers, ...search.writers.lines());
  for (const store of ['hot', 'cold'] as const) {
    const answers = plan.worlds.map((_, zone) => search.answers[store][zone]);
    skipped.push(...describeMissingSnapshots(store, answers, lastStored?.[store], wallMs()));
  }
  if (!checkStart({ search, found, skipped, hasTraces: hasAny(lastStored) })) return;
  if (search.changes.size > 0) log.warn({}, `recovery: columns changed: ${[...search.changes].join('; ')}`);
  const newest = newestOf(found);
  if (code !== undefined && newest !== undefined) recovery.report.rules = reportRules(newest, game, code, log);
  if (choice === undefined) {
    await fillWorld(plan, game, found, journal, recovery, { eventLog: stores.log, waitMs, log, code });
    return;
  }
  // Neither the journal nor the events: they lead on to what is given up.
  await fillWorld(plan, game, found, undefined, recovery, undefined);
  const later = laterSessions(sessions, found);
  await keepLater(search, choice, later);
  recovery.keepJournals = () => keepJournals(data, later);
}

/** What the data folder says was stored of its world. */
function lookUpStored(data: string, ownId: string, skip: (reason: string) => void): LastStored | undefined {
  try {
    const found = readLastStored(data);
    return ownId === '' || found?.worldId === ownId ? found : undefined;
  } catch (error) {
    skip(`what was stored last cannot be read: ${(error as Error).message}`);
    return undefined;
  }
}

function hasAny(stored: LastStored | undefined): boolean {
  return stored?.hot !== undefined || stored?.cold !== undefined || stored?.segment !== undefined;
}

function idOfJournal(journal: WorldJournal | undefined): string {
  return journal?.bases[0]?.header.worldId ?? '';
}

interface EventSource {
  eventLog: EventLog;
  waitMs: number;
  log: Log;
  code: string | undefined;
}

async function fillWorld(
  plan: WorldPlan,
  game: GameDefinition,
  found: readonly (Found | undefined)[],
  journal: WorldJournal | undefined,
  recovery: Recovery,
  events: EventSource | undefined,
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
  const { worldId = '' } = newestOf(found) as SnapshotHeader;
  if (isUuid(worldId)) report.worldId = worldId;
  const skip = (reason: string): void => void report.skipped.push(reason);
  if (journal !== undefined && events !== undefined && isOfSession(bases, journal)) {
    const reason = whyNotReplayed(journal.info, events.code, ticksBeyond(journal, bases));
    const played = reason === undefined ? replayJournal(plan, game, journal, bases, skip, events.log) : undefined;
    if (reason) skip(reason);
    if (played !== undefined) {
      report.journalTick = played.journalTick;
      recovery.tick = played.journalTick;
      recovery.events = played.events;
    }
  }
  finishWorld(worlds, plan.layout.rowCapacity, recovery.tick);
  if (report.journalTick !== null || game.applyEvent === undefined || events === undefined) return;
  const { eventLog, waitMs, log } = events;
  const headers = bases.map((base) => base?.header);
  const past = await recoverEvents({ plan, game, bases: headers, eventLog, limits: eventLimits(waitMs), skip, log });
  if (past === undefined) return;
  report.events = past.report;
  recovery.tick = Math.max(recovery.tick, past.tick);
  finishWorld(worlds, plan.layout.rowCapacity, recovery.tick);
}

function newestOf(found: readonly (Found | undefined)[]): SnapshotHeader | undefined {
  return found.flatMap((entry) => entry?.snapshot ?? []).sort(compareAge)[0]?.header;
}

/** The journal leads on from snapshots of its own session. One zone from elsewhere, and no zone can use it. */
function isOfSession(bases: readonly (ZoneSnapshot | undefined)[], { info }: WorldJournal): bases is ZoneSnapshot[] {
  return bases.every((base) => base?.header.epoch === info.epoch);
}
