// Ids that rest before they are given out again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { EntityIds } from '../../../src/engine/entities/entity-ids.js';
import { ID_REST_SECONDS } from '../../../src/engine/entities/limits.js';
import { COUNTER, COUNTER_COUNT } from '../../../src/memory/tables/zone-counters.js';

const TICK_HZ = 10;
const REST_TICKS = ID_REST_SECONDS * TICK_HZ;
const SEED = Number(process.env.SEED ?? 1 + (Date.now() % 100000));

class Stage {
  readonly taken: Uint8Array;
  readonly freed: Uint16Array;
  readonly counters = new Float64Array(COUNTER_COUNT);
  ids: EntityIds;
  limit = 0;

  constructor(readonly capacity: number) {
    this.taken = new Uint8Array(capacity);
    this.freed = new Uint16Array(capacity);
    this.ids = this.open();
  }

  open(): EntityIds {
    return new EntityIds(this.capacity, TICK_HZ, this.taken, this.freed, this.counters);
  }

  /** As a successor does, over what was committed. */
  renew(tick: number): void {
    this.limit = Math.max(this.limit, this.ids.limit);
    this.ids = this.open();
    this.ids.attach(this.limit, tick);
  }
}

test('an id rests before it is given out again', () => {
  const { ids } = new Stage(64);
  assert.deepEqual([ids.take(), ids.take(), ids.take()], [0, 1, 2]);
  ids.give(1, 5);
  assert.equal(ids.take(), 3);
  ids.rise(REST_TICKS - 1);
  assert.equal(ids.take(), 4);
  ids.rise(REST_TICKS + 9);
  assert.equal(ids.take(), 1);
  assert.equal(ids.take(), 5);
});

test('what no entity came to have is free at once', () => {
  const { ids } = new Stage(64);
  ids.putBack(ids.take());
  assert.equal(ids.take(), 0);
});

test('where all are taken or rest, those that have rested longest are hurried, and counted', () => {
  const { ids, counters } = new Stage(4);
  for (let id = 0; id < 4; id++) ids.take();
  assert.equal(ids.take(), -1);
  ids.give(3, 0);
  ids.give(2, TICK_HZ);
  ids.give(0, TICK_HZ);
  assert.equal(ids.take(), 3);
  assert.equal(counters[COUNTER.idsHurried], 1);
  assert.equal(ids.take(), 0);
  assert.equal(counters[COUNTER.idsHurried], 3, 'both of that second');
  assert.equal(ids.take(), 2);
  assert.equal(ids.take(), -1);
});

test(`a successor gives out the ids that its predecessor would have (SEED=${SEED})`, () => {
  const [one, other] = [new Stage(96), new Stage(96)];
  const random = createRandom(SEED);
  const living: number[] = [];
  for (let tick = 1; tick < 6 * REST_TICKS; tick++) {
    for (const { ids } of [one, other]) ids.rise(tick);
    if (random() < 0.15) {
      const [id, same] = [one.ids.take(), other.ids.take()];
      assert.equal(same, id, `tick ${tick}`);
      if (id >= 0) living.push(id);
    }
    if (living.length > 0 && random() < 0.13) {
      const [id] = living.splice(Math.floor(random() * living.length), 1);
      for (const { ids } of [one, other]) ids.give(id, tick);
    }
    if (random() < 0.02) other.renew(tick);
  }
  assert.ok(one.counters[COUNTER.idsHurried] > 0, 'some were hurried');
  assert.deepEqual(other.freed, one.freed);
});
