// Main's end of the rings, with the test in the place of the tick threads: it reads what they would take and writes what they
// would say.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULTS, type Settings } from '../../../src/config/settings.js';
import { Placement } from '../../../src/engine/plan/placement.js';
import { planWorld, type WorldPlan } from '../../../src/engine/plan/world-plan.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import { RejectCode } from '../../../src/game/reject-codes.js';
import arena from '../../../src/games/arena/game.js';
import { COMMAND_RING_RECORDS } from '../../../src/memory/limits.js';
import * as R from '../../../src/memory/records/thread-records.js';
import { ByteRing } from '../../../src/memory/rings/byte-ring.js';
import { RecordRing } from '../../../src/memory/rings/record-ring.js';
import { ClientTable, CONGESTED_ABSENT, CONGESTED_BACKLOG } from '../../../src/memory/tables/client-table.js';
import type { ClientSink } from '../../../src/net/gateway/world-port.js';
import { Router } from '../../../src/server/main/router.js';
import { testIdentity } from '../../../src/testing/test-identity.js';

const game = arena as unknown as GameDefinition;
const CLIENTS_MAX = 16;
/** Zones 0 and 1 above, 2 and 3 below, each a thread's own; 'crowd' puts everybody into the same zone. */
const SETTINGS: Settings = {
  ...DEFAULTS,
  worldWidth: 200,
  worldHeight: 200,
  zoneColumns: 2,
  zoneRows: 2,
  entitiesPerZone: 64,
  clientsMax: CLIENTS_MAX,
  spawn: 'crowd',
};
const STORED = { kind: 'player', x: 150, y: 30, fields: {} };

interface Order {
  client: number;
  generation: number;
  kind: number;
  connection: number;
  seq: number;
}

function stage() {
  const plan = planWorld(SETTINGS, game, 4, 0);
  const placement = new Placement('crowd', 200, 200, 2, 2, 20, () => 0.5);
  const router = new Router(plan, placement, game);
  const heard: string[] = [];
  const sink: ClientSink = {
    joined: (client, generation, id, key) => heard.push(`joined ${client} ${generation} ${id} ${key}`),
    refused: (client, generation, code) => heard.push(`refused ${client} ${generation} ${code}`),
    rejected: (client, generation, seq, kind, code) =>
      heard.push(`rejected ${client} ${generation} ${seq} ${kind} ${code}`),
    frame: (client, generation, bytes, start, limit) =>
      heard.push(`frame ${client} ${generation} ${Buffer.from(bytes.slice(start, limit)).toString()}`),
    dropped: (client, generation, code) => heard.push(`dropped ${client} ${generation} ${code}`),
  };
  router.connect(sink);
  const { x, y } = placement.next(0);
  const home = Math.floor(y / 100) * 2 + Math.floor(x / 100);
  return { plan, router, heard, home, ...zonesOf(plan), clients: new ClientTable(plan.clients, CLIENTS_MAX) };
}

/** The zones' ends of the rings. */
function zonesOf(plan: WorldPlan) {
  const orderRings = plan.words.map((buffer) => new RecordRing(buffer));
  const frames = plan.frames.map((buffer) => new ByteRing(buffer));
  const takeOrders = (zone: number): Order[] => {
    const ring = orderRings[zone];
    const found = Array.from({ length: ring.readable() }, (_, i) => {
      const at = ring.offsetOf(i);
      return {
        client: ring.view.getUint16(at + R.COMMAND_CLIENT, true),
        generation: ring.view.getInt32(at + R.COMMAND_GENERATION, true),
        kind: ring.view.getUint16(at + R.COMMAND_KIND, true),
        connection: ring.view.getUint8(at + R.COMMAND_CONNECTION),
        seq: ring.view.getUint32(at + R.COMMAND_SEQ, true),
      };
    });
    ring.release(found.length);
    return found;
  };
  /** A thread says something; `body` is a frame's text or the words of a notice. */
  const say = (thread: number, kind: number, head: [number, number, number], body: string | number[]): void => {
    const ring = frames[thread];
    const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(Uint32Array.from(body).buffer);
    const at = ring.claim(kind, R.FRAME_BODY + bytes.length);
    assert.ok(at >= 0);
    for (const [i, word] of head.entries()) ring.view.setInt32(at + 4 * i, word, true);
    ring.bytes.set(bytes, at + R.FRAME_BODY);
    ring.commit(R.FRAME_BODY + bytes.length);
    ring.publish();
  };
  return { takeOrders, say, frames };
}

