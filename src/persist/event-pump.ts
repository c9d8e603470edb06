// From the event rings to the log. Tick threads write and never wait; what the log cannot take yet waits here, up to a
// bound, and is appended in order when it can again. Beyond the bound the oldest go, counted.

import { EVENTS_PER_APPEND_MAX, EVENTS_WAITING_MAX } from '../constants.js';
import type { IoCounters } from '../memory/io-counters.js';
import type { RecordRing } from '../memory/record-ring.js';
import * as R from '../memory/records.js';
import { Backoff } from './deadline.js';
import { type EventContext, formEvent } from './event-form.js';
import type { EventLog, LogRecord } from './ports.js';

const BACKOFF_MS_MIN = 100;
const BACKOFF_MS_MAX = 5000;

export class EventPump {
  private waiting: LogRecord[] = [];
  private appending: Promise<void> | undefined;
  private notBeforeMs = 0;
  private readonly backoff = new Backoff(BACKOFF_MS_MIN, BACKOFF_MS_MAX);

  constructor(
    private readonly rings: readonly RecordRing[],
    private readonly log: EventLog,
    private readonly context: EventContext,
    private readonly counters: IoCounters,
    private readonly say: (line: string) => void,
  ) {}

  /** Empties the rings, and begins to append if nothing is being appended. */
  run(nowMs: number): void {
    for (const ring of this.rings) {
      this.readRing(ring);
    }
    this.bound();
    this.counters.set('eventsWaiting', this.waiting.length);
    if (this.appending === undefined && this.waiting.length > 0 && nowMs >= this.notBeforeMs) {
      this.appending = this.append(nowMs).finally(() => {
        this.appending = undefined;
      });
    }
  }

  /** Appends all that is left, or gives up at the deadline. */
  async flush(deadlineMs: number, now: () => number): Promise<void> {
    this.notBeforeMs = 0;
    do {
      this.run(now());
      await this.appending;
    } while (this.waiting.length > 0 && now() < deadlineMs);
    if (this.waiting.length > 0) {
      this.counters.add('eventsDropped', this.waiting.length);
      this.say(`${this.waiting.length} events were not taken by the log before the end, and are lost`);
    }
  }

  private readRing(ring: RecordRing): void {
    const count = ring.readable();
    for (let i = 0; i < count; i++) {
      const offset = ring.offsetOf(i);
      this.counters.eventTypes[ring.view.getUint16(offset + R.EVENT_TYPE, true)]++;
      this.waiting.push(formEvent(ring.view, offset, this.context));
    }
    if (count > 0) {
      ring.release(count);
      this.counters.add('eventsRead', count);
    }
  }

  private bound(): void {
    const over = this.waiting.length - EVENTS_WAITING_MAX;
    if (over > 0) {
      this.waiting.splice(0, over);
      this.counters.add('eventsDropped', over);
    }
  }

  /** What is under way stays in `waiting` until the log has it: a rejected append is tried again in the same order. */
  private async append(nowMs: number): Promise<void> {
    const batch = this.waiting.slice(0, EVENTS_PER_APPEND_MAX);
    const last = batch[batch.length - 1];
    try {
      await this.log.append(batch);
      // The bound may have dropped some of them meanwhile; what is behind the last one stays.
      this.waiting.splice(0, this.waiting.indexOf(last) + 1);
      this.counters.add('eventsAppended', batch.length);
      this.backoff.succeeded();
    } catch (error) {
      this.counters.add('appendFailures', 1);
      this.backoff.failed();
      const waitMs = Math.round(this.backoff.pauseMs);
      this.notBeforeMs = nowMs + waitMs;
      this.say(`the event log did not take ${batch.length} events: ${(error as Error).message}; again in ${waitMs} ms`);
    }
  }
}
