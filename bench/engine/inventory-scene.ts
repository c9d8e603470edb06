// One scene of the inventories bench in a process of its own, so that its memory is its own. Runs ticks when it is asked.

import { argv } from 'node:process';
import { nowMs } from '../../src/base/clock.js';
import { defineGame } from '../../src/game/define-game.js';
import { hashCommitted, hashText } from '../../src/memory/world/state-hash.js';
import { HeadlessWorld } from '../../src/testing/headless-world.js';

export interface SceneAnswer {
  tickMs: number[];
  rssMiB: number;
  checksum: number;
}

const SLOTS = 64;
const [PLAYER, PILLAR] = [0, 1];
const [pillars, players, form, seed] = argv.slice(2);
const bag = {
  item: { type: 'u16', length: SLOTS, wire: { audience: 'owner' } },
  gold: { type: 'u32', wire: { audience: 'owner' } },
} as const;

const game = defineGame({
  name: 'inventories',
  version: 1,
  components: { bag, body: { heading: { type: 'u8', wire: {} } } },
  // As without components, every kind has every field.
  kinds:
    form === 'flat' ? { player: ['body', 'bag'], pillar: ['body', 'bag'] } : { player: ['body', 'bag'], pillar: [] },
  systems: [
    {
      name: 'walk',
      run(zone) {
        const { alive, kind, positionX, columns } = zone;
        for (let row = 0; row < zone.rowLimit; row++) {
          if (alive[row] === 0 || kind[row] !== PLAYER) continue;
          positionX[row] += row % 2 === 0 ? 0.01 : -0.01;
          columns.heading[row]++;
          columns.item[row * SLOTS + (zone.tick % SLOTS)]++;
        }
      },
    },
  ],
  populate(zone) {
    const spawn = (kind: number): number =>
      zone.spawn(kind, 100 + zone.random() * (zone.world.width - 200), zone.random() * zone.world.height);
    for (let i = 0; i < Number(pillars); i++) spawn(PILLAR);
    for (let i = 0; i < Number(players); i++) spawn(PLAYER);
  },
  spawnPlayer: (zone, x, y) => zone.spawn(PLAYER, x, y),
});

const world = new HeadlessWorld(game, {
  ...{ zoneColumns: 1, zoneRows: 1, worldWidth: 4000, worldHeight: 4000, clientsMax: 8, bots: 0 },
  ...{ entitiesPerZone: Math.ceil((Number(pillars) * 1.1 + 4096) / 64) * 64, seed: Number(seed) },
});

process.on('message', (ticks: number) => {
  const tickMs: number[] = [];
  for (let i = 0; i < ticks; i++) {
    const start = nowMs();
    world.run(1);
    tickMs.push(nowMs() - start);
  }
  const state = hashCommitted(world.hosts[0].zone.buffer);
  const answer: SceneAnswer = {
    tickMs,
    rssMiB: process.memoryUsage.rss() / 2 ** 20,
    checksum: state === undefined ? 0 : Number.parseInt(hashText(state), 16),
  };
  process.send?.(answer);
});
