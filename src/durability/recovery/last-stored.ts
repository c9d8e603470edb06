// What was stored last of the world: file last-stored.json in the data folder. Stores and folders are lost in other ways
// than this file is; what it names and a start does not find is missing, and the start says so (missing-state.ts).
//
//   I/O thread:  snapshot or segment stored ---> LastStoredFile.note...() ---> last-stored.json.new, renamed
//   next start:  readLastStored() ---> compared with what the stores and the journal have
//
// The file never runs ahead: a thing is stored first and noted afterwards. A kill in between leaves a note that is older
// than what there is, and nothing is missed.

import { readFileSync, statSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LAST_STORED_BYTES_MAX } from './limits.js';

export const LAST_STORED_FILE = 'last-stored.json';

/** One snapshot of all zones. */
export interface StoredZones {
  /** Of the session that took it. */
  epoch: number;
  takenAtMs: number;
  /** By zone. */
  ticks: number[];
}

export interface StoredSegment {
  epoch: number;
  /** Segments of a session are numbered from 1. */
  number: number;
}

export interface LastStored {
  worldId: string;
  hot?: StoredZones;
  cold?: StoredZones;
  segment?: StoredSegment;
}

/** Undefined: nothing was ever stored here. Throws with the reason when the file cannot be read. */
export function readLastStored(data: string): LastStored | undefined {
  const path = join(data, LAST_STORED_FILE);
  let text: string;
  try {
    const { size } = statSync(path);
    if (size > LAST_STORED_BYTES_MAX) throw new Error(`it has ${size} bytes; allowed: ${LAST_STORED_BYTES_MAX}`);
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const found = JSON.parse(text) as Partial<LastStored> | null;
  if (typeof found?.worldId !== 'string') throw new Error('it names no world');
  const { worldId, hot, cold, segment } = found;
  return {
    worldId,
    ...(isZones(hot) && { hot }),
    ...(isZones(cold) && { cold }),
    ...(isSegment(segment) && { segment }),
  };
}

function isZones(zones: StoredZones | undefined): zones is StoredZones {
  return (
    Number.isFinite(zones?.epoch) &&
    Number.isFinite(zones?.takenAtMs) &&
    Array.isArray(zones?.ticks) &&
    zones.ticks.every(Number.isFinite)
  );
}

function isSegment(segment: StoredSegment | undefined): segment is StoredSegment {
  return Number.isFinite(segment?.epoch) && Number.isFinite(segment?.number);
}

/** Keeps the file. One write at a time; what is noted meanwhile is in the next one. */
export class LastStoredFile {
  private readonly path: string;
  private readonly state: LastStored;
  private writing: Promise<void> | undefined;
  private isChanged = false;
  private isFailing = false;

  constructor(
    data: string,
    worldId: string,
    private readonly say: (line: string) => void,
  ) {
    this.path = join(data, LAST_STORED_FILE);
    let former: LastStored | undefined;
    try {
      former = readLastStored(data);
    } catch {
      // The start has said so.
    }
    // Of another world nothing is missed: it was given up.
    this.state = former?.worldId === worldId ? former : { worldId };
  }

  noteSnapshot(store: 'hot' | 'cold', zones: StoredZones): void {
    this.state[store] = zones;
    this.save();
  }

  noteSegment(segment: StoredSegment): void {
    this.state.segment = segment;
    this.save();
  }

  /** Resolves when all that was noted is written, or could not be. */
  async settled(): Promise<void> {
    while (this.writing !== undefined) await this.writing;
  }

  private save(): void {
    this.isChanged = true;
    this.writing ??= this.write().finally(() => {
      this.writing = undefined;
    });
  }

  private async write(): Promise<void> {
    while (this.isChanged) {
      this.isChanged = false;
      try {
        await writeFile(`${this.path}.new`, `${JSON.stringify(this.state, undefined, 2)}\n`);
        await rename(`${this.path}.new`, this.path);
        this.isFailing = false;
      } catch (error) {
        if (!this.isFailing) this.say(`${this.path} cannot be written: ${(error as Error).message}`);
        this.isFailing = true;
      }
    }
  }
}