/** Orders about client 0, until its zone's ring is full. */
function fill(router: Router): void {
  let count = 0;
  while (router.resync(0, 1)) assert.ok(++count < 100_000);
}

function kinds(orders: readonly Order[]): number[] {
  return orders.map(({ kind }) => kind);
}

// --- who comes and goes ---

test('a client joins the zone in which it is put, and its commands go there', () => {
  const { plan, router, home, takeOrders } = stage();
  assert.equal(router.command(3, 1, 1, 300, new Uint8Array(8), 0, 8), false, 'no zone has it yet');
  assert.ok(router.join(3, 1, 20, testIdentity(1)));
  assert.deepEqual(takeOrders(home), [{ client: 3, generation: 1, kind: R.TO_ZONE_JOIN, connection: 0, seq: 0 }]);
  const payload = Uint8Array.of(9, 8, 7, 6, 5, 4);
  assert.ok(router.command(3, 1, 77, 300, payload, 1, 5));
  assert.ok(router.command(3, 1, 80, 301, payload, 0, 0));
  assert.equal(router.commandQueueLength(home), 2);
  const ring = new RecordRing(plan.commands[home]);
  ring.readable();
  const { view } = ring;
  const [first, second] = [ring.offsetOf(0), ring.offsetOf(1)];
  assert.deepEqual(
    [
      view.getUint16(first + R.COMMAND_CLIENT, true),
      view.getInt32(first + R.COMMAND_GENERATION, true),
      view.getUint32(first + R.COMMAND_SEQ, true),
      view.getUint16(first + R.COMMAND_KIND, true),
      view.getUint8(first + R.COMMAND_BYTES),
      view.getUint8(first + R.COMMAND_CONNECTION),
    ],
    [3, 1, 77, 300, 4, 0],
  );
  assert.deepEqual([...ring.bytes.slice(first + R.COMMAND_PAYLOAD, first + R.COMMAND_PAYLOAD + 5)], [8, 7, 6, 5, 0]);
  assert.deepEqual(
    [first, second].map((at) => view.getUint16(at + R.COMMAND_NUMBER, true)),
    [1, 2],
    'commands are counted without gaps',
  );
});

test('a command that finds no room is refused and counted, and main counts on without it', () => {
  const { plan, router, home } = stage();
  router.join(0, 1, 20, testIdentity(1));
  const send = (): boolean => router.command(0, 1, 1, 300, new Uint8Array(4), 0, 4);
  for (let i = 0; i < COMMAND_RING_RECORDS; i++) assert.ok(send());
  assert.equal(router.counters.queueFull, 0);
  assert.equal(send(), false);
  assert.equal(router.counters.queueFull, 1);
  const ring = new RecordRing(plan.commands[home]);
  ring.release(ring.readable());
  assert.ok(send());
  ring.readable();
  assert.equal(ring.view.getUint16(ring.offsetOf(0) + R.COMMAND_NUMBER, true), (COMMAND_RING_RECORDS + 1) & 0xffff);
});

test('a leave that finds no room waits, is counted, and is told before anything else is delivered', () => {
  const { router, home, takeOrders, say, heard } = stage();
  for (let client = 0; client < 3; client++) router.join(client, 1, 20, testIdentity(1));
  fill(router);
  const { queueFull } = router.counters;
  assert.equal(queueFull, 1);
  router.leave(1, 1, 'left');
  router.leave(2, 1, 'left');
  assert.equal(router.counters.leavesWaited, 2);
  assert.equal(router.command(1, 1, 1, 300, new Uint8Array(4), 0, 4), false, 'it has left as far as main knows');
  assert.equal(kinds(takeOrders(home)).includes(R.TO_ZONE_LEAVE), false);
  say(home, R.FROM_ZONE_JOINED, [0, 1, 0], [5, 6]);
  router.deliverAll();
  assert.deepEqual(
    takeOrders(home).map(({ kind, client }) => [kind, client]),
    [
      [R.TO_ZONE_LEAVE, 1],
      [R.TO_ZONE_LEAVE, 2],
    ],
  );
  assert.deepEqual(heard, ['joined 0 1 5 6']);
  router.deliverAll();
  assert.deepEqual(takeOrders(home), [], 'each once');
});

