// Wall time that does not jump: what the wall clock said at the start, and the monotonic time since then. Tokens are dated
// by it, so setting the clock of the machine does not turn a running server's tokens away.

import { nowMs, wallMs } from '../../base/clock.js';
import type { Log } from '../../base/log.js';
import { CLOCK_JUMP_MS, CLOCK_WARNING_INTERVAL_MS } from '../limits.js';

export class SteadyClock {
  private readonly aheadMs: number;
  /** How far the wall clock was ahead of this one when that was last said. */
  private saidMs = 0;
  private saidAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly log: Pick<Log, 'warn'>,
    private readonly wall: () => number = wallMs,
    private readonly monotonic: () => number = nowMs,
  ) {
    this.aheadMs = wall() - monotonic();
  }

  now(): number {
    return Math.round(this.aheadMs + this.monotonic());
  }

  /** Says it when the wall clock has jumped. */
  check(): void {
    const differenceMs = this.wall() - this.now();
    const jumpMs = differenceMs - this.saidMs;
    if (Math.abs(jumpMs) < CLOCK_JUMP_MS) return;
    const now = this.monotonic();
    if (now - this.saidAt < CLOCK_WARNING_INTERVAL_MS) return;
    this.saidAt = now;
    this.saidMs = differenceMs;
    const way = jumpMs < 0 ? 'back' : 'ahead';
    this.log.warn(
      { jumpMs, differenceMs },
      `the clock of this machine was set ${way} by ${Math.round(Math.abs(jumpMs) / 1000)} s: resume tokens keep the time of the server's start`,
    );
  }
}
