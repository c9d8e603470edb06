// Messages from entity to entity: what 100,000 per second and zone cost its tick, within the zone and over a border. The
// three cases run one after the other in one process; the first one is the same tick without a message.

import { defineGame } from '../../src/game/define-game.js';
import { COUNTER } from '../../src/memory/tables/zone-counters.js';
import { HeadlessWorld } from '../../src/testing/headless-world.js';
import { type BenchCase, type BenchModule, measureCases } from '../bench.js';

const PER_SECOND = 100_000;
const TICK_HZ = 60;
const PER_TICK = Math.round(PER_SECOND / TICK_HZ);
const ENTITIES = 2000;

const game = defineGame({
  name: 'posting',
  version: 1,
  kinds: ['one'],
  fields: { got: { type: 'u32' } },
  messages: {
    add: {
      payload: { amount: { type: 'u16' }, from: { type: 'ref' } },
      apply({ columns }, row, { amount }) {
        columns.got[row] += amount;
      },
    },
  },
  populate(zone, _bots, area) {
    for (let i = 0; i < ENTITIES; i++)
      zone.spawn(0, area.x + zone.random() * area.width, area.y + zone.random() * area.height);
  },
  spawnPlayer: (zone, x, y) => zone.spawn(0, x, y),
});

function createCase(name: string, seed: number, targetZone: number | undefined): BenchCase {
  const settings = { zoneColumns: 2, zoneRows: 1, bots: 0, entitiesPerZone: 4096, tickHz: TICK_HZ, seed };
  const world = new HeadlessWorld(game, { ...settings, journalFlushMs: 0 });
  const [sender] = world.hosts.map(({ zone }) => zone);
  const target = world.hosts[targetZone ?? 0].zone;
  let next = 0;
  const values = { amount: 1, from: sender.refOf(0) };
  return {
    name,
    unitsPerCall: 1,
    call: () => {
      if (targetZone !== undefined) {
        for (let i = 0; i < PER_TICK; i++) {
          next = (next + 1) % ENTITIES;
          if (!sender.post(target.refOf(next), 'add', values))
            throw new Error(`there is no room for a post at tick ${world.tick}: ${name}`);
        }
      }
      world.run(1);
      return target.columns.got[0];
    },
    note: () => {
      const applied = world.counter(COUNTER.postsApplied) / world.tick;
      return `${applied.toFixed(0)} applied per tick of two zones`;
    },
  };
}

export const bench: BenchModule = {
  name: 'posts',
  summary: `messages between entities: ticks with ${PER_TICK} of them`,
  run(options) {
    return measureCases(
      [
        createCase('a tick of two zones', options.seed, undefined),
        createCase(`the same with ${PER_TICK} posts within the zone`, options.seed, 0),
        createCase(`the same with ${PER_TICK} posts over the border`, options.seed, 1),
      ],
      options,
    );
  },
};
