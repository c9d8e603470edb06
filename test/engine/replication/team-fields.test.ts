// Fields that only an entity's team gets: on the wire of team mates and of the owner, and on nobody else's.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GameDefinition, Zone } from '../../../src/game/definition.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import type { HeadlessClient } from '../../../src/testing/headless-client.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

const FIELDS = {
  plan: { type: 'u32', wire: { type: 'u32', audience: 'team' } },
  hp: { type: 'u8', wire: { type: 'u8' } },
  mana: { type: 'u8', wire: { type: 'u8', audience: 'owner' } },
} as const;
const [RED, BLUE] = [1, 2];
/** A number that nothing else on the wire is. */
const SECRET = 0xa1b2c3d4;

type TheZone = Zone<typeof FIELDS>;

interface Script {
  run: (zone: TheZone) => void;
}

function createWorld(script: Script = { run: () => {} }, settings: object = {}): HeadlessWorld {
  const game = {
    name: 'teams',
    version: 1,
    kinds: ['player'],
    teams: true,
    fields: FIELDS,
    commands: [],
    events: [],
    systems: [{ name: 'script', run: (zone: TheZone) => script.run(zone) }],
    spawnPlayer(zone: TheZone, x: number, y: number) {
      const row = zone.spawn(0, x, y);
      zone.columns.hp[row] = 9;
      zone.columns.mana[row] = 5;
      return row;
    },
  } as unknown as GameDefinition;
  const quiet = { zoneColumns: 1, zoneRows: 1, bots: 0, seed: 1, spawn: 'crowd', updateHz: 60 } as const;
  return new HeadlessWorld(game, { ...quiet, ...settings });
}

const zoneOf = (world: HeadlessWorld, client: HeadlessClient) =>
  world.zones[world.find(client.entityId).zone] as unknown as TheZone;

function setTeam(world: HeadlessWorld, client: HeadlessClient, team: number): void {
  zoneOf(world, client).team[world.find(client.entityId).row] = team;
}

function setPlan(world: HeadlessWorld, client: HeadlessClient, plan: number): void {
  zoneOf(world, client).columns.plan[world.find(client.entityId).row] = plan;
}

/** What `viewer` has of `seen`: hp, plan, mana. */
const valuesOf = (viewer: HeadlessClient, seen: HeadlessClient) => viewer.decoder.entities.get(seen.entityId)?.fields;

/** Counts the frames of a client that hold a number's four bytes. */
function countFrames(world: HeadlessWorld, client: HeadlessClient, value = SECRET): { count: number } {
  const seen = { count: 0 };
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  world.listen((teller) => {
    if (teller === client && Buffer.from(teller.lastFrame).includes(bytes)) seen.count++;
  });
  return seen;
}

function joinThree(world: HeadlessWorld): HeadlessClient[] {
  const all = [world.join(), world.join(), world.join()];
  world.run(5);
  for (const [index, team] of [RED, RED, BLUE].entries()) setTeam(world, all[index], team);
  return all;
}

test('owner and team mates are told, and no byte of it is on the wire of an opponent', () => {
  const world = createWorld();
  const [ada, mate, opponent] = joinThree(world);
  const leaks = countFrames(world, opponent);
  setPlan(world, ada, SECRET);
  world.run(5);
  assert.deepEqual(valuesOf(ada, ada), [9, SECRET, 5]);
  assert.deepEqual(valuesOf(mate, ada), [9, SECRET, 0]);
  assert.deepEqual(valuesOf(opponent, ada), [9, 0, 0]);
  assert.equal(leaks.count, 0);
});

test('of no team nobody is a mate, not even another of none', () => {
  const world = createWorld();
  const [ada, mate] = joinThree(world);
  setTeam(world, ada, 0);
  setTeam(world, mate, 0);
  setPlan(world, ada, SECRET);
  world.run(5);
  assert.deepEqual([valuesOf(ada, ada)?.[1], valuesOf(mate, ada)?.[1]], [SECRET, 0]);
});

test('what only the team gets makes no record for others when it changes, and one for each mate', () => {
  const script: Script = { run: () => {} };
  const world = createWorld(script);
  const all = joinThree(world);
  world.run(5);
  const { row } = world.find(all[0].entityId);
  script.run = ({ columns }) => void columns.plan[row]++;
  const records = new Map(all.map((client) => [client, 0]));
  world.listen((client) => void records.set(client, records.get(client)! + client.recordCount));
  world.run(20);
  assert.deepEqual([...records.values()], [20, 20, 0]);
});

test('an observer that changes teams is told at once what it gets, and raw 0 of what it does no longer get', () => {
  const world = createWorld();
  const [ada, mate, opponent] = joinThree(world);
  setPlan(world, ada, SECRET);
  setPlan(world, opponent, 77);
  world.run(5);
  setTeam(world, mate, BLUE);
  world.run(1);
  assert.deepEqual([valuesOf(mate, ada)?.[1], valuesOf(mate, opponent)?.[1]], [0, 77]);
  assert.equal(valuesOf(mate, ada)?.[0], 9, 'the rest it keeps');
  const leaks = countFrames(world, mate, SECRET + 1);
  setPlan(world, ada, SECRET + 1);
  world.run(5);
  assert.equal(leaks.count, 0);
  setTeam(world, mate, RED);
  world.run(1);
  assert.equal(valuesOf(mate, ada)?.[1], SECRET + 1);
  setTeam(world, mate, BLUE);
  world.run(1);
  setTeam(world, mate, 0);
  world.run(1);
  assert.deepEqual([valuesOf(mate, ada)?.[1], valuesOf(mate, opponent)?.[1]], [0, 0]);
});

