import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as T from '../../../src/memory/tables/thread-control.js';
import { bucketLimitMs, percentileMs, ThreadControl } from '../../../src/memory/tables/thread-control.js';

function createControl(): ThreadControl {
  return new ThreadControl(ThreadControl.create());
}

test('histogram, seconds and phases overlap nothing, and the word of main has a line of its own', () => {
  const { words, histogram, secondMaxUs, phaseMs, buffer } = createControl();
  const wordsLimit = (Math.max(T.HEARTBEAT, T.WAKE, T.TICKS, T.OVERRUNS, T.SKIPPED, T.RUNNING) + 1) * 4;
  assert.ok((T.HEARTBEAT - T.STOP) * 4 >= 128);
  assert.equal(new Set([T.STOP, T.HEARTBEAT, T.WAKE, T.TICKS, T.OVERRUNS, T.SKIPPED, T.RUNNING]).size, 7);
  assert.ok(histogram.byteOffset >= wordsLimit);
  assert.equal(secondMaxUs.byteOffset, histogram.byteOffset + histogram.byteLength);
  assert.ok(phaseMs.byteOffset >= secondMaxUs.byteOffset + secondMaxUs.byteLength);
  assert.equal(phaseMs.byteOffset + phaseMs.byteLength, buffer.byteLength);
  assert.equal(words.byteLength, phaseMs.byteOffset);
});

test('a tick is counted in the first bucket that is as long as it', () => {
  const control = createControl();
  for (const [ms, bucket] of [
    [0, 0],
    [0.05, 0],
    [0.0500001, 1],
    [0.0525, 1],
    [0.0526, 2],
    [1, 62],
    [bucketLimitMs(T.TICK_BUCKETS - 0.5), T.TICK_BUCKETS - 1],
    [1e9, T.TICK_BUCKETS - 1],
  ] as const) {
    control.histogram.fill(0);
    control.recordTick(ms, 0, true);
    assert.equal(control.histogram.indexOf(1), bucket, `${ms} ms`);
    if (bucket < T.TICK_BUCKETS - 1) assert.ok(bucketLimitMs(bucket) * 1.000001 >= ms);
  }
});

test('the slowest tick of each of the last seconds is kept, and its place is used again after 16', () => {
  const control = createControl();
  control.recordTick(2, 3, true);
  control.recordTick(5, 3, false);
  control.recordTick(4, 3, false);
  assert.equal(control.secondMaxUs[3], 5000);
  control.recordTick(1, 3 + T.MAX_SECONDS, true);
  assert.equal(control.secondMaxUs[3], 1000);
  assert.deepEqual([...control.secondMaxUs].filter((us) => us > 0).length, 1);
});

test('a percentile is the upper bound of its bucket, and 0 without ticks', () => {
  const counts = new Uint32Array(T.TICK_BUCKETS);
  assert.equal(percentileMs(counts, 0.99), 0);
  counts[10] = 98;
  counts[20] = 1;
  counts[30] = 1;
  assert.equal(percentileMs(counts, 0.5), bucketLimitMs(10));
  assert.equal(percentileMs(counts, 0.98), bucketLimitMs(10));
  assert.equal(percentileMs(counts, 0.985), bucketLimitMs(20));
  assert.equal(percentileMs(counts, 1), bucketLimitMs(30));
});

test('waking main raises the word that it sleeps on by one each time', () => {
  const control = createControl();
  control.wakeMain();
  control.wakeMain();
  assert.equal(control.words[T.WAKE], 2);
  assert.equal(Atomics.wait(control.words, T.WAKE, 1, 1000), 'not-equal');
});
