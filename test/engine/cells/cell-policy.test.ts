import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseEvictions, type EvictionLimits } from '../../../src/engine/cells/cell-policy.js';
import { CELL_COLD, CELL_EVICTING, CELL_LIVE, CELL_LOADING } from '../../../src/memory/cells/cell-table.js';

const LIMITS: EvictionLimits = {
  tick: 1000,
  freshTicks: 10,
  ttlTicks: 600,
  cellsOver: 0,
  entitiesOver: 0,
  most: 100,
};

function choose(needed: number[], limits: Partial<EvictionLimits>, resting = needed.map(() => 5), state?: number[]) {
  const view = {
    state: Int32Array.from(state ?? needed.map(() => CELL_LIVE)),
    needed: Int32Array.from(needed),
    resting: Int32Array.from(resting),
  };
  return chooseEvictions(view, { ...LIMITS, ...limits });
}

test('a cell goes when nobody has needed it for longer than its time to live, and not before', () => {
  assert.deepEqual(choose([399, 400, 1000, -(2 ** 30)], {}), [3, 0]);
});

test('a time to live that is shorter than zones hear of each other does not take what is needed now', () => {
  assert.deepEqual(choose([1000, 994, 990, 989], { ttlTicks: 0 }), [3]);
});

test('beyond the limit of cells the longest unneeded go, as many as are too many', () => {
  assert.deepEqual(choose([900, 700, 950, 800], { cellsOver: 2 }), [1, 3]);
});

test('beyond the limit of entities cells go until what is left fits', () => {
  assert.deepEqual(choose([900, 700, 950, 800], { entitiesOver: 12 }, [100, 5, 100, 8]), [1, 3]);
});

test('what is needed now stays, whatever the limits', () => {
  assert.deepEqual(choose([990, 1000, 995], { cellsOver: 3, entitiesOver: 1000 }), []);
  assert.deepEqual(choose([990, 989, 995], { cellsOver: 3 }), [1]);
});

test('what is old goes although there is room, and counts for what is too many', () => {
  assert.deepEqual(choose([100, 900, 800], { cellsOver: 1 }), [0]);
  assert.deepEqual(choose([100, 900, 800], { cellsOver: 2 }), [0, 2]);
});

test('only live cells go, and no more at once than allowed', () => {
  const state = [CELL_COLD, CELL_LOADING, CELL_LIVE, CELL_EVICTING, CELL_LIVE];
  assert.deepEqual(choose([1, 1, 2, 1, 1], {}, [5, 5, 5, 5, 5], state), [4, 2]);
  assert.deepEqual(choose([1, 1, 2, 1, 1], { most: 1 }, [5, 5, 5, 5, 5], state), [4]);
  assert.deepEqual(choose([1, 1, 2, 1, 1], { most: 0 }, [5, 5, 5, 5, 5], state), []);
});

test('cells that were needed at the same tick go in a fixed order', () => {
  assert.deepEqual(choose([7, 7, 7], {}), [0, 1, 2]);
});

test('at the edge of its time to live a cell stays, and what is too many is not counted for it', () => {
  assert.deepEqual(choose([400, 399], { cellsOver: 1 }), [1]);
  assert.deepEqual(choose([400, 399], { entitiesOver: 5 }), [1]);
  assert.deepEqual(choose([989, 990], { cellsOver: 2, ttlTicks: 10 }), [0]);
  assert.deepEqual(choose([400, 900], { entitiesOver: 1 }), [0], 'one entity too many');
});
