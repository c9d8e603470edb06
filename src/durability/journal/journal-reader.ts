// Finds and reads journals: which sessions there are, and their segments in order.

import { join } from 'node:path';
import { DISK, type JournalFiles } from './journal-disk.js';
import {
  decodeSegment,
  decodeSession,
  SEGMENT_SUFFIX,
  SESSION_FILE,
  type Segment,
  segmentName,
} from './journal-file.js';

export interface JournalSession {
  epoch: number;
  folder: string;
  /** What session.json says; undefined when it cannot be read. */
  info: unknown;
  /** Names of the segments, oldest first. */
  segments: string[];
}

/** Newest first. None where the folder does not exist. */
export function listSessions(folder: string, files: JournalFiles = DISK): JournalSession[] {
  return namesIn(folder, files)
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readSession(folder, name, files))
    .filter(({ segments }) => segments.length > 0)
    .sort((a, b) => b.epoch - a.epoch);
}

/** Names of those that must be between the first and the last: a session numbers its segments without a gap. */
export function findMissingSegments(segments: readonly string[]): string[] {
  const numbers = new Set(segments.map((name) => Number.parseInt(name, 10)));
  const missing: string[] = [];
  for (let number = Math.min(...numbers) + 1; number < Math.max(...numbers); number++) {
    if (!numbers.has(number)) missing.push(segmentName(number));
  }
  return missing;
}

export function readSegment(session: JournalSession, name: string, files: JournalFiles = DISK): Segment {
  return decodeSegment(files.readFileSync(join(session.folder, name)));
}

function readSession(parent: string, name: string, files: JournalFiles): JournalSession {
  const folder = join(parent, name);
  let info: unknown;
  try {
    info = decodeSession(files.readFileSync(join(folder, SESSION_FILE)).toString());
  } catch {
    info = undefined;
  }
  const segments = namesIn(folder, files)
    .filter((file) => file.endsWith(SEGMENT_SUFFIX))
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  return { epoch: Number(name), folder, info, segments };
}

function namesIn(folder: string, files: JournalFiles): string[] {
  try {
    return files.readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
