// Looks at an LMDB file before LMDB does: a file that was cut short or is none of its own ends the process without a word,
// by a fault in native code. Only the two pages at its head are read; damage behind them is found when it is met.
//
//  0       18          24          28            48                88            136           144
//  | ...   | flags u16 | magic u32 | version ... | page bytes u32  | root 1 u64  | root 2 u64  | last page u64 |
//
// The same once more on the second page. This is the form of 64-bit machines, lowest byte first.

import { fstatSync, readSync } from 'node:fs';
import { lookIntoFile } from '../../base/present-file.js';

const META_BYTES = 160;
const FLAGS = 18;
const FLAG_META = 8;
const MAGIC = 24;
const MAGIC_VALUE = 0xbeefc0de;
const PAGE_BYTES = 48;
const ROOTS = [88, 136];
const LAST_PAGE = 144;
const PAGE_BYTES_ALLOWED = [4096, 8192, 16384, 32768, 65536];
const NO_ROOT = 0xffffffffffffffffn;
const CHECKED_MACHINES = ['x64', 'arm64'];
/** A sound file may lack pages at its end that were taken and given back in one write. */
const PAGES_MISSING_MAX = 1024;

/** What is wrong with the file; undefined: nothing, or there is none yet. */
export function findFileDamage(path: string, machine: string = process.arch): string | undefined {
  if (!CHECKED_MACHINES.includes(machine)) return undefined;
  return lookIntoFile(path, (file) => describeDamage(file));
}

function describeDamage(file: number): string | undefined {
  const { size } = fstatSync(file);
  if (size === 0) return undefined;
  const first = readMeta(file, 0);
  if (first === undefined) return 'it does not begin as such a file does';
  const second = readMeta(file, first.pageBytes);
  if (second === undefined) return 'its second page is not what it must be';
  const newest = first.lastPage > second.lastPage ? first : second;
  const pages = newest.lastPage + 1n;
  const present = BigInt(Math.floor(size / newest.pageBytes));
  if (present * 2n < pages || pages - present > PAGES_MISSING_MAX) {
    return `it has ${size} bytes of ${pages * BigInt(newest.pageBytes)}`;
  }
  return newest.roots.some((root) => root !== NO_ROOT && root >= pages) ? 'its head points beyond its end' : undefined;
}

interface Meta {
  pageBytes: number;
  roots: bigint[];
  lastPage: bigint;
}

function readMeta(file: number, at: number): Meta | undefined {
  const bytes = Buffer.alloc(META_BYTES);
  if (readSync(file, bytes, 0, META_BYTES, at) < META_BYTES) return undefined;
  const pageBytes = bytes.readUInt32LE(PAGE_BYTES);
  const isMeta = (bytes.readUInt16LE(FLAGS) & FLAG_META) !== 0 && bytes.readUInt32LE(MAGIC) === MAGIC_VALUE;
  if (!isMeta || !PAGE_BYTES_ALLOWED.includes(pageBytes)) return undefined;
  return {
    pageBytes,
    roots: ROOTS.map((root) => bytes.readBigUInt64LE(root)),
    lastPage: bytes.readBigUInt64LE(LAST_PAGE),
  };
}
