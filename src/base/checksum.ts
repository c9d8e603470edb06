// Two checksums: CRC-32 where a torn or flipped record of ours must be noticed cheaply, SHA-256 for snapshots.

import { createHash } from 'node:crypto';
import * as zlib from 'node:zlib';

/** Reflected CRC-32 (polynomial 0xedb88320), as in zlib. Its native form came with Node 20.15. */
export const crc32: (bytes: Uint8Array) => number =
  (zlib as { crc32?: (bytes: Uint8Array) => number }).crc32 ?? crc32ByTable;

let table: Uint32Array | undefined;

export function crc32ByTable(bytes: Uint8Array): number {
  table ??= createTable();
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function createTable(): Uint32Array {
  const entries = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
    entries[i] = crc;
  }
  return entries;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
