import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ARRIVAL_TICKS_MAX } from '../../../src/engine/clients/limits.js';
import { createRecord, EarlyOrders, LateOrders } from '../../../src/engine/clients/waiting-records.js';
import { COMMAND_CLIENT } from '../../../src/memory/records/thread-records.js';

function order(client: number): DataView {
  const record = createRecord();
  record.setUint16(COMMAND_CLIENT, client, true);
  return record;
}

const clientOf = (record: DataView): number => record.getUint16(COMMAND_CLIENT, true);

function earlyOrders(most?: number) {
  const here = new Set<number>();
  const taken: number[] = [];
  const givenUp: number[] = [];
  let fullCount = 0;
  const orders = new EarlyOrders(
    {
      isFound: (client) => here.has(client),
      take: (record) => taken.push(clientOf(record)),
      giveUp: (record) => givenUp.push(clientOf(record)),
      onFull: () => fullCount++,
    },
    most,
  );
  return { orders, here, taken, givenUp, full: () => fullCount };
}

test('an order waits for its client, and is given up after some ticks', () => {
  const { orders, here, taken, givenUp } = earlyOrders();
  orders.add(order(1), 0, 100);
  orders.add(order(2), 0, 100);
  here.add(2);
  orders.retry(100 + ARRIVAL_TICKS_MAX - 1, true);
  assert.deepEqual([taken, givenUp], [[2], []]);
  orders.retry(100 + ARRIVAL_TICKS_MAX, true);
  assert.deepEqual([taken, givenUp], [[2], [1]]);
  orders.retry(200, true);
  assert.deepEqual([taken, givenUp], [[2], [1]], 'once');
});

test('no order is given up before all clients are named, and its time begins then', () => {
  const { orders, givenUp } = earlyOrders();
  orders.add(order(1), 0, 100);
  orders.retry(150, false);
  orders.retry(150 + ARRIVAL_TICKS_MAX - 1, true);
  assert.deepEqual(givenUp, []);
  orders.retry(150 + ARRIVAL_TICKS_MAX, true);
  assert.deepEqual(givenUp, [1]);
});

test('where too many orders wait the oldest is given up at once, and counted', () => {
  const { orders, givenUp, full } = earlyOrders(3);
  for (let client = 1; client <= 3; client++) orders.add(order(client), 0, 100);
  assert.deepEqual([givenUp, full()], [[], 0]);
  orders.add(order(4), 0, 100);
  assert.deepEqual([givenUp, full()], [[1], 1]);
});

test('orders that find no room go later, in their order, and none is lost', () => {
  let room = 0;
  const sent: [number, number][] = [];
  const orders = new LateOrders((record, target) => {
    if (room === 0) return false;
    room--;
    sent.push([clientOf(record), target]);
    return true;
  }, 3);
  for (let client = 1; client <= 3; client++) {
    assert.ok(!orders.isFull);
    orders.add(order(client), 0, client + 10);
  }
  assert.ok(orders.isFull, 'the zone takes no further orders');
  room = 2;
  orders.retry();
  assert.ok(!orders.isFull);
  room = 2;
  orders.retry();
  assert.deepEqual(sent, [
    [1, 11],
    [2, 12],
    [3, 13],
  ]);
});
