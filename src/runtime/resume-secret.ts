// What signs the tokens by which clients come back: a text that servers may share, or a key of this data folder's own.

import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const RESUME_KEY_FILE = 'resume.key';
const KEY_BYTES = 32;

/** Made when it is missing, readable by its owner only. Throws with one clear line when it cannot be had. */
export function loadResumeSecret(text: string, folder: string): Uint8Array {
  if (text !== '') return Buffer.from(text);
  const path = join(folder, RESUME_KEY_FILE);
  try {
    return readKey(path) ?? makeKey(path);
  } catch (error) {
    throw new Error(`the key in ${path} cannot be had: ${(error as Error).message}; or give a --resume-secret`);
  }
}

function readKey(path: string): Uint8Array | undefined {
  let key: Buffer;
  try {
    key = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (key.length !== KEY_BYTES) throw new Error(`it has ${key.length} bytes, not ${KEY_BYTES}`);
  return key;
}

function makeKey(path: string): Uint8Array {
  const key = randomBytes(KEY_BYTES);
  writeFileSync(path, key, { mode: 0o600, flag: 'wx' });
  return key;
}
