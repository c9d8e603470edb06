// Kinds with components in what a zone writes down of itself: borders, journal, snapshot, hashes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillZone } from '../../../src/durability/recovery/world-fill.js';
import { decodeZone } from '../../../src/durability/snapshots/zone-snapshot.js';
import { planWorld } from '../../../src/engine/plan/world-plan.js';
import { defineGame } from '../../../src/game/define-game.js';
import { LIVE_BLOCK, WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { assertHashed, RecordedWorld } from './recorded-world.js';

const components = {
  legs: { speed: { type: 'f32' } },
  bag: { item: { type: 'u16', length: 9, wire: {} }, name: { type: 'text', bytes: 7, wire: {} } },
  stone: { moss: { type: 'f64' } },
} as const;
type Part = keyof typeof components;

const [WALKER, GHOST, PILLAR] = [0, 1, 2];

/** Two kinds that walk over the border, and things that come and go between them, so that rows change hands. */
function createGame(kinds: { walker: Part[]; ghost: Part[]; pillar: Part[] }) {
  return defineGame({
    name: 'parts',
    version: 1,
    fields: { age: { type: 'u32' } },
    components,
    kinds,
    systems: [
      {
        name: 'walk',
        run(zone) {
          const { alive, kind, positionX, columns } = zone;
          for (let row = 0; row < zone.rowLimit; row++) {
            if (alive[row] === 0) continue;
            columns.age[row]++;
            if (kind[row] === PILLAR) {
              columns.moss[row] += zone.random();
              if (zone.random() < 0.05) zone.despawn(row);
              continue;
            }
            const x = positionX[row] + columns.speed[row];
            if (x < 80 || x > 120) columns.speed[row] *= -1;
            positionX[row] = x;
            if (kind[row] !== WALKER) continue;
            columns.item[row * 9 + (columns.age[row] % 9)] += 3;
            if (zone.random() < 0.1) zone.setText('name', row, `é${zone.tick % 1000}`);
          }
          for (let i = 0; i < 3; i++) zone.spawn(PILLAR, zone.area.x + 20 + zone.random() * 60, 10);
        },
      },
    ],
    populate(zone) {
      for (let i = 0; i < 24; i++) {
        const row = zone.spawn(i % 2 === 0 ? WALKER : GHOST, zone.area.x === 0 ? 90 + i / 4 : 104 + i / 4, 20 + i * 3);
        zone.columns.speed[row] = 0.3 + i / 40;
      }
    },
    spawnPlayer: (zone, x, y) => zone.spawn(WALKER, x, y),
  });
}

const GAME = createGame({ walker: ['legs', 'bag'], ghost: ['legs'], pillar: ['stone'] });

test('a zone with components is run again from its journal and from a snapshot to the same state', () => {
  const recorded = new RecordedWorld(GAME);
  recorded.world.join(0);
  recorded.run(80);
  recorded.takeSnapshot();
  recorded.run(80);
  for (const replayed of recorded.replay(60)) assertHashed(replayed, 'age');
});

test('what crosses a border has its fields on the other side', () => {
  const recorded = new RecordedWorld(GAME);
  recorded.run(160);
  const seen = recorded.world.zones.flatMap((zone) => {
    const { alive, kind, columns } = zone as never as {
      alive: Uint8Array;
      kind: Uint8Array;
      columns: Record<string, Uint16Array>;
    };
    const rows = Array.from({ length: zone.rowLimit }, (_, row) => row).filter(
      (row) => alive[row] !== 0 && kind[row] === WALKER,
    );
    return rows.map((row) => [
      columns.age[row] * 3,
      columns.item.slice(row * 9, row * 9 + 9).reduce((sum, n) => sum + n),
    ]);
  });
  assert.equal(seen.length, 24);
  for (const [expected, items] of seen) assert.equal(items, expected);
});

test('a component that a kind has come to have since is zeros after a restore, and what it had stays', () => {
  const recorded = new RecordedWorld(GAME);
  recorded.run(90);
  const snapshot = decodeZone(recorded.takeSnapshot());
  const later = createGame({ walker: ['legs', 'bag', 'stone'], ghost: ['legs', 'bag'], pillar: ['bag', 'stone'] });
  const plan = planWorld(recorded.world.settings, later, 1, 0);
  const world = new WorldBuffer(plan.worlds[0], plan.layout);
  // In the memory of a process that has had another world: what is not in the snapshot is cleared too.
  world.blocks[LIVE_BLOCK].columns.item.fill(5);
  fillZone(world, snapshot);
  assert.equal(world.blocks[LIVE_BLOCK].columns.item.at(-1), 0);
  const { alive, kind, moss, name } = world.committed.columns;
  const item = world.committed.columns.item as Uint16Array;
  const counts = [0, 0, 0];
  let mossSum = 0;
  for (let row = 0; row < snapshot.header.rows; row++) {
    if (alive[row] === 0) continue;
    counts[kind[row]]++;
    const items = item.slice(row * 9, row * 9 + 9).reduce((sum, n) => sum + n, 0);
    if (kind[row] === WALKER) assert.ok(items > 0 && moss[row] === 0, `walker ${row}: ${items}, ${moss[row]}`);
    else assert.deepEqual([items, name[row * 8]], [0, 0], `row ${row} of kind ${kind[row]}`);
    if (kind[row] === PILLAR) mossSum += moss[row];
  }
  assert.ok(mossSum > 1);
  assert.ok(counts[WALKER] > 2 && counts[GHOST] > 2 && counts[PILLAR] > 20, counts.join());
});
