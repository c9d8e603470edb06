// A zone that can keep no more of what an order leads to takes no orders, and loses none.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GameDefinition } from '../../../src/game/definition.js';
import arena from '../../../src/games/arena/game.js';
import { COUNTER, type CounterName } from '../../../src/memory/tables/zone-counters.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

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
