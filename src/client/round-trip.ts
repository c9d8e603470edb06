// How long it takes from sending an input to the frame that says it has been applied. A frame acknowledges every input
// up to one number, and only that last one is measured: those before it may have waited for the frame.

import { ROUND_TRIPS_PENDING_MAX } from './limits.js';

const PENDING_MASK = ROUND_TRIPS_PENDING_MAX - 1;
/** A new measurement counts for this part of the smoothed value. */
const SMOOTHING = 0.1;

export class RoundTrip {
  lastMs = 0;
  smoothedMs = 0;
  count = 0;
  /** By seq modulo ROUND_TRIPS_PENDING_MAX; an input that is not acknowledged before the ring comes round is not measured. */
  private readonly seqs = new Uint32Array(ROUND_TRIPS_PENDING_MAX);
  private readonly sentMs = new Float64Array(ROUND_TRIPS_PENDING_MAX);
  private ackedSeq = 0;

  /** Forgets what is under way: a new connection counts from 1 again. */
  reset(): void {
    this.seqs.fill(0);
    this.ackedSeq = 0;
  }

  sent(seq: number, nowMs: number): void {
    this.seqs[seq & PENDING_MASK] = seq;
    this.sentMs[seq & PENDING_MASK] = nowMs;
  }

  /** True when this acknowledgement is a new measurement. */
  acknowledged(seq: number, nowMs: number): boolean {
    if (seq <= this.ackedSeq) return false;
    this.ackedSeq = seq;
    if (this.seqs[seq & PENDING_MASK] !== seq) return false;
    this.lastMs = nowMs - this.sentMs[seq & PENDING_MASK];
    this.smoothedMs = this.count === 0 ? this.lastMs : this.smoothedMs + (this.lastMs - this.smoothedMs) * SMOOTHING;
    this.count++;
    return true;
  }
}
