// Bools, enums, arrays, texts and references: from the columns of a zone to a client, over a border, and back from storage.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldDefinitions, GameDefinition, Zone } from '../../../src/game/definition.js';
import { openFrame } from '../../../src/protocol/fb/server-frame.js';
import { PlainFrameEncoder } from '../../../src/protocol/plain/plain-frame.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

const FIELDS = {
  name: { type: 'text', bytes: 10, wire: {} },
  bag: { type: 'u16', length: 20, wire: {} },
  isReady: { type: 'bool', wire: {} },
  team: { type: 'u8', oneOf: ['red', 'blue'], wire: {} },
  target: { type: 'ref', wire: {} },
  charges: { type: 'f32', length: 3, wire: { type: 'u8', scale: 0.5, audience: 'owner' } },
  note: { type: 'text', bytes: 5, wire: { audience: 'owner' } },
  path: { type: 'f64', length: 5 },
} as const satisfies FieldDefinitions;
// Plain ones first, then the others for everybody, then the owner's.
const [READY, TEAM, NAME, BAG, CHARGES, NOTE] = [0, 1, 2, 3, 5, 6];

type TheZone = Zone<typeof FIELDS>;
const NO_BAG = new Array<number>(20).fill(0);

function createWorld(
  script: { run: (zone: TheZone) => void } = { run: () => {} },
  settings: object = {},
): HeadlessWorld {
  const game = {
    name: 'rich',
    version: 1,
    kinds: ['player'],
    fields: FIELDS,
    commands: [],
    events: [],
    systems: [{ name: 'script', run: (zone: TheZone) => script.run(zone) }],
    spawnPlayer: (zone: TheZone, x: number, y: number) => zone.spawn(0, x, y),
  } as unknown as GameDefinition;
  return new HeadlessWorld(game, { zoneColumns: 1, zoneRows: 1, bots: 0, seed: 1, spawn: 'crowd', ...settings });
}

function rowOf(zone: TheZone, id: number): number {
  for (let row = 0; row < zone.rowLimit; row++) if (zone.alive[row] !== 0 && zone.wireIdOf(row) === id) return row;
  return -1;
}

function zoneOf(world: HeadlessWorld, id: number): TheZone {
  const host = world.hosts.find(({ zone }) => rowOf(zone as never, id) >= 0);
  return host?.zone as never;
}

function fill(zone: TheZone, row: number): void {
  const { columns } = zone;
  assert.ok(zone.setText('name', row, 'Zoë'));
  assert.ok(zone.setText('note', row, 'hello'));
  columns.bag[row * 20] = 7;
  columns.bag[row * 20 + 19] = 65535;
  columns.isReady[row] = 1;
  columns.team[row] = 1;
  columns.target[row] = zone.refOf(row);
  columns.charges[row * 3 + 2] = 1.5;
  columns.path[row * 5 + 4] = -0.25;
}

const filledBag = [7, ...new Array<number>(18).fill(0), 65535];

test('values of every kind of field reach a client, and only its owner what is the owners', () => {
  const world = createWorld();
  const [owner, other] = [world.join(0), world.join(1)];
  world.run(5);
  assert.deepEqual(owner.self?.fields, [0, 0, '', NO_BAG, -1, [0, 0, 0], '']);
  const zone = zoneOf(world, owner.entityId);
  fill(zone, rowOf(zone, owner.entityId));
  world.run(5);
  const seen = [1, 1, 'Zoë', filledBag, owner.entityId];
  assert.deepEqual(owner.self?.fields, [...seen, [0, 0, 1.5], 'hello']);
  assert.deepEqual(other.decoder.entities.get(owner.entityId)?.fields, [...seen, [0, 0, 0], '']);
  const late = world.join(2);
  world.run(5);
  assert.deepEqual(late.decoder.entities.get(owner.entityId)?.fields, [...seen, [0, 0, 0], ''], 'and when it enters');
});

test('one element of an array takes two bytes of mask and its value', () => {
  const world = createWorld();
  const client = world.join(0);
  world.run(10);
  const zone = zoneOf(world, client.entityId);
  const row = rowOf(zone, client.entityId);
  let records = new Uint8Array(0);
  world.listen(({ lastFrame }) => {
    records = openFrame(lastFrame)?.entitiesArray()?.slice() ?? records;
  });
  zone.columns.bag[row * 20 + 9] = 0x1234;
  world.run(4);
  // id, mask (bit 2 + 3), the second group of eight, its second element, the value
  assert.deepEqual([...records], [client.entityId, 1 << 5, 0b010, 0b10, 0x34, 0x12]);
  zone.columns.bag[row * 20 + 9] = 0;
  world.run(4);
  assert.deepEqual(client.self?.fields[BAG], NO_BAG);
});

