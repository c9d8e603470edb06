import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMistakes } from '../../src/game/validation/validate-game.js';

const GAME = { name: 'talk', version: 1, kinds: ['player'], spawnPlayer: () => 0 };

function mistakesOf(notes: unknown): string[] {
  return findMistakes({ ...GAME, notes });
}

test('notes with every type of value are no mistake', () => {
  const payload = {
    who: { type: 'ref' },
    text: { type: 'text', bytes: 255 },
    how: { type: 'u8', oneOf: ['a', 'b'] },
    isLast: { type: 'bool' },
    far: { type: 'f32' },
  };
  assert.deepEqual(mistakesOf({ said: { payload }, empty: { payload: {} } }), []);
});

test('each mistake in a note is named with its part', () => {
  const say = (payload: unknown) => mistakesOf({ said: { payload } });
  assert.match(mistakesOf([])[0], /^notes is no object/);
  assert.match(mistakesOf({ 'a b': { payload: {} } })[0], /^notes\.a b has a name/);
  assert.match(mistakesOf({ said: {} })[0], /^notes\.said has no payload/);
  assert.match(
    mistakesOf({ said: { payload: {}, delivery: 'latest' } })[0],
    /^notes\.said has 'delivery', which means nothing; allowed: payload$/,
  );
  assert.match(say({ far: { type: 'f64' } })[0], /^notes\.said\.far has no type/);
  assert.match(say({ text: { type: 'text' } })[0], /^notes\.said\.text\.bytes is missing/);
  assert.match(say({ text: { type: 'text', bytes: 256 } })[0], /bytes is 256/);
  assert.match(say({ far: { type: 'u8', bytes: 3 } })[0], /bytes stands beside/);
  assert.match(say({ how: { type: 'u16', oneOf: ['a'] } })[0], /oneOf stands beside/);
  assert.match(say({ how: { type: 'u8', oneOf: ['a', 'a'] } })[0], /oneOf is no list/);
  assert.match(say({ far: { type: 'u8', min: 3 } })[0], /^notes\.said\.far has 'min', which means nothing/);
  const long = { type: 'text', bytes: 255 };
  assert.match(say({ a: long, b: long, c: { type: 'u8' } })[0], /^notes\.said has up to 514 bytes/);
  assert.match(
    say(Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`v${i}`, { type: 'u8' }])))[0],
    /33 values/,
  );
});
