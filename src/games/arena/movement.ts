// How a body moves in one tick: shared with client prediction, so it takes arrays and numbers and knows no zone.
// Only +, -, *, / and sqrt are used, which give the same bits on every machine; Math.sin and Math.cos do not.

import { BODY_RADIUS, INTENT_MAX, PILLAR_RADIUS, PLAYER_SPEED } from './rules.js';

export const STOPPED_X = 1;
export const STOPPED_Y = 2;

const TOUCH_DISTANCE = PILLAR_RADIUS + BODY_RADIUS;

/** @hot Units per second for an intent; a diagonal is no faster than an axis. Times x or y it gives the velocity. */
export function speedPerIntent(x: number, y: number): number {
  const lengthSquared = x * x + y * y;
  if (lengthSquared <= INTENT_MAX * INTENT_MAX) return PLAYER_SPEED / INTENT_MAX;
  return PLAYER_SPEED / Math.sqrt(lengthSquared);
}

/**
 * @hot Moves a body by one tick of its velocity and keeps it inside of the world. Returns along which axes the border
 * stopped it. Fractions come in columns: as arguments they are boxed wherever the call is not inlined.
 */
export function walk(
  positionX: Float32Array,
  positionY: Float32Array,
  velocityX: Float32Array,
  velocityY: Float32Array,
  row: number,
  tickHz: number,
  worldWidth: number,
  worldHeight: number,
): number {
  const x = positionX[row] + velocityX[row] / tickHz;
  const y = positionY[row] + velocityY[row] / tickHz;
  // Math.min and Math.max and not branches: a branch that yields an imported constant makes V8 box the number.
  const insideX = Math.min(Math.max(x, BODY_RADIUS), worldWidth - BODY_RADIUS);
  const insideY = Math.min(Math.max(y, BODY_RADIUS), worldHeight - BODY_RADIUS);
  positionX[row] = insideX;
  positionY[row] = insideY;
  return (insideX === x ? 0 : STOPPED_X) | (insideY === y ? 0 : STOPPED_Y);
}

/** @hot Puts a body that reaches into a pillar back to its edge. What is left of the step goes along it: a slide. */
export function pushOut(positionX: Float32Array, positionY: Float32Array, row: number, pillar: number): void {
  const pillarX = positionX[pillar];
  const pillarY = positionY[pillar];
  const dx = positionX[row] - pillarX;
  const dy = positionY[row] - pillarY;
  const distanceSquared = dx * dx + dy * dy;
  if (distanceSquared >= TOUCH_DISTANCE * TOUCH_DISTANCE) return;
  if (distanceSquared === 0) {
    positionX[row] = pillarX + TOUCH_DISTANCE;
    return;
  }
  const scale = TOUCH_DISTANCE / Math.sqrt(distanceSquared);
  positionX[row] = pillarX + dx * scale;
  positionY[row] = pillarY + dy * scale;
}
