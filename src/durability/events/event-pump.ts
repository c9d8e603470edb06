// From the event rings to the log. Tick threads write and never wait; while the log is away what it
// is to have waits on the disk, because memory goes with the process, and is appended in order when it can be. The order
// is: the batch that is under way or was refused, then the disk, then memory. Where the disk does not take it either it
// waits in memory up to a bound, and where nothing has room the oldest go, those of low value first, counted.
// Delivery is at least once, with the same event id each time: the ticks of a key ascend once events seen before are dropped.

import { randomFraction } from '../../base/chance.js';
import * as R from '../../memory/records/thread-records.js';
import type { RecordRing } from '../../memory/rings/record-ring.js';
import type { IoCounters } from '../../memory/tables/io-counters.js';
import { Backoff, pause } from '../../stores/deadline.js';
import type { EventLog, LogRecord } from '../../stores/store-ports.js';
import { type EventContext, type EventRecord, formEvent } from './event-form.js';
import type { EventLosses } from './event-losses.js';
import { EventQueue } from './event-queue.js';
import { EventRings } from './event-rings.js';
import type { EventSpool, SpoolBatch } from './event-spool.js';
import {
  EVENTS_FEW_MAX,
  EVENTS_HELD_MS,
  EVENTS_PER_APPEND_MAX,
  EVENTS_RETRY_MS_MAX,
  EVENTS_RETRY_MS_MIN,
  EVENTS_SPILLING_MAX,
  EVENTS_UNKEPT_MS,
  EVENTS_WAITING_MAX,
  FLUSH_LOOK_MS,
  LOG_SILENT_MS,
  SPOOL_DRAIN_PER_SECOND,
} from './limits.js';
import { appendAround } from './refused-records.js';

export interface PumpLimits {
  waitingMax: number;
  spillingMax: number;
  perAppendMax: number;
  drainPerSecond: number;
}

const LIMITS: PumpLimits = {
  waitingMax: EVENTS_WAITING_MAX,
  spillingMax: EVENTS_SPILLING_MAX,
  perAppendMax: EVENTS_PER_APPEND_MAX,
  drainPerSecond: SPOOL_DRAIN_PER_SECOND,
};

/** What the log is offered, until it takes it. In memory alone, or with rows on the disk. */
type Head = { from: 'memory'; records: EventRecord[] } | ({ from: 'spool' } & SpoolBatch);

export class EventPump {
  private readonly rings: EventRings;
  private readonly waiting = new EventQueue();
  private head: Head | undefined;
  /** So many of the head's the log is done with. */
  private doneCount = 0;
  private appending: Promise<void> | undefined;
  private spilling: Promise<void> | undefined;
  private spillingCount = 0;
  private appendingSinceMs = 0;
  private spilledMs = Number.NEGATIVE_INFINITY;
  private appendNotBeforeMs = 0;
  private spillNotBeforeMs = 0;
  private awaySinceMs: number | undefined;
  private hasDrained = true;
  /** Events that may leave the spool; see SPOOL_DRAIN_PER_SECOND. */
  private drainAllowance = 0;
  private lastRunMs: number | undefined;
  /** It is at its end: no further run. */
  isFlushing = false;
  /** What is left goes to the disk: the log is offered nothing more. */
  private isOver = false;
  private readonly appendBackoff: Backoff;
  private readonly spillBackoff: Backoff;
  private readonly counters: IoCounters;
  private readonly limits: PumpLimits;

  constructor(
    rings: readonly RecordRing[],
    private readonly log: EventLog,
    private readonly context: EventContext,
    private readonly losses: EventLosses,
    /** Without one, memory is all there is. */
    private readonly spool?: EventSpool,
    limits: Partial<PumpLimits> = {},
    random: () => number = randomFraction,
  ) {
    this.rings = new EventRings(rings);
    this.appendBackoff = new Backoff(EVENTS_RETRY_MS_MIN, EVENTS_RETRY_MS_MAX, random);
    this.spillBackoff = new Backoff(EVENTS_RETRY_MS_MIN, EVENTS_RETRY_MS_MAX, random);
    this.counters = losses.counters;
    this.limits = { ...LIMITS, ...limits };
    this.hasDrained = spool?.isEmpty ?? true;
    this.countLost();
  }

  /** What a thread had in memory that ended before this one. The log may have some of it, which nobody was told. */
  private countLost(): void {
    const count = this.counters.get('eventsWaiting');
    if (count === 0) return;
    this.losses.drop('in memory', count, 'thread_ended');
    this.losses.say(`an I/O thread ended with ${count} events in memory: they count as lost, at most as many are`);
    this.counters.set('eventsWaiting', 0);
  }

