import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RejectCode } from '../../../schemas/generated/tessera/wire/reject-code.js';
import { TICK_HZ_MIN } from '../../../src/engine/limits.js';
import { NO_HIT, sweepCircle } from '../../../src/engine/space/sweep.js';
import { KIND_NPC, KIND_PLAYER, KIND_PROJECTILE } from '../../../src/games/arena/fields.js';
import game from '../../../src/games/arena/game.js';
import { placePillar } from '../../../src/games/arena/pillars.js';
import {
  HP_MAX,
  PROJECTILE_DAMAGE,
  PROJECTILE_LIFE_SECONDS,
  PROJECTILE_SPEED,
  RESPAWN_SECONDS,
} from '../../../src/games/arena/rules.js';
import { HeadlessZone, type ZoneEvent } from '../../../src/testing/headless-zone.js';

const EAST = 0;
const SOUTH = 16384;
const TICK_HZ = 60;

/** Without pillars of its own, so that a test places what it needs. */
function emptyArena(tickHz = TICK_HZ) {
  const arena = new HeadlessZone({ ...game, populate: () => {} }, { seed: 3, tickHz });
  return arena;
}

function addPlayer(arena: ReturnType<typeof emptyArena>, x: number, y: number): number {
  const row = game.spawnPlayer(arena.zone, x, y);
  arena.rebuildIndex();
  return row;
}

function runUntil(arena: ReturnType<typeof emptyArena>, name: string, ticksMax: number): ZoneEvent | null {
  for (let tick = 0; tick < ticksMax; tick++) {
    const found = arena.step().find((event) => event.name === name);
    if (found !== undefined) return found;
  }
  return null;
}

test('a sweep meets a circle where its edge is', () => {
  assert.equal(sweepCircle(10, 0, 20, 0, 1), 0.45);
  assert.equal(sweepCircle(0, 10, 0, 10, 5), 0.5);
});

test('a sweep that begins inside of a circle meets it at once', () => {
  assert.equal(sweepCircle(0.5, 0, 1, 0, 1), 0);
  assert.equal(sweepCircle(0.5, 0, 0, 0, 1), 0);
});

test('a sweep misses what lies aside, behind, or beyond its end', () => {
  assert.equal(sweepCircle(10, 2, 20, 0, 1), NO_HIT);
  assert.equal(sweepCircle(-10, 0, 20, 0, 1), NO_HIT);
  assert.equal(sweepCircle(10, 0, 8, 0, 1), NO_HIT);
  assert.equal(sweepCircle(10, 0, 0, 0, 1), NO_HIT);
});

test('a shot flies straight at its speed for its life and is gone', () => {
  const arena = emptyArena();
  const shooter = addPlayer(arena, 20, 60);
  assert.equal(arena.command(shooter, 'Shoot', SOUTH), RejectCode.None);
  const [projectile] = arena.rowsOfKind(KIND_PROJECTILE);
  const ticks = PROJECTILE_LIFE_SECONDS * TICK_HZ;
  arena.run(ticks - 1);
  assert.equal(arena.zone.alive[projectile], 1);
  assert.ok(Math.abs(arena.zone.positionX[projectile] - 20) < 1e-3);
  const flown = arena.zone.positionY[projectile] - 60;
  assert.ok(Math.abs(flown - (PROJECTILE_SPEED * (ticks - 1)) / TICK_HZ) < 1e-2, `flew ${flown}`);
  arena.step();
  assert.deepEqual(arena.rowsOfKind(KIND_PROJECTILE), []);
});

test('a shot hits a player on its way and nobody else', () => {
  const arena = emptyArena();
  const shooter = addPlayer(arena, 20, 60);
  const victim = addPlayer(arena, 30, 60.4);
  const aside = addPlayer(arena, 25, 62);
  const behind = addPlayer(arena, 34, 60);
  arena.command(shooter, 'Shoot', EAST);
  const hit = runUntil(arena, 'hit', 60);
  assert.ok(hit !== null);
  assert.equal(hit.a, PROJECTILE_DAMAGE);
  assert.equal(hit.b, arena.zone.wireIdOf(shooter));
  const { hp } = arena.zone.columns;
  assert.equal(hp[victim], HP_MAX - PROJECTILE_DAMAGE);
  assert.deepEqual([hp[shooter], hp[aside], hp[behind]], [HP_MAX, HP_MAX, HP_MAX]);
  assert.deepEqual(arena.rowsOfKind(KIND_PROJECTILE), []);
});

test('a shot hits the nearer of two in one step, whichever row comes first', () => {
  for (const places of [
    [22.2, 21.4],
    [21.4, 22.2],
  ]) {
    const arena = emptyArena(TICK_HZ_MIN);
    const shooter = addPlayer(arena, 20, 60);
    const rows = places.map((x) => addPlayer(arena, x, 60));
    arena.command(shooter, 'Shoot', EAST);
    arena.step();
    const hp = rows.map((row) => arena.zone.columns.hp[row]);
    assert.deepEqual(
      hp,
      places.map((x) => (x === 21.4 ? HP_MAX - PROJECTILE_DAMAGE : HP_MAX)),
    );
  }
});

