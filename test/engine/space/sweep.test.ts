import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { NO_HIT, sweepBox, sweepCircle, sweepWall } from '../../../src/engine/space/sweep.js';

const SEED = 31;

test('a way to a circle ends at its edge, and one that stops short or passes by does not', () => {
  assert.equal(sweepCircle(10, 0, 10, 0, 2), 0.8);
  assert.equal(sweepCircle(10, 0, 8, 0, 2), 1, 'it ends on the edge');
  assert.equal(sweepCircle(10, 0, 7.9, 0, 2), NO_HIT);
  assert.equal(sweepCircle(0, -10, 0, -20, 5), 0.25);
  assert.equal(sweepCircle(10, 2, 20, 0, 2), 0.5, 'it grazes the edge');
  assert.equal(sweepCircle(10, 2.1, 20, 0, 2), NO_HIT);
});

test('a point within a circle has met it, wherever it goes; one on the edge only if it goes in', () => {
  for (const [stepX, stepY] of [
    [1, 0],
    [-1, 0],
    [0, 0],
  ]) {
    assert.equal(sweepCircle(1, 0, stepX, stepY, 2), 0);
  }
  assert.equal(sweepCircle(2, 0, 1, 0, 2), 0);
  assert.equal(sweepCircle(2, 0, -1, 0, 2), NO_HIT);
  assert.equal(sweepCircle(2, 0, 0, 1, 2), NO_HIT, 'along the edge');
  assert.equal(sweepCircle(2, 0, 0, 0, 2), NO_HIT, 'standing still');
  assert.equal(sweepCircle(5, 0, 0, 0, 2), NO_HIT);
  assert.equal(sweepCircle(5, 0, 1, 0, 0), NO_HIT);
  assert.equal(sweepCircle(5, 0, 10, 0, 0), 0.5, 'a point meets a point');
});

/** From (x, y), against the box from (10, 10) to (20, 14). */
function toBox(x: number, y: number, stepX: number, stepY: number, radius: number): number {
  return sweepBox(x, y, stepX, stepY, 10, 10, 20, 14, radius);
}

test('a way to a box ends at its near side, grown by the radius', () => {
  for (const radius of [0, 1]) {
    assert.equal(toBox(0, 12, 20, 0, radius), (10 - radius) / 20, 'from the left');
    assert.equal(toBox(30, 12, -20, 0, radius), (10 - radius) / 20, 'from the right');
    assert.equal(toBox(15, 0, 0, 20, radius), (10 - radius) / 20, 'from below');
    assert.equal(toBox(15, 24, 0, -20, radius), (10 - radius) / 20, 'from above');
    assert.equal(toBox(0, 12, 10 - radius, 0, radius), 1, 'it ends on the side');
    assert.equal(toBox(0, 12, 9.9 - radius, 0, radius), NO_HIT);
    assert.equal(toBox(15, 0, 0, 10 - radius, radius), 1);
    assert.equal(toBox(15, 0, 0, 9.9 - radius, radius), NO_HIT);
    assert.equal(toBox(10 - radius, 12, 5, 0, radius), 0, 'it begins on the side');
    assert.equal(toBox(15, 10 - radius, 0, 5, radius), 0);
    assert.equal(toBox(10 - radius, 12, -5, 0, radius), NO_HIT, 'away');
    assert.equal(toBox(0, 12, 0, 20, radius), NO_HIT, 'beside');
    assert.equal(toBox(15, 0, 20, 0, radius), NO_HIT);
  }
});

test('a line that ends in a corner of a box meets it, and so does one along its edge', () => {
  for (const y of [10, 14]) assert.equal(toBox(0, y, 20, 0, 0), 0.5);
  for (const x of [10, 20]) assert.equal(toBox(x, 0, 0, 20, 0), 0.5);
  for (const y of [9.9, 14.1]) assert.equal(toBox(0, y, 20, 0, 0), NO_HIT);
  for (const x of [9.9, 20.1]) assert.equal(toBox(x, 0, 0, 20, 0), NO_HIT);
});

