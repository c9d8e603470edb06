// One record for a world of several zones: where it is written, who reads it and when, and what clients get.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineGame } from '../../../src/game/define-game.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';
import { HeadlessZone } from '../../../src/testing/headless-zone.js';
import { RecordedWorld } from '../replay/recorded-world.js';

const game = defineGame({
  name: 'clock',
  version: 1,
  kinds: ['walker'],
  visibility: 'masks',
  fields: { read: { type: 'u32', wire: {} }, speed: { type: 'f32' } },
  shared: {
    fields: {
      second: { type: 'u32', wire: {} },
      phase: { type: 'u8', oneOf: ['lobby', 'play'], wire: {} },
      scores: { type: 'u16', length: 3, wire: {} },
      title: { type: 'text', bytes: 12, wire: {} },
      secret: { type: 'u32' },
    },
    begin(zone) {
      zone.shared.title = 'first';
      zone.shared.secret = 7;
    },
    systems: [
      {
        name: 'clock',
        run({ shared, tick }) {
          shared.second = tick;
          shared.phase = tick > 20 ? 1 : 0;
          shared.scores[1] = tick * 2;
          if (tick === 30) shared.title = 'second';
        },
      },
    ],
  },
  systems: [
    {
      name: 'walk',
      run(zone) {
        const { alive, rowLimit, positionX, columns, world, shared } = zone;
        for (let row = 0; row < rowLimit; row++) {
          if (alive[row] === 0) continue;
          columns.read[row] = shared.second;
          positionX[row] += columns.speed[row];
          if (positionX[row] < 2 || positionX[row] > world.width - 2) columns.speed[row] *= -1;
        }
      },
    },
  ],
  populate(zone, _bots, area) {
    for (let i = 0; i < 10; i++) {
      const row = zone.spawn(
        0,
        area.x + 1 + zone.random() * (area.width - 2),
        area.y + 1 + zone.random() * (area.height - 2),
      );
      zone.columns.speed[row] = 0.5 + zone.random();
    }
  },
  // Nobody sees anybody: the record is for all of them.
  spawnPlayer(zone, x, y) {
    const row = zone.spawn(0, x, y);
    zone.sees[row] = 0;
    return row;
  },
});

test('all zones of a large world read the record of the last tick, and all clients get it', () => {
  const world = new HeadlessWorld(game, { zoneColumns: 3, zoneRows: 3, worldWidth: 300, worldHeight: 300, bots: 0 });
  const clients = Array.from({ length: 6 }, () => world.join());
  world.run(40);
  for (const { zone } of world.hosts) {
    const row = zone.alive.indexOf(1);
    assert.ok(row < zone.rowLimit);
    assert.equal(zone.columns.read[row], 39, `zone ${zone.id}`);
    assert.equal(zone.shared.title, 'second');
    assert.equal(zone.shared.secret, 7);
  }
  for (const client of clients) {
    const { shared } = client;
    assert.ok(Number(shared?.second) >= 34, JSON.stringify(shared));
    assert.deepEqual({ ...shared, second: 0, scores: 0 }, { second: 0, phase: 'play', scores: 0, title: 'second' });
    assert.deepEqual(
      client
        .inView()
        .map(({ kind }) => kind)
        .sort(),
      ['shared', 'walker'],
    );
  }
});

test('it is in no loop over rows, in no query and no count of entities', () => {
  const { zone } = new HeadlessZone(game, { width: 64, height: 64 });
  const found = new Int32Array(64);
  assert.equal(zone.entityCount, 10);
  assert.ok(zone.rowLimit <= zone.sharedRow);
  assert.equal([...found.subarray(0, zone.queryBox(-1000, -1000, 1000, 1000, found))].includes(zone.sharedRow), false);
});

test('it is written by its own systems alone', () => {
  const headless = new HeadlessZone(game);
  assert.throws(() => {
    headless.zone.shared.second = 5;
  }, /zone\.shared\.second is written by the systems of 'shared' alone/);
  headless.run(3);
  assert.equal(headless.zone.shared.second, 3);
  const plain = new HeadlessZone(
    defineGame({ name: 'plain', version: 1, kinds: ['walker'], spawnPlayer: (zone, x, y) => zone.spawn(0, x, y) }),
  );
  assert.throws(() => plain.zone.shared, /in a game with 'shared'/);
});

test('a successor of the thread that keeps it, and of one that reads it, goes on with it', () => {
  const world = new HeadlessWorld(game, { zoneColumns: 2, zoneRows: 2, bots: 0 }, 4);
  const client = world.join();
  world.run(25);
  for (const thread of [0, 3]) {
    world.replaceThread(thread);
    world.run(10);
  }
  const reached = world.hosts[0].zone.shared.second;
  assert.equal(reached, world.tick);
  assert.equal(world.hosts[3].zone.columns.read[0], world.tick - 1);
  assert.equal(world.hosts[3].zone.shared.title, 'second');
  world.run(6);
  assert.ok(Number(client.shared?.second) > reached);
});

for (const [who, zone] of [
  ['keeps', 0],
  ['reads', 1],
] as const) {
  test(`a replay of the zone that ${who} it has the same record in every tick`, () => {
    const recorded = new RecordedWorld(game, zone);
    recorded.run(40);
    recorded.takeSnapshot();
    recorded.run(200);
    for (const { block } of recorded.replay(100)) {
      assert.ok(block.columns['shared.second'][recorded.world.hosts[zone].zone.sharedRow] >= 239);
    }
  });
}
