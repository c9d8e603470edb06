import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff, withDeadline } from '../../src/stores/deadline.js';
import { PersistError } from '../../src/stores/store-ports.js';

test('work that ends in time gives its result, work that does not a timeout', async () => {
  assert.equal(await withDeadline(Promise.resolve(7), 1000, 'work'), 7);
  await assert.rejects(withDeadline(Promise.reject(new Error('its own')), 1000, 'work'), /its own/);
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error('much later')), 30));
  await assert.rejects(
    withDeadline(late, 5, 'work'),
    (error) => error instanceof PersistError && error.kind === 'timeout',
  );
  // The late failure ends nothing: an unhandled rejection here would fail this file.
  await new Promise((resolve) => setTimeout(resolve, 50));
});

test('pauses double from their smallest to their largest, and a success begins anew', () => {
  const backoff = new Backoff(100, 700, () => 0);
  const pauses = [backoff.pauseMs];
  for (let i = 0; i < 5; i++) {
    backoff.failed();
    pauses.push(backoff.pauseMs);
  }
  assert.deepEqual(pauses, [0, 100, 200, 400, 700, 700]);
  backoff.succeeded();
  assert.equal(backoff.pauseMs, 0);
  const jittered = new Backoff(100, 700, () => 1);
  jittered.failed();
  assert.equal(jittered.pauseMs, 75);
});
