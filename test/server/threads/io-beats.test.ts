import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { IO_BEAT_MS } from '../../../src/durability/events/limits.js';
import { IoCounters } from '../../../src/memory/tables/io-counters.js';
import { IO_QUIET_BEAT_MS, IO_QUIET_BEATS } from '../../../src/server/limits.js';
import { IoBeats } from '../../../src/server/threads/io-beats.js';
import type { IoParts } from '../../../src/server/threads/io-parts.js';

const SETTINGS = { hotSnapshotMs: 5000, coldSnapshotMs: 60000, journalFlushMs: 100, checkpointMs: 10000 };

function stage(t: TestContext, settings = SETTINGS) {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const counters = new IoCounters(IoCounters.create());
  const calls: Record<string, number> = { pump: 0, journal: 0, hot: 0, cold: 0, players: 0, checkpoint: 0 };
  const count = (name: string) => async (): Promise<void> => void calls[name]++;
  const hooks = { onPump: (): void => {} };
  const parts = {
    counters,
    pump: {
      run: () => {
        calls.pump++;
        hooks.onPump();
      },
    },
    journal: { run: count('journal') },
    snapshotter: { takeHot: count('hot'), takeCold: count('cold') },
    playerSnapshotter: { take: count('players') },
    checkpointer: { take: () => void calls.checkpoint++ },
    cells: undefined,
  } as unknown as IoParts;
  const beats = new IoBeats(parts, settings);
  t.after(() => beats.stop());
  const pass = (ms: number): Record<string, number> => {
    for (const name of Object.keys(calls)) calls[name] = 0;
    for (let i = 0; i < ms; i++) t.mock.timers.tick(1);
    return { ...calls };
  };
  return { beats, counters, hooks, pass };
}

test('each part works in its period, the journal twice in what may be lost', (t) => {
  const { pass } = stage(t);
  const { journal, hot, cold, players, checkpoint } = pass(60000);
  assert.deepEqual([journal, hot, cold, players, checkpoint], [1200, 12, 1, 12, 6]);
});

test('rings without events are looked into seldom, and often again from the first event on', (t) => {
  const { counters, hooks, pass } = stage(t);
  assert.equal(pass(IO_BEAT_MS * IO_QUIET_BEATS).pump, IO_QUIET_BEATS);
  assert.equal(pass(20 * IO_QUIET_BEAT_MS).pump, 20);
  hooks.onPump = () => counters.add('eventsRead', 1);
  assert.ok(pass(IO_QUIET_BEAT_MS).pump >= 1, 'it is read in the next beat');
  assert.equal(pass(10 * IO_BEAT_MS).pump, 10);
});

for (const journalFlushMs of [100, 1000]) {
  test(`rings without events are looked into as often with a journal of ${journalFlushMs} ms`, (t) => {
    const { pass } = stage(t, { ...SETTINGS, journalFlushMs });
    pass(IO_BEAT_MS * IO_QUIET_BEATS);
    const { pump, journal } = pass(40 * IO_QUIET_BEAT_MS);
    assert.equal(pump, 40);
    assert.equal(journal, (40 * IO_QUIET_BEAT_MS) / (journalFlushMs / 2));
  });
}

for (const waiting of ['eventsWaiting', 'spoolEvents'] as const) {
  test(`while ${waiting} is not 0 beats stay close`, (t) => {
    const { counters, pass } = stage(t);
    counters.set(waiting, 1);
    pass(IO_BEAT_MS * IO_QUIET_BEATS);
    assert.equal(pass(10 * IO_BEAT_MS).pump, 10);
  });
}

test('new periods of snapshots begin anew, unchanged ones go on, and after a stop nothing works', (t) => {
  const { beats, pass } = stage(t);
  pass(4000);
  beats.changePeriods({ hotSnapshotMs: 5000, coldSnapshotMs: 60000 });
  assert.equal(pass(1000).hot, 1);
  beats.changePeriods({ hotSnapshotMs: 1000, coldSnapshotMs: 5000 });
  const { hot, cold, players } = pass(5000);
  assert.deepEqual([hot, cold, players], [5, 1, 5]);
  beats.stop();
  beats.changePeriods({ hotSnapshotMs: 2000, coldSnapshotMs: 5000 });
  assert.deepEqual(Object.values(pass(20000)), [0, 0, 0, 0, 0, 0]);
});
