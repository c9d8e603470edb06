// The cells of a zone after a restart, from the zone's snapshot. Cold cells name their records in the store. Loading cells
// go on from the row they had come to. Cells that were being stored are live again: their rows are in the snapshot, and a
// record that was written of them since is named by nothing.

import { FORM_ENTITY, formOfRecord, QUEUE_HEAD_BYTES } from '../../engine/cells/cell-queue.js';
import { DEPART_TO_CELL, engineColumnsOf } from '../../engine/entities/columns.js';
import { thawTimers, timerColumnsOf } from '../../engine/entities/timer-columns.js';
import { CELL_EVICTING, CELL_LIVE } from '../../memory/cells/cell-table.js';
import { LIVE_BLOCK, type WorldBuffer } from '../../memory/world/world-buffer.js';
import {
  rowBytesOf,
  SCALAR_CELL_QUEUE,
  SCALAR_ENTITY_COUNT,
  SCALAR_ROW_LIMIT,
  SCALAR_TICK,
} from '../../memory/world/world-layout.js';
import { repackRows } from '../cells/cell-record.js';
import { type CellsSnapshot, readCells } from '../snapshots/cell-snapshot.js';

/** As they were in the snapshot, also those that were being stored: a journal goes on from there. */
export function fillCells(world: WorldBuffer, snapshot: CellsSnapshot | undefined): void {
  const live = world.blocks[LIVE_BLOCK];
  if (live.cells === undefined || snapshot === undefined) return;
  const { version, state, since, taken, queue } = readCells(snapshot);
  live.cells.version.set(version);
  live.cells.state.set(state);
  live.cells.since.set(since);
  live.cells.taken.set(taken);
  restoreQueue(world, snapshot, queue);
}

/** Cells that were being stored have never left. Call it before anything looks at what is alive. */
export function wakeCells(world: WorldBuffer): void {
  const live = world.blocks[LIVE_BLOCK];
  if (live.cells === undefined) return;
  const { state } = live.cells;
  for (let cell = 0; cell < state.length; cell++) {
    if (state[cell] === CELL_EVICTING) state[cell] = CELL_LIVE;
  }
  const { alive, departTo } = engineColumnsOf(live);
  const timers = timerColumnsOf(live);
  for (let row = 0; row < live.scalars[SCALAR_ROW_LIMIT]; row++) {
    if (departTo[row] !== DEPART_TO_CELL) continue;
    departTo[row] = 0;
    alive[row] = 1;
    thawTimers(timers, row, live.scalars[SCALAR_TICK]);
    live.scalars[SCALAR_ENTITY_COUNT]++;
  }
}

/** Queued rows are repacked by column name, as the rows of records are. */
function restoreQueue(world: WorldBuffer, snapshot: CellsSnapshot, queue: Uint8Array): void {
  const { cells } = world.layout;
  const live = world.blocks[LIVE_BLOCK];
  if (cells === undefined || live.cells === undefined) return;
  const { queueRecords, queueRecordBytes, rowColumns } = snapshot;
  const rowBytes = rowBytesOf(rowColumns);
  for (let index = 0; index < queueRecords; index++) {
    const record = queue.subarray(index * queueRecordBytes, (index + 1) * queueRecordBytes);
    const target = live.cells.queue.subarray(index * cells.queueRecordBytes, (index + 1) * cells.queueRecordBytes);
    if (formOfRecord(record) === FORM_ENTITY) {
      const row = { count: 1, bytes: record.subarray(QUEUE_HEAD_BYTES, QUEUE_HEAD_BYTES + rowBytes) };
      target.set(record.subarray(0, QUEUE_HEAD_BYTES));
      target.set(repackRows(row, rowColumns, cells.rowColumns), QUEUE_HEAD_BYTES);
    } else {
      target.set(record.subarray(0, Math.min(record.length, target.length)));
    }
  }
  live.scalars[SCALAR_CELL_QUEUE] = queueRecords;
}
