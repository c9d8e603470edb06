// Does again what past events did to a body: see applyEvent in game/definition.ts.

import type { PastEvent } from '../../game/definition.js';
import {
  type ArenaZone,
  EVENT_DIED,
  EVENT_HIT,
  EVENT_MOVED,
  EVENT_RESPAWNED,
  EVENT_SPAWNED,
  KIND_NPC,
  KIND_PROJECTILE,
} from './fields.js';
import { layDown } from './projectiles.js';
import { HP_MAX, MOVE_STEPS_PER_UNIT } from './rules.js';
import { settle } from './spawn.js';

export function applyEvent(zone: ArenaZone, row: number, { type, a, b, otherRow }: PastEvent): void {
  if (type === EVENT_SPAWNED) {
    zone.despawn(row); // names are used again: the one in the snapshot had gone when this one came
    return;
  }
  if (zone.kind[row] > KIND_NPC) return;
  switch (type) {
    case EVENT_MOVED:
      moveTo(zone, row, a / MOVE_STEPS_PER_UNIT, b / MOVE_STEPS_PER_UNIT);
      break;
    case EVENT_HIT:
      zone.columns.hp[row] = Math.max(0, zone.columns.hp[row] - a);
      // Where the snapshot has it still flying, it would strike again.
      if (otherRow >= 0 && zone.kind[otherRow] === KIND_PROJECTILE) zone.despawn(otherRow);
      break;
    case EVENT_DIED:
      layDown(zone, row);
      break;
    case EVENT_RESPAWNED:
      zone.columns.hp[row] = HP_MAX;
      break;
  }
}

/** What a player wished in the snapshot was wished before this: it stands until its client wishes something else. */
function moveTo(zone: ArenaZone, row: number, x: number, y: number): void {
  const { velocityX, velocityY, intentX, intentY } = zone.columns;
  zone.positionX[row] = x;
  zone.positionY[row] = y;
  velocityX[row] = 0;
  velocityY[row] = 0;
  intentX[row] = 0;
  intentY[row] = 0;
  settle(zone, row);
}
