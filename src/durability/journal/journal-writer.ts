// Keeps what entered the zones: empties the journal rings into the session's newest segment, and begins a new segment with
// the whole of every zone now and then, and whenever something is missing from the present one. Runs on the I/O thread; a
// tick never waits for it, and what the rings hold never waits for a new segment. What it cannot write is dropped, counted
// and said, until a new segment can begin.
//
// Times are monotonic, so that a clock that is set back holds nothing up; the wall clock is only for what is written.

import { join } from 'node:path';
import { nowMs, wallMs } from '../../base/clock.js';
import { JOURNAL_SERIAL, JOURNAL_TICK } from '../../memory/records/journal-records.js';
import type { ByteRing } from '../../memory/rings/byte-ring.js';
import type { IoCounters } from '../../memory/tables/io-counters.js';
import { hashCommitted } from '../../memory/world/state-hash.js';
import type { WorldBuffer } from '../../memory/world/world-buffer.js';
import { SCALAR_JOURNALED, SCALAR_TICK } from '../../memory/world/world-layout.js';
import { Backoff } from '../../stores/deadline.js';
import { SNAPSHOT_COPY_ATTEMPTS } from '../snapshots/limits.js';
import { copyZone, packPlain, scalarsOf, type WorldIdentity } from '../snapshots/zone-snapshot.js';
import { DISK, type JournalFile, type JournalFiles } from './journal-disk.js';
import { type Batch, closeQuietly, DRAFT_SUFFIX, SegmentDraft, type Tally } from './journal-draft.js';
import {
  encodeFrame,
  encodeSession,
  encodeTicksHead,
  FRAME_BASE,
  FRAME_TICKS,
  SESSION_FILE,
  segmentName,
} from './journal-file.js';
import { pruneJournals } from './journal-prune.js';
import {
  JOURNAL_FILE_BYTES_MAX,
  JOURNAL_GAP_PAUSE_MS_MIN,
  JOURNAL_HELD_BYTES_MAX,
  JOURNAL_RETRY_MS_MAX,
  JOURNAL_RETRY_MS_MIN,
  JOURNAL_SEGMENT_BYTES_MAX,
} from './limits.js';

export interface JournalOptions {
  /** Of all sessions. */
  folder: string;
  epoch: number;
  worlds: readonly WorldBuffer[];
  rings: readonly ByteRing[];
  shape: WorldIdentity;
  /** What a replay must know of the session, as JSON. */
  session: object;
  segmentMs: number;
  segmentBytesMax?: number;
  keepMs: number;
  hashEveryTicks: number;
  counters: IoCounters;
  say: (line: string) => void;
  files?: JournalFiles;
  random?: () => number;
  /** Of the wall clock. */
  wallMs?: () => number;
  /** Resolves when no event of a tick that is committed by now is in memory alone; see kept-events.ts. */
  whenKept?: () => Promise<void>;
  /** Told the number of each segment that is whole. */
  onSegment?: (number: number) => void;
}

export class JournalWriter {
  private readonly folder: string;
  private file: JournalFile | undefined;
  private segmentNumber = 0;
  private segmentSinceMs = 0;
  /** What the present segment has behind its states, and those. */
  private tickBytes = 0;
  private stateBytes = 0;
  /** By zone: the newest record that was seen, and the one that the present segment's state has. */
  private readonly lastSerial: (number | undefined)[];
  private stateSerials: readonly (number | undefined)[] = [];
  private readonly lastTick: Int32Array;
  private readonly hashedTick: Int32Array;
  /** There is no segment that can be added to. */
  private isBroken = true;
  /** Ticks are missing from the present segment: what follows is of use only behind a new base. */
  private hasGap = false;
  private isBeginning = false;
  private isPrepared = false;
  private failureSaid: 'none' | 'segment' | 'journal' = 'none';
  /** Of the last call. What a slow disk ends late is paused after from then on, or it would have no pause at all. */
  private nowMs = 0;
  private retryNotBeforeMs = 0;
  private gapNotBeforeMs = 0;
  private readonly files: JournalFiles;
  private readonly backoff: Backoff;
  private readonly gapBackoff: Backoff;
  private readonly wallMs: () => number;
  private underWay: Promise<void> | undefined;
  private draft: SegmentDraft | undefined;
  private making: Promise<Error | undefined> | undefined;
  private isPruning = false;
  private isPruneFailureSaid = false;

