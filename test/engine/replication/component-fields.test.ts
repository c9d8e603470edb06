// Clients get of an entity the fields that its kind has, and its masks have bits for those alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { POSITION_QUANTUM } from '../../../src/engine/plan/world-plan.js';
import { defineGame } from '../../../src/game/define-game.js';
import type { FieldDefinition } from '../../../src/game/definition.js';
import { openFrame } from '../../../src/protocol/fb/server-frame.js';
import { parseTrusted } from '../../../src/protocol/plain/plain-codec.js';
import { PlainFrameEncoder } from '../../../src/protocol/plain/plain-frame.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

const PLAYER = 0;
const GHOST = 1;
const PILLAR = 2;

const numbers = Object.fromEntries(
  Array.from({ length: 200 }, (_, i) => [`n${i}`, { type: 'u8', wire: {} }]),
) as Record<`n${number}`, FieldDefinition>;

function createWorld(shake = false) {
  const game = defineGame({
    name: 'parts',
    version: 1,
    fields: { hp: { type: 'u8', wire: {} } },
    components: {
      numbers,
      label: { name: { type: 'text', bytes: 8, wire: {} } },
      bag: { item: { type: 'u16', length: 64, wire: { audience: 'owner' } } },
      stone: { moss: { type: 'u8', wire: {} } },
    },
    kinds: { player: ['label', 'bag'], ghost: ['label', 'numbers'], pillar: ['stone'] },
    systems: [
      {
        name: 'shake',
        run(zone) {
          if (!shake) return;
          for (let row = 0; row < zone.rowLimit; row++) {
            if (zone.alive[row] !== 0 && zone.kind[row] === PILLAR) zone.columns.moss[row]++;
          }
        },
      },
    ],
    spawnPlayer(zone, x, y) {
      const row = zone.spawn(PLAYER, x, y);
      zone.columns.hp[row] = 9;
      zone.setText('name', row, 'Zoe');
      zone.columns.item[row * 64 + 63] = 7;
      return row;
    },
    populate(zone) {
      const ghost = zone.spawn(GHOST, 100, 100);
      zone.setText('name', ghost, 'boo');
      zone.columns.n199[ghost] = 4;
      const pillar = zone.spawn(PILLAR, 101, 100);
      zone.columns.moss[pillar] = 3;
      zone.columns.n5[pillar] = 77; // nothing that it has: nobody hears of it
    },
  });
  return new HeadlessWorld(game, { zoneColumns: 1, zoneRows: 1, bots: 0, seed: 1, spawn: 'crowd' });
}

test('an entity has for its viewers the fields of its kind, and none besides', () => {
  const world = createWorld();
  const client = world.join(0);
  world.run(3);
  world.place(client, 100, 101);
  world.run(10);
  assert.deepEqual(client.own?.fields.hp, 9);
  assert.deepEqual(Object.keys(client.own?.fields ?? {}).sort(), ['hp', 'item', 'name']);
  assert.deepEqual(client.own?.fields.item, [...new Array(63).fill(0), 7]);
  const [ghost] = client.inView('ghost');
  assert.equal(Object.keys(ghost.fields).length, 202);
  assert.deepEqual([ghost.fields.n199, ghost.fields.n5, ghost.fields.name], [4, 0, 'boo']);
  const [pillar] = client.inView('pillar');
  assert.deepEqual(pillar.fields, { hp: 0, moss: 3 });
  const { decoder } = client;
  const raw = decoder.entities.get(pillar.id)?.fields ?? [];
  assert.equal(raw[decoder.fields.findIndex(({ name }) => name === 'n5')], undefined);
});

test('a field of a kind with few of them costs one byte of mask, however many other kinds have', () => {
  const world = createWorld(true);
  const client = world.join(0);
  world.run(3);
  world.place(client, 100, 101);
  world.run(20);
  let bytes = 0;
  world.listen(({ lastFrame }) => {
    bytes = openFrame(lastFrame)?.entitiesArray()?.length ?? 0;
  });
  world.run(10);
  assert.equal(bytes, 3, 'id, mask, value');
});

for (const encoding of ['json', 'msgpack'] as const) {
  test(`a ${encoding} client is told of the keys that a kind has`, () => {
    const world = createWorld(true);
    const client = world.join(0);
    const encoder = new PlainFrameEncoder(encoding, world.description, POSITION_QUANTUM);
    const seen = new Map<number, Record<string, unknown>>();
    let updates = 0;
    world.listen(({ lastFrame }) => {
      const message = encoder.encode(lastFrame);
      assert.ok(message !== null);
      const bytes = typeof message === 'string' ? new TextEncoder().encode(message) : message;
      const { entities = [] } = parseTrusted(encoding, bytes) as { entities?: { id: number; entered?: true }[] };
      for (const entity of entities) {
        if (entity.entered) seen.set(entity.id, { ...entity });
        else if (Object.keys(entity).join() === 'id,moss') updates++;
      }
    });
    world.run(3);
    world.place(client, 100, 101);
    world.run(20);
    const pillar = [...seen.values()].find(({ kind }) => kind === 'pillar') ?? {};
    assert.deepEqual(Object.keys(pillar).sort(), ['entered', 'hp', 'id', 'kind', 'moss', 'x', 'y']);
    const ghost = [...seen.values()].find(({ kind }) => kind === 'ghost') ?? {};
    assert.equal(ghost.n199, 4);
    assert.equal('item' in ghost, false);
    assert.ok(updates > 3, `${updates}`);
  });
}