test('the corners of a box are rounded by the radius', () => {
  for (const [cornerX, cornerY] of [
    [10, 10],
    [20, 10],
    [10, 14],
    [20, 14],
  ]) {
    const [wayX, wayY] = [cornerX === 10 ? 1 : -1, cornerY === 10 ? 1 : -1];
    // Straight at the corner from 10 away, and past it where a square corner would be met.
    const at = toBox(cornerX - 6 * wayX, cornerY - 8 * wayY, 6 * wayX, 8 * wayY, 2);
    assert.ok(Math.abs(at - 0.8) < 1e-12, `${at}`);
    assert.equal(toBox(cornerX - 3.5 * wayX, cornerY + 0.5 * wayY, 2 * wayX, -2 * wayY, 2), NO_HIT);
  }
});

/** From (x, y), against the wall from (10, 10) to (20, 10). */
function toWall(x: number, y: number, stepX: number, stepY: number, radius: number): number {
  return sweepWall(x, y, stepX, stepY, 10, 10, 20, 10, radius);
}

test('a way to a wall ends at its side, from either side, and at its round ends', () => {
  assert.equal(toWall(15, 0, 0, 20, 2), 0.4);
  assert.equal(toWall(15, 20, 0, -20, 2), 0.4);
  assert.equal(toWall(10, 0, 0, 20, 2), 0.4, 'where it begins');
  assert.equal(toWall(20, 0, 0, 20, 2), 0.4, 'where it ends');
  assert.equal(toWall(15, 0, 0, 8, 2), 1, 'it ends on the side');
  assert.equal(toWall(15, 0, 0, 7.9, 2), NO_HIT);
  assert.equal(toWall(15, 8, 0, 1, 2), 0, 'it begins on the side');
  assert.equal(toWall(15, 8, 0, -1, 2), NO_HIT, 'away');
  assert.equal(toWall(15, 12, 0, 1, 2), NO_HIT);
  assert.equal(Math.abs(toWall(15, 12, 0, -1, 2)), 0);
  assert.equal(toWall(0, 10, 20, 0, 2), 0.4, 'along the line, to its end');
  assert.equal(toWall(30, 10, -20, 0, 2), 0.4);
  assert.equal(toWall(0, 7, 40, 0, 2), NO_HIT, 'along it, beside');
  assert.equal(toWall(8.5, 0, 0, 20, 2) < 0.5, true, 'a round end');
  assert.equal(toWall(7.9, 0, 0, 20, 2), NO_HIT);
  assert.equal(toWall(22.1, 0, 0, 20, 2), NO_HIT);
});

test('a wall without length is a circle', () => {
  assert.equal(sweepWall(0, 0, 10, 0, 8, 0, 8, 0, 2), 0.6);
  assert.equal(sweepWall(0, 3, 10, 0, 8, 0, 8, 0, 2), NO_HIT);
});

test(`a wall is met where its distance is first the radius (seed ${SEED})`, () => {
  const random = createRandom(SEED);
  let hits = 0;
  for (let i = 0; i < 6000; i++) {
    const [fromX, fromY, toX, toY] = [random() * 10, random() * 10, random() * 10, random() * 10];
    const [x, y, stepX, stepY] = [random() * 20 - 5, random() * 20 - 5, random() * 20 - 10, random() * 20 - 10];
    const radius = random() * 2;
    const [alongX, alongY] = [toX - fromX, toY - fromY];
    const distance = (part: number): number => {
      const [px, py] = [x + stepX * part - fromX, y + stepY * part - fromY];
      const along = Math.min(1, Math.max(0, (px * alongX + py * alongY) / (alongX * alongX + alongY * alongY)));
      return Math.hypot(px - alongX * along, py - alongY * along);
    };
    if (distance(0) < radius + 1e-6) continue;
    const at = sweepWall(x, y, stepX, stepY, fromX, fromY, toX, toY, radius);
    const limit = at === NO_HIT ? 1 : at;
    for (let part = 0; part < limit; part += 0.02) assert.ok(distance(part) > radius - 1e-6, `case ${i} at ${part}`);
    if (at === NO_HIT) continue;
    assert.ok(Math.abs(distance(at) - radius) < 1e-6, `case ${i} touches nothing`);
    hits++;
  }
  assert.ok(hits > 300, `${hits}`);
});
