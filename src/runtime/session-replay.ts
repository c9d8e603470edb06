// Plays a recorded session again, zone by zone and segment by segment, and checks what comes out: against the state hashes
// that the journal carries, and against the whole state with which every later segment begins.

import { compareHashes, hashBlock, hashText, type StateDifference } from '../memory/state-hash.js';
import { LIVE_BLOCK, WorldBuffer } from '../memory/world-buffer.js';
import { SCALAR_JOURNALED } from '../memory/world-layout.js';
import type { JournalRecord, Segment } from '../persist/journal-file.js';
import { type JournalSession, readSegment } from '../persist/journal-reader.js';
import { decodeZone, type ZoneSnapshot } from '../persist/zone-snapshot.js';
import type { GameDefinition } from '../sim/game.js';
import { wireIdOfKey } from '../state/entity-key.js';
import { fillZone } from './world-fill.js';
import type { WorldPlan } from './world-plan.js';
import { ZoneReplay } from './zone-replay.js';

const RECORDS_PER_SLICE = 64;

export interface Divergence {
  zone: number;
  /** Where it shows first, and the last tick before that was seen to agree. */
  tick: number;
  agreedTick: number;
  field: string;
  /** Wire id and row of the entity, where it is a single one. */
  entity?: { id: number; row: number };
  values?: { before: number; now: number };
}

export interface ReplaySummary {
  ticks: number;
  hashes: number;
  states: number;
  events: number;
  divergences: Divergence[];
  /** What could not be played, and why. */
  gaps: string[];
  /** Of each zone at the end. */
  ends: { zone: number; tick: number; hash: string; entities: number }[];
}

class ZonePlayer {
  replay: ZoneReplay | undefined;
  agreedTick = 0;
  divergence: Divergence | undefined;
  /** Run when it is known that no later record takes its place. */
  held: JournalRecord | undefined;
  private nextSerial = 0;
  private readonly hashes = new Map<number, Int32Array>();
  private readonly states = new Map<number, ZoneSnapshot>();

  constructor(
    private readonly plan: WorldPlan,
    private readonly zone: number,
    private readonly game: GameDefinition,
    private readonly summary: ReplaySummary,
  ) {}

  get isPlaying(): boolean {
    return this.replay !== undefined && this.divergence === undefined;
  }

  expectHash(tick: number, sums: Int32Array): void {
    this.hashes.set(tick, sums);
  }

  /** A state of the journal: where play begins, or what it must come to. */
  meet(snapshot: ZoneSnapshot): void {
    if (this.divergence !== undefined) return;
    if (this.replay !== undefined) {
      this.states.set(snapshot.header.tick, snapshot);
      return;
    }
    fillZone(new WorldBuffer(this.plan.worlds[this.zone], this.plan.layout), snapshot);
    this.replay = new ZoneReplay(this.plan, this.zone, this.game, { onEvent: () => void this.summary.events++ });
    this.nextSerial = (snapshot.scalars[SCALAR_JOURNALED] + 1) | 0;
    this.agreedTick = snapshot.header.tick;
    this.held = undefined;
  }

  take(record: JournalRecord): void {
    if (!this.isPlaying || ((record.serial - this.nextSerial) | 0) < 0) return;
    if (this.held !== undefined && record.serial !== this.held.serial) this.runHeld();
    if (!this.isPlaying) return;
    if (record.serial !== this.nextSerial) {
      this.stop(`zone ${this.zone}: ticks before ${record.tick} are missing`);
      return;
    }
    this.held = record;
  }

  runHeld(): void {
    const { replay, held } = this;
    if (held === undefined || replay === undefined || !this.isPlaying) return;
    this.held = undefined;
    this.nextSerial = (held.serial + 1) | 0;
    try {
      replay.runTick(held.bytes);
    } catch (error) {
      this.diverge({ field: (error as Error).message }, held.tick);
      return;
    }
    this.summary.ticks++;
    this.checkHash(replay, held.tick);
    this.checkState(replay, held.tick);
  }

  /** Until a later segment begins with a whole state. */
  stop(reason: string): void {
    this.runHeld();
    this.replay = undefined;
    this.held = undefined;
    this.states.clear();
    this.summary.gaps.push(reason);
  }

