// What is stored of worlds: sessions of the journal, hot and cold snapshots, each with whether it is whole. Only reads, also
// beside a running server: no lease is taken and nothing is written.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { JOURNAL_FOLDER } from '../../base/data-folder.js';
import { ZONES_MAX } from '../../engine/limits.js';
import type { ColdHeader, ColdStore, HotStore } from '../../stores/store-ports.js';
import { findMissingSegments, type JournalSession, listSessions } from '../journal/journal-reader.js';
import { KEPT_JOURNALS_FOLDER, readSessionInfo } from '../journal/journal-session.js';
import { coldId, hotKey } from '../snapshots/snapshotter.js';
import { decodeZone } from '../snapshots/zone-snapshot.js';
import { groupByTime } from './cold-choice.js';
import { WORLD_FILE } from './world-folder.js';

export interface ListedSnapshot {
  zone: number;
  /** '' where that cannot be read. */
  worldId: string;
  tick: number;
  takenAt: string;
  bytes: number;
  /** '': it is whole. Else what is wrong with it. */
  damage: string;
}

/** One cold snapshot of the world, all zones of one time. */
export interface ListedCold {
  /** For --start cold:TICK. */
  tick: number;
  takenAt: string;
  zones: ListedSnapshot[];
}

export interface ListedSession {
  session: number;
  /** Given up by a start from older snapshots, and out of use. */
  isKept: boolean;
  startedAt: string;
  game: string;
  segments: number;
  missing: string[];
  bytes: number;
  /** When it was written last. */
  writtenAt: string;
  /** '': it can be read. */
  damage: string;
}

export interface WorldList {
  data: string;
  /** '' where the folder is no world yet. */
  worldId: string;
  /** Newest first, all three. */
  journal: ListedSession[];
  hot: ListedSnapshot[];
  cold: ListedCold[];
}

export async function listWorlds(data: string, hot: HotStore, cold: ColdStore): Promise<WorldList> {
  const kept = join(data, JOURNAL_FOLDER, KEPT_JOURNALS_FOLDER);
  return {
    data,
    worldId: readWorldId(data),
    journal: [
      ...listSessions(join(data, JOURNAL_FOLDER)).map((session) => listSession(session, false)),
      ...listSessions(kept).map((session) => listSession(session, true)),
    ],
    hot: await listHot(hot),
    cold: await listColdSets(cold),
  };
}

function readWorldId(data: string): string {
  try {
    const { worldId } = JSON.parse(readFileSync(join(data, WORLD_FILE), 'utf8')) as { worldId?: string };
    return worldId ?? '';
  } catch {
    return '';
  }
}

function listSession(session: JournalSession, isKept: boolean): ListedSession {
  const { epoch, folder, segments } = session;
  const files = segments.flatMap((name) => statSync(join(folder, name), { throwIfNoEntry: false }) ?? []);
  const described = { startedAt: '', game: '', damage: '' };
  try {
    const { startedAt, game, gameVersion } = readSessionInfo(session);
    Object.assign(described, { startedAt, game: `${game} ${gameVersion}` });
  } catch (error) {
    described.damage = (error as Error).message;
  }
  return {
    session: epoch,
    isKept,
    ...described,
    segments: segments.length,
    missing: findMissingSegments(segments),
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    writtenAt: timeText(Math.max(0, ...files.map(({ mtimeMs }) => mtimeMs))),
  };
}

async function listHot(hot: HotStore): Promise<ListedSnapshot[]> {
  const found: ListedSnapshot[] = [];
  for (let zone = 0; zone < ZONES_MAX; zone++) {
    try {
      const [bytes] = await hot.get([hotKey(zone)]);
      if (bytes !== undefined) found.push(inspect(zone, bytes));
    } catch (error) {
      // Damaged, of another type: a store that is away ends the list.
      if ((error as { kind?: string }).kind !== 'corrupt') throw error;
      found.push({ zone, worldId: '', tick: 0, takenAt: '', bytes: 0, damage: (error as Error).message });
    }
  }
  return found;
}

function inspect(zone: number, bytes: Uint8Array): ListedSnapshot {
  const listed = { zone, worldId: '', tick: 0, takenAt: '', bytes: bytes.length, damage: '' };
  try {
    const { worldId = '', tick, takenAtMs } = decodeZone(bytes).header;
    return { ...listed, worldId, tick, takenAt: timeText(takenAtMs) };
  } catch (error) {
    return { ...listed, damage: (error as Error).message };
  }
}

async function listColdSets(cold: ColdStore): Promise<ListedCold[]> {
  const histories: ColdHeader[][] = [];
  for (let zone = 0; zone < ZONES_MAX; zone++) {
    const headers: ColdHeader[] = [];
    await cold.latest(coldId(zone), (header) => headers.push(header) < 0);
    histories.push(headers);
  }
  const sets: ListedCold[] = [];
  for (const { tick, takenAtMs, headers } of groupByTime(histories)) {
    const zones: ListedSnapshot[] = [];
    for (const [zone, header] of headers.entries()) {
      if (header !== undefined) zones.push(await inspectCold(cold, zone, header));
    }
    sets.push({ tick, takenAt: timeText(takenAtMs), zones });
  }
  return sets;
}

async function inspectCold(cold: ColdStore, zone: number, header: ColdHeader): Promise<ListedSnapshot> {
  const { snapshot, skipped } = await cold.latest(coldId(zone), ({ sequence }) => sequence === header.sequence);
  const { tick, takenAtMs, byteCount, meta } = header;
  const damage = skipped[0]?.reason ?? (snapshot === undefined ? 'it was removed meanwhile' : '');
  const listed = { zone, tick, bytes: byteCount, takenAt: timeText(takenAtMs), worldId: String(meta.worldId ?? '') };
  return { ...listed, damage: damage || (snapshot === undefined ? '' : inspect(zone, snapshot.bytes).damage) };
}

/** '' for none. */
function timeText(ms: number): string {
  return ms > 0 ? new Date(ms).toISOString() : '';
}

/** Whether there is anything that a server may have written. */
export function isDataFolder(data: string): boolean {
  try {
    return readdirSync(data).length > 0;
  } catch {
    return false;
  }
}
