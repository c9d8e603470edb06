// Recovery from the journal: finds the newest session that can be gone on from, and runs the ticks again that its snapshots do
// not have. All zones stop at the last tick that every journal has, so that an entity that walked over a border is in
// one zone or on its way, and never in two.

import { join } from 'node:path';
import { nowMs } from '../../base/clock.js';
import { JOURNAL_FOLDER } from '../../base/data-folder.js';
import type { Log } from '../../base/log.js';
import { keyOfPacked, travellingColumns } from '../../engine/borders/handoff.js';
import type { WorldPlan } from '../../engine/plan/world-plan.js';
import { type Departure, ZoneReplay } from '../../engine/replay/zone-replay.js';
import type { GameDefinition } from '../../game/definition.js';
import { EVENT_RECORD_BYTES } from '../../memory/limits.js';
import { EVENT_TICK } from '../../memory/records/thread-records.js';
import { compareHashes, hashBlock } from '../../memory/world/state-hash.js';
import { LIVE_BLOCK, WorldBuffer } from '../../memory/world/world-buffer.js';
import { SCALAR_JOURNALED, SCALAR_TICK } from '../../memory/world/world-layout.js';
import type { JournalFiles } from '../journal/journal-disk.js';
import { describeDamage, type ExpectedHash, type JournalRecord } from '../journal/journal-file.js';
import { type JournalSession, listSessions, readSegment } from '../journal/journal-reader.js';
import { checkGame, planAsThen, readSessionInfo, type SessionInfo } from '../journal/journal-session.js';
import { decodeZone, type ZoneSnapshot } from '../snapshots/zone-snapshot.js';
import { CUT_MS_MAX, PROGRESS_MS, UNFLUSHED_MS_MAX } from './limits.js';
import { aliveKeys, fillZone } from './world-fill.js';

export interface WorldJournal {
  info: SessionInfo;
  /** By zone. */
  bases: ZoneSnapshot[];
  records: JournalRecord[][];
  hashes: ExpectedHash[];
}

/** Events of the ticks that were run again. The log may have them already, under the same ids. */
export interface RecoveredEvents {
  epoch: number;
  originMs: number;
  tickHz: number;
  /** Records of the event ring. */
  records: Uint8Array;
}

/** The newest usable session, from its newest segment whose states are whole and that has ticks beyond them. `skip` is told what cannot be used. */
export function findJournal(
  plan: WorldPlan,
  game: GameDefinition,
  skip: (reason: string) => void,
  files?: JournalFiles,
): WorldJournal | undefined {
  for (const session of listSessions(join(plan.settings.data, JOURNAL_FOLDER), files)) {
    try {
      const info = readSessionInfo(session);
      checkGame(info, game, plan.layout.hash);
      const journal = readJournal(session, info, skip, files);
      if (journal !== undefined) return journal;
    } catch (error) {
      skip(`the journal of session ${session.epoch}: ${(error as Error).message}`);
    }
  }
  return undefined;
}

function readJournal(
  session: JournalSession,
  info: SessionInfo,
  skip: (reason: string) => void,
  files: JournalFiles | undefined,
): WorldJournal | undefined {
  const { segments } = session;
  // Of a world with other zones too: the start is refused by what its states say.
  const zoneCount = info.settings.zoneColumns * info.settings.zoneRows;
  const read = segments.map(() => undefined as ReturnType<typeof readSegment> | undefined);
  let newest: WorldJournal | undefined;
  for (let start = segments.length - 1; start >= 0; start--) {
    const segment = readSegment(session, segments[start], files);
    read[start] = segment;
    const name = `journal ${session.epoch}/${segments[start]}`;
    for (const damage of segment.damages) skip(`${name}: ${describeDamage(damage)}`);
    const bases = decodeBases(segment.bases, zoneCount, (reason) => skip(`${name}: ${reason}`));
    if (bases === undefined) continue;
    const journal: WorldJournal = { info, bases, records: bases.map(() => []), hashes: [] };
    for (let i = start; i < segments.length; i++) {
      const part = read[i];
      for (const record of part?.records ?? []) journal.records[record.zone]?.push(record);
      for (const hash of part?.hashes ?? []) journal.hashes.push(hash);
    }
    newest ??= journal;
    const end = endOf(journal);
    if (Math.max(...bases.map(({ header }) => header.tick)) > end) continue;
    // This one may end at the gap that the newer one was begun for: then the newer one leads further.
    return endOf(newest) - end > ticksOf(journal, CUT_MS_MAX) ? newest : journal;
  }
  return newest;
}

