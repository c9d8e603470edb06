// Clients without a connection in a world without sockets: lost ones, those of a recovered world, and players who come in
// as they were stored.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorldPlan } from '../../../src/engine/plan/world-plan.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import arena from '../../../src/games/arena/game.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import { LIVE_BLOCK, WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { listAbsentClients } from '../../../src/server/main/absent-clients.js';
import type { Router } from '../../../src/server/main/router.js';
import type { HeadlessClient } from '../../../src/testing/headless-client.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';
import { testIdentity } from '../../../src/testing/test-identity.js';

const game = arena as unknown as GameDefinition;
const FOUR_ZONES = { zoneColumns: 2, zoneRows: 2, worldWidth: 200, worldHeight: 200, seed: 3 };
const CLIENTS = 12;
const STORED = { kind: 'player', x: 150, y: 30, fields: { hp: 41 } };
const WARNINGS: string[] = [];
const log = { debug() {}, info() {}, warn: (_: object, line: string) => WARNINGS.push(line), error() {} };

/** As a process that begins with what another one has stored: new rings, and nobody is connected. */
function recover(
  old: HeadlessWorld,
  settings: object,
  threads: number,
  waits = true,
  ticksUntilAttached = 0,
): HeadlessWorld {
  const prepare = (plan: WorldPlan, router: Router): void => {
    for (const [zone, buffer] of plan.worlds.entries()) {
      new Uint8Array(buffer).set(new Uint8Array(old.plan.worlds[zone]));
      const world = new WorldBuffer(buffer, plan.layout);
      world.blocks[LIVE_BLOCK].marks.fill(0);
      world.blocks[LIVE_BLOCK].columns.departTo.fill(0);
      world.commit();
      world.commit();
    }
    if (!waits) return;
    for (const { client, generation, zone, key } of listAbsentClients(plan, log).waiting)
      router.reserve(client, generation, zone, key);
  };
  return new HeadlessWorld(game, { ...FOUR_ZONES, ...settings }, threads, prepare, ticksUntilAttached);
}

/** Everyone walks on; ends in a tick in which nobody is between two zones. */
function createWalked(threads = 2): { world: HeadlessWorld; clients: HeadlessClient[] } {
  const world = new HeadlessWorld(game, FOUR_ZONES, threads);
  const clients = Array.from({ length: CLIENTS }, (_, i) => world.join(i));
  world.run(4);
  for (const client of clients) {
    const self = world.truth().get(client.entityId);
    assert.ok(self);
    world.send(client, 'Move', { x: self.x < 100 ? 127 : -127, y: 0 });
  }
  world.run(60);
  settle(world, clients);
  return { world, clients };
}

function settle(world: HeadlessWorld, clients: readonly HeadlessClient[]): void {
  for (let i = 0; i < 60 && !clients.every(({ entityId }) => world.truth().has(entityId)); i++) world.run(1);
}

function framesMade(world: HeadlessWorld): number {
  return world.counter(COUNTER.framesWritten);
}

for (const threads of [1, 3]) {
  test(`a recovered world keeps the entities of its clients, and each gets its own back, ${threads} threads`, () => {
    const { world: old, clients } = createWalked();
    const world = recover(old, {}, threads);
    world.tick = old.tick;
    const madeBefore = framesMade(world);
    const zonesBefore = new Map(clients.map(({ entityId }) => [entityId, world.truth().get(entityId)?.zone]));
    world.run(900);
    settle(world, clients);
    assert.equal(framesMade(world) - madeBefore, 0, 'nobody is told anything');
    const moved = clients.filter(({ entityId }) => world.truth().get(entityId)?.zone !== zonesBefore.get(entityId));
    assert.ok(moved.length > 3, `${moved.length} walked over a border meanwhile`);
    const back = clients.map(({ index, generation }) => world.resume(index, generation));
    world.run(20);
    for (const [i, client] of back.entries()) {
      assert.deepEqual([client.entityId, client.key, client.joinedCount], [clients[i].entityId, clients[i].key, 1]);
      assert.ok(client.self, `client ${i} sees itself`);
      assert.equal(client.fullCount, 1);
      assert.equal(client.ack, 0, 'numbers begin anew');
      world.send(client, 'Move', { x: 0, y: 0 });
    }
    world.run(20);
    for (const client of back) assert.equal(client.ack, 1);
    assert.equal(world.truth().size, old.truth().size, 'nobody is lost or doubled');
  });
}

