import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../src/base/chance.js';
import { Interpolator } from '../../src/client/interpolation.js';
import type { EntityState, FrameDelta } from '../../src/protocol/fb/entity-decoder.js';

const TICK_HZ = 50;
const TICK_MS = 20;
const ID = 7;

function entityAt(x: number, y = 0): Map<number, EntityState> {
  return new Map([[ID, { id: ID, kind: 0, x, y, fields: [], rawX: 0, rawY: 0 }]]);
}

function delta(parts: Partial<FrameDelta>): FrameDelta {
  return { error: null, left: [], entered: [], updated: [], ...parts };
}

const ENTERED = delta({ entered: [ID] });
const MOVED = delta({ updated: [{ id: ID, moved: true, fields: 0 }] });

function placeOf(interpolator: Interpolator, nowMs: number): { x: number; y: number } {
  const place = { x: Number.NaN, y: Number.NaN };
  assert.equal(interpolator.place(ID, nowMs, place), true);
  return place;
}

test('between two frames an entity is drawn between its two places', () => {
  const interpolator = new Interpolator(TICK_HZ, 100);
  interpolator.observe(10, 1000, ENTERED, entityAt(0, 5));
  interpolator.observe(15, 1100, MOVED, entityAt(10, 15));
  assert.deepEqual(placeOf(interpolator, 1100), { x: 0, y: 5 });
  assert.deepEqual(placeOf(interpolator, 1150), { x: 5, y: 10 });
  assert.deepEqual(placeOf(interpolator, 1200), { x: 10, y: 15 });
});

test('a height is drawn between two frames, also of an entity that only rises', () => {
  const interpolator = new Interpolator(TICK_HZ, 100, 1);
  const atHeight = (height: number): Map<number, EntityState> =>
    new Map([[ID, { id: ID, kind: 0, x: 3, y: 4, fields: [99, height], rawX: 0, rawY: 0 }]]);
  const place = { x: 0, y: 0, height: 0 };
  interpolator.observe(10, 1000, ENTERED, atHeight(2));
  interpolator.observe(15, 1100, delta({ updated: [{ id: ID, moved: false, fields: 0b10 }] }), atHeight(8));
  interpolator.place(ID, 1150, place);
  assert.deepEqual(place, { x: 3, y: 4, height: 5 });
  interpolator.observe(20, 1200, delta({ updated: [{ id: ID, moved: false, fields: 0b01 }] }), atHeight(100));
  interpolator.place(ID, 1400, place);
  assert.equal(place.height, 8, 'another field has changed');
});

test('where nothing newer is known an entity stays where it was last', () => {
  const interpolator = new Interpolator(TICK_HZ, 100);
  interpolator.observe(10, 1000, ENTERED, entityAt(3));
  assert.equal(placeOf(interpolator, 1000).x, 3);
  assert.equal(placeOf(interpolator, 9000).x, 3);
});

test('an entity that enters anew, as after a respawn, jumps and does not glide', () => {
  const interpolator = new Interpolator(TICK_HZ, 100);
  interpolator.observe(10, 1000, ENTERED, entityAt(0));
  interpolator.observe(15, 1100, delta({ left: [ID], entered: [ID] }), entityAt(100));
  assert.equal(placeOf(interpolator, 1150).x, 100);
});

test('an entity that left is forgotten', () => {
  const interpolator = new Interpolator(TICK_HZ, 100);
  interpolator.observe(10, 1000, ENTERED, entityAt(0));
  interpolator.observe(11, 1020, delta({ left: [ID] }), new Map());
  assert.equal(interpolator.place(ID, 1020, { x: 0, y: 0 }), false);
});

test('who stood still for long begins to move only shortly before the frame that says so', () => {
  const interpolator = new Interpolator(TICK_HZ, 100);
  interpolator.observe(0, 0, ENTERED, entityAt(0));
  interpolator.observe(500, 10000, MOVED, entityAt(1));
  assert.equal(placeOf(interpolator, 9000).x, 0);
  assert.equal(placeOf(interpolator, 9800).x, 0);
  assert.ok(placeOf(interpolator, 10050).x > 0.5);
});

test('a steady walk is drawn steadily although frames arrive unevenly', () => {
  const seed = 21;
  const random = createRandom(seed);
  const interpolator = new Interpolator(TICK_HZ, 100);
  const arrivals = Array.from({ length: 200 }, (_, i) => ({ tick: i * 2, atMs: i * 2 * TICK_MS + random() * 40 }));
  arrivals.sort((a, b) => a.atMs - b.atMs);
  let next = 0;
  let previous = Number.NaN;
  for (let nowMs = 0; nowMs < 7000; nowMs += 16) {
    while (next < arrivals.length && arrivals[next].atMs <= nowMs) {
      const { tick, atMs } = arrivals[next++];
      interpolator.observe(tick, atMs, tick === 0 ? ENTERED : MOVED, entityAt(tick * TICK_MS));
    }
    if (next === 0) continue;
    const { x } = placeOf(interpolator, nowMs);
    // One unit per millisecond of server time: a step of 16 ms is 16 units, give or take the clock's adjustment.
    if (nowMs > 1000)
      assert.ok(Math.abs(x - previous - 16) < 2, `seed ${seed}: step of ${x - previous} at ${nowMs} ms`);
    previous = x;
  }
});

test('after the server skipped many ticks, or this machine slept, the clock is set anew', () => {
  const interpolator = new Interpolator(TICK_HZ, 100);
  interpolator.observe(10, 1000, ENTERED, entityAt(0));
  interpolator.observe(12, 60000, MOVED, entityAt(1));
  interpolator.observe(14, 60040, MOVED, entityAt(2));
  assert.equal(placeOf(interpolator, 60120).x, 1.5);
});
