// Masks: an entity is in a client's view only if a bit of what it is shown to is one that the client's entity sees.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GameDefinition, Zone } from '../../../src/game/definition.js';
import { KNOWN_ENTITIES_MAX } from '../../../src/protocol/limits.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';
import { HeadlessZone } from '../../../src/testing/headless-zone.js';

interface Script {
  run: (zone: Zone) => void;
}

function createGame(script: Script, change: object = {}): GameDefinition {
  return {
    name: 'masks',
    version: 1,
    kinds: ['player', 'thing'],
    visibility: 'masks',
    fields: { mark: { type: 'u32', wire: { type: 'u32' } } },
    commands: [],
    events: [],
    systems: [{ name: 'script', run: (zone: Zone) => script.run(zone) }],
    spawnPlayer: (zone: Zone, x: number, y: number) => zone.spawn(0, x, y),
    ...change,
  } as unknown as GameDefinition;
}

function createWorld(script: Script, settings: object = {}): HeadlessWorld {
  return new HeadlessWorld(createGame(script), {
    ...{ zoneColumns: 1, zoneRows: 1, bots: 0, seed: 1, spawn: 'crowd', updateHz: 60 },
    ...settings,
  });
}

test('with nothing set, everybody sees everybody', () => {
  const world = createWorld({ run: () => {} });
  const [ada, ben] = [world.join(), world.join()];
  world.run(10);
  assert.deepEqual([ada.inView().length, ben.inView().length], [2, 2]);
});

test('what is hidden leaves the view with the next frame, and comes back whole when it is shown', () => {
  const script: Script = { run: () => {} };
  const world = createWorld(script);
  const [ada, ben] = [world.join(), world.join()];
  world.run(10);
  const { row } = world.find(ben.entityId);
  const [zone] = world.zones;
  zone.shownTo[row] = 0;
  (zone.columns as Record<string, Uint32Array>).mark[row] = 7;
  world.run(1);
  assert.ok(!ada.decoder.entities.has(ben.entityId), 'hidden');
  assert.equal(ben.own?.fields.mark, 7, 'its owner sees it always');
  script.run = ({ positionX }) => {
    positionX[row] += 0.01;
  };
  const frames = ada.frameBytes;
  world.run(20);
  assert.ok(ada.frameBytes - frames < 100, 'what it does makes no records');
  zone.shownTo[row] = 0x80000000;
  world.run(2);
  assert.ok(!ada.decoder.entities.has(ben.entityId), 'shown to a bit that nobody sees');
  zone.sees[world.find(ada.entityId).row] = 0x80000001;
  world.run(1);
  assert.equal(
    ada.inView('player').find(({ id }) => id === ben.entityId)?.fields.mark,
    7,
    'the highest bit counts too',
  );
  assert.equal(ben.inView().length, 2, 'and Ada is shown to Ben all the while');
});

test('whoever sees no bit at all sees its own entity', () => {
  const world = createWorld({ run: () => {} });
  const [ada] = [world.join(), world.join()];
  world.run(5);
  world.zones[0].sees[world.find(ada.entityId).row] = 0;
  world.run(1);
  assert.deepEqual(
    ada.inView().map(({ id }) => id),
    [ada.entityId],
  );
});

test('a new entity in a row is shown to all and sees bit 0, whatever the row had before', () => {
  const world = createWorld({ run: () => {} });
  const ada = world.join();
  const ben = world.join();
  world.run(5);
  const [zone] = world.zones;
  const { row } = world.find(ben.entityId);
  zone.shownTo[row] = 4;
  zone.sees[row] = 0;
  zone.setViewRadius(row, 0);
  world.leave(ben);
  world.run(2);
  const eve = world.join();
  world.run(5);
  assert.equal(world.find(eve.entityId).row, row);
  assert.deepEqual([ada.inView().length, eve.inView().length], [2, 2]);
});

test('by the death of its entity a client comes to see nothing that was hidden from it', () => {
  const world = createWorld({ run: () => {} });
  const [ada, ben] = [world.join(), world.join()];
  world.run(5);
  const [zone] = world.zones;
  zone.shownTo[world.find(ben.entityId).row] = 1;
  zone.sees[world.find(ada.entityId).row] = 2;
  world.run(2);
  assert.equal(ada.inView().length, 1);
  zone.despawn(world.find(ada.entityId).row);
  world.run(10);
  assert.deepEqual(ada.inView(), []);
});

test('a crowd that is hidden takes no place in a view', () => {
  const script: Script = { run: () => {} };
  const world = createWorld(script);
  const ada = world.join();
  world.run(5);
  const [zone] = world.zones;
  const { x, y } = world.find(ada.entityId);
  for (let i = 0; i < KNOWN_ENTITIES_MAX + 100; i++) {
    zone.shownTo[zone.spawn(1, x, y)] = 2;
  }
  const far = zone.spawn(1, x + world.settings.viewRadius - 1, y);
  world.run(5);
  assert.deepEqual(
    ada.inView('thing').map(({ id }) => id),
    [zone.wireIdOf(far)],
  );
});

test('a view radius of its own bounds what a client sees, at most to that of the server', () => {
  const world = createWorld({ run: () => {} });
  const ada = world.join();
  world.run(5);
  const [zone] = world.zones;
  const { row, x, y } = world.find(ada.entityId);
  const { viewRadius } = world.settings;
  const ids = [2, viewRadius - 1, viewRadius * 1.5].map((away) => zone.wireIdOf(zone.spawn(1, x + away, y)));
  const seen = () => ids.map((id) => ada.decoder.entities.has(id));
  world.run(2);
  assert.deepEqual(seen(), [true, true, false]);
  zone.setViewRadius(row, 5);
  world.run(1);
  assert.deepEqual(seen(), [true, false, false], 'what is out of it leaves with the next frame');
  zone.setViewRadius(row, 0);
  world.run(1);
  assert.deepEqual([...ada.decoder.entities.keys()], [ada.entityId], 'blind');
  zone.setViewRadius(row, viewRadius * 10);
  world.run(1);
  assert.deepEqual(seen(), [true, true, false]);
  for (const radius of [-1, Number.NaN])
    assert.throws(() => zone.setViewRadius(row, radius), /a view radius is a number/);
});

test('a game that has not chosen them is told so', () => {
  const { zone } = new HeadlessZone(createGame({ run: () => {} }, { visibility: undefined }));
  assert.throws(() => zone.shownTo, /visibility: 'masks'/);
  assert.throws(() => zone.setViewRadius(0, 1), /visibility: 'masks'/);
  assert.throws(() => zone.team, /teams: true/);
});
