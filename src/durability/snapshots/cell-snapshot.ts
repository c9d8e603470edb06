// The part of a zone's snapshot that is about its cells: behind all else, where the world has cells.
//
//   | version f64 x n | state i32 x n | since i32 x n | taken i32 x n | queue record | queue record | ... |
//
// The header's `cells` gives n (`count`), the number of queue records and the bytes of each. Cells of a zone are numbered
// row by row from its corner at the origin. State is 0 cold, 1 loading, 2 live, 3 leaving, since tick `since`; `version`
// names the record in the store that is the cell, 0 for none (cell-store.ts); `taken` counts rows of a loading cell that
// are here already. A queue record is drawn in engine/cells/cell-queue.ts; rows in it have the columns `rowColumns`.

import type { AnyColumn } from '../../memory/world/column-types.js';
import type { Block, CellArrays } from '../../memory/world/world-buffer.js';
import {
  type ColumnSpec,
  describeColumn,
  SCALAR_CELL_QUEUE,
  type WorldLayout,
} from '../../memory/world/world-layout.js';

const CELL_BYTES = 20;

/** In the header of a snapshot. */
export interface CellsHeader {
  count: number;
  queueRecords: number;
  queueRecordBytes: number;
  /** What rows in the queue are packed of. */
  rowColumns: readonly ColumnSpec[];
}

export interface CellsSnapshot extends CellsHeader {
  bytes: Uint8Array;
}

export function describeCells(block: Block, layout: WorldLayout): CellsHeader | undefined {
  if (layout.cells === undefined) return undefined;
  const { count, queueRecordBytes, rowColumns } = layout.cells;
  const queueRecords = block.scalars[SCALAR_CELL_QUEUE];
  return { count, queueRecords, queueRecordBytes, rowColumns: rowColumns.map(describeColumn) };
}

/** What a block's cells consist of, in their order; of the queue what was described, whatever the block says by now. */
export function listCellParts({ cells }: Block, described: CellsHeader | undefined): AnyColumn[] {
  if (cells === undefined || described === undefined) return [];
  const queueBytes = described.queueRecords * described.queueRecordBytes;
  return [cells.version, cells.state, cells.since, cells.taken, cells.queue.subarray(0, queueBytes)];
}

export function bytesOfCells({ count, queueRecords, queueRecordBytes }: CellsHeader): number {
  return count * CELL_BYTES + queueRecords * queueRecordBytes;
}

/** The parts of a snapshot's cells, as views of a copy. */
export function readCells({ count, queueRecords, queueRecordBytes, bytes }: CellsSnapshot): CellArrays {
  const { buffer } = Uint8Array.from(bytes);
  return {
    version: new Float64Array(buffer, 0, count),
    state: new Int32Array(buffer, count * 8, count),
    since: new Int32Array(buffer, count * 12, count),
    taken: new Int32Array(buffer, count * 16, count),
    queue: new Uint8Array(buffer, count * CELL_BYTES, queueRecords * queueRecordBytes),
  };
}