test('who left already, or is another than who holds the index now, does not leave', () => {
  const { router, home, takeOrders } = stage();
  router.join(1, 5, 20, testIdentity(1));
  takeOrders(home);
  router.leave(1, 4, 'left');
  assert.deepEqual(takeOrders(home), []);
  router.leave(1, 5, 'left');
  router.leave(1, 5, 'left');
  assert.deepEqual(kinds(takeOrders(home)), [R.TO_ZONE_LEAVE]);
});

test('a join that finds no room is refused, and no zone has the client', () => {
  const { router, home, takeOrders } = stage();
  router.join(0, 1, 20, testIdentity(1));
  fill(router);
  assert.equal(router.join(1, 1, 20, testIdentity(1)), false);
  takeOrders(home);
  assert.equal(router.resync(1, 1), false);
});

test('a stored player goes to the zone in which it stood, or to the nearest when the world is smaller now', () => {
  const { plan, router, takeOrders } = stage();
  const rings = plan.arrivals.map((buffer) => new RecordRing(buffer));
  const places: [number, number, number][] = [
    [50, 30, 0],
    [99.9, 99.9, 0],
    [100, 30, 1],
    [30, 100, 2],
    [1e9, 1e9, 3],
    [-5, 500, 2],
  ];
  for (const [client, [x, y, zone]] of places.entries()) {
    assert.ok(router.restore(client, 1, 20, { ...STORED, x, y }, testIdentity(1)));
    assert.equal(rings[zone].readable(), 1);
    const at = rings[zone].offsetOf(0);
    const { view } = rings[zone];
    assert.equal(view.getInt32(at + R.ARRIVAL_CLIENT, true), client);
    const [storedX, storedY] = [1, 2].map((i) => view.getFloat64(at + R.ARRIVAL_VALUES + 8 * i, true));
    assert.ok(storedX >= 0 && storedX <= 200 && storedY >= 0 && storedY <= 200);
    if (x < 1e9 && x > 0) assert.deepEqual([storedX, storedY], [x, y]);
    rings[zone].release(1);
    assert.ok(router.resync(client, 1));
    assert.deepEqual(kinds(takeOrders(zone)), [R.TO_ZONE_RESYNC], 'it is routed there');
  }
});

test('a stored player who finds no room is refused and counted', () => {
  const { plan, router } = stage();
  const ring = new RecordRing(plan.arrivals[1]);
  for (let i = 0; i < ring.capacity; i++)
    assert.ok(router.restore(i % CLIENTS_MAX, 1 + i, 20, STORED, testIdentity(1)));
  assert.equal(router.counters.queueFull, 0);
  assert.equal(router.restore(0, 999999, 20, STORED, testIdentity(1)), false);
  assert.equal(router.counters.queueFull, 1);
});

test('a client is back by a connection of the next turn, which counts its commands anew', () => {
  const { plan, router, home, takeOrders, clients } = stage();
  assert.equal(router.resume(2, 1, 20, testIdentity(1)), false, 'no zone has it');
  router.join(2, 1, 20, testIdentity(1));
  router.command(2, 1, 1, 300, new Uint8Array(4), 0, 4);
  router.setAbsent(2);
  assert.equal(clients.congested[2], CONGESTED_ABSENT);
  takeOrders(home);
  assert.ok(router.resume(2, 1, 10, testIdentity(1)));
  assert.equal(clients.congested[2], 0);
  assert.deepEqual(takeOrders(home), [{ client: 2, generation: 1, kind: R.TO_ZONE_RESUME, connection: 1, seq: 0 }]);
  router.command(2, 1, 1, 300, new Uint8Array(4), 0, 4);
  const ring = new RecordRing(plan.commands[home]);
  ring.readable();
  const at = ring.offsetOf(1);
  assert.deepEqual(
    [ring.view.getUint16(at + R.COMMAND_NUMBER, true), ring.view.getUint8(at + R.COMMAND_CONNECTION)],
    [1, 1],
  );
});

