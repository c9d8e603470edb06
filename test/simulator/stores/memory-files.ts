// A disk for the journal in memory. What was appended outlives the process; an append that its process does not live to
// see the end of leaves a beginning of itself.

import type { JournalFile, JournalFiles } from '../../../src/durability/journal/journal-disk.js';
import { decodeSegment, SEGMENT_SUFFIX } from '../../../src/durability/journal/journal-file.js';
import { decodeZone, type ZoneSnapshot } from '../../../src/durability/snapshots/zone-snapshot.js';
import type { Chance } from '../chance.js';
import type { Faults } from '../faults.js';
import type { Owner, Schedule } from '../schedule.js';
import { damage } from '../weather.js';

const CALL_MS = [0.05, 2] as const;
const SLOW_MS = [20, 600] as const;

interface Kept {
  bytes: Buffer;
  mtimeMs: number;
}

export class FileDisk {
  readonly files = new Map<string, Kept>();
}

/** The states that segments begin with, as far as they can be read. */
export function statesIn({ files }: FileDisk): ZoneSnapshot[] {
  const segments = [...files].filter(([name]) => name.endsWith(SEGMENT_SUFFIX)).map(([, { bytes }]) => bytes);
  return segments
    .flatMap((bytes) => decodeSegment(bytes).bases)
    .flatMap((bytes) => {
      try {
        return [decodeZone(bytes)];
      } catch {
        return [];
      }
    });
}

export class MemoryFiles implements JournalFiles {
  constructor(
    private readonly disk: FileDisk,
    private readonly schedule: Schedule,
    private readonly owner: Owner,
    private readonly faults: Faults,
    private readonly chance: Chance,
  ) {}

  async mkdir(): Promise<void> {}

  async readdir(path: string): Promise<string[]> {
    await this.pause();
    return this.readdirSync(path);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.pause();
    const kept = this.require(from);
    this.disk.files.delete(from);
    this.disk.files.set(to, kept);
  }

  async rm(path: string): Promise<void> {
    await this.pause();
    for (const name of [...this.disk.files.keys()]) {
      if (name === path || name.startsWith(`${path}/`)) this.disk.files.delete(name);
    }
  }

  async stat(path: string): Promise<{ mtimeMs: number; size: number }> {
    await this.pause();
    const { mtimeMs, bytes } = this.require(path);
    return { mtimeMs, size: bytes.length };
  }

  async writeFile(path: string, text: string): Promise<void> {
    await this.pause();
    this.refuseIfFull();
    this.put(path, Buffer.from(text));
  }

  async open(path: string): Promise<JournalFile> {
    await this.pause();
    if (this.disk.files.has(path)) throw new Error(`EEXIST: ${path}`);
    this.refuseIfFull();
    this.put(path, Buffer.alloc(0));
    const kept = this.require(path); // whatever its name will be
    return { appendFile: (bytes) => this.append(kept, bytes), close: async () => {} };
  }

  readdirSync(path: string): string[] {
    const names = new Set<string>();
    for (const name of this.disk.files.keys()) {
      if (name.startsWith(`${path}/`)) names.add(name.slice(path.length + 1).split('/')[0]);
    }
    return [...names].sort();
  }

  readFileSync(path: string): Buffer {
    const kept = this.require(path);
    if (this.faults.happens('journal-damaged')) kept.bytes = Buffer.from(damage(kept.bytes, this.chance));
    return Buffer.from(kept.bytes);
  }

  private async append(kept: Kept, bytes: Uint8Array): Promise<void> {
    const { schedule, owner, chance, faults } = this;
    const copy = Buffer.from(bytes);
    const add = (count: number): void => {
      kept.bytes = Buffer.concat([kept.bytes, copy.subarray(0, count)]);
      kept.mtimeMs = schedule.nowMs;
    };
    const [low, high] = faults.happens('journal-slow') ? SLOW_MS : CALL_MS;
    const ms = chance.between(low, high);
    schedule.after(ms, schedule.world, () => {
      if (!owner.isAlive) add(chance.below(copy.length + 1));
    });
    await schedule.wait(ms, owner);
    if (faults.happens('journal-full')) {
      add(chance.below(copy.length)); // some of it may be there
      throw new Error('ENOSPC: no room');
    }
    add(copy.length);
  }

  private async pause(): Promise<void> {
    await this.schedule.wait(this.chance.between(...CALL_MS), this.owner);
  }

  private put(path: string, bytes: Buffer): void {
    this.disk.files.set(path, { bytes, mtimeMs: this.schedule.nowMs });
  }

  private require(path: string): Kept {
    const kept = this.disk.files.get(path);
    if (kept === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
    return kept;
  }

  private refuseIfFull(): void {
    if (this.faults.happens('journal-full')) throw new Error('ENOSPC: no room');
  }
}
