// Events in memory, oldest first.

import type { EventRecord } from './event-form.js';

export class EventQueue {
  private events: EventRecord[] = [];
  private lowCount = 0;

  get length(): number {
    return this.events.length;
  }

  push(event: EventRecord): void {
    this.events.push(event);
    if (event.isLow) this.lowCount++;
  }

  /** The oldest, at most `countMax`. */
  take(countMax: number): EventRecord[] {
    const taken = this.events.splice(0, countMax);
    this.lowCount -= countLow(taken);
    return taken;
  }

  /** What was taken last, before everything else again. */
  putBack(taken: readonly EventRecord[]): void {
    this.events = taken.concat(this.events);
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
