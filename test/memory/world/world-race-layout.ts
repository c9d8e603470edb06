// What the thread that commits and the one that reads know of the world between them.

import { layOutWorld } from '../../../src/memory/world/world-layout.js';

export const RACE_LAYOUT = layOutWorld(
  [
    { name: 'first', type: 'i32' },
    { name: 'second', type: 'f64' },
    { name: 'last', type: 'i32' },
  ],
  8192,
);

/** Large enough that a commit takes its time, and another number in every tick. */
export function rowsOfTick(tick: number): number {
  return 4096 + ((tick * 37) & 4095);
}
