// What a thread that dies in the middle of a tick leaves on its way to other zones, and what its successor does with it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handoffRecordBytes, handoffRingRecords } from '../../../src/engine/borders/handoff.js';
import { neighbourZones } from '../../../src/engine/plan/world-plan.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import { RejectCode } from '../../../src/game/reject-codes.js';
import arena from '../../../src/games/arena/game.js';
import {
  FAR_HANDOFF_RING_RECORDS,
  FAR_POSTING_RING_RECORDS,
  HANDOFF_RING_RECORDS,
  POSTING_RING_RECORDS,
  RETURNING_IDS_KEPT,
} from '../../../src/memory/limits.js';
import { ByteRing } from '../../../src/memory/rings/byte-ring.js';
import { RecordRing } from '../../../src/memory/rings/record-ring.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import { SCALAR_TICK } from '../../../src/memory/world/world-layout.js';
import type { HeadlessClient } from '../../../src/testing/headless-client.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

/** Nobody is there at first, and nothing moves by itself. */
const game: GameDefinition = { ...(arena as unknown as GameDefinition), systems: [], populate: () => {} };
const TWO_ZONES = { zoneColumns: 2, zoneRows: 1, worldWidth: 200, worldHeight: 100, bots: 0, seed: 3 };
const FOUR_ZONES = { zoneColumns: 2, zoneRows: 2, worldWidth: 200, worldHeight: 200, bots: 0, seed: 3 };
const FOUR_BY_FOUR = { zoneColumns: 4, zoneRows: 4, worldWidth: 800, worldHeight: 800, bots: 0, seed: 3 };
const NPC = 1;

interface HandoffParts {
  handoff: {
    events: { canTell(leaverCount: number): boolean };
    journal: { taken(source: number, mark: number): void };
  };
}

/** A tick of one zone as far as its commit, or one step short of it. */
function runToCommit(world: HeadlessWorld, zone: number, isShort = false): void {
  const host = world.hosts[zone];
  const commit = host.zone.buffer.commit.bind(host.zone.buffer);
  let isReached = false;
  host.zone.buffer.commit = () => {
    isReached = true;
    if (!isShort) commit();
  };
  host.beginTick(++world.tick);
  for (let step = 0; !isReached; step++) host.runStep(step);
  assert.equal(host.zone.buffer.committed.scalars[SCALAR_TICK], isShort ? world.tick - 1 : world.tick);
}

function runZone(world: HeadlessWorld, zone: number): void {
  world.hosts[zone].runTick(++world.tick);
  world.router.deliverAll();
}

function takenIds(world: HeadlessWorld, zone: number): number {
  return world.hosts[zone].zone.engine.idTaken.reduce((sum, taken) => sum + taken, 0);
}

/** A world in which the ring from one zone to the other has so many records. */
function createNarrow(records: number, source = 0, target = 1): HeadlessWorld {
  return new HeadlessWorld(game, TWO_ZONES, 2, (plan) => {
    plan.handoffs[source][target] = RecordRing.create(records, handoffRecordBytes(plan.layout.columns));
  });
}

function zoneOf(world: HeadlessWorld, id: number): number | undefined {
  return world.truth().get(id)?.zone;
}

/** A client whose entity is in zone 0. */
function joinZone0(world: HeadlessWorld): HeadlessClient {
  const client = world.join();
  world.run(3);
  world.place(client, 50, 50);
  world.run(4);
  assert.equal(zoneOf(world, client.entityId), 0);
  return client;
}

/** Entities born in zone 0 that live in zone 1. */
function settleAbroad(world: HeadlessWorld, count: number): number[] {
  const { zone } = world.hosts[0];
  const ids = Array.from({ length: count }, () => zone.wireIdOf(zone.spawn(NPC, 110, 50)));
  world.run(3);
  const truth = world.truth();
  for (const id of ids) assert.equal(truth.get(id)?.zone, 1);
  return ids;
}

test('the ids of those who died abroad come home where their thread dies between commit and publishing', () => {
  const world = new HeadlessWorld(game, TWO_ZONES, 2);
  const ids = settleAbroad(world, 3);
  const { zone } = world.hosts[1];
  const run = (): void => {
    for (const id of ids) zone.despawn(zone.rowOfId[id] - 1);
  };
  const system = { name: 'death', run };
  (zone.game.systems as unknown[]).push(system);
  runToCommit(world, 1);
  (zone.game.systems as unknown[]).pop();
  assert.equal(takenIds(world, 0), 3);
  world.renewThread(1);
  world.run(2);
  assert.equal(takenIds(world, 0), 0, 'their ids are free');
  assert.equal(world.counter(COUNTER.idsLost), 0);
});

