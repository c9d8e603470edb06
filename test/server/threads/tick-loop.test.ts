import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CATCH_UP_TICKS_MAX } from '../../../src/engine/limits.js';
import type { ZoneHost } from '../../../src/engine/zone/zone-host.js';
import * as T from '../../../src/memory/tables/thread-control.js';
import type { FromTickThread } from '../../../src/server/threads/thread-messages.js';
import { TickLoop } from '../../../src/server/threads/tick-loop.js';

const TICK_HZ = 50;
const PERIOD_MS = 1000 / TICK_HZ;

/** Runs a loop on a clock that only ticks and sleeps move on. */
function runLoop(
  ticks: number,
  costMs: (tick: number) => number,
): { ran: number[]; atMs: number[]; control: T.ThreadControl; reports: FromTickThread[] } {
  const control = new T.ThreadControl(T.ThreadControl.create());
  const ran: number[] = [];
  const atMs: number[] = [];
  const reports: FromTickThread[] = [];
  let now = 0;
  const host = {
    zone: { tick: 0 },
    runTick: (tick: number) => {
      ran.push(tick);
      atMs.push(now);
      now += costMs(tick);
      if (ran.length === ticks) Atomics.store(control.words, T.STOP, 1);
    },
  } as unknown as ZoneHost;
  const say = (message: FromTickThread): void => {
    if (message.kind === 'overrun') reports.push(message);
  };
  const sleep = (ms: number): void => {
    now += ms;
  };
  new TickLoop([host], control, { afterTick: () => {} }, TICK_HZ, 0, () => now, say, sleep).run();
  return { ran, atMs, control, reports };
}

test('ticks follow one another without a gap when they are quick', () => {
  const { ran, control } = runLoop(20, () => 1);
  for (let i = 1; i < ran.length; i++) assert.equal(ran[i], ran[i - 1] + 1);
  assert.equal(control.words[T.OVERRUNS], 0);
  assert.equal(control.words[T.SKIPPED], 0);
});

test('after a short stall the missed ticks are run, none is skipped', () => {
  const { ran, control } = runLoop(20, (tick) => (tick === 5 ? 3 * PERIOD_MS : 0.5));
  for (let i = 1; i < ran.length; i++) assert.equal(ran[i], ran[i - 1] + 1);
  assert.equal(control.words[T.SKIPPED], 0);
  assert.equal(control.words[T.OVERRUNS], 1);
});

test('after a long stall some ticks are made up for, and the rest is skipped and counted', () => {
  const stall = 40;
  const { ran, control } = runLoop(30, (tick) => (tick === 5 ? stall * PERIOD_MS : 0.5));
  const jump = ran.findIndex((tick, i) => i > 0 && tick !== ran[i - 1] + 1);
  assert.ok(jump > 0, 'ticks were skipped');
  const skipped = ran[jump] - ran[jump - 1] - 1;
  assert.equal(control.words[T.SKIPPED], skipped);
  assert.ok(Math.abs(skipped - (stall - CATCH_UP_TICKS_MAX)) <= 1, `${skipped} skipped`);
});

test('overruns are reported at most once per second of the clock', () => {
  const { control, reports } = runLoop(200, () => PERIOD_MS * 1.2);
  const seconds = (200 * PERIOD_MS * 1.2) / 1000;
  assert.ok(reports.length >= 1 && reports.length <= Math.ceil(seconds) + 1, `${reports.length} reports`);
  assert.equal(control.words[T.OVERRUNS], 200);
});

test('ticks are counted, each second keeps its longest, and nothing is reported of quick ones', () => {
  const { ran, control, reports } = runLoop(2 * TICK_HZ, (tick) => (tick % TICK_HZ === 7 ? 8 : 1));
  assert.equal(control.words[T.TICKS], ran.length);
  assert.deepEqual([...control.secondMaxUs.slice(0, 2)], [8000, 8000]);
  assert.deepEqual(reports, []);
});

test('as many ticks as can be made up for are run, one more is skipped', () => {
  const stall = (periods: number): Int32Array =>
    runLoop(20, (tick) => (tick === 5 ? periods * PERIOD_MS : 0.5)).control.words;
  // The tick after the stalled one is due one period after it began.
  assert.equal(stall(CATCH_UP_TICKS_MAX + 1.5)[T.SKIPPED], 0);
  assert.equal(stall(CATCH_UP_TICKS_MAX + 2.5)[T.SKIPPED], 1);
});

test('no tick begins before it is due, and what is skipped is in the report', () => {
  const quick = runLoop(20, () => 1);
  for (const [i, tick] of quick.ran.entries()) assert.ok(quick.atMs[i] >= tick * PERIOD_MS, `tick ${tick}`);
  const { control, reports } = runLoop(120, (tick) => (tick === 5 ? 60 * PERIOD_MS : 0.5));
  const told = reports.reduce((sum, report) => sum + (report.kind === 'overrun' ? report.skipped : 0), 0);
  assert.equal(told, control.words[T.SKIPPED]);
});

/** Runs two ticks over zones that were committed at these, on a clock that stands at `startMs`. */
function runFrom(
  committed: readonly number[],
  startMs: number,
): { ran: number[]; said: FromTickThread[]; control: T.ThreadControl } {
  const control = new T.ThreadControl(T.ThreadControl.create());
  const ran: number[] = [];
  const said: FromTickThread[] = [];
  let now = startMs;
  const hosts = committed.map((tick, index) => ({
    zone: { tick },
    runTick: (at: number) => {
      if (index > 0) return;
      ran.push(at);
      if (ran.length === 2) Atomics.store(control.words, T.STOP, 1); // as main does
    },
  })) as unknown as ZoneHost[];
  const sleep = (ms: number): void => {
    now += ms;
  };
  new TickLoop(
    hosts,
    control,
    { afterTick: () => {} },
    TICK_HZ,
    0,
    () => now,
    (message) => said.push(message),
    sleep,
  ).run();
  return { ran, said, control };
}

test('a new world begins at the tick that is due, and a restored one behind its last tick', () => {
  assert.deepEqual(runFrom([0, 0], 100 * PERIOD_MS).ran, [100, 101]);
  assert.deepEqual(runFrom([70, 72], 72 * PERIOD_MS).ran, [73, 74]);
  assert.deepEqual(runFrom([0], 0).ran, [1, 2], 'there is no tick 0');
});

test('a thread says once that it runs, and its heartbeat grows with its ticks and its sleeps', () => {
  const { said, control } = runFrom([0], 100 * PERIOD_MS);
  assert.deepEqual(said, [{ kind: 'running', tick: 100 }]);
  assert.equal(control.words[T.RUNNING], 1);
  assert.equal(control.words[T.HEARTBEAT], 3, 'two ticks, and a sleep between them');
});

test('a tick of exactly its period is no overrun, and each report tells of those since the last', () => {
  assert.equal(runLoop(10, () => PERIOD_MS).control.words[T.OVERRUNS], 0);
  const { control, reports } = runLoop(200, () => PERIOD_MS * 1.2);
  const told = reports.reduce((sum, report) => sum + (report.kind === 'overrun' ? report.overruns : 0), 0);
  assert.ok(told > 0 && told <= control.words[T.OVERRUNS], `${told} told`);
  assert.ok(reports.length > 1);
});
