// How a body moves in one tick: shared with client prediction, so it takes arrays and numbers and knows no zone.
// Only +, -, *, / and sqrt are used, which give the same bits on every machine; Math.sin and Math.cos do not.

import { BODY_RADIUS, PILLAR_RADIUS, PLAYER_SPEED } from './rules.js';

/** Intents are bytes: this is full speed along one axis. */
export const INTENT_MAX = 127;

export const STOPPED_X = 1;
export const STOPPED_Y = 2;

const TOUCH_DISTANCE = PILLAR_RADIUS + BODY_RADIUS;

/** @hot Units per second for an intent; a diagonal is no faster than an axis. Times x or y it gives the velocity. */
export function speedPerIntent(x: number, y: number): number {
  const lengthSquared = x * x + y * y;
  if (lengthSquared <= INTENT_MAX * INTENT_MAX) return PLAYER_SPEED / INTENT_MAX;
  return PLAYER_SPEED / Math.sqrt(lengthSquared);
}

/** @hot Moves a body and keeps it inside of the world. Returns along which axes the border stopped it. */
export function walk(
  positionX: Float32Array,
  positionY: Float32Array,
  row: number,
  stepX: number,
  stepY: number,
  worldWidth: number,
  worldHeight: number,
): number {
  let x = positionX[row] + stepX;
  let y = positionY[row] + stepY;
  let stopped = 0;
  if (x < BODY_RADIUS) {
    x = BODY_RADIUS;
    stopped = STOPPED_X;
  } else if (x > worldWidth - BODY_RADIUS) {
    x = worldWidth - BODY_RADIUS;
    stopped = STOPPED_X;
  }
  if (y < BODY_RADIUS) {
    y = BODY_RADIUS;
    stopped |= STOPPED_Y;
  } else if (y > worldHeight - BODY_RADIUS) {
    y = worldHeight - BODY_RADIUS;
    stopped |= STOPPED_Y;
  }
  positionX[row] = x;
  positionY[row] = y;
  return stopped;
}

/** @hot Puts a body that reaches into a pillar back to its edge. What is left of the step goes along it: a slide. */
export function pushOut(
  positionX: Float32Array,
  positionY: Float32Array,
  row: number,
  pillarX: number,
  pillarY: number,
): void {
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
