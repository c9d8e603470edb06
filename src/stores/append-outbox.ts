// The queue in front of an event log. Order of calls is order of writing: one write at a time, several waiting appends
// joined into one, and after a failure nothing that waited goes past the failed one. Full is a rejection at once: what
// to keep, spool or drop is the caller's business, and this queue's memory stays bounded.

import { nowMs } from '../base/clock.js';
import { pause } from './deadline.js';
import { LOG_KEY_BYTES_MAX, LOG_OUTBOX_BYTES_MAX, LOG_RECORD_BYTES_MAX, LOG_WRITE_BYTES_MAX } from './limits.js';
import { type LogRecord, PersistError } from './store-ports.js';

interface WaitingAppend {
  records: readonly LogRecord[];
  byteCount: number;
  resolve: () => void;
  reject: (error: PersistError) => void;
}

/** Writes the records of all lists in order, or rejects. */
type AppendWriter = (lists: readonly (readonly LogRecord[])[]) => Promise<void>;

/** What a record takes on its way: value, key (at most 3 bytes per UTF-16 unit, mostly 1), and the frame around it. */
const RECORD_OVERHEAD_BYTES = 32;
export function recordBytes(record: LogRecord): number {
  return record.value.length + record.key.length + RECORD_OVERHEAD_BYTES;
}

export class AppendOutbox {
  readonly #write: AppendWriter;
  #waiting: WaitingAppend[] = [];
  #waitingBytes = 0;
  #pumping = false;
  #closed = false;
  /** So many of the waiting appends were refused together, for what one of them holds: each is written alone. */
  #aloneCount = 0;

  constructor(write: AppendWriter) {
    this.#write = write;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  append(records: readonly LogRecord[]): Promise<void> {
    if (this.#closed) return Promise.reject(new PersistError('closed', 'the event log is closed'));
    if (records.length === 0) return Promise.resolve();
    let byteCount = 0;
    for (const record of records) {
      const complaint = findComplaint(record);
      if (complaint) return Promise.reject(new PersistError('rejected', complaint));
      byteCount += recordBytes(record);
    }
    // One append larger than the whole queue is let in when it is alone: it could never be written otherwise.
    if (this.#waitingBytes > 0 && this.#waitingBytes + byteCount > LOG_OUTBOX_BYTES_MAX) {
      return Promise.reject(new PersistError('full', `the event log's queue is full (${this.#waitingBytes} bytes)`));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ records, byteCount, resolve, reject });
      this.#waitingBytes += byteCount;
      if (!this.#pumping) void this.#pump();
    });
  }

  /** Waits for what is queued, at most `graceMs`; then rejects the rest. Nothing is taken from now on. */
  async close(graceMs: number, clock = { nowMs, wait: pause }): Promise<void> {
    this.#closed = true;
    const deadline = clock.nowMs() + graceMs;
    while (this.#pumping && clock.nowMs() < deadline) await clock.wait(5);
    this.#rejectWaiting(new PersistError('closed', 'the event log was closed before this was written'));
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    // Appends of the same turn of the event loop are written together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      try {
        await this.#write(group.map((append) => append.records));
        this.#leave(group);
        for (const append of group) append.resolve();
      } catch (error) {
        const failure = error instanceof PersistError ? error : new PersistError('unavailable', String(error), error);
        if (failure.kind === 'rejected' && group.length > 1) {
          this.#waiting = group.concat(this.#waiting);
          this.#aloneCount = group.length;
          continue;
        }
        this.#leave(group);
        for (const append of group) append.reject(failure);
        this.#rejectWaiting(new PersistError('behind', `an earlier append failed: ${failure.message}`, failure));
      }
    }
    this.#pumping = false;
  }

  #takeGroup(): WaitingAppend[] {
    if (this.#aloneCount > 0) {
      this.#aloneCount--;
      return this.#waiting.splice(0, 1);
    }
    let count = 0;
    let byteCount = 0;
    while (count < this.#waiting.length) {
      byteCount += this.#waiting[count].byteCount;
      if (count > 0 && byteCount > LOG_WRITE_BYTES_MAX) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  #leave(group: readonly WaitingAppend[]): void {
    for (const append of group) this.#waitingBytes -= append.byteCount;
  }

  #rejectWaiting(error: PersistError): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#aloneCount = 0;
    this.#leave(waiting);
    for (const append of waiting) append.reject(error);
  }
}

function findComplaint(record: LogRecord): string | undefined {
  if (record.topic === '') return 'a record needs a topic';
  if (record.key === '') return `a record of ${record.topic} needs a key`;
  if (record.key.length * 3 > LOG_KEY_BYTES_MAX && Buffer.byteLength(record.key) > LOG_KEY_BYTES_MAX) {
    return `a key of ${record.topic} is longer than ${LOG_KEY_BYTES_MAX} bytes`;
  }
  if (record.value.length > LOG_RECORD_BYTES_MAX) {
    return `a record of ${record.topic} has ${record.value.length} bytes, at most ${LOG_RECORD_BYTES_MAX} are taken`;
  }
  return undefined;
}
