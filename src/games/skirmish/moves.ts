// Walking, of players and of those whom nobody plays; and what each team sees.

import { hit, isActing } from './combat.js';
import type { Game } from './fields.js';
import { BODY, KIND, MP_MAX, MP_PER_SECOND, NPC_SPEED, SIGHT, SPEED } from './rules.js';

const near = new Int32Array(64);

export function walk(zone: Game): void {
  const { alive, kind, positionX, positionY, dt, world, rowLimit } = zone;
  const { intentX, intentY, speedX, speedY, slowed, mp } = zone.columns;
  for (let row = 0; row < rowLimit; row++) {
    if (alive[row] === 0 || kind[row] > KIND.npc) continue;
    if (kind[row] === KIND.player) {
      const length = Math.max(127, Math.sqrt(intentX[row] * intentX[row] + intentY[row] * intentY[row]));
      speedX[row] = (intentX[row] / length) * SPEED;
      speedY[row] = (intentY[row] / length) * SPEED;
      mp[row] = Math.min(MP_MAX, mp[row] + MP_PER_SECOND * dt);
    }
    if (!isActing(zone, row)) continue;
    const factor = slowed[row] === 0 ? dt : dt / 2;
    positionX[row] = Math.min(world.width - 1, Math.max(1, positionX[row] + speedX[row] * factor));
    positionY[row] = Math.min(world.height - 1, Math.max(1, positionY[row] + speedY[row] * factor));
    zone.ground.pushOut(positionX, positionY, row, BODY);
  }
}

/** They go for the nearest player, also beyond a border, and run from it when they are nearly dead. */
export function think(zone: Game): void {
  const { alive, kind, positionX, positionY, rowLimit } = zone;
  const { hp, speedX, speedY } = zone.columns;
  for (let row = 0; row < rowLimit; row++) {
    if (alive[row] === 0 || kind[row] !== KIND.npc) continue;
    const count = zone.nearest(positionX[row], positionY[row], 10, 1 << KIND.player, near);
    const prey = near.subarray(0, count).find((row) => hp[row] > 0) ?? -1;
    if (prey < 0) {
      if (zone.random() < 0.02) {
        speedX[row] = (zone.random() - 0.5) * NPC_SPEED;
        speedY[row] = (zone.random() - 0.5) * NPC_SPEED;
      }
      continue;
    }
    const [x, y] = [positionX[prey] - positionX[row], positionY[prey] - positionY[row]];
    const distance = Math.max(0.1, Math.sqrt(x * x + y * y));
    const speed = (hp[row] < 12 ? -NPC_SPEED : NPC_SPEED) / distance;
    speedX[row] = x * speed;
    speedY[row] = y * speed;
    if (distance < 1.5 && isActing(zone, row) && zone.timeLeft(row, 'cool0') < 0) {
      zone.after(row, 'cool0', 1.2);
      hit(zone, row, prey, 5, 'none');
    }
  }
}

/** A team sees what stands near any of its members, and its members always. */
export function lift(zone: Game): void {
  const { alive, team, shownTo, sees, positionX, positionY, rowLimit } = zone;
  for (let row = 0; row < rowLimit; row++) {
    if (alive[row] === 0) continue;
    sees[row] = 1 << team[row];
    let shown = team[row] === 0 ? 0 : 1 << team[row];
    const count = zone.nearest(positionX[row], positionY[row], SIGHT, 1 << KIND.player, near);
    for (let i = 0; i < count; i++) shown |= 1 << team[near[i]];
    shownTo[row] = shown;
  }
}
