// What a game hears of its players, over threads, borders and recordings.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planWorld } from '../../../src/engine/plan/world-plan.js';
import { ZoneReplay } from '../../../src/engine/replay/zone-replay.js';
import { defineGame } from '../../../src/game/define-game.js';
import type { Zone } from '../../../src/game/definition.js';
import { JOIN_REASONS } from '../../../src/game/life.js';
import { CLIENT_GENERATION, ClientTable } from '../../../src/memory/tables/client-table.js';
import { compareHashes, hashBlock } from '../../../src/memory/world/state-hash.js';
import { LIVE_BLOCK } from '../../../src/memory/world/world-buffer.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';
import { HeadlessZone } from '../../../src/testing/headless-zone.js';
import { JournalKeeper } from '../../durability/recovery/journal-keeper.js';

const FIELDS = {
  name: { type: 'text', bytes: 24 },
  playerId: { type: 'text', bytes: 36 },
  reason: { type: 'u8' },
  joins: { type: 'u8' },
  level: { type: 'u8' },
  arrivals: { type: 'u8' },
} as const;

/** Said aloud too: a replay says it again. */
const heard: string[] = [];

function hear(said: string): void {
  heard.push(said);
}

function takeHeard(): string[] {
  return heard.splice(0);
}

const RESTORES = 0;
const LEAVES = 1;

function define(more: { onLeave?: (zone: Zone<typeof FIELDS>, row: number) => void } = {}) {
  return defineGame({
    name: 'guests',
    version: 1,
    kinds: ['guest', 'box'],
    fields: FIELDS,
    spawnPlayer: (zone, x, y) => zone.spawn(0, x, y),
    onJoin(zone, row, { name, playerId, claims, reason }) {
      zone.setText('name', row, name);
      zone.setText('playerId', row, playerId);
      zone.columns.reason[row] = JOIN_REASONS.indexOf(reason);
      zone.columns.joins[row]++;
      hear(`${name} ${reason} ${zone.columns.level[row]} ${JSON.stringify(claims)} ${zone.owner[row] > 0}`);
    },
    onLeave(zone, row, reason) {
      zone.globals[LEAVES]++;
      hear(`${zone.textOf('name', row)} ${reason}`);
      more.onLeave?.(zone, row);
    },
    onArrive(zone, row) {
      zone.columns.arrivals[row]++;
      hear(`${zone.kind[row] === 0 ? zone.textOf('name', row) : 'box'} arrives in ${zone.id}`);
    },
    onRestore(zone) {
      zone.globals[RESTORES]++;
      hear(`zone ${zone.id} goes on`);
    },
  });
}

const SETTINGS = { zoneColumns: 2, zoneRows: 1, worldWidth: 200, worldHeight: 100, bots: 0, seed: 3 };

function stage(game = define()): { world: HeadlessWorld; keeper: JournalKeeper; run: (ticks: number) => void } {
  takeHeard();
  const world = new HeadlessWorld(game as never, SETTINGS, 2);
  const keeper = new JournalKeeper(world);
  const run = (ticks: number): void => {
    for (let i = 0; i < ticks; i++) {
      world.run(1);
      keeper.take();
    }
  };
  return { world, keeper, run };
}

test('a game hears who comes and how, once the entity has its owner, and how who leaves', () => {
  const { world, run } = stage();
  const ada = world.join(0, 20, { name: 'Ada', playerId: 'a', claims: { role: 'admin', rank: 2 } });
  const ben = world.restore(1, { kind: 'guest', x: 10, y: 10, fields: { level: 7 } }, 20, {
    name: 'Zoë',
    playerId: 'b',
  });
  const cy = world.join(2, 20, { name: 'Cy' });
  run(2);
  assert.deepEqual(takeHeard().sort(), [
    'Ada new 0 {"role":"admin","rank":2} true',
    'Cy new 0 {} true',
    'Zoë restored 7 {} true',
  ]);
  world.leave(ada);
  world.leave(ben, 'kicked');
  world.leave(cy, 'lost');
  run(2);
  assert.deepEqual(takeHeard().sort(), ['Ada left', 'Cy lost', 'Zoë kicked']);
  assert.equal(world.truth().size, 0);
});

