// Owner of prom-client. Nothing is counted in its objects: every series is read from where it is counted, when the page
// is built. A page that was built a moment ago is served again.

import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { nowMs } from '../../base/clock.js';
import { rejectName } from '../../game/reject-codes.js';
import {
  BYTES_IN,
  BYTES_OUT,
  closeLabel,
  DROP_NAMES,
  type NetCounters,
  PACKETS_IN,
  PACKETS_OUT,
} from '../gateway/net-counters.js';
import { SESSION_FREE, SESSION_STATES, type SessionTable } from '../gateway/session.js';
import { METRICS_PAGE_MS, PROM_CLIENT_LAG_MS } from '../limits.js';
import { LoopLag } from './loop-lag.js';

export type Labels = Record<string, string>;
/** States the present value of one series. */
export type Report = (value: number, labels?: Labels) => void;
/** Called at every scrape; series it does not report are not shown. */
export type Collect = (report: Report) => void;

const LAG_GAUGES: readonly { suffix: string; help: string; seconds: (lag: LoopLag) => number }[] = [
  { suffix: '', help: 'How late a timer of main came last', seconds: (lag) => lag.lastSeconds },
  { suffix: 'min_', help: 'The least that a timer of main was late by', seconds: (lag) => lag.minSeconds },
  { suffix: 'max_', help: 'The most that a timer of main was late by', seconds: (lag) => lag.maxSeconds },
  { suffix: 'mean_', help: 'How late timers of main were on average', seconds: (lag) => lag.meanSeconds },
  { suffix: 'stddev_', help: 'Standard deviation of how late they were', seconds: (lag) => lag.stddevSeconds },
  { suffix: 'p50_', help: 'Half of the timers of main were at most so late', seconds: (lag) => lag.percentile(50) },
  { suffix: 'p90_', help: '90% of the timers of main were at most so late', seconds: (lag) => lag.percentile(90) },
  { suffix: 'p99_', help: '99% of the timers of main were at most so late', seconds: (lag) => lag.percentile(99) },
];

export class Metrics {
  /** Whoever has a timer on main says here how late it came. */
  readonly loopLag = new LoopLag();
  private readonly registry = new Registry();
  private page: Promise<string> | undefined;
  private builtAt = 0;

  constructor(private readonly now: () => number = nowMs) {
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: PROM_CLIENT_LAG_MS });
    this.registerLoopLag();
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** The page, at most METRICS_PAGE_MS old. */
  text(): Promise<string> {
    const now = this.now();
    if (this.page === undefined || now - this.builtAt >= METRICS_PAGE_MS) {
      this.builtAt = now;
      this.page = this.registry.metrics().finally(() => this.loopLag.beginAgain());
    }
    return this.page;
  }

  registerGauge(name: string, help: string, labelNames: readonly string[], collect: Collect): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect: () => {
        gauge.reset();
        collect((value, labels = {}) => gauge.set(labels, value));
      },
    });
  }

  /** The reported values are totals since the start. */
  registerCounter(name: string, help: string, labelNames: readonly string[], collect: Collect): void {
    const counter: Counter = new Counter({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect: () => {
        counter.reset();
        collect((value, labels = {}) => counter.inc(labels, value));
      },
    });
  }

  /** Under the names that dashboards for Node know. prom-client measures with a timer of its own, 100 times a second. */
  private registerLoopLag(): void {
    for (const { suffix, help, seconds } of LAG_GAUGES) {
      const name = `nodejs_eventloop_lag_${suffix}seconds`;
      this.registry.removeSingleMetric(name);
      this.registerGauge(name, help, [], (report) => report(seconds(this.loopLag)));
    }
  }

  /** Percentiles that were found elsewhere: one gauge with the label `quantile`, as '0.5' or '0.99'. */
  registerQuantiles(name: string, help: string, labelNames: readonly string[], collect: Collect): void {
    this.registerGauge(name, help, [...labelNames, 'quantile'], collect);
  }
}

export function registerNetMetrics(metrics: Metrics, counters: NetCounters, sessions: SessionTable): void {
  registerTraffic(metrics, counters);
  metrics.registerCounter(
    'tessera_net_messages_accepted_total',
    'Client messages that passed every check',
    [],
    (report) => report(counters.accepted[0]),
  );
  registerTable(metrics, 'tessera_net_rejects_total', 'Refusals by code', 'code', counters.rejects, rejectName);
  registerTable(
    metrics,
    'tessera_net_drops_total',
    'What was not delivered, by reason',
    'reason',
    counters.drops,
    (index) => DROP_NAMES[index],
  );
  metrics.registerCounter('tessera_net_closes_total', 'Connections closed, by close code', ['code', 'by'], (report) => {
    for (const [slot, count] of counters.closedByServer.entries())
      report(count, { code: closeLabel(slot), by: 'server' });
    for (const [slot, count] of counters.closedByClient.entries())
      report(count, { code: closeLabel(slot), by: 'client' });
  });
  metrics.registerGauge('tessera_net_sessions', 'Connections by state', ['state'], (report) => {
    for (const [state, count] of sessions.counts.entries()) {
      if (state !== SESSION_FREE) report(count, { state: SESSION_STATES[state] });
    }
  });
  metrics.registerGauge('tessera_net_spectators', 'Connections that only watch', [], (report) =>
    report(sessions.spectatorsLive),
  );
}

function registerTraffic(metrics: Metrics, counters: NetCounters): void {
  const series: [string, string, number, number][] = [
    ['tessera_net_packets_total', 'Messages, control frames included', PACKETS_IN, PACKETS_OUT],
    ['tessera_net_bytes_total', 'Bytes of messages with their framing', BYTES_IN, BYTES_OUT],
  ];
  for (const [name, help, wordIn, wordOut] of series) {
    metrics.registerCounter(name, help, ['transport', 'direction'], (report) => {
      for (const { transport, words } of counters.traffic) {
        report(words[wordIn], { transport, direction: 'in' });
        report(words[wordOut], { transport, direction: 'out' });
      }
    });
  }
}

function registerTable(
  metrics: Metrics,
  name: string,
  help: string,
  label: string,
  counts: Float64Array,
  nameOf: (index: number) => string,
): void {
  metrics.registerCounter(name, help, [label], (report) => {
    for (const [index, count] of counts.entries()) report(count, { [label]: nameOf(index) });
  });
}
