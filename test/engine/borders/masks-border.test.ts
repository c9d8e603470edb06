// Masks over borders: what is hidden stays hidden as a mirror, on its way, and from an observer who goes after it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GameDefinition, Zone } from '../../../src/game/definition.js';
import type { HeadlessClient } from '../../../src/testing/headless-client.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

/** A number that nothing else on the wire is. */
const SECRET = 0xa1b2c3d4;

const GAME = {
  name: 'masks',
  version: 1,
  kinds: ['player'],
  visibility: 'masks',
  fields: { mark: { type: 'u32', wire: { type: 'u32' } } },
  commands: [],
  events: [],
  systems: [],
  spawnPlayer: (zone: Zone, x: number, y: number) => zone.spawn(0, x, y),
} as unknown as GameDefinition;

interface Stage {
  world: HeadlessWorld;
  observer: HeadlessClient;
  hidden: HeadlessClient;
  /** Frames of whoever is the observer's client that hold the secret. */
  leaks: { count: number };
  /** Its columns, wherever it lives. */
  write(client: HeadlessClient, change: (zone: Zone, row: number) => void): void;
}

function createStage(threads = 1): Stage {
  const settings = { zoneColumns: 2, zoneRows: 1, bots: 0, seed: 1, updateHz: 60 };
  const world = new HeadlessWorld(GAME, settings, threads);
  const [observer, hidden] = [world.join(0), world.join(1)];
  world.run(3);
  const write: Stage['write'] = (client, change) => {
    const { zone, row } = world.find(client.entityId);
    change(world.zones[zone], row);
  };
  const leaks = { count: 0 };
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(SECRET);
  world.listen((client) => {
    if (client.index === observer.index && Buffer.from(client.lastFrame).includes(bytes)) leaks.count++;
  });
  write(hidden, (zone, row) => {
    zone.shownTo[row] = 2;
    (zone.columns as Record<string, Uint32Array>).mark[row] = SECRET;
  });
  world.place(observer, 92, 100);
  world.place(hidden, 95, 100);
  world.run(10);
  return { world, observer, hidden, leaks, write };
}

const has = (viewer: HeadlessClient, seen: HeadlessClient) => viewer.decoder.entities.has(seen.entityId);

for (const threads of [1, 2]) {
  test(`hidden over a border, shown there, and hidden again, with ${threads} tick threads`, () => {
    const { world, observer, hidden, leaks, write } = createStage(threads);
    world.place(hidden, 103, 100);
    world.run(10);
    assert.equal(world.find(hidden.entityId).zone, 1);
    assert.ok(!has(observer, hidden) && has(hidden, observer), 'as a mirror it is hidden');
    assert.equal(leaks.count, 0);

    write(hidden, (zone, row) => {
      zone.shownTo[row] = 1;
    });
    world.run(3);
    assert.ok(has(observer, hidden), 'shown beyond the border');
    assert.equal(leaks.count, 1, 'what is searched for can be found');
    write(hidden, (zone, row) => {
      zone.shownTo[row] = 0;
    });
    world.run(3);
    assert.ok(!has(observer, hidden), 'and hidden');

    world.place(observer, 104, 100);
    world.run(10);
    assert.equal(world.find(observer.entityId).zone, 1);
    assert.ok(!has(observer, hidden), 'also from one who comes after it');
    world.place(hidden, 96, 100);
    world.run(10);
    assert.ok(!has(observer, hidden), 'and when it goes back');
    assert.equal(leaks.count, 1);
  });
}

test('what an observer sees goes with it over a border, and how far', () => {
  const { world, observer, hidden, write } = createStage();
  write(observer, (zone, row) => {
    zone.sees[row] = 2;
    zone.setViewRadius(row, 5);
  });
  world.place(observer, 104, 100);
  world.place(hidden, 102, 100);
  world.run(10);
  assert.ok(has(observer, hidden));
  world.place(hidden, 110, 100);
  world.run(10);
  assert.ok(!has(observer, hidden), 'farther than 5');
});

test('what is hidden stays so for a new connection and under a new thread', () => {
  const { world, observer, hidden, leaks, write } = createStage();
  world.lose(observer);
  world.run(5);
  const back = world.resume(observer.index, observer.generation);
  world.run(10);
  assert.ok(has(back, back) && !has(back, hidden), 'by a new connection');
  world.replaceThread(0, 2);
  world.run(10);
  assert.ok(back.fullCount > 1 && !has(back, hidden), 'under a new thread');
  world.place(hidden, 103, 100);
  world.run(3);
  world.replaceThread(0, 2);
  world.run(10);
  assert.ok(!has(back, hidden), 'and after one that died behind a border');
  assert.equal(leaks.count, 0);
  write(hidden, (zone, row) => {
    zone.shownTo[row] = 1;
  });
  world.run(3);
  assert.ok(has(back, hidden), 'shown');
});
