import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entityName, keyOfName } from '../../../src/durability/entity-name.js';
import { wireIdOfKey } from '../../../src/engine/entities/entity-key.js';
import type { GameDefinition, Zone } from '../../../src/game/definition.js';
import { EVENT_POSITION } from '../../../src/memory/records/thread-records.js';
import { RecordRing } from '../../../src/memory/rings/record-ring.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';
import { letIdsRest } from '../entities/rest.js';

const GENERATIONS = 512;

/** A game of players who stand still, and of what a test does in each tick. */
function createWorld(act: (zone: Zone) => void = () => {}, settings: object = {}): HeadlessWorld {
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
  return new HeadlessWorld(game, { zoneColumns: 1, zoneRows: 1, bots: 0, seed: 1, ...settings });
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
    letIdsRest(zone);
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
    letIdsRest(zone);
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
        letIdsRest(zone);
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

test('a reference leads to the row of who it was taken of, in the first row too, and to nobody else', () => {
  const { zone } = createWorld().hosts[0];
  const [first, second] = [zone.spawn(1, 10, 10), zone.spawn(1, 20, 20)];
  const [refOfFirst, refOfSecond] = [zone.refOf(first), zone.refOf(second)];
  assert.deepEqual([zone.rowOfRef(refOfFirst), zone.rowOfRef(refOfSecond)], [0, 1]);
  assert.equal(zone.rowOfRef(0), -1, 'nobody');
  zone.despawn(second);
  assert.equal(zone.rowOfRef(refOfSecond), -1, 'it is dead');
  letIdsRest(zone);
  const reborn = zone.spawn(1, 30, 30);
  assert.equal(zone.wireIdOf(reborn), wireIdOfKey(refOfSecond));
  assert.equal(zone.rowOfRef(refOfSecond), -1, 'its id has another holder');
});

test('a reference to who has just gone over the border leads to its mirror', () => {
  const world = createWorld(() => {}, { zoneColumns: 2 });
  const { zone } = world.hosts[0];
  const ref = zone.refOf(zone.spawn(1, 101, 50));
  world.run(1);
  const row = zone.rowOfRef(ref);
  assert.ok(row >= zone.ownCapacity, `row ${row}`);
  assert.equal(zone.positionX[row], 101);
});

test('the living are counted, and spawns for which there is no row', () => {
  const { zone } = createWorld(() => {}, { entitiesPerZone: 64 }).hosts[0];
  for (let n = 0; n < 64; n++) assert.equal(zone.spawn(1, 10, 10), n);
  assert.equal(zone.counters[COUNTER.spawnsRefused], 0);
  assert.equal(zone.entityCount, 64);
  assert.equal(zone.spawn(1, 10, 10), -1);
  assert.equal(zone.counters[COUNTER.spawnsRefused], 1);
  zone.despawn(3);
  assert.equal(zone.entityCount, 63);
});

test('events are counted, those for which the ring has no room too, and these keep their place in the tick', () => {
  const world = createWorld();
  const { zone } = world.hosts[0];
  const ring = new RecordRing(world.plan.events[0]);
  world.run(1);
  for (let n = 0; n < ring.capacity; n++) zone.emit(0, -1, -1, 0, 0);
  zone.publishEvents();
  assert.equal(zone.counters[COUNTER.eventsDropped], 0);
  zone.tick = 2;
  zone.emit(0, -1, -1, 0, 0);
  ring.readable();
  ring.release(ring.capacity);
  zone.emit(0, -1, -1, 0, 0);
  zone.publishEvents();
  assert.equal(zone.counters[COUNTER.eventsDropped], 1);
  assert.equal(zone.counters[COUNTER.eventsEmitted], ring.capacity + 1);
  assert.equal(ring.readable(), 1);
  assert.equal(ring.view.getUint32(ring.offsetOf(0) + EVENT_POSITION, true), 1);
});

test('chance is drawn from the seed and the zone, and goes on where it stood with a successor', () => {
  const draw = (world: HeadlessWorld, zone: number): number => world.hosts[zone].zone.random();
  const world = createWorld(() => {}, { zoneColumns: 2 });
  const first = draw(world, 0);
  assert.notEqual(draw(world, 1), first, 'each zone has its own');
  assert.notEqual(
    draw(
      createWorld(() => {}, { seed: 2 }),
      0,
    ),
    first,
    'and each seed',
  );
  const same = createWorld();
  assert.equal(draw(same, 0), first);
  world.run(1);
  world.renewThread(0);
  assert.equal(draw(world, 0), draw(same, 0));
});

test('where the world is not cut into cells every place is alive', () => {
  assert.equal(createWorld().hosts[0].zone.isCellLive(10, 10), true);
});
