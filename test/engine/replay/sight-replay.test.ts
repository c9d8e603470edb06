// Masks, view radii and teams in what a zone writes down of itself: its journal with mirrors and arrivals, snapshots, hashes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordsAfter } from '../../../src/durability/recovery/journal-recovery.js';
import { fillZone } from '../../../src/durability/recovery/world-fill.js';
import { migrateColumns } from '../../../src/durability/snapshots/column-migration.js';
import { decodeZone } from '../../../src/durability/snapshots/zone-snapshot.js';
import { planWorld } from '../../../src/engine/plan/world-plan.js';
import { ZoneReplay } from '../../../src/engine/replay/zone-replay.js';
import type { GameDefinition, Zone } from '../../../src/game/definition.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import { compareHashes, hashBlock } from '../../../src/memory/world/state-hash.js';
import { LIVE_BLOCK, WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';
import { JournalKeeper } from '../../durability/recovery/journal-keeper.js';
import { encodeZone } from '../../durability/snapshots/plain-snapshot.js';

const FIELDS = { speed: { type: 'f32' } } as const;
type TheZone = Zone<typeof FIELDS>;

/** Walkers that cross the border to and fro; each takes up masks and teams of those near it, also beyond the border. */
const GAME = {
  name: 'shades',
  version: 1,
  kinds: ['walker'],
  visibility: 'masks',
  teams: true,
  fields: FIELDS,
  commands: [],
  events: [],
  systems: [
    {
      name: 'walk',
      run(zone: TheZone) {
        const { alive, positionX, positionY, columns, shownTo, sees, team } = zone;
        const near = new Int32Array(16);
        for (let row = 0; row < zone.rowLimit; row++) {
          if (alive[row] === 0) continue;
          const x = positionX[row] + columns.speed[row];
          if (x < 80 || x > 120) columns.speed[row] *= -1;
          positionX[row] = x;
          const count = zone.queryCircle(x, positionY[row], 8, near);
          for (let i = 0; i < count; i++) {
            shownTo[row] = (shownTo[row] * 3 + shownTo[near[i]] + sees[near[i]]) >>> 0;
            sees[row] ^= shownTo[near[i]] << 1;
            team[row] += team[near[i]] + 1;
          }
          if (zone.random() < 0.1) zone.setViewRadius(row, zone.random() * 50);
        }
      },
    },
  ],
  populate(zone: TheZone) {
    for (let i = 0; i < 12; i++) {
      const row = zone.spawn(0, zone.area.x === 0 ? 90 + i / 2 : 104 + i / 2, 20 + i * 3);
      zone.columns.speed[row] = 0.3 + i / 20;
    }
  },
  spawnPlayer: (zone: TheZone, x: number, y: number) => zone.spawn(0, x, y),
} as unknown as GameDefinition;

test('a zone with masks is run again from its journal and from a snapshot to the same state', () => {
  const world = new HeadlessWorld(GAME, { zoneColumns: 2, zoneRows: 1, bots: 0, seed: 3 });
  const keeper = new JournalKeeper(world);
  const { layout } = world.plan;
  world.join(0);
  let snapshot: Buffer | undefined;
  const identity = { rowCapacity: layout.rowCapacity } as never;
  for (let tick = 0; tick < 160; tick++) {
    if (tick === 80) snapshot = encodeZone(new WorldBuffer(world.plan.worlds[0], layout), identity, 1, 0);
    world.run(1);
    keeper.take();
  }
  assert.ok(world.counter(COUNTER.entitiesArrived) > 10);
  for (const start of [undefined, snapshot]) {
    const plan = planWorld(world.settings, GAME, 1, 0);
    let serial = 0;
    if (start !== undefined) {
      const decoded = decodeZone(start);
      fillZone(new WorldBuffer(plan.worlds[0], layout), decoded);
      serial = decoded.scalars[8];
    }
    const replay = new ZoneReplay(plan, 0, GAME);
    const block = replay.zone.buffer.blocks[LIVE_BLOCK];
    let compared = 0;
    for (const { tick, bytes } of recordsAfter(keeper.records[0], serial)) {
      replay.runTick(bytes);
      const expected = keeper.hashes[0].get(tick);
      if (expected === undefined) continue;
      assert.deepEqual(compareHashes(expected, hashBlock(block, layout).sums, layout), [], `tick ${tick}`);
      compared++;
    }
    assert.ok(compared > 60, String(compared));
    for (const field of ['shownTo', 'sees', 'viewReach', 'team']) {
      const before = hashBlock(block, layout).sums;
      const row = block.columns.alive.indexOf(1);
      block.columns[field][row]++;
      assert.deepEqual(compareHashes(before, hashBlock(block, layout).sums, layout), [{ field, row }]);
    }
  }
});

test('a world that was stored before its game had masks goes on with all shown to all', () => {
  const before = { ...GAME, visibility: undefined, teams: undefined, systems: [] } as unknown as GameDefinition;
  const world = new HeadlessWorld(before, { zoneColumns: 2, zoneRows: 1, bots: 0, seed: 3 });
  world.run(3);
  const { layout } = world.plan;
  const bytes = encodeZone(
    new WorldBuffer(world.plan.worlds[0], layout),
    { rowCapacity: layout.rowCapacity } as never,
    1,
    0,
  );
  const plan = planWorld(world.settings, GAME, 1, 0);
  const { snapshot, changes } = migrateColumns(decodeZone(bytes), plan.layout.columns);
  assert.deepEqual(changes, [
    'shownTo is new and 4294967295',
    'sees is new and 1',
    'viewReach is new and 16384',
    'team is new and zero',
  ]);
  const filled = new WorldBuffer(plan.worlds[0], plan.layout);
  fillZone(filled, snapshot);
  const { columns } = filled.committed;
  const row = columns.alive.indexOf(1);
  assert.deepEqual(
    ['shownTo', 'sees', 'viewReach', 'team'].map((name) => columns[name][row]),
    [0xffffffff, 1, 16384, 0],
  );
});
