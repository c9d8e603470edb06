import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArenaCommand } from '../../../schemas/generated/tessera/arena/arena-command.js';
import { Move } from '../../../schemas/generated/tessera/arena/move.js';
import { Shoot } from '../../../schemas/generated/tessera/arena/shoot.js';
import { createRandom } from '../../../src/base/chance.js';
import { KIND_NPC, KIND_PILLAR, KIND_PLAYER } from '../../../src/games/arena/fields.js';
import game from '../../../src/games/arena/game.js';
import { pillarAt, pillarGrid } from '../../../src/games/arena/pillars.js';
import { BODY_RADIUS, NPC_SPEED, PILLAR_RADIUS, PILLAR_SPACING, PLAYER_SPEED } from '../../../src/games/arena/rules.js';
import { layOutCommand } from '../../../src/protocol/fb/command-layout.js';
import { HeadlessZone } from '../../../src/testing/headless-zone.js';

const TOUCH = PILLAR_RADIUS + BODY_RADIUS;

type Arena = HeadlessZone<typeof game.fields>;

function checkBodies(arena: Arena, context: string): void {
  const { zone } = arena;
  const { positionX, positionY } = zone;
  const pillars = arena.rowsOfKind(KIND_PILLAR);
  for (const row of [...arena.rowsOfKind(KIND_PLAYER), ...arena.rowsOfKind(KIND_NPC)]) {
    const x = positionX[row];
    const y = positionY[row];
    const inside =
      x >= BODY_RADIUS &&
      y >= BODY_RADIUS &&
      x <= zone.world.width - BODY_RADIUS &&
      y <= zone.world.height - BODY_RADIUS;
    assert.ok(inside, `${context}: row ${row} at (${x}, ${y})`);
    for (const pillar of pillars) {
      const distance = Math.hypot(x - positionX[pillar], y - positionY[pillar]);
      assert.ok(distance >= TOUCH - 1e-3, `${context}: row ${row} is ${distance} from a pillar`);
    }
  }
}

/** Players that walk and shoot at random, among NPCs. Returns how often each event happened. */
function playAtRandom(arena: Arena, seed: number, ticks: number, players: number): Record<string, number> {
  const random = createRandom(seed);
  const counts: Record<string, number> = Object.fromEntries(game.events.map((name) => [name, 0]));
  const rows = Array.from({ length: players }, () =>
    game.spawnPlayer(arena.zone, random() * arena.zone.world.width, random() * arena.zone.world.height),
  );
  for (let tick = 0; tick < ticks; tick++) {
    for (const row of rows) {
      if (random() < 0.05)
        arena.command(row, 'Move', Math.floor(random() * 255) - 127, Math.floor(random() * 255) - 127);
      if (random() < 0.1) arena.command(row, 'Shoot', Math.floor(random() * 65536));
    }
    for (const event of arena.step()) counts[event.name]++;
    if (tick % 20 === 0) checkBodies(arena, `seed ${seed}, tick ${tick}`);
  }
  return counts;
}

test('the commands are laid out as the schema says', () => {
  const [move, shoot] = game.commands.map((command) => layOutCommand(command as never));
  assert.deepEqual([move.name, move.kind, move.bytes], ['Move', ArenaCommand.Move, Move.sizeOf()]);
  assert.deepEqual([shoot.name, shoot.kind, shoot.bytes], ['Shoot', ArenaCommand.Shoot, Shoot.sizeOf()]);
});

test('only hp is replicated, so that a walking body costs its position and nothing else', () => {
  const replicated = Object.entries(game.fields).filter(([, field]) => 'wire' in field);
  assert.deepEqual(
    replicated.map(([name]) => name),
    ['hp'],
  );
});

test('a world of walking, shooting and dying keeps everyone inside of it and outside of the pillars', () => {
  const seed = 1234;
  const arena = new HeadlessZone(game, { seed, bots: 200 });
  const counts = playAtRandom(arena, seed, 3000, 60);
  assert.ok(counts.shot > 5000, `shots: ${counts.shot}`);
  assert.ok(counts.hit > 300, `hits: ${counts.hit}`);
  assert.ok(counts.died > 30, `deaths: ${counts.died}`);
  assert.ok(counts.respawned > 20 && counts.respawned <= counts.died, `respawns: ${counts.respawned}`);
  assert.equal(counts.spawned, 260);
});

