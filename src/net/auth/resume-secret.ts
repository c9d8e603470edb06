// What signs the tokens by which clients come back: a text that servers may share, or a key of this data folder's own.
//
//   resume.key:   0              32           36
//                 | key, random  | CRC-32 u32 |
//
// A damaged or missing key is replaced, and said: without it no client of an earlier run can prove who it is, and nothing
// brings it back. Such clients join anew. A file of an earlier version is the key alone, and gets its checksum.

import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from '../../base/checksum.js';
import type { Log } from '../../base/log.js';

export const RESUME_KEY_FILE = 'resume.key';
const KEY_BYTES = 32;
const CHECKSUM_BYTES = 4;
const FILE_BYTES = KEY_BYTES + CHECKSUM_BYTES;

export interface ResumeSecretOptions {
  /** The text of the setting; empty: the key in the folder. */
  text: string;
  folder: string;
  /** Whether the world has no past: then there need not be a key. */
  isNewWorld: boolean;
  log: Pick<Log, 'warn' | 'error'>;
}

/** Made when it is missing, readable by its owner only. Throws with one clear line when it cannot be had. */
export function loadResumeSecret({ text, folder, isNewWorld, log }: ResumeSecretOptions): Uint8Array {
  if (text !== '') return Buffer.from(text);
  const path = join(folder, RESUME_KEY_FILE);
  try {
    const file = readIfThere(path);
    if (file === undefined) {
      if (!isNewWorld) log.warn({ path }, describeLoss(`${path} is missing`));
      return makeKey(path);
    }
    const key = file.subarray(0, KEY_BYTES);
    const fault = findFault(file, key);
    if (fault !== undefined) {
      log.error({ path }, describeLoss(`${path} is damaged (${fault})`));
      return makeKey(path);
    }
    if (file.length === KEY_BYTES) writeKey(path, key);
    return key;
  } catch (error) {
    throw new Error(`${path} cannot be read or written: ${(error as Error).message}; or set --resume-secret`);
  }
}

function describeLoss(what: string): string {
  return `${what}: a new key is made, and clients with a token of the old one join anew, as new players`;
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function findFault(file: Buffer, key: Buffer): string | undefined {
  if (file.length === KEY_BYTES) return undefined;
  if (file.length !== FILE_BYTES) return `${file.length} bytes, not ${FILE_BYTES}`;
  return file.readUInt32LE(KEY_BYTES) === crc32(key) ? undefined : 'its checksum is wrong';
}

function makeKey(path: string): Uint8Array {
  const key = randomBytes(KEY_BYTES);
  writeKey(path, key);
  return key;
}

/** Whole or not at all, whenever the disk is full or the power goes. The folder is ours alone. */
function writeKey(path: string, key: Buffer): void {
  const bytes = Buffer.alloc(FILE_BYTES);
  key.copy(bytes);
  bytes.writeUInt32LE(crc32(key), KEY_BYTES);
  const unfinished = `${path}.new`;
  const file = openSync(unfinished, 'w', 0o600);
  try {
    const written = writeSync(file, bytes);
    if (written !== FILE_BYTES) throw new Error(`only ${written} of ${FILE_BYTES} bytes could be written`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(unfinished, path);
}
