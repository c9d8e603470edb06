// Events that tell where players are: one per second of each player that has moved. When in the second a player is told of
// depends on its row at the join and stays the same over borders, so that no tick carries the events of all.

import { type ArenaZone, EVENT_MOVED, KIND_PLAYER } from './fields.js';
import { MOVE_STEPS_PER_UNIT, MOVE_TOLD_SECONDS } from './rules.js';

/** System. @hot Once per player and tick. */
export function tellMoves(zone: ArenaZone): void {
  const { alive, kind, positionX, positionY, rowLimit } = zone;
  const { tellTicks, hasMoved } = zone.columns;
  for (let row = 0; row < rowLimit; row++) {
    if (kind[row] !== KIND_PLAYER || alive[row] === 0) continue;
    if (tellTicks[row] > 0) {
      tellTicks[row]--;
      continue;
    }
    tellTicks[row] = zone.tickHz * MOVE_TOLD_SECONDS - 1;
    if (hasMoved[row] === 0) continue;
    hasMoved[row] = 0;
    // Integers, since a fraction would be boxed on its way.
    const x = Math.round(positionX[row] * MOVE_STEPS_PER_UNIT) | 0;
    const y = Math.round(positionY[row] * MOVE_STEPS_PER_UNIT) | 0;
    zone.emit(EVENT_MOVED, row, row, x, y);
  }
}

/** The first event of a new body comes within its first second. */
export function delayMoves(zone: ArenaZone, row: number): void {
  zone.columns.tellTicks[row] = row % (zone.tickHz * MOVE_TOLD_SECONDS);
}
