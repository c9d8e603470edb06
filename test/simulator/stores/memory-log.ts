// The event log in memory: topics, partitions, offsets and groups outlive the simulated process. The queue in front of it
// is the product's.

import { AppendOutbox } from '../../../src/stores/append-outbox.js';
import { CLOSE_GRACE_MS, LOG_BATCH_RECORDS_MAX } from '../../../src/stores/limits.js';
import { partitionOf } from '../../../src/stores/partition.js';
import {
  type EventLog,
  type LogEntry,
  type LogHandler,
  type LogRecord,
  type PartitionPosition,
  PersistError,
  type ReplayOptions,
  type SubscribeOptions,
  type Subscription,
  type TopicSpec,
} from '../../../src/stores/store-ports.js';
import type { Line } from '../weather.js';

const POLL_MS = 10;
const RETRY_MS = 20;

interface Group {
  /** By partition; -1: nothing is committed. */
  committed: number[];
  member: Member | undefined;
}

export class LogDisk {
  readonly topics = new Map<string, LogEntry[][]>();
  private readonly groups = new Map<string, Group>();

  append(lists: readonly (readonly LogRecord[])[]): void {
    const records = lists.flat();
    for (const { topic } of records) this.require(topic);
    for (const { topic, key, value, timestampMs } of records) {
      const partitions = this.require(topic);
      const entries = partitions[partitionOf(Buffer.from(key), partitions.length)];
      entries.push({ offset: entries.length, key, value: Uint8Array.from(value), timestampMs });
    }
  }

  require(topic: string): LogEntry[][] {
    const partitions = this.topics.get(topic);
    if (partitions === undefined) throw new PersistError('unavailable', `there is no topic ${topic}`);
    return partitions;
  }

  group(name: string, topic: string): Group {
    const id = `${name} ${topic}`;
    const group = this.groups.get(id) ?? { committed: this.require(topic).map(() => -1), member: undefined };
    this.groups.set(id, group);
    return group;
  }
}

export class MemoryEventLog implements EventLog {
  private readonly outbox: AppendOutbox;
  private readonly members = new Set<Member>();
  private isClosed = false;

  constructor(
    private readonly disk: LogDisk,
    private readonly line: Line,
  ) {
    this.outbox = new AppendOutbox((lists) => line.call({ name: 'append', apply: () => disk.append(lists) }));
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    const make = (): void => {
      for (const { name, partitions } of topics) {
        if (!this.disk.topics.has(name))
          this.disk.topics.set(
            name,
            Array.from({ length: partitions }, () => []),
          );
      }
    };
    try {
      await this.line.call({ name: 'createTopics', apply: make });
    } catch (error) {
      void this.createLater(make); // a rejected call is remembered
      throw error;
    }
  }

  private async createLater(make: () => void): Promise<void> {
    for (let isDone = false; !isDone && !this.isClosed; ) {
      await this.line.wait(RETRY_MS);
      isDone = await this.line.call({ name: 'createTopics', apply: make }).then(
        () => true,
        () => false,
      );
    }
  }

  append(records: readonly LogRecord[]): Promise<void> {
    return this.outbox.append(records);
  }

  async subscribe(options: SubscribeOptions, handler: LogHandler): Promise<Subscription> {
    const member = new Member(this.disk, this.line, options, handler);
    this.members.add(member);
    return { stop: () => member.stop() };
  }

  async replay(options: ReplayOptions, handler: LogHandler): Promise<void> {
    const { topics, from, sinceMs, batchRecordsMax, signal = new AbortController().signal } = options;
    const most = batchRecordsMax ?? LOG_BATCH_RECORDS_MAX;
    for (const topic of topics) {
      for (const [partition, kept] of this.disk.require(topic).entries()) {
        const end = kept.length;
        const since = kept.findIndex(({ timestampMs }) => timestampMs >= (sinceMs ?? Number.NEGATIVE_INFINITY));
        const first = since < 0 ? end : Math.max(since, from?.(topic, partition) ?? 0);
        for (let at = first; at < end && !signal.aborted; at += most) {
          await handler({ topic, partition, entries: kept.slice(at, Math.min(end, at + most)) }, signal);
        }
      }
    }
  }

  async positions(group: string, topics: readonly string[]): Promise<PartitionPosition[]> {
    return topics.flatMap((topic) => {
      const { committed } = this.disk.group(group, topic);
      return this.disk.require(topic).map((entries, partition) => {
        return { topic, partition, start: 0, end: entries.length, committed: committed[partition] };
      });
    });
  }

  health() {
    return this.line.health();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all([...this.members].map((member) => member.stop()));
    await this.outbox.close(CLOSE_GRACE_MS, this.line);
  }
}

/** One member of a group, which has all partitions of its topics, or stands by until who has them is gone. */
class Member {
  private readonly stopping = new AbortController();
  private readonly loops: Promise<void>[];

  constructor(
    private readonly disk: LogDisk,
    private readonly line: Line,
    private readonly options: SubscribeOptions,
    private readonly handler: LogHandler,
  ) {
    this.loops = options.topics.map((topic) => this.run(topic));
  }

  get isGone(): boolean {
    return !this.line.isAlive();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.loops);
  }

  private async run(topic: string): Promise<void> {
    let next: number[] | undefined;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const group = this.disk.topics.has(topic) ? this.disk.group(this.options.group, topic) : undefined;
      if (group !== undefined && (group.member === undefined || group.member.isGone || group.member === this)) {
        group.member = this;
        next ??= this.begin(topic, group);
        if ((await this.deliver(topic, group, next)) > 0) continue;
      }
      await this.line.wait(POLL_MS);
    }
    const group = this.disk.topics.has(topic) ? this.disk.group(this.options.group, topic) : undefined;
    if (group?.member === this) group.member = undefined;
  }

  private begin(topic: string, { committed }: Group): number[] {
    const partitions = this.disk.require(topic);
    return committed.map((offset, partition) => {
      if (offset >= 0) return offset;
      return this.options.from === 'latest' ? partitions[partition].length : 0;
    });
  }

  private async deliver(topic: string, group: Group, next: number[]): Promise<number> {
    const { signal } = this.stopping;
    let count = 0;
    for (const [partition, kept] of this.disk.require(topic).entries()) {
      const from = next[partition];
      const entries = kept.slice(from, from + (this.options.batchRecordsMax ?? LOG_BATCH_RECORDS_MAX));
      while (entries.length > 0 && !signal.aborted) {
        try {
          await this.handler({ topic, partition, entries }, signal);
          next[partition] = from + entries.length;
          group.committed[partition] = next[partition];
          count += entries.length;
          break;
        } catch {
          if (!signal.aborted) await this.line.wait(RETRY_MS); // delivered again
        }
      }
    }
    return count;
  }
}
