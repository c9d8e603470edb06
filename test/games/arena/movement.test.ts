import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { pushOut, STOPPED_X, STOPPED_Y, speedPerIntent, walk } from '../../../src/games/arena/movement.js';
import { BODY_RADIUS, PILLAR_RADIUS, PLAYER_SPEED } from '../../../src/games/arena/rules.js';
import { headingX, headingY } from '../../../src/games/heading.js';

const WORLD = 100;
const TOUCH = PILLAR_RADIUS + BODY_RADIUS;

/** The body in row 0, a pillar in row 1. */
function body(x: number, y: number) {
  return {
    x: new Float32Array([x, 50]),
    y: new Float32Array([y, 50]),
    vx: new Float32Array(2),
    vy: new Float32Array(2),
  };
}

/** One tick of one second. */
function step(at: ReturnType<typeof body>, x: number, y: number): number {
  at.vx[0] = x;
  at.vy[0] = y;
  return walk(at.x, at.y, at.vx, at.vy, 0, 1, WORLD, WORLD);
}

test('a full intent along an axis gives full speed, and half of it half', () => {
  assert.equal(127 * speedPerIntent(127, 0), PLAYER_SPEED);
  assert.ok(Math.abs(64 * speedPerIntent(0, 64) - PLAYER_SPEED * (64 / 127)) < 1e-9);
});

test('no intent is faster than full speed, diagonals included', () => {
  for (let x = -127; x <= 127; x++) {
    for (let y = -127; y <= 127; y++) {
      const speed = Math.hypot(x, y) * speedPerIntent(x, y);
      assert.ok(speed <= PLAYER_SPEED + 1e-9, `(${x}, ${y}) gives ${speed}`);
    }
  }
});

test('no intent stands still', () => {
  assert.equal(0 * speedPerIntent(0, 0), 0);
});

test('a body walks by its step', () => {
  const at = body(50, 50);
  assert.equal(step(at, 0.5, -0.25), 0);
  assert.deepEqual([at.x[0], at.y[0]], [50.5, 49.75]);
});

test('a border stops the axis that runs into it and not the other', () => {
  const at = body(WORLD - BODY_RADIUS - 0.1, 50);
  assert.equal(step(at, 1, 1), STOPPED_X);
  assert.deepEqual([at.x[0], at.y[0]], [WORLD - BODY_RADIUS, 51]);
});

test('a corner stops both axes', () => {
  const at = body(1, 1);
  assert.equal(step(at, -5, -5), STOPPED_X | STOPPED_Y);
  assert.deepEqual([at.x[0], at.y[0]], [BODY_RADIUS, BODY_RADIUS]);
});

test('a body outside of a pillar is not touched', () => {
  const at = body(50 + TOUCH + 0.01, 50);
  const before = at.x[0];
  pushOut(at.x, at.y, 0, 1);
  assert.deepEqual([at.x[0], at.y[0]], [before, 50]);
});

test('a body in the very middle of a pillar gets out', () => {
  const at = body(50, 50);
  pushOut(at.x, at.y, 0, 1);
  assert.ok(Math.hypot(at.x[0] - 50, at.y[0] - 50) >= TOUCH - 1e-3);
});

test('a body that walks at a pillar off its centre slides round it', () => {
  const at = body(40, 50.3);
  for (let tick = 0; tick < 60 * 6; tick++) {
    step(at, 0.1, 0);
    pushOut(at.x, at.y, 0, 1);
    assert.ok(Math.hypot(at.x[0] - 50, at.y[0] - 50) >= TOUCH - 1e-3, `inside at tick ${tick}`);
  }
  assert.ok(at.x[0] > 55, `still at ${at.x[0]}`);
});

test('no walk of any direction ends in a pillar or outside of the world', () => {
  const seed = 41;
  const random = createRandom(seed);
  const at = body(10, 10);
  for (let tick = 0; tick < 20000; tick++) {
    if (tick % 50 === 0) at.x[0] = random() * WORLD;
    step(at, (random() - 0.5) * 2, (random() - 0.5) * 2);
    pushOut(at.x, at.y, 0, 1);
    const [x, y] = [at.x[0], at.y[0]];
    assert.ok(x >= BODY_RADIUS && y >= BODY_RADIUS && x <= WORLD - BODY_RADIUS && y <= WORLD - BODY_RADIUS);
    assert.ok(Math.hypot(x - 50, y - 50) >= TOUCH - 1e-3, `seed ${seed}, tick ${tick}: (${x}, ${y})`);
  }
});

test('headings agree with sine and cosine over the whole turn', () => {
  for (let angle = 0; angle < 65536; angle++) {
    const radians = (angle / 65536) * 2 * Math.PI;
    assert.ok(Math.abs(headingX(angle) - Math.cos(radians)) < 1e-7, `x of ${angle}: ${headingX(angle)}`);
    assert.ok(Math.abs(headingY(angle) - Math.sin(radians)) < 1e-7, `y of ${angle}: ${headingY(angle)}`);
  }
});
