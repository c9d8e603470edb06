// What all threads agree on about the cells of a world; part of the plan of the world, plain data and shared buffers.

import type { ColumnPlace } from '../world/world-layout.js';
import type { CellGrid } from './cell-grid.js';

export interface CellPlan {
  grid: CellGrid;
  /** Columns that a resting entity keeps in a store, packed in this order. Its id is not among them: it is given a new one. */
  rowColumns: readonly ColumnPlace[];
  rowBytes: number;
  /** Kinds of entities that rest, by number. */
  restingKinds: readonly number[];
  /** See cell-table.ts. */
  table: SharedArrayBuffer;
  /** By zone: rows that the I/O thread has loaded for it. */
  rings: SharedArrayBuffer[];
  /** Limits over all zones. */
  liveMax: number;
  entitiesMax: number;
  ttlTicks: number;
  viewRadius: number;
  leaveRadius: number;
  seed: number;
  bots: number;
}

// --- ring of cells: I/O thread -> zone ------------------------------------------------------------------------------
//
//  0           8          12         16          20          24
//  | version f64 | cell i32 | first i32 | rows i32 | total i32 | rows, packed |
//
// Cell is the zone's number of it; `first` counts rows of the record before this one, `total` all of them.

export const CHUNK_VERSION = 0;
export const CHUNK_CELL = 8;
export const CHUNK_FIRST = 12;
export const CHUNK_ROWS = 16;
export const CHUNK_TOTAL = 20;
export const CHUNK_BODY = 24;

/** Rows of a cell's record. */
export const FROM_STORE_ROWS = 1;
/** The store has no whole record of the cell: it begins anew. */
export const FROM_STORE_NOTHING = 2;
