import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULTS } from '../../../src/config/settings.js';
import { engineColumnsOf } from '../../../src/engine/entities/columns.js';
import { planWorld, type WorldPlan } from '../../../src/engine/plan/world-plan.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import { LIVE_BLOCK, WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { SCALAR_ROW_LIMIT, SCALAR_TICK } from '../../../src/memory/world/world-layout.js';
import coins from '../../games/toy/game.js';
import { WorldHistory } from './world-history.js';

const SETTINGS = { ...DEFAULTS, zoneColumns: 1, zoneRows: 1, entitiesPerZone: 64, bots: 0, data: 'simulated' };
const MORTAL = 2;

/** A zone in which these live. */
function worldOf(tick: number, keys: readonly number[]): { plan: WorldPlan; buffer: WorldBuffer } {
  const plan = planWorld(SETTINGS, coins as unknown as GameDefinition, 1, 0);
  const buffer = new WorldBuffer(plan.worlds[0], plan.layout);
  stand(buffer, tick, keys);
  buffer.commit();
  return { plan, buffer };
}

function stand(buffer: WorldBuffer, tick: number, keys: readonly number[]): void {
  const live = buffer.blocks[LIVE_BLOCK];
  const { alive, key, positionX } = engineColumnsOf(live);
  for (const [row, one] of keys.entries()) {
    alive[row] = 1;
    key[row] = one;
    positionX[row] = tick; // all walk
  }
  alive.fill(0, keys.length);
  live.scalars[SCALAR_ROW_LIMIT] = keys.length;
  live.scalars[SCALAR_TICK] = tick;
}

/** As a thread does that ends between its record of tick 2 and the commit of it; then its successor begins. */
function loseTick(died: ReadonlySet<number>): { history: WorldHistory; buffer: WorldBuffer } {
  const { plan, buffer } = worldOf(1, [1, MORTAL]);
  const history = new WorldHistory(plan);
  stand(buffer, 2, [1]);
  history.journaled(0, buffer.blocks[LIVE_BLOCK], died);
  history.committed(0, buffer.committed);
  return { history, buffer };
}

test('who died in a tick that was written down and never committed is not missed where the journal ends with it', () => {
  const { history } = loseTick(new Set([MORTAL]));
  assert.equal(history.checkRecovered(worldOf(2, [1]).plan, 2), 0);
});

test('nor where a successor wrote another record in its place, in which it died later', () => {
  const { history, buffer } = loseTick(new Set([MORTAL]));
  stand(buffer, 3, [1]);
  history.journaled(0, buffer.blocks[LIVE_BLOCK], new Set([MORTAL]));
  buffer.commit();
  history.died(0, MORTAL, 3);
  history.committed(0, buffer.committed);
  assert.equal(history.checkRecovered(worldOf(2, [1]).plan, 2), 0);
  assert.equal(history.checkRecovered(worldOf(3, [1]).plan, 3), 0);
});

test('who died in a tick that nothing is left of is missed where it does not live on', () => {
  const { history, buffer } = loseTick(new Set([MORTAL]));
  stand(buffer, 3, [1, MORTAL]);
  history.journaled(0, buffer.blocks[LIVE_BLOCK], new Set());
  buffer.commit();
  history.committed(0, buffer.committed);
  assert.equal(history.checkRecovered(worldOf(3, [1, MORTAL]).plan, 3), 0);
  assert.throws(() => history.checkRecovered(worldOf(3, [1]).plan, 3), /the journal brings back what was/);
});

test('who is gone from a tick that was written down, and did not die, is missed', () => {
  const { history } = loseTick(new Set());
  assert.throws(() => history.checkRecovered(worldOf(2, [1]).plan, 2), /the journal brings everybody back/);
});
