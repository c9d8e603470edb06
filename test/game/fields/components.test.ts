// Which kind has which fields.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineGame } from '../../../src/game/define-game.js';
import { hasField } from '../../../src/game/fields/components.js';

const spawnPlayer = () => -1;

test('a kind has the fields of its components, and those that stand in none', () => {
  const { components, kinds, fields } = defineGame({
    name: 'test',
    version: 1,
    fields: { hp: { type: 'u8' } },
    components: { body: { heading: { type: 'u8' } }, bag: { gold: { type: 'u32' } } },
    kinds: { player: ['body', 'bag'], npc: ['body'], pillar: [] },
    spawnPlayer,
  });
  assert.deepEqual(kinds, ['player', 'npc', 'pillar']);
  assert.deepEqual(Object.keys(fields), ['hp', 'heading', 'gold']);
  const having = (name: string) => kinds.filter((_, kind) => hasField(components, kind, name));
  assert.deepEqual(having('hp'), ['player', 'npc', 'pillar']);
  assert.deepEqual(having('heading'), ['player', 'npc']);
  assert.deepEqual(having('gold'), ['player']);
  assert.deepEqual(having('positionX'), ['player', 'npc', 'pillar'], 'columns of the engine');
});

test('a game without components has no form of them, and a list of kinds gives all to each', () => {
  const plain = defineGame({ name: 'test', version: 1, fields: { hp: { type: 'u8' } }, kinds: ['one'], spawnPlayer });
  assert.equal(plain.components, undefined);
  const { components } = defineGame({
    name: 't',
    version: 1,
    components: { a: { x1: { type: 'u8' } } },
    kinds: ['one'],
    spawnPlayer,
  });
  assert.equal(hasField(components, 0, 'x1'), true);
});

test('the shared record is a component that its own kind alone has', () => {
  const { components, kinds } = defineGame({
    name: 'test',
    version: 1,
    fields: { hp: { type: 'u8' } },
    shared: { fields: { score: { type: 'u32' } } },
    kinds: ['player'],
    spawnPlayer,
  });
  assert.deepEqual(kinds, ['player', 'shared']);
  assert.equal(hasField(components, 0, 'shared.score'), false);
  assert.equal(hasField(components, 1, 'shared.score'), true);
  assert.equal(hasField(components, 1, 'hp'), false);
});

test('columns have the names of all components, and no others', () => {
  defineGame({
    name: 'test',
    version: 1,
    components: { body: { heading: { type: 'u8' } }, bag: { gold: { type: 'f64', length: 4 } } },
    // @ts-expect-error: no component of the game
    kinds: { player: ['body', 'bag'], pillar: ['purse'].slice(1) as ['purse'] },
    systems: [
      {
        name: 'typed',
        run(zone) {
          const heading: Uint8Array = zone.columns.heading;
          const gold: Float64Array = zone.columns.gold;
          // @ts-expect-error: no field of the game
          const silver = zone.columns.silver;
          void [heading, gold, silver];
        },
      },
    ],
    spawnPlayer,
  });
});