test('who walks over a border before main has named anyone comes back to its entity all the same', () => {
  const { world: old, clients } = createWalked();
  const world = recover(old, {}, 2, true, 600);
  const moved = clients.filter(({ entityId }) => world.truth().get(entityId)?.zone !== old.truth().get(entityId)?.zone);
  assert.ok(moved.length > 3, `${moved.length} walked over a border meanwhile`);
  const back = clients.map(({ index, generation }) => world.resume(index, generation));
  world.run(20);
  for (const [i, client] of back.entries()) {
    assert.deepEqual([client.entityId, client.key], [clients[i].entityId, clients[i].key]);
    assert.ok(client.self, `client ${i} sees itself`);
  }
  assert.equal(world.truth().size, old.truth().size, 'nobody is lost or doubled');
});

test('a recovered world that waits for nobody drops what clients owned', () => {
  const { world: old } = createWalked();
  const before = old.truth().size;
  const world = recover(old, {}, 2, false);
  world.tick = old.tick;
  world.run(20);
  assert.equal(world.truth().size, before - CLIENTS);
});

test('in a recovered world that waits for nobody, whoever walks over a border before main has named anyone goes too', () => {
  const { world: old } = createWalked();
  const before = old.truth().size;
  const world = recover(old, {}, 2, false, 600);
  world.run(20);
  assert.ok(world.counter(COUNTER.entitiesArrived) > 3, 'some walked over a border meanwhile');
  assert.equal(world.truth().size, before - CLIENTS);
});

/** A world in which one client has just walked into a zone that has no room for it. */
function createCrowded() {
  const world = new HeadlessWorld(game, { ...FOUR_ZONES, entitiesPerZone: 64 }, 2);
  const client = world.restore(0, { ...STORED, x: 50 });
  world.run(4);
  const [{ zone: from }, { zone: full }] = world.hosts;
  const at = world.truth().get(client.entityId);
  assert.ok(at?.zone === 0);
  const crowd: number[] = [];
  for (let row = full.spawn(0, 150, 50); row >= 0; row = full.spawn(0, 150, 50)) crowd.push(row);
  from.positionX[at.row] = 102;
  world.run(3);
  assert.ok(!world.truth().has(client.entityId), 'it is on its way');
  const makeRoom = (): void => {
    for (const row of crowd.splice(-2)) world.hosts[1].zone.despawn(row);
  };
  const owned = (): number =>
    [...world.truth().values()].filter(({ zone, row }) => world.hosts[zone].zone.owner[row] !== 0).length;
  return { world, client, makeRoom, owned };
}

test('who leaves while a full zone keeps its entity waiting is gone when there is room', () => {
  const { world, client, makeRoom, owned } = createCrowded();
  world.leave(client);
  world.run(12);
  makeRoom();
  world.run(4);
  assert.equal(world.counter(COUNTER.entitiesArrived), 1);
  assert.equal(owned(), 0);
});

test('an index whose holder left on the way into a full zone can have a new one meanwhile', () => {
  const { world, client, makeRoom, owned } = createCrowded();
  world.leave(client);
  world.run(12);
  const next = world.restore(0, { ...STORED, x: 50 });
  world.run(4);
  makeRoom();
  world.run(4);
  assert.ok(next.self);
  assert.equal(owned(), 1);
});

test('who comes back and finds its entity before a full zone is refused, and the entity goes', () => {
  for (const isAbsent of [true, false]) {
    const { world, client, makeRoom, owned } = createCrowded();
    world.lose(client);
    const back = world.resume(client.index, client.generation);
    if (isAbsent) world.lose(back);
    world.run(12);
    makeRoom();
    world.run(4);
    assert.equal(world.counter(COUNTER.entitiesArrived), 1);
    assert.equal(owned(), 0, `absent: ${isAbsent}`);
  }
});

test('after a replacement too, an entity that waited for room longer than was waited for it goes', () => {
  for (const isAbsent of [true, false]) {
    const { world, client, makeRoom, owned } = createCrowded();
    if (isAbsent) world.lose(client);
    world.replaceThread(0);
    world.replaceThread(1);
    world.run(12);
    makeRoom();
    world.run(4);
    assert.equal(owned(), 0, `absent: ${isAbsent}`);
  }
});

test('indexes beyond what this server has are dropped, and said', () => {
  const { world: old } = createWalked();
  const before = old.truth().size;
  const world = recover(old, { clientsMax: 5 }, 2);
  world.tick = old.tick;
  world.run(20);
  assert.match(WARNINGS.at(-1) as string, /7 players of the recovered world are dropped: clientsMax is 5/);
  assert.equal(world.truth().size, before - 7);
});

