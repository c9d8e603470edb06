// What zones tell the shared record: all of it counts, once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineGame } from '../../../src/game/define-game.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

const game = defineGame({
  name: 'teams',
  version: 1,
  kinds: ['player'],
  fields: { team: { type: 'u8', wire: {} } },
  messages: {
    join: {
      payload: { team: { type: 'u8' } },
      apply(zone, row, { team }) {
        zone.columns.team[row] = team;
      },
    },
  },
  shared: {
    fields: { sizes: { type: 'u16', length: 2, wire: {} }, ticks: { type: 'u32', wire: {} } },
    messages: {
      joined: {
        payload: { who: { type: 'ref' } },
        apply(zone, { who }) {
          const { sizes } = zone.shared;
          const team = sizes[0] <= sizes[1] ? 0 : 1;
          sizes[team]++;
          zone.post(who, 'join', { team: team + 1 });
        },
      },
      ticked: {
        payload: { zone: { type: 'u8' } },
        apply(zone) {
          zone.shared.ticks++;
        },
      },
    },
  },
  systems: [{ name: 'count', run: (zone) => void zone.postShared('ticked', { zone: zone.id }) }],
  onJoin(zone, row) {
    zone.postShared('joined', { who: zone.refOf(row) });
  },
  spawnPlayer: (zone, x, y) => zone.spawn(0, x, y),
});

test('players who join in any zone are told their team, and the teams are even', () => {
  const world = new HeadlessWorld(game, { zoneColumns: 3, zoneRows: 3, worldWidth: 300, worldHeight: 300, bots: 0 }, 9);
  const clients = Array.from({ length: 21 }, () => world.join());
  world.run(12);
  const teams = clients.map(({ own }) => own?.fields.team);
  assert.deepEqual([1, 2].map((team) => teams.filter((other) => other === team).length).sort(), [10, 11]);
  assert.deepEqual([...(clients[0].shared as { sizes: number[] }).sizes].sort(), [10, 11]);
});

test('what all zones tell it in every tick is counted once, also when threads die', () => {
  const world = new HeadlessWorld(game, { zoneColumns: 2, zoneRows: 2, bots: 0 }, 4);
  for (let death = 0; death < 12; death++) {
    world.run(5);
    const host = world.hosts[death % 4];
    host.beginTick(world.tick + 1);
    for (let step = 0; step < death + 2; step++) host.runStep(step);
    world.renewThread(death % 4);
  }
  world.run(10);
  const told = world.hosts.reduce((sum, { zone }) => sum + zone.tick, 0);
  const [first] = world.zones;
  // Those of the last ticks are on their way: a zone waits for an answer before it sends the next.
  assert.ok(first.shared.ticks <= told && first.shared.ticks >= told - 4 * 4, `${first.shared.ticks} of ${told}`);
});

test('what the shared record does not know is a fault of the game', () => {
  const world = new HeadlessWorld(game, { zoneColumns: 2, zoneRows: 1, bots: 0 });
  assert.throws(() => world.zones[0].postShared('scored', {}), /has no message 'shared\.scored'/);
});