  constructor(private readonly options: JournalOptions) {
    const { folder, epoch, worlds, segmentMs } = options;
    this.folder = join(folder, String(epoch));
    this.files = options.files ?? DISK;
    this.wallMs = options.wallMs ?? wallMs;
    this.backoff = new Backoff(JOURNAL_RETRY_MS_MIN, JOURNAL_RETRY_MS_MAX, options.random);
    this.gapBackoff = new Backoff(Math.min(JOURNAL_GAP_PAUSE_MS_MIN, segmentMs), segmentMs, options.random);
    this.lastSerial = worlds.map(() => undefined);
    this.lastTick = new Int32Array(worlds.length);
    this.hashedTick = new Int32Array(worlds.length);
  }

  /** False: the disk takes none, or ticks are missing, so a kill loses more until the next segment begins. */
  get isWritten(): boolean {
    return this.file !== undefined && !this.isBroken && !this.hasGap;
  }

  /** Resolves when the world as it stands is on the disk; rejects when it cannot be written now. */
  async begin(nowMs: number): Promise<void> {
    this.isBeginning = true;
    this.nowMs = nowMs;
    this.making = this.make(this.beginDraft(), nowMs);
    const error = await this.making;
    this.isBeginning = false;
    if (error !== undefined) throw error;
  }

  /** Writes what the rings hold, unless the last call is about it. Resolves when it is written, and a new segment whole. */
  async run(nowMs: number): Promise<void> {
    this.nowMs = nowMs;
    this.underWay ??= this.write().finally(() => {
      this.underWay = undefined;
    });
    await Promise.all([this.underWay, this.making]);
  }

  async close(nowMs: number): Promise<void> {
    await this.run(nowMs); // what was under way
    await this.run(nowMs);
    await closeQuietly(this.file);
  }

  /** What is in the rings comes first: a new segment takes its time, and a kill meanwhile must cost no more than any other. */
  private async write(): Promise<void> {
    const { nowMs } = this;
    // The draft begins before the rings are emptied, so it has all that its states may not have.
    const draft = this.isSegmentDue(nowMs) ? this.beginDraft() : undefined;
    const written = this.append(this.drain());
    if (draft !== undefined) this.making = written.then(() => this.make(draft, nowMs));
    await written;
  }

  private isSegmentDue(nowMs: number): boolean {
    const { worlds, segmentMs, segmentBytesMax = JOURNAL_SEGMENT_BYTES_MAX } = this.options;
    if (this.making !== undefined || nowMs < this.retryNotBeforeMs) return false;
    const isOld = nowMs - this.segmentSinceMs >= segmentMs || this.tickBytes >= segmentBytesMax;
    const isGap = this.hasGap && nowMs >= this.gapNotBeforeMs;
    // A record of a later tick is in the segment before already: its thread is about to commit, or dead.
    return (this.isBroken || isOld || isGap) && !worlds.some((world) => this.isBehind(world));
  }

  private isBehind({ zoneId, committed }: WorldBuffer): boolean {
    return ((this.lastTick[zoneId] - committed.scalars[SCALAR_TICK]) | 0) > 0;
  }

  private async append(batch: Batch): Promise<void> {
    const { file, draft } = this;
    const { frames, tally } = batch;
    if (frames.length === 0) return;
    const held = draft?.add(batch);
    if (file !== undefined && !this.isBroken) {
      try {
        this.tickBytes += frames.length;
        if (this.stateBytes + this.tickBytes > JOURNAL_FILE_BYTES_MAX) throw new Error('its segment is full');
        await file.appendFile(frames);
        this.countWritten(tally);
      } catch (error) {
        if (file === this.file) this.fail(error as Error, true); // else the next segment has it
      }
    }
    const problem = await held;
    if (problem !== undefined && draft?.isPublished) this.fail(problem, true);
    if (draft === undefined) this.countDropped(tally);
  }

