// Kinds that are seen from farther than others, or from everywhere.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVERYWHERE_PER_ZONE_MAX, FAR_ROWS_MAX } from '../../../src/engine/replication/limits.js';
import type { GameDefinition, Zone } from '../../../src/game/definition.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import { KNOWN_ENTITIES_MAX } from '../../../src/protocol/limits.js';
import type { HeadlessClient } from '../../../src/testing/headless-client.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

const GAME = {
  name: 'far',
  version: 1,
  kinds: ['player', 'tower', 'flag', 'tree'],
  visibility: 'masks',
  seenFrom: { tower: 3, flag: 'everywhere' },
  fields: { hp: { type: 'u8', wire: {} } },
  commands: [],
  events: [],
  systems: [],
  spawnPlayer: (zone: Zone, x: number, y: number) => zone.spawn(0, x, y),
} as unknown as GameDefinition;
const [TOWER, FLAG, TREE] = [1, 2, 3];
const VIEW = 10;

function createWorld(settings: object = {}): HeadlessWorld {
  const small = { zoneColumns: 1, zoneRows: 1, bots: 0, seed: 1, viewRadius: VIEW, updateHz: 60 };
  return new HeadlessWorld(GAME, { ...small, ...settings });
}

/** An entity somewhere in the world; returns its id. */
function put(world: HeadlessWorld, kind: number, x: number, y: number): number {
  const zone = world.zones.find(({ area }) => x >= area.x && x < area.x + area.width)!;
  return zone.wireIdOf(zone.spawn(kind, x, y));
}

function joinAt(world: HeadlessWorld, x: number, y: number): HeadlessClient {
  const client = world.join();
  world.run(2);
  world.place(client, x, y);
  world.run(8);
  return client;
}

const sees = (client: HeadlessClient, id: number) => client.decoder.entities.has(id);

test('a tower is seen from three times as far as a tree, and leaves a little farther out', () => {
  const world = createWorld();
  const ada = joinAt(world, 20, 100);
  const [tower, tree] = [put(world, TOWER, 49, 100), put(world, TREE, 49, 100)];
  world.run(2);
  assert.deepEqual([sees(ada, tower), sees(ada, tree)], [true, false]);
  world.place(ada, 16, 100);
  world.run(2);
  assert.ok(sees(ada, tower), '33 away it stays');
  world.place(ada, 15, 100);
  world.run(2);
  assert.ok(!sees(ada, tower), '34 away it leaves');
  world.place(ada, 18, 100);
  world.run(2);
  assert.ok(!sees(ada, tower), '31 away it does not come back');
  world.place(ada, 38, 100);
  world.run(2);
  assert.deepEqual(
    [sees(ada, tower), sees(ada, tree)],
    [true, false],
    'it comes from nearer than the usual leave radius too',
  );
  assert.equal(new Set(ada.entered).size, ada.entered.length - 1, 'it came twice, nothing else did');
});

test('a tower is seen over a border, and a flag over all of them, moved, hidden and gone', () => {
  const world = createWorld({ zoneColumns: 4, worldWidth: 200, worldHeight: 60 });
  const ada = joinAt(world, 45, 30);
  const [near, far] = [put(world, TOWER, 70, 30), put(world, TOWER, 90, 30)];
  const flag = put(world, FLAG, 190, 30);
  const tree = put(world, TREE, 70, 30);
  world.run(4);
  assert.deepEqual(
    [near, far, flag, tree].map((id) => sees(ada, id)),
    [true, false, true, false],
  );
  const { zone, row } = world.find(flag);
  world.zones[zone].positionX[row] = 160;
  (world.zones[zone].columns as Record<string, Uint8Array>).hp[row] = 7;
  world.run(4);
  assert.equal(ada.decoder.entities.get(flag)?.x, 160);
  assert.deepEqual(ada.decoder.entities.get(flag)?.fields, [7]);
  world.zones[zone].positionX[row] = 120;
  world.run(8);
  assert.equal(world.find(flag).zone, 2, 'it has crossed a border');
  assert.deepEqual([sees(ada, flag), ada.entered.filter((id) => id === flag).length], [true, 1], 'and did not flicker');
  const there = world.find(flag);
  world.zones[2].shownTo[there.row] = 2;
  world.run(3);
  assert.ok(!sees(ada, flag), 'hidden by its mask');
  world.zones[2].shownTo[there.row] = 1;
  world.run(3);
  assert.ok(sees(ada, flag));
  world.zones[2].despawn(there.row);
  world.run(10);
  assert.ok(!sees(ada, flag), 'gone');
});

test('a radius of its own bounds from how far a player sees a tower, and the blind see no flag', () => {
  const world = createWorld();
  const ada = joinAt(world, 20, 100);
  const [tower, flag] = [put(world, TOWER, 40, 100), put(world, FLAG, 190, 100)];
  world.run(2);
  const { row } = world.find(ada.entityId);
  world.zones[0].setViewRadius(row, 5);
  world.run(2);
  assert.deepEqual([sees(ada, tower), sees(ada, flag)], [false, true]);
  world.zones[0].setViewRadius(row, 0);
  world.run(2);
  assert.deepEqual([...ada.decoder.entities.keys()], [ada.entityId]);
});

test('a crowd leaves room for what is seen from afar', () => {
  const world = createWorld();
  const ada = joinAt(world, 20, 100);
  const tower = put(world, TOWER, 45, 100);
  for (let i = 0; i < KNOWN_ENTITIES_MAX + 200; i++) put(world, TREE, 20 + (i % 30) / 5, 100 + i / 200);
  world.run(20);
  assert.ok(sees(ada, tower));
  assert.ok(ada.decoder.entities.size <= KNOWN_ENTITIES_MAX);
});

test('more than there is room for are seen as others are, and counted', () => {
  const world = createWorld({ zoneColumns: 4, worldWidth: 200, worldHeight: 60 });
  const ada = joinAt(world, 10, 30);
  const flags = Array.from({ length: EVERYWHERE_PER_ZONE_MAX + 2 }, (_, i) => put(world, FLAG, 190, 20 + i));
  world.run(5);
  assert.equal(flags.filter((id) => sees(ada, id)).length, EVERYWHERE_PER_ZONE_MAX);
  assert.ok(world.counter(COUNTER.farKindsRefused) > 0);
  const towers = Array.from({ length: FAR_ROWS_MAX + 1 }, (_, i) => put(world, TOWER, 30, 10 + i / 8));
  world.run(5);
  assert.ok(towers.filter((id) => sees(ada, id)).length <= FAR_ROWS_MAX);
  world.place(ada, 30, 10 + FAR_ROWS_MAX / 8);
  world.run(5);
  assert.ok(sees(ada, towers[FAR_ROWS_MAX]), 'from near it is seen');
});
