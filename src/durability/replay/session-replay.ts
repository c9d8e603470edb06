// Plays a recorded session again, zone by zone and segment by segment, and checks what comes out: against the state hashes
// that the journal carries, and against the whole state with which every later segment begins. Where it comes out
// otherwise, divergence-probe.ts finds the entity and narrows the tick; where only the field can be told, the zone is played
// on to the next whole state, which names an entity.

import { wireIdOfKey } from '../../engine/entities/entity-key.js';
import type { WorldPlan } from '../../engine/plan/world-plan.js';
import { ZoneReplay } from '../../engine/replay/zone-replay.js';
import type { GameDefinition } from '../../game/definition.js';
import { compareHashes, hashBlock, hashText, type StateDifference } from '../../memory/world/state-hash.js';
import { type Block, LIVE_BLOCK, WorldBuffer } from '../../memory/world/world-buffer.js';
import {
  SCALAR_ENTITY_COUNT,
  SCALAR_JOURNALED,
  SCALAR_RANDOM,
  SCALAR_ROW_LIMIT,
} from '../../memory/world/world-layout.js';
import { describeDamage, type JournalRecord, type Segment } from '../journal/journal-file.js';
import { type JournalSession, readSegment } from '../journal/journal-reader.js';
import { fillZone } from '../recovery/world-fill.js';
import { decodeZone, type ZoneSnapshot } from '../snapshots/zone-snapshot.js';
import { type AgreedState, type CellDifference, keepState, probe } from './divergence-probe.js';

const RECORDS_PER_SLICE = 64;
const CHECKED_SCALARS = { entities: SCALAR_ENTITY_COUNT, chance: SCALAR_RANDOM, rows: SCALAR_ROW_LIMIT } as const;

export interface Divergence {
  zone: number;
  /** Where it shows first, and the last tick before that was seen to agree. */
  tick: number;
  agreedTick: number;
  field: string;
  /** Wire id and row of the first entity that differs, where the journal can tell. */
  entity?: { id: number; row: number };
  values?: { before: number; now: number };
  /** It comes out otherwise each time: the values are those of two runs, not of the recording. */
  isByChance?: boolean;
  /** The next whole state, where only that one names an entity. */
  later?: Pick<Divergence, 'tick' | 'field' | 'entity' | 'values'>;
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
  private agreed: AgreedState | undefined;
  /** That were run since. */
  private records: JournalRecord[] = [];
  private nextSerial = 0;
  private readonly hashes = new Map<number, Int32Array>();
  /** With which segments begin, where this one has not come to yet. */
  private states: ZoneSnapshot[] = [];

  constructor(
    private readonly plan: WorldPlan,
    private readonly zone: number,
    private readonly game: GameDefinition,
    private readonly summary: ReplaySummary,
  ) {}

  get isPlaying(): boolean {
    return this.replay !== undefined && (this.divergence === undefined || this.isUnnamed);
  }

  /** Only the field is known: the next whole state may name the entity. */
  private get isUnnamed(): boolean {
    return this.divergence !== undefined && this.divergence.entity === undefined && this.divergence.later === undefined;
  }

  expectHash(tick: number, sums: Int32Array): void {
    this.hashes.set(tick, sums);
  }

  /** A state of the journal: where play begins, or what it must come to. */
  meet(snapshot: ZoneSnapshot): void {
    if (this.divergence !== undefined && !this.isUnnamed) return;
    if (this.replay === undefined) this.begin(snapshot);
    else this.states.push(snapshot);
  }

  private begin(snapshot: ZoneSnapshot): void {
    const world = new WorldBuffer(this.plan.worlds[this.zone], this.plan.layout);
    fillZone(world, snapshot);
    this.replay = new ZoneReplay(this.plan, this.zone, this.game, { onEvent: () => void this.summary.events++ });
    this.nextSerial = (snapshot.scalars[SCALAR_JOURNALED] + 1) | 0;
    this.agree(world, snapshot.header.tick);
    this.held = undefined;
  }

  take(record: JournalRecord): void {
    if (!this.isPlaying || ((record.serial - this.nextSerial) | 0) < 0) return;
    if (this.held !== undefined && record.serial !== this.held.serial) this.runHeld();
    if (!this.isPlaying) return;
    if (record.serial !== this.nextSerial) this.stop(record);
    if (this.isPlaying && record.serial === this.nextSerial) this.held = record;
  }

  runHeld(): void {
    const { replay, held } = this;
    if (held === undefined || replay === undefined || !this.isPlaying) return;
    this.held = undefined;
    this.nextSerial = (held.serial + 1) | 0;
    this.records.push(held);
    try {
      replay.runTick(held.bytes);
    } catch (error) {
      if (this.divergence === undefined) this.diverge({ field: (error as Error).message }, held.tick);
      this.replay = undefined;
      return;
    }
    this.summary.ticks++;
    this.checkHash(replay, held.tick);
    this.checkState(replay, held.tick);
  }

  /** Something is missing before the record: goes on from the first state that has it, or from a later segment's. */
  private stop({ serial, tick }: JournalRecord): void {
    const { states, zone } = this;
    this.replay = undefined;
    const state = states.find(({ scalars }) => ((scalars[SCALAR_JOURNALED] + 1 - serial) | 0) >= 0);
    this.states = [];
    if (state !== undefined) {
      this.begin(state);
      this.states = states.slice(states.indexOf(state) + 1);
    }
    const bridge = state === undefined ? '' : `, it goes on from tick ${this.agreedTick}`;
    this.summary.gaps.push(`zone ${zone}: ticks before ${tick} are missing${bridge}`);
  }

