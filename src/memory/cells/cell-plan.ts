// What all threads know of the cells of a world, as part of the world plan: plain data and shared buffers.

import type { ColumnPlace } from '../world/world-layout.js';
import type { CellGrid } from './cell-grid.js';

export interface CellPlan {
  grid: CellGrid;
  /** Columns of a resting entity that are stored, packed in this order. Its id is not among them: it gets a new one. */
  rowColumns: readonly ColumnPlace[];
  rowBytes: number;
  /** Numbers of the kinds of entities that rest in cells. */
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
// `cell` is its local number, `first` the number of its rows in earlier records, `total` the number of all its rows.

export const CHUNK_VERSION = 0;
export const CHUNK_CELL = 8;
export const CHUNK_FIRST = 12;
export const CHUNK_ROWS = 16;
export const CHUNK_TOTAL = 20;
export const CHUNK_BODY = 24;

// Kinds of records.
/** Some rows of a cell as it was stored. */
export const FROM_STORE_ROWS = 1;
/** The store has no intact record of the cell: it is populated anew. */
export const FROM_STORE_NOTHING = 2;