/** The tick up to which every zone's records are complete. */
function endOf({ bases, records }: WorldJournal): number {
  return Math.min(...bases.map((base, zone) => wayFrom(base, records[zone]).end));
}

function ticksOf({ info }: WorldJournal, ms: number): number {
  return Math.round((info.settings.tickHz * ms) / 1000);
}

/** A state of a zone, and the records that lead on from it. */
interface Way {
  base: ZoneSnapshot;
  chain: JournalRecord[];
  end: number;
}

function wayFrom(base: ZoneSnapshot, records: readonly JournalRecord[]): Way {
  const chain = recordsAfter(records, base.scalars[SCALAR_JOURNALED]);
  return { base, chain, end: chain.at(-1)?.tick ?? base.header.tick };
}

function leadsTo({ base, end }: Way, tick: number): boolean {
  return base.header.tick <= tick && tick <= end;
}

/** The last tick that every zone can reach by one of its ways; undefined: there is none. */
function findCommonTick(waysOfZones: readonly (readonly Way[])[]): number | undefined {
  let tick = Math.min(...waysOfZones.map((ways) => Math.max(...ways.map(({ end }) => end))));
  for (;;) {
    const ways = waysOfZones.find((found) => !found.some((way) => leadsTo(way, tick)));
    if (ways === undefined) return tick;
    const sooner = ways.filter(({ end }) => end < tick).map(({ end }) => end);
    if (sooner.length === 0) return undefined;
    tick = Math.max(...sooner);
  }
}

/**
 * By zone, the snapshot that was found or the journal's own state, and the tick at which all of them stop. A snapshot that is
 * newer than what all journals hold would be alone with its tick, and whoever walked over a border just then would be
 * lost: so there it is the journal's state, if that leads as far as the others'. Not where a journal ends long before all
 * snapshots: ticks are missing from it, and to go back behind them would cost everybody more.
 */
function chooseWays(
  journal: WorldJournal,
  found: readonly ZoneSnapshot[],
  skip: (reason: string) => void,
): { ways: Way[]; cut: number } {
  const all = found.map((base, zone) =>
    [base, journal.bases[zone]].map((from) => wayFrom(from, journal.records[zone])),
  );
  const cutTicksMax = ticksOf(journal, CUT_MS_MAX);
  const farthest = all.map(([a, b]) => (b.end > a.end ? b : a));
  const ends = farthest.map(({ end }) => end);
  const [first, last] = [Math.min(...ends), Math.max(...ends)];
  const oldest = Math.min(...found.map(({ header }) => header.tick));
  const common = findCommonTick(all);
  if (common !== undefined && last - common <= cutTicksMax && oldest - common <= ticksOf(journal, UNFLUSHED_MS_MAX)) {
    return { ways: all.map((ways) => ways.find((way) => leadsTo(way, common)) as Way), cut: common };
  }
  const latestBase = Math.max(...farthest.map(({ base }) => base.header.tick));
  const cut = last - first <= cutTicksMax ? Math.max(first, latestBase) : last;
  const ticks = farthest.map(({ base, end }) => Math.max(base.header.tick, Math.min(end, cut)));
  skip(`the zones cannot be brought to one tick: they go on from ticks ${ticks.join(', ')}`);
  return { ways: farthest, cut };
}

/** By zone. Undefined: one is damaged or missing. */
function decodeBases(
  found: readonly Buffer[],
  zoneCount: number,
  skip: (reason: string) => void,
): ZoneSnapshot[] | undefined {
  const bases: ZoneSnapshot[] = [];
  for (const bytes of found) {
    try {
      const snapshot = decodeZone(bytes);
      bases[snapshot.header.zone] = snapshot;
    } catch (error) {
      skip(`the state it begins with: ${(error as Error).message}`);
    }
  }
  for (let zone = 0; zone < zoneCount; zone++) {
    if (bases[zone] === undefined) {
      skip(`it does not begin with the state of zone ${zone}`);
      return undefined;
    }
  }
  return bases;
}

