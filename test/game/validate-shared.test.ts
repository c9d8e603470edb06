// Mistakes in a game's shared record are named where they are made.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMistakes } from '../../src/game/validation/validate-game.js';

function mistakesOf(shared: unknown, kinds = ['walker']): string[] {
  return findMistakes({ name: 'test', version: 1, kinds, shared, spawnPlayer() {} });
}

const fields = { second: { type: 'u32', wire: {} } };

test('a shared record with fields, a beginning and systems is no mistake', () => {
  assert.deepEqual(mistakesOf({ fields, begin() {}, systems: [{ name: 'clock', run() {} }] }), []);
});

test('what is wrong with a shared record is named', () => {
  assert.match(mistakesOf(3)[0], /^shared is 3; allowed: an object with fields/);
  assert.deepEqual(mistakesOf({}), ['shared.fields is missing; allowed: an object of fields by name']);
  const odd = { fields, field: {}, begin: 1, systems: [{ name: 'clock' }] };
  assert.deepEqual(mistakesOf(odd), [
    "shared has 'field', which means nothing (did you mean fields?); allowed: fields, begin, systems, messages",
    'shared.begin is 1; allowed: a function of zone',
    'shared.systems[0].run is missing; allowed: a function of zone',
  ]);
  const wrong = {
    owned: { type: 'u8', wire: { audience: 'owner' } },
    kept: { type: 'u8', persistent: true },
    alive: { type: 'u9' },
    [`a${'b'.repeat(60)}`]: { type: 'u8' },
  };
  const found = mistakesOf({ fields: wrong });
  assert.deepEqual(
    found.map((mistake) => mistake.split(' ', 2).join(' ')),
    [
      'shared.fields.alive has',
      'shared.fields.alive.type is',
      'shared.fields.owned.wire.audience is',
      'shared.fields.kept.persistent stands',
      `shared.fields.a${'b'.repeat(60)} has`,
    ],
  );
  assert.match(mistakesOf({ fields }, ['shared'])[0], /^kinds has 'shared', which is the kind of the shared record/);
});
