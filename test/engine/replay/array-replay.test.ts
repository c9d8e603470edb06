// Arrays and texts in what a zone writes down of itself: its journal with mirrors and arrivals, snapshots, hashes.

import { test } from 'node:test';
import type { GameDefinition, Zone } from '../../../src/game/definition.js';
import { assertHashed, RecordedWorld } from './recorded-world.js';

const FIELDS = {
  bag: { type: 'u16', length: 9, wire: {} },
  heat: { type: 'f64', length: 3 },
  name: { type: 'text', bytes: 7, wire: { audience: 'owner' } },
  speed: { type: 'f32' },
} as const;
type TheZone = Zone<typeof FIELDS>;

/** Walkers that cross the border to and fro, and take up in their arrays whatever they see near them. */
const GAME = {
  name: 'walkers',
  version: 1,
  kinds: ['walker'],
  fields: FIELDS,
  commands: [],
  events: [],
  systems: [
    {
      name: 'walk',
      run(zone: TheZone) {
        const { alive, positionX, positionY, columns } = zone;
        const near = new Int32Array(16);
        for (let row = 0; row < zone.rowLimit; row++) {
          if (alive[row] === 0) continue;
          const x = positionX[row] + columns.speed[row];
          if (x < 80 || x > 120) columns.speed[row] *= -1;
          positionX[row] = x;
          const count = zone.queryCircle(x, positionY[row], 8, near);
          for (let i = 0; i < count; i++) {
            columns.bag[row * 9 + (i % 9)] += columns.bag[near[i] * 9 + ((i + 1) % 9)] + 1;
            columns.heat[row * 3 + 1] -= columns.heat[near[i] * 3 + 2] / 3;
          }
          columns.heat[row * 3 + 2] = zone.random();
          if (zone.random() < 0.1) zone.setText('name', row, `é${zone.tick % 1000}`);
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

test('a zone with arrays is run again from its journal and from a snapshot to the same state, and hashes name a row', () => {
  const recorded = new RecordedWorld(GAME);
  recorded.world.join(0);
  recorded.run(80);
  recorded.takeSnapshot();
  recorded.run(80);
  for (const replayed of recorded.replay(60)) assertHashed(replayed, 'bag', (row) => row * 9 + 4);
});
