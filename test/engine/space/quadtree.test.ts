import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { Quadtree, type QuadtreeOptions } from '../../../src/engine/space/quadtree.js';

const SEED = 20260611;

interface World {
  alive: Uint8Array;
  positionX: Float32Array;
  positionY: Float32Array;
  rowLimit: number;
}

function createWorld(rowLimit: number, place: (row: number) => [x: number, y: number], dead?: () => boolean): World {
  const world: World = {
    alive: new Uint8Array(rowLimit),
    positionX: new Float32Array(rowLimit),
    positionY: new Float32Array(rowLimit),
    rowLimit,
  };
  for (let row = 0; row < rowLimit; row++) {
    [world.positionX[row], world.positionY[row]] = place(row);
    world.alive[row] = dead?.() ? 0 : 1;
  }
  return world;
}

function createTree(world: World, options: Partial<QuadtreeOptions> = {}): Quadtree {
  const tree = new Quadtree({
    originX: 0,
    originY: 0,
    width: 512,
    height: 512,
    leafSize: 12,
    capacity: Math.max(1, world.rowLimit),
    ...options,
  });
  tree.build(world.alive, world.positionX, world.positionY, 0, world.rowLimit);
  return tree;
}

function rowsWhere(world: World, holds: (x: number, y: number) => boolean): number[] {
  const rows: number[] = [];
  for (let row = 0; row < world.rowLimit; row++) {
    if (world.alive[row] && holds(world.positionX[row], world.positionY[row])) rows.push(row);
  }
  return rows;
}

function rowsInCircle(world: World, x: number, y: number, radius: number): number[] {
  return rowsWhere(world, (px, py) => (px - x) * (px - x) + (py - y) * (py - y) <= radius * radius);
}

function ascending(rows: Int32Array, count: number): number[] {
  return Array.from(rows.subarray(0, count)).sort((a, b) => a - b);
}

/** All three queries against every row of the world, at one place. */
function compareAt(tree: Quadtree, world: World, x: number, y: number, radius: number, label: string): void {
  const out = new Int32Array(world.rowLimit + 1);
  const distances = new Float32Array(world.rowLimit + 1);
  const where = `${label}, circle ${x}, ${y}, ${radius}`;
  const expected = rowsInCircle(world, x, y, radius);
  assert.deepEqual(ascending(out, tree.queryCircle(x, y, radius, out)), expected, where);

  const found = findWithDistance(tree, x, y, radius, out, distances);
  for (let i = 0; i < found; i++) {
    const dx = world.positionX[out[i]] - x;
    const dy = world.positionY[out[i]] - y;
    assert.equal(distances[i], Math.fround(dx * dx + dy * dy), where);
  }
  assert.deepEqual(ascending(out, found), expected, `${where}, with distance`);
}

function findWithDistance(
  tree: Quadtree,
  x: number,
  y: number,
  radius: number,
  out: Int32Array,
  distances: Float32Array,
): number {
  tree.circle.set([x, y, radius]);
  return tree.collectCircleWithDistance(out, distances);
}

function compareMany(tree: Quadtree, world: World, random: () => number, label: string): void {
  for (let i = 0; i < 60; i++) {
    const x = random() * 640 - 64;
    const y = random() * 640 - 64;
    compareAt(tree, world, x, y, 600 * random() ** 4, label);
    // Around an entity, with a radius that ends exactly on another one where squares allow it.
    const row = Math.floor(random() * world.rowLimit);
    compareAt(tree, world, world.positionX[row], world.positionY[row], Math.floor(random() * 60), label);
  }
}

