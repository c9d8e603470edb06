// A client's commands are applied in the order in which it sent them, over zone borders and dead threads too, and none
// that was sent in order is refused for its number.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { ARRIVAL_TICKS_MAX } from '../../../src/engine/clients/limits.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import { RejectCode } from '../../../src/game/reject-codes.js';
import arena from '../../../src/games/arena/game.js';
import { RecordRing } from '../../../src/memory/rings/record-ring.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import type { HeadlessClient } from '../../../src/testing/headless-client.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';
import { watchGame } from '../../simulator/watched-game.js';

const TWO_ZONES = { zoneColumns: 2, zoneRows: 1, worldWidth: 200, worldHeight: 200, bots: 0, seed: 11 };

interface Stage {
  world: HeadlessWorld;
  client: HeadlessClient;
  /** Sequence numbers in the order in which any zone applied them. */
  applied: number[];
  /** Zones from which and to which the client goes in the next tick. */
  from: number;
  to: number;
  move(): number;
}

/** One client, beyond the border of its zone: in the next tick it goes. */
function stage(settings: Record<string, number> = {}): Stage {
  const applied: number[] = [];
  const game = watchGame(arena as unknown as GameDefinition, {
    isHalted: () => false,
    applied: (_zone, _row, seq) => applied.push(seq),
  });
  const world = new HeadlessWorld(game, { ...TWO_ZONES, ...settings }, 2);
  const client = world.join(0);
  world.run(4);
  const { zone: from, row } = world.truth().get(client.entityId) as { zone: number; row: number };
  const to = 1 - from;
  world.hosts[from].zone.positionX[row] = from === 0 ? 104 : 96;
  const move = (): number => {
    assert.ok(world.send(client, 'Move', { x: from === 0 ? 20 : -20, y: 0 }));
    return client.seq;
  };
  return { world, client, applied, from, to, move };
}

/** One tick, at the end of which main has something to do before it hears what zones say. */
function runBeforeMainHears(world: HeadlessWorld, action: () => void): void {
  const { router } = world;
  const deliverAll = router.deliverAll.bind(router);
  router.deliverAll = () => {
    router.deliverAll = deliverAll;
    action();
    deliverAll();
  };
  world.run(1);
}

/** One tick of one zone, as when the other's thread is late. */
function runZone(world: HeadlessWorld, zone: number): void {
  world.hosts[zone].runTick(++world.tick);
  world.router.deliverAll();
}

function assertAllApplied({ world, client, applied }: Stage): void {
  assert.deepEqual(client.rejects, []);
  assert.deepEqual(
    applied,
    Array.from({ length: client.seq }, (_, i) => i + 1),
  );
  assert.equal(client.ack, client.seq);
  assert.equal(world.counter(COUNTER.commandsStale), 0);
}

test('a command on its way to the zone that its client leaves is applied before one that goes straight to the next', () => {
  const on = stage();
  runBeforeMainHears(on.world, () => on.move());
  on.move(); // main knows now where the client is
  on.world.run(8);
  assert.ok(on.world.counter(COUNTER.commandsForwarded) > 0, 'the first one went after the client');
  assertAllApplied(on);
});

test('commands that wait for a later tick in the zone that their client leaves are applied before those sent after them', () => {
  const on = stage({ commandsPerClientTick: 2 });
  for (let n = 0; n < 9; n++) on.move();
  on.world.run(1);
  for (let n = 0; n < 3; n++) on.move();
  on.world.run(12);
  assertAllApplied(on);
});

test('commands that wait in the ring of a crowded zone are applied before those sent after their client has left it', () => {
  const on = stage({ commandsPerTick: 3 });
  const crowd = Array.from({ length: 8 }, (_, i) => on.world.join(i + 1));
  const { truth, hosts } = { truth: on.world.truth(), hosts: on.world.hosts };
  const { row } = truth.get(on.client.entityId) as { row: number };
  hosts[on.from].zone.positionX[row] = on.from === 0 ? 90 : 110; // not yet
  on.world.run(4);
  const zones = new Map(crowd.map(({ entityId, index }) => [index, on.world.truth().get(entityId)?.zone]));
  const near = crowd.filter(({ index }) => zones.get(index) === on.from);
  assert.ok(near.length > 1, `${near.length} are in the same zone`);
  on.applied.length = 0;
  for (let n = 0; n * near.length < 12; n++) for (const other of near) on.world.send(other, 'Move', { x: 0, y: 1 });
  const others = near.reduce((sum, { seq }) => sum + seq, 0);
  for (let n = 0; n < 3; n++) on.move();
  hosts[on.from].zone.positionX[row] = on.from === 0 ? 104 : 96;
  on.world.run(1);
  for (let n = 0; n < 3; n++) on.move();
  on.world.run(20);
  assert.deepEqual(on.client.rejects, []);
  assert.equal(on.client.ack, 6);
  assert.equal(on.applied.length, others + 6);
});

test('a client that goes through a zone faster than its commands keeps their order', () => {
  const on = stage();
  runBeforeMainHears(on.world, () => on.move());
  on.move();
  on.world.run(1);
  const { row } = on.world.truth().get(on.client.entityId) as { row: number };
  on.world.hosts[on.to].zone.positionX[row] = on.from === 0 ? 96 : 104; // and back at once
  runBeforeMainHears(on.world, () => on.move());
  on.move();
  on.world.run(12);
  assertAllApplied(on);
});