  private drain(): Batch {
    const start = nowMs();
    const { rings, worlds, counters } = this.options;
    const frames: Buffer[] = [];
    let ticks = 0;
    for (let zone = 0; zone < rings.length; zone++) {
      // First the hash: a tick that is committed stands in the ring by now.
      const hash = this.hashIfDue(worlds[zone]);
      const records = this.drainRing(zone, rings[zone]);
      ticks += records.length;
      if (hash !== undefined || records.length > 0) {
        frames.push(encodeFrame(FRAME_TICKS, [encodeTicksHead(zone, hash), ...records]));
      }
    }
    const bytes = Buffer.concat(frames);
    counters.add('journalMs', nowMs() - start);
    const tally = { bytes: bytes.length, ticks, lastTick: Math.max(...this.lastTick), isCounted: false };
    return { frames: bytes, tally };
  }

  private countWritten(tally: Tally): void {
    const { counters } = this.options;
    if (tally.isCounted) return;
    tally.isCounted = true;
    counters.add('journalTicks', tally.ticks);
    counters.add('journalBytes', tally.bytes);
    counters.set('journalTick', tally.lastTick);
  }

  private countDropped(tally: Tally): void {
    if (tally.isCounted) return;
    tally.isCounted = true;
    this.options.counters.add('journalTicksDropped', tally.ticks);
  }

  private hashIfDue(world: WorldBuffer): { tick: number; sums: Int32Array } | undefined {
    const zone = world.zoneId;
    const tick = world.committed.scalars[SCALAR_TICK];
    if (tick - this.hashedTick[zone] < this.options.hashEveryTicks) {
      return undefined;
    }
    const hash = hashCommitted(world);
    if (hash !== undefined) this.hashedTick[zone] = hash.tick;
    return hash;
  }

  private drainRing(zone: number, ring: ByteRing): Uint8Array[] {
    const records: Uint8Array[] = [];
    while (ring.next()) {
      const record = Buffer.allocUnsafe(4 + ring.payloadBytes);
      record.writeUInt32LE(ring.payloadBytes, 0);
      record.set(ring.bytes.subarray(ring.offset, ring.offset + ring.payloadBytes), 4);
      records.push(record);
      this.follow(zone, record.readInt32LE(4 + JOURNAL_SERIAL), record.readInt32LE(4 + JOURNAL_TICK));
    }
    if (records.length > 0) ring.release();
    return records;
  }

  private follow(zone: number, serial: number, tick: number): void {
    const last = this.lastSerial[zone] ?? this.stateSerials[zone];
    const missing = last === undefined ? 0 : ((serial - last) | 0) - 1;
    this.lastSerial[zone] = serial;
    this.lastTick[zone] = tick;
    if (missing <= 0) return;
    this.options.counters.add('journalTicksDropped', missing);
    this.draft?.missBefore(zone, serial);
    const isInState = ((serial - (this.stateSerials[zone] ?? serial)) | 0) <= 1;
    if (isInState || this.isBroken || this.hasGap) return;
    this.hasGap = true;
    this.options.counters.add('journalGaps', 1);
    this.options.say(
      `the journal of zone ${zone} lost ticks before ${tick}: a kill loses more until the next segment begins`,
    );
  }

  private beginDraft(): SegmentDraft {
    this.draft = new SegmentDraft(this.files, JOURNAL_HELD_BYTES_MAX, JOURNAL_FILE_BYTES_MAX);
    return this.draft;
  }

  /** Never rejects: resolves with what went wrong. */
  private async make(draft: SegmentDraft, begunMs: number): Promise<Error | undefined> {
    try {
      if (!this.isPrepared) await this.prepare();
      // Counted when it is whole: a number that is not there is a segment that was lost.
      const number = this.segmentNumber + 1;
      await draft.open(join(this.folder, segmentName(number)));
      // Each zone's records follow its own state, so zones need not be copied at one moment; between two of them this
      // thread does its other work.
      for (const world of this.options.worlds) {
        const { state, serial } = this.copy(world);
        await draft.addState(world.zoneId, state, serial);
      }
      await this.options.whenKept?.();
      const file = await draft.publish();
      this.segmentNumber = number;
      this.options.onSegment?.(number);
      this.takeUp(draft, file, begunMs);
      return undefined;
    } catch (error) {
      this.draft = undefined;
      this.fail(error as Error, false);
      await draft.discard();
      for (const tally of draft.tallies) this.countDropped(tally);
      return error as Error;
    } finally {
      this.making = undefined;
      // Also where there is no room: what need not be kept is in the way.
      void this.prune();
    }
  }

