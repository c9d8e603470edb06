import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import arena from '../../../src/games/arena/game.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import { hashCommitted, hashText } from '../../../src/memory/world/state-hash.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

const game = arena as unknown as GameDefinition;
const FOUR_ZONES = { zoneColumns: 2, zoneRows: 2, worldWidth: 200, worldHeight: 200 };

function positionOf(world: HeadlessWorld, id: number): { zone: number; x: number; y: number } {
  const entity = world.truth().get(id);
  assert.ok(entity, `entity ${id} lives`);
  return entity;
}

test('a player walks over a border and keeps its id, velocity, view and place', () => {
  const world = new HeadlessWorld(game, { ...FOUR_ZONES, bots: 120, seed: 3 }, 2);
  const client = world.join(0);
  world.run(4);
  const start = positionOf(world, client.entityId);
  const direction = start.x < 100 ? 127 : -127;
  world.send(client, 'Move', { x: direction, y: 0 });
  client.entered.length = 0;
  let crossedAt = 0;
  let lastX = start.x;
  let lastTick = world.tick - 1;
  const steps: number[] = [];
  world.run(1200, () => {
    const now = world.truth().get(client.entityId);
    if (now === undefined) return; // on its way between two zones, for a tick
    assert.ok(world.tick - lastTick <= 2, `tick ${world.tick}: it is on its way for too long`);
    steps.push(Math.abs(now.x - lastX) / (world.tick - lastTick));
    lastX = now.x;
    lastTick = world.tick;
    if (crossedAt === 0 && now.zone !== start.zone) crossedAt = world.tick;
    const self = client.self;
    assert.ok(self, `tick ${world.tick}: the client sees itself`);
  });
  assert.ok(crossedAt > 0, 'it crossed');
  assert.equal(client.fullCount, 1, 'no full frame was needed');
  assert.ok(!client.entered.includes(client.entityId), 'its own entity never left its view');
  assert.ok(Math.max(...steps) < 0.11, `no jump: ${Math.max(...steps)}`);
  world.send(client, 'Move', { x: 0, y: 127 });
  const { ack } = client;
  world.run(6);
  assert.ok(client.ack > ack, 'its commands go to the new zone');
});

for (const seed of [1, 2]) {
  test(`nobody is lost or doubled where four zones and three threads meet, seed ${seed}`, () => {
    const settings = { ...FOUR_ZONES, bots: 200, seed };
    const world = new HeadlessWorld(game, settings, 3);
    const random = createRandom(seed);
    for (let i = 0; i < 40; i++) world.join(i);
    world.run(3);
    const kinds = new Map<number, number>();
    world.run(1500, () => {
      for (const client of world.clients.values()) {
        if (random() < 0.03) {
          const angle = random() * 2 * Math.PI;
          world.send(client, 'Move', { x: Math.round(127 * Math.cos(angle)), y: Math.round(127 * Math.sin(angle)) });
        }
      }
      const truth = world.truth(); // throws when an id lives twice
      for (const client of world.clients.values()) {
        const inRing = !truth.has(client.entityId);
        kinds.set(client.index, inRing ? (kinds.get(client.index) ?? 0) + 1 : 0);
        assert.ok(
          (kinds.get(client.index) as number) <= 2,
          `seed ${seed} tick ${world.tick}: client ${client.index} is nowhere`,
        );
      }
    });
    assert.ok(world.counter(COUNTER.entitiesArrived) > 50, 'many crossed');
    assert.equal(world.counter(COUNTER.handoffFull), 0);
    for (const client of world.clients.values()) {
      assert.ok(client.self, `client ${client.index} sees itself`);
      assert.equal(client.fullCount, 1);
    }
  });
}

