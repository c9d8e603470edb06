// A tick thread that does nothing but commit: every cell of a tick's rows says which tick it is. Started by
// world-race.test.ts, which ends it by terminating it wherever it is.

import { workerData } from 'node:worker_threads';
import { LIVE_BLOCK, WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { SCALAR_ROW_LIMIT, SCALAR_TICK } from '../../../src/memory/world/world-layout.js';
import { RACE_LAYOUT, rowsOfTick } from './world-race-layout.js';

const world = new WorldBuffer(workerData as SharedArrayBuffer, RACE_LAYOUT);
world.restore();
const { scalars, columns } = world.blocks[LIVE_BLOCK];
for (;;) {
  const tick = (scalars[SCALAR_TICK] + 1) | 0;
  scalars[SCALAR_TICK] = tick;
  scalars[SCALAR_ROW_LIMIT] = rowsOfTick(tick);
  for (const { name } of RACE_LAYOUT.columns) columns[name].fill(tick, 0, rowsOfTick(tick));
  world.commit();
}
