// Rows that are clients' entities, found by looking at all of them: for the moments in which a zone learns who is its own.

import type { EngineZone } from '../zone/zone.js';

/** The row of this client's entity, or -1. */
export function findOwned({ rowLimit, alive, owner, engine }: EngineZone, client: number, generation: number): number {
  for (let row = 0; row < rowLimit; row++) {
    if (alive[row] !== 0 && owner[row] === client + 1 && engine.ownerGeneration[row] === generation) {
      return row;
    }
  }
  return -1;
}

/** Rows that belong to a client which has another row, or none. */
export function listUnattached({ rowLimit, alive, owner }: EngineZone, rowOfClient: Int32Array): number[] {
  const rows: number[] = [];
  for (let row = 0; row < rowLimit; row++) {
    if (alive[row] !== 0 && owner[row] !== 0 && rowOfClient[owner[row] - 1] !== row) {
      rows.push(row);
    }
  }
  return rows;
}
