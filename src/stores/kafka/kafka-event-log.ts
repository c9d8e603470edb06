// The event log in Kafka. kafka-client.ts lists what is known of the library below and how it is kept in check.

import type { Admin, Producer } from 'kafkajs';
import { AppendOutbox, recordBytes } from '../append-outbox.js';
import { Backoff, pause, withDeadline } from '../deadline.js';
import { HealthRecord } from '../health-record.js';
import {
  CLOSE_GRACE_MS,
  KAFKA_BACKOFF_MS_MAX,
  KAFKA_BACKOFF_MS_MIN,
  LOG_WRITE_BYTES_MAX,
  LOG_WRITE_RECORDS_MAX,
  RECORDS_PER_PRODUCER_MAX,
} from '../limits.js';
import { PartitionCache } from '../partition.js';
import {
  type BackendHealth,
  type EventLog,
  type LogHandler,
  type LogRecord,
  type PartitionPosition,
  PersistError,
  type ReplayOptions,
  type SubscribeOptions,
  type Subscription,
  type TopicSpec,
} from '../store-ports.js';
import {
  askAgain,
  INNER_RETRY,
  isTooLarge,
  type KafkaEventLogOptions,
  type KafkaLimits,
  KafkaLink,
  prepareProcess,
  toPersistError,
} from './kafka-client.js';
import { KafkaConsumer, replayThrough } from './kafka-consumer.js';
import { kafkajs } from './kafka-library.js';

const { CompressionTypes } = kafkajs;

export function openKafkaEventLog(options: KafkaEventLogOptions): EventLog {
  prepareProcess();
  return new KafkaEventLog(options);
}

/** The broker turns whatever comes into what is read here. */
const RECOMPRESSED = { name: 'compression.type', value: 'gzip' };

interface ProducerHandle {
  link: KafkaLink;
  producer: Producer;
  recordsSent: number;
  /** 'topic/partition' of what the send under way goes to. */
  targets: Set<string>;
}

class KafkaEventLog implements EventLog {
  readonly #options: KafkaEventLogOptions;
  readonly #limits: KafkaLimits;
  readonly #health: HealthRecord;
  readonly #outbox = new AppendOutbox((lists) => this.#write(lists));
  readonly #backoff = new Backoff(KAFKA_BACKOFF_MS_MIN, KAFKA_BACKOFF_MS_MAX);
  readonly #closing = new AbortController();
  readonly #consumers = new Set<KafkaConsumer>();
  readonly #topicsWanted = new Map<string, TopicSpec>();
  #topicsMissing = false;
  #producer: ProducerHandle | undefined;

