import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatencyHistogram } from '../../../bench/load/report/latency-histogram.js';
import { IN_FLIGHT_MAX, RoundTrips } from '../../../bench/load/swarm/round-trips.js';

function create(): { histogram: LatencyHistogram; trips: RoundTrips } {
  const histogram = new LatencyHistogram();
  return { histogram, trips: new RoundTrips(3, histogram) };
}

test('one frame ends the round trips of all inputs that it acknowledges, each with its own time', () => {
  const { histogram, trips } = create();
  trips.sent(1, 1, 100);
  trips.sent(1, 2, 133);
  trips.sent(1, 3, 166);
  trips.acknowledged(1, 2, 180);
  assert.equal(histogram.count, 2);
  assert.equal(histogram.sumMs, 80 + 47);
  assert.equal(histogram.maxMs, 80);
  assert.equal(trips.waiting(), 1);
});

test('later frames with the same ack, or an older one, count nothing again', () => {
  const { histogram, trips } = create();
  trips.sent(0, 1, 10);
  trips.acknowledged(0, 1, 20);
  trips.acknowledged(0, 1, 30);
  trips.acknowledged(0, 0, 40);
  assert.equal(histogram.count, 1);
  assert.equal(histogram.maxMs, 10);
});

test('numbers that were used for something else are passed over', () => {
  const { histogram, trips } = create();
  trips.sent(0, 1, 10);
  trips.sent(0, 5, 30);
  trips.acknowledged(0, 5, 50);
  assert.equal(histogram.count, 2);
  assert.equal(trips.waiting(), 0);
});

test('clients do not end each other round trips', () => {
  const { histogram, trips } = create();
  trips.sent(0, 1, 10);
  trips.sent(1, 1, 10);
  trips.acknowledged(1, 1, 30);
  assert.equal(histogram.count, 1);
  assert.equal(trips.waiting(), 1);
});

test('an input that is never acknowledged is not lost from the count when its slot is used again', () => {
  const { trips } = create();
  for (let seq = 1; seq <= IN_FLIGHT_MAX + 2; seq++) trips.sent(2, seq, seq);
  assert.equal(trips.overwritten, 2);
  assert.equal(trips.waiting(), IN_FLIGHT_MAX);
});

test('what was in flight before the timed part does not count in it', () => {
  const { histogram, trips } = create();
  trips.sent(0, 1, 10);
  trips.forgetPending();
  trips.sent(0, 2, 40);
  trips.acknowledged(0, 2, 45);
  assert.equal(histogram.count, 1);
  assert.equal(histogram.maxMs, 5);
});
