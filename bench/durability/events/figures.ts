// What a server did between two looks at it, phase by phase, and phases of one kind taken together.

import { bucketGrowth, growthOf, type Metrics, readServer } from '../../load/report/server-figures.js';
import type { ServerUnderTest } from '../../load/server-under-test.js';

/** What a phase counts, by the names they have here. */
const COUNTERS = {
  emitted: 'tessera_zone_events_emitted_total',
  ringFull: 'tessera_zone_events_dropped_total',
  read: 'tessera_io_events_read_total',
  appended: 'tessera_io_events_appended_total',
  lost: 'tessera_io_events_dropped_total',
  spooled: 'tessera_io_events_spooled_total',
  logFailures: 'tessera_io_append_failures_total',
  hotFailures: 'tessera_io_hot_failures_total',
  hotSnapshots: 'tessera_io_hot_snapshots_total',
  coldFailures: 'tessera_io_cold_failures_total',
  coldSnapshots: 'tessera_io_cold_snapshots_total',
  skippedTicks: 'tessera_ticks_skipped_total',
} as const;
export type CountName = keyof typeof COUNTERS;
const COUNT_NAMES = Object.keys(COUNTERS) as CountName[];

export class PhaseFigures {
  seconds = 0;
  readonly counts: Record<CountName, number> = Object.fromEntries(COUNT_NAMES.map((name) => [name, 0])) as never;
  /** Ticks by the upper edge of their bucket. */
  private readonly ticks = new Map<number, number>();

  static between(begin: Metrics, end: Metrics, seconds: number): PhaseFigures {
    const figures = new PhaseFigures();
    figures.seconds = seconds;
    for (const name of COUNT_NAMES) figures.counts[name] = growthOf(begin, end, COUNTERS[name], {}) ?? 0;
    let before = 0;
    for (const [edge, cumulative] of bucketGrowth(begin, end)) {
      figures.ticks.set(edge, cumulative - before);
      before = cumulative;
    }
    return figures;
  }

  static sum(phases: readonly PhaseFigures[]): PhaseFigures {
    const sum = new PhaseFigures();
    for (const phase of phases) {
      sum.seconds += phase.seconds;
      for (const name of COUNT_NAMES) sum.counts[name] += phase.counts[name];
      for (const [edge, count] of phase.ticks) sum.ticks.set(edge, (sum.ticks.get(edge) ?? 0) + count);
    }
    return sum;
  }

  /** Within a bucket ticks are taken to be spread evenly: two phases are compared more finely than buckets are wide. */
  tickMs(share: number): number {
    const buckets = [...this.ticks].filter(([, count]) => count > 0).sort((a, b) => a[0] - b[0]);
    const edges = [...this.ticks.keys()].sort((a, b) => a - b);
    let left = share * buckets.reduce((sum, [, count]) => sum + count, 0);
    for (const [edge, count] of buckets) {
      if (left <= count) {
        const lower = edges[edges.indexOf(edge) - 1] ?? 0;
        return Number.isFinite(edge) ? lower + (edge - lower) * (left / count) : lower;
      }
      left -= count;
    }
    return 0;
  }

  /** The upper edge of the highest bucket in use. */
  get tickMsMax(): number {
    return Math.max(0, ...[...this.ticks].filter(([, count]) => count > 0).map(([edge]) => edge));
  }
}

export async function readMetrics(server: ServerUnderTest): Promise<Metrics> {
  return (await readServer(server.base)).metrics;
}

/** Events that wait for the log, in memory and on the disk. */
export function backlogOf(metrics: Metrics): number {
  const value = (name: string): number => metrics.get(name)?.[0]?.value ?? 0;
  return value('tessera_io_events_waiting') + value('tessera_io_spool_events');
}

/** By how many percent `value` is above `base`. */
export function percentAbove(value: number, base: number): number {
  return base > 0 ? (value / base - 1) * 100 : 0;
}

export function formatPercent(percent: number): string {
  return `${percent >= 0 ? '+' : ''}${percent.toFixed(1)}%`;
}