for (let seed = SEED; seed < SEED + 6; seed++) {
  const label = `seed ${seed}`;

  test(`queries find what a look at every row finds in an even world (${label})`, () => {
    const random = createRandom(seed);
    const leafSize = 3 + random() * 40;
    const world = createWorld(
      2000,
      () => [random() * 512, random() * 512],
      () => random() < 0.2,
    );
    const tree = createTree(world, { leafSize });
    assert.equal(tree.strayCount, 0);
    compareMany(tree, world, random, `${label}, leaf ${leafSize}`);
  });

  test(`queries find what a look at every row finds in a clustered world (${label})`, () => {
    const random = createRandom(seed);
    const world = createWorld(2000, (row) => [60 * (row % 8) + random() * 6, 500 - 60 * (row % 5) + random() * 3]);
    compareMany(createTree(world), world, random, label);
  });

  test(`queries find rows that stand exactly on leaf and area borders (${label})`, () => {
    const random = createRandom(seed);
    const world = createWorld(1500, () => [16 * Math.floor(random() * 33), 16 * Math.floor(random() * 33)]);
    const tree = createTree(world, { leafSize: 16 });
    compareMany(tree, world, random, label);
    for (let i = 0; i < 40; i++) {
      const x = 16 * Math.floor(random() * 33);
      const y = 16 * Math.floor(random() * 33);
      compareAt(tree, world, x, y, 16 * Math.floor(random() * 12), label);
    }
  });

  test(`queries find rows outside the area by their true place (${label})`, () => {
    const random = createRandom(seed);
    const world = createWorld(2000, () => [random() * 900 - 200, random() * 900 - 200]);
    world.positionX[0] = 1e30;
    world.positionY[1] = -1e30;
    world.positionX[2] = 4294967296 + 100; // would wrap to the middle if it were cut to 32 bits
    const tree = createTree(world);
    assert.ok(tree.strayCount > 0);
    compareMany(tree, world, random, label);
    for (let i = 0; i < 40; i++) {
      compareAt(tree, world, random() * 3000 - 1250, random() * 3000 - 1250, random() * 1500, label);
    }
    compareAt(tree, world, 1e30, world.positionY[0], 10, label);
  });

  test(`queries are right in areas that are long, off the origin, smaller than a leaf or too large for the leaf size (${label})`, () => {
    const random = createRandom(seed);
    for (const [originX, originY, width, height, leafSize] of [
      [-1000, 300, 640, 20, 7],
      [5000, -9000, 9, 700, 5],
      [0, 0, 10, 10, 50],
      [-60000, -60000, 120000, 90000, 3],
    ]) {
      const world = createWorld(800, () => [originX + random() * width, originY + random() * height]);
      const tree = createTree(world, { originX, originY, width, height, leafSize });
      for (let i = 0; i < 40; i++) {
        const x = originX + random() * width * 1.2;
        const y = originY + random() * height * 1.2;
        compareAt(tree, world, x, y, width * 1.5 * random() ** 2, `${label}, area ${originX}, ${originY}`);
      }
    }
  });
}

test('a radius of zero finds exactly the rows at that point', () => {
  const world = createWorld(4, (row) => [row < 2 ? 100 : 101, 100]);
  const tree = createTree(world);
  const out = new Int32Array(4);
  assert.equal(tree.queryCircle(100, 100, 0, out), 2);
  assert.deepEqual(ascending(out, 2), [0, 1]);
  assert.equal(tree.queryCircle(100.5, 100, 0, out), 0);
  compareAt(tree, world, 100, 100, 0, 'zero radius');
});

test('a radius that is negative or no number finds nothing', () => {
  const world = createWorld(10, () => [100, 100]);
  const tree = createTree(world);
  const out = new Int32Array(10);
  assert.equal(tree.queryCircle(100, 100, -5, out), 0);
  assert.equal(tree.queryCircle(100, 100, -1e-6, out), 0, 'next to nothing below zero');
  assert.equal(tree.queryCircle(100, 100, Number.NaN, out), 0);
  assert.equal(tree.queryCircle(Number.NaN, 100, 5, out), 0);
});

test('a huge or endless radius finds every living row once, strays included', () => {
  const random = createRandom(SEED);
  const world = createWorld(3000, () => [random() * 700 - 100, random() * 700 - 100]);
  const tree = createTree(world);
  const out = new Int32Array(3000);
  const all = Array.from({ length: 3000 }, (_, row) => row);
  for (const radius of [1e4, 1e12, Infinity]) {
    assert.deepEqual(ascending(out, tree.queryCircle(256, 256, radius, out)), all, `radius ${radius}`);
    assert.deepEqual(ascending(out, findWithDistance(tree, 0, 0, radius, out, new Float32Array(3000))), all);
  }
});

test('a row whose position is no number is kept out of small circles and does no harm', () => {
  const world = createWorld(20, (row) => [row, row]);
  world.positionX[7] = Number.NaN;
  const tree = createTree(world);
  assert.equal(tree.count, 20);
  const out = new Int32Array(20);
  assert.equal(tree.queryCircle(10, 10, 1000, out), 19);
});

test('an empty tree answers nothing, before the first build and after a build without life', () => {
  const out = new Int32Array(4);
  const tree = new Quadtree({ originX: 0, originY: 0, width: 100, height: 100, leafSize: 10, capacity: 4 });
  assert.equal(tree.queryCircle(50, 50, 1000, out), 0);
  tree.build(Uint8Array.of(1, 1, 1, 1), Float32Array.of(1, 2, 3, 4), Float32Array.of(1, 2, 3, 4), 0, 4);
  assert.equal(tree.queryCircle(50, 50, 1000, out), 4);
  tree.build(new Uint8Array(4), new Float32Array(4), new Float32Array(4), 0, 4);
  assert.equal(tree.count, 0);
  assert.equal(tree.queryCircle(50, 50, 1000, out), 0);
});

