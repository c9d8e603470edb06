// How late the timers of main come: what a page of metrics says of the event loop. Measured by a timer that is there anyhow,
// so that an idle server is not woken for it. Between two pages, of which the second one is told what was in between.

import { createHistogram } from 'node:perf_hooks';

export class LoopLag {
  lastSeconds = 0;
  /** In microseconds, from 1 on: it takes no 0. */
  private readonly histogram = createHistogram();

  /** A timer came this much later than it was due. */
  note(lateMs: number): void {
    const ms = Math.max(0, lateMs);
    this.lastSeconds = ms / 1000;
    this.histogram.record(Math.max(1, Math.round(ms * 1000)));
  }

  beginAgain(): void {
    this.histogram.reset();
  }

  get minSeconds(): number {
    return this.has(this.histogram.min);
  }

  get maxSeconds(): number {
    return this.has(this.histogram.max);
  }

  get meanSeconds(): number {
    return this.has(this.histogram.mean);
  }

  get stddevSeconds(): number {
    return this.has(this.histogram.stddev);
  }

  percentile(share: number): number {
    return this.has(this.histogram.percentile(share));
  }

  /** 0 where no timer came since the last page. */
  private has(microseconds: number): number {
    return this.histogram.count === 0 ? 0 : microseconds / 1e6;
  }
}
