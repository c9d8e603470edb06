// The event log in the embedded database. Writers of several threads and processes may append to one log: offsets are
// given out inside of the write, where there is one writer at a time. An append is acknowledged when it is on the disk.

import { wallMs } from '../../base/clock.js';
import { AppendOutbox, recordBytes } from '../append-outbox.js';
import { HealthRecord } from '../health-record.js';
import { CLOSE_GRACE_MS, LOG_PARTITIONS_MAX, LOG_WRITE_BYTES_MAX, TRIM_CHUNKS_MAX } from '../limits.js';
import { PartitionCache } from '../partition.js';
import {
  type BackendHealth,
  type EventLog,
  type LogHandler,
  type LogRecord,
  type NoticeListener,
  type PartitionPosition,
  PersistError,
  type ReplayOptions,
  type SubscribeOptions,
  type Subscription,
  type TopicSpec,
} from '../store-ports.js';
import { EmbeddedConsumer } from './embedded-consumer.js';
import { findOffsetSince, PartitionReader } from './embedded-reader.js';
import { EmbeddedStore } from './embedded-store.js';
import { encodeChunk, readChunkOffset, readChunkTime, writeChunkKey } from './log-chunk.js';
import { type EmbeddedTopic, LogTables } from './log-tables.js';

interface EmbeddedEventLogOptions {
  folder: string;
  /** Chunks go when they are older, or when their partition is larger. Defaults: 7 days, 1 GiB. */
  retentionMs?: number;
  retentionBytes?: number;
  /** How often retention looks. */
  retentionEveryMs?: number;
  /** A member of a group that shows no life for this long loses its topics to another. */
  leaseMs?: number;
  onNotice?: NoticeListener;
}

export function openEmbeddedEventLog(options: EmbeddedEventLogOptions): EventLog {
  return new EmbeddedEventLog(options);
}

class EmbeddedEventLog implements EventLog {
  readonly #store: EmbeddedStore;
  readonly #tables: LogTables;
  readonly #health: HealthRecord;
  readonly #outbox = new AppendOutbox((lists) => this.#write(lists));
  readonly #consumers = new Set<EmbeddedConsumer>();
  readonly #partitionCache = new PartitionCache();
  /** Asked for and not made yet. */
  #topicsWanted: TopicSpec[] = [];
  readonly #retentionMs: number;
  readonly #retentionBytes: number;
  readonly #retentionTimer: NodeJS.Timeout;
  readonly #leaseMs: number;
  #trimming = false;
  #closed = false;

  constructor(options: EmbeddedEventLogOptions) {
    this.#store = new EmbeddedStore(options.folder);
    this.#tables = new LogTables(this.#store);
    this.#health = new HealthRecord('embedded log', options.onNotice);
    this.#retentionMs = options.retentionMs ?? 7 * 24 * 3600 * 1000;
    this.#retentionBytes = options.retentionBytes ?? 2 ** 30;
    this.#leaseMs = options.leaseMs ?? 5000;
    this.#retentionTimer = setInterval(() => void this.#trim(), options.retentionEveryMs ?? 30000);
    this.#retentionTimer.unref();
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    for (const { name, partitions } of topics) {
      if (!/^[a-zA-Z0-9._-]{1,249}$/.test(name)) throw new PersistError('rejected', `'${name}' is no name for a topic`);
      if (!(Number.isInteger(partitions) && partitions > 0 && partitions <= LOG_PARTITIONS_MAX)) {
        throw new PersistError(
          'rejected',
          `topic ${name}: ${partitions} partitions, 1 to ${LOG_PARTITIONS_MAX} can be`,
        );
      }
    }
    this.#topicsWanted.push(...topics.filter(({ name }) => !this.#tables.findTopic(name)));
    await this.#makeTopics();
  }