test('players on both sides of a border see each other', () => {
  const world = new HeadlessWorld(game, { ...FOUR_ZONES, bots: 0, seed: 4, spawn: 'spread' });
  const random = createRandom(4);
  for (let i = 0; i < 60; i++) world.join(i);
  world.run(120, () => {
    for (const client of world.clients.values()) {
      if (random() < 0.03)
        world.send(client, 'Move', { x: Math.floor(random() * 200 - 100), y: Math.floor(random() * 200 - 100) });
    }
  });
  for (const client of world.clients.values()) world.send(client, 'Move', { x: 0, y: 0 });
  world.run(30);
  const truth = world.truth();
  let across = 0;
  for (const a of world.clients.values()) {
    for (const b of world.clients.values()) {
      const [p, q] = [truth.get(a.entityId), truth.get(b.entityId)];
      if (p === undefined || q === undefined || Math.hypot(p.x - q.x, p.y - q.y) > 24) continue;
      assert.ok(
        a.decoder.entities.has(b.entityId),
        `client ${a.index} in zone ${p.zone} sees ${b.index} in zone ${q.zone}`,
      );
      if (p.zone !== q.zone) across++;
    }
  }
  assert.ok(across > 10, `${across} pairs stand across a border`);
});

test('an id given out in one zone comes home when its entity dies in another', () => {
  const world = new HeadlessWorld(game, { ...FOUR_ZONES, seed: 5 });
  const random = createRandom(5);
  for (let round = 0; round < 8; round++) {
    const clients = Array.from({ length: 30 }, (_, i) => world.join(i));
    world.run(300, () => {
      for (const client of clients) {
        if (random() < 0.02)
          world.send(client, 'Move', { x: Math.floor(random() * 250 - 125), y: Math.floor(random() * 250 - 125) });
      }
    });
    for (const client of clients) world.leave(client);
    world.run(10);
  }
  const alive = world.truth();
  const taken = world.hosts.reduce((sum, { zone }) => sum + zone.engine.idTaken.reduce((a, b) => a + b, 0), 0);
  assert.ok(world.counter(COUNTER.entitiesArrived) > 20);
  assert.equal(taken, alive.size, 'as many ids are taken as entities live');
});

test('who crosses a border while its zone has no room for another mirror is seen there when there is room again', () => {
  const world = new HeadlessWorld(game, { ...FOUR_ZONES, zoneRows: 1, bots: 2400, seed: 8, spawn: 'crowd' });
  const client = world.join(0);
  world.run(4);
  const { zone: home, row } = world.truth().get(client.entityId) as { zone: number; row: number };
  const [from, to] = [world.hosts[home].zone, world.hosts[1 - home].zone];
  const inward = home === 0 ? 1 : -1;
  const crowd = (distance: number): void => {
    for (let npc = 0; npc < to.rowLimit; npc++) {
      if (to.owner[npc] === 0) to.positionX[npc] = 100 + inward * distance;
    }
  };
  world.run(3, () => crowd(5));
  const isFull = from.counters[COUNTER.mirrors] === from.rowCapacity - from.ownCapacity;
  assert.ok(isFull, `${from.counters[COUNTER.mirrors]} mirrors`);
  from.positionX[row] = 100 + inward;
  world.run(8, () => crowd(5));
  const { zone, row: there } = world.truth().get(client.entityId) as { zone: number; row: number };
  assert.equal(zone, 1 - home, 'it has crossed');
  world.run(10, () => {
    crowd(90);
    to.positionX[there] = 100 + inward;
  });
  const mirror = from.rowOfId[client.entityId] - 1;
  assert.ok(mirror >= from.ownCapacity && from.alive[mirror] !== 0, `it is row ${mirror} where it came from`);
  assert.equal(from.engine.key[mirror], client.key);
});

test('commands in flight follow a player over the border', () => {
  const world = new HeadlessWorld(game, { ...FOUR_ZONES, seed: 6 }, 2);
  const clients = Array.from({ length: 40 }, (_, i) => world.join(i));
  const random = createRandom(6);
  world.run(4);
  world.run(900, () => {
    for (const client of clients) {
      if (random() < 0.5) {
        world.send(client, 'Move', { x: client.index % 2 === 0 ? 127 : -127, y: Math.floor(random() * 100 - 50) });
      }
    }
  });
  world.run(10);
  for (const client of clients) {
    assert.equal(client.ack, client.seq, `client ${client.index}: everything was applied`);
    assert.equal(client.rejects.length, 0);
  }
  assert.equal(world.counter(COUNTER.commandsStale), 0);
});

