// The hash of a committed block: a few numbers that are equal for equal states, whatever rows without an entity hold.
// Each column has three sums over its values: plain, weighted by row, and weighted by row squared. If two states differ in
// one value, by d after mixing, the sums differ by d, row * d and row * row * d, which names the row.

import { HASH_ATTEMPTS_MAX } from '../limits.js';
import { bitsOf, type ColumnType } from './column-types.js';
import { type ComponentsPlace, listHaving } from './component-rows.js';
import type { Block, WorldBuffer } from './world-buffer.js';
import * as L from './world-layout.js';

const SUMS_PER_COLUMN = 3;
/** Scalars that are part of the state; the others describe how it is stored. */
const STATE_SCALARS = [L.SCALAR_TICK, L.SCALAR_ROW_LIMIT, L.SCALAR_ENTITY_COUNT, L.SCALAR_RANDOM, L.SCALAR_ID_LIMIT];
const PRIME = 0x01000193;

export interface StateHash {
  tick: number;
  entities: number;
  /** Scalars, globals, then three sums of each column that is not transient. */
  sums: Int32Array;
}

/** Undefined: the zone commits faster than this thread can read; the caller tries again later. */
export function hashCommitted(world: WorldBuffer): StateHash | undefined {
  for (let attempt = 0; attempt < HASH_ATTEMPTS_MAX; attempt++) {
    const held = world.hold();
    const hash = hashBlock(world.committed, world.layout);
    if (world.isHeld(held)) return hash;
  }
  return undefined;
}

function hashedColumns(layout: L.WorldLayout): L.ColumnPlace[] {
  return layout.columns.filter(({ role }) => role !== 'transient');
}

export function hashBlock(block: Block, layout: L.WorldLayout): StateHash {
  const columns = hashedColumns(layout);
  const sums = new Int32Array(2 + columns.length * SUMS_PER_COLUMN);
  for (const index of STATE_SCALARS) {
    sums[0] = mix(Math.imul(sums[0], PRIME), block.scalars[index]);
  }
  for (const word of new Int32Array(block.globals.buffer, block.globals.byteOffset, block.globals.length * 2)) {
    sums[1] = mix(Math.imul(sums[1], PRIME), word);
  }
  const everywhere = block.columns[layout.columns.find(({ role }) => role === 'alive')?.name ?? ''];
  const { scalars } = block;
  const having = new Map<number, Uint8Array>();
  const havingOf = (component: number): Uint8Array => {
    const known = having.get(component) ?? listHaving(block.columns, layout.components as ComponentsPlace, component);
    having.set(component, known);
    return known;
  };
  for (const [index, { name, role, type, length, component }] of columns.entries()) {
    const isWide = type === 'f64';
    const values = bitsOf(block.columns[name]);
    const at = 2 + index * SUMS_PER_COLUMN;
    if (role === 'id') {
      sumValues(values, isWide, undefined, 0, scalars[L.SCALAR_ID_LIMIT], sums, at);
      continue;
    }
    const alive = component === undefined ? everywhere : havingOf(component);
    if (length !== undefined) {
      sumArrays(values, isWide, length, alive, 0, scalars[L.SCALAR_ROW_LIMIT], sums, at);
      sumArrays(
        values,
        isWide,
        length,
        alive,
        scalars[L.SCALAR_MIRROR_FIRST],
        scalars[L.SCALAR_MIRROR_LIMIT],
        sums,
        at,
      );
      continue;
    }
    sumValues(values, isWide, alive, 0, scalars[L.SCALAR_ROW_LIMIT], sums, at);
    sumValues(values, isWide, alive, scalars[L.SCALAR_MIRROR_FIRST], scalars[L.SCALAR_MIRROR_LIMIT], sums, at);
  }
  return { tick: scalars[L.SCALAR_TICK], entities: scalars[L.SCALAR_ENTITY_COUNT], sums };
}

/** The hash as one short text, for people. */
export function hashText({ sums }: StateHash): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < sums.length; i++) {
    hash = mix(Math.imul(hash, PRIME), sums[i]);
  }
  return (hash >>> 0).toString(16).padStart(8, '0');
}

export interface StateDifference {
  /** A column, or 'scalars' or 'globals'. */
  field: string;
  /** The row of the one value that differs; undefined when several do, or the field is no column. */
  row?: number;
  /** What that cell was and is, where the sums can tell: not of columns of 64 bits. */
  values?: { before: number; now: number };
}

