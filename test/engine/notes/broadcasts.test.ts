// Notes to many clients of a world of several zones: to all, to a team, to those who look at a place.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { defineGame } from '../../../src/game/define-game.js';
import type { Zone } from '../../../src/game/definition.js';
import { BROADCAST_LOG_BYTES } from '../../../src/memory/limits.js';
import { BroadcastLog } from '../../../src/memory/tables/broadcast-log.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import type { HeadlessClient } from '../../../src/testing/headless-client.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

const SEED = Number(process.env.SEED ?? 1 + (Date.now() % 100000));
const script = { run: (_zone: Zone): void => {} };

const game = defineGame({
  name: 'callers',
  version: 1,
  kinds: ['player'],
  teams: true,
  fields: { speed: { type: 'f32' } },
  notes: {
    called: { payload: { zone: { type: 'u8' }, count: { type: 'u32' } } },
    said: { payload: { text: { type: 'text', bytes: 200 } } },
  },
  systems: [{ name: 'script', run: (zone) => script.run(zone as unknown as Zone) }],
  spawnPlayer(zone, x, y) {
    const row = zone.spawn(0, x, y);
    zone.team[row] = 1 + (zone.wireIdOf(row) % 2);
    return row;
  },
});

beforeEach(() => {
  script.run = () => {};
});

function openWorld(threads = 1, settings: object = {}): HeadlessWorld {
  return new HeadlessWorld(
    game,
    { zoneColumns: 2, zoneRows: 2, bots: 0, updateHz: 60, seed: SEED, ...settings },
    threads,
  );
}

const countsOf = ({ notes }: HeadlessClient, zone: number): number[] =>
  notes.filter(({ values }) => values.zone === zone).map(({ values }) => values.count as number);

function assertRising(values: readonly number[], what: string): void {
  for (let i = 1; i < values.length; i++) assert.equal(values[i], values[i - 1] + 1, `${what}: value ${i}`);
}

/** Each zone calls in every tick, and counts its calls in its state. */
function callAll(zone: Zone): void {
  zone.globals[0]++;
  zone.tellAll('called', { zone: zone.id, count: zone.globals[0] });
}

test(`what is told to all comes once and in order to each, also to those who cross borders (SEED=${SEED})`, () => {
  const world = openWorld(4);
  const random = createRandom(SEED);
  const clients = Array.from({ length: 12 }, () => world.join());
  world.run(5);
  script.run = callAll;
  for (let tick = 0; tick < 300; tick++) {
    if (tick % 3 === 0) world.place(clients[tick % clients.length], 2 + random() * 196, 2 + random() * 196);
    world.run(1);
  }
  script.run = () => {};
  world.run(6);
  assert.ok(world.counter(COUNTER.entitiesArrived) > 40);
  for (const client of clients) {
    assert.equal(client.notesMissed, 0);
    for (let zone = 0; zone < 4; zone++) {
      const counts = countsOf(client, zone);
      assert.equal(counts.length, 300, `client ${client.index}, zone ${zone}`);
      assertRising(counts, `client ${client.index}, zone ${zone}`);
    }
  }
});

test(`threads that die repeat nothing (SEED=${SEED})`, () => {
  const world = openWorld(4);
  const clients = Array.from({ length: 8 }, () => world.join());
  world.run(5);
  script.run = callAll;
  const steps = world.hosts[0].stepCount;
  for (let dying = 0; dying <= steps; dying++) {
    const zone = dying % 4;
    world.run(4);
    const host = world.hosts[zone];
    host.beginTick(world.tick + 1);
    for (let step = 0; step < dying; step++) host.runStep(step);
    world.replaceThread(zone);
    world.place(clients[dying % 8], 50 + 100 * (dying % 2), 60);
  }
  world.run(10);
  for (const client of clients) {
    for (let zone = 0; zone < 4; zone++) {
      const counts = countsOf(client, zone);
      assert.deepEqual(
        counts,
        [...new Set(counts)].sort((a, b) => a - b),
        `client ${client.index}, zone ${zone}`,
      );
      // Of each death the calls of one tick at most.
      assert.ok(counts.length >= world.hosts[zone].zone.globals[0] - 3 * steps, `${counts.length} of zone ${zone}`);
    }
  }
});