test('a replaced thread goes on from the committed tick: same entities, same players, one full frame', () => {
  const world = new HeadlessWorld(game, { ...FOUR_ZONES, bots: 100, seed: 7 }, 2);
  const random = createRandom(7);
  const clients = Array.from({ length: 30 }, (_, i) => world.join(i));
  const stir = (): void => {
    for (const client of clients) {
      if (random() < 0.05)
        world.send(client, 'Move', { x: Math.floor(random() * 250 - 125), y: Math.floor(random() * 250 - 125) });
    }
  };
  world.run(60, stir);
  for (let round = 0; round < 6; round++) {
    const before = world.truth();
    world.replaceThread(round % 2);
    world.run(1);
    const after = world.truth();
    for (const { entityId, index } of clients) {
      assert.ok(after.has(entityId), `client ${index} still has its entity`);
      const [p, q] = [before.get(entityId), after.get(entityId)];
      if (p && q) assert.ok(Math.hypot(p.x - q.x, p.y - q.y) < 0.3, `client ${index} stands where it stood`);
    }
    world.run(40, stir);
    for (const client of clients) {
      assert.ok(client.self, `client ${client.index} sees itself`);
    }
  }
  assert.ok(Math.max(...clients.map(({ fullCount }) => fullCount)) <= 7);
});

test('commands that pile up while a thread is replaced are applied in their order, the last one last', () => {
  const world = new HeadlessWorld(game, { ...FOUR_ZONES, seed: 10 }, 2);
  const clients = Array.from({ length: 40 }, (_, i) => world.join(i));
  world.run(10);
  let lowest = 0;
  world.listen((client) => {
    assert.ok(client.ack >= lowest || client.ack === 0, `client ${client.index}: ack fell to ${client.ack}`);
  });
  for (let round = 0; round < 6; round++) {
    for (let n = 0; n < 15; n++) {
      for (const client of clients) world.send(client, 'Move', { x: n % 2 === 0 ? 127 : -127, y: 0 });
    }
    for (const client of clients) world.send(client, 'Move', { x: 0, y: 0 });
    world.replaceThread(round % 2, 3);
    world.run(12);
    const truth = world.truth();
    const before = new Map(clients.map(({ entityId }) => [entityId, truth.get(entityId)?.x]));
    world.run(10);
    const after = world.truth();
    for (const { entityId, index, ack, seq, rejects } of clients) {
      assert.equal(after.get(entityId)?.x, before.get(entityId), `round ${round}: client ${index} stands still`);
      assert.equal(ack, seq, `round ${round}: client ${index}`);
      assert.equal(rejects.length, 0);
    }
    lowest = Math.min(...clients.map(({ ack }) => ack));
  }
});

