// Where bodies come from: joining players, the first life of a zone, and the dead that return.

import type { Area } from '../../game/definition.js';
import { type ArenaZone, EVENT_RESPAWNED, EVENT_SPAWNED, KIND_NPC, KIND_PLAYER } from './fields.js';
import { pushOut, walk } from './movement.js';
import { delayMoves } from './moves.js';
import { turnNpc } from './npc.js';
import { pillarGrid, pillarNear, placeCellPillars, placePillars, refreshPillars } from './pillars.js';
import { HP_MAX } from './rules.js';

export function spawnPlayer(zone: ArenaZone, x: number, y: number): number {
  return spawnBody(zone, KIND_PLAYER, x, y);
}

export function populate(zone: ArenaZone, botCount: number): void {
  placePillars(zone);
  for (let i = 0; i < botCount; i++) {
    const row = spawnBody(zone, KIND_NPC, randomX(zone), randomY(zone));
    if (row < 0) return;
    turnNpc(zone, row);
  }
}

/** NPCs stand until their first turn. They are told of by no event: they have always been there. */
export function populateCell(zone: ArenaZone, area: Area, botCount: number, random: () => number): void {
  placeCellPillars(zone, area, random);
  refreshPillars(zone, area);
  for (let i = 0; i < botCount; i++) {
    const row = zone.spawn(KIND_NPC, area.x + random() * area.width, area.y + random() * area.height);
    if (row < 0) return;
    zone.columns.hp[row] = HP_MAX;
    settle(zone, row);
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
  moveSomewhere(zone, row);
  settle(zone, row);
  if (zone.kind[row] === KIND_NPC) turnNpc(zone, row);
  zone.emit(EVENT_RESPAWNED, row, row, 0, 0);
}

/** Not to where nothing is in memory: who cannot be moved elsewhere stands up where he fell. */
function moveSomewhere(zone: ArenaZone, row: number): void {
  const x = randomX(zone);
  const y = randomY(zone);
  if (!zone.isCellLive(x, y)) return;
  zone.positionX[row] = x;
  zone.positionY[row] = y;
}

function spawnBody(zone: ArenaZone, kind: number, x: number, y: number): number {
  const row = zone.spawn(kind, x, y);
  if (row < 0) return row;
  zone.columns.hp[row] = HP_MAX;
  settle(zone, row);
  delayMoves(zone, row);
  zone.emit(EVENT_SPAWNED, row, row, 0, 0);
  return row;
}

/** Wherever a body was put, it stands inside of the world and outside of pillars. */
export function settle(zone: ArenaZone, row: number): void {
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
  zone.columns.hasMoved[row] = 1;
}

function randomX(zone: ArenaZone): number {
  return zone.area.x + zone.random() * zone.area.width;
}

function randomY(zone: ArenaZone): number {
  return zone.area.y + zone.random() * zone.area.height;
}
