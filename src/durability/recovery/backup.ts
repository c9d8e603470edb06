// Copies a data folder, also while its server runs, so that a server can start from the copy as after a kill.
//
// The order is what makes the copy whole:
//   1. files beside the stores    last-stored.json never says more than what is copied after it
//   2. hot and cold snapshots     each store as it is at one moment
//   3. the journal                begins before the snapshots end, ends after them
//   4. spool, then event log      have every event that a snapshot or a segment of the copy builds on

import { copyFile, mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { JOURNAL_FOLDER, STORES_FOLDER } from '../../base/data-folder.js';
import { copyEmbeddedStore, EMBEDDED_DATA_FILE } from '../../stores/embedded/embedded-backup.js';
import { SEGMENT_SUFFIX, SESSION_FILE } from '../journal/journal-file.js';
import { BACKUP_JOURNAL_ROUNDS_MAX } from './limits.js';

/** Of the running server, not of its world; drafts are written anew. */
const LEFT_OUT = /^tessera\.lock|\.new$/;
const FIRST_STORES = ['hot', 'cold'];
const LAST_STORES = ['spool', 'log'];

export interface BackupReport {
  files: number;
  bytes: number;
}

/** Rejects with one clear line; what was copied by then is left. */
export async function backUpFolder(data: string, target: string): Promise<BackupReport> {
  await requirePlaces(data, target);
  const report: BackupReport = { files: 0, bytes: 0 };
  await mkdir(target, { recursive: true });
  for (const { name, isFile } of await entriesOf(data)) {
    if (isFile && !LEFT_OUT.test(name)) await copyOne(join(data, name), join(target, name), report);
  }
  const stores = (await entriesOf(join(data, STORES_FOLDER))).map(({ name }) => name);
  const others = stores.filter((name) => !FIRST_STORES.includes(name) && !LAST_STORES.includes(name));
  for (const name of [...FIRST_STORES, ...others]) await copyStore(data, target, name, report);
  await copyJournal(join(data, JOURNAL_FOLDER), join(target, JOURNAL_FOLDER), report);
  for (const name of LAST_STORES) await copyStore(data, target, name, report);
  return report;
}

async function requirePlaces(data: string, target: string): Promise<void> {
  if ((await entriesOf(data)).length === 0) throw new Error(`data is ${data}, and there is nothing in it to back up`);
  if ((await entriesOf(target)).length > 0) throw new Error(`to is ${target}, which is not empty; name a new folder`);
  const way = relative(resolve(data), resolve(target));
  if (!way.startsWith('..'))
    throw new Error(`to is ${target}, inside of the data folder ${data}; name one outside of it`);
}

async function copyStore(data: string, target: string, name: string, report: BackupReport): Promise<void> {
  const [from, to] = [data, target].map((folder) => join(folder, STORES_FOLDER, name));
  if ((await sizeOf(join(from, EMBEDDED_DATA_FILE))) === undefined) return;
  await copyEmbeddedStore(from, to);
  report.files++;
  report.bytes += (await sizeOf(join(to, EMBEDDED_DATA_FILE))) ?? 0;
}

/** Segments come and go meanwhile: looks again until nothing is new. A segment that grew is copied as far as it was. */
async function copyJournal(from: string, to: string, report: BackupReport): Promise<void> {
  const copied = new Set<string>();
  for (let round = 0; round < BACKUP_JOURNAL_ROUNDS_MAX; round++) {
    const found = (await readdir(from, { recursive: true }).catch(() => [])).sort();
    const wanted = found.filter((name) => isOfJournal(name) && !copied.has(name));
    if (wanted.length === 0) return;
    for (const name of wanted) {
      await copyOne(join(from, name), join(to, name), report);
      copied.add(name);
    }
  }
}

function isOfJournal(name: string): boolean {
  return name.endsWith(SEGMENT_SUFFIX) || name.endsWith(SESSION_FILE);
}

async function copyOne(from: string, to: string, report: BackupReport): Promise<void> {
  try {
    await mkdir(dirname(to), { recursive: true });
    await copyFile(from, to);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return; // pruned since it was listed
    throw new Error(`${from} cannot be copied: ${message}`);
  }
  report.files++;
  report.bytes += (await sizeOf(to)) ?? 0;
}

/** Undefined: there is no such file. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch {
    return undefined;
  }
}

/** None where there is no such folder. */
async function entriesOf(folder: string): Promise<{ name: string; isFile: boolean }[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, isFile: entry.isFile() }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new Error(`${folder} cannot be read: ${(error as Error).message}`);
  }
}
