import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LazyIndex } from '../../../src/engine/space/lazy-index.js';
import { Quadtree } from '../../../src/engine/space/quadtree.js';
import type { EngineZone } from '../../../src/engine/zone/zone.js';
import { SCALAR_COUNT, SCALAR_MIRROR_LIMIT } from '../../../src/memory/world/world-layout.js';

const OWN = 8;
const ROWS = 12;

function createZone() {
  const scalars = new Int32Array(SCALAR_COUNT);
  const zone = {
    rowCapacity: ROWS,
    ownCapacity: OWN,
    firstMirror: OWN,
    rowLimit: 0,
    scalars,
    alive: new Uint8Array(ROWS),
    positionX: new Float32Array(ROWS),
    positionY: new Float32Array(ROWS),
  };
  return {
    zone: zone as unknown as EngineZone,
    place(row: number, x: number): void {
      zone.alive[row] = 1;
      zone.positionX[row] = x;
      zone.positionY[row] = 10;
      if (row < OWN) zone.rowLimit = Math.max(zone.rowLimit, row + 1);
      else scalars[SCALAR_MIRROR_LIMIT] = Math.max(scalars[SCALAR_MIRROR_LIMIT], row + 1);
    },
    remove(row: number): void {
      zone.alive[row] = 0;
    },
  };
}

function createTree(): Quadtree {
  return new Quadtree({ originX: 0, originY: 0, width: 128, height: 128, leafSize: 8, capacity: ROWS });
}

function rowsAt(index: LazyIndex, x: number, radius = 5): number[] {
  const out = new Int32Array(ROWS);
  return [...out.subarray(0, index.queryCircle(x, 10, radius, out))].sort((a, b) => a - b);
}

test('before a tree and before the first tick nothing is found', () => {
  assert.deepEqual(rowsAt(new LazyIndex(), 20), []);
  assert.deepEqual(rowsAt(new LazyIndex().over(createTree()), 20), []);
});

test('it finds own rows and mirrors where they were at the end of the tick, whatever moved since', () => {
  const { zone, place, remove } = createZone();
  const index = new LazyIndex().over(createTree());
  place(0, 20);
  place(7, 22);
  place(OWN, 21);
  place(ROWS - 1, 24);
  index.note(zone);
  place(0, 90);
  remove(7);
  assert.deepEqual(rowsAt(index, 20), [0, 7, OWN, ROWS - 1]);
  assert.deepEqual(rowsAt(index, 90), []);
  index.note(zone);
  assert.deepEqual(rowsAt(index, 20), [OWN, ROWS - 1]);
  assert.deepEqual(rowsAt(index, 90), [0]);
});

test('it is built once per tick, at the first question, and not at all without one', () => {
  const { zone, place } = createZone();
  const tree = createTree();
  let built = 0;
  const begin = tree.begin.bind(tree);
  tree.begin = () => {
    built++;
    begin();
  };
  const index = new LazyIndex().over(tree);
  place(3, 50);
  index.note(zone);
  index.note(zone);
  assert.equal(built, 0);
  rowsAt(index, 50);
  rowsAt(index, 60);
  assert.equal(built, 1);
  index.note(zone);
  assert.deepEqual(rowsAt(index, 50), [3]);
  assert.equal(built, 2);
});

test('rows between the limits and the mirrors are not looked at', () => {
  const { zone, place } = createZone();
  place(2, 30);
  zone.alive[5] = 1; // a row that was used once, beyond the limit
  zone.positionX[5] = 30;
  zone.positionY[5] = 10;
  const index = new LazyIndex().over(createTree());
  index.note(zone);
  assert.deepEqual(rowsAt(index, 30), [2]);
});