  private checkHash(replay: ZoneReplay, tick: number): void {
    const expected = this.hashes.get(tick);
    if (expected === undefined) return;
    this.hashes.delete(tick);
    const { layout } = this.plan;
    const [difference] = compareHashes(expected, hashBlock(replay.zone.buffer.blocks[LIVE_BLOCK], layout).sums, layout);
    if (difference !== undefined) {
      this.diverge(difference, tick);
      return;
    }
    this.summary.hashes++;
    this.agreedTick = tick;
  }

  private checkState(replay: ZoneReplay, tick: number): void {
    const expected = this.states.get(tick);
    if (expected === undefined || this.divergence !== undefined) return;
    this.states.delete(tick);
    const { zone } = replay;
    const live = zone.buffer.blocks[LIVE_BLOCK];
    const { rows, columns } = expected.header;
    const alive = expected.columns.get('alive');
    for (const { name, role } of columns) {
      const cells = expected.columns.get(name);
      if (cells === undefined || role === 'transient' || role === 'id') continue;
      for (let row = 0; row < rows; row++) {
        const isThere = name === 'alive' || (alive?.[row] !== 0 && live.columns.alive[row] !== 0);
        if (!isThere || Object.is(cells[row], live.columns[name][row])) continue;
        this.diverge({ field: name, row }, tick, { before: cells[row], now: live.columns[name][row] });
        return;
      }
    }
    this.summary.states++;
    this.agreedTick = tick;
  }

  private diverge({ field, row }: StateDifference, tick: number, values?: { before: number; now: number }): void {
    const { agreedTick, zone } = this;
    const found: Divergence = { zone, tick, agreedTick, field };
    const key = row === undefined ? undefined : this.replay?.zone.engine.key[row];
    if (row !== undefined && key !== undefined) found.entity = { id: wireIdOfKey(key), row };
    if (values !== undefined) found.values = values;
    this.divergence = found;
    this.summary.divergences.push(found);
  }
}

/** `onProgress` is told after each slice, and answers whether to go on. */
export async function replaySession(
  plan: WorldPlan,
  game: GameDefinition,
  session: JournalSession,
  onProgress: (bytesRead: number, tick: number) => Promise<boolean>,
): Promise<ReplaySummary> {
  const summary: ReplaySummary = { ticks: 0, hashes: 0, states: 0, events: 0, divergences: [], gaps: [], ends: [] };
  const players = plan.worlds.map((_, zone) => new ZonePlayer(plan, zone, game, summary));
  let bytesRead = 0;
  for (const name of session.segments) {
    const segment = readSegment(session, name);
    meetBases(name, segment, players, summary);
    for (const { zone, tick, sums } of segment.hashes) players[zone]?.expectHash(tick, sums);
    for (const [index, record] of segment.records.entries()) {
      players[record.zone]?.take(record);
      bytesRead += record.bytes.length;
      if (index % RECORDS_PER_SLICE === 0 && !(await onProgress(bytesRead, record.tick))) return summary;
    }
    if (segment.damage !== undefined) {
      const { reason, at, bytesLeft } = segment.damage;
      summary.gaps.push(`${name}: ${reason} at byte ${at}, ${bytesLeft} bytes from there on are not played`);
    }
  }
  for (const [zone, player] of players.entries()) {
    player.runHeld();
    const { replay } = player;
    if (replay === undefined) continue;
    const hash = hashBlock(replay.zone.buffer.blocks[LIVE_BLOCK], plan.layout);
    summary.ends.push({ zone, tick: hash.tick, hash: hashText(hash), entities: hash.entities });
  }
  return summary;
}

function meetBases(name: string, segment: Segment, players: readonly ZonePlayer[], summary: ReplaySummary): void {
  for (const bytes of segment.bases) {
    try {
      const snapshot = decodeZone(bytes);
      players[snapshot.header.zone]?.meet(snapshot);
    } catch (error) {
      summary.gaps.push(`${name}: the state it begins with: ${(error as Error).message}`);
    }
  }
}
