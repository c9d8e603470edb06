// Messages from entity to entity over four zones: each is applied once, whoever walks, dies or is replaced meanwhile.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { fillZone, finishWorld } from '../../../src/durability/recovery/world-fill.js';
import { decodeZone } from '../../../src/durability/snapshots/zone-snapshot.js';
import { PostQueue } from '../../../src/engine/posts/post-queue.js';
import { defineGame } from '../../../src/game/define-game.js';
import type { Zone } from '../../../src/game/definition.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import { WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';
import { HeadlessZone } from '../../../src/testing/headless-zone.js';
import { encodeZone } from '../../durability/snapshots/plain-snapshot.js';
import { RecordedWorld } from '../replay/recorded-world.js';
import { COURIERS, courierGame, GOLD, OF_NOBODY, OF_THE_DEAD, orders } from './courier-game.js';

type Prepare = ConstructorParameters<typeof HeadlessWorld>[3];

const SEED = Number(process.env.SEED ?? 1 + (Date.now() % 100000));
const QUIET_TICKS = 200;

beforeEach(() => {
  Object.assign(orders, { mayGive: true, mayDie: true, mayWalk: true, refs: [] });
});

function openWorld(prepare?: Prepare): HeadlessWorld {
  const world = new HeadlessWorld(courierGame, { zoneColumns: 2, zoneRows: 2, bots: 0, seed: SEED }, 4, prepare);
  if (prepare === undefined) orders.refs = refsOf(world);
  return world;
}

function refsOf(world: HeadlessWorld): number[] {
  return world.zones.flatMap((zone) => rowsOf(zone).map((row) => zone.refOf(row)));
}

function rowsOf(zone: Zone): number[] {
  return Array.from({ length: zone.rowLimit }, (_, row) => row).filter((row) => zone.alive[row] !== 0);
}

function goldOf(world: HeadlessWorld): number {
  let gold = 0;
  for (const zone of world.zones) {
    gold += zone.globals[OF_THE_DEAD] + zone.globals[OF_NOBODY];
    for (const row of rowsOf(zone)) gold += zone.columns.gold[row];
  }
  return gold;
}

function waiting(world: HeadlessWorld): number {
  return world.hosts.reduce((sum, { zone }) => sum + new PostQueue(zone.buffer).count, 0);
}

/** Nobody gives any more, and what is under way arrives. */
function settle(world: HeadlessWorld): void {
  orders.mayGive = false;
  orders.mayDie = false;
  world.run(QUIET_TICKS);
  orders.mayWalk = false;
  world.run(5);
  assert.equal(waiting(world), 0, 'nothing is under way');
  orders.mayGive = true;
  orders.mayWalk = true;
  orders.mayDie = true;
}

/** One zone of the world dies in the middle of its tick, before any of the steps of one. */
function crash(world: HeadlessWorld, zone: number, step: number): void {
  const host = world.hosts[zone];
  host.beginTick(world.tick + 1);
  for (let i = 0; i < step; i++) host.runStep(i);
  world.renewThread(zone);
}

test(`gold that is given over borders is neither made nor lost (SEED=${SEED})`, () => {
  const world = openWorld();
  for (let round = 0; round < 4; round++) {
    world.run(400);
    settle(world);
    assert.equal(goldOf(world), COURIERS * GOLD);
  }
  assert.ok(world.counter(COUNTER.postsSent) > 1000, 'most of it went over borders');
  assert.ok(world.counter(COUNTER.postsUndelivered) > 0, 'some came back');
  assert.ok(world.counter(COUNTER.entitiesArrived) > 500);
});

test(`nor when threads die in the middle of it (SEED=${SEED})`, () => {
  const world = openWorld();
  const random = createRandom(SEED);
  for (let deaths = 0; deaths < 60; deaths++) {
    world.run(1 + Math.floor(random() * 12));
    const zone = Math.floor(random() * 4);
    crash(world, zone, Math.floor(random() * (world.hosts[zone].stepCount + 1)));
  }
  settle(world);
  assert.equal(goldOf(world), COURIERS * GOLD);
});

test(`nor when the process dies (SEED=${SEED})`, () => {
  let world = openWorld();
  for (let deaths = 0; deaths < 12; deaths++) {
    world.run(25 + deaths);
    assert.ok(waiting(world) > 0, 'something is under way');
    const { plan, tick } = world;
    const identity = { rowCapacity: plan.layout.rowCapacity } as never;
    const states = plan.worlds.map((buffer) => encodeZone(new WorldBuffer(buffer, plan.layout), identity, 1, 0));
    world = openWorld(({ worlds, layout }) => {
      const zones = worlds.map((buffer) => new WorldBuffer(buffer, layout));
      for (const [zone, buffer] of zones.entries()) fillZone(buffer, decodeZone(states[zone]));
      finishWorld(zones, layout.rowCapacity, tick);
    });
  }
  settle(world);
  assert.equal(goldOf(world), COURIERS * GOLD);
});