test('a team hears what it is told in any zone, also who has no entity left', () => {
  const world = openWorld();
  const clients = Array.from({ length: 6 }, () => world.join());
  world.run(3);
  const teams = clients.map(({ entityId }) => 1 + (entityId % 2));
  const { zone, row } = world.find(clients[0].entityId);
  world.zones[zone].despawn(row);
  world.run(2);
  script.run = (teller) => {
    if (teller.id === 3) teller.tellTeam(teams[0], 'said', { text: 'to me' });
  };
  world.run(1);
  script.run = () => {};
  world.run(3);
  assert.deepEqual(
    clients.map(({ notes }) => notes.length),
    teams.map((team) => (team === teams[0] ? 1 : 0)),
  );
});

test('those near a place hear it, beyond a border too, and nobody farther away', () => {
  const world = openWorld();
  const clients = Array.from({ length: 4 }, () => world.join());
  world.run(3);
  for (const [i, x] of [92, 99, 101, 140].entries()) world.place(clients[i], x, 40);
  world.run(4);
  script.run = (zone) => {
    if (zone.id === 0) zone.tellNear(99, 40, 5, 'said', { text: 'bang' });
  };
  world.run(1);
  script.run = () => {};
  world.run(3);
  assert.deepEqual(
    clients.map(({ notes }) => notes.length),
    [0, 1, 1, 0],
  );
});

test('what is told beyond the bounds of a tick is counted, and clients hear that they missed some of the rest', () => {
  const world = openWorld();
  const clients = Array.from({ length: 2 }, () => world.join());
  world.run(3);
  for (const [i, x] of [50, 150].entries()) world.place(clients[i], x, 40);
  world.run(4);
  script.run = (zone) => {
    if (zone.id === 0) for (let i = 0; i < 200; i++) zone.tellAll('said', { text: 'x'.repeat(200) });
  };
  world.run(1);
  script.run = (zone) => zone.tellAll('said', { text: 'after' });
  world.run(4);
  assert.ok(world.counter(COUNTER.notesUntold) > 100, 'those beyond 16 KiB');
  for (const { notes, notesMissed } of clients) assert.ok(notes.length > 0 && notesMissed > 0);
});

test('a game that names no such note, or has no teams, is told so, also where nobody listens', () => {
  const [zone] = openWorld().zones;
  assert.throws(() => zone.tellAll('sung', {}), /zone\.tellAll: the game has no note 'sung'/);
  assert.throws(() => zone.tellNear(0, 0, 1, 'sung', {}), /zone\.tellNear/);
  const plain = defineGame({ name: 'plain', version: 1, kinds: ['one'], notes: {}, spawnPlayer: () => -1 });
  assert.throws(() => new HeadlessWorld(plain, { bots: 0 }).zones[0].tellTeam(1, 'said', {}), /teams: true/);
});

test('a log that was written over while it was read says so', () => {
  const log = new BroadcastLog(BroadcastLog.create());
  const target = new Uint8Array(BROADCAST_LOG_BYTES);
  const part = BROADCAST_LOG_BYTES / 4;
  for (let i = 0; i < 4; i++) log.write(new Uint8Array(part).fill(i + 1));
  assert.equal(log.read(0, log.done(), target), BROADCAST_LOG_BYTES);
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => target[i * part]),
    [1, 2, 3, 4],
  );
  log.write(new Uint8Array(part).fill(5));
  assert.equal(log.read(0, log.done(), target), -1);
  assert.equal(log.read(part, log.done(), target), BROADCAST_LOG_BYTES);
  assert.equal(target[3 * part], 5);
});
