// What both cold stores do alike: rules for what may be saved, the header as bytes, and what counts as intact.

import { sha256 } from '../base/checksum.js';
import { STORE_KEY_BYTES_MAX } from './limits.js';
import {
  type ColdHeader,
  type ColdSearch,
  type ColdSnapshot,
  type ColdSnapshotInput,
  PersistError,
} from './store-ports.js';

export function checkKey(key: string): void {
  if (key === '' || key.includes('\0') || Buffer.byteLength(key) > STORE_KEY_BYTES_MAX) {
    const name = JSON.stringify(key.slice(0, 64));
    throw new PersistError(
      'rejected',
      `a key has 1 to ${STORE_KEY_BYTES_MAX} bytes and no zero byte, ${name} does not`,
    );
  }
}

export function checkSnapshot(id: string, snapshot: ColdSnapshotInput): void {
  checkKey(id);
  if (snapshot.bytes.length === 0) throw new PersistError('rejected', `snapshot ${id} is empty`);
}

export function encodeHeader(header: ColdHeader): Buffer {
  return Buffer.from(JSON.stringify(header));
}

/** A header that cannot be read becomes one that never verifies: it is skipped like damaged bytes. */
export function decodeHeader(bytes: Uint8Array, id: string, sequence: number): ColdHeader {
  try {
    return { ...JSON.parse(Buffer.from(bytes).toString()), id, sequence };
  } catch {
    return { id, sequence, tick: 0, takenAtMs: 0, byteCount: -1, checksum: '', meta: {} };
  }
}

/** The whole snapshot, or an error that says what is wrong with it. */
export function verifySnapshot(header: ColdHeader, bytes: Uint8Array | undefined): ColdSnapshot {
  const name = `snapshot ${header.id} ${header.sequence}`;
  if (!bytes) throw new PersistError('corrupt', `${name}: its bytes are missing`);
  if (bytes.length !== header.byteCount) {
    throw new PersistError('corrupt', `${name}: ${bytes.length} bytes instead of ${header.byteCount}`);
  }
  if (sha256(bytes) !== header.checksum) throw new PersistError('corrupt', `${name}: its checksum does not match`);
  return { ...header, bytes };
}

/** Walks a history, newest first, to the first snapshot that is whole. Errors other than damage end the walk. */
export async function findNewest(
  history: readonly ColdHeader[],
  load: (header: ColdHeader) => Promise<ColdSnapshot>,
): Promise<ColdSearch> {
  const skipped: ColdSearch['skipped'] = [];
  for (const header of history) {
    try {
      return { snapshot: await load(header), skipped };
    } catch (error) {
      if (!(error instanceof PersistError && error.kind === 'corrupt')) throw error;
      skipped.push({ sequence: header.sequence, reason: error.message });
    }
  }
  return { snapshot: undefined, skipped };
}
