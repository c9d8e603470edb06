// Projectiles: fired, flying, hitting. A flight is swept: what lies on the way of a step is hit, not only what lies at
// its end.

import { NO_HIT, sweepCircle } from '../../engine/space/sweep.js';
import { headingX, headingY } from '../heading.js';
import { type ArenaZone, EVENT_DIED, EVENT_HIT, EVENT_SHOT, KIND_NPC, KIND_PROJECTILE } from './fields.js';
import { pillarAt, pillarGrid, pillarNear } from './pillars.js';
import {
  BODY_RADIUS,
  CANDIDATES_MAX,
  PILLAR_RADIUS,
  PROJECTILE_DAMAGE,
  PROJECTILE_LIFE_SECONDS,
  PROJECTILE_RADIUS,
  PROJECTILE_SPEED,
  RESPAWN_SECONDS,
} from './rules.js';

const HIT_DISTANCE = BODY_RADIUS + PROJECTILE_RADIUS;
const PILLAR_HIT_DISTANCE = PILLAR_RADIUS + PROJECTILE_RADIUS;
/** The index is one tick old; nobody gets farther from where it has them than this. */
const INDEX_SLACK = 1;
const candidates = new Int32Array(CANDIDATES_MAX);

/** Returns the projectile's row, or -1 when the zone is full. */
export function fire(zone: ArenaZone, shooterRow: number, angle: number): number {
  const { velocityX, velocityY, ticksLeft, shooterId } = zone.columns;
  const x = headingX(angle);
  const y = headingY(angle);
  const projectile = zone.spawn(KIND_PROJECTILE, zone.positionX[shooterRow], zone.positionY[shooterRow]);
  if (projectile < 0) return projectile;
  velocityX[projectile] = x * PROJECTILE_SPEED;
  velocityY[projectile] = y * PROJECTILE_SPEED;
  ticksLeft[projectile] = Math.round(PROJECTILE_LIFE_SECONDS * zone.tickHz);
  shooterId[projectile] = zone.wireIdOf(shooterRow);
  zone.emit(EVENT_SHOT, shooterRow, projectile, 0, 0);
  return projectile;
}

/** System. @hot Allocates nothing. */
export function flyProjectiles(zone: ArenaZone): void {
  const { alive, kind, rowLimit } = zone;
  for (let row = 0; row < rowLimit; row++) {
    if (kind[row] === KIND_PROJECTILE && alive[row] !== 0) flyOne(zone, row);
  }
}

function flyOne(zone: ArenaZone, row: number): void {
  const { positionX, positionY, dt } = zone;
  const { velocityX, velocityY, ticksLeft } = zone.columns;
  const stepX = velocityX[row] * dt;
  const stepY = velocityY[row] * dt;
  const pillarAt = sweepPillar(zone, row, stepX, stepY);
  const victim = findVictim(zone, row, stepX, stepY, pillarAt);
  if (victim >= 0) {
    strike(zone, victim, row);
    zone.despawn(row);
    return;
  }
  const x = positionX[row] + stepX;
  const y = positionY[row] + stepY;
  const outside = x < 0 || y < 0 || x > zone.world.width || y > zone.world.height;
  if (pillarAt !== NO_HIT || outside || ticksLeft[row] <= 1) {
    zone.despawn(row);
    return;
  }
  ticksLeft[row]--;
  positionX[row] = x;
  positionY[row] = y;
}

/** Where in the step, 0 to 1, a pillar is hit; NO_HIT for none. */
function sweepPillar(zone: ArenaZone, row: number, stepX: number, stepY: number): number {
  const { positionX, positionY } = zone;
  const grid = pillarGrid(zone);
  let pillar = pillarNear(grid, positionX, positionY, row);
  if (pillar < 0) pillar = pillarAt(grid, positionX[row] + stepX, positionY[row] + stepY);
  if (pillar < 0) return NO_HIT;
  const dx = positionX[pillar] - positionX[row];
  const dy = positionY[pillar] - positionY[row];
  return sweepCircle(dx, dy, stepX, stepY, PILLAR_HIT_DISTANCE);
}

/**
 * The living body that a step meets first, and before `limit`; -1 for none. Rows of neighbouring zones are passed by: the
 * projectile crosses the border before it can hurt them there.
 */
function findVictim(zone: ArenaZone, row: number, stepX: number, stepY: number, limit: number): number {
  const { alive, kind, positionX, positionY, rowLimit } = zone;
  const { hp, shooterId } = zone.columns;
  const x = positionX[row];
  const y = positionY[row];
  const halfStep = Math.sqrt(stepX * stepX + stepY * stepY) / 2;
  const radius = halfStep + HIT_DISTANCE + INDEX_SLACK;
  const count = zone.queryCircle(x + stepX / 2, y + stepY / 2, radius, candidates);
  let victim = -1;
  let earliest = limit;
  for (let i = 0; i < count; i++) {
    const other = candidates[i];
    if (other >= rowLimit || alive[other] === 0 || kind[other] > KIND_NPC || hp[other] === 0) continue;
    if (zone.wireIdOf(other) === shooterId[row]) continue;
    const at = sweepCircle(positionX[other] - x, positionY[other] - y, stepX, stepY, HIT_DISTANCE);
    if (at < earliest) {
      earliest = at;
      victim = other;
    }
  }
  return victim;
}

function strike(zone: ArenaZone, victim: number, projectile: number): void {
  const { hp, shooterId } = zone.columns;
  const left = Math.max(0, hp[victim] - PROJECTILE_DAMAGE);
  hp[victim] = left;
  zone.emit(EVENT_HIT, victim, projectile, PROJECTILE_DAMAGE, shooterId[projectile]);
  if (left > 0) return;
  layDown(zone, victim);
  zone.emit(EVENT_DIED, victim, projectile, shooterId[projectile], 0);
}

/** Dead, until it is time to stand up. */
export function layDown(zone: ArenaZone, row: number): void {
  const { hp, ticksLeft, velocityX, velocityY } = zone.columns;
  hp[row] = 0;
  velocityX[row] = 0;
  velocityY[row] = 0;
  ticksLeft[row] = Math.round(RESPAWN_SECONDS * zone.tickHz);
}