  constructor(options: KafkaEventLogOptions) {
    this.#options = options;
    this.#limits = {
      connectTimeoutMs: options.connectTimeoutMs ?? 3000,
      requestTimeoutMs: options.requestTimeoutMs ?? 5000,
      deadlineMs: options.deadlineMs ?? 20000,
      sessionTimeoutMs: options.sessionTimeoutMs ?? 15000,
    };
    this.#health = new HealthRecord('kafka', options.onNotice);
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    this.#requireOpen();
    for (const topic of topics) this.#topicsWanted.set(topic.name, topic);
    this.#topicsMissing = true;
    await this.#makeTopics();
  }

  append(records: readonly LogRecord[]): Promise<void> {
    return this.#outbox.append(records);
  }

  async subscribe(options: SubscribeOptions, handler: LogHandler): Promise<Subscription> {
    this.#requireOpen();
    const open = () => new KafkaLink(this.#options, this.#limits);
    const consumer = new KafkaConsumer(open, this.#limits, options, handler, this.#health);
    this.#consumers.add(consumer);
    return {
      stop: async () => {
        await consumer.stop();
        this.#consumers.delete(consumer);
      },
    };
  }

  async replay(options: ReplayOptions, handler: LogHandler): Promise<void> {
    this.#requireOpen();
    const positions = await this.#withAdmin('replay', (admin) => readStarts(admin, options));
    // A replay joins a group of its own, whose coordinator may be taking up its work. What was delivered is not repeated.
    const given = new AbortController();
    const signals = [this.#closing.signal, given.signal, AbortSignal.timeout(this.#limits.deadlineMs)];
    const deliver: LogHandler = (batch, signal) => {
      given.abort();
      return handler(batch, signal);
    };
    try {
      await askAgain(async () => {
        const link = new KafkaLink(this.#options, this.#limits);
        try {
          await replayThrough(link, this.#limits, positions, options, deliver);
        } finally {
          link.destroy();
        }
      }, AbortSignal.any(signals));
    } catch (error) {
      throw toPersistError(error, 'replay');
    }
  }

  positions(group: string, topics: readonly string[]): Promise<PartitionPosition[]> {
    return this.#withAdmin('positions', async (admin) => {
      const positions = await readOffsets(admin, topics);
      const committed = await admin.fetchOffsets({ groupId: group, topics: [...topics] });
      for (const position of positions) {
        const ofTopic = committed.find(({ topic }) => topic === position.topic);
        const found = ofTopic?.partitions.find(({ partition }) => partition === position.partition);
        position.committed = found ? Number(found.offset) : -1;
      }
      return positions;
    });
  }

  health(): BackendHealth {
    return this.#health.read();
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    await Promise.all([...this.#consumers].map((consumer) => consumer.stop()));
    await this.#outbox.close(CLOSE_GRACE_MS);
    this.#closing.abort();
    await this.#quit(this.#producer?.link, this.#producer?.producer);
  }

  // --- producer ---

  async #write(lists: readonly (readonly LogRecord[])[]): Promise<void> {
    let slice: LogRecord[] = [];
    let sliceBytes = 0;
    for (const records of lists) {
      for (const record of records) {
        const bytes = recordBytes(record);
        const isFull = slice.length >= LOG_WRITE_RECORDS_MAX || sliceBytes + bytes > LOG_WRITE_BYTES_MAX;
        if (slice.length > 0 && isFull) {
          await this.#sendSplit(slice);
          slice = [];
          sliceBytes = 0;
        }
        slice.push(record);
        sliceBytes += bytes;
      }
    }
    if (slice.length > 0) await this.#sendSplit(slice);
  }

  /** A broker may take less per batch than we send: then halves, down to the one record that is too large. */
  async #sendSplit(records: LogRecord[]): Promise<void> {
    try {
      await this.#send(records);
    } catch (error) {
      if (!(isTooLarge(error) && records.length > 1)) throw error;
      const middle = records.length >> 1;
      await this.#sendSplit(records.slice(0, middle));
      await this.#sendSplit(records.slice(middle));
    }
  }

  async #send(records: readonly LogRecord[]): Promise<void> {
    await pause(this.#backoff.pauseMs, this.#closing.signal);
    await this.#health.track(() => this.#sendNow(records));
  }

  async #sendNow(records: readonly LogRecord[]): Promise<void> {
    try {
      const handle = await this.#ensureProducer();
      handle.targets.clear();
      const sending = handle.producer.sendBatch({
        acks: -1,
        timeout: this.#limits.requestTimeoutMs,
        compression: this.#options.compression === 'none' ? CompressionTypes.None : CompressionTypes.GZIP,
        topicMessages: groupByTopic(records),
      });
      const answers = await withDeadline(sending, this.#limits.deadlineMs, 'send');
      for (const { topicName, partition } of answers) handle.targets.delete(`${topicName}/${partition}`);
      if (handle.targets.size > 0) {
        throw new PersistError('unavailable', `no answer for ${[...handle.targets].join(', ')}`);
      }
      handle.recordsSent += records.length;
      if (handle.recordsSent > RECORDS_PER_PRODUCER_MAX) this.#discardProducer();
      this.#backoff.succeeded();
    } catch (error) {
      this.#discardProducer();
      const failure = toPersistError(error, 'send');
      if (failure.kind !== 'rejected') this.#backoff.failed();
      throw failure;
    }
  }

  async #ensureProducer(): Promise<ProducerHandle> {
    if (this.#closing.signal.aborted) throw new PersistError('closed', 'the event log is closed');
    if (this.#topicsMissing) await this.#makeTopics();
    if (this.#producer) return this.#producer;
    const link = new KafkaLink(this.#options, this.#limits);
    const targets = new Set<string>();
    const partitions = new PartitionCache();
    const producer = link.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: INNER_RETRY,
      createPartitioner:
        () =>
        ({ topic, partitionMetadata, message }) => {
          const partition = partitions.find(message.key as string, partitionMetadata.length);
          targets.add(`${topic}/${partition}`);
          return partition;
        },
    });
    try {
      await withDeadline(producer.connect(), this.#limits.deadlineMs, 'connect');
    } catch (error) {
      link.destroy();
      throw error;
    }
    this.#producer = { link, producer, recordsSent: 0, targets };
    return this.#producer;
  }

  #discardProducer(): void {
    this.#producer?.link.destroy();
    this.#producer = undefined;
  }

  // --- admin ---

  async #makeTopics(): Promise<void> {
    const wanted = new Map(this.#topicsWanted);
    await this.#withAdmin('create topics', async (admin) => {
      const present = new Set(await admin.listTopics());
      const missing = [...wanted].filter(([topic]) => !present.has(topic));
      if (missing.length === 0) return;
      const replicationFactor = this.#options.replicationFactor ?? -1;
      await admin
        .createTopics({
          timeout: this.#limits.requestTimeoutMs,
          waitForLeaders: true,
          topics: missing.map(([topic, { partitions, isForAll }]) => ({
            topic,
            numPartitions: partitions,
            replicationFactor,
            ...(isForAll && { configEntries: [RECOMPRESSED] }),
          })),
        })
        // Another process may have made them meanwhile.
        .catch(async (error: unknown) => {
          const now = new Set(await admin.listTopics());
          if (missing.some(([topic]) => !now.has(topic))) throw error;
        });
    });
    this.#topicsMissing = wanted.size !== this.#topicsWanted.size;
  }

  /**
   * A client for each attempt: calls beside each other would end with the first that fails, and share its missing topics;
   * and what a broker says while it takes up a partition or a group is asked again with leaders read anew.
   */
  async #withAdmin<T>(what: string, action: (admin: Admin) => Promise<T>): Promise<T> {
    this.#requireOpen();
    const { signal } = this.#closing;
    const given = new AbortController();
    let link: KafkaLink | undefined;
    const destroy = (): void => link?.destroy();
    signal.addEventListener('abort', destroy);
    const ask = async (): Promise<T> => {
      destroy();
      link = new KafkaLink(this.#options, this.#limits);
      const admin = link.kafka.admin({ retry: INNER_RETRY });
      // What follows may take a healthy broker seconds, as making topics does; whether it answers shows here.
      await this.#health.track(() => withDeadline(admin.connect(), this.#limits.deadlineMs, 'connect'));
      return await action(admin);
    };
    try {
      const asking = askAgain(ask, AbortSignal.any([signal, given.signal]));
      return await withDeadline(asking, this.#limits.deadlineMs, what);
    } catch (error) {
      throw toPersistError(error, what);
    } finally {
      given.abort();
      signal.removeEventListener('abort', destroy);
      destroy();
    }
  }

  #requireOpen(): void {
    if (this.#closing.signal.aborted) throw new PersistError('closed', 'the event log is closed');
  }

  async #quit(link: KafkaLink | undefined, client: { disconnect(): Promise<void> } | undefined): Promise<void> {
    if (client) await withDeadline(client.disconnect(), this.#limits.connectTimeoutMs, 'disconnect').catch(() => {});
    link?.destroy();
  }
}

function groupByTopic(records: readonly LogRecord[]) {
  const byTopic = new Map<string, { key: string; value: Buffer; timestamp: string }[]>();
  for (const { topic, key, value, timestampMs } of records) {
    let messages = byTopic.get(topic);
    if (!messages) {
      messages = [];
      byTopic.set(topic, messages);
    }
    const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    // kafkajs asks for a text, and reckons with it: a number gives the same bytes and need not be parsed for each record.
    const timestamp = Math.trunc(timestampMs) as unknown as string;
    messages.push({ key, value: bytes, timestamp });
  }
  return [...byTopic].map(([topic, messages]) => ({ topic, messages }));
}

/** Each partition from where a replay begins in it. */
async function readStarts(admin: Admin, { topics, sinceMs }: ReplayOptions): Promise<PartitionPosition[]> {
  const positions = await readOffsets(admin, topics);
  if (sinceMs === undefined) return positions;
  // A time is a whole number to Kafka, and below 0 it would mean something else.
  const wholeMs = Math.max(0, Math.floor(sinceMs));
  for (const topic of topics) {
    // Where no record is of so late a time, kafkajs gives the end.
    for (const { partition, offset } of await admin.fetchTopicOffsetsByTimestamp(topic, wholeMs)) {
      const position = positions.find((other) => other.topic === topic && other.partition === partition);
      if (position) position.start = Math.max(position.start, Number(offset));
    }
  }
  return positions;
}

async function readOffsets(admin: Admin, topics: readonly string[]): Promise<PartitionPosition[]> {
  const positions: PartitionPosition[] = [];
  for (const topic of topics) {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      positions.push({ topic, partition, start: Number(low), end: Number(high), committed: -1 });
    }
  }
  return positions.sort((a, b) => topics.indexOf(a.topic) - topics.indexOf(b.topic) || a.partition - b.partition);
}
