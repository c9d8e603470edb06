// Events that memory has no room for, on the disk until the log takes them; an environment of the embedded database of
// its own. One writer: the event pump of one I/O thread. What was written is there after a crash, and is read in the
// order in which it was written. Its bytes are bounded: when they would be too many, the oldest events of low value go,
// then those of low value that were just coming, then the oldest of all.
//
// What was given to the log is removed after the log has acknowledged it: a crash in between gives it twice, with the
// same event ids.

import { EmbeddedStore } from './embedded-store.js';
import type { EventRecord } from './event-form.js';
import type { EventLosses } from './event-losses.js';
import type { LogRecord } from './ports.js';
import {
  decodeKey,
  decodeRow,
  encodeRow,
  type PlacedEvent,
  type PlacedRecord,
  readTypes,
  type SpoolRow,
  verifyRow,
} from './spool-row.js';

/** Far from both ends: rows are added before the first and behind the last. */
const SEQUENCE_START = 2 ** 40;

/** What a spool asks of its database; an EmbeddedStore gives it. */
export interface SpoolStore {
  table(name: string): SpoolTable;
  write<T>(action: () => T): Promise<T>;
  close(): Promise<void>;
}

export interface SpoolTable {
  get(key: Uint8Array): Uint8Array | undefined;
  put(key: Uint8Array, value: Uint8Array): void;
  remove(key: Uint8Array): void;
  keys(range: Record<string, never>): IterableIterator<Uint8Array>;
}

export interface SpoolBatch {
  records: LogRecord[];
  rows: SpoolRow[];
}

export class EventSpool {
  private readonly store: SpoolStore;
  private readonly table: SpoolTable;
  /** Ascending by sequence, each. */
  private readonly low: SpoolRow[] = [];
  private readonly other: SpoolRow[] = [];
  /** Rows that count no more and are yet to be removed from the disk. */
  private garbage: SpoolRow[] = [];
  private nextSequence = SEQUENCE_START;
  /** Rows up to here are on their way to the log, and stay. */
  private takenThrough = -1;
  eventCount = 0;
  byteCount = 0;

  /** In a folder, or in a database that is open. Throws when the database does not open: what to do without is the caller's business. */
  constructor(
    place: string | SpoolStore,
    private readonly bytesMax: number,
    private readonly losses: EventLosses,
  ) {
    this.store = typeof place === 'string' ? new EmbeddedStore(place) : place;
    this.table = this.store.table('events');
    for (const key of this.table.keys({})) {
      const row = decodeKey(key);
      if (row !== undefined) this.enter(row, false);
    }
    if (this.eventCount > 0) {
      losses.say(`the event spool holds ${this.eventCount} events (${this.byteCount} bytes) of an earlier run`);
    }
    this.tell();
  }

  get isEmpty(): boolean {
    return this.low.length === 0 && this.other.length === 0;
  }

  /** Resolves when the events are on the disk, behind or before all others; rejects when none of them is. */
  async write(events: readonly EventRecord[], where: 'front' | 'back'): Promise<void> {
    const sequence = where === 'back' || this.isEmpty ? this.nextSequence++ : this.firstSequence() - 1;
    const placed = events.map((event, place) => ({ place, event }));
    const rows = [...encodeSome(sequence, true, placed), ...encodeSome(sequence, false, placed)];
    const victims = this.findVictims(
      rows.reduce((sum, { row }) => sum + row.bytes, 0),
      rows[0].row,
    );
    const wanted = rows.filter(({ row }) => !victims.includes(row));
    // Counted before they are gone, told when they are.
    const dropped = victims.map((row) => ({ row, types: this.countTypes(row, rows) }));
    const garbage = [...this.garbage, ...victims];
    await this.store.write(() => {
      for (const { key } of garbage) this.table.remove(key);
      for (const { row, value } of wanted) this.table.put(row.key, value);
    });
    this.forget(victims);
    this.garbage = this.garbage.filter((row) => !garbage.includes(row));
    for (const { row } of wanted) this.enter(row, where === 'front');
    this.losses.counters.add(
      'eventsSpooled',
      wanted.reduce((sum, { row }) => sum + row.count, 0),
    );
    this.reportDropped(dropped);
    this.tell();
  }

  /** The oldest events, at most `countMax` unless one sequence has more. They stay until `finish`. */
  next(countMax: number): SpoolBatch | undefined {
    const batch: SpoolBatch = { records: [], rows: [] };
    for (const rows of this.sequences()) {
      const count = rows.reduce((sum, row) => sum + row.count, 0);
      if (batch.records.length > 0 && batch.records.length + count > countMax) break;
      const placed = rows.flatMap((row) => this.readRow(row)).sort((a, b) => a.place - b.place);
      for (const { record } of placed) batch.records.push(record);
      batch.rows.push(...rows);
    }
    if (batch.rows.length === 0) return undefined;
    this.takenThrough = batch.rows[batch.rows.length - 1].sequence;
    return batch;
  }