test('a tree takes exactly its capacity of living rows and asserts beyond it', () => {
  const random = createRandom(SEED);
  const world = createWorld(1001, () => [random() * 512, random() * 512]);
  world.alive[500] = 0;
  const tree = createTree(world, { capacity: 1000 });
  assert.equal(tree.count, 1000);
  compareMany(tree, world, random, 'full');
  world.alive[500] = 1;
  assert.throws(() => createTree(world, { capacity: 1000 }), /quadtree is full/);
  const built = createTree(createWorld(1000, () => [1, 1]));
  assert.throws(() => built.add(world.alive, world.positionX, world.positionY, 0, 1), /quadtree is full/);
});

test('a query that finds more than fits writes what fits and nothing beyond', () => {
  const random = createRandom(SEED);
  const world = createWorld(1000, () => [random() * 512, random() * 512]);
  const tree = createTree(world);
  const whole = new Int32Array(1000);
  for (const radius of [40, 200, 2000]) {
    const wanted = tree.queryCircle(256, 256, radius, whole);
    assert.ok(wanted > 10);
    assert.equal(tree.queryCircle(256, 256, radius, new Int32Array(wanted)), wanted);
    const roomy = new Int32Array(wanted).fill(-7);
    assert.equal(tree.queryCircle(256, 256, radius, roomy.subarray(0, wanted - 3)), wanted - 3);
    assert.deepEqual(roomy.subarray(0, wanted - 3), whole.subarray(0, wanted - 3));
    assert.deepEqual([...roomy.subarray(wanted - 3)], [-7, -7, -7]);
    assert.equal(findWithDistance(tree, 256, 256, radius, roomy, new Float32Array(5)), 5);
    assert.equal(tree.queryCircle(256, 256, radius, new Int32Array(0)), 0);
  }
});

test('several ranges make one tree, and an offset tells the rows of another zone apart', () => {
  const random = createRandom(SEED);
  const own = createWorld(600, () => [random() * 512, random() * 512]);
  const mirrors = createWorld(300, () => [512 + random() * 40, random() * 512]);
  const tree = new Quadtree({ originX: 0, originY: 0, width: 552, height: 512, leafSize: 12, capacity: 900 });
  for (let round = 0; round < 2; round++) {
    tree.begin();
    tree.add(own.alive, own.positionX, own.positionY, 0, 600);
    tree.add(mirrors.alive, mirrors.positionX, mirrors.positionY, 100, 200, 1000);
    tree.add(mirrors.alive, mirrors.positionX, mirrors.positionY, 200, 300, 1000);
    tree.finish();
    assert.equal(tree.count, 800);
    const out = new Int32Array(900);
    const expected = [
      ...rowsInCircle(own, 500, 250, 60),
      ...rowsInCircle(mirrors, 500, 250, 60)
        .filter((row) => row >= 100)
        .map((row) => row + 1000),
    ];
    assert.deepEqual(ascending(out, tree.queryCircle(500, 250, 60, out)), expected);
  }
});

test('the order of what is found depends on the rows alone, not on earlier builds', () => {
  const random = createRandom(SEED);
  const world = createWorld(3000, () => [random() * 600 - 40, random() * 600 - 40]);
  const before = createWorld(3000, () => [random() * 512, random() * 512]);
  const fresh = createTree(world);
  const used = createTree(world);
  used.build(before.alive, before.positionX, before.positionY, 0, before.rowLimit);
  assert.equal(used.strayCount, 0);
  used.queryCircle(1, 1, 1000, new Int32Array(10));
  used.build(world.alive, world.positionX, world.positionY, 0, world.rowLimit);
  const left = new Int32Array(3000);
  const right = new Int32Array(3000);
  for (let i = 0; i < 100; i++) {
    const x = random() * 512;
    const y = random() * 512;
    const radius = random() * 300;
    const count = fresh.queryCircle(x, y, radius, left);
    assert.equal(used.queryCircle(x, y, radius, right), count);
    assert.deepEqual(left.subarray(0, count), right.subarray(0, count), `seed ${SEED}`);
    const distances = new Float32Array(3000);
    assert.equal(findWithDistance(used, x, y, radius, right, distances), count);
    assert.deepEqual(left.subarray(0, count), right.subarray(0, count), 'both circle queries answer in the same order');
  }
});

test('rows at one point come in the order in which they were added', () => {
  const world = createWorld(50, () => [77, 33]);
  const out = new Int32Array(50);
  assert.equal(createTree(world).queryCircle(77, 33, 1, out), 50);
  assert.deepEqual(
    [...out],
    Array.from({ length: 50 }, (_, row) => row),
  );
});