for (const isWaiting of [true, false]) {
  const who = isWaiting ? 'who has an index beyond what this server has' : 'who is not waited for';
  test(`${who} is dropped also when it crosses a border before main has named anyone, and others play`, () => {
    const { world: old, clients } = createWalked(1);
    const at = old.truth();
    const bots = at.size - CLIENTS;
    // All but the first few step over the border between the two upper zones at once.
    for (const [i, { entityId }] of clients.entries()) {
      const { zone, row } = at.get(entityId) as { zone: number; row: number };
      const { positionX } = old.hosts[zone].zone;
      if (i >= 3) positionX[row] = zone % 2 === 0 ? 101 : 99;
    }
    for (const { zone } of old.hosts) {
      zone.buffer.commit();
      zone.buffer.commit();
    }
    const world = recover(old, { clientsMax: isWaiting ? 3 : 64 }, 2, isWaiting, 5);
    world.run(20);
    assert.equal(world.truth().size, bots + (isWaiting ? 3 : 0));
    const client = isWaiting ? world.resume(0, clients[0].generation) : world.join(0);
    world.run(20);
    world.send(client, 'Move', { x: 0, y: 1 });
    world.run(10);
    assert.deepEqual([client.ack, client.entityId], [1, client.self?.id], `${client.frameCount} frames`);
    const counted = world.hosts.map(({ zone }) => zone.counters[COUNTER.clients]);
    assert.equal(
      counted.reduce((sum, count) => sum + count),
      isWaiting ? 3 : 1,
    );
    assert.ok(
      counted.every((count) => count >= 0),
      `${counted} clients`,
    );
  });
}

test('of two holders of an index, as zones stored at different times may have, the later one waits', () => {
  const { world: old, clients } = createWalked();
  const row = old.truth().get(clients[0].entityId);
  assert.ok(row);
  const { zone } = old.hosts[row.zone];
  zone.owner[row.row] = clients[1].index + 1; // of an earlier generation
  const { waiting, lastGeneration } = listAbsentClients(old.plan, log);
  assert.deepEqual([waiting.length, lastGeneration], [CLIENTS - 1, CLIENTS]);
  const waits = waiting.find(({ client }) => client === 1);
  assert.equal(waits?.generation, clients[1].generation);
});

test('absent clients outlive a thread that is replaced, come back after it, and go when they are let go', () => {
  const { world: old, clients } = createWalked();
  const world = recover(old, {}, 2);
  world.tick = old.tick;
  world.run(30);
  world.replaceThread(0, 2);
  world.run(30);
  world.replaceThread(1);
  world.run(30);
  settle(world, clients);
  const before = world.truth().size;
  assert.ok(clients.every(({ entityId }) => world.truth().has(entityId)));
  const back = world.resume(clients[0].index, clients[0].generation);
  world.run(10);
  assert.deepEqual([back.entityId, back.fullCount], [clients[0].entityId, 1]);
  world.router.leave(clients[1].index, clients[1].generation, 'left');
  world.run(20);
  assert.equal(world.truth().size, before - 1);
  assert.ok(!world.truth().has(clients[1].entityId));
});

test('who comes back while its thread is being replaced gets its entity, not another one', () => {
  for (const ticks of [0, 3, 12]) {
    const { world, clients } = createWalked();
    for (const client of clients) world.lose(client);
    world.run(5);
    const before = world.truth().size;
    let back: HeadlessClient[] = [];
    const frames = world.router.deliverAll.bind(world.router);
    frames();
    back = clients.map(({ index, generation }) => world.resume(index, generation));
    world.replaceThread(0, ticks);
    world.replaceThread(1, ticks);
    world.run(40);
    settle(world, clients);
    assert.equal(world.truth().size, before, `${ticks} ticks`);
    for (const [i, client] of back.entries()) {
      assert.equal(client.entityId, clients[i].entityId, `client ${i}, ${ticks} ticks`);
      assert.ok(client.self);
    }
  }
});

test('who comes back to a thread that dies before it has obeyed is heard by the next one', () => {
  const { world, clients } = createWalked(1);
  const [client] = clients;
  world.lose(client);
  world.run(2);
  world.renewThread(0); // main is yet to name the clients when this one comes back
  const back = world.resume(client.index, client.generation);
  world.run(1); // the word is read
  world.replaceThread(0);
  world.run(10);
  assert.equal(back.ack, 0, 'its sequence numbers begin anew');
  world.send(back, 'Move', { x: 0, y: 127 });
  const stale = world.counter(COUNTER.commandsStale);
  world.run(10);
  assert.equal(world.counter(COUNTER.commandsStale), stale);
  assert.equal(back.ack, 1);
  assert.deepEqual([back.entityId, back.rejects.length], [client.entityId, 0]);
});

