// Which live cells are given up: those that nobody has needed for long (time to live), and, where there is too much, those
// that nobody needs now, the longest unneeded first (LRU), until cells and entities are within their limits.

import { CELL_LIVE } from '../../memory/cells/cell-table.js';

export interface EvictionView {
  state: Int32Array;
  /** By cell: the tick at which it was last needed. */
  needed: Int32Array;
  /** By cell: entities that rest in it. */
  resting: Int32Array;
}

export interface EvictionLimits {
  tick: number;
  /** Needed within so many ticks is needed now: such a cell stays, whatever the limits. */
  freshTicks: number;
  ttlTicks: number;
  /** Beyond the limits of the world; zero or less where there is room. */
  cellsOver: number;
  entitiesOver: number;
  /** At most so many at once. */
  most: number;
}

/** Cells to give up, the longest unneeded first. */
export function chooseEvictions({ state, needed, resting }: EvictionView, limits: EvictionLimits): number[] {
  const { tick, freshTicks } = limits;
  // Less than that is not known to be unneeded: zones hear of each other a few ticks late.
  const ttlTicks = Math.max(limits.ttlTicks, freshTicks);
  let { cellsOver, entitiesOver } = limits;
  const isCrowded = cellsOver > 0 || entitiesOver > 0;
  const candidates: number[] = [];
  for (let cell = 0; cell < state.length; cell++) {
    if (state[cell] !== CELL_LIVE) continue;
    const age = tick - needed[cell];
    if (age > ttlTicks || (isCrowded && age > freshTicks)) candidates.push(cell);
  }
  candidates.sort((a, b) => needed[a] - needed[b] || a - b);
  const chosen: number[] = [];
  for (const cell of candidates) {
    if (chosen.length >= limits.most) break;
    const isOld = tick - needed[cell] > ttlTicks;
    if (!isOld && cellsOver <= 0 && entitiesOver <= 0) break;
    chosen.push(cell);
    cellsOver--;
    entitiesOver -= resting[cell];
  }
  return chosen;
}
