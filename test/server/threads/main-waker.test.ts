import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAIN_ASLEEP_TICKS_MAX } from '../../../src/server/limits.js';
import { MainWaker } from '../../../src/server/threads/main-waker.js';

function stage() {
  const frames = { bytes: 0, readableBytes: () => frames.bytes };
  const counts = { wakes: 0 };
  const waker = new MainWaker({ wakeMain: () => void counts.wakes++ }, frames);
  return { frames, counts, waker };
}

test('main is woken after each zone and tick that has left something for it', () => {
  const { frames, counts, waker } = stage();
  frames.bytes = 64;
  waker.afterZone();
  waker.afterTick();
  assert.equal(counts.wakes, 2);
  frames.bytes = 0;
  waker.afterZone();
  waker.afterTick();
  assert.equal(counts.wakes, 2);
});

test('without frames main is woken once in so many ticks, counted from the last time', () => {
  const { frames, counts, waker } = stage();
  for (let tick = 0; tick < 5 * MAIN_ASLEEP_TICKS_MAX; tick++) waker.afterTick();
  assert.equal(counts.wakes, 5);
  for (let tick = 1; tick < MAIN_ASLEEP_TICKS_MAX; tick++) waker.afterTick();
  frames.bytes = 8;
  waker.afterZone();
  frames.bytes = 0;
  waker.afterTick();
  assert.equal(counts.wakes, 6);
});
