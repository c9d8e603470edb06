// The folder that --web names: a page of the game's own. Listed and bounded at the start, and read once.

import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { WEB_BYTES_MAX, WEB_FILES_MAX } from '../limits.js';

/** Where every server has the client SDK. */
export const CLIENT_PATH = '/client';
const INDEX = 'index.html';
/** Names in the top folder that stand for something of the server's. */
const TAKEN = [CLIENT_PATH.slice(1), 'healthz', 'readyz', 'metrics', 'ws'];
const MIB = 1024 * 1024;

interface WebFile {
  /** Names from the folder down. */
  names: readonly string[];
  bytes: number;
}

/** Why a folder cannot be served, or undefined. */
export function findWebProblem(folder: string): string | undefined {
  let files: WebFile[];
  try {
    files = listFiles(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'which is no folder' : `which cannot be read: ${code}`;
  }
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const taken = files.find(({ names }) => TAKEN.includes(names[0]));
  if (files.length > WEB_FILES_MAX) return `which has more than ${WEB_FILES_MAX} files`;
  if (bytes > WEB_BYTES_MAX)
    return `which has ${Math.ceil(bytes / MIB)} MiB; at most ${WEB_BYTES_MAX / MIB} are served`;
  if (taken !== undefined) return `which has ${taken.names[0]} in it: /${taken.names[0]} is the server's own`;
  if (!files.some(({ names }) => names.length === 1 && names[0] === INDEX)) return `which has no ${INDEX}`;
  return undefined;
}

/** Bodies by URL path; a folder with an index.html has that under its own path too. */
export function readWebFolder(folder: string): Map<string, Buffer> {
  const bodies = new Map<string, Buffer>();
  for (const { names } of listFiles(folder)) {
    const body = readFileSync(join(folder, ...names));
    bodies.set(pathOf(names), body);
    if (names[names.length - 1] === INDEX) bodies.set(pathOf([...names.slice(0, -1), '']), body);
  }
  return bodies;
}

function pathOf(names: readonly string[]): string {
  return `/${names.map(encodeURIComponent).join('/')}`;
}

/** Files below a folder, one more than is allowed at most. Hidden ones, installed ones and links lead nowhere. */
function listFiles(folder: string, above: readonly string[] = [], files: WebFile[] = []): WebFile[] {
  for (const entry of readdirSync(join(folder, ...above), { withFileTypes: true })) {
    if (files.length > WEB_FILES_MAX) break;
    if (!isServed(entry)) continue;
    const names = [...above, entry.name];
    if (entry.isDirectory()) listFiles(folder, names, files);
    else files.push({ names, bytes: statSync(join(folder, ...names)).size });
  }
  return files;
}

/** A link is neither a file nor a folder here, so that nothing outside of the folder is served. */
function isServed(entry: Dirent): boolean {
  const isOwn = !entry.name.startsWith('.') && entry.name !== 'node_modules';
  return isOwn && (entry.isFile() || entry.isDirectory());
}
