import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { pickByPriority } from '../../../src/engine/replication/priority.js';

function pick(priorities: number[], bytes: number[], bytesFree: number): number[] {
  const picked = new Uint8Array(priorities.length);
  pickByPriority(Float64Array.from(priorities), Uint16Array.from(bytes), picked, priorities.length, bytesFree);
  return [...picked.keys()].filter((i) => picked[i] === 1);
}

test('the highest priorities go first', () => {
  assert.deepEqual(pick([1, 100, 50, 2], [5, 5, 5, 5], 10), [1, 2]);
});

test('what has no priority is not picked, whatever room there is', () => {
  assert.deepEqual(pick([0, 3, 0], [5, 5, 5], 1000), [1]);
});

test('an infinite priority is picked even without room', () => {
  assert.deepEqual(pick([9, Number.POSITIVE_INFINITY, 8], [5, 5, 5], 0), [1]);
});

for (const seed of [1, 2, 3]) {
  test(`the room is never exceeded and nothing much lower goes before something higher, seed ${seed}`, () => {
    const random = createRandom(seed);
    for (let round = 0; round < 200; round++) {
      const count = 1 + Math.floor(random() * 200);
      const priorities = Array.from({ length: count }, () => Math.floor(random() * 100));
      const bytes = Array.from({ length: count }, () => 3 + Math.floor(random() * 20));
      const room = Math.floor(random() * 1000);
      const picked = pick(priorities, bytes, room);
      const used = picked.reduce((sum, i) => sum + bytes[i], 0);
      assert.ok(used <= room, `seed ${seed} round ${round}: ${used} of ${room}`);
      const highest = Math.max(...priorities);
      const lowestPicked = Math.min(...picked.map((i) => priorities[i]));
      const highestLeft = Math.max(-1, ...priorities.filter((p, i) => p > 0 && !picked.includes(i)));
      if (picked.length > 0) {
        assert.ok(highestLeft - lowestPicked <= highest / 63 + 1e-9, `seed ${seed} round ${round}`);
      }
    }
  });
}

test('what fits exactly is picked, in the order of the index, and what does not leaves its room to the next', () => {
  assert.deepEqual(pick([100, 100, 100], [5, 5, 5], 10), [0, 1]);
  assert.deepEqual(pick([50, 50, 50], [4, 20, 4], 9), [0, 2]);
  assert.deepEqual(pick([100, 50, 50], [10, 5, 5], 17), [0, 1]);
  assert.deepEqual(pick([100, 50, 50], [10, 5, 5], 20), [0, 1, 2]);
});

test('an infinite priority pays for its room before the others', () => {
  assert.deepEqual(pick([Number.POSITIVE_INFINITY, 10], [8, 5], 10), [0]);
  assert.deepEqual(pick([Number.POSITIVE_INFINITY, 10], [8, 5], 13), [0, 1]);
});

test('what stands behind the count in the arrays is left alone and does not count', () => {
  const picked = Uint8Array.of(0, 0, 7);
  const bytes = Uint16Array.of(5, 5, 100);
  pickByPriority(Float64Array.of(100, 50, 100), bytes, picked, 2, 10);
  assert.deepEqual([...picked], [1, 1, 7]);
  pickByPriority(Float64Array.of(1, 100, 1e9), bytes, picked, 2, 5);
  assert.deepEqual([...picked], [0, 1, 7]);
});
