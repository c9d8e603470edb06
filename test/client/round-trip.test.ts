import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RoundTrip } from '../../src/client/round-trip.js';

test('the time from an input to its acknowledgement is measured once', () => {
  const trip = new RoundTrip();
  trip.sent(1, 100);
  assert.equal(trip.acknowledged(1, 140), true);
  assert.equal(trip.acknowledged(1, 200), false);
  assert.deepEqual([trip.lastMs, trip.smoothedMs, trip.count], [40, 40, 1]);
});

test('of several inputs acknowledged at once the last is measured', () => {
  const trip = new RoundTrip();
  trip.sent(1, 100);
  trip.sent(2, 110);
  trip.sent(3, 120);
  assert.equal(trip.acknowledged(2, 150), true);
  assert.equal(trip.lastMs, 40);
});

test('a number that was never an input measures nothing', () => {
  const trip = new RoundTrip();
  trip.sent(5, 100);
  assert.equal(trip.acknowledged(4, 150), false);
  assert.equal(trip.acknowledged(0, 150), false);
  assert.equal(trip.acknowledged(5, 160), true);
});

test('an input that waits for longer than 256 others is not measured as one of them', () => {
  const trip = new RoundTrip();
  for (let seq = 1; seq <= 300; seq++) trip.sent(seq, seq);
  assert.equal(trip.acknowledged(10, 400), false);
  assert.equal(trip.acknowledged(300, 400), true);
  assert.equal(trip.lastMs, 100);
});

test('the smoothed value follows slowly', () => {
  const trip = new RoundTrip();
  for (let seq = 1; seq <= 100; seq++) {
    trip.sent(seq, seq * 100);
    trip.acknowledged(seq, seq * 100 + (seq < 50 ? 20 : 60));
  }
  assert.ok(trip.smoothedMs > 55 && trip.smoothedMs < 60);
});

test('after a reset, numbers begin again', () => {
  const trip = new RoundTrip();
  trip.sent(9, 0);
  trip.acknowledged(9, 10);
  trip.reset();
  trip.sent(1, 100);
  assert.equal(trip.acknowledged(1, 130), true);
  assert.equal(trip.lastMs, 30);
});
