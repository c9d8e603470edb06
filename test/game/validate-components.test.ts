// Mistakes in components, and in the kinds that list them, are named where they are made.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMPONENTS_MAX, FIELD_ELEMENTS_MAX } from '../../src/game/limits.js';
import { findMistakes } from '../../src/game/validation/validate-game.js';
import { REPLICATED_FIELDS_MAX } from '../../src/protocol/limits.js';

const body = { heading: { type: 'u8', wire: {} } };
const bag = { item: { type: 'u16', length: 64, wire: { audience: 'owner' } } };

function mistakesOf(parts: object): string[] {
  return findMistakes({ name: 'test', version: 1, spawnPlayer() {}, ...parts });
}

function many(count: number, prefix: string): object {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, { type: 'u8', wire: {} }]));
}

test('kinds that list components are no mistake, nor is a plain list of kinds beside them', () => {
  assert.deepEqual(mistakesOf({ components: { body, bag }, kinds: { player: ['body', 'bag'], pillar: [] } }), []);
  assert.deepEqual(mistakesOf({ components: { body, bag }, fields: { hp: { type: 'u8' } }, kinds: ['player'] }), []);
});

test('what is wrong with the components of a kind is named', () => {
  const kinds = { player: ['body', 'bagg', 'body'], pillar: 'body', '3': [] };
  assert.deepEqual(mistakesOf({ components: { body, bag }, kinds }), [
    'kinds.3 has a name that cannot be used; allowed: letters, digits and _, not beginning with a digit, at most 64',
    "kinds.player lists 'bagg', which is no component (did you mean bag?); allowed: body, bag",
    "kinds.player lists 'body' again; allowed: each component once",
    "kinds.pillar is 'body'; allowed: a list of components; [] for none",
  ]);
  assert.match(mistakesOf({ kinds: { player: ['body'] } })[0], /allowed: none, since the game has no components/);
  assert.deepEqual(mistakesOf({ kinds: {} }), ['kinds has 0; allowed: 1 to 256']);
});

test('a field has one component, and is checked as those of every kind are', () => {
  const components = {
    body,
    head: { heading: { type: 'u8' }, hp: { type: 'u9' }, look: { type: 'u8', wire: { audience: 'team' } } },
  };
  const found = mistakesOf({ components, fields: { hp: { type: 'u8' } }, kinds: ['player'] });
  assert.match(found[0], /^components\.head\.hp\.type is 'u9'/);
  assert.deepEqual(found.slice(1), [
    'components.head.heading is also in components.body; allowed: a name of its own for each field',
    'components.head.hp is also in fields; allowed: a name of its own for each field',
    "components.head.look.wire.audience is 'team' in a game without teams; allowed: 'team' beside teams: true",
  ]);
  assert.match(
    mistakesOf({ components: 3, kinds: ['player'] })[0],
    /^components is 3; allowed: an object of components/,
  );
});

test('replicated fields are bounded by component, and what an entity has by kind', () => {
  const full = { a: many(REPLICATED_FIELDS_MAX, 'a'), b: many(REPLICATED_FIELDS_MAX, 'b') };
  assert.deepEqual(mistakesOf({ components: full, kinds: { one: ['a', 'b'] } }), []);
  const over = { a: many(REPLICATED_FIELDS_MAX + 1, 'a') };
  assert.deepEqual(mistakesOf({ components: over, kinds: ['one'] }), [
    `components.a has ${REPLICATED_FIELDS_MAX + 1} fields with a wire form; allowed: at most ${REPLICATED_FIELDS_MAX}`,
  ]);
  const long = (name: string): object =>
    Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`${name}${i}`, { type: 'u8', length: 256 }]));
  const components = { long: long('a'), longer: long('b') };
  assert.deepEqual(mistakesOf({ components, kinds: { one: ['long'], other: ['longer'] } }), []);
  assert.deepEqual(mistakesOf({ components, kinds: { one: ['long', 'longer'] } }), [
    `kinds.one has 5120 values per entity; allowed: at most ${FIELD_ELEMENTS_MAX}`,
  ]);
  const numbered = Object.fromEntries(Array.from({ length: COMPONENTS_MAX + 1 }, (_, i) => [`c${i}`, {}]));
  assert.match(mistakesOf({ components: numbered, kinds: { one: [] } })[0], /^components has 30; allowed: at most 29/);
  const huge = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`c${i}`, many(256, `f${i}x`)]));
  assert.match(
    mistakesOf({ components: huge, kinds: { one: [] } })[0],
    /^components have 2304 fields with a wire form/,
  );
});