  private checkHash(replay: ZoneReplay, tick: number): void {
    const expected = this.hashes.get(tick);
    if (expected === undefined || this.divergence !== undefined) return;
    this.hashes.delete(tick);
    const { layout } = this.plan;
    const [difference] = compareHashes(expected, hashBlock(replay.zone.buffer.blocks[LIVE_BLOCK], layout).sums, layout);
    if (difference !== undefined) {
      this.search(difference, tick, expected);
      return;
    }
    this.summary.hashes++;
    this.agree(replay.zone.buffer, tick);
  }

  private agree(world: WorldBuffer, tick: number): void {
    this.agreedTick = tick;
    this.agreed = keepState(world, tick);
    this.records = [];
  }

  /** Where the ticks cannot be run once more, what the sums say is all there is. */
  private search(seen: StateDifference, seenTick: number, expected: Int32Array): void {
    const { plan, zone, game, agreed, records } = this;
    try {
      if (agreed === undefined) throw new Error('nothing agreed before');
      const { difference, tick, agreedTick, isByChance } = probe(plan, zone, game, agreed, records, expected);
      this.agreedTick = agreedTick;
      this.diverge(difference, tick);
      if (isByChance && this.divergence !== undefined) this.divergence.isByChance = true;
    } catch {
      this.diverge(seen, seenTick); // the probe ran into what the game did not do then
    }
  }

  private checkState(replay: ZoneReplay, tick: number): void {
    const expected = this.states.find(({ header }) => header.tick === tick);
    if (expected === undefined) return;
    this.states = this.states.filter(({ header }) => header.tick > tick);
    const difference = findDifference(expected, replay.zone.buffer.blocks[LIVE_BLOCK]);
    if (this.divergence !== undefined) {
      if (difference !== undefined) this.divergence.later = { tick, ...this.describe(difference) };
      return;
    }
    if (difference !== undefined) {
      this.diverge(difference, tick);
      return;
    }
    this.summary.states++;
    this.agree(replay.zone.buffer, tick);
  }

  private diverge(difference: CellDifference, tick: number): void {
    const { agreedTick, zone } = this;
    this.divergence = { zone, tick, agreedTick, ...this.describe(difference) };
    this.summary.divergences.push(this.divergence);
  }

  private describe({ field, row, values }: CellDifference): Pick<Divergence, 'field' | 'entity' | 'values'> {
    const key = row === undefined ? undefined : this.replay?.zone.engine.key[row];
    return {
      field,
      ...(row !== undefined && key !== undefined && { entity: { id: wireIdOfKey(key), row } }),
      ...(values && { values }),
    };
  }
}

/** The first cell that differs: of entities and mirrors, then of what the zone has of its own. */
function findDifference(
  { header, scalars, globals, columns: found }: ZoneSnapshot,
  { columns: now, scalars: scalarsNow, globals: globalsNow }: Block,
): CellDifference | undefined {
  const { rows, mirrors, mirrorFirst, columns } = header;
  const alive = found.get('alive');
  for (const { name, role, length = 1 } of columns) {
    const cells = found.get(name);
    if (cells === undefined || role === 'transient' || role === 'id') continue;
    for (let i = 0; i < (rows + mirrors) * length; i++) {
      const place = Math.floor(i / length);
      const row = place < rows ? place : mirrorFirst + place - rows;
      const isThere = name === 'alive' || (alive?.[place] !== 0 && now.alive[row] !== 0);
      const value = now[name][row * length + (i - place * length)];
      if (!isThere || Object.is(cells[i], value)) continue;
      return { field: name, row, values: { before: cells[i], now: value } };
    }
  }
  for (const [name, index] of Object.entries(CHECKED_SCALARS)) {
    if (scalars[index] === scalarsNow[index]) continue;
    return { field: name, values: { before: scalars[index], now: scalarsNow[index] } };
  }
  const index = globals.findIndex((value, at) => !Object.is(value, globalsNow[at]));
  if (index < 0) return undefined;
  return { field: `global ${index}`, values: { before: globals[index], now: globalsNow[index] } };
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
  const { segments } = session;
  let next = segments.length > 0 ? readSegment(session, segments[0]) : undefined;
  if (next !== undefined) meetBases(segments[0], next, players, summary);
  for (const [segmentIndex, name] of segments.entries()) {
    const segment = next as Segment;
    const following = segments[segmentIndex + 1];
    // Its states were copied before the last of this segment's records.
    next = following === undefined ? undefined : readSegment(session, following);
    if (next !== undefined) meetBases(following, next, players, summary);
    for (const { zone, tick, sums } of segment.hashes) players[zone]?.expectHash(tick, sums);
    for (const [index, record] of segment.records.entries()) {
      players[record.zone]?.take(record);
      bytesRead += record.bytes.length;
      if (index % RECORDS_PER_SLICE === 0 && !(await onProgress(bytesRead, record.tick))) return summary;
    }
    for (const damage of segment.damages) summary.gaps.push(`${name}: ${describeDamage(damage)}`);
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
