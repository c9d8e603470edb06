import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { GROUND_PLACE_SIDE } from '../../../src/engine/limits.js';
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
  for (const [x, y] of [
    [56, 50],
    [99, 105],
    [110, 111],
    [30, 122],
  ]) {
    assert.deepEqual(push(x, y), [x, y], 'it only touches');
  }
});

test('a body whose centre is on an edge or a centre line is pushed straight off it', () => {
  const ground = groundOf((shapes) => {
    shapes.box(100, 100, 20, 10);
    shapes.wall(20, 120, 60, 120, 2);
    shapes.wall(150, 20, 150, 60, 2);
    shapes.box(60, 20, 20, 1.5);
    shapes.wall(20, 20, 20, 20, 2);
  });
  const push = (x: number, y: number): number[] => {
    const [positionX, positionY] = [Float32Array.of(x), Float32Array.of(y)];
    assert.equal(ground.pushOut(positionX, positionY, 0, 1), true);
    assert.equal(ground.isBlocked(positionX[0], positionY[0], 1), false, `${x} ${y} to ${positionX} ${positionY}`);
    return [positionX[0] - x, positionY[0] - y];
  };
  assert.deepEqual(push(100, 105), [-1, 0]);
  assert.deepEqual(push(120, 105), [1, 0]);
  assert.deepEqual(push(110, 100), [0, -1]);
  assert.deepEqual(push(110, 110), [0, 1]);
  assert.deepEqual(push(70, 20), [0, -1], 'not through a thin box');
  assert.deepEqual(push(70, 21.5), [0, 1]);
  assert.deepEqual(push(40, 120).map(Math.abs), [0, 2]);
  assert.deepEqual(push(150, 40).map(Math.abs), [2, 0]);
  assert.deepEqual(push(20, 20).map(Math.abs), [2, 0]);
});

test('a body that finds no room is pushed four times and left there', () => {
  const ground = groundOf((shapes) => {
    shapes.box(0, 0, 10, 40);
    shapes.box(11, 0, 10, 40);
  });
  const positionX = Float32Array.of(10.25);
  assert.equal(ground.pushOut(positionX, Float32Array.of(20), 0, 1), true);
  assert.equal(positionX[0], 10, 'right, left, right, left');
});

test('a body that only touches a shape is not blocked, and may go away from it or along it', () => {
  const ground = groundOf((shapes) => {
    shapes.circle(50, 50, 5);
    shapes.box(100, 100, 20, 10);
    shapes.wall(20, 120, 60, 120, 2);
  });
  for (const [x, y, awayX, awayY] of [
    [57, 50, 1, 0],
    [43, 50, -1, 0],
    [98, 105, -1, 0],
    [122, 105, 1, 0],
    [110, 98, 0, -1],
    [110, 112, 0, 1],
    [40, 123, 0, 1],
    [40, 117, 0, -1],
    [17, 120, -1, 0],
    [63, 120, 1, 0],
  ]) {
    const where = `at ${x}, ${y}`;
    assert.equal(ground.isBlocked(x, y, 2), false, where);
    assert.equal(ground.isBlocked(x, y, 2.001), true, where);
    assert.equal(ground.sweep(x, y, awayX, awayY, 2), NO_HIT, `${where}, away`);
    assert.equal(ground.sweep(x, y, awayY, awayX, 2), NO_HIT, `${where}, along`);
    assert.equal(Math.abs(ground.sweep(x, y, -awayX, -awayY, 2)), 0, `${where}, into it`);
  }
});

/** A small circle in the middle of each place, and how many of them a question looks at. */
function lattice() {
  const ground = groundOf((shapes) => {
    for (let x = 4 - MARGIN; x < 220; x += GROUND_PLACE_SIDE) {
      for (let y = 4 - MARGIN; y < 180; y += GROUND_PLACE_SIDE) shapes.circle(x, y, 0.1);
    }
  });
  const spied = ground as unknown as { measure(shape: number, x: number, y: number): void };
  const looked: number[] = [];
  const measure = spied.measure.bind(ground);
  spied.measure = (shape, x, y) => {
    looked.push(shape);
    measure(shape, x, y);
  };
  const look = (ask: () => void): number => {
    looked.length = 0;
    ask();
    assert.equal(new Set(looked).size, looked.length, 'each shape once');
    return looked.length;
  };
  return { ground, look };
}