test('a lost player has not left: the game hears that it is back, by the name that it has now', () => {
  const { world, run } = stage();
  const ada = world.join(0, 20, { name: 'Ada' });
  run(2);
  takeHeard();
  world.lose(ada);
  run(3);
  assert.deepEqual(takeHeard(), []);
  world.resume(0, ada.generation, 20, { name: 'Eve' });
  run(2);
  assert.deepEqual(takeHeard(), ['Eve resumed 0 {} true']);
  const { zone, row } = world.find(ada.entityId);
  assert.equal(world.zones[zone].columns.joins[row], 2);
});

test('a player whose entity the game has removed comes back as new, and is not said to leave before', () => {
  const { world, run } = stage();
  const ada = world.join(0, 20, { name: 'Ada' });
  run(2);
  takeHeard();
  const { zone, row } = world.find(ada.entityId);
  world.hosts[zone].zone.despawn(row);
  world.lose(ada);
  run(1);
  const back = world.resume(0, ada.generation);
  run(2);
  assert.deepEqual(takeHeard(), ['Ada new 0 {} true']);
  world.hosts[zone].zone.despawn(world.find(back.entityId).row);
  world.leave(back);
  run(2);
  assert.deepEqual(takeHeard(), [], 'there was no row');
});

test('a game may remove or replace the row of who leaves by itself', () => {
  const game = define({
    onLeave(zone, row) {
      const [x, y] = [zone.positionX[row], zone.positionY[row]];
      zone.despawn(row);
      zone.spawn(1, x, y);
    },
  });
  const { world, run } = stage(game);
  const ada = world.join(0);
  run(2);
  world.leave(ada);
  run(2);
  const [left, ...others] = [...world.truth().values()];
  assert.deepEqual(others, []);
  assert.equal(world.zones[left.zone].kind[left.row], 1, 'what it left behind stays');
});

test('the game hears of what has come over a border, whosever it is', () => {
  const { world, run } = stage();
  const ada = world.join(0, 20, { name: 'Ada' });
  run(2);
  const { zone } = world.find(ada.entityId);
  world.hosts[zone].zone.spawn(1, zone === 0 ? 150 : 50, 50);
  world.place(ada, zone === 0 ? 150 : 50, 50);
  takeHeard();
  run(3);
  assert.deepEqual(takeHeard().sort(), [`Ada arrives in ${1 - zone}`, `box arrives in ${1 - zone}`]);
  const there = world.find(ada.entityId);
  assert.equal(world.zones[1 - zone].columns.arrivals[there.row], 1);
});

test('what a game leaves in the row of one who is gone on arrival has not arrived', () => {
  const game = define({
    onLeave(zone, row) {
      const [x, y] = [zone.positionX[row], zone.positionY[row]];
      zone.despawn(row);
      assert.equal(zone.spawn(1, x, y), row, 'the row is taken again');
    },
  });
  const { world, run } = stage(game);
  const ada = world.join(0, 20, { name: 'Ada' });
  run(2);
  const { zone } = world.find(ada.entityId);
  world.place(ada, zone === 0 ? 150 : 50, 50);
  new ClientTable(world.plan.clients, world.settings.clientsMax).state[CLIENT_GENERATION] = ada.generation + 1; // while it is on its way
  takeHeard();
  run(4);
  assert.deepEqual(takeHeard(), ['Ada lost']);
});

test('why one leaves goes after it over a border', () => {
  const { world, run } = stage();
  const ada = world.join(0, 20, { name: 'Ada' });
  run(2);
  const { zone } = world.find(ada.entityId);
  world.place(ada, zone === 0 ? 150 : 50, 50);
  takeHeard();
  world.hosts[zone].runTick(++world.tick); // main has not heard yet that it has gone on
  world.leave(ada, 'kicked');
  run(4);
  assert.deepEqual(takeHeard().sort(), [`Ada arrives in ${1 - zone}`, 'Ada kicked']);
});

