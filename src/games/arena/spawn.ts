// Where bodies come from: joining players, the first life of a zone, and the dead that return.

import {
  type ArenaZone,
  EVENT_RESPAWNED,
  EVENT_SPAWNED,
  GLOBAL_AREA_HEIGHT,
  GLOBAL_AREA_WIDTH,
  GLOBAL_AREA_X,
  GLOBAL_AREA_Y,
  KIND_NPC,
  KIND_PLAYER,
} from './fields.js';
import { pushOut, walk } from './movement.js';
import { turnNpc } from './npc.js';
import { pillarGrid, pillarNear, placePillars } from './pillars.js';
import { HP_MAX } from './rules.js';

export function spawnPlayer(zone: ArenaZone, x: number, y: number): number {
  return spawnBody(zone, KIND_PLAYER, x, y);
}

export function populate(
  zone: ArenaZone,
  botCount: number,
  area: { x: number; y: number; width: number; height: number },
): void {
  zone.globals[GLOBAL_AREA_X] = area.x;
  zone.globals[GLOBAL_AREA_Y] = area.y;
  zone.globals[GLOBAL_AREA_WIDTH] = area.width;
  zone.globals[GLOBAL_AREA_HEIGHT] = area.height;
  placePillars(zone);
  for (let i = 0; i < botCount; i++) {
    const row = spawnBody(zone, KIND_NPC, randomX(zone), randomY(zone));
    if (row < 0) return;
    turnNpc(zone, row);
  }
}

/** System: the dead wait, and then stand up somewhere else in the zone that they died in. */
export function respawnDead(zone: ArenaZone): void {
  const { alive, kind, rowLimit } = zone;
  const { hp } = zone.columns;
  for (let row = 0; row < rowLimit; row++) {
    if (hp[row] === 0 && alive[row] !== 0 && kind[row] <= KIND_NPC) waitToRespawn(zone, row);
  }
}

function waitToRespawn(zone: ArenaZone, row: number): void {
  const { hp, ticksLeft } = zone.columns;
  if (ticksLeft[row] > 0) {
    ticksLeft[row]--;
    return;
  }
  hp[row] = HP_MAX;
  zone.positionX[row] = randomX(zone);
  zone.positionY[row] = randomY(zone);
  settle(zone, row);
  if (zone.kind[row] === KIND_NPC) turnNpc(zone, row);
  zone.emit(EVENT_RESPAWNED, row, row, 0, 0);
}

function spawnBody(zone: ArenaZone, kind: number, x: number, y: number): number {
  const row = zone.spawn(kind, x, y);
  if (row < 0) return row;
  zone.columns.hp[row] = HP_MAX;
  settle(zone, row);
  zone.emit(EVENT_SPAWNED, row, row, 0, 0);
  return row;
}

/** Wherever a body was put, it stands inside of the world and outside of pillars. */
function settle(zone: ArenaZone, row: number): void {
  const { positionX, positionY, world } = zone;
  walk(
    positionX,
    positionY,
    zone.columns.velocityX,
    zone.columns.velocityY,
    row,
    zone.tickHz,
    world.width,
    world.height,
  );
  const pillar = pillarNear(pillarGrid(zone), positionX, positionY, row);
  if (pillar >= 0) pushOut(positionX, positionY, row, pillar);
}

function randomX(zone: ArenaZone): number {
  return zone.globals[GLOBAL_AREA_X] + zone.random() * zone.globals[GLOBAL_AREA_WIDTH];
}

function randomY(zone: ArenaZone): number {
  return zone.globals[GLOBAL_AREA_Y] + zone.random() * zone.globals[GLOBAL_AREA_HEIGHT];
}