test('ids that find no room on their way home outlast their thread', () => {
  const world = createNarrow(2, 1, 0);
  const ids = settleAbroad(world, 5);
  const { zone } = world.hosts[1];
  for (const id of ids) zone.despawn(zone.rowOfId[id] - 1);
  runZone(world, 1);
  assert.equal(zone.idsToReturn.length, 3, 'two of them are on their way');
  world.renewThread(1);
  assert.equal(world.hosts[1].zone.idsToReturn.length, 3);
  world.run(8);
  assert.equal(takenIds(world, 0), 0, 'their ids are free');
  assert.equal(world.counter(COUNTER.idsLost), 0);
});

test('ids beyond those that a commit keeps are counted as lost with their thread', () => {
  const world = new HeadlessWorld(game, TWO_ZONES, 2);
  const { zone } = world.hosts[1];
  for (let id = 0; id < RETURNING_IDS_KEPT + 7; id++) zone.idsToReturn.push(id);
  zone.buffer.commit();
  assert.equal(world.counter(COUNTER.idsLost), 0);
  world.renewThread(1);
  assert.equal(world.hosts[1].zone.idsToReturn.length, RETURNING_IDS_KEPT);
  assert.equal(world.hosts[1].zone.idsToReturn.at(-1), RETURNING_IDS_KEPT - 1);
  assert.equal(world.counter(COUNTER.idsLost), 7);
});

test('who was committed as departed arrives where it was going, though its thread dies before it publishes', () => {
  const world = new HeadlessWorld(game, FOUR_ZONES, 4);
  const { zone } = world.hosts[0];
  const goals = [
    { x: 110, y: 50, zone: 1 },
    { x: 50, y: 110, zone: 2 },
    { x: 111, y: 51, zone: 1 },
    { x: 110, y: 110, zone: 3 },
  ];
  const ids = goals.map(({ x, y }) => zone.wireIdOf(zone.spawn(NPC, x, y)));
  runToCommit(world, 0);
  world.renewThread(0);
  assert.equal(world.hosts[0].zone.rowLimit, 0, 'their rows are free');
  world.run(2);
  const truth = world.truth();
  for (const [i, id] of ids.entries()) {
    const found = truth.get(id);
    assert.equal(found?.zone, goals[i].zone);
    assert.ok(Math.hypot((found?.x ?? 0) - goals[i].x, (found?.y ?? 0) - goals[i].y) < 1);
  }
});

test('a successor of a successor publishes what was committed once', () => {
  const world = new HeadlessWorld(game, TWO_ZONES, 2);
  const { zone } = world.hosts[0];
  const id = zone.wireIdOf(zone.spawn(NPC, 110, 50));
  runToCommit(world, 0);
  world.renewThread(0);
  world.renewThread(0);
  world.run(3);
  assert.equal(world.truth().get(id)?.zone, 1); // truth() throws when it lives twice
  assert.equal(world.counter(COUNTER.entitiesArrived), 1);
});

test('who departs in a tick that is never committed stays, and departs in the next', () => {
  const world = new HeadlessWorld(game, TWO_ZONES, 2);
  world.run(1);
  const { zone } = world.hosts[0];
  const id = zone.wireIdOf(zone.spawn(NPC, 90, 50));
  runZone(world, 0);
  zone.positionX[zone.rowOfId[id] - 1] = 110;
  runToCommit(world, 0, true);
  assert.equal(zone.alive[0], 0, 'it was about to depart');
  world.renewThread(0);
  assert.equal(world.truth().get(id)?.zone, 0);
  world.run(2);
  assert.equal(world.counter(COUNTER.entitiesArrived), 0, 'nothing of that tick was sent');
  const next = world.hosts[0].zone;
  next.positionX[next.rowOfId[id] - 1] = 110;
  world.run(2);
  assert.equal(world.truth().get(id)?.zone, 1);
});

test('a full zone takes nobody in until it has room, also from a successor', () => {
  const world = new HeadlessWorld(game, { ...TWO_ZONES, entitiesPerZone: 64 }, 2);
  const target = world.hosts[1].zone;
  for (let n = 0; n < 64; n++) target.spawn(NPC, 150, 50);
  world.run(1);
  const { zone } = world.hosts[0];
  const id = zone.wireIdOf(zone.spawn(NPC, 110, 50));
  runToCommit(world, 0);
  world.renewThread(0);
  world.run(3);
  assert.equal(world.truth().get(id), undefined);
  assert.ok(target.counters[COUNTER.handoffFull] >= 3, 'each try is counted');
  target.despawn(0);
  world.run(1);
  assert.equal(world.truth().get(id)?.zone, 1);
});