  /** Events that a former run may not have handed over. Before the first run. Resolves when they are on the disk, if they can be. */
  async takeUp(events: Iterable<EventRecord>): Promise<void> {
    let part: EventRecord[] = [];
    for (const event of events) {
      part.push(event);
      if (part.length < this.limits.perAppendMax) continue;
      await this.keep(part);
      part = [];
    }
    if (part.length > 0) await this.keep(part);
    this.counters.set('eventsWaiting', this.inMemory());
  }

  private async keep(events: EventRecord[]): Promise<void> {
    // Behind one that stayed in memory none may go to the disk, which is read first.
    if (this.spool !== undefined && this.waiting.length === 0) {
      try {
        await this.spool.write(events, 'back');
        return;
      } catch (error) {
        this.failSpool(error as Error);
      }
    }
    for (const event of events) this.waiting.push(event);
  }

  /**
   * Empties the rings, and begins to append and to spill if there is something to, and neither is under way. `nowMs` is
   * of a clock that is never set: attempts are scheduled by it.
   */
  run(nowMs: number): void {
    this.allowDrain(nowMs, this.readRings());
    // Append first: while a write to the spool is under way nothing is taken from it.
    this.beginAppend(nowMs);
    this.beginSpill(nowMs);
    const countMax = this.limits.waitingMax + this.limits.spillingMax;
    const underWayCount = this.inMemory() - this.waiting.length;
    this.waiting.shrink(Math.max(0, countMax - underWayCount), (event) => this.dropFromMemory(event));
    this.counters.set('eventsWaiting', this.inMemory());
  }

  /**
   * Appends what is left until the log refuses or the deadline comes; then what is in memory goes to the disk, where the
   * next run finds it. Without a spool it tries to the end. Resolves with how many events neither of them took.
   */
  async flush(deadlineMs: number, now: () => number, wait: (ms: number) => Promise<void> = pause): Promise<number> {
    const lostBefore = this.countDropped();
    this.isFlushing = true;
    this.appendNotBeforeMs = 0;
    const failuresBefore = this.counters.get('appendFailures');
    do {
      this.run(now());
      while ((this.appending !== undefined || this.spilling !== undefined) && now() < deadlineMs) {
        await wait(FLUSH_LOOK_MS);
        this.beginSpill(now());
      }
      if (this.spool !== undefined && this.counters.get('appendFailures') > failuresBefore) break;
      if (now() < this.appendNotBeforeMs) await wait(FLUSH_LOOK_MS);
    } while (!this.isEmpty() && now() < deadlineMs);
    await this.keepRest();
    return this.countDropped() - lostBefore;
  }

  /** What the log refused for good is dropped too, whenever it comes: no fault of the stop. */
  private countDropped(): number {
    return this.counters.get('eventsDropped') - this.counters.get('eventsRefused');
  }

  private isEmpty(): boolean {
    return this.inMemory() === 0 && this.head === undefined && (this.spool?.isEmpty ?? true);
  }

  private inMemory(): number {
    const { head } = this;
    const offeredCount = head?.from === 'memory' ? head.records.length - this.doneCount : 0;
    return this.waiting.length + this.spillingCount + offeredCount;
  }

  private readRings(): number {
    const count = this.rings.read((view, offset) => {
      this.counters.eventTypes[view.getUint16(offset + R.EVENT_TYPE, true)]++;
      this.waiting.push(formEvent(view, offset, this.context));
    });
    if (count > 0) this.counters.add('eventsRead', count);
    return count;
  }

  /** What arrives may leave too, so that the bound alone never makes a backlog grow. At most a second's worth is saved up. */
  private allowDrain(nowMs: number, readCount: number): void {
    const { drainPerSecond, perAppendMax } = this.limits;
    const elapsedMs = Math.max(0, nowMs - (this.lastRunMs ?? nowMs));
    this.lastRunMs = nowMs;
    const allowance = this.drainAllowance + readCount + (elapsedMs * drainPerSecond) / 1000;
    this.drainAllowance = Math.min(allowance, Math.max(drainPerSecond, perAppendMax));
  }

  private dropFromMemory(event: EventRecord): void {
    this.losses.drop(event.type, 1, 'memory_full');
    this.losses.sayOnce('memory', 'events wait in memory up to its bound: the oldest go, low value first');
  }

  // --- to the log ---

  private beginAppend(nowMs: number): void {
    if (this.isOver || this.appending !== undefined) return;
    if (nowMs < this.appendNotBeforeMs || this.isHeadToSpill(nowMs)) return;
    if (this.head === undefined) {
      this.head = this.takeHead();
      this.doneCount = 0;
    }
    if (this.head === undefined) return;
    this.appendingSinceMs = nowMs;
    this.appending = this.append(this.restOf(this.head), nowMs).finally(() => {
      this.appending = undefined;
      // Where a whole batch waits it does not wait for the next beat.
      if (this.waiting.length >= this.limits.perAppendMax) this.beginAppend(this.lastRunMs ?? nowMs);
    });
  }