test('backlog is what the zone sees until it is over', () => {
  const { router, clients } = stage();
  router.join(2, 1, 20, testIdentity(1));
  router.setCongested(2, true);
  assert.equal(clients.congested[2], CONGESTED_BACKLOG);
  router.setCongested(2, false);
  assert.equal(clients.congested[2], 0);
  router.setAbsent(2);
  router.leave(2, 1, 'left');
  router.join(2, 2, 20, testIdentity(1));
  assert.equal(clients.congested[2], 0, 'the next holder of the index has a connection');
});

test('a replaced thread is told of its own clients, of no others, and how many they were', () => {
  const { router, home, takeOrders, say } = stage();
  const other = (home + 1) % 4;
  for (let client = 0; client < 4; client++) router.join(client, 1, 20, testIdentity(1));
  say(home, R.FROM_ZONE_MOVED, [3, 1, 1], [other]); // said by the dead thread, not heard before
  takeOrders(home);
  router.attachClients(home);
  const orders = takeOrders(home);
  assert.deepEqual(
    orders.map(({ kind, client, seq }) => [kind, client, seq]),
    [
      [R.TO_ZONE_ATTACH, 0, 0],
      [R.TO_ZONE_ATTACH, 1, 0],
      [R.TO_ZONE_ATTACH, 2, 0],
      [R.TO_ZONE_ATTACHED_ALL, 0, 3],
    ],
  );
  router.attachClients(other);
  assert.deepEqual(
    takeOrders(other).map(({ kind, client, seq }) => [kind, client, seq]),
    [
      [R.TO_ZONE_ATTACH, 3, 0],
      [R.TO_ZONE_ATTACHED_ALL, 0, 1],
    ],
  );
});

test('a client of which a replaced thread cannot be told is dropped with a reason', () => {
  const { router, heard, home } = stage();
  router.join(0, 1, 20, testIdentity(1));
  router.join(1, 4, 20, testIdentity(1));
  fill(router);
  router.attachClients(home);
  assert.deepEqual(heard, [`dropped 0 1 ${RejectCode.QueueFull}`, `dropped 1 4 ${RejectCode.QueueFull}`]);
});

test('a client that was dropped so is not among those that the thread waits for', () => {
  const { router, home, takeOrders } = stage();
  router.join(0, 1, 20, testIdentity(1));
  router.join(1, 4, 20, testIdentity(1));
  fill(router);
  let isFirst = true;
  const sink = {
    dropped: () => {
      if (isFirst) takeOrders(home); // the thread takes what it has been told, between two clients
      isFirst = false;
    },
  } as unknown as ClientSink;
  router.connect(sink);
  router.attachClients(home);
  assert.deepEqual(
    takeOrders(home).map(({ kind, client, seq }) => [kind, client, seq]),
    [
      [R.TO_ZONE_ATTACH, 1, 0],
      [R.TO_ZONE_ATTACHED_ALL, 0, 1],
    ],
  );
});

test('a client of zone 0 is back as one of any other', () => {
  const { router, takeOrders } = stage();
  router.restore(5, 1, 20, { ...STORED, x: 1, y: 1 }, testIdentity(1));
  assert.ok(router.resume(5, 1, 20, testIdentity(1)));
  assert.deepEqual(kinds(takeOrders(0)), [R.TO_ZONE_RESUME]);
});

// --- what zones say ---

