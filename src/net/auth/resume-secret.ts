// What signs the tokens by which clients come back: a text that servers may share, or a key of this data folder's own.

import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../base/log.js';

export const RESUME_KEY_FILE = 'resume.key';
const KEY_BYTES = 32;

/** Made when it is missing, readable by its owner only. Throws with one clear line when it cannot be had. */
export function loadResumeSecret(text: string, folder: string, log: Pick<Log, 'warn'>): Uint8Array {
  if (text !== '') return Buffer.from(text);
  const path = join(folder, RESUME_KEY_FILE);
  try {
    return readKey(path, log) ?? makeKey(path);
  } catch (error) {
    throw new Error(`the key in ${path} cannot be had: ${(error as Error).message}; or give a --resume-secret`);
  }
}

function readKey(path: string, log: Pick<Log, 'warn'>): Uint8Array | undefined {
  let key: Buffer;
  try {
    key = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (key.length === 0) {
    // A full disk or a loss of power may have left it so.
    log.warn({}, `the key in ${path} is empty: a new one is made, and tokens signed with an earlier one are not good`);
    return undefined;
  }
  if (key.length !== KEY_BYTES) {
    throw new Error(`it has ${key.length} bytes, not ${KEY_BYTES}; restore it, or remove it to have a new one made`);
  }
  return key;
}

/** Whole or not at all, whenever the disk is full or the power goes. The folder is ours alone. */
function makeKey(path: string): Uint8Array {
  const key = randomBytes(KEY_BYTES);
  const unfinished = `${path}.new`;
  const file = openSync(unfinished, 'w', 0o600);
  try {
    const written = writeSync(file, key);
    if (written !== KEY_BYTES) throw new Error(`only ${written} of ${KEY_BYTES} bytes could be written`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(unfinished, path);
  return key;
}
