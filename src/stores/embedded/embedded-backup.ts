// Copies an embedded store while others write to it. The file itself must not be copied then: LMDB uses pages again that
// no reader needs, and cp is no reader it knows of, so what it reads first may point to what was written over since.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { findFileDamage } from './embedded-file.js';

export const EMBEDDED_DATA_FILE = 'data.mdb';

/** One state of the whole store, without the pages that are free. Rejects with one clear line. */
export async function copyEmbeddedStore(folder: string, target: string): Promise<void> {
  const damage = findFileDamage(join(folder, EMBEDDED_DATA_FILE));
  if (damage !== undefined) throw new Error(`${join(folder, EMBEDDED_DATA_FILE)} is damaged: ${damage}`);
  mkdirSync(target, { recursive: true });
  const environment = open({ path: folder, noSubdir: false, readOnly: true });
  try {
    await environment.backup(target, true);
  } catch (error) {
    throw new Error(`${folder} cannot be copied to ${target}: ${String(error)}`);
  } finally {
    await environment.close();
  }
}
