// What an outage of the log costs: counted by type for the metrics, and told in a few lines per outage, however many
// events it concerns.

import type { IoCounters } from '../memory/io-counters.js';

export class EventLosses {
  private readonly typeIndexes: ReadonlyMap<string, number>;
  private readonly dropped = new Map<string, number>();
  private readonly said = new Set<string>();

  constructor(
    names: readonly string[],
    readonly counters: IoCounters,
    readonly say: (line: string) => void,
  ) {
    this.typeIndexes = new Map(names.map((name, index) => [name, index]));
  }

  /** An earlier run may have known types that this one does not: those count in the sum alone. */
  drop(type: string, count: number): void {
    this.counters.add('eventsDropped', count);
    const index = this.typeIndexes.get(type);
    if (index !== undefined) this.counters.eventTypesDropped[index] += count;
    this.dropped.set(type, (this.dropped.get(type) ?? 0) + count);
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
}
