// The arena in a world of several zones: what a game may rely on at their borders.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import game from '../../../src/games/arena/game.js';
import { HP_MAX, PROJECTILE_DAMAGE } from '../../../src/games/arena/rules.js';
import type { HeadlessClient } from '../../../src/testing/headless-client.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

const EAST = 0;
const WEST = 32768;
/** The border of two zones; no pillar stands within 8 units of it. */
const BORDER = 100;

function makeWorld(threads: number): HeadlessWorld {
  const settings = { zoneColumns: 2, zoneRows: 1, worldWidth: 2 * BORDER, worldHeight: 100, seed: 5 };
  return new HeadlessWorld(game as unknown as GameDefinition, settings, threads);
}

/** A player at a place of the zone that the engine put it in, moved along with that zone's own columns. */
function joinAt(world: HeadlessWorld, index: number, x: number, y: number): HeadlessClient {
  const zoneWanted = x < BORDER ? 0 : 1;
  for (;;) {
    const client = world.join(index);
    world.run(3);
    const { zone, row } = world.truth().get(client.entityId)!;
    if (zone === zoneWanted) {
      world.hosts[zone].zone.positionX[row] = x;
      world.hosts[zone].zone.positionY[row] = y;
      return client;
    }
    world.leave(client);
    world.run(1);
  }
}

function hpOf(world: HeadlessWorld, client: HeadlessClient): number {
  const { zone, row } = world.truth().get(client.entityId)!;
  return (world.hosts[zone].zone.columns.hp as Uint8Array)[row];
}

for (const threads of [1, 2]) {
  test(`a shot over the border hits who stands beyond it, ${threads} threads`, () => {
    const world = makeWorld(threads);
    const shooter = joinAt(world, 0, BORDER - 5, 50);
    const victim = joinAt(world, 1, BORDER + 5, 50);
    world.send(shooter, 'Shoot', { angle: EAST });
    world.run(60);
    assert.equal(hpOf(world, victim), HP_MAX - PROJECTILE_DAMAGE);
    assert.equal(hpOf(world, shooter), HP_MAX);
    assert.equal(victim.self?.fields[0], HP_MAX - PROJECTILE_DAMAGE, 'and its client was told');
  });

  test(`a long fire fight over the border confuses no client, ${threads} threads`, () => {
    const world = makeWorld(threads);
    const left = joinAt(world, 0, BORDER - 3, 50);
    const right = joinAt(world, 1, BORDER + 3, 53);
    const random = createRandom(5);
    // At no fixed rate, so that in time a shot is fired in every tick after another one's end.
    world.run(1500, () => {
      if (random() < 0.2) world.send(left, 'Shoot', { angle: EAST });
      if (random() < 0.2) world.send(right, 'Shoot', { angle: WEST });
    });
    // Every frame was decoded without an error, or run() would have thrown.
    assert.ok(left.frameCount > 500 && right.frameCount > 500);
    const shown = [...left.decoder.entities.keys()].filter((id) => !world.truth().has(id));
    assert.ok(shown.length <= 2, `entities that are gone but still shown: ${shown}`);
  });
}
