import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entityName, keyOfName } from '../../../src/durability/entity-name.js';
import { wireIdOfKey } from '../../../src/engine/entities/entity-key.js';
import type { GameDefinition, Zone } from '../../../src/game/definition.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

const GENERATIONS = 512;

/** A game of players who stand still, and of what a test does in each tick. */
function createWorld(act: (zone: Zone) => void = () => {}): HeadlessWorld {
  const game: GameDefinition = {
    name: 'still',
    version: 1,
    kinds: ['player', 'thing'],
    fields: { hp: { type: 'u8', wire: { type: 'u8' } } },
    commands: [],
    events: [],
    systems: [{ name: 'act', run: act }],
    spawnPlayer: (zone, x, y) => zone.spawn(0, x, y),
  };
  return new HeadlessWorld(game, { zoneColumns: 1, zoneRows: 1, bots: 0, seed: 1 });
}

test('an id that is free is given to the next entity, under another key 511 times, and then under the first one again', () => {
  const world = createWorld();
  const { zone } = world.hosts[0];
  const other = zone.spawn(1, 10, 10);
  const keys: number[] = [];
  for (let birth = 0; birth < 2 * GENERATIONS; birth++) {
    const row = zone.spawn(1, 20, 20);
    keys.push(zone.engine.key[row]);
    assert.notEqual(zone.engine.key[row], zone.engine.key[other]);
    zone.despawn(row);
  }
  assert.equal(new Set(keys.map(wireIdOfKey)).size, 1, 'one id');
  assert.equal(new Set(keys.slice(0, GENERATIONS)).size, GENERATIONS);
  assert.deepEqual(keys.slice(GENERATIONS), keys.slice(0, GENERATIONS));
  assert.equal(new Set(keys.slice(0, GENERATIONS).map(entityName)).size, GENERATIONS, 'and as many names');
  for (const key of keys) assert.equal(keyOfName(entityName(key)), key);
});

test('entities that live at the same time never share a key, however often ids were given out before', () => {
  const world = createWorld();
  const { zone } = world.hosts[0];
  const rows: number[] = [];
  for (let round = 0; round < 3 * GENERATIONS; round++) {
    while (rows.length < 8) rows.push(zone.spawn(1, 20, 20));
    assert.equal(new Set(rows.map((row) => zone.engine.key[row])).size, 8, `round ${round}`);
    zone.despawn(rows.splice(round % 8, 1)[0]);
  }
});

test('generations go on where they stood after a kill, across their wrap', () => {
  const world = createWorld();
  world.hosts[0].zone.spawn(1, 10, 10); // has id 0, whose key is never 0: it has one generation less
  const born = (): number => {
    const { zone } = world.hosts[0];
    const row = zone.spawn(1, 20, 20);
    const key = zone.engine.key[row];
    zone.despawn(row);
    return key;
  };
  const keys: number[] = [];
  for (let birth = 0; birth < GENERATIONS + 2; birth++) {
    keys.push(born());
    if (birth % 100 !== 0 && birth < GENERATIONS - 2) continue;
    world.run(1);
    world.replaceThread(0);
  }
  assert.equal(new Set(keys.slice(0, GENERATIONS)).size, GENERATIONS);
  assert.deepEqual(keys.slice(GENERATIONS), keys.slice(0, 2));
});

for (const births of [1, GENERATIONS - 1, GENERATIONS]) {
  test(`a client is shown who has an id now, though ${births} had it since the last frame`, () => {
    let row = -1;
    let isReborn = false;
    const world = createWorld((zone) => {
      if (!isReborn) return;
      isReborn = false;
      for (let birth = 0; birth < births; birth++) {
        zone.despawn(row);
        row = zone.spawn(1, 110, 120);
      }
      (zone as Zone<{ hp: { type: 'u8' } }>).columns.hp[row] = 7;
    });
    const client = world.join(0);
    world.run(2);
    const { zone } = world.hosts[0];
    const { positionX, positionY } = zone;
    positionX[0] = positionY[0] = 100;
    row = zone.spawn(1, 90, 100);
    zone.columns.hp[row] = 50;
    world.run(5);
    const id = zone.wireIdOf(row);
    const key = zone.engine.key[row];
    const before = client.decoder.entities.get(id);
    assert.deepEqual([before?.x, before?.y, before?.fields], [90, 100, [50]]);
    isReborn = true;
    world.run(5);
    assert.equal(zone.wireIdOf(row), id);
    assert.equal(zone.engine.key[row] === key, births === GENERATIONS);
    const after = client.decoder.entities.get(id);
    assert.deepEqual([after?.x, after?.y, after?.fields], [110, 120, [7]]);
    assert.equal(client.decoder.entities.size, 2);
  });
}
