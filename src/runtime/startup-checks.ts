// What the machine must give before anything starts: a data folder of our own and enough file descriptors. Each failure
// is one line that names the setting, its value, and what to do.
//
// One server per data folder: it holds the file tessera.lock, which names its process by id and start time. Ids are used
// again, after a restart in a container even at once; the start time tells such a stranger from the holder.

import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { SettingName, SettingSources, Settings } from '../config.js';
import { describeSetting } from '../config-lookup.js';
import { FILE_DESCRIPTORS_RESERVED, LOCK_SETTLE_MS } from '../constants.js';

export const LOCK_FILE = 'tessera.lock';
/** Stands for the start time where the system does not tell it. */
const UNKNOWN_START = '-';
const LOCK_ATTEMPTS = 3;

export interface DataFolderLock {
  /** Gives the folder back. Also done when the process exits. */
  release(): void;
}

export type StartupResult = { ok: true; lock: DataFolderLock } | { ok: false; errors: string[] };

/** Looks at everything before it answers. The lock is held only if all of it is well. */
export function checkStartup(settings: Settings, sources: SettingSources): StartupResult {
  const errors: string[] = [];
  const describe = (name: SettingName) => describeSetting(name, settings[name], sources[name]);

  const descriptors = descriptorError(settings.clientsMax, readDescriptorLimit());
  if (descriptors !== undefined) errors.push(`${describe('clientsMax')}, ${descriptors}`);

  const folder = resolve(settings.data);
  const lock = lockDataFolder(folder);
  if (typeof lock === 'string') errors.push(`${describe('data')}, ${lock}`);
  if (errors.length === 0 && typeof lock !== 'string') return { ok: true, lock };
  if (typeof lock !== 'string') lock.release();
  return { ok: false, errors };
}

/** For what listen() fails with: one line in the manner of the checks above. */
export function describeListenError(error: unknown, settings: Settings, sources: SettingSources): string {
  const code = (error as NodeJS.ErrnoException).code;
  const port = describeSetting('port', settings.port, sources.port);
  const host = describeSetting('host', settings.host, sources.host);
  switch (code) {
    case 'EADDRINUSE':
      return `${port}, but another program has this port on ${settings.host}; stop it or choose another --port`;
    case 'EACCES':
      return `${port}, but this user may not listen there; choose a --port from 1024 on`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${host}, but this machine has no such address (${code}); choose another --host`;
    default:
      return `${host} and ${port}, but listening there failed: ${String(error)}`;
  }
}

/** Soft limit of open files, undefined where the system does not tell. Node itself raises it to the hard limit. */
export function readDescriptorLimit(path = '/proc/self/limits'): number | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  const soft = /^Max open files\s+(\S+)/m.exec(text)?.[1];
  if (soft === undefined) return undefined;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}

export function descriptorError(clientsMax: number, limit: number | undefined): string | undefined {
  const needed = clientsMax + FILE_DESCRIPTORS_RESERVED;
  if (limit === undefined || limit >= needed) return undefined;
  const possible = limit - FILE_DESCRIPTORS_RESERVED;
  const lower = possible > 0 ? ` or lower --clients-max to ${possible}` : '';
  return `which takes ${needed} open files, but this process may have ${limit}; raise the limit (ulimit -n ${needed})${lower}`;
}

/** The lock, or why there is none. */
export function lockDataFolder(folder: string): DataFolderLock | string {
  const path = join(folder, LOCK_FILE);
  const self = `${process.pid} ${readStartTime(process.pid) ?? UNKNOWN_START}\n`;
  try {
    makeFolder(folder);
    for (let attempt = 0; attempt < LOCK_ATTEMPTS; attempt++) {
      if (createLock(path, self)) return holdLock(path, self);
      const holder = readLock(path);
      if (holder === undefined) continue;
      if (isHolderAlive(holder, path)) {
        const pid = /^\d+/.exec(holder)?.[0] ?? 'not yet known';
        return `but a server (process id ${pid}) uses ${folder}; stop it or choose another --data folder`;
      }
      removeLock(path, holder);
    }
    return `but several servers are after ${folder} at once; choose another --data folder for each`;
  } catch (error) {
    return `but ${folder} ${fileErrorText(error)}; choose a --data folder that this user may write to`;
  }
}

/** Not Node's recursive mkdir: it never returns where a folder exists but nothing can be made in it, as in /proc. */
function makeFolder(folder: string): void {
  if (isFolder(folder)) return;
  const parent = dirname(folder);
  if (parent !== folder) makeFolder(parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another server may have made it at the same moment.
    if (!isFolder(folder)) throw error;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Undefined: given back since we looked. */
function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function createLock(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function holdLock(path: string, text: string): DataFolderLock {
  const release = () => {
    process.off('exit', release);
    try {
      removeLock(path, text);
    } catch {
      // A lock that stays behind keeps nobody out once this process has ended.
    }
  };
  process.on('exit', release);
  return { release };
}

/** Takes away the lock with this text and no other: since we looked, somebody else may have done so and taken it. */
function removeLock(path: string, text: string): void {
  const taken = `${path}.${process.pid}`;
  try {
    renameSync(path, taken);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (readFileSync(taken, 'utf8') !== text) linkSync(taken, path);
  rmSync(taken);
}

function isHolderAlive(text: string, path: string): boolean {
  const [pid, start] = text.trim().split(' ');
  // The holder writes its name right after it made the file: a young file without one is about to get it.
  if (!/^\d+$/.test(pid) || start === undefined) return Date.now() - statSync(path).mtimeMs < LOCK_SETTLE_MS;
  if (start !== UNKNOWN_START) return readStartTime(Number(pid)) === start;
  return Number(pid) !== process.pid && isProcess(Number(pid));
}

/** When a process began, in the kernel's own count; undefined if there is none, or no way to ask. */
function readStartTime(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The name in parentheses may hold anything; after it come the state and, 19 fields on, the start.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ended = fields[0] === 'Z' || fields[0] === 'X';
  return ended ? undefined : fields[19];
}

function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function fileErrorText(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  const words: Record<string, string> = {
    EACCES: 'may not be written by this user',
    EPERM: 'may not be written by this user',
    EROFS: 'lies on a read-only file system',
    ENOSPC: 'has no space left',
    EEXIST: 'is a file, or lies below one',
    ENOTDIR: 'is a file, or lies below one',
    ENOENT: 'cannot be created',
  };
  return `${words[code] ?? 'cannot be used'} (${code})`;
}
