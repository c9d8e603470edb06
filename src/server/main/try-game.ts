// Tries a game in one small zone: its first life, a player, a few ticks. What throws, or returns what is no row, is found
// here and not when the first client joins.

import { layOutLoneZone } from '../../engine/plan/world-plan.js';
import { Quadtree } from '../../engine/space/quadtree.js';
import { beginShared } from '../../engine/zone/begin-shared.js';
import { findBadValue, GameFault, runSystem, spawnPlayer, throwFault } from '../../engine/zone/game-fault.js';
import { removePlayer, tellJoined } from '../../engine/zone/player-life.js';
import { EngineZone } from '../../engine/zone/zone.js';
import { createPosts } from '../../engine/zone/zone-parts.js';
import type { GameDefinition } from '../../game/definition.js';
import { EVENT_RECORD_BYTES } from '../../memory/limits.js';
import { RecordRing } from '../../memory/rings/record-ring.js';
import { WorldBuffer } from '../../memory/world/world-buffer.js';

const SIDE = 128;
const ROWS = 1024;
const BOTS = 4;
const TICKS = 3;
const TICK_HZ = 60;
const SEED = 1;
const EVENT_RECORDS = 4096;

/** What is wrong with the game, or undefined. */
export function tryGame(game: GameDefinition): string | undefined {
  const layout = layOutLoneZone(game, ROWS);
  const capacity = layout.rowCapacity;
  const index = new Quadtree({ originX: 0, originY: 0, width: SIDE, height: SIDE, leafSize: 16, capacity });
  const area = { x: 0, y: 0, width: SIDE, height: SIDE };
  try {
    const zone = new EngineZone({
      world: new WorldBuffer(WorldBuffer.create(layout, 0), layout),
      game,
      zoneCount: 1,
      ownCapacity: ROWS,
      area,
      worldWidth: SIDE,
      worldHeight: SIDE,
      tickHz: TICK_HZ,
      seed: SEED,
      index,
      events: new RecordRing(RecordRing.create(EVENT_RECORDS, EVENT_RECORD_BYTES)),
    });
    const posts = createPosts(zone);
    beginShared(zone);
    populate(zone);
    index.build(zone.alive, zone.positionX, zone.positionY, 0, zone.rowLimit);
    zone.tick = 1;
    const row = spawnPlayer(zone, SIDE / 2, SIDE / 2);
    const key = row < 0 ? 0 : zone.engine.key[row];
    if (row >= 0) {
      zone.owner[row] = 1;
      tellJoined(zone, row, 0, { playerId: '00000000-0000-4000-8000-000000000000', name: 'trial', claims: '{}' });
    }
    for (let tick = 1; tick <= TICKS; tick++) {
      zone.tick = tick;
      posts?.deliver();
      zone.timers?.run(zone);
      for (const system of game.systems) runSystem(zone, system);
      const bad = findBadValue(zone);
      if (bad !== undefined) return `in tick ${tick} of a trial, ${bad}`;
      index.build(zone.alive, zone.positionX, zone.positionY, 0, zone.rowLimit);
    }
    if (row >= 0 && zone.alive[row] !== 0 && zone.engine.key[row] === key) removePlayer(zone, row, 0);
  } catch (error) {
    return error instanceof GameFault ? error.message : String(error);
  }
  return undefined;
}

function populate(zone: EngineZone): void {
  try {
    zone.game.populate?.(zone, BOTS, zone.area);
  } catch (error) {
    throwFault(zone, 'populate', error);
  }
}
