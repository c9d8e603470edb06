// Looks at an LMDB file before LMDB does. LMDB maps the file, so a page that lies beyond its end ends the process with
// SIGBUS and without a word. The two meta pages at the head say how many pages there are:
//
//  0       18          24          28            48                88            136           144             152
//  | ...   | flags u16 | magic u32 | version ... | page bytes u32  | root 1 u64  | root 2 u64  | last page u64 | transaction u64 |
//
// The page with the higher transaction counts. A sound file may be shorter than that: pages at its end that were taken
// and given back in one write are never written. So a short file is walked, and is damaged if a page that is in use is missing.
//
//  any page    | page u64 | transaction u64 | pad u16 | flags u16 | lower u16 | upper u16 | node offsets u16 ... |
//  branch node | child page u48 (low 16, middle 16, high 16) | key bytes u16 | key |
//  leaf node   | value bytes u32 | flags u16 | key bytes u16 | key | value, or where it lies |
//    a large value (flag 1)  | first page u64 | transaction u64 | pages u64 |
//    a table (flag 2)        | 40 bytes | root u64 |
//
// This is the form of 64-bit machines, lowest byte first. Damage inside of pages is found when it is met.

import { fstatSync, readSync } from 'node:fs';
import { lookIntoFile } from '../../base/present-file.js';
import { EMBEDDED_WALKS_MAX } from '../limits.js';

const META_BYTES = 160;
const FLAGS = 18;
const FLAG_META = 8;
const MAGIC = 24;
const MAGIC_VALUE = 0xbeefc0de;
const PAGE_BYTES = 48;
const ROOTS = [88, 136];
const LAST_PAGE = 144;
const TRANSACTION = 152;
const PAGE_BYTES_ALLOWED = [4096, 8192, 16384, 32768, 65536];
const NO_ROOT = 0xffffffffffffffffn;
const CHECKED_MACHINES = ['x64', 'arm64'];
const PAGE_HEADER_BYTES = 24;
const NODE_HEADER_BYTES = 8;
const LOWER = 20;
const FLAG_BRANCH = 1;
const FLAG_LEAF = 2;
const NODE_LARGE = 1;
const NODE_TABLE = 2;
const TABLE_ROOT = 40;

/** What is wrong with the file; undefined: nothing, or there is none yet. */
export function findFileDamage(path: string, machine: string = process.arch): string | undefined {
  if (!CHECKED_MACHINES.includes(machine)) return undefined;
  return lookIntoFile(path, (file) => describeDamage(file));
}

function describeDamage(file: number): string | undefined {
  let damage: string | undefined;
  for (let walk = 0; walk < EMBEDDED_WALKS_MAX; walk++) {
    const newest = readNewest(file);
    if (newest === undefined || typeof newest === 'string') return newest;
    damage = lacksPages(file, newest);
    const after = readNewest(file);
    const isSame = typeof after === 'object' && after.transaction === newest.transaction;
    if (damage === undefined || isSame) break;
  }
  return damage;
}

/** A text says what is wrong; undefined: the file is empty. */
function readNewest(file: number): Meta | string | undefined {
  if (fstatSync(file).size === 0) return undefined;
  const first = readMeta(file, 0);
  if (first === undefined) return 'it does not begin as such a file does';
  const second = readMeta(file, first.pageBytes);
  if (second === undefined) return 'its second page is not what it must be';
  return first.transaction > second.transaction ? first : second;
}

function lacksPages(file: number, { pageBytes, roots, lastPage }: Meta): string | undefined {
  const pages = lastPage + 1n;
  if (roots.some((root) => root !== NO_ROOT && root >= pages)) return 'its head points beyond its end';
  const { size } = fstatSync(file);
  const present = Math.floor(size / pageBytes);
  if (BigInt(present) >= pages || !isPageMissing(file, pageBytes, present, roots)) return undefined;
  return `it has ${size} bytes of ${pages * BigInt(pageBytes)}`;
}

/** Whether a page that is in use lies beyond the first `present` ones. */
function isPageMissing(file: number, pageBytes: number, present: number, roots: readonly bigint[]): boolean {
  const page = Buffer.alloc(pageBytes);
  const open = [...roots];
  // Each page is met once, in a sound file; in another one a circle must end.
  for (let left = present; open.length > 0 && left >= 0; left--) {
    const index = open.pop() as bigint;
    if (index === NO_ROOT) continue;
    if (index >= BigInt(present)) return true;
    readSync(file, page, 0, pageBytes, Number(index) * pageBytes);
    if (!followNodes(page, BigInt(present), open)) return true;
  }
  return false;
}

/** Adds the pages below this one to `open`; false where it names a large value that is not all there. */
function followNodes(page: Buffer, present: bigint, open: bigint[]): boolean {
  const flags = page.readUInt16LE(FLAGS);
  const isBranch = (flags & FLAG_BRANCH) !== 0;
  if (!isBranch && (flags & FLAG_LEAF) === 0) return true;
  const offsetsLimit = Math.min(page.readUInt16LE(LOWER), page.length);
  for (let at = PAGE_HEADER_BYTES; at + 2 <= offsetsLimit; at += 2) {
    const node = page.readUInt16LE(at);
    if (node + NODE_HEADER_BYTES > page.length) continue;
    if (isBranch) {
      open.push(BigInt(page.readUIntLE(node, 6)));
      continue;
    }
    const value = node + NODE_HEADER_BYTES + page.readUInt16LE(node + 6);
    const nodeFlags = page.readUInt16LE(node + 4);
    if ((nodeFlags & NODE_LARGE) !== 0 && value + 24 <= page.length) {
      if (page.readBigUInt64LE(value) + page.readBigUInt64LE(value + 16) > present) return false;
    } else if ((nodeFlags & NODE_TABLE) !== 0 && value + TABLE_ROOT + 8 <= page.length) {
      open.push(page.readBigUInt64LE(value + TABLE_ROOT));
    }
  }
  return true;
}

interface Meta {
  pageBytes: number;
  roots: bigint[];
  lastPage: bigint;
  transaction: bigint;
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
    transaction: bytes.readBigUInt64LE(TRANSACTION),
  };
}
