import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinTrips, PARTS, readNotes } from '../../bench/net/late-trace.js';

const MAIN = ['in 7 100.5', 'in 8 130', 'out 6 90 91', 'out 7 121 122', 'out 7 140 141', 'out 8 150 159', ''].join(
  '\n',
);
const TICKS = ['tick 50 116 120', 'tick 51 132 148', 'tick 99 0 1', ''].join('\n');
/** Of another tick thread: it was late. */
const OTHER_TICKS = ['tick 50 130 131', 'tick 51 149.5 149.75'].join('\n');

test('a round trip is cut where the threads have noted it, and its parts are all of it', () => {
  const [trip] = joinTrips([{ seq: 7, sentMs: 100, receivedMs: 125, tick: 50 }], readNotes([MAIN, TICKS, OTHER_TICKS]));
  assert.deepEqual(trip.parts, [0.5, 15.5, 4, 1, 1, 3]);
  assert.equal(trip.parts.length, PARTS.length);
  assert.equal(trip.totalMs, 25);
});

test('the tick is that of the thread that ended last before main took the frame', () => {
  const notes = readNotes([MAIN, TICKS, OTHER_TICKS]);
  const [trip] = joinTrips([{ seq: 8, sentMs: 128, receivedMs: 160, tick: 51 }], notes);
  assert.deepEqual(trip.parts, [2, 19.5, 0.25, 0.25, 9, 1]);
});

test('an input that came in the middle of its tick waited for none, and main may be put aside behind its write', () => {
  const notes = readNotes(['in 1 12', 'out 1 19 40', 'tick 5 10 20']);
  const [trip] = joinTrips([{ seq: 1, sentMs: 11, receivedMs: 30, tick: 5 }], notes);
  assert.deepEqual(trip.parts, [1, 0, 7, 0, 11, 0]);
});

test('a round trip that one of the threads has not noted is left out', () => {
  const trip = { seq: 1, sentMs: 11, receivedMs: 30, tick: 5 };
  const all = ['in 1 12', 'out 1 19 20', 'tick 5 10 18'];
  assert.equal(joinTrips([trip], readNotes(all)).length, 1);
  for (const missing of all) {
    assert.deepEqual(joinTrips([trip], readNotes(all.filter((line) => line !== missing))), [], missing);
  }
});