test('who finds no room in the ring stays, is counted in each tick, and goes when there is room', () => {
  const world = createNarrow(2);
  const { zone } = world.hosts[0];
  const ids = [110, 111, 112].map((x) => zone.wireIdOf(zone.spawn(NPC, x, 50)));
  runZone(world, 0);
  assert.equal(zone.counters[COUNTER.handoffFull], 1);
  assert.equal(zone.counters[COUNTER.entitiesDeparted], 2);
  assert.equal(zoneOf(world, ids[2]), 0);
  runZone(world, 0);
  assert.equal(zone.counters[COUNTER.handoffFull], 2);
  world.run(3);
  assert.deepEqual(
    ids.map((id) => zoneOf(world, id)),
    [1, 1, 1],
  );
  assert.equal(world.counter(COUNTER.entitiesArrived), 3);
});

test('a command that finds no room after its client is rejected, and not lost', () => {
  const world = createNarrow(2);
  const client = joinZone0(world);
  world.place(client, 110, 50);
  const { zone } = world.hosts[0];
  zone.spawn(NPC, 110, 60); // the other record of the ring
  assert.ok(world.send(client, 'Move', { x: 1, y: 0 }));
  const { router } = world;
  const deliverAll = router.deliverAll.bind(router);
  router.deliverAll = () => {
    router.deliverAll = deliverAll;
    world.send(client, 'Move', { x: 2, y: 0 }); // main has not heard that it departed
    deliverAll();
  };
  runZone(world, 0);
  runZone(world, 0);
  world.run(4);
  assert.deepEqual(
    client.rejects.map(({ seq, code }) => ({ seq, code })),
    [{ seq: 2, code: RejectCode.QueueFull }],
  );
  assert.equal(world.counter(COUNTER.commandsForwarded), 0);
});

test('a client leaves only where main can be told of it; who has no client leaves all the same', () => {
  const world = new HeadlessWorld(game, TWO_ZONES, 2);
  const client = joinZone0(world);
  const { events } = (world.hosts[0] as unknown as HandoffParts).handoff;
  const { canTell } = events;
  events.canTell = () => false;
  world.place(client, 110, 50);
  const { zone } = world.hosts[0];
  const npc = zone.wireIdOf(zone.spawn(NPC, 110, 60));
  world.run(3);
  assert.deepEqual([zoneOf(world, client.entityId), zoneOf(world, npc)], [0, 1]);
  assert.equal(zone.counters[COUNTER.handoffFull], 3);
  events.canTell = (leaverCount) => leaverCount <= 1 && canTell(leaverCount);
  world.run(2);
  assert.equal(zoneOf(world, client.entityId), 1);
});

test('main is not told again of a client whose record was readable before its thread died', () => {
  const world = new HeadlessWorld(game, TWO_ZONES, 2);
  const client = joinZone0(world);
  world.place(client, 110, 50);
  runZone(world, 0);
  world.renewThread(0);
  assert.equal(new ByteRing(world.plan.frames[0]).next(), false, 'main has heard it, and the client may have gone on');
  world.run(2);
  assert.equal(zoneOf(world, client.entityId), 1);
});

test('who is half a unit beyond its border stays; a little more, and it goes', () => {
  const edges: [zone: number, x: number, y: number, stepX: number, stepY: number, target: number][] = [
    [0, 100.5, 50, 1, 0, 1],
    [0, 50, 100.5, 0, 1, 2],
    [3, 99.5, 150, -1, 0, 2],
    [3, 150, 99.5, 0, -1, 1],
  ];
  for (const [from, x, y, stepX, stepY, target] of edges) {
    const world = new HeadlessWorld(game, FOUR_ZONES, 4);
    const { zone } = world.hosts[from];
    const row = zone.spawn(NPC, x, y);
    const id = zone.wireIdOf(row);
    world.run(3);
    assert.equal(zoneOf(world, id), from);
    zone.positionX[row] += stepX / 1000;
    zone.positionY[row] += stepY / 1000;
    world.run(2);
    assert.equal(zoneOf(world, id), target);
  }
});

test('beyond the edge of the world there is no zone to go to', () => {
  const world = new HeadlessWorld(game, FOUR_ZONES, 4);
  const places: [zone: number, x: number, y: number][] = [
    [0, -5, 50],
    [0, 50, -5],
    [1, 205, 50],
    [1, 150, -5],
    [2, -5, 150],
    [2, 50, 205],
    [3, 205, 150],
    [3, 150, 205],
  ];
  const ids = places.map(([zone, x, y]) => world.hosts[zone].zone.wireIdOf(world.hosts[zone].zone.spawn(NPC, x, y)));
  world.run(3);
  assert.deepEqual(
    ids.map((id) => zoneOf(world, id)),
    places.map(([zone]) => zone),
  );
  assert.equal(world.counter(COUNTER.handoffFull), 0);
});

