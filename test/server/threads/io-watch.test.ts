import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IoCounters } from '../../../src/memory/tables/io-counters.js';
import { JOURNAL_SILENT_MS } from '../../../src/server/limits.js';
import type { BackendState, IoStatus } from '../../../src/server/threads/io-status.js';
import { IoWatch, type Watched } from '../../../src/server/threads/io-watch.js';

function stage({ hasJournal = true } = {}) {
  const health = (backend: string) => ({
    ...{ backend, connected: true, failures: 0, lastError: '' },
    state: undefined as BackendState | undefined,
  });
  const log = health('Kafka k:1');
  const hot = health('Redis r:1');
  const cold = health('MongoDB m:1');
  const lease = { problem: '' };
  const journal = { isWritten: true };
  const spool = { isEmpty: true };
  const counters = new IoCounters(IoCounters.create());
  const parts = {
    stores: { log: { health: () => log }, hot: { health: () => hot }, cold: { health: () => cold } },
    leases: {
      hot: {
        require: () => {
          if (lease.problem !== '') throw new Error(lease.problem);
        },
      },
    },
    journal: hasJournal ? journal : undefined,
    spool,
    counters,
  } as unknown as Watched;
  const clock = { nowMs: 1000 };
  const told: IoStatus[] = [];
  const tell = (status: IoStatus): void => void told.push(structuredClone(status));
  const watch = new IoWatch(parts, tell, () => clock.nowMs);
  const lookAt = (nowMs: number): IoStatus => {
    clock.nowMs = nowMs;
    watch.look();
    return told[told.length - 1];
  };
  return { log, hot, cold, lease, journal, spool, counters, told, lookAt };
}

test('main is told what there is at first, and then only of what has changed', () => {
  const { told, lookAt, counters } = stage();
  const first = lookAt(1000);
  assert.deepEqual(
    first.backends.map(({ port, backend, state }) => [port, backend, state]),
    [
      ['log', 'Kafka k:1', 'up'],
      ['hot', 'Redis r:1', 'up'],
      ['cold', 'MongoDB m:1', 'up'],
    ],
  );
  assert.deepEqual(first.leases, [{ store: 'hot', isHeld: true, problem: '' }]);
  assert.deepEqual([first.journal, first.hasSpool], [{ state: 'written', sinceMs: 1000 }, true]);
  counters.add('journalTicks', 6);
  counters.add('eventsRead', 9);
  lookAt(1250);
  lookAt(1500);
  assert.equal(told.length, 1);
});

test('a backend that hangs is slow from when it was seen so, until it answers', () => {
  const { hot, told, lookAt } = stage();
  lookAt(1000);
  hot.state = 'slow';
  assert.equal(lookAt(2000).backends[1].state, 'slow');
  assert.equal(lookAt(2250).backends[1].sinceMs, 2000);
  hot.state = 'up';
  const { state, sinceMs } = lookAt(5500).backends[1];
  assert.deepEqual([state, sinceMs], ['up', 5500]);
  assert.equal(told.length, 3);
});

test('the failures of a backend that is down are told', () => {
  const { log, lookAt } = stage();
  lookAt(1000);
  log.connected = false;
  log.failures = 2;
  log.lastError = 'refused';
  const { state, sinceMs, failures, lastError } = lookAt(1250).backends[0];
  assert.deepEqual([state, sinceMs, failures, lastError], ['down', 1250, 2, 'refused']);
  log.connected = true;
  assert.equal(lookAt(1500).backends[0].state, 'up');
});

test('the journal is failing while it is not written, and silent when nothing comes any more', () => {
  const { journal, counters, lookAt } = stage();
  lookAt(1000);
  counters.add('journalTicks', 1);
  lookAt(2000);
  assert.equal(counters.get('journalWrittenMs'), 2000);
  assert.equal(lookAt(2000 + JOURNAL_SILENT_MS - 1).journal.state, 'written');
  assert.deepEqual(lookAt(2000 + JOURNAL_SILENT_MS).journal, { state: 'silent', sinceMs: 2000 + JOURNAL_SILENT_MS });
  journal.isWritten = false;
  assert.equal(lookAt(20000).journal.state, 'failing');
  journal.isWritten = true;
  counters.add('journalTicks', 1);
  assert.deepEqual(lookAt(21000).journal, { state: 'written', sinceMs: 21000 });
  assert.equal(stage({ hasJournal: false }).lookAt(1e6).journal.state, 'off');
});

test('the spool counts its age from when it was last empty', () => {
  const { spool, counters, lookAt } = stage();
  lookAt(1000);
  assert.equal(counters.get('spoolSinceMs'), 0);
  spool.isEmpty = false;
  lookAt(2000);
  lookAt(3000);
  assert.equal(counters.get('spoolSinceMs'), 2000);
  spool.isEmpty = true;
  lookAt(4000);
  assert.equal(counters.get('spoolSinceMs'), 0);
});

test('a lease that another server has is told with its reason', () => {
  const { lease, lookAt } = stage();
  lookAt(1000);
  lease.problem = 'r:1 has the world of another server';
  assert.deepEqual(lookAt(1250).leases, [
    { store: 'hot', isHeld: false, problem: 'r:1 has the world of another server' },
  ]);
});
