// Events that memory has no room for, on the disk until the log takes them; an environment of the embedded database of
// its own. One writer: the event pump of one I/O thread. What was written is there after a crash, and is read in the
// order in which it was written. Its bytes are bounded: when they would be too many, the oldest events of low value go,
// then those of low value that were just coming, then the oldest of all.
//
// A few events at a time come while the log is away, for long. Those at the end are written again with the next ones, so
// that rows are not too small: the list of all rows is in memory. Should the old rows stay beside the new ones, because a
// thread was ended in the middle of the write, the larger of the same sequence and class has all that the smaller has.
//
// What was given to the log is removed after the log has acknowledged it: a crash in between gives it twice, with the
// same event ids.

import { EmbeddedStore } from '../../stores/embedded/embedded-store.js';
import type { LogRecord } from '../../stores/store-ports.js';
import type { EventRecord } from './event-form.js';
import type { EventLosses } from './event-losses.js';
import { SPOOL_SEQUENCE_EVENTS_MIN } from './limits.js';
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

interface EncodedRow {
  row: SpoolRow;
  value: Buffer;
}

/** The newest sequence, while it takes more. */
interface Tail {
  sequence: number;
  placed: PlacedEvent[];
  nextPlace: number;
  rows: SpoolRow[];
}

/** At the back, or before all others; 'taken': before all others and on its way to the log, as what `next` gives. */
type SpoolPlace = 'back' | 'front' | 'taken';

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
  private tail: Tail | undefined;
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
      if (row !== undefined) this.findAgain(row);
    }
    if (this.eventCount > 0) {
      losses.say(`the event spool holds ${this.eventCount} events (${this.byteCount} bytes) of an earlier run`);
    }
    this.tell();
  }

  get isEmpty(): boolean {
    return this.low.length === 0 && this.other.length === 0;
  }

  /** Resolves with their rows when the events are on the disk; rejects when none of them is. */
  async write(events: readonly EventRecord[], place: SpoolPlace): Promise<SpoolRow[]> {
    const tail = place === 'back' ? this.tail : undefined;
    const isLast = place === 'back' || this.isEmpty;
    const sequence = tail?.sequence ?? (isLast ? this.nextSequence++ : this.firstSequence() - 1);
    const firstPlace = tail?.nextPlace ?? 0;
    const coming = events.map((event, index) => ({ place: firstPlace + index, event }));
    const placed = tail === undefined ? coming : tail.placed.concat(coming);
    // Where nothing came to the old row of a class it stays as it is.
    const kept = tail?.rows.filter(({ isLow }) => !coming.some(({ event }) => event.isLow === isLow)) ?? [];
    const replaced = tail?.rows.filter((row) => !kept.includes(row)) ?? [];
    const isNew = (isLow: boolean): boolean => !kept.some((row) => row.isLow === isLow);
    const rows = [true, false].filter(isNew).flatMap((isLow) => encodeSome(sequence, isLow, placed));
    const victims = this.findVictims(rows, replaced, place !== 'taken');
    const wanted = rows.filter(({ row }) => !victims.includes(row));
    // Counted before they are gone, told when they are.
    const dropped = victims.map((row) => ({ row, types: this.countTypes(row, rows) }));
    const garbage = [...this.garbage, ...victims];
    await this.store.write(() => {
      for (const { key } of garbage) this.table.remove(key);
      for (const { row, value } of wanted) this.table.put(row.key, value);
      for (const { key } of replaced) this.table.remove(key);
    });
    this.forget([...victims, ...replaced]);
    this.garbage = this.garbage.filter((row) => !garbage.includes(row));
    for (const { row } of wanted) this.enter(row, !isLast);
    if (place === 'taken') this.takenThrough = sequence;
    const present = [...kept, ...wanted.map(({ row }) => row)].filter((row) => !victims.includes(row));
    const isPresent = ({ event }: PlacedEvent): boolean => present.some(({ isLow }) => isLow === event.isLow);
    if (place === 'back') {
      const left = placed.filter(isPresent);
      const isOpen = left.length > 0 && left.length < SPOOL_SEQUENCE_EVENTS_MIN;
      const nextPlace = firstPlace + events.length;
      this.tail = isOpen ? { sequence, placed: left, nextPlace, rows: present } : undefined;
    }
    this.losses.counters.add('eventsSpooled', coming.filter(isPresent).length);
    this.reportDropped(dropped);
    this.tell();
    return present;
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
    if (this.tail !== undefined && this.tail.sequence <= this.takenThrough) this.tail = undefined;
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

  /** Of an earlier run; rows come in the order of their keys. */
  private findAgain(row: SpoolRow): void {
    const last = (row.isLow ? this.low : this.other).at(-1);
    if (last?.sequence === row.sequence) {
      this.forget([last]);
      this.garbage.push(last);
    }
    this.enter(row, false);
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
    if (this.tail?.rows.some((row) => gone.includes(row))) this.tail = undefined;
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

  /** Rows that must go so that the coming ones fit; of these, one of low value may go too. */
  private findVictims(coming: readonly EncodedRow[], replaced: readonly SpoolRow[], mayGo: boolean): SpoolRow[] {
    let over = this.byteCount - this.bytesMax;
    for (const { row } of coming) over += row.bytes;
    for (const { bytes } of replaced) over -= bytes;
    const victims: SpoolRow[] = [];
    if (over <= 0) return victims;
    const low = mayGo ? coming.map(({ row }) => row).filter(({ isLow }) => isLow) : [];
    for (const row of [...this.low, ...low, ...this.other]) {
      if (over <= 0) break;
      if (row.sequence <= this.takenThrough || replaced.includes(row)) continue;
      victims.push(row);
      over -= row.bytes;
    }
    return victims;
  }

  private countTypes(row: SpoolRow, coming: readonly EncodedRow[]): Record<string, number> {
    const value = coming.find((other) => other.row === row)?.value ?? this.readValue(row);
    const verified = verifyRow(row, value);
    return verified === undefined ? { unreadable: row.count } : readTypes(verified);
  }

  private reportDropped(dropped: readonly { types: Readonly<Record<string, number>> }[]): void {
    for (const { types } of dropped) {
      for (const [type, count] of Object.entries(types)) this.losses.drop(type, count, 'spool_full');
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
    this.losses.drop('unreadable', row.count, 'unreadable');
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

function encodeSome(sequence: number, isLow: boolean, placed: readonly PlacedEvent[]): EncodedRow[] {
  const some = placed.filter(({ event }) => event.isLow === isLow);
  return some.length === 0 ? [] : [encodeRow(sequence, isLow, some)];
}