test('a question looks at the shapes of the places that it touches, and at no others', () => {
  const { ground, look } = lattice();
  assert.equal(ground.count, 30 * 25);
  // Places begin at -20: one reaches from 100 to 108 and from 92 to 100.
  const push = (x: number, y: number, radius: number) =>
    ground.pushOut(Float32Array.of(x), Float32Array.of(y), 0, radius);
  for (const ask of [(x: number, y: number, radius: number) => ground.isBlocked(x, y, radius), push]) {
    assert.equal(
      look(() => ask(102, 94, 1)),
      1,
    );
    assert.equal(
      look(() => ask(100, 94, 1)),
      2,
    );
    assert.equal(
      look(() => ask(100, 100, 1)),
      4,
    );
    assert.equal(
      look(() => ask(-40, -40, 1)),
      1,
      'before the first place',
    );
    assert.equal(
      look(() => ask(240, 240, 1)),
      1,
      'behind the last one',
    );
  }
  for (const [ways, stepX, stepY] of [
    [1, 4, 4],
    [3, 16, 0],
    [3, 0, 16],
    [6, 16, 8],
    [4, -8, -8],
  ]) {
    assert.equal(
      look(() => ground.sweep(102, 94, stepX, stepY, 1)),
      ways,
      `${stepX} ${stepY}`,
    );
  }
});

test('each place names the shapes that reach into it, and a bare ground has one place', () => {
  const ground = groundOf((shapes) => {
    shapes.box(100, 92, 7, 7);
    shapes.box(100, 92, 9, 17);
    shapes.wall(103, 130, 119, 130, 2);
    shapes.circle(104, 96, 5);
  });
  const { placeStart, touching, columns } = ground as unknown as Record<'placeStart' | 'touching', Int32Array> & {
    columns: number;
  };
  const places: Record<number, string[]> = { 0: [], 1: [], 2: [], 3: [] };
  for (let place = 0; place < 30 * 25; place++) {
    for (let i = placeStart[place]; i < placeStart[place + 1]; i++) {
      places[touching[i]].push(`${place % columns},${Math.floor(place / columns)}`);
    }
  }
  assert.equal(columns, 30);
  assert.deepEqual(places[0], ['15,14']);
  assert.deepEqual(places[1], ['15,14', '16,14', '15,15', '16,15', '15,16', '16,16']);
  assert.deepEqual(places[2], ['15,18', '16,18', '17,18']);
  assert.equal(places[3].length, 9);
  assert.equal((groundOf(() => {}) as unknown as { columns: number }).columns, 1);
});

test('what reaches over the outermost places is met there and beyond', () => {
  const ground = groundOf((shapes) => {
    shapes.circle(219, 179, 10);
    shapes.circle(-19, -19, 10);
  });
  for (const [x, y] of [
    [219, 179],
    [224, 184],
    [224, 179],
    [219, 184],
    [-24, -24],
    [-19, -24],
  ]) {
    assert.equal(ground.isBlocked(x, y, 1), true, `${x} ${y}`);
    assert.equal(ground.sweep(x, y, 1, 1, 1), 0, `${x} ${y}`);
  }
});

test('each zone has the shapes near it, and a bare one costs nothing', () => {
  const shapes = new GroundShapes({ x: 0, y: 0, width: 50, height: 50 }, 10);
  shapes.circle(55, 25, 2);
  shapes.circle(80, 25, 2);
  shapes.box(-30, 0, 15, 5);
  shapes.wall(90, 0, 90, 50, 1);
  assert.equal(shapes.words.length / 6, 1);
  for (const [minX, minY] of [
    [-11, 20],
    [60, 20],
    [20, -11],
    [20, 60],
  ]) {
    const one = new GroundShapes({ x: 0, y: 0, width: 50, height: 50 }, 10);
    one.box(minX, minY, 1, 1);
    assert.equal(one.words.length / 6, 1, 'it touches the margin');
    one.box(minX + Math.sign(minX - 20) / 8, minY + Math.sign(minY - 20) / 8, 1, 1);
    assert.equal(one.words.length / 6, 1, 'it lies beyond');
  }
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
