// Masks, view radii and teams in what a zone writes down of itself: its journal with mirrors and arrivals, snapshots, hashes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillZone } from '../../../src/durability/recovery/world-fill.js';
import { migrateColumns } from '../../../src/durability/snapshots/column-migration.js';
import { decodeZone } from '../../../src/durability/snapshots/zone-snapshot.js';
import { planWorld } from '../../../src/engine/plan/world-plan.js';
import type { GameDefinition, Zone } from '../../../src/game/definition.js';
import { WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { assertHashed, RecordedWorld } from './recorded-world.js';

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
  const recorded = new RecordedWorld(GAME);
  recorded.world.join(0);
  recorded.run(80);
  recorded.takeSnapshot();
  recorded.run(80);
  for (const replayed of recorded.replay(60)) {
    for (const field of ['shownTo', 'sees', 'viewReach', 'team']) assertHashed(replayed, field);
  }
});

test('a world that was stored before its game had masks goes on with all shown to all', () => {
  const before = { ...GAME, visibility: undefined, teams: undefined, systems: [] } as unknown as GameDefinition;
  const recorded = new RecordedWorld(before);
  recorded.run(3);
  const bytes = recorded.takeSnapshot();
  const plan = planWorld(recorded.world.settings, GAME, 1, 0);
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
