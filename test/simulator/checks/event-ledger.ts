// Every event that a zone has made readable, by its id, with the bytes that the log is to have.

import { unpack } from 'msgpackr';
import { type EventContext, formEvent } from '../../../src/durability/events/event-form.js';
import { RecordRing } from '../../../src/memory/rings/record-ring.js';
import { RING_OFFSET } from '../../../src/memory/rings/ring-layout.js';
import type { LogRecord } from '../../../src/stores/store-ports.js';
import { Violation } from './violation.js';

export interface KnownEvent {
  record: LogRecord;
  zone: number;
  /** By zone: where it stands among all that the zone published. */
  place: number;
  publishedMs: number;
}

export function contentOf({ topic, key, value }: Pick<LogRecord, 'topic' | 'key' | 'value'>): string {
  return `${topic} ${key} ${Buffer.from(value).toString('latin1')}`;
}

export function eventIdOf(value: Uint8Array): string {
  return (unpack(value) as { eventId: string }).eventId;
}

export class EventLedger {
  /** Of all processes of a run. */
  constructor(
    readonly known: Map<string, KnownEvent>,
    private readonly possible: Set<string>,
    buffers: readonly SharedArrayBuffer[],
    private readonly context: EventContext,
    private readonly now: () => number,
  ) {
    this.rings = buffers.map((buffer) => new RecordRing(buffer));
    this.noted = this.rings.map((ring) => ring.written());
    this.owed = [...this.noted];
  }

  private readonly rings: readonly RecordRing[];
  /** By zone: how far its publications are known. */
  private readonly noted: number[];
  /** By zone: how far its ring was claimed at its last commit. */
  private readonly owed: number[];

  publishing(zone: number, publish: () => void): void {
    publish();
    this.note(zone);
  }

  committed(zone: number, claimed: number): void {
    this.owed[zone] = claimed;
  }

  /** A successor has begun: it has published whatever its predecessor had committed. */
  tookOver(zone: number): void {
    this.note(zone);
    const missing = (this.owed[zone] - this.noted[zone]) | 0;
    if (missing > 0) throw new Violation('events of a committed tick are published', `${missing} of zone ${zone}`);
  }

  private note(zone: number): void {
    const before = this.noted[zone];
    const written = this.rings[zone].written();
    this.noted[zone] = written;
    const count = (written - before) | 0;
    for (let i = 0; i < count; i++) {
      const record = this.form(zone, before + i);
      const id = eventIdOf(record.value);
      if (this.known.has(id)) throw new Violation('event ids are unique', `${id} is published twice`);
      this.known.set(id, { record, zone, place: this.known.size, publishedMs: this.now() });
    }
  }

  /** Written down in the journal: a recovery may bring these forth, whether they were published or not. */
  journaling(ring: RecordRing, zone: number): void {
    const before = ring.written();
    const count = (ring.claimedCount() - before) | 0;
    for (let i = 0; i < count; i++) {
      const record = this.form(zone, before + i);
      this.possible.add(contentOf(record));
    }
  }

  private form(zone: number, index: number): LogRecord {
    const ring = this.rings[zone];
    return formEvent(ring.view, RING_OFFSET + (index & (ring.capacity - 1)) * ring.recordBytes, this.context);
  }

  /** Ids that are readable and not yet read. */
  inRings(): Set<string> {
    const ids = new Set<string>();
    for (const ring of this.rings) {
      const head = ring.consumed();
      const count = (ring.written() - head) | 0;
      for (let i = 0; i < count; i++) {
        const offset = RING_OFFSET + ((head + i) & (ring.capacity - 1)) * ring.recordBytes;
        ids.add(eventIdOf(formEvent(ring.view, offset, this.context).value));
      }
    }
    return ids;
  }
}
