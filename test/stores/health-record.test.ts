import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { HealthRecord } from '../../src/stores/health-record.js';
import { PersistError } from '../../src/stores/store-ports.js';
import { until } from '../folder.js';

const SLOW_MS = 60;

function open(): { health: HealthRecord; lines: string[] } {
  const lines: string[] = [];
  return { health: new HealthRecord('log', (line) => lines.push(line), SLOW_MS), lines };
}

function fail(health: HealthRecord, error: Error): Promise<void> {
  return assert.rejects(health.track(() => Promise.reject(error)));
}

/** A call that ends when it is told to. */
function hang(health: HealthRecord): { ended: Promise<unknown>; end: (error?: Error) => void } {
  let end: (error?: Error) => void = () => {};
  const ended = health
    .track(
      () =>
        new Promise<void>((resolve, reject) => {
          end = (error) => (error === undefined ? resolve() : reject(error));
        }),
    )
    .catch(() => {});
  return { ended, end: (error) => end(error) };
}

test('a failure makes it down and the next answer up, one line for each', async () => {
  const { health, lines } = open();
  assert.equal(health.read().state, 'up');
  assert.equal(await health.track(async () => 7), 7);
  await fail(health, new Error('gone'));
  await fail(health, new Error('still gone'));
  const { sinceMs, ...rest } = health.read();
  assert.deepEqual(rest, { backend: 'log', state: 'down', failures: 2, lastError: 'still gone' });
  assert.ok(Math.abs(Date.now() - sinceMs) < 5000);
  await health.track(async () => {});
  assert.deepEqual([health.read().state, health.read().failures], ['up', 2]);
  assert.deepEqual([lines.length, lines[0]], [2, 'log: gone']);
  assert.match(lines[1], /^log: answers again, after it was down for \d+\.\d s$/);
});

test('a call that hangs is named while it is under way, and the answer that ends it does not yet make it well', async () => {
  const { health, lines } = open();
  const first = hang(health);
  assert.equal(health.read().state, 'up');
  await until('it is named', () => health.read().state === 'slow');
  assert.deepEqual(lines, ['log: has not answered for 0.06 s']);
  await sleep(2 * SLOW_MS);
  assert.equal(lines.length, 1);
  await health.track(async () => {});
  assert.equal(health.read().state, 'slow', 'the first call still waits');
  first.end();
  await first.ended;
  assert.equal(health.read().state, 'slow', 'it took too long');
  await health.track(async () => {});
  assert.equal(health.read().state, 'up');
  assert.match(lines.slice(1).join(), /^log: answers again, after it was slow for \d+\.\d s$/);
});

test('a call that hangs and then fails is down; who answers late after that is slow', async () => {
  const { health, lines } = open();
  const first = hang(health);
  await until('it is named', () => health.read().state === 'slow');
  first.end(new Error('no answer in 5000 ms'));
  await first.ended;
  assert.equal(health.read().state, 'down');
  await health.track(() => sleep(2 * SLOW_MS));
  assert.equal(health.read().state, 'slow');
  assert.deepEqual(lines.slice(1), ['log: no answer in 5000 ms', 'log: answers again, but slowly']);
});

test('the line at the end of an outage has the time of all of it, also where it was slow before and after it was down', async () => {
  const { health, lines } = open();
  const call = hang(health);
  await until('it is named', () => lines.length === 1);
  call.end(new Error('no answer'));
  await call.ended;
  await sleep(2 * SLOW_MS);
  const late = hang(health);
  await sleep(2 * SLOW_MS);
  late.end();
  await late.ended;
  await health.track(async () => {});
  assert.deepEqual(lines.slice(1, 3), ['log: no answer', 'log: answers again, but slowly']);
  const seconds = /^log: answers again, after it was down for (\d+\.\d) s$/.exec(lines[3])?.[1];
  assert.ok(Number(seconds) >= (4 * SLOW_MS) / 1000, lines[3]);
  await fail(health, new Error('gone'));
  await health.track(async () => {});
  assert.ok(Number(/down for (\S+) s/.exec(lines[5])?.[1]) < Number(seconds), lines[5]);
});

test('the second of two calls is watched when the first has ended', async () => {
  const { health } = open();
  const first = hang(health);
  const second = hang(health);
  await sleep(SLOW_MS / 2);
  first.end();
  await first.ended;
  await until('the second is named', () => health.read().state === 'slow');
  second.end();
  await second.ended;
});

test('a backend that refuses a call is up', async () => {
  const { health, lines } = open();
  for (const kind of ['rejected', 'fenced', 'corrupt', 'closed', 'behind'] as const) {
    await fail(health, new PersistError(kind, 'no'));
  }
  assert.deepEqual([health.read().state, health.read().failures], ['up', 0]);
  await fail(health, new PersistError('full', 'no room'));
  assert.equal(health.read().state, 'down');
  await fail(health, new PersistError('rejected', 'no'));
  assert.equal(health.read().state, 'up');
  assert.equal(lines.length, 2);
});

test('an answer counts although a younger call is still under way', async () => {
  const { health } = open();
  await fail(health, new Error('gone'));
  const younger = hang(health);
  await health.track(async () => {});
  assert.equal(health.read().state, 'up');
  younger.end();
  await younger.ended;
});
