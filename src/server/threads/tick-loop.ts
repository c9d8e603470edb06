// The fixed-step loop of one tick thread. Tick n is due at origin + n * period, whatever happened before, so nothing
// drifts and all threads mean the same moment by the same number. Between ticks the thread sleeps on a shared word.
//
// Late: up to CATCH_UP_TICKS_MAX ticks are run one after the other without sleep; what is beyond is skipped, which moves
// the tick number on, and counted.

import { CATCH_UP_TICKS_MAX } from '../../engine/limits.js';
import type { ZoneHost } from '../../engine/zone/zone-host.js';
import * as T from '../../memory/tables/thread-control.js';
import { OVERRUN_REPORT_MS, TICK_SLEEP_MS_MAX } from '../limits.js';
import type { MainWaker } from './main-waker.js';
import type { FromTickThread } from './thread-messages.js';

export class TickLoop {
  private overruns = 0;
  private skipped = 0;
  private worstMs = 0;
  private reportedMs = 0;
  private lastSecond = -1;

  constructor(
    private readonly hosts: readonly ZoneHost[],
    private readonly control: T.ThreadControl,
    private readonly waker: Pick<MainWaker, 'afterTick'>,
    private readonly tickHz: number,
    private readonly originMs: number,
    /** Milliseconds since the epoch. */
    private readonly now: () => number,
    private readonly say: (message: FromTickThread) => void,
    /** Returns after this many milliseconds, or sooner when main says stop. */
    private readonly sleep: (ms: number) => void = (ms) => {
      Atomics.wait(control.words, T.STOP, 0, ms); // sleeps while it is 0: main notifies when it stores
    },
  ) {}

  /** Runs until main says stop. */
  run(): void {
    const { control } = this;
    let tick = this.firstTick();
    // acquire: main stores it when this thread is to end
    while (Atomics.load(control.words, T.STOP) === 0) {
      if (!this.sleepUntilDue(tick)) {
        continue;
      }
      tick = this.skipHopeless(tick);
      this.runTick(tick);
      tick++;
    }
  }

  /** Main may have been down for longer than a tick number should stand still. */
  private firstTick(): number {
    let last = 0;
    for (const host of this.hosts) {
      last = Math.max(last, host.zone.tick);
    }
    return Math.max(last + 1, last === 0 ? this.dueTick() : 0);
  }

  private dueTick(): number {
    return Math.floor(((this.now() - this.originMs) * this.tickHz) / 1000);
  }

  /** False: woken early, look again. */
  private sleepUntilDue(tick: number): boolean {
    const { words } = this.control;
    const leftMs = this.originMs + (tick * 1000) / this.tickHz - this.now();
    if (leftMs <= 0) {
      return true;
    }
    Atomics.store(words, T.HEARTBEAT, (words[T.HEARTBEAT] + 1) | 0); // publish: alive, if asleep
    this.sleep(Math.min(leftMs, TICK_SLEEP_MS_MAX));
    return false;
  }

  private skipHopeless(tick: number): number {
    const behind = this.dueTick() - tick;
    if (behind <= CATCH_UP_TICKS_MAX) {
      return tick;
    }
    const skipped = behind - CATCH_UP_TICKS_MAX;
    this.skipped += skipped;
    this.control.words[T.SKIPPED] += skipped;
    return tick + skipped;
  }

  private runTick(tick: number): void {
    const { control, hosts } = this;
    const { words } = control;
    const start = this.now();
    for (let i = 0; i < hosts.length; i++) {
      hosts[i].runTick(tick);
    }
    const ms = this.now() - start;
    const second = Math.floor(tick / this.tickHz);
    control.recordTick(ms, second, second !== this.lastSecond);
    this.lastSecond = second;
    words[T.TICKS]++;
    if (ms > 1000 / this.tickHz) {
      words[T.OVERRUNS]++;
      this.overruns++;
      this.worstMs = Math.max(this.worstMs, ms);
    }
    Atomics.store(words, T.HEARTBEAT, (words[T.HEARTBEAT] + 1) | 0); // publish: alive, a tick is over
    if (words[T.RUNNING] === 0) {
      Atomics.store(words, T.RUNNING, 1); // publish: the world of this thread goes on
      this.say({ kind: 'running', tick });
    }
    this.waker.afterTick(); // the answers to what clients asked are published
    this.reportOverruns();
  }

  private reportOverruns(): void {
    if (this.overruns === 0 && this.skipped === 0) {
      return;
    }
    const now = this.now();
    if (now - this.reportedMs < OVERRUN_REPORT_MS) {
      return;
    }
    this.say({ kind: 'overrun', overruns: this.overruns, skipped: this.skipped, worstMs: this.worstMs });
    this.reportedMs = now;
    this.overruns = 0;
    this.skipped = 0;
    this.worstMs = 0;
  }
}