test('all of it crosses a border, is seen across it, and stays under a new thread', () => {
  const world = createWorld(undefined, { zoneColumns: 2 });
  const [owner, other] = [world.join(0), world.join(1)];
  world.run(5);
  const zone = zoneOf(world, owner.entityId);
  const row = rowOf(zone, owner.entityId);
  fill(zone, row);
  const isLeft = zone.area.x === 0;
  zone.positionX[row] = isLeft ? 99 : 101;
  const otherZone = zoneOf(world, other.entityId);
  const otherRow = rowOf(otherZone, other.entityId);
  otherZone.positionX[otherRow] = otherZone.area.x === 0 ? 97 : 103;
  zone.positionY[row] = otherZone.positionY[otherRow] = 50;
  world.run(5);
  zone.positionX[row] = isLeft ? 103 : 97;
  world.run(8);
  const now = zoneOf(world, owner.entityId);
  assert.notEqual(now, zone);
  const rowNow = rowOf(now, owner.entityId);
  assert.equal(now.textOf('name', rowNow), 'Zoë');
  assert.equal(now.columns.path[rowNow * 5 + 4], -0.25);
  assert.equal(now.rowOfRef(now.columns.target[rowNow]), rowNow);
  const seen = [1, 1, 'Zoë', filledBag, owner.entityId];
  assert.deepEqual(owner.self?.fields, [...seen, [0, 0, 1.5], 'hello']);
  assert.deepEqual(other.decoder.entities.get(owner.entityId)?.fields.slice(0, 5), seen);
  for (const thread of world.plan.zonesOfThread.keys()) world.replaceThread(thread, 2);
  world.run(8);
  assert.deepEqual(owner.self?.fields, [...seen, [0, 0, 1.5], 'hello']);
});

test('a stored player comes in with its arrays and texts; what was of another form is as the game makes it', () => {
  const world = createWorld();
  const fields = { name: 'Ada', bag: [1, 2], isReady: 1, team: 'blue', charges: [1, 2, 3, 4], note: 5, path: 9 };
  const client = world.restore(0, { kind: 'player', x: 50, y: 50, fields } as never);
  world.run(6);
  assert.deepEqual(client.self?.fields[NAME], 'Ada');
  assert.deepEqual(client.self?.fields[BAG], [1, 2, ...NO_BAG.slice(2)]);
  assert.deepEqual(client.self?.fields[CHARGES], [1, 2, 3]);
  assert.deepEqual([client.self?.fields[READY], client.self?.fields[TEAM], client.self?.fields[NOTE]], [1, 0, '']);
});

test('a new entity in a row has none of what the one before it had', () => {
  const world = createWorld();
  const { zone } = world.hosts[0];
  const first = zone.spawn(0, 50, 50);
  fill(zone as never, first);
  zone.despawn(first);
  const next = zone.spawn(0, 50, 50);
  assert.equal(next, first);
  for (const name of Object.keys(FIELDS) as (keyof typeof FIELDS)[]) {
    const column = zone.columns[name];
    const length = column.length / zone.rowCapacity;
    assert.ok(
      column.subarray(next * length, (next + 1) * length).every((value: number) => value === 0),
      name,
    );
  }
});

test('a text that does not fit, is no UTF-8, or holds a zero is refused, and the old one stays', () => {
  const { zone } = createWorld().hosts[0] as unknown as { zone: TheZone };
  const row = zone.spawn(0, 50, 50);
  assert.equal(zone.setText('note', row, 'abcde'), true);
  for (const bad of ['abcdef', 'ëëë', '\ud800', 'a\0b']) {
    assert.equal(zone.setText('note', row, bad), false, bad);
    assert.equal(zone.textOf('note', row), 'abcde');
  }
  assert.equal(zone.setText('note', row, '€'), true);
  assert.equal(zone.textOf('note', row), '€');
  assert.throws(() => zone.textOf('bag' as never, row));
});

test('a reference finds its entity while it lives, and no other one after it', () => {
  const { zone } = createWorld().hosts[0];
  const row = zone.spawn(0, 50, 50);
  const ref = zone.refOf(row);
  assert.equal(zone.rowOfRef(ref), row);
  assert.equal(zone.rowOfRef(0), -1);
  zone.despawn(row);
  assert.equal(zone.rowOfRef(ref), -1);
  assert.equal(zone.spawn(0, 50, 50), row);
  assert.equal(zone.rowOfRef(ref), -1);
});

test('no entity ever has the key 0, which references and events have for none', () => {
  const { zone } = createWorld().hosts[0];
  for (let i = 0; i < 1100; i++) {
    const row = zone.spawn(0, 50, 50);
    assert.notEqual(zone.refOf(row), 0);
    zone.despawn(row);
  }
});

test('plain messages have names of enums, true and false, arrays and texts, and of others nothing that is the owners', () => {
  const world = createWorld();
  const owner = world.join(0);
  const other = world.join(1);
  const told = new Map<number, Record<string, unknown>>();
  const encoders = [0, 1].map(() => new PlainFrameEncoder('json', world.description, 1 / 32));
  world.listen(({ index, lastFrame, entityId }) => {
    Object.assign(encoders[index], { ownId: entityId });
    const { entities = [] } = JSON.parse(encoders[index].encode(lastFrame) as string);
    const about = entities.find(({ id }: { id: number }) => id === owner.entityId);
    if (about !== undefined) told.set(index, about);
  });
  world.run(5);
  const zone = zoneOf(world, owner.entityId);
  assert.deepEqual(
    [told.get(other.index)?.target, told.get(other.index)?.team, 'charges' in (told.get(other.index) ?? {})],
    [null, 'red', false],
  );
  fill(zone, rowOf(zone, owner.entityId));
  world.run(5);
  const everybodys = {
    id: owner.entityId,
    isReady: true,
    team: 'blue',
    name: 'Zoë',
    bag: filledBag,
    target: owner.entityId,
  };
  assert.deepEqual(told.get(1), everybodys);
  assert.deepEqual(told.get(0), { ...everybodys, charges: [0, 0, 1.5], note: 'hello' });
});