test('a zone whose rows are all taken sends nobody away whom it only mirrors', () => {
  const world = new HeadlessWorld(game, { ...TWO_ZONES, entitiesPerZone: 64 }, 2);
  for (let n = 0; n < 64; n++) world.hosts[0].zone.spawn(NPC, 50, 50);
  world.hosts[1].zone.spawn(NPC, 104, 50);
  world.run(4);
  assert.equal(world.counter(COUNTER.mirrors), 1);
  assert.equal(world.counter(COUNTER.entitiesDeparted), 0);
  assert.equal(world.truth().size, 65);
});

test('who has departed departs once, though rows above its own live on', () => {
  const world = new HeadlessWorld(game, TWO_ZONES, 2);
  const { zone } = world.hosts[0];
  const [gone, stays] = [110, 50].map((x) => zone.wireIdOf(zone.spawn(NPC, x, 50)));
  world.run(4);
  assert.deepEqual([zoneOf(world, gone), zoneOf(world, stays)], [1, 0]);
  assert.equal(world.counter(COUNTER.entitiesDeparted), 1);
  assert.equal(world.counter(COUNTER.handoffFull), 0);
});

test('a record that was committed and not given back is passed over, and those behind it are taken', () => {
  const world = new HeadlessWorld(game, TWO_ZONES, 2);
  const { zone } = world.hosts[0];
  const first = zone.wireIdOf(zone.spawn(NPC, 110, 50));
  runZone(world, 0);
  runToCommit(world, 1);
  world.renewThread(1);
  const second = zone.wireIdOf(zone.spawn(NPC, 111, 50));
  world.run(3);
  assert.deepEqual([zoneOf(world, first), zoneOf(world, second)], [1, 1]);
  assert.equal(world.counter(COUNTER.entitiesArrived), 2);
});

test('the journal hears of what was taken only in a tick in which something was', () => {
  const world = new HeadlessWorld(game, TWO_ZONES, 2);
  const { journal } = (world.hosts[1] as unknown as HandoffParts).handoff;
  const taken = journal.taken.bind(journal);
  const marks: number[] = [];
  journal.taken = (source, mark) => {
    marks.push(mark);
    taken(source, mark);
  };
  world.run(2);
  world.hosts[0].zone.spawn(NPC, 110, 50);
  world.run(4);
  assert.deepEqual(marks, [1]);
});

test('up to eight zones have long rings, and more of them shorter ones', () => {
  for (const haveBorder of [true, false]) {
    assert.equal(handoffRingRecords(8, false, haveBorder), HANDOFF_RING_RECORDS);
    assert.equal(handoffRingRecords(8, true, haveBorder), POSTING_RING_RECORDS);
  }
  assert.equal(handoffRingRecords(9, false, true), HANDOFF_RING_RECORDS / 8);
  assert.equal(handoffRingRecords(9, true, true), POSTING_RING_RECORDS / 8);
});

test('of many zones only those with a common border have rings for those who walk', () => {
  const { plan } = new HeadlessWorld(game, FOUR_BY_FOUR);
  const capacityOf = (source: number, target: number): number | undefined => {
    const buffer = plan.handoffs[source][target];
    return buffer && new RecordRing(buffer).capacity;
  };
  const near = new Set(neighbourZones(plan, 5));
  for (let target = 0; target < 16; target++) {
    const records = near.has(target) ? HANDOFF_RING_RECORDS / 8 : FAR_HANDOFF_RING_RECORDS;
    assert.equal(capacityOf(5, target), target === 5 ? undefined : records, `to zone ${target}`);
    assert.equal(capacityOf(target, 5), target === 5 ? undefined : records, `from zone ${target}`);
  }
  assert.equal(handoffRingRecords(64, true, false), FAR_POSTING_RING_RECORDS);
});

test('more than a far ring holds jump to the far end of the world, and their ids come home', () => {
  const world = new HeadlessWorld(game, FOUR_BY_FOUR, 2);
  const { zone } = world.hosts[0];
  const takenBefore = takenIds(world, 0);
  const count = 3 * FAR_HANDOFF_RING_RECORDS;
  const ids = Array.from({ length: count }, () => zone.wireIdOf(zone.spawn(NPC, 700, 700)));
  world.run(8);
  assert.ok(world.counter(COUNTER.handoffFull) > 0, 'they do not fit at once');
  assert.ok(ids.every((id) => zoneOf(world, id) === 15));
  assert.equal(world.counter(COUNTER.entitiesArrived), count);
  for (const id of ids) world.hosts[15].zone.despawn(world.find(id).row);
  world.run(8);
  assert.equal(takenIds(world, 0), takenBefore);
});