  private takeUp(draft: SegmentDraft, file: JournalFile, begunMs: number): void {
    const former = this.file;
    this.file = file;
    this.draft = undefined;
    if (this.hasGap) this.gapBackoff.failed();
    else this.gapBackoff.succeeded();
    this.gapNotBeforeMs = this.nowMs + this.gapBackoff.pauseMs;
    this.isBroken = false;
    this.hasGap = draft.hasGap;
    this.stateSerials = draft.serials;
    this.stateBytes = draft.stateBytes;
    this.tickBytes = draft.tickBytes;
    this.segmentSinceMs = begunMs;
    for (const tally of draft.tallies) this.countWritten(tally);
    this.noteSuccess();
    const writing = this.underWay ?? Promise.resolve();
    void writing.then(() => closeQuietly(former));
  }

  /** The session's folder, and what it says of itself. */
  private async prepare(): Promise<void> {
    await this.files.mkdir(this.folder, { recursive: true });
    const draft = join(this.folder, `${SESSION_FILE}.new`);
    await this.files.writeFile(draft, encodeSession(this.options.session));
    await this.files.rename(draft, join(this.folder, SESSION_FILE));
    const names = await this.files.readdir(this.folder);
    for (const name of names) {
      if (name.endsWith(DRAFT_SUFFIX)) await this.files.rm(join(this.folder, name), { force: true });
    }
    // An I/O thread that takes the place of a dead one goes on with the same session; its first segments may be gone.
    this.segmentNumber = Math.max(this.segmentNumber, ...names.map((name) => Number.parseInt(name, 10) || 0));
    this.isPrepared = true;
  }

  private copy(world: WorldBuffer): { state: Buffer; serial: number } {
    const start = nowMs();
    const { shape, epoch, counters } = this.options;
    for (let attempt = 0; attempt < SNAPSHOT_COPY_ATTEMPTS; attempt++) {
      const copy = copyZone(world, shape, epoch, this.wallMs());
      if (copy === undefined) continue;
      const state = encodeFrame(FRAME_BASE, [packPlain(copy)]);
      counters.add('journalMs', nowMs() - start);
      return { state, serial: scalarsOf(copy)[SCALAR_JOURNALED] };
    }
    throw new Error(`zone ${world.zoneId} commits faster than it can be copied`);
  }

  /** `breaks`: the present segment cannot be added to any more. Else a new one could not begin. */
  private fail(error: Error, breaks: boolean): void {
    if (breaks) this.isBroken = true;
    const kind = this.isBroken || this.hasGap ? 'journal' : 'segment';
    if (this.isBeginning) this.failureSaid = kind; // the caller has it
    if (kind === 'journal' && this.failureSaid !== 'journal') {
      this.options.say(`the journal is not written: ${error.message}; until it is, a kill loses more`);
    } else if (this.failureSaid === 'none') {
      this.options.say(`no new segment of the journal can begin: ${error.message}; it goes on in the present one`);
    }
    if (this.failureSaid !== 'journal') this.failureSaid = kind;
    this.options.counters.add('journalFailures', 1);
    this.isPrepared = false; // its folder may be what is missing
    this.backoff.failed();
    this.retryNotBeforeMs = this.nowMs + this.backoff.pauseMs;
  }

  private noteSuccess(): void {
    if (this.failureSaid === 'journal') this.options.say('the journal is written again');
    if (this.failureSaid === 'segment') this.options.say('the journal goes on in a new segment');
    this.failureSaid = 'none';
    this.retryNotBeforeMs = 0;
    this.backoff.succeeded();
  }

  /** That old journals stay is no reason to write none, and nothing waits for them to go. */
  private async prune(): Promise<void> {
    if (this.isPruning) return;
    this.isPruning = true;
    const { folder, epoch, keepMs, segmentBytesMax = JOURNAL_SEGMENT_BYTES_MAX } = this.options;
    const bytesReserved = this.stateBytes + segmentBytesMax;
    try {
      await pruneJournals({ files: this.files, folder, epoch, keepMs, nowMs: this.wallMs(), bytesReserved });
      this.isPruneFailureSaid = false;
    } catch (error) {
      if (!this.isPruneFailureSaid) this.options.say(`old journals are not removed: ${(error as Error).message}`);
      this.isPruneFailureSaid = true;
    } finally {
      this.isPruning = false;
    }
  }
}
