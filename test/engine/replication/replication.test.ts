import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { POSITION_QUANTUM } from '../../../src/engine/plan/world-plan.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import arena from '../../../src/games/arena/game.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import type { HeadlessClient } from '../../../src/testing/headless-client.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

const game = arena as unknown as GameDefinition;

function walkRandomly(world: HeadlessWorld, random: () => number): void {
  for (const client of world.clients.values()) {
    if (random() < 0.05) {
      const angle = random() * 2 * Math.PI;
      world.send(client, 'Move', { x: Math.round(127 * Math.cos(angle)), y: Math.round(127 * Math.sin(angle)) });
    }
    if (random() < 0.02) {
      world.send(client, 'Shoot', { angle: Math.floor(random() * 65536) });
    }
  }
}

/** Entities in view that are surely told at every update: near, and the client's own. */
function assertSeesTruth(world: HeadlessWorld, client: HeadlessClient, slackTicks: number, context: string): void {
  const truth = world.truth();
  const self = truth.get(client.entityId);
  assert.ok(self, `${context}: the client's entity lives`);
  const { viewRadius } = world.settings;
  const slack = slackTicks * 0.5;
  for (const [id, entity] of truth) {
    const distance = Math.hypot(entity.x - self.x, entity.y - self.y);
    const seen = client.decoder.entities.get(id);
    if (distance < viewRadius - slack) {
      assert.ok(seen, `${context}: entity ${id} at distance ${distance} is in view`);
    }
    if (seen !== undefined && distance < viewRadius * 0.74 - slack) {
      const error = Math.max(Math.abs(seen.x - entity.x), Math.abs(seen.y - entity.y));
      assert.ok(
        error <= POSITION_QUANTUM * 0.51 + slack,
        `${context}: entity ${id} is ${error} from where it is shown`,
      );
    }
  }
  for (const [id] of client.decoder.entities) {
    const entity = truth.get(id);
    if (entity === undefined) {
      assert.ok(slackTicks > 0, `${context}: entity ${id} is shown and does not exist`);
      continue;
    }
    const distance = Math.hypot(entity.x - self.x, entity.y - self.y);
    assert.ok(
      distance <= world.plan.leaveRadius + slack,
      `${context}: entity ${id} at ${distance} is no longer in view`,
    );
  }
}

for (const seed of [1, 2, 3]) {
  test(`every frame shows what is there: one zone, seed ${seed}`, () => {
    const world = new HeadlessWorld(game, { zoneColumns: 1, zoneRows: 1, bots: 150, seed });
    const random = createRandom(seed);
    for (let i = 0; i < 30; i++) world.join(i, [60, 30, 20, 7][i % 4]);
    world.listen((client) =>
      assertSeesTruth(world, client, 0, `seed ${seed} tick ${world.tick} client ${client.index}`),
    );
    world.run(400, () => walkRandomly(world, random));
    for (const client of world.clients.values()) {
      assert.ok(client.frameCount > 40, `client ${client.index} got ${client.frameCount} frames`);
      assert.equal(client.fullCount, 1, 'only the first frame is a full one');
    }
    assert.ok(world.counter(COUNTER.entityLeaves) > 100, 'entities went out of view');
  });
}

test('frames keep the rate that a client asked for', () => {
  const world = new HeadlessWorld(game, { zoneColumns: 1, zoneRows: 1, bots: 300, seed: 5 });
  const clients = [60, 30, 20, 10].map((hz, i) => world.join(i, hz));
  world.run(2);
  const before = clients.map(({ frameCount }) => frameCount);
  world.run(240);
  const rates = clients.map(({ frameCount }, i) => (frameCount - before[i]) / 4);
  for (const [i, hz] of [60, 30, 20, 10].entries()) {
    assert.ok(Math.abs(rates[i] - hz) <= 0.5, `wanted ${hz}, got ${rates[i]}`);
  }
});

test('a client for which nothing changes gets one keep-alive per second and nothing else', () => {
  const world = new HeadlessWorld(game, { zoneColumns: 1, zoneRows: 1, bots: 0, seed: 6 });
  const client = world.join(0);
  world.run(10);
  const { frameCount, frameBytes } = client;
  world.run(600);
  assert.equal(client.frameCount - frameCount, 10);
  assert.equal(client.frameBytes - frameBytes, 10 * 36, 'a keep-alive is a table without records');
});

test('a client that is backed up gets nothing, and then the newest state', () => {
  const world = new HeadlessWorld(game, { zoneColumns: 1, zoneRows: 1, bots: 200, seed: 7 });
  const client = world.join(0);
  world.run(30);
  world.router.setCongested(0, true);
  const { frameCount } = client;
  world.run(200);
  assert.equal(client.frameCount, frameCount);
  world.router.setCongested(0, false);
  world.listen((teller) => assertSeesTruth(world, teller, 0, `tick ${world.tick}`));
  world.run(3);
  assert.ok(client.frameCount > frameCount);
  assert.ok(world.counter(COUNTER.framesSkippedCongested) > 90);
});

test('frames that main does not take are not piled up', () => {
  const world = new HeadlessWorld(game, { zoneColumns: 1, zoneRows: 1, bots: 200, seed: 8 });
  const client = world.join(0);
  world.run(30);
  const { frameCount } = client;
  for (let i = 0; i < 100; i++) world.hosts[0].runTick(++world.tick);
  world.router.deliverAll();
  assert.ok(client.frameCount - frameCount <= 2, `${client.frameCount - frameCount} frames waited`);
  world.listen((teller) => assertSeesTruth(world, teller, 0, `tick ${world.tick}`));
  world.run(4);
});

