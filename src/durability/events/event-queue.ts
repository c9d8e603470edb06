// Events in memory, oldest first.

import type { EventRecord } from './event-form.js';

export class EventQueue {
  private events: EventRecord[] = [];
  private lowCount = 0;
  /** Of all that left, less what was put back; and the place of the event that `noteAge` has an eye on, with its time. */
  private goneCount = 0;
  private markedCount = 0;
  private markedMs = 0;

  get length(): number {
    return this.events.length;
  }

  push(event: EventRecord): void {
    this.events.push(event);
    if (event.isLow) this.lowCount++;
  }

  /** For how long at least the oldest has waited, from calls at regular times: the time of each is not kept. */
  noteAge(nowMs: number): number {
    if (this.goneCount >= this.markedCount) {
      this.markedCount = this.goneCount + this.events.length;
      this.markedMs = nowMs;
    }
    return this.events.length === 0 ? 0 : nowMs - this.markedMs;
  }

  /** The oldest, at most `countMax`. */
  take(countMax: number): EventRecord[] {
    const taken = this.events.splice(0, countMax);
    this.goneCount += taken.length;
    this.lowCount -= countLow(taken);
    return taken;
  }

  /** What was taken last, before everything else again. */
  putBack(taken: readonly EventRecord[]): void {
    this.events = taken.concat(this.events);
    this.goneCount -= taken.length;
    this.lowCount += countLow(taken);
  }

  /** Lets the oldest go until `countMax` are left, those of low value first. */
  shrink(countMax: number, onDropped: (event: EventRecord) => void): void {
    let over = this.events.length - countMax;
    if (over <= 0) return;
    if (this.lowCount > 0) {
      this.events = this.events.filter((event) => {
        if (over === 0 || !event.isLow) return true;
        over--;
        this.goneCount++;
        this.lowCount--;
        onDropped(event);
        return false;
      });
    }
    for (const event of this.take(over)) onDropped(event);
  }
}

function countLow(events: readonly EventRecord[]): number {
  let count = 0;
  for (const { isLow } of events) if (isLow) count++;
  return count;
}