  /** The events of the batch are in the log. Rejects when they could not be removed yet; they are not given again. */
  async finish(batch: SpoolBatch): Promise<void> {
    this.takenThrough = -1;
    this.losses.counters.add('eventsUnspooled', batch.records.length);
    this.forget(batch.rows);
    this.garbage.push(...batch.rows);
    this.tell();
    await this.removeGarbage();
  }

  async close(): Promise<void> {
    // What cannot be removed now either is given again at the next start, with the same event ids.
    if (this.garbage.length > 0) await this.removeGarbage().catch(() => {});
    await this.store.close();
  }

  private async removeGarbage(): Promise<void> {
    const garbage = [...this.garbage];
    await this.store.write(() => {
      for (const { key } of garbage) this.table.remove(key);
    });
    this.garbage = this.garbage.filter((row) => !garbage.includes(row));
  }

  private enter(row: SpoolRow, isFirst: boolean): void {
    const rows = row.isLow ? this.low : this.other;
    if (isFirst) rows.unshift(row);
    else rows.push(row);
    this.nextSequence = Math.max(this.nextSequence, row.sequence + 1);
    this.eventCount += row.count;
    this.byteCount += row.bytes;
  }

  private forget(gone: readonly SpoolRow[]): void {
    for (const row of gone) {
      // It is at the front or close to it, or was only coming and never in.
      const rows = row.isLow ? this.low : this.other;
      const index = rows.indexOf(row);
      if (index < 0) continue;
      rows.splice(index, 1);
      this.eventCount -= row.count;
      this.byteCount -= row.bytes;
    }
  }

  private firstSequence(): number {
    return Math.min(this.low[0]?.sequence ?? this.nextSequence, this.other[0]?.sequence ?? this.nextSequence);
  }

  /** The rows of each sequence, oldest first. */
  private *sequences(): IterableIterator<SpoolRow[]> {
    let lowIndex = 0;
    let otherIndex = 0;
    while (lowIndex < this.low.length || otherIndex < this.other.length) {
      const low = this.low[lowIndex];
      const other = this.other[otherIndex];
      const sequence = Math.min(low?.sequence ?? Number.POSITIVE_INFINITY, other?.sequence ?? Number.POSITIVE_INFINITY);
      const rows = [low, other].filter((row) => row?.sequence === sequence);
      for (const { isLow } of rows) {
        if (isLow) lowIndex++;
        else otherIndex++;
      }
      yield rows;
    }
  }

  /** Rows that must go so that `bytes` more fit; `coming` is among the new ones and goes too when it has low value. */
  private findVictims(bytes: number, coming: SpoolRow): SpoolRow[] {
    let over = this.byteCount + bytes - this.bytesMax;
    const victims: SpoolRow[] = [];
    if (over <= 0) return victims;
    const candidates = [...this.low, ...(coming.isLow ? [coming] : []), ...this.other];
    for (const row of candidates) {
      if (over <= 0) break;
      if (row.sequence <= this.takenThrough) continue;
      victims.push(row);
      over -= row.bytes;
    }
    return victims;
  }

  private countTypes(row: SpoolRow, coming: readonly { row: SpoolRow; value: Buffer }[]): Record<string, number> {
    const value = coming.find((other) => other.row === row)?.value ?? this.readValue(row);
    const verified = verifyRow(row, value);
    return verified === undefined ? { unreadable: row.count } : readTypes(verified);
  }

  private reportDropped(dropped: readonly { types: Readonly<Record<string, number>> }[]): void {
    for (const { types } of dropped) {
      for (const [type, count] of Object.entries(types)) this.losses.drop(type, count);
    }
    if (dropped.length > 0) {
      this.losses.sayOnce(
        'cap',
        `the event spool has its ${this.bytesMax} bytes: the oldest events go, low value first`,
      );
    }
  }

  private readRow(row: SpoolRow): PlacedRecord[] {
    const verified = verifyRow(row, this.readValue(row));
    if (verified !== undefined) return decodeRow(row, verified);
    this.losses.counters.add('spoolRowsDamaged', 1);
    this.losses.drop('unreadable', row.count);
    this.losses.say(`a row of the event spool does not verify: ${row.count} events (${row.bytes} bytes) are lost`);
    return [];
  }

  /** Undefined also when the database cannot read it. */
  private readValue(row: SpoolRow): Uint8Array | undefined {
    try {
      return this.table.get(row.key);
    } catch {
      return undefined;
    }
  }

  private tell(): void {
    this.losses.counters.set('spoolEvents', this.eventCount);
    this.losses.counters.set('spoolBytes', this.byteCount);
  }
}

function encodeSome(sequence: number, isLow: boolean, placed: readonly PlacedEvent[]) {
  const some = placed.filter(({ event }) => event.isLow === isLow);
  return some.length === 0 ? [] : [encodeRow(sequence, isLow, some)];
}
