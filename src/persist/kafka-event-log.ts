// The event log in Kafka, through kafkajs 2.2.4. The one file that imports it: a move to another client is a new version
// of this file. Its known traps, and where each is guarded:
//
//  trap                                                         guard
//  several sends in flight can end up in the wrong order        AppendOutbox: one write at a time, one producer
//  a send that failed may have been written; the next batch     a producer that failed once is discarded, with its ids
//  under the same sequence numbers is then taken for a copy     and sequence numbers (#discardProducer)
//  and dropped, with success reported
//  a discarded client goes on retrying and reconnects           KafkaLink owns its sockets and refuses new ones
//  a retry gives a message without a key another partition      keys are required, partitionOf() decides
//  records of a partition that the metadata lacks vanish        every partition sent must be in the answer (#send)
//  requests without an answer wait for ever                     enforceRequestTimeout, and a deadline around each call
//  disconnect() waits for requests that get no answer           bounded, then the sockets are destroyed
//  errors say "not retriable" when the retries are used up      judged by the cause (toPersistError)
//  a batch above the broker's limit fails as a whole            split in halves (#sendSplit)
//  consumers crash for good, or stall without a word            KafkaConsumer watches activity and starts anew
//  no backpressure, no linger                                   AppendOutbox bounds and joins
//  gzip at level 6 on the way                                   level 1, on libuv's threads
//  TimeoutNegativeWarning on newer Node                         that name is filtered when kafkajs is the source

import { randomUUID } from 'node:crypto';
import * as net from 'node:net';
import * as tls from 'node:tls';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import kafkajs, {
  type Admin,
  type Consumer,
  type EachBatchPayload,
  type ISocketFactory,
  type KafkaConfig,
  type Producer,
} from 'kafkajs';
import { CLOSE_GRACE_MS, LOG_BATCH_RECORDS_MAX, LOG_WRITE_BYTES_MAX } from '../constants.js';
import { AppendOutbox, recordBytes } from './append-outbox.js';
import { Backoff, HealthRecord, pause, withDeadline } from './deadline.js';
import { partitionOf } from './partition.js';
import {
  type BackendHealth,
  type EventLog,
  type LogBatch,
  type LogEntry,
  type LogHandler,
  type LogRecord,
  type NoticeListener,
  type PartitionPosition,
  PersistError,
  type PersistErrorKind,
  type ReplayOptions,
  type SubscribeOptions,
  type Subscription,
  type TopicSpec,
} from './ports.js';

const { CompressionCodecs, CompressionTypes, Kafka } = kafkajs;

/** Sequence numbers are 32 bits and kafkajs wraps them wrongly: a producer is replaced long before. */
const RECORDS_PER_PRODUCER_MAX = 2 ** 29;
const GZIP_LEVEL = 1;
const BACKOFF_MS_MIN = 100;
const BACKOFF_MS_MAX = 5000;
/** kafkajs's own retries inside of one call; ours are around it, with a new client. */
const INNER_RETRY = { initialRetryTime: 100, multiplier: 2, maxRetryTime: 1000, retries: 3 };
const FETCH_WAIT_MS = 500;
const PARTITIONS_AT_A_TIME = 3;

export interface KafkaEventLogOptions {
  brokers: readonly string[];
  clientId?: string;
  ssl?: NonNullable<KafkaConfig['ssl']>;
  sasl?: NonNullable<KafkaConfig['sasl']>;
  compression?: 'gzip' | 'none';
  /** Of topics that are made here; default: the broker's. */
  replicationFactor?: number;
  connectTimeoutMs?: number;
  /** One request to a broker. */
  requestTimeoutMs?: number;
  /** One call of ours, with all retries inside. */
  deadlineMs?: number;
  /** A member of a group that shows no life for this long loses its partitions to the others. */
  sessionTimeoutMs?: number;
  onNotice?: NoticeListener;
}

interface Limits {
  connectTimeoutMs: number;
  requestTimeoutMs: number;
  deadlineMs: number;
  sessionTimeoutMs: number;
}

/** One client of kafkajs whose sockets are ours: destroyed, it cannot write a byte any more. */
class KafkaLink {
  readonly kafka: kafkajs.Kafka;
  readonly #sockets = new Set<net.Socket>();
  #destroyed = false;