  private takeHead(): Head | undefined {
    // What is being spilled is older than what is in memory, and not on the disk yet.
    if (this.spilling !== undefined) return undefined;
    const { perAppendMax } = this.limits;
    if (this.spool !== undefined && !this.spool.isEmpty) {
      if (!this.isFlushing && this.drainAllowance <= 0) return undefined;
      const batch = this.spool.next(perAppendMax);
      // A batch larger than the allowance is paid for afterwards.
      this.drainAllowance -= batch?.records.length ?? 0;
      return batch && { from: 'spool', ...batch };
    }
    if (this.waiting.length === 0) return undefined;
    return { from: 'memory', records: this.waiting.take(perAppendMax) };
  }

  private restOf<T>({ records }: { records: T[] }): T[] {
    return this.doneCount === 0 ? records : records.slice(this.doneCount);
  }

  private async append(records: readonly LogRecord[], nowMs: number): Promise<void> {
    try {
      // All rows of a batch may have been damaged; then there is nothing to hear from the log.
      if (records.length === 0) return this.leaveHead();
      await appendAround(this.log, records, {
        onTaken: (count) => {
          this.doneCount += count;
          this.counters.add('eventsAppended', count);
        },
        onRefused: (record, reason) => {
          this.doneCount++;
          this.losses.refuse(record, reason);
        },
      });
    } catch (error) {
      this.refuse(error as Error, nowMs);
      return;
    }
    this.appendBackoff.succeeded();
    this.leaveHead();
    this.noteSuccess();
  }

  /** A refused batch is tried again in the same order: it stays the head, or goes back where it came from. */
  private refuse(error: Error, nowMs: number): void {
    this.counters.add('appendFailures', 1);
    this.appendBackoff.failed();
    this.appendNotBeforeMs = nowMs + Math.round(this.appendBackoff.pauseMs);
    this.awaySinceMs ??= nowMs;
    this.hasDrained = this.spool === undefined;
    const where = this.spool === undefined ? 'they wait' : 'they go to the disk';
    this.losses.sayOnce('away', `the event log takes no events, ${where}: ${error.message}`);
    if (this.head?.from === 'memory' && this.isSpoolUnused()) {
      this.waiting.putBack(this.restOf(this.head));
      this.head = undefined;
    }
  }

  private isSpoolUnused(): boolean {
    return this.spilling === undefined && (this.spool?.isEmpty ?? true);
  }

  private leaveHead(): void {
    const { head } = this;
    this.head = undefined;
    // The next batch does not wait until this one is removed.
    if (head?.from === 'spool') this.spool?.finish(head).catch((error: Error) => this.failSpool(error));
  }

  private noteSuccess(): void {
    if (this.awaySinceMs !== undefined) {
      const seconds = Math.round(((this.lastRunMs ?? 0) - this.awaySinceMs) / 1000);
      const onDisk = this.spool?.eventCount ?? 0;
      this.awaySinceMs = undefined;
      this.losses.say(
        `the event log takes events again after ${seconds} s: ${onDisk} wait on the disk, ${this.losses.close()}`,
      );
    }
    if (this.isSpoolUnused() && !this.hasDrained) {
      this.hasDrained = true;
      this.losses.say(`the event spool is empty again, ${this.losses.close()}`);
    }
  }

  // --- to the disk ---

  private beginSpill(nowMs: number): void {
    const { spool, head, waiting } = this;
    if (spool === undefined || this.spilling !== undefined || nowMs < this.spillNotBeforeMs) return;
    if (head?.from === 'memory' && this.isHeadToSpill(nowMs)) {
      this.spill(spool, this.restOf(head), 'front', nowMs);
    } else if (head?.from === 'memory' && this.isAppendLate(nowMs)) {
      this.copyHead(spool, head, nowMs);
    } else if (waiting.length > this.limits.waitingMax || this.isWaitingToSpill(nowMs)) {
      this.spill(spool, waiting.take(this.limits.perAppendMax), 'back', nowMs);
    }
  }

  /** Refused events of memory that are older than the disk's go there first: they would be the only ones a crash loses. */
  private isHeadToSpill(nowMs: number): boolean {
    const isRefused = this.head?.from === 'memory' && this.appending === undefined;
    return isRefused && !this.isFlushing && !this.isSpoolUnused() && nowMs >= this.spillNotBeforeMs;
  }

  private isAppendLate(nowMs: number): boolean {
    const lateMs = this.waiting.length < EVENTS_FEW_MAX ? LOG_SILENT_MS : EVENTS_HELD_MS;
    return this.appending !== undefined && nowMs - this.appendingSinceMs >= lateMs;
  }

