// What events of the past do to a body of the arena.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  EVENT_DIED,
  EVENT_HIT,
  EVENT_MOVED,
  EVENT_RESPAWNED,
  EVENT_SHOT,
  EVENT_SPAWNED,
  KIND_NPC,
  KIND_PILLAR,
  KIND_PROJECTILE,
} from '../../../src/games/arena/fields.js';
import game from '../../../src/games/arena/game.js';
import {
  BODY_RADIUS,
  HP_MAX,
  MOVE_STEPS_PER_UNIT,
  PILLAR_RADIUS,
  RESPAWN_SECONDS,
} from '../../../src/games/arena/rules.js';
import { HeadlessZone } from '../../../src/testing/headless-zone.js';

type ArenaStage = HeadlessZone<typeof game.fields>;

function stage(bots = 0): { world: ArenaStage; row: number } {
  const world = new HeadlessZone(game, { seed: 3, bots });
  return { world, row: game.spawnPlayer(world.zone, 64, 64) };
}

function apply({ zone }: ArenaStage, row: number, type: number, a = 0, b = 0, otherRow = -1): void {
  game.applyEvent?.(zone, row, { type, tick: 10, a, b, otherRow });
}

function moveTo(world: ArenaStage, row: number, x: number, y: number): void {
  apply(world, row, EVENT_MOVED, Math.round(x * MOVE_STEPS_PER_UNIT), Math.round(y * MOVE_STEPS_PER_UNIT));
}

test('a player stands where it was told to be, whatever it wished before that', () => {
  const { world, row } = stage();
  const { positionX, positionY } = world.zone;
  world.command(row, 'Move', 127, 0);
  world.run(5);
  moveTo(world, row, 70.5, 80.25);
  assert.deepEqual([positionX[row], positionY[row]], [70.5, 80.25]);
  world.run(30);
  assert.deepEqual([positionX[row], positionY[row]], [70.5, 80.25]);
});

test('it stands inside of the world and outside of pillars', () => {
  const { world, row } = stage();
  const { positionX, positionY } = world.zone;
  moveTo(world, row, -20, 1000);
  assert.deepEqual([positionX[row], positionY[row]], [BODY_RADIUS, 128 - BODY_RADIUS]);
  const [pillar] = world.rowsOfKind(KIND_PILLAR);
  moveTo(world, row, positionX[pillar] + 0.5, positionY[pillar]);
  const distance = Math.hypot(positionX[row] - positionX[pillar], positionY[row] - positionY[pillar]);
  assert.ok(Math.abs(distance - PILLAR_RADIUS - BODY_RADIUS) < 1e-4, `${distance}`);
});

test('hits take their damage, also the last, and a projectile that has hit does not hit again', () => {
  const { world, row } = stage();
  const { hp } = world.zone.columns;
  const projectile = world.zone.spawn(KIND_PROJECTILE, 60, 64);
  apply(world, row, EVENT_HIT, 20, 0, projectile);
  assert.equal(hp[row], HP_MAX - 20);
  assert.equal(world.zone.alive[projectile], 0);
  apply(world, row, EVENT_HIT, 250);
  assert.equal(hp[row], 0);
});

test('the dead lie down and stand up again after their time, and whoever stood up is whole', () => {
  const { world } = stage(1);
  const [npc] = world.rowsOfKind(KIND_NPC);
  const { hp, ticksLeft, velocityX, velocityY } = world.zone.columns;
  apply(world, npc, EVENT_DIED, 7);
  assert.deepEqual([hp[npc], ticksLeft[npc]], [0, RESPAWN_SECONDS * world.zone.tickHz]);
  assert.deepEqual([velocityX[npc], velocityY[npc]], [0, 0]);
  world.run(RESPAWN_SECONDS * world.zone.tickHz);
  assert.equal(hp[npc], 0);
  world.run(1);
  assert.equal(hp[npc], HP_MAX);
  apply(world, npc, EVENT_DIED, 7);
  apply(world, npc, EVENT_RESPAWNED);
  assert.equal(hp[npc], HP_MAX);
});

test('whoever came under the name of a body of the snapshot is another one, and that body is gone', () => {
  const { world, row } = stage();
  apply(world, row, EVENT_SPAWNED);
  assert.equal(world.zone.alive[row], 0);
});

test('what says nothing of a body changes nothing', () => {
  const { world, row } = stage(2);
  const hash = world.hash();
  apply(world, row, EVENT_SHOT);
  apply(world, row, 99, 1, 1);
  apply(world, world.rowsOfKind(KIND_PILLAR)[0], EVENT_MOVED, 1, 1);
  assert.equal(world.hash(), hash);
});
