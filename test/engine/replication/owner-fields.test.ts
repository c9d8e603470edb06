// Fields that only the client gets whose entity it is: on the wire of its owner, and never on anybody else's.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GameDefinition, Zone } from '../../../src/game/definition.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import type { HeadlessClient } from '../../../src/testing/headless-client.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

const FIELDS = {
  mana: { type: 'u32', wire: { type: 'u32', audience: 'owner' } },
  hp: { type: 'u8', wire: { type: 'u8' } },
  aim: { type: 'f32', wire: { type: 'i16', scale: 0.5, offset: 100, audience: 'owner' } },
} as const;
// Everybody's first: hp, then mana and aim.
const [HP, MANA, AIM] = [0, 1, 2];

type TheZone = Zone<typeof FIELDS>;

/** The mana of the first who joins, and one more for each after it: numbers that nothing else on the wire is. */
const SECRET = 0xa1b2c3d4;

interface Script {
  run: (zone: TheZone) => void;
}

function createWorld(script: Script, settings: object = {}): HeadlessWorld {
  let joined = 0;
  const game = {
    name: 'owners',
    version: 1,
    kinds: ['player'],
    fields: FIELDS,
    commands: [],
    events: [],
    systems: [{ name: 'script', run: (zone: TheZone) => script.run(zone) }],
    spawnPlayer(zone: TheZone, x: number, y: number) {
      const row = zone.spawn(0, x, y);
      zone.columns.mana[row] = SECRET + joined++;
      zone.columns.aim[row] = 110;
      zone.columns.hp[row] = 9;
      return row;
    },
  } as unknown as GameDefinition;
  return new HeadlessWorld(game, { zoneColumns: 1, zoneRows: 1, bots: 0, seed: 1, spawn: 'crowd', ...settings });
}

/** Whether the four bytes of a u32 stand somewhere in a frame. */
function holds(frame: Uint8Array, value: number): boolean {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  for (let at = 0; at + 4 <= frame.length; at++) if (view.getUint32(at, true) === value) return true;
  return false;
}

function rowOf(zone: TheZone, client: HeadlessClient): number {
  for (let row = 0; row < zone.rowLimit; row++) {
    if (zone.alive[row] !== 0 && zone.wireIdOf(row) === client.entityId) return row;
  }
  return -1;
}

const valuesOf = (viewer: HeadlessClient, seen: HeadlessClient) => viewer.decoder.entities.get(seen.entityId)?.fields;

test('the owner is told its values, and no byte of them is on the wire of an opponent who sees the entity', () => {
  const world = createWorld({ run: () => {} });
  const seen = { opponent: 0, owner: 0 };
  const [owner, opponent] = [world.join(0), world.join(1)];
  world.listen((client) => {
    if (client === opponent && holds(client.lastFrame, SECRET)) seen.opponent++;
    if (client === owner && holds(client.lastFrame, SECRET)) seen.owner++;
  });
  world.run(10);
  assert.deepEqual(valuesOf(owner, owner), [9, SECRET, 110]);
  assert.deepEqual(valuesOf(opponent, opponent), [9, SECRET + 1, 110]);
  assert.deepEqual(valuesOf(opponent, owner), [9, 0, 100], 'as if they were raw 0');
  assert.deepEqual(seen, { opponent: 0, owner: 1 });
});

test('what only the owner gets makes no record for others when it changes, and one for the owner', () => {
  const script: Script = { run: () => {} };
  const world = createWorld(script);
  const [owner, opponent] = [world.join(0), world.join(1)];
  world.run(20);
  const row = rowOf(world.hosts[0].zone as never, owner);
  script.run = (zone) => {
    zone.columns.mana[row]++;
  };
  let records = 0;
  let own = 0;
  world.listen((client) => {
    if (client === opponent) records += client.recordCount;
    if (client === owner) own += client.recordCount;
  });
  world.run(30);
  assert.equal(records, 0);
  assert.equal(own, 15, 'every frame of 30 per second');
  assert.deepEqual(valuesOf(owner, owner)?.[MANA], SECRET + 30);
  script.run = (zone) => {
    zone.columns.hp[row] = 5;
  };
  world.run(5);
  assert.equal(records, 1);
  assert.equal(valuesOf(opponent, owner)?.[HP], 5);
});

test('an owner that walks, and whose values change as it does, is told both', () => {
  const script: Script = { run: () => {} };
  const world = createWorld(script);
  const owner = world.join(0);
  world.run(10);
  const { zone } = world.hosts[0];
  const row = rowOf(zone as never, owner);
  script.run = ({ positionX, columns, tick }) => {
    positionX[row] += 0.1;
    if (tick % 2 === 0) columns.aim[row] += 0.5;
  };
  world.run(31);
  assert.ok(Math.abs((owner.self?.x ?? 0) - zone.positionX[row]) < 0.4);
  assert.ok(Math.abs(((owner.self?.fields[AIM] as number) ?? 0) - zone.columns.aim[row]) <= 1);
  assert.equal(owner.fullCount, 1);
});

