import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULTS } from '../../../src/config/settings.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import arena from '../../../src/games/arena/game.js';
import { LiveLimits } from '../../../src/memory/tables/live-limits.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

const game = arena as unknown as GameDefinition;
const ONE_ZONE = { zoneColumns: 1, zoneRows: 1, seed: 4 };

test('a zone takes as many commands per tick as main says now, of all clients and of each', () => {
  const world = new HeadlessWorld(game, { ...ONE_ZONE, commandsPerTick: 100, commandsPerClientTick: 100 });
  const limits = new LiveLimits(world.plan.limits);
  const clients = [world.join(0), world.join(1)];
  world.run(3);
  const appliedInOneTick = (): number => {
    for (const client of clients) for (let i = 0; i < 20; i++) world.send(client, 'Move', { x: 1, y: 0 });
    const before = world.counter(COUNTER.commandsApplied);
    world.run(1);
    const applied = world.counter(COUNTER.commandsApplied) - before;
    world.run(60); // what is left over
    return applied;
  };
  assert.equal(appliedInOneTick(), 40);
  limits.set({ ...DEFAULTS, commandsPerTick: 7, commandsPerClientTick: 100 });
  assert.equal(appliedInOneTick(), 7);
  limits.set({ ...DEFAULTS, commandsPerTick: 100, commandsPerClientTick: 3 });
  assert.equal(appliedInOneTick(), 6);
  // A thread that takes the place of another finds the same.
  world.replaceThread(0);
  world.run(3);
  assert.equal(appliedInOneTick(), 6);
});

test('a byte budget that is changed is kept from the next frame on', () => {
  const settings = { ...ONE_ZONE, bots: 400, worldWidth: 110, worldHeight: 110, bytesPerSecond: 1 << 20 };
  const world = new HeadlessWorld(game, settings);
  const client = world.join(0);
  const rate = (): number => {
    world.run(60);
    const { frameBytes } = client;
    world.run(300);
    return (client.frameBytes - frameBytes) / 5;
  };
  const free = rate();
  assert.ok(free > 6000, `${free} bytes per second`);
  new LiveLimits(world.plan.limits).set({ ...DEFAULTS, bytesPerSecond: 4000 });
  const bounded = rate();
  assert.ok(bounded < 4000 * 1.2, `${bounded} bytes per second`);
});
