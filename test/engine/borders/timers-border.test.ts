// Timers over borders, under new threads, and after a restart in which the zones' ticks are made one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillZone, finishWorld } from '../../../src/durability/recovery/world-fill.js';
import { decodeZone } from '../../../src/durability/snapshots/zone-snapshot.js';
import { planWorld } from '../../../src/engine/plan/world-plan.js';
import type { GameDefinition, Zone } from '../../../src/game/definition.js';
import { WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';
import { encodeZone } from '../../durability/snapshots/plain-snapshot.js';

const FIELDS = { fires: { type: 'u32' }, firedAt: { type: 'u32' }, speed: { type: 'f32' } } as const;
type TheZone = Zone<typeof FIELDS>;

const GAME = {
  name: 'fuses',
  version: 1,
  kinds: ['bomb'],
  fields: FIELDS,
  commands: [],
  events: [],
  systems: [
    {
      name: 'roll',
      run({ rowLimit, alive, positionX, columns }: TheZone) {
        for (let row = 0; row < rowLimit; row++) if (alive[row] !== 0) positionX[row] += columns.speed[row];
      },
    },
  ],
  timers: {
    fuse: {
      fire(zone: TheZone, row: number) {
        zone.columns.fires[row]++;
        zone.columns.firedAt[row] = zone.tick;
      },
    },
  },
  spawnPlayer: (zone: Zone, x: number, y: number) => zone.spawn(0, x, y),
} as unknown as GameDefinition;

const SETTINGS = { zoneColumns: 2, zoneRows: 1, bots: 0, seed: 1, tickHz: 60 };

/** A bomb left of the border, and what became of it wherever it is. */
function createStage(speed = 0) {
  const world = new HeadlessWorld(GAME, SETTINGS, 2);
  world.run(3);
  const zone = world.zones[0] as TheZone;
  const row = zone.spawn(0, 97, 50);
  zone.columns.speed[row] = speed;
  const id = zone.wireIdOf(row);
  const look = () => {
    const found = world.find(id);
    const { columns } = world.zones[found.zone] as TheZone;
    return { zone: found.zone, fires: columns.fires[found.row], firedAt: columns.firedAt[found.row] };
  };
  const timeLeft = () => {
    const found = world.find(id);
    return world.zones[found.zone].timeLeft(found.row, 'fuse');
  };
  return { world, zone, row, id, look, timeLeft };
}

test('a timer goes over a border and fires in the tick in which it would have fired at home', () => {
  const still = createStage();
  still.zone.after(still.row, 'fuse', 1);
  still.world.run(61);
  const { firedAt } = still.look();
  assert.equal(firedAt, 63);
  for (const seconds of [1 / 60, 2 / 60, 0.1, 1]) {
    const { world, zone, row, look } = createStage(1);
    zone.after(row, 'fuse', seconds);
    world.run(70);
    assert.deepEqual(look(), { zone: 1, fires: 1, firedAt: 3 + Math.round(seconds * 60) });
  }
});

test('a timer that is due in the very tick after the crossing fires there', () => {
  const { world, zone, row, look } = createStage(4); // beyond 100.5 with the first step
  zone.after(row, 'fuse', 2 / 60);
  world.run(2);
  assert.deepEqual(look(), { zone: 1, fires: 1, firedAt: 5 });
});

test('zones at different ticks: what is left crosses, and not a tick', () => {
  const { world, zone, row, look } = createStage(1);
  zone.after(row, 'fuse', 0.5);
  world.hosts[1].zone.tick = 1000;
  const { runTick } = world.hosts[1];
  world.hosts[1].runTick = (tick) => runTick.call(world.hosts[1], tick + 1000);
  world.run(40);
  assert.deepEqual(look(), { zone: 1, fires: 1, firedAt: 1032 }); // 30 ticks in all: the first one there is of the same round
});

test('a mirrored row tells no time', () => {
  const { world, zone, row, id } = createStage();
  zone.after(row, 'fuse', 1);
  world.run(3);
  const mirror = world.hosts[1].zone.rowOfId[id] - 1;
  assert.ok(mirror >= world.hosts[1].zone.ownCapacity);
  assert.equal(world.zones[1].timeLeft(mirror, 'fuse'), -1);
  assert.throws(() => world.zones[1].after(mirror, 'fuse', 1), /of a living row of this zone/);
});

test('a successor of a dead thread fires what is due, once', () => {
  const { world, zone, row, look, timeLeft } = createStage(0.1);
  zone.after(row, 'fuse', 1);
  for (let i = 0; i < 12; i++) {
    world.run(5);
    world.renewThread(i % 2);
  }
  world.run(10);
  assert.deepEqual(look(), { zone: 1, fires: 1, firedAt: 63 });
  assert.equal(timeLeft(), -1);
});

test('after a restart at another tick what was left is left, of who was on the way too', () => {
  for (const [speed, ticks] of [
    [0, 10],
    [4, 1], // its record is in the ring, and lost
  ]) {
    const { world, zone, row, id } = createStage(speed);
    const { layout } = world.plan;
    zone.after(row, 'fuse', 1);
    const ran = world.tick;
    world.run(ticks);
    const snapshots = world.plan.worlds.map((buffer) =>
      encodeZone(new WorldBuffer(buffer, layout), { rowCapacity: layout.rowCapacity } as never, 1, 0),
    );
    const again = new HeadlessWorld(GAME, SETTINGS, 1, (plan) => {
      const worlds = plan.worlds.map((buffer) => new WorldBuffer(buffer, plan.layout));
      for (const [i, filled] of worlds.entries()) fillZone(filled, decodeZone(snapshots[i]));
      finishWorld(worlds, layout.rowCapacity, 500);
    });
    const lived = world.tick - ran;
    assert.equal(again.tick, 500);
    const found = again.find(id);
    assert.equal(Math.round(again.zones[found.zone].timeLeft(found.row, 'fuse') * 60), 60 - lived);
    again.run(70);
    const end = again.find(id);
    const { columns } = again.zones[end.zone] as TheZone;
    assert.deepEqual([columns.fires[end.row], columns.firedAt[end.row]], [1, 560 - lived]);
  }
});

test('what is set as a zone is populated counts from its first tick, however late that is', () => {
  const game = {
    ...GAME,
    populate: (zone: TheZone) => zone.after(zone.spawn(0, zone.area.x + 50, 50), 'fuse', 1),
  } as unknown as GameDefinition;
  for (const first of [1, 501]) {
    const world = new HeadlessWorld(game, SETTINGS, 2);
    world.tick = first - 1; // as where the other zones go on from there
    world.renewThread(1); // it had not come to a tick
    world.run(1);
    const { zone } = world.hosts[1];
    assert.equal(Math.round(zone.timeLeft(0, 'fuse') * 60), 59);
    world.renewThread(1);
    world.run(58);
    const columns = world.zones[1].columns as TheZone['columns'];
    assert.deepEqual([zone.tick, columns.fires[0]], [first, 0]); // the zone of the dead thread stands where it stood
    world.run(1);
    assert.deepEqual([columns.fires[0], columns.firedAt[0]], [1, first + 59]);
  }
});

test('who finds no room in the ring stays with the time that was left, and goes with it', () => {
  const { world, zone, row, look, timeLeft } = createStage(4); // beyond 100.5 with the first step
  zone.after(row, 'fuse', 1);
  const { handoff } = world.hosts[0] as unknown as { handoff: { writeEntity(row: number, target: number): boolean } };
  const { writeEntity } = handoff;
  handoff.writeEntity = () => false;
  world.run(5);
  assert.deepEqual([look().zone, Math.round(timeLeft() * 60)], [0, 55]);
  handoff.writeEntity = writeEntity;
  world.run(60);
  assert.deepEqual(look(), { zone: 1, fires: 1, firedAt: 63 });
});

test('a world whose game has timers now begins with none set, and one that has lost them runs', () => {
  const without = { ...GAME, timers: undefined } as unknown as GameDefinition;
  for (const [before, after] of [
    [without, GAME],
    [GAME, without],
  ]) {
    const world = new HeadlessWorld(before, SETTINGS);
    world.run(2);
    const row = world.zones[0].spawn(0, 50, 50);
    if (before === GAME) world.zones[0].after(row, 'fuse', 1);
    world.run(1);
    const { layout } = world.plan;
    const bytes = encodeZone(
      new WorldBuffer(world.plan.worlds[0], layout),
      { rowCapacity: layout.rowCapacity } as never,
      1,
      0,
    );
    const plan = planWorld(world.settings, after, 1, 0);
    const filled = new WorldBuffer(plan.worlds[0], plan.layout);
    fillZone(filled, decodeZone(bytes));
    assert.equal(filled.committed.columns['timer.fuse']?.[row], after === GAME ? 0 : undefined);
  }
});
