import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ARRIVAL_TICKS_MAX, COMMANDS_WAITING_MAX } from '../../../src/engine/clients/limits.js';
import { WaitingCommands } from '../../../src/engine/clients/waiting-commands.js';
import { createRecord, NOT_HERE, NOT_NOW, TAKEN } from '../../../src/engine/clients/waiting-records.js';
import { COMMAND_CLIENT, COMMAND_NUMBER } from '../../../src/memory/records/thread-records.js';

function stage() {
  /** What comes of a client's commands; by default they are taken. */
  const outcomes = new Map<number, number>();
  const tried: [client: number, number: number, isOverdue: boolean][] = [];
  const counts = { stale: 0 };
  const waiting = new WaitingCommands(
    16,
    (view, offset, isOverdue) => {
      const client = view.getUint16(offset + COMMAND_CLIENT, true);
      tried.push([client, view.getUint16(offset + COMMAND_NUMBER, true), isOverdue]);
      return outcomes.get(client) ?? TAKEN;
    },
    () => counts.stale++,
  );
  const add = (client: number, number: number, tick = 100): boolean => {
    const record = createRecord();
    record.setUint16(COMMAND_CLIENT, client, true);
    record.setUint16(COMMAND_NUMBER, number, true);
    return waiting.add(record, 0, tick);
  };
  /** Which were tried: client and number. */
  const take = (most: number, tick: number): [number, number][] => {
    tried.length = 0;
    waiting.take(most, tick);
    return tried.map(([client, number]) => [client, number]);
  };
  return { waiting, outcomes, tried, counts, add, take };
}

test('commands of one client are taken in the order in which main counted them, whichever came first', () => {
  const { add, take, waiting } = stage();
  for (const number of [5, 7, 6, 3, 4]) add(1, number);
  add(2, 1);
  assert.deepEqual(
    take(100, 101).filter(([client]) => client === 1),
    [3, 4, 5, 6, 7].map((number) => [1, number]),
  );
  assert.equal(waiting.hasSome(1), false);
  assert.equal(waiting.hasSome(2), false);
  assert.deepEqual(take(100, 102), []);
});

test('the order holds where the count wraps', () => {
  const { add, take } = stage();
  for (const number of [65534, 1, 65535, 0]) add(1, number);
  assert.deepEqual(
    take(100, 101),
    [65534, 65535, 0, 1].map((number) => [1, number]),
  );
});

test('a command that is equal to another, as of two connections, comes behind it', () => {
  const { add, take } = stage();
  add(1, 5);
  add(2, 5);
  add(1, 5);
  assert.deepEqual(take(100, 101), [
    [1, 5],
    [2, 5],
    [1, 5],
  ]);
});

test('no more are taken than asked for, and the rest keep their order', () => {
  const { add, take, waiting } = stage();
  for (let number = 1; number <= 5; number++) add(1, number);
  assert.equal(waiting.take(2, 101), 2);
  assert.ok(waiting.hasSome(1));
  assert.deepEqual(
    take(2, 102),
    [3, 4].map((number) => [1, number]),
  );
  assert.deepEqual(take(2, 103), [[1, 5]]);
  assert.equal(waiting.hasSome(1), false);
  assert.equal(waiting.take(2, 104), 0);
});

test('where one of a client cannot be taken, its later ones wait too, and others go on', () => {
  const { add, take, outcomes, waiting } = stage();
  outcomes.set(1, NOT_NOW);
  add(1, 1);
  add(1, 2);
  add(2, 9);
  assert.deepEqual(take(100, 101), [
    [1, 1],
    [2, 9],
  ]);
  assert.ok(waiting.hasSome(1));
  outcomes.delete(1);
  assert.deepEqual(take(100, 101), [], 'not in this tick');
  assert.deepEqual(take(100, 102), [
    [1, 1],
    [1, 2],
  ]);
});

test('a command is overdue after some ticks; one whose client has not come by then is stale', () => {
  const { add, waiting, outcomes, tried, counts } = stage();
  outcomes.set(1, NOT_HERE);
  outcomes.set(2, NOT_NOW);
  add(1, 1);
  add(2, 1);
  waiting.take(100, 100 + ARRIVAL_TICKS_MAX - 1);
  assert.deepEqual(tried, [
    [1, 1, false],
    [2, 1, false],
  ]);
  assert.equal(counts.stale, 0);
  tried.length = 0;
  assert.equal(waiting.take(100, 100 + ARRIVAL_TICKS_MAX), 0);
  assert.deepEqual(tried, [
    [1, 1, true],
    [2, 1, true],
  ]);
  assert.equal(counts.stale, 1);
  assert.equal(waiting.hasSome(1), false, 'it is given up');
  assert.equal(waiting.hasSome(2), true, 'this one has only had its share');
});

test('a full queue takes no more, and says so', () => {
  const { add, waiting } = stage();
  for (let i = 0; i < COMMANDS_WAITING_MAX; i++) assert.ok(add(i % 16, i >> 4));
  assert.equal(add(3, 1), false);
  waiting.take(1, 101);
  assert.ok(add(3, 3000));
  assert.equal(add(3, 3001), false);
});
