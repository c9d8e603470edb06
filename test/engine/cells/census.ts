// Who is where in a world of cells: in rows, in rows on their way to the store, in queues, in records. Everybody whose cell
// was ever populated is in exactly one place.

import assert from 'node:assert/strict';
import { decodeCell } from '../../../src/durability/cells/cell-record.js';
import { CELLS_TABLE, cellKey } from '../../../src/durability/cells/cell-store.js';
import { FORM_ENTITY, formOfRecord, QUEUE_HEAD_BYTES } from '../../../src/engine/cells/cell-queue.js';
import { DEPART_TO_CELL } from '../../../src/engine/entities/columns.js';
import type { WorldPlan } from '../../../src/engine/plan/world-plan.js';
import { areaOfCell, worldCellOf } from '../../../src/memory/cells/cell-grid.js';
import { CELL_COLD, CELL_LOADING } from '../../../src/memory/cells/cell-table.js';
import type { Block, WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { SCALAR_CELL_QUEUE, SCALAR_ROW_LIMIT } from '../../../src/memory/world/world-layout.js';
import type { ColdStore } from '../../../src/stores/store-ports.js';
import { firstSerial, RESTING_PER_CELL } from './garden-game.js';

export interface Census {
  /** By serial: every place in which it was found. */
  found: Map<number, string[]>;
  expected: Set<number>;
  live: number;
  cold: number;
}

export async function takeCensus(
  plan: WorldPlan,
  worlds: readonly WorldBuffer[],
  store: ColdStore,
  worldId: string,
  pick: (world: WorldBuffer) => Block = (world) => world.committed,
): Promise<Census> {
  const cells = plan.cells;
  assert.ok(cells);
  const census: Census = { found: new Map(), expected: new Set(), live: 0, cold: 0 };
  const serialAt = offsetOf(cells.rowColumns, 'serial');
  const note = (serial: number, where: string): void => {
    census.found.set(serial, [...(census.found.get(serial) ?? []), where]);
  };
  for (const world of worlds) {
    const block = pick(world);
    const { alive, kind, departTo, serial } = block.columns;
    for (let row = 0; row < block.scalars[SCALAR_ROW_LIMIT]; row++) {
      if (kind[row] === 0 || (alive[row] === 0 && departTo[row] !== DEPART_TO_CELL)) continue;
      note(serial[row], `zone ${world.zoneId}, row ${row}`);
      census.live++;
    }
    const recordBytes = world.layout.cells?.queueRecordBytes ?? 0;
    for (let i = 0; i < block.scalars[SCALAR_CELL_QUEUE]; i++) {
      const record = block.cells!.queue.slice(i * recordBytes, (i + 1) * recordBytes);
      if (formOfRecord(record) === FORM_ENTITY) note(readU32(record, QUEUE_HEAD_BYTES + serialAt), 'a queue');
    }
    const { state, version, taken } = block.cells!;
    for (let local = 0; local < state.length; local++) {
      const cell = worldCellOf(cells.grid, world.zoneId, local);
      if (state[local] === CELL_COLD && version[local] === 0) continue;
      const area = areaOfCell(cells.grid, cell);
      for (let i = 0; i < RESTING_PER_CELL; i++) census.expected.add(firstSerial(area.x, area.y) + i);
      if (state[local] !== CELL_COLD && state[local] !== CELL_LOADING) continue;
      census.cold++;
      const key = cellKey(worldId, cell, version[local]);
      const [value] = await store.getRows(CELLS_TABLE, [key]);
      assert.ok(value, `the record ${key} is there`);
      const rows = decodeCell(value, cell, cells.rowColumns);
      for (let row = state[local] === CELL_LOADING ? taken[local] : 0; row < rows.count; row++) {
        note(readU32(rows.bytes, row * cells.rowBytes + serialAt), `record ${key}`);
      }
    }
  }
  return census;
}

/** Throws when somebody is there twice; returns who is nowhere. */
export function checkCensus({ found, expected }: Census, context: string): number[] {
  for (const [serial, places] of found) {
    assert.equal(places.length, 1, `${context}: ${serial} is in ${places.join(' and ')}`);
    assert.ok(expected.has(serial), `${context}: ${serial} was never born`);
  }
  return [...expected].filter((serial) => !found.has(serial));
}

function offsetOf(columns: readonly { name: string; bytes: number }[], name: string): number {
  let at = 0;
  for (const column of columns) {
    if (column.name === name) return at;
    at += column.bytes;
  }
  throw new Error(`no ${name}`);
}

function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}
