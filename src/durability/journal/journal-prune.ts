// Which journals go: what is older than has to be kept, of this session and former ones; and the oldest, where it is too
// much.

import { join } from 'node:path';
import type { JournalFiles } from './journal-disk.js';
import { DRAFT_SUFFIX } from './journal-draft.js';
import { SEGMENT_SUFFIX } from './journal-file.js';
import { JOURNAL_BYTES_MAX } from './limits.js';

export interface PruneOptions {
  files: JournalFiles;
  /** Of all sessions. */
  folder: string;
  /** Of the session that is written. */
  epoch: number;
  keepMs: number;
  /** Of the wall clock, as the times of files are. */
  nowMs: number;
  /** What is yet to be written before journals are pruned again. */
  bytesReserved: number;
}

export async function pruneJournals(options: PruneOptions): Promise<void> {
  const { files, folder } = options;
  const sessions = (await files.readdir(folder)).filter((name) => /^\d+$/.test(name));
  await pruneSegments(options, sessions);
  await dropEmptySessions(options, sessions);
}

async function pruneSegments(options: PruneOptions, sessions: readonly string[]): Promise<void> {
  const { files, folder, epoch, keepMs, nowMs } = options;
  let count = 0;
  let bytes = options.bytesReserved;
  for (const session of sessions.toSorted(byNumberDescending)) {
    for (const name of (await files.readdir(join(folder, session))).sort(byNumberDescending)) {
      const path = join(folder, session, name);
      const isLeftOver = session !== String(epoch) && name.endsWith(SEGMENT_SUFFIX + DRAFT_SUFFIX);
      if (isLeftOver) await files.rm(path, { force: true });
      if (!name.endsWith(SEGMENT_SUFFIX)) continue;
      const { mtimeMs, size } = await files.stat(path);
      bytes += size;
      // The present segment and the one before it are what a recovery goes on from.
      if (++count > 2 && (nowMs - mtimeMs > keepMs || bytes > JOURNAL_BYTES_MAX)) await files.rm(path, { force: true });
    }
  }
}

async function dropEmptySessions({ files, folder, epoch }: PruneOptions, sessions: readonly string[]): Promise<void> {
  for (const session of sessions) {
    if (session === String(epoch)) continue;
    const names = await files.readdir(join(folder, session));
    if (!names.some((name) => name.endsWith(SEGMENT_SUFFIX))) {
      await files.rm(join(folder, session), { recursive: true, force: true });
    }
  }
}

function byNumberDescending(a: string, b: string): number {
  return Number.parseInt(b, 10) - Number.parseInt(a, 10);
}
