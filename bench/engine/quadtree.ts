// Rebuild and query of the spatial index, at the density of about 40 entities within a view of radius 24.

import { createRandom } from '../../src/base/chance.js';
import { Quadtree } from '../../src/engine/space/quadtree.js';
import { type BenchCase, type BenchModule, type BenchOptions, foldChecksum, measureCases } from '../bench.js';

const ENTITY_COUNTS = [1000, 10_000, 50_000, 100_000];
const SMALL_ENTITY_COUNTS = [1000];
const VIEW_RADIUS = 24;
const TOUCH_RADIUS = 2;
const SEEN = 40;
const LEAF_SIZE = 12;
/** Most per tick and axis: 9 units per second at 60 ticks. */
const STEP = 0.15;
const QUERIES_PER_CALL = 1024;

export const bench: BenchModule = {
  name: 'quadtree',
  summary: 'spatial index: rebuild of standing and of moved entities, circle queries',
  async run(options) {
    const rows = [];
    for (const count of options.small ? SMALL_ENTITY_COUNTS : ENTITY_COUNTS) {
      rows.push(...(await measureCases(createCases(count, options.seed), options)));
    }
    return rows;
  },
};

interface Crowd {
  count: number;
  side: number;
  alive: Uint8Array;
  positionX: Float32Array;
  positionY: Float32Array;
  velocityX: Float32Array;
  velocityY: Float32Array;
}

function createCases(count: number, seed: BenchOptions['seed']): BenchCase[] {
  const size = count.toLocaleString('en-US');
  const random = createRandom(seed);
  const standing = createCrowd(count, random);
  const moving = createCrowd(count, random);
  const standingTree = createTree(standing);
  const movingTree = createTree(moving);
  const probes = { x: new Float32Array(QUERIES_PER_CALL), y: new Float32Array(QUERIES_PER_CALL) };
  for (let i = 0; i < QUERIES_PER_CALL; i++) {
    probes.x[i] = random() * standing.side;
    probes.y[i] = random() * standing.side;
  }
  const rows = new Int32Array(1024);
  const distances = new Float32Array(1024);
  const found = { view: 0, touch: 0 };

  return [
    { name: `build ${size}`, unitsPerCall: 1, call: () => rebuild(standingTree, standing, rows) },
    {
      name: `move ${size}`,
      unitsPerCall: 1,
      prepare: () => advance(moving),
      call: () => rebuild(movingTree, moving, rows),
    },
    {
      name: `query ${size}`,
      unitsPerCall: QUERIES_PER_CALL,
      call() {
        let checksum = 0;
        found.view = 0;
        for (let i = 0; i < QUERIES_PER_CALL; i++) {
          const hits = standingTree.queryCircle(probes.x[i], probes.y[i], VIEW_RADIUS, rows);
          found.view += hits;
          checksum = (checksum + hits * rows[0]) | 0;
        }
        return checksum;
      },
      note: () => `${(found.view / QUERIES_PER_CALL).toFixed(1)} found within ${VIEW_RADIUS}`,
    },
    {
      name: `query with distance ${size}`,
      unitsPerCall: QUERIES_PER_CALL,
      call() {
        let checksum = 0;
        for (let i = 0; i < QUERIES_PER_CALL; i++) {
          standingTree.circle[0] = probes.x[i];
          standingTree.circle[1] = probes.y[i];
          standingTree.circle[2] = VIEW_RADIUS;
          const hits = standingTree.collectCircleWithDistance(rows, distances);
          checksum += hits * distances[0];
        }
        return checksum;
      },
    },
    {
      name: `touch query ${size}`,
      unitsPerCall: QUERIES_PER_CALL,
      call() {
        let checksum = 0;
        found.touch = 0;
        for (let i = 0; i < QUERIES_PER_CALL; i++) {
          const hits = standingTree.queryCircle(probes.x[i], probes.y[i], TOUCH_RADIUS, rows);
          found.touch += hits;
          checksum = (checksum + (hits > 0 ? rows[0] : i)) | 0;
        }
        return checksum;
      },
      note: () => `${(found.touch / QUERIES_PER_CALL).toFixed(1)} found within ${TOUCH_RADIUS}`,
    },
  ];
}

function createCrowd(count: number, random: () => number): Crowd {
  const side = Math.sqrt((count * Math.PI * VIEW_RADIUS ** 2) / SEEN);
  const crowd: Crowd = {
    count,
    side,
    alive: new Uint8Array(count).fill(1),
    positionX: new Float32Array(count),
    positionY: new Float32Array(count),
    velocityX: new Float32Array(count),
    velocityY: new Float32Array(count),
  };
  for (let i = 0; i < count; i++) {
    crowd.positionX[i] = random() * side;
    crowd.positionY[i] = random() * side;
    crowd.velocityX[i] = (random() - 0.5) * 2 * STEP;
    crowd.velocityY[i] = (random() - 0.5) * 2 * STEP;
  }
  return crowd;
}

function createTree({ side, count, alive, positionX, positionY }: Crowd): Quadtree {
  const tree = new Quadtree({
    originX: 0,
    originY: 0,
    width: side,
    height: side,
    leafSize: LEAF_SIZE,
    capacity: count,
  });
  tree.build(alive, positionX, positionY, 0, count);
  return tree;
}

/** Steps everyone, turning round at the border. */
function advance({ count, side, positionX, positionY, velocityX, velocityY }: Crowd): void {
  for (let i = 0; i < count; i++) {
    const x = positionX[i] + velocityX[i];
    const y = positionY[i] + velocityY[i];
    if (x < 0 || x > side) velocityX[i] = -velocityX[i];
    else positionX[i] = x;
    if (y < 0 || y > side) velocityY[i] = -velocityY[i];
    else positionY[i] = y;
  }
}

/** The query shows that the rebuild has happened; beside it, it costs nothing. */
function rebuild(tree: Quadtree, { alive, positionX, positionY, count, side }: Crowd, rows: Int32Array): number {
  tree.build(alive, positionX, positionY, 0, count);
  const hits = tree.queryCircle(side / 2, side / 2, VIEW_RADIUS, rows);
  let checksum = tree.count;
  for (let i = 0; i < hits; i++) {
    checksum = foldChecksum(checksum, rows[i]);
  }
  return checksum;
}
