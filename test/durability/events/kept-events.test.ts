// What holds a snapshot back while events of its ticks are in memory alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitUntilKept } from '../../../src/durability/events/kept-events.js';
import { EVENTS_KEPT_MS_MAX } from '../../../src/durability/events/limits.js';
import { openFolder } from '../../folder.js';
import { PumpStage } from './pump-stage.js';

/** Its pauses are beats of the stage, up to `beatsMax` of them; a write that ends at all ends within one. */
function begin(stage: PumpStage, beatsMax = 1000, isStuck = false): { isOver: () => boolean; over: Promise<void> } {
  let isOver = false;
  let beats = 0;
  const wait = async (ms: number): Promise<void> => {
    assert.ok(++beats <= beatsMax, `it is not over after ${beatsMax} beats`);
    stage.nowMs += ms;
    await (isStuck ? undefined : stage.underWay.spilling);
    await new Promise((resolve) => setImmediate(resolve));
  };
  const over = waitUntilKept(stage.pump, stage.counters, () => stage.nowMs, wait).then(() => {
    isOver = true;
  });
  return { isOver: () => isOver, over };
}

test('events that a silent log was offered, and those behind them, are on the disk before a snapshot is kept', async (t) => {
  const stage = new PumpStage(openFolder(t), undefined);
  t.after(() => stage.spool.close());
  stage.state = 'hanging';
  for (let n = 0; n < 150; n++) stage.emit(n);
  const { over } = begin(stage);
  await over;
  assert.equal(stage.spool.eventCount, 150);
  assert.ok(stage.nowMs < EVENTS_KEPT_MS_MAX, 'not for the time alone');
});

test('events that come later are not waited for', async (t) => {
  const stage = new PumpStage(openFolder(t), undefined);
  t.after(() => stage.spool.close());
  for (let n = 0; n < 50; n++) stage.emit(n);
  const { isOver, over } = begin(stage);
  stage.pump.run(stage.nowMs);
  await stage.underWay.appending;
  stage.state = 'hanging';
  for (let n = 0; !isOver(); n++) {
    stage.emit(50 + n);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await over;
  assert.ok(stage.counters.get('eventsWaiting') > 0, 'they wait');
});

test('a disk that takes none, and a pump at its end, are not waited for', async (t) => {
  const stage = new PumpStage(openFolder(t), undefined);
  await stage.spool.close();
  stage.state = 'down';
  for (let n = 0; n < 50; n++) stage.emit(n);
  await begin(stage).over;
  assert.equal(stage.counters.get('eventsWaiting'), 50);
  assert.ok(stage.nowMs < EVENTS_KEPT_MS_MAX);
  stage.pump.isFlushing = true;
  await begin(stage, 1).over;
});

test('a write that does not end is waited for until it is too long', async (t) => {
  const stage = new PumpStage(openFolder(t), undefined);
  t.after(() => stage.spool.close());
  stage.state = 'down';
  stage.spoolGate = new Promise(() => {});
  for (let n = 0; n < 50; n++) stage.emit(n);
  await begin(stage, 1000, true).over;
  assert.ok(stage.nowMs >= EVENTS_KEPT_MS_MAX, `${stage.nowMs} ms`);
});
