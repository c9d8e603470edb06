// The event rings of all zones, read as one. An entity walks from zone to zone and its events come out of one ring after
// the other; it lives through each tick in one zone only, so in the order of ticks they are in order again.
//
// What is read must be all that had been published at one moment. Were the rings looked at one after the other while tick
// threads publish, an event could be seen whose forerunner, in a ring that was looked at before, was not. So all are
// looked at until nothing has moved since the last look.

import * as R from '../../memory/records/thread-records.js';
import type { RecordRing } from '../../memory/rings/record-ring.js';
import { EVENT_RINGS_LOOKS_MAX } from './limits.js';

export class EventRings {
  private readonly counts: Int32Array;
  private readonly taken: Int32Array;

  constructor(private readonly rings: readonly RecordRing[]) {
    this.counts = new Int32Array(rings.length);
    this.taken = new Int32Array(rings.length);
  }

  /** Calls `visit` with each event, in the order of ticks and within a tick of zones; then gives their room back. */
  read(visit: (view: DataView, offset: number) => void): number {
    const { rings, counts, taken } = this;
    if (!this.look()) return 0;
    taken.fill(0);
    for (let tick = this.lowestTick(); tick !== undefined; tick = this.lowestTick()) {
      for (let i = 0; i < rings.length; i++) {
        while (taken[i] < counts[i] && this.tickOf(i) === tick) visit(rings[i].view, rings[i].offsetOf(taken[i]++));
      }
    }
    let sum = 0;
    for (let i = 0; i < rings.length; i++) {
      if (counts[i] > 0) rings[i].release(counts[i]);
      sum += counts[i];
    }
    return sum;
  }

  /** True when nothing has moved between the last two looks. */
  private look(): boolean {
    const { rings, counts } = this;
    for (let looks = 0; looks < EVENT_RINGS_LOOKS_MAX; looks++) {
      let hasMoved = looks === 0;
      for (let i = 0; i < rings.length; i++) {
        const count = rings[i].readable();
        if (count !== counts[i]) hasMoved = true;
        counts[i] = count;
      }
      if (!hasMoved) return true;
    }
    return false;
  }

  /** Of what has not been taken yet; undefined when all has. */
  private lowestTick(): number | undefined {
    let lowest: number | undefined;
    for (let i = 0; i < this.rings.length; i++) {
      if (this.taken[i] === this.counts[i]) continue;
      const tick = this.tickOf(i);
      if (lowest === undefined || tick < lowest) lowest = tick;
    }
    return lowest;
  }

  private tickOf(i: number): number {
    const ring = this.rings[i];
    return ring.view.getInt32(ring.offsetOf(this.taken[i]) + R.EVENT_TICK, true);
  }
}