test('an entity that is dead for good is replaced by another one when its client comes back', () => {
  const { world, clients } = createWalked();
  const [client] = clients;
  world.lose(client);
  world.run(2);
  const at = world.truth().get(client.entityId);
  assert.ok(at);
  world.hosts[at.zone].zone.despawn(at.row);
  world.run(2);
  const back = world.resume(client.index, client.generation);
  world.run(10);
  assert.notEqual(back.key, client.key);
  assert.ok(back.self);
  world.send(back, 'Move', { x: 1, y: 1 });
  world.run(10);
  assert.equal(back.ack, 1);
});

test('a lost entity of an absent client is said to main after a replacement, and no other one is made', () => {
  const { world, clients } = createWalked();
  const [client] = clients;
  world.lose(client);
  world.run(2);
  const at = world.truth().get(client.entityId);
  assert.ok(at);
  world.hosts[at.zone].zone.despawn(at.row);
  world.run(2);
  const before = world.truth().size;
  world.replaceThread(0);
  world.replaceThread(1);
  world.run(30);
  assert.equal(world.truth().size, before);
  assert.equal(
    world.router.resume(client.index, client.generation, 20, testIdentity(1)),
    false,
    'main knows that it is gone',
  );
});

test('commands of a connection that was replaced are dropped, wherever they wait', () => {
  const { world, clients } = createWalked();
  const [client] = clients;
  world.send(client, 'Move', { x: 0, y: 127 });
  const stale = world.counter(COUNTER.commandsStale);
  const back = world.resume(client.index, client.generation); // the word overtakes the command
  world.run(10);
  assert.equal(world.counter(COUNTER.commandsStale), stale + 1);
  assert.equal(back.ack, 0);
  world.send(back, 'Move', { x: 0, y: 0 });
  world.run(10);
  assert.equal(back.ack, 1);
});

test('a player comes in as it was stored, where it was, and what is not stored is as the game makes it', () => {
  const world = new HeadlessWorld(game, FOUR_ZONES, 2);
  const plain = world.join(1);
  const client = world.restore(0, STORED);
  world.run(10);
  const at = world.truth().get(client.entityId);
  assert.ok(at && client.self);
  assert.deepEqual([at.zone, at.x, at.y], [1, 150, 30]);
  const { zone } = world.hosts[at.zone];
  assert.equal(zone.columns.hp[at.row], 41);
  assert.deepEqual([zone.owner[at.row], zone.engine.ownerGeneration[at.row]], [1, client.generation]);
  assert.equal(client.decoder.kinds[client.self.kind], 'player');
  const other = world.truth().get(plain.entityId);
  assert.ok(other && world.hosts[other.zone].zone.columns.hp[other.row] === 100);
  world.send(client, 'Move', { x: 127, y: 0 });
  world.run(30);
  assert.ok((world.truth().get(client.entityId)?.x ?? 0) > 151, 'it walks');
  const beyond = world.restore(2, { ...STORED, x: 4000, y: -7 });
  world.run(10);
  assert.deepEqual([beyond.self?.x, beyond.self?.y], [199, 1], 'clamped to this world');
});

test('a player who leaves before the zone has let it in does not stay behind', () => {
  const world = new HeadlessWorld(game, FOUR_ZONES, 2);
  world.run(4);
  const before = world.truth().size;
  const { intake } = world.hosts[1];
  const drain = intake.drain.bind(intake);
  let isDone = false;
  // Main speaks between the zone's look for arrivals and its look for words.
  intake.drain = () => {
    if (!isDone) {
      isDone = true;
      assert.ok(world.router.restore(0, 900, 20, STORED, testIdentity(1)));
      world.router.leave(0, 900, 'left');
    }
    drain();
  };
  world.run(20);
  assert.ok(isDone);
  assert.equal(world.truth().size, before);
});

test('a stored player is taken once, also when the thread dies before the tick is committed', () => {
  const world = new HeadlessWorld(game, FOUR_ZONES, 2);
  const client = world.restore(0, STORED);
  const before = world.truth().size;
  const { zone } = world.hosts[1];
  // The tick that takes it is lost.
  world.hosts[1].replicator.run = () => {};
  const buffer = zone.buffer as { commit: () => void };
  buffer.commit = () => {
    throw new Error('dead');
  };
  assert.throws(() => world.run(1), /dead/);
  world.replaceThread(0);
  world.replaceThread(1);
  world.run(20);
  assert.equal(world.truth().size, before + 1);
  assert.ok(client.self);
  assert.equal(client.self.x, 150);
});
