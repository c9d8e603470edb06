// Which rows of a block have which components. Columns of a component lie in memory for all rows, but the system backs a page
// of shared memory only when it is touched: what a chunk of rows does not have is neither copied nor cleared, and costs nothing
// as long as rows with the same components stand together (entities/kind-rows.ts).
//
// The sets are made of the rows of a block each time: so a successor, a snapshot and a replay find the same.

import type { AnyColumn } from './column-types.js';

/** 64 rows of the smallest column are a cache line. Row capacities and the first mirror are multiples of it. */
export const CHUNK_ROWS = 64;
export const CHUNK_SHIFT = 6;

/** How rows tell which components they have. Plain data, which goes to other threads. */
export interface ComponentsPlace {
  /** By the value of the column that tells a row's kind: a bit for each component. */
  sets: readonly number[];
  /** Names of columns: the kind of a row, and two of which either is not 0 where the row is in use. */
  kind: string;
  alive: string;
  held: string;
}

type Columns = Readonly<Record<string, AnyColumn>>;

/** @hot By chunk: the components that any of its rows in use has. `first` is a multiple of CHUNK_ROWS. */
export function listSets(
  columns: Columns,
  place: ComponentsPlace,
  first: number,
  limit: number,
  out: Int32Array,
): void {
  const kind = columns[place.kind] as Uint8Array;
  const alive = columns[place.alive] as Uint8Array;
  const held = columns[place.held] as Uint8Array;
  const { sets } = place;
  for (let start = first; start < limit; start += CHUNK_ROWS) {
    let set = 0;
    const end = Math.min(start + CHUNK_ROWS, limit);
    for (let row = start; row < end; row++) {
      if ((alive[row] | held[row]) !== 0) set |= sets[kind[row]];
    }
    out[start >> CHUNK_SHIFT] = set;
  }
}

/** By row, in place of its column `alive`: not 0 where the row is alive and has the component. */
export function listHaving(columns: Columns, place: ComponentsPlace, component: number): Uint8Array {
  const kind = columns[place.kind] as Uint8Array;
  return (columns[place.alive] as Uint8Array).map((alive, row) =>
    alive !== 0 && (place.sets[kind[row]] & (1 << component)) !== 0 ? 1 : 0,
  );
}

const PAGE_CELLS = 512;

/** Writes `source` into a column from `at` on, and touches no memory that is zero already and stays so. */
export function setSparse(column: AnyColumn, source: AnyColumn, at: number): void {
  for (let start = 0; start < source.length; start += PAGE_CELLS) {
    const part = source.subarray(start, start + PAGE_CELLS);
    if (!isZero(part) || !isZero(column.subarray(at + start, at + start + part.length)))
      column.set(part as never, at + start);
  }
}

/** The same with zeros. */
export function clearSparse(column: AnyColumn): void {
  for (let start = 0; start < column.length; start += PAGE_CELLS) {
    const part = column.subarray(start, start + PAGE_CELLS);
    if (!isZero(part)) part.fill(0);
  }
}

function isZero(cells: AnyColumn): boolean {
  for (let i = 0; i < cells.length; i++) {
    if (cells[i] !== 0) return false;
  }
  return true;
}

/** Runs of rows, from `first` on, of which none is in use without the component: what a copy of its column has to have. */
export function eachRun(
  columns: Columns,
  place: ComponentsPlace,
  component: number,
  first: number,
  limit: number,
  take: (start: number, end: number) => void,
): void {
  const sets = new Int32Array(Math.ceil(limit / CHUNK_ROWS));
  listSets(columns, place, first, limit, sets);
  const { kind, alive, held } = { kind: columns[place.kind], alive: columns[place.alive], held: columns[place.held] };
  const lacks = (row: number): boolean =>
    (alive[row] | held[row]) !== 0 && (place.sets[kind[row]] & (1 << component)) === 0;
  let start = first;
  for (let row = first; row < limit; row++) {
    const isAbsent = (sets[row >> CHUNK_SHIFT] & (1 << component)) === 0 || lacks(row);
    if (!isAbsent) continue;
    if (row > start) take(start, row);
    start = row + 1;
  }
  if (limit > start) take(start, limit);
}