test('what a zone says of a client reaches its connection, and what it says of a former one reaches nobody', () => {
  const { router, heard, home, say, clients } = stage();
  router.join(1, 5, 20, testIdentity(1));
  say(home, R.FROM_ZONE_JOINED, [1, 5, 0], [11, 12]);
  say(home, R.FROM_ZONE_FRAME, [1, 5, 0], 'seen');
  say(home, R.FROM_ZONE_REJECT, [1, 5, 0], [9, 300, 4]);
  say(home, R.FROM_ZONE_REJECT, [1, 5, 0], [10, 300, 4]);
  say(home, R.FROM_ZONE_FRAME, [1, 4, 0], 'not yours');
  say(home, R.FROM_ZONE_JOINED, [2, 1, 0], [11, 12]);
  router.deliverAll();
  assert.deepEqual(heard, ['joined 1 5 11 12', 'frame 1 5 seen', 'rejected 1 5 9 300 4', 'rejected 1 5 10 300 4']);
  assert.equal(router.counters.framesDelivered, 1);
  assert.equal(router.counters.framesStale, 2);
  assert.equal(clients.delivered[1], 2, 'the zone may make the next one also after a stale one');
});

test('no zone has a client that was refused', () => {
  const { router, heard, home, say } = stage();
  router.join(1, 5, 20, testIdentity(1));
  say(home, R.FROM_ZONE_REFUSED, [1, 5, 0], [RejectCode.ServerFull]);
  router.deliverAll();
  assert.deepEqual(heard, [`refused 1 5 ${RejectCode.ServerFull}`]);
  assert.equal(router.resync(1, 5), false);
});

test('commands follow a client that moved, and an older move changes nothing', () => {
  const { router, home, say, takeOrders } = stage();
  const [second, third] = [(home + 1) % 4, (home + 2) % 4];
  router.join(1, 5, 20, testIdentity(1));
  takeOrders(home);
  say(second, R.FROM_ZONE_MOVED, [1, 5, 2], [third]);
  router.deliverAll();
  say(home, R.FROM_ZONE_MOVED, [1, 5, 1], [second]);
  say(home, R.FROM_ZONE_MOVED, [1, 5, 2], [home]);
  router.deliverAll();
  assert.equal(router.counters.moved, 1);
  router.resync(1, 5);
  assert.deepEqual(kinds(takeOrders(third)), [R.TO_ZONE_RESYNC]);
});

test('a frame of the zone that a client moved to is delivered, though its move stands in a ring that is read later', () => {
  const { router, heard, say } = stage();
  router.join(1, 5, 20, testIdentity(1));
  say(0, R.FROM_ZONE_FRAME, [1, 5, 1], 'from there');
  say(3, R.FROM_ZONE_FRAME, [1, 5, 0], 'from here');
  say(3, R.FROM_ZONE_MOVED, [1, 5, 1], [0]);
  say(3, R.FROM_ZONE_FRAME, [1, 5, 0], 'too late');
  router.deliverAll();
  assert.deepEqual(heard, ['frame 1 5 from here', 'frame 1 5 from there']);
  assert.equal(router.counters.framesStale, 1);
});

test('the answer to a grant is heard also when its client has gone', () => {
  const { router, heard, home, say, takeOrders } = stage();
  const answers: [number, number][] = [];
  router.hearGrants((request, code) => answers.push([request, code]));
  assert.equal(router.grant(1, 5, 0, 10, 77), false, 'no zone has it');
  router.join(1, 5, 20, testIdentity(1));
  takeOrders(home);
  assert.equal(router.grant(1, 4, 0, 10, 77), false, 'another holder of the index');
  assert.ok(router.grant(1, 5, 0, 10, 77));
  assert.deepEqual(kinds(takeOrders(home)), [R.TO_ZONE_GRANT]);
  router.leave(1, 5, 'left');
  say(home, R.FROM_ZONE_GRANTED, [1, 5, 0], [77, 0]);
  router.deliverAll();
  assert.deepEqual(answers, [[77, 0]]);
  assert.deepEqual(heard, []);
  assert.equal(router.counters.framesStale, 0);
});

test('what waits in a frame ring is reported until it is delivered', () => {
  const { router, home, say } = stage();
  assert.equal(router.frameBytesWaiting(home), 0);
  say(home, R.FROM_ZONE_JOINED, [1, 1, 0], [1, 2]);
  assert.ok(router.frameBytesWaiting(home) > 0);
  assert.equal(router.frameBytesWaiting((home + 1) % 4), 0);
  router.deliverAll();
  assert.equal(router.frameBytesWaiting(home), 0);
});
