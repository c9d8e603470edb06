import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { Ground, GroundShapes } from '../../../src/engine/space/ground.js';
import { NO_HIT } from '../../../src/engine/space/sweep.js';

const AREA = { x: 0, y: 0, width: 200, height: 160 };
const MARGIN = 20;
const SEED = 11;

function groundOf(build: (shapes: GroundShapes) => void, area = AREA): Ground {
  const shapes = new GroundShapes(area, MARGIN);
  build(shapes);
  return new Ground(shapes, area, MARGIN);
}

/** Many shapes of all kinds, and what a plain look at each of them says. */
function crowded(random: () => number) {
  const distances: ((x: number, y: number) => number)[] = [];
  const ground = groundOf((shapes) => {
    for (let i = 0; i < 120; i++) {
      const [x, y, a, b] = [random() * 200, random() * 160, random() * 30 - 15, random() * 30 - 15];
      if (i % 3 === 0) {
        shapes.circle(x, y, 1 + random() * 4);
        const radius = shapes.words.at(-1)!;
        distances.push((px, py) => Math.hypot(px - x, py - y) - radius);
      } else if (i % 3 === 1) {
        const [width, height] = [1 + Math.abs(a), 1 + Math.abs(b)];
        shapes.box(x, y, width, height);
        distances.push((px, py) => {
          const [dx, dy] = [Math.max(x - px, px - x - width), Math.max(y - py, py - y - height)];
          return dx > 0 || dy > 0 ? Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) : Math.max(dx, dy);
        });
      } else {
        shapes.wall(x, y, x + a, y + b, 1);
        distances.push((px, py) => {
          const part = Math.min(1, Math.max(0, ((px - x) * a + (py - y) * b) / (a * a + b * b)));
          return Math.hypot(px - x - a * part, py - y - b * part) - 0.5;
        });
      }
    }
  });
  const distance = (x: number, y: number): number => Math.min(...distances.map((of) => of(x, y)));
  return { ground, distance };
}

test(`a body is blocked where it would overlap a shape, and nowhere else (seed ${SEED})`, () => {
  const random = createRandom(SEED);
  const { ground, distance } = crowded(random);
  let blocked = 0;
  for (let i = 0; i < 4000; i++) {
    const [x, y, radius] = [random() * 200, random() * 160, random() * 3];
    const gap = distance(x, y) - radius;
    if (Math.abs(gap) < 1e-6) continue;
    assert.equal(ground.isBlocked(x, y, radius), gap < 0, `${x} ${y} ${radius}`);
    if (gap < 0) blocked++;
  }
  assert.ok(blocked > 400, `${blocked}`);
});

test(`a way ends where the body first touches a shape (seed ${SEED})`, () => {
  const random = createRandom(SEED + 1);
  const { ground, distance } = crowded(random);
  let hits = 0;
  for (let i = 0; i < 600; i++) {
    const [x, y, radius] = [random() * 200, random() * 160, random() * 2];
    const [stepX, stepY] = [random() * 40 - 20, random() * 40 - 20];
    const at = ground.sweep(x, y, stepX, stepY, radius);
    if (distance(x, y) - radius < 1e-6) {
      if (distance(x, y) - radius < -1e-6) assert.equal(at, 0);
      continue;
    }
    const limit = at === NO_HIT ? 1 : at;
    for (let part = 0; part <= limit - 1e-6; part += 0.01) {
      assert.ok(
        distance(x + stepX * part, y + stepY * part) - radius > -1e-4,
        `through a shape at ${part} of ${limit}`,
      );
    }
    if (at === NO_HIT) continue;
    hits++;
    assert.ok(Math.abs(distance(x + stepX * at, y + stepY * at) - radius) < 1e-4, `touches nothing at ${at}`);
    assert.equal(ground.isClear(x, y, x + stepX, y + stepY), ground.sweep(x, y, stepX, stepY, 0) === NO_HIT);
  }
  assert.ok(hits > 100, `${hits}`);
});

test('a body is pushed out by the shortest way, out of corners too', () => {
  const ground = groundOf((shapes) => {
    shapes.circle(50, 50, 5);
    shapes.box(100, 100, 20, 10);
    shapes.wall(20, 120, 60, 120, 2);
  });
  const push = (x: number, y: number, radius = 1): number[] => {
    const [positionX, positionY] = [Float32Array.of(x), Float32Array.of(y)];
    const isMoved = ground.pushOut(positionX, positionY, 0, radius);
    assert.equal(isMoved, positionX[0] !== Math.fround(x) || positionY[0] !== Math.fround(y));
    return [positionX[0], positionY[0]].map((value) => Math.round(value * 1000) / 1000);
  };
  assert.deepEqual(push(54, 50), [56, 50]);
  assert.deepEqual(push(50, 50), [56, 50]); // on the centre: any way is as short
  assert.deepEqual(push(101, 105), [99, 105]); // inside of a box, near its left edge
  assert.deepEqual(push(119, 105), [121, 105]);
  assert.deepEqual(push(110, 101), [110, 99]);
  assert.deepEqual(push(110, 109.5), [110, 111]);
  assert.deepEqual(push(30, 121), [30, 122]);
  assert.deepEqual(push(30, 119.5), [30, 118]);
  assert.deepEqual(push(150, 20), [150, 20]);
});

test('each zone has the shapes near it, and a bare one costs nothing', () => {
  const shapes = new GroundShapes({ x: 0, y: 0, width: 50, height: 50 }, 10);
  shapes.circle(55, 25, 2);
  shapes.circle(80, 25, 2);
  shapes.box(-30, 0, 15, 5);
  shapes.wall(90, 0, 90, 50, 1);
  assert.equal(shapes.words.length / 6, 1);
  const bare = groundOf(() => {});
  assert.equal(bare.isBlocked(10, 10, 5), false);
  assert.equal(bare.isClear(0, 0, 200, 160), true);
});

test('a shape that is none is refused with its numbers', () => {
  const shapes = new GroundShapes(AREA, MARGIN);
  assert.throws(() => shapes.circle(1, 2, 0), /has a radius/);
  assert.throws(() => shapes.box(1, 2, 3, -1), /has sides/);
  assert.throws(() => shapes.wall(1, 2, 3, 4, 0), /has a thickness/);
  assert.throws(() => shapes.circle(Number.NaN, 2, 1), /finite/);
});