for (const seed of [1, 2, 3]) {
  test(`commands sent at any moment by players who walk over borders are applied in their order, seed ${seed}`, () => {
    const last = new Map<number, number>();
    const game = watchGame(arena as unknown as GameDefinition, {
      isHalted: () => false,
      applied: (zone, row, seq) => {
        const client = zone.owner[row] - 1;
        assert.ok(seq > (last.get(client) ?? 0), `seed ${seed}: client ${client}: ${seq} after ${last.get(client)}`);
        last.set(client, seq);
      },
    });
    const world = new HeadlessWorld(game, { ...TWO_ZONES, zoneRows: 2, commandsPerClientTick: 2, seed }, 4);
    const random = createRandom(seed);
    const clients = Array.from({ length: 30 }, (_, i) => world.join(i));
    world.run(4);
    for (const { zone } of world.hosts) {
      for (let row = 0; row < zone.rowLimit; row++) {
        zone.positionX[row] = zone.area.x === 0 ? 99 : 101; // all of them where the four zones meet
        zone.positionY[row] = zone.area.y === 0 ? 99 : 101;
      }
    }
    const steer = (at: number): number => (at < 96 ? 127 : at > 104 ? -127 : random() < 0.5 ? 127 : -127);
    const stir = (): void => {
      for (const client of clients) {
        const { x, y } = client.self ?? { x: 100, y: 100 };
        if (random() < 0.2) world.send(client, 'Move', { x: steer(x), y: steer(y) });
      }
    };
    for (let tick = 0; tick < 600; tick++) {
      world.tick++;
      for (const host of world.hosts) {
        stir();
        if (random() < 0.8) host.runTick(world.tick); // else its thread is late
        if (random() < 0.5) world.router.deliverAll();
      }
    }
    world.run(30);
    assert.ok(
      world.counter(COUNTER.commandsForwarded) > 10,
      `${world.counter(COUNTER.commandsForwarded)} were forwarded`,
    );
    for (const client of clients) {
      assert.deepEqual(client.rejects, [], `seed ${seed}: client ${client.index}`);
      assert.equal(client.ack, client.seq, `seed ${seed}: client ${client.index}`);
    }
  });
}

test('where an earlier command was lost, those after it wait for some ticks only', () => {
  const on = stage();
  runBeforeMainHears(on.world, () => on.move());
  const ring = new RecordRing(on.world.plan.commands[on.from]);
  assert.equal(ring.readable(), 1);
  ring.release(1); // as with a thread that died with it in hand
  on.world.renewThread(on.from);
  on.world.router.attachClients(on.from);
  on.move();
  on.move();
  on.world.run(ARRIVAL_TICKS_MAX + 6);
  assert.deepEqual(on.client.rejects, []);
  assert.deepEqual(on.applied, [2, 3]);
  assert.equal(on.client.ack, 3);
});

test('a command that comes later than is waited for is lost because the server is behind, not for its number', () => {
  const on = stage();
  runBeforeMainHears(on.world, () => on.move());
  on.move();
  for (let n = 0; n < ARRIVAL_TICKS_MAX + 6; n++) runZone(on.world, on.to);
  assert.deepEqual(on.applied, [2]);
  on.world.run(8);
  assert.deepEqual(on.applied, [2]);
  assert.deepEqual(
    on.client.rejects.map(({ seq, code }) => ({ seq, code })),
    [{ seq: 1, code: RejectCode.QueueFull }],
  );
  assert.equal(on.client.ack, 2);
});

/** The zone's thread ends in the next tick, before its commit. */
function endBeforeCommit(world: HeadlessWorld, zone: number): void {
  const { buffer } = world.hosts[zone].zone;
  buffer.commit = () => {
    throw new Error('the thread ended');
  };
  assert.throws(() => world.hosts[zone].runTick(++world.tick), /the thread ended/);
}

for (const before of ['its client came in a tick before', 'its client came in the same tick'] as const) {
  test(`a forwarded command applied in a tick that was never committed is applied again, and not refused; ${before}`, () => {
    const on = stage();
    runBeforeMainHears(on.world, () => on.move());
    if (before === 'its client came in a tick before') runZone(on.world, on.to);
    runZone(on.world, on.from); // sends it on
    assert.deepEqual(on.applied, []);
    endBeforeCommit(on.world, on.to);
    assert.deepEqual(on.applied, [1], 'in the tick that is lost');
    on.world.replaceThread(on.to, 3);
    on.world.run(8);
    assert.deepEqual(on.client.rejects, []);
    assert.deepEqual(on.applied, [1, 1]);
    assert.equal(on.client.ack, 1);
  });
}

test('what was applied only in a tick that was never committed is not acknowledged', () => {
  const on = stage();
  on.world.run(3);
  on.move();
  on.world.run(4);
  assert.equal(on.client.ack, 1);
  on.move();
  endBeforeCommit(on.world, on.to); // with the record in hand
  on.world.replaceThread(on.to, 3);
  on.world.run(8);
  assert.equal(on.client.ack, 1, 'it is lost');
  on.move();
  on.world.run(4);
  assert.equal(on.client.ack, 3);
  assert.deepEqual(on.client.rejects, []);
});
