import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { Quadtree } from '../../../src/engine/space/quadtree.js';
import { type SpaceIndex, SpaceQueries } from '../../../src/engine/space/space-queries.js';
import { NO_HIT, sweepCircle } from '../../../src/engine/space/sweep.js';

const SIDE = 256;
const ROWS = 3000;
const SEED = 21;

function scene(seed: number) {
  const random = createRandom(seed);
  const positionX = Float32Array.from({ length: ROWS }, () => random() * SIDE);
  const positionY = Float32Array.from({ length: ROWS }, () => random() * SIDE);
  const alive = Uint8Array.from({ length: ROWS }, () => (random() < 0.9 ? 1 : 0));
  const kind = Uint8Array.from({ length: ROWS }, () => Math.floor(random() * 4));
  const index = new Quadtree({ originX: 0, originY: 0, width: SIDE, height: SIDE, leafSize: 8, capacity: ROWS });
  index.build(alive, positionX, positionY, 0, ROWS);
  return { random, positionX, positionY, alive, kind, index };
}

function rowsWhere(test: (row: number) => boolean): number[] {
  return Array.from({ length: ROWS }, (_, row) => row).filter(test);
}

test(`a box holds exactly the living rows inside of it, edges included (seed ${SEED})`, () => {
  const { random, positionX, positionY, alive, index } = scene(SEED);
  const out = new Int32Array(ROWS);
  for (let i = 0; i < 300; i++) {
    const [minX, minY] = [random() * SIDE - 20, random() * SIDE - 20];
    const [maxX, maxY] = [minX + random() * 90, minY + random() * 90];
    const count = index.queryBox(minX, minY, maxX, maxY, out);
    const expected = rowsWhere(
      (row) =>
        alive[row] === 1 &&
        positionX[row] >= minX &&
        positionX[row] <= maxX &&
        positionY[row] >= minY &&
        positionY[row] <= maxY,
    );
    assert.deepEqual(
      [...out.subarray(0, count)].sort((a, b) => a - b),
      expected,
    );
  }
  const [x, y] = [positionX[alive.indexOf(1)], positionY[alive.indexOf(1)]];
  assert.equal(index.queryBox(x, y, x, y, out), 1);
  assert.equal(index.queryBox(9, 9, 8, 8, out), 0);
  assert.equal(index.queryBox(Number.NaN, 0, 8, 8, out), 0);
});

test('a box with more rows than there is room for fills the room', () => {
  const { index } = scene(SEED);
  assert.equal(index.queryBox(0, 0, SIDE, SIDE, new Int32Array(10)), 10);
});

test(`the nearest rows come in order, of the wanted kinds, within the radius (seed ${SEED})`, () => {
  const { random, positionX, positionY, alive, kind, index } = scene(SEED);
  const queries = new SpaceQueries(index, alive, kind, positionX, positionY, 1);
  const out = new Int32Array(5);
  for (let i = 0; i < 300; i++) {
    const [x, y, radius] = [random() * SIDE, random() * SIDE, random() * 40];
    const squared = (row: number): number => (positionX[row] - x) ** 2 + (positionY[row] - y) ** 2;
    const expected = rowsWhere(
      (row) => alive[row] === 1 && (kind[row] === 1 || kind[row] === 3) && squared(row) <= radius * radius,
    ).sort((a, b) => squared(a) - squared(b));
    const count = queries.nearest(x, y, radius, (1 << 1) | (1 << 3), out);
    assert.deepEqual([...out.subarray(0, count)].map(squared), expected.slice(0, 5).map(squared));
  }
});

test(`a way hits whom it comes near first, passing by one row (seed ${SEED})`, () => {
  const { random, positionX, positionY, alive, kind, index } = scene(SEED);
  const queries = new SpaceQueries(index, alive, kind, positionX, positionY, 1);
  let hits = 0;
  for (let i = 0; i < 400; i++) {
    const [x, y, stepX, stepY] = [random() * SIDE, random() * SIDE, random() * 30 - 15, random() * 30 - 15];
    const except = Math.floor(random() * ROWS);
    let first = NO_HIT;
    for (const row of rowsWhere(
      (candidate) => alive[candidate] === 1 && kind[candidate] === 2 && candidate !== except,
    )) {
      first = Math.min(first, sweepCircle(positionX[row] - x, positionY[row] - y, stepX, stepY, 0.8));
    }
    const hit = queries.firstHit(x, y, stepX, stepY, 0.8, 1 << 2, except);
    assert.equal(queries.hitAt, first);
    assert.equal(hit >= 0, first !== NO_HIT);
    if (hit >= 0) hits++;
  }
  assert.ok(hits > 50, `${hits}`);
});