for (const zone of [0, 1]) {
  test(`zone ${zone} is run again from its journal to the same state (SEED=${SEED})`, () => {
    const recorded = new RecordedWorld(courierGame, zone);
    orders.refs = refsOf(recorded.world);
    recorded.run(150);
    recorded.takeSnapshot();
    recorded.run(150);
    recorded.replay(100);
  });
}

test('what a zone posts to an entity that walks over borders is applied in its order', () => {
  orders.mayGive = false;
  orders.mayDie = false;
  const world = openWorld();
  const targets = orders.refs;
  const numbers = world.zones.map(() => new Map<number, number>());
  for (let tick = 0; tick < 600; tick++) {
    for (const [sender, zone] of world.zones.entries()) {
      const to = targets[(tick * 7 + sender) % targets.length];
      for (let i = 0; i < 1 + (tick % 3); i++) {
        const number = (numbers[sender].get(to) ?? 0) + 1;
        numbers[sender].set(to, number);
        assert.ok(zone.post(to, 'count', { sender, number }));
      }
    }
    world.run(1);
  }
  world.run(QUIET_TICKS);
  for (const zone of world.zones) {
    for (const row of rowsOf(zone)) {
      const told = numbers.map((counts) => counts.get(zone.refOf(row)) ?? 0);
      assert.deepEqual([...zone.columns.lastFrom.subarray(row * 4, row * 4 + 4)], told);
      assert.equal(zone.columns.outOfOrder[row], 0);
    }
  }
});

test('a neighbour applies in the next tick what is posted to an entity near the border', () => {
  const world = openWorld();
  orders.mayGive = false;
  const [west, east] = world.zones;
  const target = east.spawn(0, east.area.x + 3, 50);
  const ref = east.refOf(target);
  world.run(2);
  west.post(ref, 'give', { amount: 5, from: 0 });
  world.run(1); // it is posted before this tick, and leaves with it
  assert.equal(east.columns.gold[east.rowOfRef(ref)], 0);
  world.run(1);
  assert.equal(east.columns.gold[east.rowOfRef(ref)], 5);
});

test('what is posted to nobody, or to who died, comes back to its sender once', () => {
  orders.mayGive = false;
  const step = (ticks: number): void => {
    for (let i = 0; i < ticks; i++) one.step();
  };
  const one = new HeadlessZone(courierGame, { rows: 256 });
  const [sender, victim] = [one.zone.spawn(0, 10, 10), one.zone.spawn(0, 12, 12)];
  const ref = one.zone.refOf(victim);
  one.zone.despawn(victim);
  for (const to of [ref, 0]) one.zone.post(to, 'give', { amount: 3, from: 0 }, sender);
  one.zone.post(ref, 'give', { amount: 7, from: 0 });
  const heir = one.zone.spawn(0, 12, 12);
  step(4);
  assert.equal(one.zone.columns.gold[sender], 6);
  assert.equal(one.zone.columns.returned[sender], 2);
  assert.equal(one.zone.globals[OF_NOBODY], 7);
  assert.equal(one.zone.columns.got[heir], 0, 'who came after is somebody else');
});

test('what a post may not be is said where it is posted', () => {
  const { zone } = new HeadlessZone(courierGame, { rows: 256 });
  const row = zone.spawn(0, 1, 1);
  const ref = zone.refOf(row);
  assert.throws(() => zone.post(ref, 'gift', {}), /the game has no message 'gift'/);
  assert.throws(() => zone.post(ref, 'give', { amount: 70000, from: 0 }), /give\.amount is 70000; allowed: 0 to 65535/);
  assert.throws(() => zone.post(ref, 'give', { amount: Number.NaN, from: 0 }), /give\.amount is NaN/);
  assert.throws(() => zone.post(ref, 'give', { amount: 1 }), /give\.from is missing/);
  assert.throws(() => zone.post(ref, 'give', { amount: 1, from: 0, more: 1 }), /give\.more is no value of it/);
  assert.throws(() => zone.post(ref, 'give', { amount: 1, from: 0 }, 200), /from row 200/);
  assert.equal(new PostQueue(zone.buffer).count, 0);
  const plain = defineGame({ name: 'plain', version: 1, kinds: ['one'], spawnPlayer: () => -1 });
  assert.throws(() => new HeadlessZone(plain).zone.post(1, 'give', {}), /in a game with 'messages'/);
});

test('a full queue takes no more, says so, and goes on', () => {
  const one = new HeadlessZone(courierGame, { rows: 256 });
  orders.mayGive = false;
  const row = one.zone.spawn(0, 1, 1);
  const ref = one.zone.refOf(row);
  let posted = 0;
  while (one.zone.post(ref, 'give', { amount: 1, from: 0 })) posted++;
  assert.equal(posted, 8192);
  assert.equal(one.zone.counters[COUNTER.postsRefused], 1);
  one.step();
  assert.equal(one.zone.columns.gold[row], posted);
  assert.ok(one.zone.post(ref, 'give', { amount: 1, from: 0 }));
});