test('the same seed and the same commands give the same state, and another seed another', () => {
  const hashes = [77, 77, 78].map((seed) => {
    const arena = new HeadlessZone(game, { seed, bots: 100 });
    playAtRandom(arena, 5, 1000, 20);
    return arena.hash();
  });
  assert.equal(hashes[0], hashes[1]);
  assert.notEqual(hashes[0], hashes[2]);
});

test('one pillar stands in every square, away from its edges, and the grid finds exactly what is near', () => {
  const seed = 9;
  const arena = new HeadlessZone(game, { seed, width: 160, height: 96 });
  const { positionX, positionY } = arena.zone;
  const pillars = arena.rowsOfKind(KIND_PILLAR);
  assert.equal(pillars.length, (160 / PILLAR_SPACING) * (96 / PILLAR_SPACING));
  const grid = pillarGrid(arena.zone);
  const random = createRandom(seed);
  for (let i = 0; i < 20000; i++) {
    const x = random() * 160;
    const y = random() * 96;
    const touched = pillars.find((row) => Math.hypot(positionX[row] - x, positionY[row] - y) < TOUCH);
    const near = pillarAt(grid, x, y);
    if (touched !== undefined) assert.equal(near, touched, `seed ${seed}: (${x}, ${y})`);
    else if (near >= 0) assert.ok(Math.hypot(positionX[near] - x, positionY[near] - y) < 9);
  }
  assert.equal(pillarAt(grid, -1, 50), -1);
  assert.equal(pillarAt(grid, 50, 97), -1);
});

test('a player that joins inside of a pillar stands at its edge', () => {
  const arena = new HeadlessZone(game, { seed: 2 });
  const [pillar] = arena.rowsOfKind(KIND_PILLAR);
  game.spawnPlayer(arena.zone, arena.zone.positionX[pillar] + 0.2, arena.zone.positionY[pillar]);
  checkBodies(arena, 'after the join');
});

test('a player walks at its speed and stops when told to', () => {
  const arena = new HeadlessZone({ ...game, populate: () => {} }, { seed: 2 });
  const row = game.spawnPlayer(arena.zone, 20, 20);
  arena.command(row, 'Move', 0, 127);
  arena.run(60);
  assert.ok(Math.abs(arena.zone.positionY[row] - (20 + PLAYER_SPEED)) < 1e-3);
  arena.command(row, 'Move', 0, 0);
  const y = arena.zone.positionY[row];
  arena.run(10);
  assert.equal(arena.zone.positionY[row], y);
});

test('NPCs are always on their way, at their speed, and turn now and then', () => {
  const arena = new HeadlessZone(game, { seed: 6, bots: 100 });
  const { velocityX, velocityY } = arena.zone.columns;
  const npcs = arena.rowsOfKind(KIND_NPC);
  const before = npcs.map((row) => velocityX[row]);
  arena.run(130);
  const turned = npcs.filter((row, i) => velocityX[row] !== before[i]);
  assert.equal(turned.length, npcs.length);
  for (const row of npcs) assert.ok(Math.abs(Math.hypot(velocityX[row], velocityY[row]) - NPC_SPEED) < 1e-3);
});

test('an NPC that walks into the border of the world turns back', () => {
  const arena = new HeadlessZone(game, { seed: 8, bots: 300, width: 40, height: 40 });
  const { positionX, positionY } = arena.zone;
  let atBorderBefore = new Set<number>();
  arena.run(600, () => {
    const atBorder = new Set(
      arena.rowsOfKind(KIND_NPC).filter((row) => {
        const ends = [positionX[row], positionY[row], 40 - positionX[row], 40 - positionY[row]];
        return Math.min(...ends) <= BODY_RADIUS;
      }),
    );
    const stuck = [...atBorder].filter((row) => atBorderBefore.has(row));
    // One that turns towards the border in the very tick after it left it may touch it twice.
    assert.ok(stuck.length <= 2, `${stuck.length} NPCs stay at the border`);
    atBorderBefore = atBorder;
  });
});

test('a full zone refuses a player and a shot without harm', () => {
  const arena = new HeadlessZone({ ...game, populate: () => {} }, { seed: 2, rows: 64 });
  const rows = Array.from({ length: 65 }, () => game.spawnPlayer(arena.zone, 50, 50));
  assert.equal(rows[64], -1);
  assert.notEqual(arena.command(rows[0], 'Shoot', 0), 0);
  arena.run(10);
});
