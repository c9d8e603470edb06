// Which cells players see at this moment, by what their zones have committed. It may be of two ticks: it decides what is
// loaded first, and nothing else.

import type { CellPlan } from '../../memory/cells/cell-plan.js';
import type { WorldBuffer } from '../../memory/world/world-buffer.js';
import { SCALAR_ROW_LIMIT } from '../../memory/world/world-layout.js';

/** World cells within the square around what a player sees. */
export function findCellsInView(worlds: readonly WorldBuffer[], { grid, viewRadius }: CellPlan): Set<number> {
  const inView = new Set<number>();
  const across = grid.columns * grid.zoneColumns;
  const down = grid.rows * grid.zoneRows;
  for (const { committed } of worlds) {
    const { alive, owner, positionX, positionY } = committed.columns;
    const rowLimit = committed.scalars[SCALAR_ROW_LIMIT];
    for (let row = 0; row < rowLimit; row++) {
      if (alive[row] === 0 || owner[row] === 0) continue;
      const columns = rangeOf(positionX[row], viewRadius, grid.cellSize, across);
      const rows = rangeOf(positionY[row], viewRadius, grid.cellSize, down);
      for (let cellRow = rows.start; cellRow < rows.limit; cellRow++) {
        for (let column = columns.start; column < columns.limit; column++) inView.add(cellRow * across + column);
      }
    }
  }
  return inView;
}

function rangeOf(place: number, radius: number, cellSize: number, count: number): { start: number; limit: number } {
  return {
    start: Math.max(0, Math.floor((place - radius) / cellSize)),
    limit: Math.min(count, Math.floor((place + radius) / cellSize) + 1),
  };
}