test('rows that died since the index was built are found no more', () => {
  const { positionX, positionY, alive, kind, index } = scene(SEED);
  const queries = new SpaceQueries(index, alive, kind, positionX, positionY, 1);
  const row = alive.indexOf(1);
  const out = new Int32Array(1);
  assert.equal(queries.nearest(positionX[row], positionY[row], 1, 0xff, out), 1);
  alive[row] = 0;
  const count = queries.nearest(positionX[row], positionY[row], 1, 0xff, out);
  assert.ok(count === 0 || out[0] !== row);
});

/** Rows at given places on a line, all of kind 0, and an index that names the rows it is told to. */
function createLine(places: readonly number[], kinds = places.map(() => 0)) {
  let named: readonly number[] = places.map((_, row) => row);
  const answer = (out: Int32Array): number => {
    out.set(named);
    return named.length;
  };
  const index = {
    queryCircle: (_x: number, _y: number, _radius: number, out: Int32Array) => answer(out),
    queryBox: (_minX: number, _minY: number, _maxX: number, _maxY: number, out: Int32Array) => answer(out),
  } as SpaceIndex;
  const alive = new Uint8Array(places.length).fill(1);
  const positionY = new Float32Array(places.length);
  const queries = new SpaceQueries(index, alive, Uint8Array.from(kinds), Float32Array.from(places), positionY, 1);
  const nearest = (radius: number, most: number, mask = 1): number[] => {
    const out = new Int32Array(most);
    const count = queries.nearest(0, 0, radius, mask, out);
    assert.ok(count <= most);
    return [...out.subarray(0, count)];
  };
  return {
    queries,
    nearest,
    name: (rows: readonly number[]) => {
      named = rows;
    },
  };
}

test('equally near rows come in the order of the index, whether or not there is room for all of them', () => {
  const { nearest } = createLine([3, -3, 2, 3, -2, 1]);
  assert.deepEqual(nearest(10, 6), [5, 2, 4, 0, 1, 3]);
  assert.deepEqual(nearest(10, 4), [5, 2, 4, 0]);
  assert.deepEqual(nearest(10, 2), [5, 2]);
  assert.deepEqual(nearest(10, 0), []);
  assert.deepEqual(createLine([1, -1, 1]).nearest(10, 2), [0, 1]);
});

test('a row that stands on the radius is within it', () => {
  const { nearest } = createLine([4, 5, 6]);
  assert.deepEqual(nearest(5, 3), [0, 1]);
});

test('what the index named for an earlier question does not count for this one', () => {
  const { queries, nearest, name } = createLine([2, 3, 1]);
  assert.deepEqual(nearest(10, 3), [2, 0, 1]);
  name([1]);
  assert.deepEqual(nearest(10, 3), [1]);
  name([2, 0, 1]);
  assert.equal(queries.firstHit(0, 0, 5, 0, 0.5, 1, -1), 2);
  name([]);
  assert.equal(queries.firstHit(0, 0, 5, 0, 0.5, 1, -1), -1);
  assert.equal(queries.hitAt, NO_HIT);
});

test('of two rows that a way meets at the same moment the first of the index is hit', () => {
  const { queries, name } = createLine([2, 2]);
  assert.equal(queries.firstHit(0, 0, 4, 0, 1, 1, -1), 0);
  assert.equal(queries.hitAt, 0.25);
  name([1, 0]);
  assert.equal(queries.firstHit(0, 0, 4, 0, 1, 1, -1), 1);
});

test('a mask tells kinds up to 31 apart; those beyond are always wanted', () => {
  const { nearest } = createLine([1, 2, 3, 4], [0, 31, 32, 33]);
  assert.deepEqual(nearest(10, 4, 1), [0, 2, 3]);
  assert.deepEqual(nearest(10, 4, 1 << 31), [1, 2, 3]);
});