test('a zone that goes on in a new thread says so once, and a new world does not', () => {
  const { world, run } = stage();
  run(2);
  assert.deepEqual(takeHeard(), []);
  world.replaceThread(1);
  run(3);
  assert.deepEqual(takeHeard(), ['zone 1 goes on']);
  assert.deepEqual(
    world.zones.map(({ globals }) => globals[RESTORES]),
    [0, 1],
  );
});

test('a join of a tick that was lost with its thread is told again, by the same player', () => {
  const { world, run } = stage();
  run(1);
  world.join(0, 20, { name: 'Ada', playerId: 'a' });
  for (const { zone } of world.hosts) {
    zone.buffer.commit = () => {
      throw new Error('the thread ended');
    };
  }
  let lost = -1;
  for (const [index, host] of world.hosts.entries()) {
    try {
      host.runTick(world.tick + 1);
    } catch {
      if (takeHeard().length > 0) lost = index;
    }
  }
  assert.ok(lost >= 0, 'one of them had heard of it');
  for (const thread of [0, 1]) world.renewThread(thread);
  for (const thread of [0, 1]) world.replaceThread(thread);
  run(12);
  assert.deepEqual(
    takeHeard().filter((said) => said.startsWith('Ada')),
    ['Ada new 0 {} true'],
  );
});

test('a replay tells the game the same, and comes to the same state', () => {
  const game = define();
  const { world, keeper, run } = stage(game);
  const ada = world.join(0, 20, { name: 'Ada', claims: { role: 'admin' } });
  const ben = world.restore(1, { kind: 'guest', x: 10, y: 10, fields: { level: 7 } }, 20, { name: 'Ben' });
  const cy = world.join(2, 20, { name: 'Cy' });
  run(3);
  const from = world.find(ada.entityId).zone;
  world.place(ada, from === 0 ? 150 : 50, 50);
  world.lose(cy);
  run(3);
  world.resume(2, cy.generation);
  world.leave(ben, 'kicked');
  run(3);
  world.replaceThread(0, 2);
  run(3);
  world.leave(ada);
  run(3);
  const live = takeHeard();
  for (const said of [
    'Ada new',
    'Ben restored',
    'Cy resumed',
    'Ben kicked',
    'Ada arrives',
    'zone 0 goes on',
    'Ada left',
  ])
    assert.ok(
      live.some((line) => line.startsWith(said)),
      said,
    );
  for (const zone of [0, 1]) {
    const { layout } = world.plan;
    const replay = new ZoneReplay(planWorld(world.settings, game as never, 1, 0), zone, game as never);
    for (const { tick, bytes } of keeper.records[zone]) {
      replay.runTick(bytes);
      const expected = keeper.hashes[zone].get(tick);
      if (expected === undefined) continue;
      const actual = hashBlock(replay.zone.buffer.blocks[LIVE_BLOCK], layout).sums;
      assert.deepEqual(compareHashes(expected, actual, layout), [], `zone ${zone}, tick ${tick}`);
    }
  }
  assert.deepEqual(takeHeard().sort(), live.sort());
});

test('what a hook throws names the hook, the zone and the tick', () => {
  for (const hook of ['onJoin', 'onLeave'] as const) {
    const game = {
      ...define(),
      [hook]: () => {
        throw new Error('no such guest');
      },
    };
    const zone = new HeadlessZone(game as never);
    assert.throws(
      () => zone.join().leave(),
      new RegExp(`${hook} of the game guests threw in zone 0, tick 0: .*no such guest`),
    );
  }
});

test('a headless zone tells what it is given, and else the same in every run', () => {
  takeHeard();
  const zone = new HeadlessZone(define() as never);
  const ada = zone.join(10, 10, { name: 'Ada', reason: 'restored' });
  const second = zone.join();
  ada.resume();
  ada.leave('kicked');
  ada.leave();
  second.leave();
  assert.deepEqual(takeHeard(), [
    'Ada restored 0 {} true',
    'player 2 new 0 {} true',
    'Ada resumed 0 {} true',
    'Ada kicked',
    'player 2 left',
  ]);
});
