// Keeps what entered the zones: empties the journal rings into the session's newest segment, and begins a new segment with
// the whole of every zone now and then, and whenever something is missing from the present one. Runs on the I/O thread; a
// tick never waits for it. What it cannot write is dropped, counted and said, until a new segment can begin.

import { join } from 'node:path';
import { JOURNAL_BYTES_MAX, SNAPSHOT_COPY_ATTEMPTS } from '../constants.js';
import type { ByteRing } from '../memory/byte-ring.js';
import type { IoCounters } from '../memory/io-counters.js';
import { JOURNAL_SERIAL, JOURNAL_TICK } from '../memory/journal-records.js';
import { hashCommitted } from '../memory/state-hash.js';
import type { WorldBuffer } from '../memory/world-buffer.js';
import { SCALAR_TICK } from '../memory/world-layout.js';
import { Backoff } from './deadline.js';
import {
  encodeFrame,
  encodeTicksHead,
  FRAME_BASE,
  FRAME_TICKS,
  SEGMENT_SUFFIX,
  SESSION_FILE,
  segmentName,
} from './journal-file.js';
import { DISK, type JournalFile, type JournalFiles } from './journal-files.js';
import { encodeZone, type WorldIdentity } from './zone-snapshot.js';

const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5000;

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
  keepMs: number;
  hashEveryTicks: number;
  counters: IoCounters;
  say: (line: string) => void;
  files?: JournalFiles;
  random?: () => number;
}

export class JournalWriter {
  private readonly folder: string;
  private file: JournalFile | undefined;
  private segmentNumber = 0;
  private segmentSinceMs = 0;
  /** By zone. */
  private readonly lastSerial: (number | undefined)[];
  private readonly lastTick: Int32Array;
  private readonly hashedTick: Int32Array;
  /** There is no segment that can be added to. */
  private isBroken = true;
  /** Ticks are missing from the present segment: what follows is of use only behind a new base. */
  private hasGap = false;
  private isPrepared = false;
  private isFailureSaid = false;
  private retryNotBeforeMs = 0;
  private readonly files: JournalFiles;
  private readonly backoff: Backoff;
  private underWay: Promise<void> | undefined;

  constructor(private readonly options: JournalOptions) {
    const { folder, epoch, worlds } = options;
    this.folder = join(folder, String(epoch));
    this.files = options.files ?? DISK;
    this.backoff = new Backoff(RETRY_MS_MIN, RETRY_MS_MAX, options.random);
    this.lastSerial = worlds.map(() => undefined);
    this.lastTick = new Int32Array(worlds.length);
    this.hashedTick = new Int32Array(worlds.length);
  }

  /** Resolves when the world as it stands is on the disk; rejects when it cannot be written now. */
  async begin(nowMs: number): Promise<void> {
    try {
      if (!(await this.beginSegment(nowMs))) throw new Error('the zones commit faster than they can be copied');
    } catch (error) {
      this.isFailureSaid = true; // the caller has it
      this.fail(error as Error, nowMs);
      throw error;
    }
    await this.prune(nowMs);
  }

  /** Writes what the rings hold. Does nothing while the last call is under way. */
  run(nowMs: number): Promise<void> {
    this.underWay ??= this.write(nowMs)
      .catch((error: Error) => {
        this.fail(error, nowMs);
        return this.prune(nowMs); // where there is no room, what need not be kept is in the way
      })
      .finally(() => {
        this.underWay = undefined;
      });
    return this.underWay;
  }

  async close(nowMs: number): Promise<void> {
    await this.run(nowMs); // what was under way
    await this.run(nowMs);
    await closeQuietly(this.file);
  }

  private async write(nowMs: number): Promise<void> {
    const { segmentMs, counters } = this.options;
    const isOld = this.hasGap || nowMs - this.segmentSinceMs >= segmentMs;
    if ((this.isBroken ? nowMs >= this.retryNotBeforeMs : isOld) && (await this.beginSegment(nowMs))) {
      await this.prune(nowMs);
    }
    const start = performance.now();
    const frames = this.drain();
    if (this.file === undefined || this.isBroken || frames.length === 0) {
      return;
    }
    const bytes = Buffer.concat(frames);
    counters.add('journalMs', performance.now() - start);
    await this.file.appendFile(bytes);
    counters.add('journalBytes', bytes.length);
    counters.set('journalTick', Math.max(...this.lastTick));
  }

  private drain(): Buffer[] {
    const { rings, worlds } = this.options;
    const frames: Buffer[] = [];
    for (let zone = 0; zone < rings.length; zone++) {
      // First the hash: a tick that is committed stands in the ring by now.
      const hash = this.hashIfDue(worlds[zone]);
      const records = this.drainRing(zone, rings[zone]);
      if (hash !== undefined || records.length > 0) {
        frames.push(encodeFrame(FRAME_TICKS, [encodeTicksHead(zone, hash), ...records]));
      }
    }
    return frames;
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
    if (records.length > 0) {
      ring.release();
      this.options.counters.add('journalTicks', records.length);
    }
    return records;
  }

  private follow(zone: number, serial: number, tick: number): void {
    const last = this.lastSerial[zone];
    if (last !== undefined && ((serial - last) | 0) > 1 && !this.isBroken && !this.hasGap) {
      this.hasGap = true;
      this.options.counters.add('journalGaps', 1);
      this.options.say(`the journal of zone ${zone} lost ticks before ${tick}: a new segment begins`);
    }
    this.lastSerial[zone] = serial;
    this.lastTick[zone] = tick;
  }

