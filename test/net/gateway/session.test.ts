import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  SESSION_CLOSING,
  SESSION_CONNECTING,
  SESSION_FREE,
  SESSION_LIVE,
  SessionTable,
  TokenBuckets,
} from '../../../src/net/gateway/session.js';

function createClock(now = 0): Float64Array {
  return new Float64Array([now]);
}

test('every index is given out once, and then none', () => {
  const sessions = new SessionTable(3, createClock());
  assert.deepEqual([0, 1, 2, 3].map(() => sessions.open(0)).sort(), [-1, 0, 1, 2]);
  assert.equal(sessions.used, 3);
});

test('a released index rests until the others have been used', () => {
  const sessions = new SessionTable(3, createClock());
  const first = sessions.open(0);
  sessions.release(first);
  assert.deepEqual([sessions.open(0), sessions.open(0), sessions.open(0)], [1, 2, first]);
});

test('an generation holds an index until its release, and is never given again', () => {
  const sessions = new SessionTable(1, createClock());
  const generations = new Set<number>();
  for (let round = 0; round < 100; round++) {
    const client = sessions.open(0);
    const generation = sessions.generation[client];
    assert.ok(sessions.holds(client, generation));
    sessions.release(client);
    assert.ok(!sessions.holds(client, generation));
    generations.add(generation);
  }
  assert.equal(generations.size, 100);
  assert.ok(!sessions.holds(0, 0), 'nobody holds a free index');
  assert.ok(!sessions.holds(77, 1), 'nor one that does not exist');
});

test('what one holder of an index left behind is gone for the next', () => {
  const clock = createClock(5);
  const sessions = new SessionTable(1, clock);
  const client = sessions.open(1);
  sessions.lastSeq[client] = 9;
  sessions.hold[client] = 3;
  assert.ok(sessions.addViolation(client, 10, 1000, 10));
  sessions.release(client);
  clock[0] = 70;
  sessions.open(2);
  assert.deepEqual(
    [sessions.lastSeq[0], sessions.hold[0], sessions.violationPoints[0], sessions.openedAt[0], sessions.encoding[0]],
    [0, 0, 0, 70, 2],
  );
});

test('sessions are counted by state', () => {
  const sessions = new SessionTable(4, createClock());
  const client = sessions.open(0);
  sessions.open(0);
  sessions.setState(client, SESSION_LIVE);
  assert.equal(sessions.counts[SESSION_LIVE], 1);
  assert.equal(sessions.counts[SESSION_CONNECTING], 1);
  sessions.setState(client, SESSION_CLOSING);
  sessions.release(client);
  assert.equal(sessions.counts[SESSION_FREE], 3);
  assert.throws(() => sessions.release(client), /released twice/);
});

test('a bucket gives a burst of one second, then what time has earned', () => {
  const clock = createClock();
  const buckets = new TokenBuckets(1, 10, clock);
  buckets.reset(0);
  const takeAll = () => {
    let taken = 0;
    while (buckets.take(0)) taken += 1;
    return taken;
  };
  assert.equal(takeAll(), 10);
  clock[0] += 99;
  assert.equal(takeAll(), 0);
  clock[0] += 1;
  assert.equal(takeAll(), 1);
  clock[0] += 350;
  assert.equal(takeAll(), 3);
  clock[0] += 3_600_000;
  assert.equal(takeAll(), 10, 'a long rest earns no more than a full bucket');
});

test('refusals do not delay what time earns', () => {
  const clock = createClock();
  const buckets = new TokenBuckets(1, 10, clock);
  buckets.reset(0);
  while (buckets.take(0));
  for (let ms = 0; ms < 99; ms++) {
    clock[0] += 1;
    assert.equal(buckets.take(0), false);
  }
  clock[0] += 2;
  assert.equal(buckets.take(0), true);
});

test('violations add up within their window and are forgotten after it', () => {
  const clock = createClock();
  const sessions = new SessionTable(1, clock);
  const client = sessions.open(0);
  for (let count = 0; count < 9; count++) assert.equal(sessions.addViolation(client, 1, 1000, 10), false);
  clock[0] = 1001;
  assert.equal(sessions.addViolation(client, 1, 1000, 10), false);
  assert.equal(sessions.addViolation(client, 9, 1000, 10), true);
});
