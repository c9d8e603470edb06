// One thread commits as fast as it can, another one reads: what a reader is told to be whole is one tick's.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createRandom } from '../../../src/base/chance.js';
import type { AnyColumn } from '../../../src/memory/world/column-types.js';
import { WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { SCALAR_ROW_LIMIT, SCALAR_TICK } from '../../../src/memory/world/world-layout.js';
import { RACE_LAYOUT, rowsOfTick } from './world-race-layout.js';

const WORKER_URL = new URL('./world-race-worker.js', import.meta.url);
/** A thread that does not run must not hang the tests; no measurement. */
const WAIT_MS_MAX = 60000;
/** The thread that commits is ended wherever it is, and another one begins. */
const LIVES = 3;
const WHOLE_PER_LIFE = 400;
/** Between two columns, of a column's cells: so that some looks end while their block is being written over. */
const DWELL_MAX = 20;
const SEED = Number(process.env.TESSERA_SEED ?? 1);

interface Look {
  tick: number;
  rows: number;
  columns: AnyColumn[];
}

/** Undefined: it was written over meanwhile. */
function look(world: WorldBuffer, random: () => number): Look | undefined {
  const held = world.hold();
  const { scalars, columns } = world.committed;
  const tick = scalars[SCALAR_TICK];
  const rows = scalars[SCALAR_ROW_LIMIT];
  const found = RACE_LAYOUT.columns.map(({ name }) => {
    let cells = columns[name].slice(0, rows);
    for (let left = DWELL_MAX * random() ** 3; left > 1; left--) cells = columns[name].slice(0, rows);
    return cells;
  });
  return world.isHeld(held) ? { tick, rows, columns: found } : undefined;
}

function check({ tick, rows, columns }: Look, newest: number): number {
  const context = `tick ${tick}, TESSERA_SEED=${SEED}`;
  assert.equal(rows, rowsOfTick(tick), context);
  for (const cells of columns) {
    const other = cells.find((cell) => cell !== tick);
    assert.equal(other, undefined, `${context}: a cell of another tick`);
  }
  assert.ok(tick >= newest, `${context}, after ${newest}`);
  return tick;
}

test('what is held is one tick, whatever is committed meanwhile, and no older one than before', {
  timeout: 2 * WAIT_MS_MAX,
}, async (t) => {
  const buffer = WorldBuffer.create(RACE_LAYOUT, 0);
  const world = new WorldBuffer(buffer, RACE_LAYOUT);
  const random = createRandom(SEED);
  let newest = 0;
  let overtaken = 0;
  const untilMs = performance.now() + WAIT_MS_MAX;
  for (let life = 0; life < LIVES; life++) {
    const thread = new Worker(WORKER_URL, { workerData: buffer });
    try {
      await once(thread, 'online');
      for (let whole = 0; whole < WHOLE_PER_LIFE; ) {
        assert.ok(performance.now() < untilMs, `life ${life}: ${whole} whole looks, ${overtaken} overtaken`);
        const found = look(world, random);
        if (found === undefined) overtaken++;
        if (found === undefined || found.tick === 0) continue;
        newest = check(found, newest);
        whole++;
      }
    } finally {
      await thread.terminate(); // in the middle of a commit as likely as not
    }
  }
  t.diagnostic(`overtaken ${overtaken} times up to tick ${newest}`);
});
