import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom, nextFloat, nextUint32, randomFraction, seedState } from '../../src/base/chance.js';

test('a seed gives the same numbers for ever: stored worlds and journals depend on them', () => {
  const state = new Int32Array(1);
  seedState(state, 0, 1);
  assert.deepEqual(
    [0, 1, 2].map(() => nextUint32(state, 0)),
    [3766853586, 1015102413, 1693077521],
  );
});

test('each word of state is a generator of its own', () => {
  const states = new Int32Array(3);
  const alone = new Int32Array(1);
  seedState(states, 1, 7);
  seedState(alone, 0, 7);
  for (let i = 0; i < 100; i++) assert.equal(nextUint32(states, 1), nextUint32(alone, 0));
  assert.deepEqual([states[0], states[2]], [0, 0]);
});

test('no seed stands still, and neighbouring ones begin far apart', () => {
  const first = new Set<number>();
  for (const seed of [0, 1, 2, 3, 2 ** 31, 2 ** 32 - 1, -1]) {
    const state = new Int32Array(1);
    seedState(state, 0, seed);
    assert.notEqual(state[0], 0, `seed ${seed}`);
    first.add(nextUint32(state, 0) >>> 24);
  }
  assert.ok(first.size >= 5, `first bytes ${[...first]}`);
});

test('fractions lie in [0, 1) and spread over all of it', () => {
  const state = new Int32Array(1);
  seedState(state, 0, 99);
  const random = createRandom(99);
  const tenths = new Uint32Array(10);
  for (let i = 0; i < 10000; i++) {
    const value = nextFloat(state, 0);
    assert.equal(value, random());
    assert.ok(value >= 0 && value < 1);
    tenths[Math.floor(value * 10)]++;
  }
  for (const count of tenths) assert.ok(count > 850 && count < 1150, `${tenths}`);
  const free = Array.from({ length: 100 }, randomFraction);
  assert.ok(new Set(free).size > 90 && free.every((value) => value >= 0 && value < 1));
});
