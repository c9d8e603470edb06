// NPCs wander: straight on for about two seconds, then another way. They look at nothing, so that a hundred thousand
// of them cost a tick no more than their steps.

import { type ArenaZone, KIND_NPC } from './fields.js';
import { NPC_SPEED } from './rules.js';

/** Each tick one row in this many takes a new heading: every 2.1 s at 60 ticks/s. A power of two. */
const TURN_TICKS = 128;

/** System. @hot Visits one row in TURN_TICKS. */
export function wander(zone: ArenaZone): void {
  const { alive, kind, rowLimit } = zone;
  const { hp } = zone.columns;
  for (let row = -zone.tick & (TURN_TICKS - 1); row < rowLimit; row += TURN_TICKS) {
    if (alive[row] !== 0 && kind[row] === KIND_NPC && hp[row] !== 0) turnNpc(zone, row);
  }
}

/** @hot A new heading: a random point of a square, scaled to the speed, needs no sine. */
export function turnNpc(zone: ArenaZone, row: number): void {
  const { velocityX, velocityY } = zone.columns;
  const x = zone.random() * 2 - 1;
  const y = zone.random() * 2 - 1;
  const length = Math.sqrt(x * x + y * y);
  if (length < 0.001) {
    velocityX[row] = NPC_SPEED;
    velocityY[row] = 0;
    return;
  }
  velocityX[row] = (x / length) * NPC_SPEED;
  velocityY[row] = (y / length) * NPC_SPEED;
}