test('a leap tells the owner all of its values anew', () => {
  const script: Script = { run: () => {} };
  const world = createWorld(script);
  const owner = world.join(0);
  world.run(10);
  const { zone } = world.hosts[0];
  zone.positionX[rowOf(zone as never, owner)] += 100;
  world.run(5);
  assert.deepEqual(valuesOf(owner, owner), [9, SECRET, 110]);
});

test('the owner keeps its values over a border, a new connection and a new thread, and opponents learn none', () => {
  const script: Script = { run: () => {} };
  const world = createWorld(script, { zoneColumns: 2 });
  const [owner, opponent] = [world.join(0), world.join(1)];
  let leaks = 0;
  const watch = (client: HeadlessClient) => {
    if (client.index === opponent.index && holds(client.lastFrame, SECRET + 7)) leaks++;
  };
  world.listen(watch);
  world.run(10);
  const from = world.hosts.findIndex(({ zone }) => rowOf(zone as never, owner) >= 0);
  const { zone } = world.hosts[from];
  zone.columns.mana[rowOf(zone as never, owner)] = SECRET + 7;
  for (const host of world.hosts) {
    for (const client of [owner, opponent]) {
      const row = rowOf(host.zone as never, client);
      if (row >= 0) host.zone.positionX[row] = from === 0 ? 95 : 105;
    }
  }
  world.run(5);
  zone.positionX[rowOf(zone as never, owner)] = from === 0 ? 103 : 97;
  world.run(10);
  const to = world.hosts[1 - from].zone;
  assert.ok(rowOf(to as never, owner) >= 0, 'it has gone over the border');
  assert.deepEqual(valuesOf(owner, owner), [9, SECRET + 7, 110], 'after the border');
  assert.equal(valuesOf(opponent, owner)?.[MANA], 0);

  world.lose(owner);
  world.run(5);
  const back = world.resume(owner.index, owner.generation);
  world.run(10);
  assert.deepEqual(back.self?.fields, [9, SECRET + 7, 110], 'by a new connection');

  world.replaceThread(0, 2);
  world.run(10);
  to.columns.aim[rowOf(to as never, back)] = 120;
  assert.deepEqual(back.self?.fields.slice(0, 2), [9, SECRET + 7], 'under a new thread');
  assert.ok(opponent.decoder.entities.has(back.entityId), 'the opponent still sees it');
  assert.equal(leaks, 0);
});

test('a player that comes in as it was stored is told its values', () => {
  const world = createWorld({ run: () => {} });
  const player = { kind: 'player', x: 50, y: 50, fields: { mana: 12, hp: 3, aim: 104 } };
  const client = world.restore(0, player as never);
  world.run(10);
  assert.deepEqual(valuesOf(client, client), [3, 12, 104]);
});

test('who takes over a row is told its own values, and not those of the entity that had it before', () => {
  const script: Script = { run: () => {} };
  const world = createWorld(script);
  const first = world.join(0);
  world.run(10);
  assert.equal(first.self?.fields[MANA], SECRET);
  world.leave(first);
  world.run(5);
  const next = world.join(1);
  script.run = (zone) => {
    const row = rowOf(zone, next);
    if (row >= 0) zone.columns.mana[row] = 5;
  };
  world.run(10);
  assert.deepEqual(valuesOf(next, next), [9, 5, 110]);
});

test('a frame that cannot hold all that is due still tells the owner its values', () => {
  const script: Script = { run: () => {} };
  const world = createWorld(script, { bytesPerSecond: 2560, updateHz: 20, clientsMax: 80 });
  const clients = Array.from({ length: 80 }, (_, index) => world.join(index));
  let tick = 0;
  script.run = ({ positionX, rowLimit, columns, alive }) => {
    tick++;
    for (let row = 0; row < rowLimit; row++) {
      if (alive[row] === 0) continue;
      positionX[row] += tick % 2 === 0 ? 0.1 : -0.1;
      columns.mana[row] = 1000 + tick;
    }
  };
  world.run(60);
  for (const client of clients) {
    const mana = client.self?.fields[MANA] as number;
    assert.ok(1000 + tick - mana <= 6, `client ${client.index} has ${mana} at ${1000 + tick}`);
  }
  assert.ok(world.counter(COUNTER.framesOverBudget) > 0);
});
