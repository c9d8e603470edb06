// Records of the order and command rings that wait on a zone's side for a later tick, and what happens when too many do.

import { COMMAND_RECORD_BYTES } from '../../memory/limits.js';
import * as R from '../../memory/records/thread-records.js';
import type { RecordRing } from '../../memory/rings/record-ring.js';
import { ARRIVAL_TICKS_MAX, EARLY_ORDERS_MAX, LATE_ORDERS_MAX } from './limits.js';

/** What became of a command that was to be taken. */
export const TAKEN = 0;
/** Its client is not here: it may be on its way here, or gone. */
export const NOT_HERE = 1;
/** Its client has had its share of this tick, or an earlier command of it has not come yet. */
export const NOT_NOW = 2;

export interface WaitingRecord {
  record: DataView;
  tick: number;
}

/** Of an order, or of a command as long as it is: all are at least as long as an order. */
export function recordBytesOf(view: DataView, offset: number): number {
  const bytes = R.COMMAND_PAYLOAD + view.getUint8(offset + R.COMMAND_BYTES);
  return Math.max(COMMAND_RECORD_BYTES, (bytes + 3) & ~3);
}

export function createRecord(bytes = COMMAND_RECORD_BYTES): DataView {
  return new DataView(new ArrayBuffer(bytes));
}

export function copyRecord(view: DataView, offset: number): DataView {
  const bytes = recordBytesOf(view, offset);
  const record = createRecord(bytes);
  for (let at = 0; at < bytes; at += 4) {
    record.setInt32(at, view.getInt32(offset + at, true), true);
  }
  return record;
}

/** The ring's oldest record. Given back before it is taken: a record that kills this thread must not meet the next one. */
export function copyOut(ring: RecordRing, target: Int32Array): void {
  const { i32 } = ring;
  const at = ring.offsetOf(0);
  const first = at >> 2;
  const words = recordBytesOf(ring.view, at) >> 2;
  for (let word = 0; word < words; word++) {
    target[word] = i32[first + word];
  }
  ring.release(1);
}

export interface EarlyOrdersOptions {
  /** The client is here, or it is known where it has gone. */
  isFound(client: number, generation: number): boolean;
  take(record: DataView): void;
  giveUp(record: DataView): void;
  /** An order was given up before its time, for lack of room. */
  onFull(): void;
}

/**
 * Orders about clients that are not here, because they may be on their way. Full: the oldest is given up at once, which says
 * what becomes of it as when its time is over.
 */
export class EarlyOrders {
  private waiting: WaitingRecord[] = [];

  constructor(
    private readonly options: EarlyOrdersOptions,
    private readonly most = EARLY_ORDERS_MAX,
  ) {}

  add(view: DataView, offset: number, tick: number): void {
    if (this.waiting.length >= this.most) {
      this.options.onFull();
      this.options.giveUp((this.waiting.shift() as WaitingRecord).record);
    }
    this.waiting.push({ record: copyRecord(view, offset), tick });
  }

  /** Until main has named all clients of this zone (`isOpen`), nobody is given up. */
  retry(tick: number, isOpen: boolean): void {
    if (this.waiting.length === 0) {
      return;
    }
    const { waiting, options } = this;
    this.waiting = [];
    for (const { record, tick: since } of waiting) {
      if (options.isFound(record.getUint16(R.COMMAND_CLIENT, true), record.getInt32(R.COMMAND_GENERATION, true))) {
        options.take(record);
      } else if (!isOpen || tick - since < ARRIVAL_TICKS_MAX) {
        this.waiting.push({ record, tick: isOpen ? since : tick });
      } else {
        options.giveUp(record);
      }
    }
  }
}

/**
 * Orders that follow their clients to other zones, and found no room on their way. None may be lost: while it is full, the
 * zone takes no further orders, and main's ring and the neighbours' rings fill instead.
 */
export class LateOrders {
  private readonly waiting: { record: DataView; target: number }[] = [];

  constructor(
    private readonly send: (record: DataView, target: number) => boolean,
    private readonly most = LATE_ORDERS_MAX,
  ) {}

  get isFull(): boolean {
    return this.waiting.length >= this.most;
  }

  add(view: DataView, offset: number, target: number): void {
    this.waiting.push({ record: copyRecord(view, offset), target });
  }

  /** In the order in which they came. */
  retry(): void {
    if (this.waiting.length === 0) return;
    let sent = 0;
    while (sent < this.waiting.length && this.send(this.waiting[sent].record, this.waiting[sent].target)) {
      sent++;
    }
    this.waiting.splice(0, sent);
  }
}
