import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GENERATION_MASK, makeKey, WIRE_ID_MASK, wireIdOfKey } from '../../../src/engine/entities/entity-key.js';
import { ENTITIES_PER_ZONE_MAX, ZONES_MAX } from '../../../src/engine/limits.js';

const IDS = [0, 1, ENTITIES_PER_ZONE_MAX - 1, ZONES_MAX * ENTITIES_PER_ZONE_MAX - 1];

test('a key is an unsigned number that keeps its wire id, in every generation', () => {
  for (const id of IDS) {
    for (const generation of [0, 1, 255, 256, 511]) {
      const key = makeKey(id, generation);
      assert.ok(Number.isInteger(key) && key >= 0 && key < 2 ** 32, `${key}`);
      assert.equal(wireIdOfKey(key), id);
    }
  }
  assert.equal(WIRE_ID_MASK, ZONES_MAX * ENTITIES_PER_ZONE_MAX - 1, 'every id of the largest world fits');
});

test('the next 511 uses of an id have other keys, and then the first one comes again', () => {
  for (const id of IDS) {
    const keys = new Set(Array.from({ length: 512 }, (_, generation) => makeKey(id, generation)));
    assert.equal(keys.size, 512);
    assert.equal(makeKey(id, 512), makeKey(id, 0));
    assert.equal(makeKey(id, 65535), makeKey(id, 65535 & GENERATION_MASK));
  }
});
