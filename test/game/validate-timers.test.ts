import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMistakes } from '../../src/game/validation/validate-game.js';

function mistakesOf(change: Record<string, unknown>): string[] {
  return findMistakes({ name: 'timed', version: 1, kinds: ['one'], spawnPlayer: () => -1, ...change });
}

test('timers and schedules that can run are no mistake', () => {
  const timers = { burnOut: { fire() {} } };
  assert.deepEqual(mistakesOf({ timers, schedules: { wave: { every: 1 / 128, run() {} } } }), []);
});

test('what is wrong with a timer is named', () => {
  const timers = { one: { fire: 3 }, two: () => {}, three: { fire() {}, seconds: 2 }, 'a.b': { fire() {} }, four: {} };
  assert.deepEqual(mistakesOf({ timers }), [
    'timers.one.fire is 3; allowed: a function of zone and row',
    'timers.two is a function; allowed: { fire(zone, row) {} }',
    "timers.three has 'seconds', which means nothing; allowed: fire",
    'timers.a.b has a name that cannot be used; allowed: letters, digits and _, not beginning with a digit, at most 64',
    'timers.four.fire is missing; allowed: a function of zone and row',
  ]);
  const many = Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`t${i}`, { fire() {} }]));
  assert.deepEqual(mistakesOf({ timers: many }), ['timers are 33; allowed: at most 32']);
  assert.match(mistakesOf({ timers: 1 })[0], /^timers is 1; allowed: an object of at most 32/);
});

test('a schedule has a number of seconds', () => {
  for (const every of [0, -1, Number.NaN, 1e9, 'often']) {
    assert.deepEqual(mistakesOf({ schedules: { wave: { every, run() {} } } }), [
      `schedules.wave.every is ${typeof every === 'string' ? `'${every}'` : every}; allowed: seconds, from 0.0078125 to 2678400`,
    ]);
  }
  assert.deepEqual(mistakesOf({ schedules: { wave: {} } }), [
    'schedules.wave.run is missing; allowed: a function of zone',
    'schedules.wave.every is missing; allowed: seconds, from 0.0078125 to 2678400',
  ]);
});