/** Records in unbroken order from the one after this serial. Of two with the same serial the later one counts. */
export function recordsAfter(records: readonly JournalRecord[], serial: number): JournalRecord[] {
  const chain: JournalRecord[] = [];
  for (const record of records) {
    const ahead = (record.serial - serial) | 0;
    if (ahead < 1) continue; // the snapshot has it
    if (chain[ahead - 1]?.bytes.equals(record.bytes)) continue; // two segments have what came between them
    if (ahead <= chain.length + 1) {
      chain.length = ahead - 1;
      chain.push(record);
    } else {
      break; // one is missing
    }
  }
  return chain;
}

/** Of the zone that has most, beyond these snapshots of the journal's own session. */
export function ticksBeyond({ records }: WorldJournal, found: readonly ZoneSnapshot[]): number {
  return Math.max(...found.map(({ scalars }, zone) => recordsAfter(records[zone], scalars[SCALAR_JOURNALED]).length));
}

export interface ReplayResult {
  journalTick: number;
  events: RecoveredEvents;
}

/** The last tick in any zone's journal, gaps or not. */
function lastTickOf({ bases, records }: WorldJournal): number {
  return Math.max(...bases.map(({ header }, zone) => Math.max(header.tick, records[zone].at(-1)?.tick ?? 0)));
}

/**
 * The world buffers hold, and have committed, `found`: snapshots of the journal's own session. Undefined: they hold it as
 * before, and what came after it must be asked for elsewhere. Either no more was written long before they were taken, as on
 * a disk that was full, or a zone came out otherwise than it was: such a world is not the one that clients were shown.
 */
export function replayJournal(
  plan: WorldPlan,
  game: GameDefinition,
  journal: WorldJournal,
  found: readonly ZoneSnapshot[],
  skip: (reason: string) => void,
  log: Log,
): ReplayResult | undefined {
  const [last, oldest] = [lastTickOf(journal), Math.min(...found.map(({ header }) => header.tick))];
  if (oldest - last > ticksOf(journal, CUT_MS_MAX)) {
    skip(
      `the journal of session ${journal.info.epoch} ends at tick ${last}, and the snapshots are of tick ${oldest}: it has nothing of what came after them`,
    );
    return undefined;
  }
  const then = planAsThen(plan, journal.info);
  const { ways, cut } = chooseWays(journal, found, skip);
  const bases = ways.map(({ base }) => base);
  for (const [zone, base] of bases.entries()) {
    if (base !== found[zone]) fillZone(new WorldBuffer(plan.worlds[zone], plan.layout), base);
  }
  const events = new EventCollector();
  const departures: Departure[] = [];
  const arrivals = bases.map(() => new Map<number, number>());
  const total = ways.reduce((sum, { chain }) => sum + chain.length, 0);
  let done = 0;
  let toldMs = nowMs();
  let differs: string | undefined;
  const replays = ways.map(({ chain }, zone) => {
    const records = differs === undefined ? chain.filter(({ tick }) => tick <= cut) : [];
    const listener = {
      onEvent: (view: DataView, offset: number) => events.add(view, offset),
      onDeparture: (departure: Departure) => void departures.push(departure),
      onArrival: (key: number, tick: number) => void arrivals[zone].set(key, tick),
    };
    const hashes = new Map(journal.hashes.filter((hash) => hash.zone === zone).map((hash) => [hash.tick, hash.sums]));
    let replay = new ZoneReplay(then, zone, game, listener);
    for (const [index, record] of records.entries()) {
      try {
        replay.runTick(record.bytes);
      } catch (error) {
        skip(`zone ${zone}, tick ${record.tick} of the journal: ${(error as Error).message}; play goes on before it`);
        fillZone(new WorldBuffer(plan.worlds[zone], plan.layout), bases[zone]);
        arrivals[zone].clear(); // whoever arrived in this very tick has not arrived
        replay = new ZoneReplay(then, zone, game, { onArrival: listener.onArrival });
        for (const sound of records.slice(0, index)) replay.runTick(sound.bytes);
        break;
      }
      const expected = hashes.get(record.tick);
      if (expected !== undefined) {
        const actual = hashBlock(replay.zone.buffer.blocks[LIVE_BLOCK], plan.layout);
        const [difference] = compareHashes(expected, actual.sums, plan.layout);
        if (difference !== undefined) {
          differs = `zone ${zone} differs from what it was at tick ${record.tick}, in ${difference.field}`;
          return replay;
        }
      }
      done++;
      if (nowMs() - toldMs > PROGRESS_MS) {
        toldMs = nowMs();
        log.info({}, `recovery: ${done} of ${total} ticks of the journal are replayed`);
      }
    }
    return replay;
  });
  if (differs !== undefined) {
    skip(`the journal of session ${journal.info.epoch}, run again: ${differs}; its ticks are passed over`);
    for (const [zone, base] of found.entries()) fillZone(new WorldBuffer(plan.worlds[zone], plan.layout), base);
    return undefined;
  }
  deliver(plan, replays, departures, arrivals, skip);
  return {
    journalTick: Math.max(...replays.map(({ zone }) => zone.scalars[SCALAR_TICK])),
    events: {
      epoch: journal.info.epoch,
      originMs: journal.info.originMs,
      tickHz: journal.info.settings.tickHz,
      records: events.take(),
    },
  };
}

