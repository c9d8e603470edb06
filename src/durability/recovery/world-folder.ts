// Which world a data folder is: file world.json. A networked store may have been another server's meanwhile, and keeps
// what that one wrote last; what this folder says of itself wins over it.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../base/log.js';
import { isUuid } from '../../base/uuid.js';
import { WORLD_WRITERS_MAX, WORLDS_EARLIER_MAX } from './limits.js';

export const WORLD_FILE = 'world.json';

export interface WorldFolder {
  /** '' before the first world, and where the file was lost. */
  worldId: string;
  /** Worlds that lived here before, the last one last. */
  earlier: readonly string[];
  /** Tokens of the servers that ran on this folder, the last one last; see own-writers.ts. */
  writers: readonly string[];
}

/** Made when it is missing. The folder is ours alone by now. Throws with one clear line when it cannot be written. */
export function openWorldFolder(data: string, log: Log): WorldFolder {
  let found: Partial<WorldFolder> = {};
  try {
    found = JSON.parse(readFileSync(join(data, WORLD_FILE), 'utf8')) as Partial<WorldFolder>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      log.warn({}, `${join(data, WORLD_FILE)} cannot be read: ${(error as Error).message}; it is written anew`);
    }
  }
  const { worldId = '', earlier = [], writers = [] } = found ?? {};
  return {
    worldId: isUuid(worldId) ? worldId : '',
    earlier: Array.isArray(earlier) ? earlier.filter(isUuid) : [],
    writers: Array.isArray(writers) ? writers.filter(isUuid) : [],
  };
}

/** The folder as this world's, written to by this server: what it was before it is no more. */
export function settle(folder: WorldFolder, worldId: string, writer: string): WorldFolder {
  const others = [...folder.earlier, folder.worldId].filter((id) => id !== '' && id !== worldId);
  return {
    worldId,
    earlier: [...new Set(others)].slice(-WORLDS_EARLIER_MAX),
    writers: [...folder.writers, writer].slice(-WORLD_WRITERS_MAX),
  };
}

/** Before anything is stored of a world: from then on this folder is that one. */
export function keepWorld(data: string, folder: WorldFolder): void {
  write(data, folder);
}

/** All or nothing: a kill leaves the old file or the new one. */
function write(data: string, folder: WorldFolder): void {
  const path = join(data, WORLD_FILE);
  try {
    writeFileSync(`${path}.new`, `${JSON.stringify(folder, undefined, 2)}\n`);
    renameSync(`${path}.new`, path);
  } catch (error) {
    throw new Error(
      `${path} cannot be written: ${(error as Error).message}; make room, or choose another --data folder`,
    );
  }
}