  /** False: not now, since no base can be had that all that is written later goes on from. */
  private async beginSegment(nowMs: number): Promise<boolean> {
    const start = performance.now();
    const bases: Buffer[] = [];
    for (const world of this.options.worlds) {
      const base = this.copy(world, nowMs);
      if (base === undefined) return false;
      bases.push(encodeFrame(FRAME_BASE, [base]));
    }
    this.options.counters.add('journalMs', performance.now() - start);
    if (!this.isPrepared) await this.prepare();
    const next = await this.createSegment(bases);
    const former = this.file;
    this.file = next;
    this.isBroken = false;
    this.hasGap = false;
    this.segmentSinceMs = nowMs;
    this.noteSuccess();
    await closeQuietly(former);
    return true;
  }

  /** The session's folder, and what it says of itself. */
  private async prepare(): Promise<void> {
    await this.files.mkdir(this.folder, { recursive: true });
    const draft = join(this.folder, `${SESSION_FILE}.new`);
    await this.files.writeFile(draft, `${JSON.stringify(this.options.session, undefined, 2)}\n`);
    await this.files.rename(draft, join(this.folder, SESSION_FILE));
    // An I/O thread that takes the place of a dead one goes on with the same session; its first segments may be gone.
    const numbers = (await this.files.readdir(this.folder)).map((name) => Number.parseInt(name, 10) || 0);
    this.segmentNumber = Math.max(this.segmentNumber, ...numbers);
    this.isPrepared = true;
  }

  private async createSegment(bases: readonly Buffer[]): Promise<JournalFile> {
    const path = join(this.folder, segmentName(this.segmentNumber + 1));
    const file = await this.files.open(path, 'wx');
    this.segmentNumber++;
    try {
      for (const base of bases) await file.appendFile(base);
    } catch (error) {
      // Nothing can go on from it, and on a full disk it is in the way.
      await closeQuietly(file);
      await this.files.rm(path, { force: true }).catch(() => {});
      throw error;
    }
    return file;
  }

  private copy(world: WorldBuffer, nowMs: number): Buffer | undefined {
    const { shape, epoch } = this.options;
    for (let attempt = 0; attempt < SNAPSHOT_COPY_ATTEMPTS; attempt++) {
      // A record of a later tick is in the segment before already: its thread is about to commit, or dead.
      if (((this.lastTick[world.zoneId] - world.committed.scalars[SCALAR_TICK]) | 0) > 0) return undefined;
      const bytes = encodeZone(world, shape, epoch, nowMs);
      if (bytes !== undefined) return bytes;
    }
    return undefined;
  }

  private fail(error: Error, nowMs: number): void {
    if (!this.isFailureSaid) {
      this.options.say(`the journal is not written: ${error.message}; until it is, a kill loses more`);
      this.isFailureSaid = true;
    }
    this.options.counters.add('journalFailures', 1);
    this.isBroken = true;
    this.isPrepared = false; // its folder may be what is missing
    this.backoff.failed();
    this.retryNotBeforeMs = nowMs + this.backoff.pauseMs;
  }

  private noteSuccess(): void {
    if (this.isFailureSaid) this.options.say('the journal is written again');
    this.isFailureSaid = false;
    this.retryNotBeforeMs = 0;
    this.backoff.succeeded();
  }

  /** That old journals stay is no reason to write none. */
  private async prune(nowMs: number): Promise<void> {
    try {
      const sessions = (await this.files.readdir(this.options.folder)).filter((name) => /^\d+$/.test(name));
      await this.pruneSegments(sessions, nowMs);
      await this.dropEmptySessions(sessions);
    } catch (error) {
      this.options.say(`old journals are not removed: ${(error as Error).message}`);
    }
  }

  /** What is older than has to be kept, of this session and former ones; and the oldest, where it is too much. */
  private async pruneSegments(sessions: readonly string[], nowMs: number): Promise<void> {
    const { folder, keepMs } = this.options;
    let count = 0;
    let bytes = 0;
    for (const session of sessions.toSorted(byNumberDescending)) {
      for (const name of (await this.files.readdir(join(folder, session))).sort(byNumberDescending)) {
        if (!name.endsWith(SEGMENT_SUFFIX)) continue;
        const path = join(folder, session, name);
        const { mtimeMs, size } = await this.files.stat(path);
        bytes += size;
        // The present segment and the one before it are what a recovery goes on from.
        if (++count > 2 && (nowMs - mtimeMs > keepMs || bytes > JOURNAL_BYTES_MAX))
          await this.files.rm(path, { force: true });
      }
    }
  }

  private async dropEmptySessions(sessions: readonly string[]): Promise<void> {
    const { folder, epoch } = this.options;
    for (const session of sessions) {
      if (session === String(epoch)) continue;
      const names = await this.files.readdir(join(folder, session));
      if (!names.some((name) => name.endsWith(SEGMENT_SUFFIX))) {
        await this.files.rm(join(folder, session), { recursive: true, force: true });
      }
    }
  }
}

function byNumberDescending(a: string, b: string): number {
  return Number.parseInt(b, 10) - Number.parseInt(a, 10);
}

/** What was not written by then has been said already. */
async function closeQuietly(file: JournalFile | undefined): Promise<void> {
  await file?.close().catch(() => {});
}