  async #makeTopics(): Promise<void> {
    if (this.#topicsWanted.length === 0) return;
    const wanted = this.#topicsWanted;
    try {
      await this.#health.track(() =>
        this.#store.write(() => {
          for (const topic of wanted) this.#tables.addTopic(topic);
        }),
      );
    } catch (error) {
      // What will be refused again is not asked for again.
      if (error instanceof PersistError && !error.retriable) this.#forgetWanted(wanted);
      throw error;
    }
    this.#forgetWanted(wanted);
  }

  #forgetWanted(topics: readonly TopicSpec[]): void {
    this.#topicsWanted = this.#topicsWanted.filter((topic) => !topics.includes(topic));
  }

  append(records: readonly LogRecord[]): Promise<void> {
    return this.#outbox.append(records);
  }

  async subscribe(options: SubscribeOptions, handler: LogHandler): Promise<Subscription> {
    if (this.#closed) throw new PersistError('closed', 'the event log is closed');
    await this.#makeTopics().catch(() => {}); // told by the call that asked for them
    const consumer = new EmbeddedConsumer(this.#tables, options, handler, this.#leaseMs, this.#health);
    this.#consumers.add(consumer);
    return {
      stop: async () => {
        await consumer.stop();
        this.#consumers.delete(consumer);
      },
    };
  }

  async replay(options: ReplayOptions, handler: LogHandler): Promise<void> {
    const { topics, from, sinceMs, batchRecordsMax, signal = new AbortController().signal } = options;
    for (const name of topics) {
      if (signal.aborted) return;
      const topic = this.#requireTopic(name);
      for (let partition = 0; partition < topic.partitions; partition++) {
        // The search for where a partition begins can be long, and the log may be closed by now.
        if (signal.aborted) return;
        const { end } = this.#tables.readPartition(topic, partition);
        const since = sinceMs === undefined ? 0 : findOffsetSince(this.#tables, topic, partition, sinceMs);
        const first = Math.max(since, from?.(name, partition) ?? 0);
        const reader = new PartitionReader(this.#tables, topic, partition, first, this.#health);
        while (reader.nextOffset < end && !signal.aborted) {
          const entries = reader.read(batchRecordsMax).filter(({ offset }) => offset < end);
          if (entries.length > 0) await handler({ topic: name, partition, entries }, signal);
        }
      }
    }
  }

  async positions(group: string, topics: readonly string[]): Promise<PartitionPosition[]> {
    return topics.flatMap((name) => {
      const topic = this.#requireTopic(name);
      return Array.from({ length: topic.partitions }, (_, partition) => {
        const { start, end } = this.#tables.readPartition(topic, partition);
        const committed = this.#tables.readCommitted(group, topic, partition);
        return { topic: name, partition, start, end, committed };
      });
    });
  }

  health(): BackendHealth {
    return this.#health.read();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#retentionTimer);
    await Promise.all([...this.#consumers].map((consumer) => consumer.stop()));
    await this.#outbox.close(CLOSE_GRACE_MS);
    await this.#store.close();
  }

  async #write(lists: readonly (readonly LogRecord[])[]): Promise<void> {
    await this.#makeTopics();
    const groups = this.#groupByPartition(lists);
    const nowMs = wallMs();
    const chunks = groups.map((group) => ({ ...group, bytes: encodeChunk(group.records, nowMs) }));
    await this.#health.track(() =>
      this.#store.write(() => {
        for (const { topic, partition, records, bytes } of chunks) {
          const state = this.#tables.readPartition(topic, partition);
          this.#tables.chunks.put(writeChunkKey(topic.id, partition, state.end), bytes);
          state.end += records.length;
          state.bytes += bytes.length;
          this.#tables.writePartition(topic, partition, state);
        }
      }),
    );
    for (const consumer of this.#consumers) consumer.wake();
  }

  /** Chunks of at most LOG_WRITE_BYTES_MAX, each of one partition, in the order of the records. */
  #groupByPartition(lists: readonly (readonly LogRecord[])[]) {
    interface Group {
      topic: EmbeddedTopic;
      partition: number;
      records: LogRecord[];
      bytes: number;
    }
    const groups: Group[] = [];
    const openGroups = new Map<string, Group[]>();
    for (const records of lists) {
      for (const record of records) {
        const topic = this.#requireTopic(record.topic);
        const partition = this.#partitionCache.find(record.key, topic.partitions);
        const ofTopic = openGroups.get(record.topic) ?? [];
        openGroups.set(record.topic, ofTopic);
        let group = ofTopic[partition];
        const bytes = recordBytes(record);
        if (!group || group.bytes + bytes > LOG_WRITE_BYTES_MAX) {
          group = { topic, partition, records: [], bytes: 0 };
          ofTopic[partition] = group;
          groups.push(group);
        }
        group.records.push(record);
        group.bytes += bytes;
      }
    }
    return groups;
  }

  #requireTopic(name: string): EmbeddedTopic {
    const topic = this.#tables.findTopic(name);
    // Another process may be about to make it.
    if (!topic) throw new PersistError('unavailable', `there is no topic ${name}`);
    return topic;
  }

  async #trim(): Promise<void> {
    if (this.#trimming || this.#closed) return;
    this.#trimming = true;
    await this.#makeTopics().catch(() => {});
    try {
      for (const topic of this.#tables.topics()) {
        for (let partition = 0; partition < topic.partitions; partition++) await this.#trimPartition(topic, partition);
      }
    } catch (error) {
      if (!this.#closed) this.#health.notice(`retention: ${(error as Error).message}`);
    } finally {
      this.#trimming = false;
    }
  }

  async #trimPartition(topic: EmbeddedTopic, partition: number): Promise<void> {
    while (!this.#closed && this.#findExpired(topic, partition).length > 0) {
      await this.#store.write(() => {
        const state = this.#tables.readPartition(topic, partition);
        for (const { key, start, bytes } of this.#findExpired(topic, partition)) {
          this.#tables.chunks.remove(key);
          state.start = start;
          state.bytes -= bytes;
        }
        this.#tables.writePartition(topic, partition, state);
      });
    }
  }

  /** The oldest chunks, as far as they are too old or too much; the newest one always stays. */
  #findExpired(topic: EmbeddedTopic, partition: number): { key: Buffer; start: number; bytes: number }[] {
    let { bytes } = this.#tables.readPartition(topic, partition);
    const oldestMs = wallMs() - this.#retentionMs;
    const expired: { key: Buffer; start: number; bytes: number }[] = [];
    let candidate: { key: Buffer; bytes: number } | undefined;
    const range = { start: writeChunkKey(topic.id, partition, 0), limit: writeChunkKey(topic.id, partition + 1, 0) };
    for (const { key, value } of this.#tables.chunks.rows({ ...range, rowsMax: TRIM_CHUNKS_MAX })) {
      // A chunk goes only when there is one behind it, which says where the log begins from then on.
      if (candidate) expired.push({ ...candidate, start: readChunkOffset(key) });
      if (bytes <= this.#retentionBytes && readChunkTime(value) >= oldestMs) break;
      candidate = { key: Buffer.from(key), bytes: value.length };
      bytes -= value.length;
    }
    return expired;
  }
}
