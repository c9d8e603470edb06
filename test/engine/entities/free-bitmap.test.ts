import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { FreeBitmap } from '../../../src/engine/entities/free-bitmap.js';

test('the lowest free place is taken next', () => {
  const bitmap = new FreeBitmap(100);
  assert.deepEqual([bitmap.take(), bitmap.take(), bitmap.take()], [0, 1, 2]);
  bitmap.give(1);
  assert.equal(bitmap.take(), 1);
  assert.equal(bitmap.take(), 3);
});

test('a full bitmap answers -1, also where the capacity is no multiple of 32', () => {
  for (const capacity of [1, 31, 32, 33, 64, 100]) {
    const bitmap = new FreeBitmap(capacity);
    for (let i = 0; i < capacity; i++) assert.equal(bitmap.take(), i);
    assert.equal(bitmap.take(), -1);
    assert.equal(bitmap.limit, capacity);
    bitmap.give(capacity - 1);
    assert.equal(bitmap.limit, capacity - 1);
    assert.equal(bitmap.take(), capacity - 1);
  }
});

test('the limit is one past the highest taken place', () => {
  const bitmap = new FreeBitmap(200);
  for (let i = 0; i < 100; i++) bitmap.take();
  assert.equal(bitmap.limit, 100);
  for (let i = 50; i < 99; i++) bitmap.give(i);
  assert.equal(bitmap.limit, 100);
  bitmap.give(99);
  assert.equal(bitmap.limit, 50);
  for (let i = 0; i < 50; i++) bitmap.give(i);
  assert.equal(bitmap.limit, 0);
});

for (const seed of [1, 2, 3]) {
  test(`it agrees with a set of numbers, seed ${seed}`, () => {
    const random = createRandom(seed);
    const capacity = 300;
    const bitmap = new FreeBitmap(capacity);
    const taken = new Set<number>();
    for (let step = 0; step < 5000; step++) {
      if (random() < 0.55) {
        let lowest = 0;
        while (taken.has(lowest)) lowest++;
        assert.equal(bitmap.take(), lowest < capacity ? lowest : -1, `seed ${seed} step ${step}`);
        if (lowest < capacity) taken.add(lowest);
      } else if (taken.size > 0) {
        const place = [...taken][Math.floor(random() * taken.size)];
        taken.delete(place);
        bitmap.give(place);
      }
      assert.equal(bitmap.limit, taken.size === 0 ? 0 : Math.max(...taken) + 1, `seed ${seed} step ${step}`);
    }
  });
}