test('at the slowest tick rate a shot does not step through a pillar or hit who stands just behind its edge', () => {
  for (let offset = 0; offset < 4; offset += 0.1) {
    const arena = emptyArena(TICK_HZ_MIN);
    placePillar(arena.zone, 26 + offset, 61.5);
    const shooter = addPlayer(arena, 20, 60);
    const hidden = addPlayer(arena, 28 + offset, 60);
    arena.command(shooter, 'Shoot', EAST);
    arena.run(PROJECTILE_LIFE_SECONDS * TICK_HZ_MIN);
    assert.equal(arena.zone.columns.hp[hidden], HP_MAX, `offset ${offset}`);
  }
});

test('a pillar stops a shot before whoever stands behind it', () => {
  const arena = emptyArena();
  placePillar(arena.zone, 26, 60);
  const shooter = addPlayer(arena, 20, 60);
  const hidden = addPlayer(arena, 32, 60);
  arena.command(shooter, 'Shoot', EAST);
  assert.equal(runUntil(arena, 'hit', 60), null);
  assert.equal(arena.zone.columns.hp[hidden], HP_MAX);
  assert.deepEqual(arena.rowsOfKind(KIND_PROJECTILE), []);
});

test('a shot out of the world ends there', () => {
  const arena = emptyArena();
  const shooter = addPlayer(arena, 126, 60);
  arena.command(shooter, 'Shoot', EAST);
  arena.run(10);
  assert.deepEqual(arena.rowsOfKind(KIND_PROJECTILE), []);
});

test('shooting again before the cooldown is over is refused', () => {
  const arena = emptyArena();
  const shooter = addPlayer(arena, 20, 60);
  assert.equal(arena.command(shooter, 'Shoot', EAST), RejectCode.None);
  assert.equal(arena.command(shooter, 'Shoot', EAST), RejectCode.Cooldown);
  arena.run(11);
  assert.equal(arena.command(shooter, 'Shoot', EAST), RejectCode.Cooldown);
  arena.run(1);
  assert.equal(arena.command(shooter, 'Shoot', EAST), RejectCode.None);
});

test('who is hit often enough dies, cannot shoot or walk, and stands up elsewhere after a while', () => {
  const arena = emptyArena();
  const shooter = addPlayer(arena, 20, 60);
  const victim = addPlayer(arena, 24, 60);
  const { hp } = arena.zone.columns;
  let died: ZoneEvent | null = null;
  while (died === null) {
    arena.command(shooter, 'Shoot', EAST);
    died = runUntil(arena, 'died', 12);
  }
  assert.equal(hp[victim], 0);
  assert.equal(died.a, arena.zone.wireIdOf(shooter));
  assert.equal(arena.command(victim, 'Shoot', EAST), RejectCode.NotAlive);
  assert.equal(arena.command(victim, 'Move', 127, 0), RejectCode.None);
  const respawned = runUntil(arena, 'respawned', RESPAWN_SECONDS * TICK_HZ - 2);
  assert.equal(respawned, null);
  assert.equal(arena.zone.positionX[victim], 24);
  assert.ok(runUntil(arena, 'respawned', 4) !== null);
  assert.equal(hp[victim], HP_MAX);
  const x = arena.zone.positionX[victim];
  arena.run(10);
  assert.ok(arena.zone.positionX[victim] > x, 'the wish to walk outlived the death');
});

test('a shot passes the dead', () => {
  const arena = emptyArena();
  const shooter = addPlayer(arena, 20, 60);
  const dead = addPlayer(arena, 24, 60);
  const behind = addPlayer(arena, 28, 60);
  arena.zone.columns.hp[dead] = 0;
  arena.zone.columns.ticksLeft[dead] = 1000;
  arena.command(shooter, 'Shoot', EAST);
  assert.ok(runUntil(arena, 'hit', 60) !== null);
  assert.equal(arena.zone.columns.hp[behind], HP_MAX - PROJECTILE_DAMAGE);
});

test('an NPC can be shot dead and walks again afterwards', () => {
  const arena = emptyArena();
  const shooter = addPlayer(arena, 20, 60);
  const npc = arena.zone.spawn(KIND_NPC, 22, 60);
  arena.zone.columns.hp[npc] = PROJECTILE_DAMAGE;
  arena.rebuildIndex();
  arena.command(shooter, 'Shoot', EAST);
  assert.ok(runUntil(arena, 'died', 10) !== null);
  assert.ok(runUntil(arena, 'respawned', RESPAWN_SECONDS * TICK_HZ + 1) !== null);
  const { velocityX, velocityY } = arena.zone.columns;
  assert.ok(Math.hypot(velocityX[npc], velocityY[npc]) > 2.9);
  assert.equal(arena.zone.kind[shooter], KIND_PLAYER);
});

test('a row that was a projectile is a clean body when it is used again', () => {
  const arena = emptyArena();
  const shooter = addPlayer(arena, 20, 60);
  arena.command(shooter, 'Shoot', EAST);
  const [projectile] = arena.rowsOfKind(KIND_PROJECTILE);
  arena.run(PROJECTILE_LIFE_SECONDS * TICK_HZ);
  const row = addPlayer(arena, 60, 60);
  assert.equal(row, projectile);
  arena.run(5);
  assert.deepEqual([arena.zone.positionX[row], arena.zone.positionY[row]], [60, 60]);
});
