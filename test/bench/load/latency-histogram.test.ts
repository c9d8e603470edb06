import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bucketOf,
  bucketUpperUs,
  HISTOGRAM_BUCKETS,
  LatencyHistogram,
} from '../../../bench/load/report/latency-histogram.js';
import { createRandom } from '../../../src/base/chance.js';

const SEED = 7;

function samples(count: number, seed: number): number[] {
  const random = createRandom(seed);
  // Mostly short, with a long tail, as round trips are.
  return Array.from({ length: count }, () => random() * 20 + (random() < 0.02 ? random() ** 4 * 3000 : 0));
}

function exactPercentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(p * sorted.length)) - 1];
}

test('every bucket ends where the next one begins', () => {
  assert.equal(bucketOf(0), 0);
  for (let bucket = 0; bucket < HISTOGRAM_BUCKETS - 1; bucket++) {
    assert.equal(bucketOf(bucketUpperUs(bucket)), bucket);
    assert.equal(bucketOf(bucketUpperUs(bucket) + 1), bucket + 1);
  }
});

test('percentiles are never below the exact ones, and at most one part in 64 above', () => {
  const values = samples(50000, SEED);
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.record(value);
  for (const p of [0.01, 0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = exactPercentile(values, p);
    const found = histogram.percentileMs(p)!;
    assert.ok(found >= exact - 0.001, `p${p}: ${found} against ${exact}, seed ${SEED}`);
    assert.ok(found <= exact * (1 + 1 / 64) + 0.001, `p${p}: ${found} against ${exact}, seed ${SEED}`);
  }
  assert.equal(histogram.maxMs, Math.max(...values));
});

test('histograms of parts add up to the histogram of the whole', () => {
  const values = samples(3000, SEED + 1);
  const whole = new LatencyHistogram();
  const merged = new LatencyHistogram();
  for (let part = 0; part < 3; part++) {
    const histogram = new LatencyHistogram();
    for (const value of values.slice(part * 1000, (part + 1) * 1000)) {
      histogram.record(value);
      whole.record(value);
    }
    merged.add(histogram);
  }
  assert.deepEqual(merged.counts, whole.counts);
  assert.equal(merged.count, whole.count);
  assert.equal(merged.maxMs, whole.maxMs);
  assert.ok(Math.abs(merged.sumMs - whole.sumMs) < 1e-6);
});

test('without samples there is no percentile, and with one it is that one', () => {
  const histogram = new LatencyHistogram();
  assert.equal(histogram.percentileMs(0.5), null);
  histogram.record(12.3456);
  assert.equal(histogram.percentileMs(0.5), 12.3456);
  assert.equal(histogram.percentileMs(1), 12.3456);
});

test('a value beyond the last bucket is kept as the maximum', () => {
  const histogram = new LatencyHistogram();
  histogram.record(10 * 60 * 1000);
  assert.equal(histogram.maxMs, 600000);
  assert.equal(histogram.counts[HISTOGRAM_BUCKETS - 1], 1);
});
