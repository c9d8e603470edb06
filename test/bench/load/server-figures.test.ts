import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  achievedTickHz,
  dropsBetween,
  growthOf,
  type Health,
  parseMetrics,
  tickFigures,
} from '../../../bench/load/report/server-figures.js';

function histogram(counts: Record<string, Record<string, number>>, maxMs: number) {
  const lines = Object.entries(counts).flatMap(([thread, buckets]) =>
    Object.entries(buckets).map(([le, count]) => `tessera_tick_ms_bucket{thread="${thread}",le="${le}"} ${count}`),
  );
  return parseMetrics([...lines, `tessera_tick_ms_max{thread="0"} ${maxMs}`].join('\n'));
}

test('metrics are read with their labels, comments are not', () => {
  const metrics = parseMetrics(
    [
      '# HELP a_total Something, with {braces}',
      '# TYPE a_total counter',
      'a_total{way="in",name="x \\"y\\", z"} 12',
      'a_total{way="out"} 1.5e3',
      'plain 7',
      'big +Inf',
    ].join('\n'),
  );
  assert.deepEqual(metrics.get('a_total'), [
    { labels: { way: 'in', name: 'x \\"y\\", z' }, value: 12 },
    { labels: { way: 'out' }, value: 1500 },
  ]);
  assert.deepEqual(metrics.get('plain'), [{ labels: {}, value: 7 }]);
  assert.equal(metrics.get('big')![0].value, Number.POSITIVE_INFINITY);
});

test('percentiles are those of the ticks between two readings, of all threads', () => {
  const begin = histogram({ 0: { 1: 100, 2: 100, 4: 100, '+Inf': 100 }, 1: { 1: 0, 2: 0, 4: 50, '+Inf': 50 } }, 3);
  const end = histogram({ 0: { 1: 100, 2: 198, 4: 199, '+Inf': 199 }, 1: { 1: 0, 2: 0, 4: 51, '+Inf': 51 } }, 3.5);
  const figures = tickFigures(begin, end);
  assert.equal(figures.p50, 2);
  assert.equal(figures.p99, 3.5);
  assert.equal(figures.max, 3.5);
});

test('a longest tick from before the first reading does not count', () => {
  const begin = histogram({ 0: { 1: 10, 64: 11, '+Inf': 11 } }, 60);
  const end = histogram({ 0: { 1: 110, 64: 111, '+Inf': 111 } }, 60);
  assert.deepEqual(tickFigures(begin, end), { p50: 1, p99: 1, max: 1 });
});

test('a longest tick that the server has forgotten again was polled in time', () => {
  const begin = histogram({ 0: { 1: 0, 64: 0, '+Inf': 0 } }, 0.5);
  const end = histogram({ 0: { 1: 99, 64: 100, '+Inf': 100 } }, 0.5);
  assert.equal(tickFigures(begin, end, 40).max, 40);
});

test('a server without a tick histogram has no tick figures', () => {
  assert.deepEqual(tickFigures(new Map(), new Map()), { p50: null, p99: null, max: null });
});

test('the tick rate is that of the slowest zone, by the clock of the server', () => {
  const health = (uptimeMs: number, ticks: number[]): Health => ({
    uptimeMs,
    clients: 0,
    zones: ticks.map((tick, id) => ({ id, tick, hash: '', entities: 0 })),
  });
  assert.equal(achievedTickHz(health(1000, [10, 20]), health(11000, [610, 600])), 58);
  assert.equal(achievedTickHz(health(1000, []), health(2000, [])), null);
});

test('counters that say that something went wrong are told by reason, and only where they grew', () => {
  const begin = parseMetrics(
    'tessera_net_drops_total{reason="stale"} 5\ntessera_net_drops_total{reason="congested"} 1',
  );
  const end = parseMetrics(
    [
      'tessera_net_drops_total{reason="stale"} 5',
      'tessera_net_drops_total{reason="congested"} 4',
      'tessera_net_rejects_total{code="RateLimited"} 2',
      'tessera_ticks_skipped_total{thread="0"} 1',
      'tessera_ticks_skipped_total{thread="1"} 2',
      'tessera_router_total{what="queueFull"} 9',
      'tessera_router_total{what="framesDelivered"} 1000',
      'tessera_ticks_total{thread="0"} 100',
    ].join('\n'),
  );
  assert.deepEqual(dropsBetween(begin, end), {
    'net_drops:congested': 3,
    'net_rejects:RateLimited': 2,
    ticks_skipped: 3,
    'router:queueFull': 9,
  });
});

test('a counter grows by the labels that are asked for, and an unknown one is unknown', () => {
  const begin = parseMetrics('p_total{direction="in"} 10\np_total{direction="out"} 5');
  const end = parseMetrics('p_total{direction="in"} 30\np_total{direction="out"} 6');
  assert.equal(growthOf(begin, end, 'p_total', { direction: 'in' }), 20);
  assert.equal(growthOf(begin, end, 'q_total', {}), null);
});