test('a byte budget is kept, and everything near is told in the end', () => {
  const bytesPerSecond = 3000;
  const settings = {
    zoneColumns: 1,
    zoneRows: 1,
    bots: 400,
    seed: 9,
    bytesPerSecond,
    worldWidth: 110,
    worldHeight: 110,
  };
  const world = new HeadlessWorld(game, settings);
  const client = world.join(0);
  world.run(60);
  const { frameBytes } = client;
  const known = new Map([...client.decoder.entities].map(([id, { rawX, rawY }]) => [id, `${rawX},${rawY}`]));
  world.run(600);
  const rate = (client.frameBytes - frameBytes) / 10;
  assert.ok(rate <= bytesPerSecond * 1.2, `${rate} bytes per second`);
  assert.ok(world.counter(COUNTER.framesOverBudget) > 100, 'the budget was too small for all');
  let stale = 0;
  for (const [id, { rawX, rawY }] of client.decoder.entities) {
    if (known.get(id) === `${rawX},${rawY}` && client.decoder.entities.get(id)?.kind !== 3) stale++;
  }
  assert.ok(stale < client.decoder.entities.size / 10, `${stale} of ${client.decoder.entities.size} were never told`);
});

test('an entity that walks costs at most 6 bytes of frame', () => {
  const world = new HeadlessWorld(game, { zoneColumns: 1, zoneRows: 1, bots: 700, seed: 10 });
  const client = world.join(0);
  world.run(60);
  const updates = world.counter(COUNTER.entityUpdates);
  const { frameBytes } = client;
  world.run(300);
  const each = (client.frameBytes - frameBytes) / (world.counter(COUNTER.entityUpdates) - updates);
  assert.ok(each <= 6, `${each} bytes per update`);
});

test('a resync tells everything anew', () => {
  const world = new HeadlessWorld(game, { zoneColumns: 1, zoneRows: 1, bots: 100, seed: 11 });
  const client = world.join(0);
  world.run(30);
  client.decoder.entities.clear();
  world.router.resync(client.index, client.generation);
  world.listen((teller) => assertSeesTruth(world, teller, 0, `tick ${world.tick}`));
  world.run(3);
  assert.equal(client.fullCount, 2);
});

test('commands are acknowledged when they are applied; more than a share of one tick waits for the next, in order', () => {
  const world = new HeadlessWorld(game, { zoneColumns: 1, zoneRows: 1, seed: 12 });
  const client = world.join(0);
  world.run(4);
  world.send(client, 'Move', { x: 127, y: 0 });
  world.run(4);
  assert.equal(client.ack, 1);
  for (let i = 0; i < 20; i++) world.send(client, 'Move', { x: 0, y: 127 });
  const applied = world.counter(COUNTER.commandsApplied);
  const share = world.settings.commandsPerClientTick;
  for (const expected of [share, 2 * share, 20]) {
    world.run(1);
    assert.equal(world.counter(COUNTER.commandsApplied) - applied, expected);
  }
  world.run(2);
  assert.equal(client.ack, client.seq);
  assert.equal(client.rejects.length, 0);
});

test('a zone takes no more commands per tick than it may', () => {
  const world = new HeadlessWorld(game, { zoneColumns: 1, zoneRows: 1, seed: 13, commandsPerTick: 10 });
  for (let i = 0; i < 20; i++) world.join(i);
  world.run(2);
  assert.equal(world.clients.get(19)?.entityId !== 0, true);
  for (const client of world.clients.values()) world.send(client, 'Move', { x: 1, y: 0 });
  const applied = world.counter(COUNTER.commandsApplied);
  world.run(1);
  assert.equal(world.counter(COUNTER.commandsApplied) - applied, 10);
  assert.equal(world.router.commandQueueLength(0), 10);
});

test('in a crowd of more than a client can know, the nearest are known', () => {
  const settings = {
    zoneColumns: 1,
    zoneRows: 1,
    worldWidth: 60,
    worldHeight: 60,
    bots: 1500,
    seed: 14,
    entitiesPerZone: 4096,
  };
  const world = new HeadlessWorld(game, { ...settings, bytesPerSecond: 1 << 20 });
  const client = world.join(0);
  world.run(120);
  const truth = world.truth();
  const self = truth.get(client.entityId);
  assert.ok(self);
  const byDistance = [...truth]
    .map(([id, { x, y }]) => ({ id, distance: Math.hypot(x - self.x, y - self.y) }))
    .sort((a, b) => a.distance - b.distance);
  const known = client.decoder.entities;
  assert.ok(known.size <= 512 && known.size > 400, `${known.size} are known`);
  const missing = byDistance.slice(0, 400).filter(({ id }) => !known.has(id));
  assert.deepEqual(missing, [], 'the nearest 400 are all known');
});

test('a crowd on one point is seen, as many as a client can know', () => {
  const world = new HeadlessWorld(game, { zoneColumns: 1, zoneRows: 1, bots: 0, seed: 15, clientsMax: 1024 });
  for (let i = 0; i < 700; i++) world.join(i);
  world.run(2);
  const { positionX, positionY, rowLimit, kind } = world.hosts[0].zone;
  for (let row = 0; row < rowLimit; row++) {
    if (kind[row] === 0) {
      positionX[row] = 100;
      positionY[row] = 100;
    }
  }
  world.run(60);
  for (const client of world.clients.values()) {
    assert.ok(client.decoder.entities.size >= 500, `client ${client.index} knows ${client.decoder.entities.size}`);
    assert.ok(client.self);
  }
});