/** What differs between two hashes of one layout. `now`: the block of the second one, to tell what a cell was. */
export function compareHashes(
  expected: Int32Array,
  actual: Int32Array,
  layout: L.WorldLayout,
  now?: Block,
): StateDifference[] {
  const differences: StateDifference[] = [];
  if (expected[0] !== actual[0]) differences.push({ field: 'scalars' });
  if (expected[1] !== actual[1]) differences.push({ field: 'globals' });
  for (const [index, { name, type, length = 1 }] of hashedColumns(layout).entries()) {
    const at = 2 + index * SUMS_PER_COLUMN;
    const [plain, byRow, bySquare] = [0, 1, 2].map((nth) => (actual[at + nth] - expected[at + nth]) | 0);
    if (plain === 0 && byRow === 0 && bySquare === 0) continue;
    // Of arrays each element counts as a row of its own.
    const cell = findRow(plain, byRow, bySquare, layout.rowCapacity * length);
    const values =
      cell === undefined || now === undefined ? undefined : findValues(now.columns[name], type, cell, plain);
    const row = cell === undefined ? undefined : Math.floor(cell / length);
    differences.push({ field: name, ...(row !== undefined && { row }), ...(values && { values }) });
  }
  return differences;
}

/** Undefined unless exactly one row explains the three differences. */
function findRow(plain: number, byRow: number, bySquare: number, rowCapacity: number): number | undefined {
  let found: number | undefined;
  for (let row = 0; row < rowCapacity; row++) {
    if (Math.imul(plain, row) === byRow && Math.imul(byRow, row) === bySquare) {
      if (found !== undefined) return undefined;
      found = row;
    }
  }
  return found;
}

/** The plain sums differ by what the cell's two values are mixed to: from one value follows the other. */
function findValues(
  column: Block['columns'][string],
  type: ColumnType,
  row: number,
  difference: number,
): StateDifference['values'] {
  if (type === 'f64') return undefined;
  const bits = unmix(row, (mix(row, bitsOf(column)[row]) - difference) | 0);
  const before = new (column.constructor as new (length: number) => Block['columns'][string])(1);
  if (before instanceof Float32Array) new Int32Array(before.buffer)[0] = bits;
  else before[0] = bits;
  const isPossible = before instanceof Float32Array || (before[0] | 0) === bits;
  return isPossible ? { before: before[0], now: column[row] } : undefined;
}

/** @hot */
function sumValues(
  values: ArrayLike<number>,
  /** Two integers per value. */
  isWide: boolean,
  alive: ArrayLike<number> | undefined,
  start: number,
  limit: number,
  sums: Int32Array,
  at: number,
): void {
  let plain = 0;
  let byRow = 0;
  let bySquare = 0;
  for (let row = start; row < limit; row++) {
    if (alive !== undefined && alive[row] === 0) {
      continue;
    }
    const mixed = isWide ? mix(mix(row, values[2 * row]), values[2 * row + 1]) : mix(row, values[row]);
    const weighted = Math.imul(mixed, row);
    plain = (plain + mixed) | 0;
    byRow = (byRow + weighted) | 0;
    bySquare = (bySquare + Math.imul(weighted, row)) | 0;
  }
  sums[at] += plain;
  sums[at + 1] += byRow;
  sums[at + 2] += bySquare;
}

/** @hot As sumValues, for columns that have several values per row. */
function sumArrays(
  values: ArrayLike<number>,
  isWide: boolean,
  length: number,
  alive: ArrayLike<number>,
  start: number,
  limit: number,
  sums: Int32Array,
  at: number,
): void {
  for (let row = start; row < limit; row++) {
    if (alive[row] !== 0) {
      sumValues(values, isWide, undefined, row * length, (row + 1) * length, sums, at);
    }
  }
}

/** @hot */
function mix(seed: number, value: number): number {
  let hash = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return hash ^ (hash >>> 16);
}

/** The value that was mixed: every step of mix can be taken back. */
function unmix(seed: number, mixed: number): number {
  let hash = mixed ^ (mixed >>> 16);
  hash = Math.imul(hash, inverseOf(0x846ca68b));
  hash ^= (hash >>> 15) ^ (hash >>> 30);
  hash = Math.imul(hash, inverseOf(0x7feb352d));
  hash ^= hash >>> 16;
  return hash ^ Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b);
}

/** Of an odd number, modulo 2^32: each round doubles the bits that are right, of which there are three to begin with. */
function inverseOf(odd: number): number {
  let inverse = odd;
  for (let round = 0; round < 4; round++) inverse = Math.imul(inverse, 2 - Math.imul(odd, inverse));
  return inverse;
}
