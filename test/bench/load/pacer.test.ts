import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pacer } from '../../../bench/load/swarm/pacer.js';

test('inputs are spread evenly over time, and every client is served in turn', () => {
  const pacer = new Pacer(100, 30, 1000);
  const served = new Array(100).fill(0);
  let most = 0;
  for (let ms = 1; ms <= 1000; ms++) {
    const due = pacer.due(1000 + ms);
    most = Math.max(most, due);
    for (let i = 0; i < due; i++) served[pacer.nextClient()] += 1;
  }
  assert.deepEqual(new Set(served), new Set([30]));
  assert.ok(most <= 4, `3 per ms are even, and ${most} came at once`);
});

test('a stall is made up for to a bound, and the rest is counted', () => {
  const pacer = new Pacer(100, 10, 0);
  assert.equal(pacer.due(1000), 50);
  assert.equal(pacer.skipped, 950);
  assert.equal(pacer.latenessMsMax, 1000);
  assert.equal(pacer.due(1001), 1);
});
