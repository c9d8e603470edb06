// A segment that is being made beside the present one. It has another name until it is whole and has all that came since
// its states were copied, so that a kill meanwhile finds the present segment as the newest, with nothing missing.
//
// What is drained from the rings goes into both: into the present one at once, and in the draft behind the states. From
// the renaming on nothing is held back any more, or the newest segment would be the one that knows less.

import type { JournalFile, JournalFiles } from './journal-disk.js';

export const DRAFT_SUFFIX = '.new';

/** What one look at the rings found. */
export interface Batch {
  frames: Buffer;
  tally: Tally;
}

export interface Tally {
  bytes: number;
  ticks: number;
  lastTick: number;
  /** As written or as dropped. */
  isCounted: boolean;
}

export class SegmentDraft {
  /** By zone: the last record that the state has in it; undefined until it is copied. */
  readonly serials: (number | undefined)[] = [];
  /** All that were given, for who counts them. */
  readonly tallies: Tally[] = [];
  stateBytes = 0;
  tickBytes = 0;
  /** Ticks are missing behind its states. */
  hasGap = false;
  isPublished = false;
  private held: Buffer[] = [];
  private heldBytes = 0;
  private isLevel = false;
  private problem: Error | undefined;
  private path = '';
  private file: JournalFile | undefined;

  constructor(
    private readonly files: JournalFiles,
    private readonly heldBytesMax: number,
    private readonly fileBytesMax: number,
  ) {}

  /** Records right before this one of the zone found no room in its ring. */
  missBefore(zone: number, serial: number): void {
    const has = this.serials[zone];
    if (has !== undefined && ((serial - has) | 0) > 1) this.hasGap = true;
  }

  /** Resolves with why the draft, or the segment that it has become meanwhile, is of no use any more. */
  async add({ frames, tally }: Batch): Promise<Error | undefined> {
    this.tallies.push(tally);
    this.tickBytes += frames.length;
    if (this.problem !== undefined) return this.problem;
    if (!this.isLevel) return this.hold(frames);
    await this.file?.appendFile(frames).catch((error: Error) => {
      this.problem = error;
    });
    return this.problem;
  }

  private hold(frames: Buffer): Error | undefined {
    this.held.push(frames);
    this.heldBytes += frames.length;
    if (this.heldBytes > this.heldBytesMax) {
      this.problem = new Error(`the disk is slow: ${this.heldBytesMax} bytes came before a new segment had all states`);
      this.held = [];
    }
    return this.problem;
  }

  async open(path: string): Promise<void> {
    this.file = await this.files.open(path + DRAFT_SUFFIX, 'wx');
    this.path = path;
  }

  async addState(zone: number, frame: Buffer, serial: number): Promise<void> {
    this.stateBytes += frame.length;
    if (this.stateBytes > this.fileBytesMax)
      throw new Error(`the states of all zones are over ${this.fileBytesMax} bytes`);
    this.serials[zone] = serial;
    await this.file?.appendFile(frame);
    this.throwProblem();
  }

  /** From then on it is the newest segment. */
  async publish(): Promise<JournalFile> {
    while (this.held.length > 0) {
      const bytes = Buffer.concat(this.held.splice(0));
      this.heldBytes = 0;
      await this.file?.appendFile(bytes);
    }
    this.throwProblem();
    this.isLevel = true;
    await this.files.rename(this.path + DRAFT_SUFFIX, this.path);
    this.throwProblem();
    this.isPublished = true;
    return this.file as JournalFile;
  }

  /** Nothing can go on from it, and on a full disk it is in the way. */
  async discard(): Promise<void> {
    this.held = [];
    this.problem ??= new Error('it was given up');
    if (this.file === undefined) return;
    await closeQuietly(this.file);
    for (const path of [this.path, this.path + DRAFT_SUFFIX]) {
      await this.files.rm(path, { force: true }).catch(() => {});
    }
  }

  private throwProblem(): void {
    if (this.problem !== undefined) throw this.problem;
  }
}

/** What was not written by then has been said already. */
export async function closeQuietly(file: JournalFile | undefined): Promise<void> {
  await file?.close().catch(() => {});
}
