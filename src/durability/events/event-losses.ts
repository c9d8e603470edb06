// What an outage of the log costs: counted by type for the metrics, and told in a few lines per outage, however many
// events it concerns.

import type { EventLossReason, IoCounters } from '../../memory/tables/io-counters.js';
import { parseTrusted } from '../../protocol/plain/plain-codec.js';
import type { LogRecord } from '../../stores/store-ports.js';
import type { EventRecord } from './event-form.js';

export class EventLosses {
  private readonly typeIndexes: ReadonlyMap<string, number>;
  private readonly dropped = new Map<string, number>();
  private readonly said = new Set<string>();
  private readonly refused = new Set<string>();

  constructor(
    names: readonly string[],
    readonly counters: IoCounters,
    readonly say: (line: string) => void,
  ) {
    this.typeIndexes = new Map(names.map((name, index) => [name, index]));
  }

  /** An earlier run may have known types that this one does not: those count in the sum alone. */
  drop(type: string, count: number, reason: EventLossReason): void {
    this.count(type, count, reason);
    this.dropped.set(type, (this.dropped.get(type) ?? 0) + count);
  }

  /** What the log will never take: no outage's doing, and told once per type. */
  refuse(record: LogRecord, reason: Error): void {
    const type = typeOf(record);
    this.counters.add('eventsRefused', 1);
    this.count(type, 1, 'refused');
    if (this.refused.has(type)) return;
    this.refused.add(type);
    this.say(`the event log refuses an event '${type}' for good, such are left out and counted: ${reason.message}`);
  }

  /** Once per subject and outage. */
  sayOnce(subject: string, line: string): void {
    if (!this.said.has(subject)) {
      this.said.add(subject);
      this.say(line);
    }
  }

  /** The end of an outage: what was dropped since the last one, for people, and a new count. */
  close(): string {
    const counts = [...this.dropped].map(([type, count]) => `${count} ${type}`);
    this.dropped.clear();
    this.said.clear();
    return counts.length === 0 ? 'none were dropped' : `dropped: ${counts.join(', ')}`;
  }

  private count(type: string, count: number, reason: EventLossReason): void {
    this.counters.addLoss(reason, count);
    this.counters.add('eventsDropped', count);
    const index = this.typeIndexes.get(type);
    if (index !== undefined) this.counters.eventTypesDropped[index] += count;
  }
}

/** What comes from the spool carries its type in its bytes alone. */
function typeOf(record: LogRecord | EventRecord): string {
  if ('type' in record) return record.type;
  return (parseTrusted('msgpack', record.value) as { type: string }).type;
}