  constructor(options: KafkaEventLogOptions, limits: Limits) {
    const { ssl, sasl } = options;
    this.kafka = new Kafka({
      brokers: [...options.brokers],
      clientId: options.clientId ?? 'tessera',
      ...(ssl ? { ssl } : {}),
      ...(sasl ? { sasl } : {}),
      connectionTimeout: limits.connectTimeoutMs,
      authenticationTimeout: limits.connectTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      enforceRequestTimeout: true,
      retry: INNER_RETRY,
      socketFactory: this.#openSocket,
      // Failures are reported where their consequence is known.
      logCreator: () => () => {},
    });
  }

  readonly #openSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    if (this.#destroyed) throw new Error('this client was discarded');
    const socket = ssl
      ? tls.connect({ host, port, ...(net.isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
      : net.connect({ host, port }, onConnect);
    socket.setKeepAlive(true, 10000);
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  };

  destroy(): void {
    this.#destroyed = true;
    for (const socket of this.#sockets) socket.destroy(new Error('this client was discarded'));
  }
}

export function openKafkaEventLog(options: KafkaEventLogOptions): EventLog {
  filterTimerWarnings();
  useFastGzip();
  return new KafkaEventLog(options);
}

interface ProducerHandle {
  link: KafkaLink;
  producer: Producer;
  recordsSent: number;
  /** 'topic/partition' of what the send under way goes to. */
  targets: Set<string>;
}

class KafkaEventLog implements EventLog {
  readonly #options: KafkaEventLogOptions;
  readonly #limits: Limits;
  readonly #health: HealthRecord;
  readonly #outbox = new AppendOutbox((lists) => this.#write(lists));
  readonly #backoff = new Backoff(BACKOFF_MS_MIN, BACKOFF_MS_MAX);
  readonly #closing = new AbortController();
  readonly #consumers = new Set<KafkaConsumer>();
  readonly #topicsWanted = new Map<string, number>();
  #topicsMissing = false;
  #producer: ProducerHandle | undefined;
  #admin: { link: KafkaLink; admin: Admin } | undefined;

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
    for (const { name, partitions } of topics) this.#topicsWanted.set(name, partitions);
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
    const positions = await this.#withAdmin('replay', (admin) => readOffsets(admin, options.topics));
    const link = new KafkaLink(this.#options, this.#limits);
    try {
      await replayThrough(link, this.#limits, positions, options, handler);
    } catch (error) {
      throw toPersistError(error, 'replay');
    } finally {
      link.destroy();
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
    await this.#quit(this.#admin?.link, this.#admin?.admin);
  }

  // --- producer ---

  async #write(lists: readonly (readonly LogRecord[])[]): Promise<void> {
    let slice: LogRecord[] = [];
    let sliceBytes = 0;
    for (const records of lists) {
      for (const record of records) {
        const bytes = recordBytes(record);
        if (slice.length > 0 && sliceBytes + bytes > LOG_WRITE_BYTES_MAX) {
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
      this.#health.succeeded();
    } catch (error) {
      this.#discardProducer();
      const failure = toPersistError(error, 'send');
      if (failure.kind !== 'rejected') {
        this.#backoff.failed();
        this.#health.failed(failure);
      }
      throw failure;
    }
  }

  async #ensureProducer(): Promise<ProducerHandle> {
    if (this.#closing.signal.aborted) throw new PersistError('closed', 'the event log is closed');
    if (this.#topicsMissing) await this.#makeTopics();
    if (this.#producer) return this.#producer;
    const link = new KafkaLink(this.#options, this.#limits);
    const targets = new Set<string>();
    const producer = link.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: INNER_RETRY,
      createPartitioner:
        () =>
        ({ topic, partitionMetadata, message }) => {
          const partition = partitionOf(message.key as Buffer, partitionMetadata.length);
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
          topics: missing.map(([topic, numPartitions]) => ({ topic, numPartitions, replicationFactor })),
        })
        // Another process may have made them meanwhile.
        .catch(async (error: unknown) => {
          const now = new Set(await admin.listTopics());
          if (missing.some(([topic]) => !now.has(topic))) throw error;
        });
    });
    this.#topicsMissing = wanted.size !== this.#topicsWanted.size;
  }

  async #withAdmin<T>(what: string, action: (admin: Admin) => Promise<T>): Promise<T> {
    this.#requireOpen();
    try {
      if (!this.#admin) {
        const link = new KafkaLink(this.#options, this.#limits);
        this.#admin = { link, admin: link.kafka.admin({ retry: INNER_RETRY }) };
        await withDeadline(this.#admin.admin.connect(), this.#limits.deadlineMs, 'connect');
      }
      return await withDeadline(action(this.#admin.admin), this.#limits.deadlineMs, what);
    } catch (error) {
      this.#admin?.link.destroy();
      this.#admin = undefined;
      throw toPersistError(error, what);
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
  const byTopic = new Map<string, { key: Buffer; value: Buffer; timestamp: string }[]>();
  for (const { topic, key, value, timestampMs } of records) {
    let messages = byTopic.get(topic);
    if (!messages) {
      messages = [];
      byTopic.set(topic, messages);
    }
    messages.push({
      key: Buffer.from(key),
      value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
      timestamp: String(Math.trunc(timestampMs)),
    });
  }
  return [...byTopic].map(([topic, messages]) => ({ topic, messages }));
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

function toEntries(payload: EachBatchPayload): LogEntry[] {
  return payload.batch.messages.map(({ offset, key, value, timestamp }) => ({
    offset: Number(offset),
    key: key?.toString() ?? '',
    value: value ?? new Uint8Array(0),
    timestampMs: Number(timestamp),
  }));
}

/** Reads each partition from its start to the end in `positions`, as a group of its own that commits nothing. */
async function replayThrough(
  link: KafkaLink,
  limits: Limits,
  positions: readonly PartitionPosition[],
  { topics, from, batchRecordsMax = LOG_BATCH_RECORDS_MAX }: ReplayOptions,
  handler: LogHandler,
): Promise<void> {
  const ends = new Map<string, number>();
  const starts: { topic: string; partition: number; offset: string }[] = [];
  for (const { topic, partition, start, end } of positions) {
    const first = Math.max(start, from?.(topic, partition) ?? 0);
    if (first >= end) continue;
    ends.set(`${topic}/${partition}`, end);
    starts.push({ topic, partition, offset: String(first) });
  }
  if (starts.length === 0) return;

  const done = new AbortController();
  const stall = new StallTimer(limits.sessionTimeoutMs + limits.deadlineMs);
  const groupId = `tessera-replay-${randomUUID()}`;
  const consumer = openConsumer(link, groupId, limits);
  const finished = new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    stall.onStall = () => reject(new PersistError('timeout', 'replay: nothing was read for too long'));
    const eachBatch = async (payload: EachBatchPayload) => {
      const { topic, partition } = payload.batch;
      const end = ends.get(`${topic}/${partition}`);
      if (end === undefined) return;
      const entries = toEntries(payload).filter(({ offset }) => offset < end);
      for (let i = 0; i < entries.length && !done.signal.aborted; i += batchRecordsMax) {
        stall.touch();
        await payload.heartbeat();
        await handler({ topic, partition, entries: entries.slice(i, i + batchRecordsMax) }, done.signal).catch(reject);
      }
      if (Number(payload.batch.lastOffset()) + 1 >= end) ends.delete(`${topic}/${partition}`);
      if (ends.size === 0) resolve();
    };
    const run = async () => {
      await consumer.connect();
      await consumer.subscribe({ topics: [...topics], fromBeginning: true });
      await consumer.run({ autoCommit: false, eachBatch });
      for (const start of starts) consumer.seek(start);
    };
    run().catch(reject);
  });
  try {
    await finished;
  } finally {
    stall.stop();
    done.abort();
    await withDeadline(consumer.disconnect(), limits.connectTimeoutMs, 'disconnect').catch(() => {});
  }
}

function openConsumer(link: KafkaLink, groupId: string, limits: Limits): Consumer {
  return link.kafka.consumer({
    groupId,
    sessionTimeout: limits.sessionTimeoutMs,
    rebalanceTimeout: limits.sessionTimeoutMs,
    heartbeatInterval: Math.floor(limits.sessionTimeoutMs / 5),
    maxWaitTimeInMs: FETCH_WAIT_MS,
    allowAutoTopicCreation: false,
    // It crashes; whoever opened it starts anew, with a client that has no past.
    retry: { ...INNER_RETRY, restartOnFailure: async () => false },
  });
}

/** Calls `onStall` once when nobody has touched it for long enough. */
class StallTimer {
  onStall: () => void = () => {};
  readonly #limitMs: number;
  readonly #timer: NodeJS.Timeout;
  #touchedMs = performance.now();

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    this.#timer = setInterval(() => {
      if (performance.now() - this.#touchedMs > this.#limitMs) this.onStall();
    }, limitMs / 10);
  }

  touch(): void {
    this.#touchedMs = performance.now();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

// --- consumer ---

/** One member of a group. It lives through many clients: each crash, stall or lost broker ends one and starts the next. */
class KafkaConsumer {
  readonly #openLink: () => KafkaLink;
  readonly #limits: Limits;
  readonly #options: SubscribeOptions;
  readonly #handler: LogHandler;
  readonly #health: HealthRecord;
  readonly #stopping = new AbortController();
  /** What runs per partition, so that a new client never delivers beside what an old one still delivers. */
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #life: Promise<void>;

  constructor(
    openLink: () => KafkaLink,
    limits: Limits,
    options: SubscribeOptions,
    handler: LogHandler,
    health: HealthRecord,
  ) {
    this.#openLink = openLink;
    this.#limits = limits;
    this.#options = options;
    this.#handler = handler;
    this.#health = health;
    this.#life = this.#live();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#life;
    await Promise.allSettled(this.#running.values());
  }

  async #live(): Promise<void> {
    const backoff = new Backoff(BACKOFF_MS_MIN, BACKOFF_MS_MAX);
    while (!this.#stopping.signal.aborted) {
      const link = this.#openLink();
      const startedMs = performance.now();
      try {
        await this.#consume(link);
      } catch (error) {
        const failure = toPersistError(error, `group ${this.#options.group}`);
        if (!this.#stopping.signal.aborted) this.#health.notice(failure.message);
      } finally {
        link.destroy();
      }
      if (performance.now() - startedMs > BACKOFF_MS_MAX * 2) backoff.succeeded();
      backoff.failed();
      await pause(backoff.pauseMs, this.#stopping.signal);
    }
  }

  /** Resolves when the subscription stops, rejects when this client is of no more use. */
  async #consume(link: KafkaLink): Promise<void> {
    const { group, topics, from } = this.#options;
    const consumer = openConsumer(link, group, this.#limits);
    const stall = new StallTimer(this.#limits.sessionTimeoutMs + this.#limits.requestTimeoutMs);
    const { HEARTBEAT, FETCH, GROUP_JOIN, CRASH } = consumer.events;
    consumer.on(HEARTBEAT, () => stall.touch());
    consumer.on(FETCH, () => stall.touch());
    consumer.on(GROUP_JOIN, () => stall.touch());
    const ended = new Promise<void>((resolve, reject) => {
      consumer.on(CRASH, ({ payload }) => reject(payload.error));
      stall.onStall = () => reject(new PersistError('timeout', 'no sign of life from the broker'));
      this.#stopping.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    ended.catch(() => {});
    try {
      const starting = async () => {
        await consumer.connect();
        await consumer.subscribe({ topics: [...topics], fromBeginning: from !== 'latest' });
        await consumer.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          partitionsConsumedConcurrently: PARTITIONS_AT_A_TIME,
          eachBatch: (payload) => this.#deliverInTurn(payload, stall),
        });
      };
      await Promise.race([withDeadline(starting(), this.#limits.deadlineMs * 2, 'join'), ended]);
      await ended;
    } finally {
      stall.stop();
      // Leaving the group lets its other members go on at once.
      await withDeadline(consumer.disconnect(), this.#limits.connectTimeoutMs, 'disconnect').catch(() => {});
    }
  }

  async #deliverInTurn(payload: EachBatchPayload, stall: StallTimer): Promise<void> {
    const place = `${payload.batch.topic}/${payload.batch.partition}`;
    await this.#running.get(place)?.catch(() => {});
    const delivering = this.#deliverAll(payload, stall);
    this.#running.set(place, delivering);
    await delivering;
  }

  async #deliverAll(payload: EachBatchPayload, stall: StallTimer): Promise<void> {
    const { topic, partition } = payload.batch;
    const recordsMax = this.#options.batchRecordsMax ?? LOG_BATCH_RECORDS_MAX;
    const entries = toEntries(payload);
    // While a handler works, nobody else tells the broker that we live.
    const beat = setInterval(
      () => {
        payload.heartbeat().then(
          () => stall.touch(),
          () => {},
        );
      },
      Math.floor(this.#limits.sessionTimeoutMs / 5),
    );
    try {
      for (let i = 0; i < entries.length; i += recordsMax) {
        const slice = entries.slice(i, i + recordsMax);
        if (!(await this.#deliver(payload, { topic, partition, entries: slice }))) return;
        const last = slice[slice.length - 1].offset;
        payload.resolveOffset(String(last));
        await payload.commitOffsetsIfNecessary({
          topics: [{ topic, partitions: [{ partition, offset: String(last + 1) }] }],
        });
      }
    } finally {
      clearInterval(beat);
    }
  }

  /** Again and again until the handler takes it; false when the partition is no longer ours to deliver. */
  async #deliver(payload: EachBatchPayload, batch: LogBatch): Promise<boolean> {
    const backoff = new Backoff(BACKOFF_MS_MIN, BACKOFF_MS_MAX);
    const { signal } = this.#stopping;
    while (!signal.aborted && payload.isRunning() && !payload.isStale()) {
      try {
        await this.#handler(batch, signal);
        return true;
      } catch (error) {
        backoff.failed();
        const place = `${batch.topic}/${batch.partition} from ${batch.entries[0].offset}`;
        if (!signal.aborted) {
          this.#health.notice(`group ${this.#options.group}: handler failed at ${place}: ${String(error)}`);
        }
        await pause(backoff.pauseMs, signal);
      }
    }
    return false;
  }
}

// --- errors and other manners of kafkajs ---

interface KafkaFailure {
  name?: string;
  type?: string;
  message?: string;
  cause?: unknown;
}

/** The innermost error: kafkajs wraps each failure, and the wrapper says "not retriable" whatever is inside. */
function findCause(error: unknown): KafkaFailure {
  let cause = error as KafkaFailure;
  while (cause?.cause) cause = cause.cause as KafkaFailure;
  return cause ?? {};
}

/** What is wrong with the records themselves. All else, missing rights included, a person may put right meanwhile. */
const REFUSED = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'INVALID_TOPIC_EXCEPTION',
]);

function toPersistError(error: unknown, what: string): PersistError {
  if (error instanceof PersistError) return error;
  const cause = findCause(error);
  let kind: PersistErrorKind = 'unavailable';
  if (cause.name === 'KafkaJSRequestTimeoutError' || cause.type === 'REQUEST_TIMED_OUT') kind = 'timeout';
  if (REFUSED.has(cause.type ?? '')) kind = 'rejected';
  return new PersistError(kind, `${what}: ${cause.message ?? String(error)}`, error);
}

function isTooLarge(error: unknown): boolean {
  const { type } = findCause(error);
  return type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE';
}

let gzipReplaced = false;

function useFastGzip(): void {
  if (gzipReplaced) return;
  gzipReplaced = true;
  const compress = promisify(gzip);
  const decompress = promisify(gunzip);
  CompressionCodecs[CompressionTypes.GZIP] = () => ({
    compress: (encoder: { buffer: Buffer }) => compress(encoder.buffer, { level: GZIP_LEVEL }),
    decompress: (buffer: Buffer) => decompress(buffer),
  });
}

let warningsFiltered = false;

/** kafkajs arms a timer with a time that has passed; newer versions of Node warn of it. Other warnings go through. */
function filterTimerWarnings(): void {
  if (warningsFiltered) return;
  warningsFiltered = true;
  const emitWarning = process.emitWarning.bind(process) as (...details: unknown[]) => void;
  process.emitWarning = (...details: unknown[]): void => {
    if (!isKafkaTimerWarning(details, new Error().stack ?? '')) emitWarning(...details);
  };
}

export function isKafkaTimerWarning(details: readonly unknown[], stack: string): boolean {
  const [warning, options] = details;
  const named = warning instanceof Error ? warning.name : options;
  const name = typeof named === 'object' && named !== null ? (named as { type?: string }).type : named;
  return name === 'TimeoutNegativeWarning' && stack.includes('kafkajs');
}
