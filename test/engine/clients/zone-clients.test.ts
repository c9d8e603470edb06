// Clients of a zone, also the one whose entity is in the first row: in, out, back, and after a thread that died.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ARRIVAL_TICKS_MAX } from '../../../src/engine/clients/limits.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import arena from '../../../src/games/arena/game.js';
import { CLIENT_GENERATION, CLIENT_STATE_WORDS, ClientTable } from '../../../src/memory/tables/client-table.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import type { HeadlessClient } from '../../../src/testing/headless-client.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

const game: GameDefinition = { ...(arena as unknown as GameDefinition), systems: [], populate: () => {} };

/** One client, whose entity is in the first row of zone 0. */
function stage(zoneColumns = 1): { world: HeadlessWorld; client: HeadlessClient } {
  const settings = { zoneColumns, zoneRows: 1, worldWidth: 200, worldHeight: 100, bots: 0, seed: 3 };
  const world = new HeadlessWorld(game, settings, zoneColumns);
  const client = world.join(0);
  world.run(3);
  world.place(client, 50, 50);
  world.run(4);
  const { zone, row } = world.find(client.entityId);
  assert.deepEqual([zone, row, world.truth().size], [0, 0, 1]);
  return { world, client };
}

test('a client comes in, is counted, and takes its entity along when it leaves', () => {
  const { world, client } = stage();
  assert.equal(world.counter(COUNTER.clientsJoined), 1);
  assert.equal(world.counter(COUNTER.joinsRefused), 0);
  world.leave(client);
  world.run(2);
  assert.equal(world.truth().size, 0);
});

test('a client that comes back has the entity that it had', () => {
  const { world, client } = stage();
  const { key } = client;
  world.lose(client);
  world.run(2);
  const back = world.resume(0, client.generation);
  world.run(3);
  assert.deepEqual([back.joinedCount, back.key], [1, key]);
  assert.equal(world.find(client.entityId).x, 50);
  assert.equal(world.truth().size, 1);
});

test('a client goes on with its entity as soon as its new thread has heard of it', () => {
  const { world, client } = stage();
  world.replaceThread(0);
  world.run(2);
  world.send(client, 'Move', { x: 1, y: 0 });
  world.run(2);
  assert.deepEqual([client.ack, client.rejects.length, world.truth().size], [1, 0, 1]);
});

test('whose index has gone to a later client of another zone leaves nothing behind with a new thread', () => {
  const { world, client } = stage();
  world.renewThread(0);
  world.router.attachClients(0);
  const { state } = new ClientTable(world.plan.clients, world.settings.clientsMax);
  state[client.index * CLIENT_STATE_WORDS + CLIENT_GENERATION] = client.generation + 1;
  world.run(ARRIVAL_TICKS_MAX + 4);
  assert.equal(world.truth().size, 0);
});

test('an entity that comes after its client was given another one goes', () => {
  const { world, client } = stage();
  const { zone, intake } = world.hosts[0];
  const late = zone.spawn(0, 60, 60);
  zone.owner[late] = client.index + 1;
  zone.engine.ownerGeneration[late] = client.generation;
  intake.clients.arrived(client.index, late, world.tick);
  world.run(2);
  assert.deepEqual([...world.truth().keys()], [client.entityId]);
});

test('what a client did in the zone to which it has gone stands, though the thread of the former one dies', () => {
  const { world, client } = stage(2);
  const run = (zone: number): void => {
    world.hosts[zone].runTick(++world.tick);
    world.router.deliverAll();
  };
  world.place(client, 110, 50);
  run(0);
  run(1);
  world.send(client, 'Move', { x: 1, y: 0 });
  run(1);
  world.renewThread(0);
  for (let n = 0; n < 6; n++) run(1);
  assert.equal(client.ack, 1);
});
