import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SIGHT_COLUMNS, TEAM_COLUMNS } from '../../src/engine/entities/columns.js';
import { SIGHT_FIELD_NAMES, TEAM_FIELD_NAMES } from '../../src/game/validation/reserved-names.js';
import { findMistakes } from '../../src/game/validation/validate-game.js';

function mistakesOf(change: Record<string, unknown>): string[] {
  return findMistakes({ name: 'seers', version: 1, kinds: ['one'], spawnPlayer: () => -1, ...change });
}

test('a game may choose masks and teams, and words that are neither are named', () => {
  assert.deepEqual(mistakesOf({ visibility: 'masks', teams: true }), []);
  assert.deepEqual(mistakesOf({ visibility: 'mask', teams: 2 }), [
    "visibility is 'mask'; allowed: 'masks', or nothing",
    'teams is 2; allowed: true, or nothing',
  ]);
});

test('what spectators see is a mask, in a game that has masks', () => {
  assert.deepEqual(mistakesOf({ visibility: 'masks', seesAsSpectator: 0xffffffff }), []);
  assert.deepEqual(mistakesOf({ seesAsSpectator: 1 }), [
    "seesAsSpectator is there without visibility: 'masks'; allowed: visibility: 'masks' beside it, or nothing",
  ]);
  for (const sees of [-1, 0.5, 2 ** 32, true]) {
    const allowed = 'allowed: a whole number from 0 to 4294967295';
    assert.deepEqual(mistakesOf({ visibility: 'masks', seesAsSpectator: sees }), [
      `seesAsSpectator is ${sees}; ${allowed}`,
    ]);
  }
});

test('a field that teams get is a mistake in a game without teams', () => {
  const fields = { plan: { type: 'u8', wire: { audience: 'team' } } };
  assert.deepEqual(mistakesOf({ fields, teams: true }), []);
  assert.deepEqual(mistakesOf({ fields }), [
    "fields.plan.wire.audience is 'team' in a game without teams; allowed: 'team' beside teams: true",
  ]);
});

test('a field has the name of a column of masks or teams only in a game without them', () => {
  const fields = { sees: { type: 'u8' }, team: { type: 'u8' } };
  assert.deepEqual(mistakesOf({ fields }), []);
  const mistakes = mistakesOf({ fields, visibility: 'masks', teams: true });
  assert.match(
    mistakes[0],
    /^fields\.sees has the name of a column that visibility: 'masks' brings; allowed: any name/,
  );
  assert.match(mistakes[1], /^fields\.team has the name of the column that teams: true brings; allowed: any name/);
  assert.equal(mistakes.length, 2);
});

test('the names that a choice takes are those of its columns', () => {
  assert.deepEqual(
    SIGHT_FIELD_NAMES,
    SIGHT_COLUMNS.map(({ name }) => name),
  );
  assert.deepEqual(
    TEAM_FIELD_NAMES,
    TEAM_COLUMNS.map(({ name }) => name),
  );
});

test('a kind is seen from 1 to 3 times as far, or from everywhere', () => {
  for (const one of [1, 3, 'everywhere']) assert.deepEqual(mistakesOf({ seenFrom: { one } }), []);
  for (const one of [0.5, 3.1, Number.NaN, 'far', null]) {
    assert.deepEqual(mistakesOf({ seenFrom: { one } }), [
      `seenFrom.one is ${typeof one === 'string' ? `'${one}'` : one}; allowed: a number from 1 to 3, or 'everywhere'`,
    ]);
  }
  assert.deepEqual(mistakesOf({ seenFrom: { two: 2 } }), ['seenFrom.two is no kind; allowed: one']);
  assert.match(mistakesOf({ seenFrom: 2 })[0], /^seenFrom is 2; allowed: an object/);
});
