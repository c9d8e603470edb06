// When was which input written, for every client: a small ring of times per client, addressed by the low bits of the
// sequence number. A slot is 0 when nothing waits in it. The first frame whose ack has reached an input's number ends
// its round trip, so an input that shares a frame with newer ones counts with its full, longer time.
//
//   sentAt: | client 0: slot 0 .. slot 255 | client 1: ... |

import type { LatencyHistogram } from '../report/latency-histogram.js';

/** 256 inputs are 8 s at 30 per second; what waits longer has failed, and is counted so. */
export const IN_FLIGHT_MAX = 256;

export class RoundTrips {
  private readonly sentAt: Float64Array;
  private readonly acked: Uint32Array;
  private readonly histogram: LatencyHistogram;
  /** Inputs whose slot was taken by a newer one before any frame acknowledged them. */
  overwritten = 0;

  constructor(clientCount: number, histogram: LatencyHistogram) {
    this.sentAt = new Float64Array(clientCount * IN_FLIGHT_MAX);
    this.acked = new Uint32Array(clientCount);
    this.histogram = histogram;
  }

  /** @hot */
  sent(client: number, seq: number, nowMs: number): void {
    const slot = client * IN_FLIGHT_MAX + (seq & (IN_FLIGHT_MAX - 1));
    if (this.sentAt[slot] !== 0) this.overwritten += 1;
    this.sentAt[slot] = nowMs;
  }

  /** @hot Ends the round trips of all inputs up to `ack`. */
  acknowledged(client: number, ack: number, nowMs: number): void {
    const from = this.acked[client];
    if (ack <= from) return;
    this.acked[client] = ack;
    const base = client * IN_FLIGHT_MAX;
    for (let seq = Math.max(from + 1, ack - IN_FLIGHT_MAX + 1); seq <= ack; seq++) {
      const slot = base + (seq & (IN_FLIGHT_MAX - 1));
      const sentAtMs = this.sentAt[slot];
      if (sentAtMs !== 0) {
        this.histogram.record(nowMs - sentAtMs);
        this.sentAt[slot] = 0;
      }
    }
  }

  lastAck(client: number): number {
    return this.acked[client];
  }

  /** Inputs that no frame has acknowledged yet. */
  waiting(): number {
    return this.sentAt.reduce((count, sentAtMs) => count + (sentAtMs === 0 ? 0 : 1), 0);
  }

  /** Forgets what is in flight, so that a timed part counts only inputs of its own. */
  forgetPending(): void {
    this.sentAt.fill(0);
    this.overwritten = 0;
  }
}
