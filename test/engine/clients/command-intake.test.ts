// A zone that can keep no more of what an order leads to takes no orders, and loses none.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ARRIVAL_TICKS_MAX } from '../../../src/engine/clients/limits.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import { RejectCode } from '../../../src/game/reject-codes.js';
import arena from '../../../src/games/arena/game.js';
import { COUNTER, type CounterName } from '../../../src/memory/tables/zone-counters.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

const TWO_ZONES = { bots: 0, zoneColumns: 2, zoneRows: 1 };

interface Queue {
  most: number;
}
interface IntakeParts {
  notices: Queue;
  departed: { late: Queue };
}

const QUEUES: [string, CounterName, (parts: IntakeParts) => Queue][] = [
  ['notices to main', 'noticesHeldUp', ({ notices }) => notices],
  ['orders that follow a client', 'ordersHeldUp', ({ departed }) => departed.late],
];

for (const [what, counter, queueOf] of QUEUES) {
  test(`where too many ${what} wait, a zone takes neither orders nor stored players until there is room`, () => {
    const world = new HeadlessWorld(arena as unknown as GameDefinition, { bots: 0, zoneColumns: 1, zoneRows: 1 });
    world.run(1);
    const queue = queueOf(world.hosts[0].intake as unknown as IntakeParts);
    const { most } = queue;
    queue.most = 0;
    const joined = world.join(0);
    const stored = world.restore(1, { kind: 'player', x: 50, y: 50, fields: {} });
    world.run(3);
    assert.deepEqual([joined.joinedCount, stored.joinedCount], [0, 0]);
    assert.ok(world.counter(COUNTER[counter]) >= 3);
    queue.most = most;
    world.run(2);
    assert.deepEqual([joined.joinedCount, stored.joinedCount], [1, 1]);
  });
}

test('an order that another zone sent after its client waits in its ring while orders are held up', () => {
  const world = new HeadlessWorld(arena as unknown as GameDefinition, TWO_ZONES, 2);
  const client = world.join(0);
  world.run(4);
  const from = world.find(client.entityId).zone;
  world.place(client, from === 0 ? 110 : 90, 100);
  const { router } = world;
  const deliverAll = router.deliverAll.bind(router);
  router.deliverAll = () => {
    router.deliverAll = deliverAll;
    world.leave(client); // main has not heard that it departed
    deliverAll();
  };
  world.run(1);
  const queue = (world.hosts[1 - from].intake as unknown as IntakeParts).notices;
  const { most } = queue;
  queue.most = 0;
  world.run(4);
  assert.equal(world.truth().has(client.entityId), true, 'nothing has come of its leave yet');
  queue.most = most;
  world.run(2);
  assert.equal(world.truth().has(client.entityId), false);
});

test('a client that asks for a full frame gets one', () => {
  const world = new HeadlessWorld(arena as unknown as GameDefinition, TWO_ZONES);
  const client = world.join(0);
  world.run(10);
  assert.equal(client.fullCount, 1);
  assert.ok(world.router.resync(client.index, client.generation));
  world.run(6);
  assert.equal(client.fullCount, 2);
});

for (const [what, order] of [
  ['grant', (world, generation) => world.router.grant(0, generation, 0, 1, 77)],
  ['leave', (world, generation) => world.router.leave(0, generation, 'left')],
] as [string, (world: HeadlessWorld, generation: number) => void][]) {
  test(`a ${what} whose client does not come is given up after some ticks, and counted`, () => {
    const world = new HeadlessWorld(arena as unknown as GameDefinition, TWO_ZONES);
    const answers: [request: number, code: number][] = [];
    world.router.hearGrants((request, code) => answers.push([request, code]));
    const client = world.join(0);
    world.run(3);
    const { zone } = world.hosts[world.find(client.entityId).zone];
    const { replicator } = world.hosts[zone.id];
    replicator.detach(client.index); // as where its entity is under way to this zone
    order(world, client.generation);
    world.run(ARRIVAL_TICKS_MAX + 3);
    assert.equal(world.counter(COUNTER.commandsStale), 1);
    assert.deepEqual(answers, what === 'grant' ? [[77, RejectCode.NotJoined]] : []);
  });
}
