// Joins that wait for the cells around them, and what happens when too many do.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CELL_JOIN_WAIT_SECONDS } from '../../../src/engine/cells/limits.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import { CellWorld } from './cell-world.js';

/** As where the store does not answer: no cell is ever there. */
function stage(joinsMax?: number): CellWorld {
  const cells = new CellWorld({});
  const host = cells.host() as unknown as { watch: { prepare: () => boolean }; joinsMax: number };
  host.watch.prepare = () => false;
  if (joinsMax !== undefined) host.joinsMax = joinsMax;
  return cells;
}

test('a join waits for its cells, and no longer than a bounded time', () => {
  const cells = stage();
  const client = cells.world.join(0);
  const ticksMax = CELL_JOIN_WAIT_SECONDS * cells.world.settings.tickHz;
  cells.world.run(ticksMax);
  assert.equal(client.joinedCount, 0);
  cells.world.run(2);
  assert.equal(client.joinedCount, 1);
  assert.equal(cells.counter(COUNTER.cellJoinsHurried), 0, 'it has had its time');
});

test('a join waits no longer than until its cells are there', async () => {
  const cells = new CellWorld({});
  const client = cells.world.join(0);
  await cells.until('it joins', () => client.joinedCount > 0, CELL_JOIN_WAIT_SECONDS * cells.world.settings.tickHz - 5);
});

test('joins beyond those that may wait go on without their cells at once, and are counted', () => {
  const cells = stage(2);
  const clients = [0, 1, 2, 3].map((index) => cells.world.join(index));
  cells.world.run(2);
  assert.deepEqual(
    clients.map(({ joinedCount }) => joinedCount),
    [0, 0, 1, 1],
  );
  assert.equal(cells.counter(COUNTER.cellJoinsHurried), 2);
  cells.world.run(CELL_JOIN_WAIT_SECONDS * cells.world.settings.tickHz);
  assert.deepEqual(
    clients.map(({ joinedCount }) => joinedCount),
    [1, 1, 1, 1],
  );
  assert.equal(cells.counter(COUNTER.cellJoinsHurried), 2);
});

test('who leaves while its join waits never comes in, and makes room for another', () => {
  const cells = stage(2);
  const [first, second] = [0, 1].map((index) => cells.world.join(index));
  cells.world.run(1);
  cells.world.router.leave(first.index, first.generation, 'left');
  cells.world.run(1);
  const third = cells.world.join(2);
  cells.world.run(1);
  assert.equal(third.joinedCount, 0, 'it waits in the place of the first');
  assert.equal(cells.counter(COUNTER.cellJoinsHurried), 0);
  cells.world.run(CELL_JOIN_WAIT_SECONDS * cells.world.settings.tickHz + 2);
  assert.deepEqual(
    [first, second, third].map(({ joinedCount }) => joinedCount),
    [0, 1, 1],
  );
  assert.equal(cells.counter(COUNTER.clientsJoined), 2);
});
