// One server per data folder: it holds the file tessera.lock, which names its process by id and start time, and where
// these mean something: the machine's boot, the namespace of its process ids, and the host. Ids are used again, after a
// restart in a container even at once; the start time tells such a stranger from the holder.
//
//   4711 981234 0d6d1c5f-... pid:[4026531836] host-a
//
// A holder elsewhere, in another container or on another host that has the same volume, cannot be asked for. It lives as long
// as it renews the file's time, which a thread of its own does, because main may be busy with a recovery. Whoever wants
// the folder looks whether that time changes: the clocks of two hosts need not agree. A server that was frozen for so
// long that another one took its folder finds that out and ends.

import { randomUUID } from 'node:crypto';
import {
  fstatSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { wallMs } from '../../base/clock.js';
import { lookIntoFile } from '../../base/present-file.js';
import { LOCK_RENEW_MS, LOCK_SETTLE_MS, LOCK_STALE_MS } from '../../durability/lease/limits.js';
import type { LockThreadData } from '../../durability/lease/lock-thread-data.js';

export const LOCK_FILE = 'tessera.lock';
/** Stands for what the system does not tell. */
const UNKNOWN = '-';
const LOCK_ATTEMPTS = 3;
const WHOLE_ENDING = '.new';
const NO_LINKS_CODES = ['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'];
const LOCK_THREAD_URL = new URL('../../../workers/lock-thread.js', import.meta.url);

export interface DataFolderLock {
  /** Gives the folder back. Also done when the process exits. */
  release(): void;
  /** Resolves with a line when another server has taken the folder: what this one writes from then on damages it. */
  lost: Promise<string>;
}

/** Where a process id means something: processes of one place can ask for each other. */
function readPlace(): string {
  return `${readWord('boot id')} ${readWord('namespace')} ${hostname() || UNKNOWN}`;
}

function readWord(what: 'boot id' | 'namespace'): string {
  try {
    const text =
      what === 'boot id' ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8') : readlinkSync('/proc/self/ns/pid');
    return text.trim();
  } catch {
    return UNKNOWN;
  }
}

/** The lock, or why there is none. A holder elsewhere is watched for LOCK_STALE_MS at most. */
export function lockDataFolder(
  folder: string,
  say: (line: string) => void = () => {},
  place = readPlace(),
): DataFolderLock | string {
  const path = join(folder, LOCK_FILE);
  const self = `${process.pid} ${readStartTime(process.pid) ?? UNKNOWN} ${place}\n`;
  try {
    makeFolder(folder);
    for (let attempt = 0; attempt < LOCK_ATTEMPTS; attempt++) {
      if (createLock(path, self)) {
        sweepLeftovers(path);
        return holdLock(path, self);
      }
      const holder = readLock(path);
      if (holder === undefined) continue;
      if (isElsewhere(holder, place)) {
        const name = describeElsewhere(holder);
        say(`${folder} is locked by a server elsewhere (${name}): it has ${LOCK_STALE_MS} ms to show that it lives`);
        const sign = watch(path, holder);
        if (sign === 'changed') continue;
        if (sign === 'renewed') {
          return `but a server elsewhere (${name}) uses ${folder}, and has just renewed its lock; stop it or choose another --data folder`;
        }
        say(`the server elsewhere (${name}) has not shown that it lives: its lock on ${folder} is taken away`);
      } else if (isHolderAlive(holder, path)) {
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

/** The lock is linked into its place when it is whole, so that a kill never leaves one without a name in it. */
function createLock(path: string, text: string): boolean {
  const whole = `${path}.${randomUUID()}${WHOLE_ENDING}`; // not by process id: two containers have the same ones
  try {
    writeFileSync(whole, text, { flag: 'wx' });
    linkOrWrite(whole, path, text);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(whole, { force: true });
  }
}

/** Fails where there is a lock. Some network file systems have no links: there the lock is made and written in two steps. */
function linkOrWrite(whole: string, path: string, text: string): void {
  try {
    linkSync(whole, path);
  } catch (error) {
    if (!NO_LINKS_CODES.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    writeFileSync(path, text, { flag: 'wx' });
  }
}

/** What a kill in the middle of taking the lock has left behind. A young one may be of a server that goes on. */
function sweepLeftovers(path: string): void {
  const folder = dirname(path);
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(`${LOCK_FILE}.`) || !name.endsWith(WHOLE_ENDING)) continue;
    const leftover = join(folder, name);
    const bornMs = statSync(leftover, { throwIfNoEntry: false })?.mtimeMs ?? wallMs();
    if (wallMs() - bornMs > LOCK_STALE_MS) rmSync(leftover, { force: true });
  }
}

function holdLock(path: string, text: string): DataFolderLock {
  const data: LockThreadData = { path, text, renewMs: LOCK_RENEW_MS };
  const thread = new Worker(LOCK_THREAD_URL, { workerData: data, name: 'lock' });
  const lost = new Promise<string>((resolve) => {
    thread.once('message', (holder: string) => {
      resolve(`${dirname(path)} was taken over by another server (${describeElsewhere(holder)})`);
    });
  });
  thread.unref(); // after the listener, which counts as a reason to wait
  const release = () => {
    process.off('exit', release);
    void thread.terminate();
    try {
      removeLock(path, text);
    } catch {
      // A lock that stays behind keeps nobody out once this process has ended.
    }
  };
  process.on('exit', release);
  return { release, lost };
}

/** Takes away the lock with this text and no other: since we looked, somebody else may have done so and taken it. */
function removeLock(path: string, text: string): void {
  const taken = `${path}.${randomUUID()}`; // not by process id: two containers have the same ones
  try {
    renameSync(path, taken);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (readFileSync(taken, 'utf8') !== text) linkSync(taken, path);
  rmSync(taken);
}

function isElsewhere(text: string, place: string): boolean {
  const theirs = placeOf(text);
  return theirs !== undefined && theirs !== place;
}

/** Undefined where the lock does not say: of an earlier server, or not yet written. */
function placeOf(text: string): string | undefined {
  const fields = text.trimEnd().split(' ');
  return text.endsWith('\n') && fields.length === 5 ? fields.slice(2).join(' ') : undefined;
}

function describeElsewhere(text: string): string {
  const [pid, , , , host = UNKNOWN] = text.trimEnd().split(' ');
  return `host ${host}, process id ${pid}`;
}

/** What becomes of a lock before our eyes: its holder renews it, or gives it to somebody else, or it stands still. */
function watch(path: string, holder: string): 'renewed' | 'changed' | 'still' {
  const pauseMs = LOCK_RENEW_MS / 5;
  const first = readTime(path);
  for (let leftMs = LOCK_STALE_MS; leftMs > 0; leftMs -= pauseMs) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs); // publishes nothing: a pause without a turn of the event loop
    const time = readTime(path);
    if (readLock(path) !== holder) return 'changed';
    if (time !== first) return 'renewed';
  }
  return 'still';
}

/** Of the file that is there now: a network's file system may keep what it knew of it until it is opened. */
function readTime(path: string): number | undefined {
  return lookIntoFile(path, (file) => fstatSync(file).mtimeMs);
}

function isHolderAlive(text: string, path: string): boolean {
  const [pid, start] = text.trim().split(' ');
  // Without links a holder writes its name right after it made the file: a young file without one is about to get it.
  if (!/^\d+$/.test(pid) || start === undefined) return wallMs() - statSync(path).mtimeMs < LOCK_SETTLE_MS;
  if (start !== UNKNOWN) return readStartTime(Number(pid)) === start;
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
