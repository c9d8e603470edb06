import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMAND_RECORD_BYTES } from '../../../src/memory/limits.js';
import * as R from '../../../src/memory/records/thread-records.js';
import { RecordRing } from '../../../src/memory/rings/record-ring.js';
import { ClientRoutes } from '../../../src/server/main/client-routes.js';
import { ZoneOrders } from '../../../src/server/main/zone-orders.js';

const ENTRY = { updateHz: 20, x: 1, y: 2 };

function stage() {
  const buffers = [0, 1].map(() => RecordRing.create(4, COMMAND_RECORD_BYTES));
  const rings = buffers.map((buffer) => new RecordRing(buffer));
  const routes = new ClientRoutes(64);
  const counts = { full: 0, waited: 0 };
  const orders = new ZoneOrders(
    buffers,
    routes,
    () => counts.full++,
    () => counts.waited++,
    3,
  );
  /** What a zone takes off its ring. */
  const read = (zone: number): string[] => {
    const ring = rings[zone];
    const count = ring.readable();
    const found = Array.from({ length: count }, (_, i) => {
      const at = ring.offsetOf(i);
      return `${ring.view.getUint16(at + R.COMMAND_KIND, true)}:${ring.view.getUint16(at + R.COMMAND_CLIENT, true)}`;
    });
    ring.release(count);
    return found;
  };
  /** The oldest order, as it stands in its ring. */
  const first = (zone: number): { view: DataView; at: number } => {
    assert.ok(rings[zone].readable() > 0);
    return { view: rings[zone].view, at: rings[zone].offsetOf(0) };
  };
  return { orders, counts, routes, read, first };
}

const leave = (client: number): string => `${R.TO_ZONE_LEAVE}:${client}`;

test('leaves that find no room are told later, in their order, and do not hold up another zone', () => {
  const { orders, counts, read } = stage();
  for (let client = 0; client < 6; client++) orders.leave(0, client, 1, 0);
  assert.equal(counts.waited, 2);
  orders.leave(1, 9, 1, 0);
  assert.deepEqual(read(1), [leave(9)]);
  orders.retryLeaves();
  assert.deepEqual(read(0), [0, 1, 2, 3].map(leave));
  orders.leave(0, 6, 1, 0); // behind those that wait, though there is room
  orders.retryLeaves();
  assert.deepEqual(read(0), [4, 5, 6].map(leave));
  orders.retryLeaves();
  assert.deepEqual(read(0), [], 'each once');
});

test('where too many leaves wait, the zone is told of no new client until they are told', () => {
  const { orders, counts, read } = stage();
  for (let client = 0; client < 7; client++) orders.leave(0, client, 1, 0);
  read(0);
  const { full } = counts;
  assert.equal(orders.join(0, 8, 1, ENTRY), false, 'though its ring is empty');
  assert.equal(counts.full, full + 1);
  assert.ok(orders.join(1, 8, 1, ENTRY), 'another zone is');
  orders.retryLeaves();
  assert.ok(orders.join(0, 8, 1, ENTRY));
  assert.deepEqual(read(0), [leave(4), leave(5), leave(6), `${R.TO_ZONE_JOIN}:8`]);
});

test('each order says what it is about, and how long that is', () => {
  const { orders, routes, read, first } = stage();
  routes.begin(7, 5, 0, 20);
  routes.move(7, 3, 0);
  routes.connection[7] = 2;
  const entry = { updateHz: 30, x: 1.5, y: -2 };
  const told: [string, () => unknown, number, number][] = [
    ['join', () => orders.join(0, 7, 5, entry), R.TO_ZONE_JOIN, 12],
    ['resume', () => orders.resume(0, 7, 5, entry), R.TO_ZONE_RESUME, 16],
    ['attach', () => orders.attach(0, 7, entry, true), R.TO_ZONE_ATTACH, 20],
    ['attach', () => orders.attach(0, 7, entry, false), R.TO_ZONE_ATTACH, 20],
    ['grant', () => orders.grant(0, 7, 5, 4, 0.5, 99), R.TO_ZONE_GRANT, R.GRANT_BYTES],
    ['resync', () => orders.resync(0, 7, 5), R.TO_ZONE_RESYNC, 0],
  ];
  const absent: number[] = [];
  for (const [what, tell, kind, bytes] of told) {
    assert.equal(tell(), true, what);
    const { view, at } = first(0);
    assert.deepEqual(
      [
        view.getUint16(at + R.COMMAND_KIND, true),
        view.getUint16(at + R.COMMAND_CLIENT, true),
        view.getInt32(at + R.COMMAND_GENERATION, true),
        view.getUint8(at + R.COMMAND_BYTES),
        view.getUint8(at + R.COMMAND_CONNECTION),
      ],
      [kind, 7, 5, bytes, what === 'join' ? 2 : 3],
      what,
    );
    const payload = at + R.COMMAND_PAYLOAD;
    if (what === 'grant') {
      assert.equal(view.getUint32(payload + R.GRANT_INDEX, true), 4);
      assert.equal(view.getUint32(payload + R.GRANT_REQUEST, true), 99);
      assert.equal(view.getFloat64(payload + R.GRANT_AMOUNT, true), 0.5);
    } else if (bytes > 0) {
      assert.equal(view.getUint32(payload, true), 30);
      assert.deepEqual([view.getFloat32(payload + 4, true), view.getFloat32(payload + 8, true)], [1.5, -2]);
      if (bytes > 12) assert.equal(view.getInt32(payload + 12, true), 3, 'hops');
      if (bytes > 16) absent.push(view.getInt32(payload + 16, true));
    }
    read(0);
  }
  assert.deepEqual(absent, [1, 0]);
  assert.equal(orders.attachedAll(0, 12), true);
  const { view, at } = first(0);
  assert.equal(view.getUint32(at + R.COMMAND_SEQ, true), 12);
});

test('an order that finds no room is refused and counted, and takes no turn', () => {
  const { orders, counts, routes, read } = stage();
  routes.begin(7, 5, 0, 20);
  for (let i = 0; i < 4; i++) orders.resync(0, 7, 5);
  const tries = [
    () => orders.join(0, 7, 5, ENTRY),
    () => orders.resume(0, 7, 5, ENTRY),
    () => orders.attach(0, 7, ENTRY, false),
    () => orders.grant(0, 7, 5, 0, 1, 1),
    () => orders.resync(0, 7, 5),
    () => orders.attachedAll(0, 1),
  ];
  for (const [index, attempt] of tries.entries()) {
    assert.equal(attempt(), false);
    assert.equal(counts.full, index + 1);
  }
  assert.equal(routes.connection[7], 0);
  assert.equal(read(0).length, 4, 'nothing was added');
});