/**
 * Entities that were between two zones when the journals ended. One whose target zone is full goes back to the zone that it
 * came from, beyond the border, and sets out again in the first tick: as in play it waits, and is not lost. `arrivals`: by
 * zone and key, the tick of the last one.
 */
function deliver(
  plan: WorldPlan,
  replays: readonly ZoneReplay[],
  departures: readonly Departure[],
  arrivals: readonly Map<number, number>[],
  skip: (reason: string) => void,
): void {
  for (const replay of replays) replay.settle();
  const columns = travellingColumns(plan.layout.columns);
  const worlds = plan.worlds.map((buffer) => new WorldBuffer(buffer, plan.layout));
  let alive: Set<number> | undefined;
  for (const { source, target, sequence, tick, row } of departures) {
    const taken = worlds[target].blocks[LIVE_BLOCK].marks[source];
    if (((sequence - taken) | 0) < 0) continue;
    const key = keyOfPacked(columns, row, 0);
    // The successor of a dead thread may give a departure another number: then the arrival's tick tells.
    if ((arrivals[target].get(key) ?? Number.NEGATIVE_INFINITY) > tick) continue;
    alive ??= aliveKeys(worlds);
    if (alive.has(key)) continue;
    alive.add(key);
    if (replays[target].deliver(row) || replays[source].deliver(row)) continue;
    skip(`an entity on its way into zone ${target} found no room there, nor in zone ${source}, which it came from`);
  }
}

class EventCollector {
  private bytes = new Uint8Array(1024 * EVENT_RECORD_BYTES);
  private at = 0;

  add(view: DataView, offset: number): void {
    if (this.at + EVENT_RECORD_BYTES > this.bytes.length) {
      const larger = new Uint8Array(2 * this.bytes.length);
      larger.set(this.bytes);
      this.bytes = larger;
    }
    this.bytes.set(new Uint8Array(view.buffer, view.byteOffset + offset, EVENT_RECORD_BYTES), this.at);
    this.at += EVENT_RECORD_BYTES;
  }

  /** In the order of ticks, as they were emitted: zones came one after the other. */
  take(): Uint8Array {
    const { bytes, at } = this;
    const view = new DataView(bytes.buffer);
    const tickOf = (record: number): number => view.getInt32(record * EVENT_RECORD_BYTES + EVENT_TICK, true);
    const order = Array.from({ length: at / EVENT_RECORD_BYTES }, (_, record) => record);
    order.sort((a, b) => tickOf(a) - tickOf(b)); // stable
    const sorted = new Uint8Array(at);
    for (const [index, record] of order.entries()) {
      const start = record * EVENT_RECORD_BYTES;
      sorted.set(bytes.subarray(start, start + EVENT_RECORD_BYTES), index * EVENT_RECORD_BYTES);
    }
    return sorted;
  }
}
