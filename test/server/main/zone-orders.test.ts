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
  const counts = { full: 0, waited: 0 };
  const orders = new ZoneOrders(
    buffers,
    new ClientRoutes(64),
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
  return { orders, counts, read };
}

const leave = (client: number): string => `${R.TO_ZONE_LEAVE}:${client}`;

test('leaves that find no room are told later, in their order, and do not hold up another zone', () => {
  const { orders, counts, read } = stage();
  for (let client = 0; client < 6; client++) orders.leave(0, client, 1);
  assert.equal(counts.waited, 2);
  orders.leave(1, 9, 1);
  assert.deepEqual(read(1), [leave(9)]);
  orders.retryLeaves();
  assert.deepEqual(read(0), [0, 1, 2, 3].map(leave));
  orders.leave(0, 6, 1); // behind those that wait, though there is room
  orders.retryLeaves();
  assert.deepEqual(read(0), [4, 5, 6].map(leave));
  orders.retryLeaves();
  assert.deepEqual(read(0), [], 'each once');
});

test('where too many leaves wait, the zone is told of no new client until they are told', () => {
  const { orders, counts, read } = stage();
  for (let client = 0; client < 7; client++) orders.leave(0, client, 1);
  read(0);
  const { full } = counts;
  assert.equal(orders.join(0, 8, 1, ENTRY), false, 'though its ring is empty');
  assert.equal(counts.full, full + 1);
  assert.ok(orders.join(1, 8, 1, ENTRY), 'another zone is');
  orders.retryLeaves();
  assert.ok(orders.join(0, 8, 1, ENTRY));
  assert.deepEqual(read(0), [leave(4), leave(5), leave(6), `${R.TO_ZONE_JOIN}:8`]);
});
