import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clampInside } from '../../src/base/area.js';

test('a position outside of the world moves to one unit inside of it, any other stays', () => {
  assert.deepEqual(
    [-5, 0, 0.5, 1, 63.5, 127, 127.5, 1e9].map((position) => clampInside(position, 128)),
    [1, 1, 1, 1, 63.5, 127, 127, 127],
  );
});
