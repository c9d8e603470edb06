import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PONG_LATE_MS } from '../../../../src/net/limits.js';
import { Heartbeats } from '../../../../src/net/transports/websocket/heartbeats.js';

function createHeartbeats() {
  const clock = new Float64Array([1000]);
  const heartbeats = new Heartbeats(2, clock);
  heartbeats.open(0);
  return { clock, heartbeats };
}

test('only the answer to the newest ping counts', () => {
  const { heartbeats } = createHeartbeats();
  const first = heartbeats.beginPing(0);
  const second = heartbeats.beginPing(0);
  assert.ok(first !== 0 && second !== first);
  assert.equal(heartbeats.takePong(0, first), false);
  assert.equal(heartbeats.takePong(0, 0), false);
  assert.equal(heartbeats.takePong(0, second), true);
  assert.equal(heartbeats.takePong(0, second), false, 'once');
});

test('pings that follow an unanswered one do not make it less late', () => {
  const { clock, heartbeats } = createHeartbeats();
  heartbeats.beginPing(0);
  clock[0] += PONG_LATE_MS - 1;
  heartbeats.beginPing(0);
  clock[0] += 1;
  assert.equal(heartbeats.isLate(0), true);
});

test('a ping that stays unanswered is late', () => {
  const { clock, heartbeats } = createHeartbeats();
  heartbeats.takePong(0, heartbeats.beginPing(0));
  const number = heartbeats.beginPing(0);
  clock[0] += PONG_LATE_MS - 1;
  assert.equal(heartbeats.isLate(0), false);
  clock[0] += 1;
  heartbeats.hear(0);
  assert.equal(heartbeats.isLate(0), true, 'a client that can answer is late, however much it talks');
  heartbeats.takePong(0, number);
  assert.equal(heartbeats.isLate(0), false);
});

test('a client that never answered a ping is late only when it is silent too', () => {
  const { clock, heartbeats } = createHeartbeats();
  heartbeats.beginPing(0);
  clock[0] += PONG_LATE_MS;
  heartbeats.hear(0);
  assert.equal(heartbeats.isLate(0), false);
  clock[0] += PONG_LATE_MS;
  assert.equal(heartbeats.isLate(0), true);
});

test('silence is measured from the last sign of life', () => {
  const { clock, heartbeats } = createHeartbeats();
  clock[0] += 500;
  heartbeats.hear(0);
  clock[0] += 600;
  assert.equal(heartbeats.isSilent(0, 600), false);
  clock[0] += 1;
  assert.equal(heartbeats.isSilent(0, 600), true);
});

test('the next holder of an index begins without a ping under way', () => {
  const { clock, heartbeats } = createHeartbeats();
  const number = heartbeats.beginPing(0);
  clock[0] += 10 * PONG_LATE_MS;
  heartbeats.open(0);
  assert.equal(heartbeats.isLate(0), false);
  assert.equal(heartbeats.takePong(0, number), false);
  assert.notEqual(heartbeats.beginPing(0), 0);
});