  /**
   * Where the log is away; or is silent, takes too few, or has what is on the disk before it. Many go there only when that
   * lasts: they catch up from memory sooner than over the disk.
   */
  private isWaitingToSpill(nowMs: number): boolean {
    const ageMs = this.waiting.noteAge(nowMs);
    const { length } = this.waiting;
    const { perAppendMax } = this.limits;
    if (length === 0) return false;
    const isTime = nowMs - this.spilledMs >= EVENTS_UNKEPT_MS;
    if (this.awaySinceMs !== undefined) return isTime || length >= perAppendMax;
    if (length >= EVENTS_FEW_MAX) return ageMs >= EVENTS_HELD_MS;
    const isHeldUp = !this.isSpoolUnused() || this.isAppendLate(nowMs) || ageMs >= LOG_SILENT_MS;
    return isTime && isHeldUp;
  }

  private spill(spool: EventSpool, events: EventRecord[], place: 'front' | 'back', nowMs: number): void {
    if (place === 'front') this.head = undefined;
    else this.spilledMs = nowMs;
    this.spillingCount = events.length;
    this.track(spool.write(events, place), nowMs, () => {
      if (place === 'back') return this.waiting.putBack(events);
      this.head = { from: 'memory', records: events };
      this.doneCount = 0;
    });
  }

  /** The log is long in answering. Should it never, what it was offered is not in memory alone; it stays the head. */
  private copyHead(spool: EventSpool, head: Head & { from: 'memory' }, nowMs: number): void {
    const records = this.restOf(head);
    const copying = spool.write(records, 'taken').then(async (rows) => {
      if (this.head === head) this.head = { from: 'spool', records: head.records, rows };
      else await spool.finish({ records, rows });
    });
    this.track(copying, nowMs, () => {});
  }

  private track(writing: Promise<unknown>, nowMs: number, takeBack: () => void): void {
    this.spilling = writing
      .then(
        () => {
          this.spillBackoff.succeeded();
          this.noteSpooled();
        },
        (error: Error) => {
          takeBack();
          this.spillBackoff.failed();
          this.spillNotBeforeMs = nowMs + Math.round(this.spillBackoff.pauseMs);
          this.failSpool(error);
        },
      )
      .finally(() => {
        this.spilling = undefined;
        this.spillingCount = 0;
        this.counters.set('eventsWaiting', this.inMemory());
        // The log first: on a slow disk the next write would always be under way when it could be asked again. What came
        // meanwhile has waited for long enough.
        this.beginAppend(this.lastRunMs ?? nowMs);
        this.beginSpill(this.lastRunMs ?? nowMs);
      });
  }

  /** Of a log that is slow for a moment nobody needs to know. */
  private noteSpooled(): void {
    const { eventCount } = this.spool as EventSpool;
    if (eventCount <= this.limits.waitingMax) return;
    this.hasDrained = false;
    this.losses.sayOnce('spool', `the event log is behind: more than ${this.limits.waitingMax} events are on the disk`);
  }

  private failSpool(error: Error): void {
    this.counters.add('spoolFailures', 1);
    this.losses.sayOnce('spool failed', `the event spool did not write: ${error.message}`);
  }

  /** The end: all that is in memory to the disk, in order. A batch under way goes too, its outcome is not known. */
  private async keepRest(): Promise<void> {
    this.isOver = true;
    while (this.spilling !== undefined) await this.spilling;
    try {
      if (this.head?.from === 'memory') {
        const rest = this.restOf(this.head);
        if (rest.length > 0) await this.requireSpool().write(rest, 'front');
        this.head = undefined;
      }
      while (this.waiting.length > 0) {
        const events = this.waiting.take(this.limits.perAppendMax);
        await this.requireSpool()
          .write(events, 'back')
          .catch((error: Error) => {
            this.waiting.putBack(events);
            throw error;
          });
      }
    } catch (error) {
      this.loseRest(error as Error);
    }
    this.counters.set('eventsWaiting', this.inMemory());
    if (this.spool !== undefined && !this.spool.isEmpty) {
      this.losses.say(`${this.spool.eventCount} events stay on the disk for the next start`);
    }
  }

  private requireSpool(): EventSpool {
    if (this.spool === undefined) throw new Error('there is no spool');
    return this.spool;
  }

  private loseRest(error: Error): void {
    const count = this.inMemory();
    if (this.head?.from === 'memory') for (const { type } of this.restOf(this.head)) this.losses.drop(type, 1, 'stop');
    this.waiting.shrink(0, ({ type }) => this.losses.drop(type, 1, 'stop'));
    this.head = undefined;
    this.losses.say(
      `${count} events were not taken before the end, and are lost (${error.message}): ${this.losses.close()}`,
    );
  }
}
