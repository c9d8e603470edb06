// What one tick thread and main tell each other outside of the rings. Main writes the first line, the tick thread the
// rest. Main sleeps on `wake`; the tick thread sleeps on `stop` between ticks.
//
//  0          128                                                            256
//  | stop i32 | heartbeat, wake, ticks, overruns, skipped, running: i32 each | histogram u32 x 200 |
//    main       tick thread, from here on
//
//  1056                                  1152
//  | slowest tick of each second u32 x 16 | time by phase f64 x 6 |
//
// The histogram counts ticks by their duration: bucket i holds those of up to 50 us * 1.05^i. It and what follows is for
// metrics, written and read without Atomics.

import { alignBytes } from '../alignment.js';
import { CACHE_LINE_BYTES } from '../limits.js';

export const STOP = 0;
const LINE = CACHE_LINE_BYTES / 4;
/** Grows with every tick and while a thread starts; a thread whose heartbeat stands still hangs. */
export const HEARTBEAT = LINE;
/** Grows when frames, rejects or events wait for main. */
export const WAKE = LINE + 1;
export const TICKS = LINE + 2;
export const OVERRUNS = LINE + 3;
export const SKIPPED = LINE + 4;
/** 1 once the thread has run its first tick. */
export const RUNNING = LINE + 5;
const HISTOGRAM = 2 * LINE;

export const TICK_BUCKETS = 200;
const BUCKET_FIRST_US = 50;
const BUCKET_GROWTH = 1.05;
export const MAX_SECONDS = 16;
const MAX_SECOND = HISTOGRAM + TICK_BUCKETS;
const PHASES_OFFSET = alignBytes((MAX_SECOND + MAX_SECONDS) * 4, CACHE_LINE_BYTES);

export const PHASES = ['commands', 'systems', 'borders', 'index', 'commit', 'replicate'] as const;

/** Upper bound of a bucket in milliseconds. */
export function bucketLimitMs(bucket: number): number {
  return (BUCKET_FIRST_US * BUCKET_GROWTH ** bucket) / 1000;
}

export class ThreadControl {
  readonly words: Int32Array;
  readonly histogram: Uint32Array;
  readonly secondMaxUs: Uint32Array;
  /** Milliseconds spent so far, by phase. */
  readonly phaseMs: Float64Array;

  constructor(readonly buffer: SharedArrayBuffer) {
    this.words = new Int32Array(buffer, 0, PHASES_OFFSET / 4);
    this.histogram = new Uint32Array(buffer, HISTOGRAM * 4, TICK_BUCKETS);
    this.secondMaxUs = new Uint32Array(buffer, MAX_SECOND * 4, MAX_SECONDS);
    this.phaseMs = new Float64Array(buffer, PHASES_OFFSET, PHASES.length);
  }

  static create(): SharedArrayBuffer {
    return new SharedArrayBuffer(PHASES_OFFSET + PHASES.length * 8);
  }

  /** Wakes main. Tick thread only. */
  wakeMain(): void {
    Atomics.add(this.words, WAKE, 1); // publish: what the rings were given before is readable to whoever sees this
    Atomics.notify(this.words, WAKE); // ends main's wait, which began before the line above
  }

  /** @hot Once per tick. */
  recordTick(ms: number, second: number, isFirstOfSecond: boolean): void {
    const us = Math.max(1, ms * 1000);
    const bucket = Math.ceil(Math.log(us / BUCKET_FIRST_US) / Math.log(BUCKET_GROWTH));
    this.histogram[bucket < 0 ? 0 : bucket >= TICK_BUCKETS ? TICK_BUCKETS - 1 : bucket]++;
    const slot = second % MAX_SECONDS;
    this.secondMaxUs[slot] = isFirstOfSecond ? us : Math.max(this.secondMaxUs[slot], us);
  }
}

/** A percentile in milliseconds from bucket counts: the upper bound of the bucket it falls in, so never too good. */
export function percentileMs(counts: ArrayLike<number>, share: number): number {
  let total = 0;
  for (let i = 0; i < counts.length; i++) {
    total += counts[i];
  }
  let left = total * share;
  for (let i = 0; i < counts.length; i++) {
    left -= counts[i];
    if (left <= 0 && total > 0) {
      return bucketLimitMs(i);
    }
  }
  return 0;
}
