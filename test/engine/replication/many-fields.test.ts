// More replicated fields than fit a mask of 32 bits.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldDefinitions, GameDefinition, Zone } from '../../../src/game/definition.js';
import { openFrame } from '../../../src/protocol/fb/server-frame.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

const COUNT = 60;
const FIELDS: FieldDefinitions = Object.fromEntries(
  Array.from({ length: COUNT }, (_, i) => [`f${i}`, { type: 'u16', wire: { type: i % 2 === 0 ? 'u16' : 'u8' } }]),
);

function createWorld(run: (zone: Zone) => void): HeadlessWorld {
  const game = {
    name: 'many',
    version: 1,
    kinds: ['thing'],
    fields: FIELDS,
    commands: [],
    events: [],
    systems: [{ name: 'script', run }],
    spawnPlayer(zone: Zone, x: number, y: number) {
      const row = zone.spawn(0, x, y);
      for (let i = 0; i < COUNT; i++) zone.columns[`f${i}`][row] = i;
      return row;
    },
  } as unknown as GameDefinition;
  return new HeadlessWorld(game, { zoneColumns: 1, zoneRows: 1, bots: 0, seed: 1 });
}

test('sixty fields reach a client when their entity enters, and each of them when it changes', () => {
  let change = -1;
  const world = createWorld((zone) => {
    if (change >= 0) zone.columns[`f${change}`][0] = 200;
  });
  const client = world.join(0);
  world.run(5);
  const expected = Array.from({ length: COUNT }, (_, i) => i);
  assert.deepEqual(client.self?.fields, expected);
  for (const field of [59, 0, 31, 32, 26]) {
    change = field;
    world.run(5);
    expected[field] = 200;
    assert.deepEqual(client.self?.fields, expected, `field ${field}`);
  }
  assert.equal(client.fullCount, 1);
});

test('an entity that only walks takes as few bytes as in a game of few fields', () => {
  const world = createWorld((zone) => {
    zone.positionX[0] += zone.positionX[0] < 100 ? 0.05 : -0.05;
  });
  const client = world.join(0);
  let bytes = 0;
  world.listen(({ lastFrame }) => {
    bytes = openFrame(lastFrame)?.entitiesArray()?.length ?? 0;
  });
  world.run(30);
  assert.equal(bytes, 4, `one byte of id and three of mask and position: ${client.entityId}`);
});