for (const seed of [1, 2, 3]) {
  test(`players who cross a border while a thread is replaced are neither lost nor doubled nor silent, seed ${seed}`, () => {
    const world = new HeadlessWorld(game, { ...FOUR_ZONES, bots: 0, seed }, 2);
    const random = createRandom(seed);
    const clients = Array.from({ length: 50 }, (_, i) => world.join(i));
    // Long straight walks towards the middle, where the zones meet, and beyond it.
    const stir = (): void => {
      for (const client of clients) {
        if (world.tick % 400 !== client.index) continue;
        const { self } = client;
        world.send(client, 'Move', {
          x: (self?.x ?? 0) < 100 ? 127 : -127,
          y: Math.floor(random() * 250 - 125),
        });
      }
    };
    world.run(200, stir);
    for (let round = 0; round < 30; round++) {
      world.replaceThread(round % 2, (round % 4) * 8);
      world.run(20, stir);
      const frames = clients.map(({ frameCount }) => frameCount);
      world.run(20, stir);
      const truth = world.truth(); // throws when an id lives twice
      const owned = [...truth.values()].filter(({ zone, row }) => world.hosts[zone].zone.owner[row] !== 0).length;
      assert.ok(owned <= clients.length, `seed ${seed} round ${round}: ${owned} entities of ${clients.length} players`);
      for (const [i, client] of clients.entries()) {
        assert.ok(client.frameCount > frames[i], `seed ${seed} round ${round}: client ${i} gets frames`);
        assert.ok(client.self, `seed ${seed} round ${round}: client ${i} sees itself`);
      }
    }
    assert.ok(world.counter(COUNTER.entitiesArrived) > 30, `${world.counter(COUNTER.entitiesArrived)} crossed`);
  });
}

/** The zone's thread ends in the next tick, after its commit, before anything of it is told or published. */
function endAfterCommit(world: HeadlessWorld, zone: number): void {
  const { handoff } = world.hosts[zone] as unknown as { handoff: { settle(): void } };
  handoff.settle = () => {
    throw new Error('the thread ended');
  };
  assert.throws(() => world.run(1), /the thread ended/);
}

for (const deaths of [1, 2, 3]) {
  test(`who has departed in a committed tick arrives, though ${deaths} threads die before they have settled one`, () => {
    const world = new HeadlessWorld(game, { ...FOUR_ZONES, zoneRows: 1, bots: 20, seed: 9 }, 2);
    const clients = [world.join(0), world.join(1)];
    world.run(4);
    const before = world.truth();
    const start = before.get(clients[0].entityId) as { zone: number; row: number };
    world.hosts[start.zone].zone.positionX[start.row] = start.zone === 0 ? 102 : 98;
    for (let death = 0; death < deaths; death++) {
      if (death > 0) world.renewThread(start.zone);
      endAfterCommit(world, start.zone);
    }
    assert.ok(deaths > 1 || !world.truth().has(clients[0].entityId), 'it is on its way');
    world.replaceThread(start.zone);
    world.run(20);
    const truth = world.truth(); // throws when an id lives twice
    assert.deepEqual([...truth.keys()].sort(), [...before.keys()].sort());
    assert.equal(truth.get(clients[0].entityId)?.zone, 1 - start.zone);
    for (const client of clients) {
      world.send(client, 'Move', { x: 0, y: 1 });
      world.run(10);
      assert.equal(client.ack, client.seq);
      assert.ok(client.self);
    }
  });
}

test('the same seed and the same commands give the same state', () => {
  const run = (): string[] => {
    const world = new HeadlessWorld(game, { ...FOUR_ZONES, bots: 100, seed: 8 });
    const random = createRandom(8);
    for (let i = 0; i < 20; i++) world.join(i);
    world.run(300, () => {
      for (const client of world.clients.values()) {
        if (random() < 0.1) world.send(client, 'Move', { x: Math.floor(random() * 250 - 125), y: 50 });
        if (random() < 0.05) world.send(client, 'Shoot', { angle: Math.floor(random() * 65536) });
      }
    });
    return world.hosts.map(({ zone }) => hashText(hashCommitted(zone.buffer)!));
  };
  const first = run();
  assert.deepEqual(run(), first);
  assert.equal(new Set(first).size, 4, 'zones differ');
});

test('a zone without room refuses a player with a code', () => {
  const world = new HeadlessWorld(game, { zoneColumns: 1, zoneRows: 1, entitiesPerZone: 64, bots: 0, seed: 9 });
  const clients = Array.from({ length: 64 }, (_, i) => world.join(i));
  world.run(3);
  const refused = clients.filter(({ refusedCode }) => refusedCode !== 0);
  assert.ok(refused.length > 0 && refused.length < 64);
  assert.ok(refused.every(({ entityId }) => entityId === 0));
});
