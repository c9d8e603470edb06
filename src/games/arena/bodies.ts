// The systems that turn wishes into velocities and velocities into steps.

import { type ArenaZone, KIND_NPC, KIND_PLAYER } from './fields.js';
import { pushOut, STOPPED_X, STOPPED_Y, speedPerIntent, walk } from './movement.js';
import { pillarGrid, pillarNear } from './pillars.js';

/** System. @hot Once per entity and tick. */
export function followIntents(zone: ArenaZone): void {
  const { alive, kind, rowLimit } = zone;
  const { hp, intentX, intentY, velocityX, velocityY, cooldownTicks } = zone.columns;
  for (let row = 0; row < rowLimit; row++) {
    if (kind[row] !== KIND_PLAYER || alive[row] === 0) continue;
    if (cooldownTicks[row] > 0) cooldownTicks[row]--;
    const x = intentX[row];
    const y = intentY[row];
    const speed = hp[row] === 0 ? 0 : speedPerIntent(x, y);
    velocityX[row] = x * speed;
    velocityY[row] = y * speed;
  }
}

/** System. @hot Once per entity and tick. Players and NPCs; what stands still costs nothing. */
export function moveBodies(zone: ArenaZone): void {
  const { alive, kind, positionX, positionY, rowLimit, tickHz } = zone;
  const { velocityX, velocityY, hasMoved } = zone.columns;
  const { width, height } = zone.world;
  const grid = pillarGrid(zone);
  for (let row = 0; row < rowLimit; row++) {
    if (alive[row] === 0 || kind[row] > KIND_NPC) continue;
    const vx = velocityX[row];
    const vy = velocityY[row];
    if (vx === 0 && vy === 0) continue;
    const x = positionX[row];
    const y = positionY[row];
    const stopped = walk(positionX, positionY, velocityX, velocityY, row, tickHz, width, height);
    // A player's velocity is made anew from the intent every tick, so turning it back matters to NPCs only.
    if ((stopped & STOPPED_X) !== 0) velocityX[row] = -vx;
    if ((stopped & STOPPED_Y) !== 0) velocityY[row] = -vy;
    const pillar = pillarNear(grid, positionX, positionY, row);
    if (pillar >= 0) pushOut(positionX, positionY, row, pillar);
    if (positionX[row] !== x || positionY[row] !== y) hasMoved[row] = 1;
  }
}