test('an entity that changes teams does so for all who see it, and its owner keeps its values', () => {
  const world = createWorld();
  const [ada, mate, opponent] = joinThree(world);
  setPlan(world, ada, SECRET);
  world.run(5);
  setTeam(world, ada, BLUE);
  world.run(1);
  assert.deepEqual(
    [ada, mate, opponent].map((viewer) => valuesOf(viewer, ada)?.[1]),
    [SECRET, 0, SECRET],
  );
  assert.ok(![ada, mate, opponent].some(({ entered }) => new Set(entered).size < entered.length), 'nobody flickers');
});

test('two changes between two frames of a slow client leave it with what its team gets', () => {
  const world = createWorld();
  const [ada, mate] = joinThree(world);
  const slow = world.join(9, 5);
  world.run(30);
  setTeam(world, slow, RED);
  setPlan(world, ada, SECRET);
  world.run(30);
  assert.equal(valuesOf(slow, ada)?.[1], SECRET);
  const frames = slow.frameCount;
  for (const team of [BLUE, RED, BLUE]) {
    setTeam(world, ada, team);
    world.run(2);
  }
  assert.equal(valuesOf(mate, ada)?.[1], 0);
  world.run(15);
  assert.ok(slow.frameCount > frames);
  assert.equal(valuesOf(slow, ada)?.[1], 0);
});

test('a leap of a mate tells all of its values anew, and a walk tells no more than it does to others', () => {
  const script: Script = { run: () => {} };
  const world = createWorld(script);
  const [ada, mate, opponent] = joinThree(world);
  setPlan(world, ada, SECRET);
  world.run(5);
  const { row, x } = world.find(ada.entityId);
  world.zones[0].positionX[row] = x + 15;
  world.run(2);
  assert.equal(valuesOf(mate, ada)?.[1], SECRET);
  world.zones[0].positionX[row] = x; // near both of them
  world.run(2);
  script.run = ({ positionX }) => {
    positionX[row] += 0.05;
  };
  world.run(3);
  const bytes = [mate.frameBytes, opponent.frameBytes];
  world.run(10);
  assert.equal(mate.frameBytes - bytes[0], opponent.frameBytes - bytes[1]);
});

test('a border, a new connection and a new thread keep it so', () => {
  const world = createWorld({ run: () => {} }, { zoneColumns: 2 });
  const [ada, mate, opponent] = joinThree(world);
  setPlan(world, ada, SECRET);
  const leaks = countFrames(world, opponent);
  for (const client of [ada, mate, opponent]) world.place(client, 95, 100);
  world.run(10);
  const check = (what: string, viewers = [ada, mate, opponent]) =>
    assert.deepEqual(
      viewers.map((viewer) => valuesOf(viewer, ada)?.[1]),
      [SECRET, SECRET, 0],
      what,
    );
  check('in one zone');
  world.place(ada, 103, 100);
  world.run(10);
  check('seen over the border');
  world.place(mate, 104, 100);
  world.place(opponent, 104, 101);
  world.run(10);
  check('all beyond it');
  world.lose(mate);
  world.run(5);
  const back = world.resume(mate.index, mate.generation);
  world.run(10);
  check('by a new connection', [ada, back, opponent]);
  world.replaceThread(0, 2);
  world.run(10);
  check('under a new thread', [ada, back, opponent]);
  assert.equal(leaks.count, 0);
});

test('a frame that cannot hold all that is due tells no opponent, and each mate in its turn', () => {
  const script: Script = { run: () => {} };
  const world = createWorld(script, { bytesPerSecond: 2560, updateHz: 20, clientsMax: 80 });
  const clients = Array.from({ length: 80 }, (_, index) => world.join(index));
  world.run(2);
  for (const [index, client] of clients.entries()) setTeam(world, client, index < 40 ? RED : BLUE);
  let tick = 0;
  script.run = ({ positionX, rowLimit, columns, alive, team }) => {
    tick++;
    for (let row = 0; row < rowLimit; row++) {
      if (alive[row] === 0) continue;
      positionX[row] += tick % 2 === 0 ? 0.1 : -0.1;
      columns.plan[row] = team[row] === RED ? SECRET : 1000;
    }
  };
  const leaks = countFrames(world, clients[79]);
  world.run(120);
  assert.ok(world.counter(COUNTER.framesOverBudget) > 0);
  const plans = (viewer: HeadlessClient) => clients.slice(0, 40).map((seen) => valuesOf(viewer, seen)?.[1]);
  assert.deepEqual(new Set(plans(clients[0])), new Set([SECRET]));
  assert.deepEqual(new Set(plans(clients[79])), new Set([0]));
  assert.equal(leaks.count, 0);
});
