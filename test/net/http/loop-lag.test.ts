import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from '../../../src/net/http/metrics.js';

function figureOf(page: string, name: string): number {
  const line = page.split('\n').find((text) => text.startsWith(`${name} `));
  assert.ok(line !== undefined, `the page has ${name}`);
  return Number(line.split(' ')[1]);
}

test('the page says how late timers of main came since the page before', async () => {
  const clock = { ms: 0 };
  const metrics = new Metrics(() => clock.ms);
  const page = async (): Promise<string> => {
    clock.ms += 1000;
    return metrics.text();
  };
  for (const lateMs of [1, 1, 1, 100, -0.5]) metrics.loopLag.note(lateMs);
  const first = await page();
  assert.ok(Math.abs(figureOf(first, 'nodejs_eventloop_lag_max_seconds') - 0.1) < 0.001);
  assert.ok(Math.abs(figureOf(first, 'nodejs_eventloop_lag_p50_seconds') - 0.001) < 0.0001);
  assert.equal(figureOf(first, 'nodejs_eventloop_lag_seconds'), 0, 'the last one came early');
  const second = await page();
  for (const name of ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99']) {
    assert.equal(figureOf(second, `nodejs_eventloop_lag_${name}_seconds`), 0, `${name}: none came`);
  }
});
