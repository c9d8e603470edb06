// Reading from Kafka: members of groups, and replays without one.

import { randomUUID } from 'node:crypto';
import type { Consumer, EachBatchPayload } from 'kafkajs';
import { nowMs } from '../../base/clock.js';
import { Backoff, pause, withDeadline } from '../deadline.js';
import type { HealthRecord } from '../health-record.js';
import { KAFKA_BACKOFF_MS_MAX, KAFKA_BACKOFF_MS_MIN, KAFKA_FETCH_WAIT_MS, LOG_BATCH_RECORDS_MAX } from '../limits.js';
import {
  type LogBatch,
  type LogEntry,
  type LogHandler,
  type PartitionPosition,
  PersistError,
  type ReplayOptions,
  type SubscribeOptions,
} from '../store-ports.js';
import { INNER_RETRY, type KafkaLimits, type KafkaLink, toPersistError } from './kafka-client.js';

const PARTITIONS_AT_A_TIME = 3;

function toEntries(payload: EachBatchPayload): LogEntry[] {
  return payload.batch.messages.map(({ offset, key, value, timestamp }) => ({
    offset: Number(offset),
    key: key?.toString() ?? '',
    value: value ?? new Uint8Array(0),
    timestampMs: Number(timestamp),
  }));
}

/** Reads each partition from its start to the end in `positions`, as a group of its own that commits nothing. */
export async function replayThrough(
  link: KafkaLink,
  limits: KafkaLimits,
  positions: readonly PartitionPosition[],
  { topics, from, batchRecordsMax = LOG_BATCH_RECORDS_MAX, signal }: ReplayOptions,
  handler: LogHandler,
): Promise<void> {
  if (signal?.aborted) return;
  const ends = new Map<string, number>();
  const starts: { topic: string; partition: number; offset: string }[] = [];
  for (const { topic, partition, start, end } of positions) {
    const first = Math.max(start, from?.(topic, partition) ?? 0);
    if (first < end) ends.set(`${topic}/${partition}`, end);
    // Also where nothing is wanted: left alone, such a partition would be fetched from its beginning.
    starts.push({ topic, partition, offset: String(Math.min(first, end)) });
  }
  if (ends.size === 0) return;

  const done = new AbortController();
  const stall = new StallTimer(limits.sessionTimeoutMs + limits.deadlineMs);
  const groupId = `tessera-replay-${randomUUID()}`;
  const consumer = openConsumer(link, groupId, limits);
  const finished = new Promise<void>((resolve, reject) => {
    signal?.addEventListener('abort', () => resolve(), { once: true });
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    stall.onStall = () => reject(new PersistError('timeout', 'replay: nothing was read for too long'));
    const eachBatch = async (payload: EachBatchPayload) => {
      const { topic, partition } = payload.batch;
      const end = ends.get(`${topic}/${partition}`);
      if (end === undefined) return;
      const entries = toEntries(payload).filter(({ offset }) => offset < end);
      for (let i = 0; i < entries.length && !done.signal.aborted && !signal?.aborted; i += batchRecordsMax) {
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

function openConsumer(link: KafkaLink, groupId: string, limits: KafkaLimits): Consumer {
  return link.kafka.consumer({
    groupId,
    sessionTimeout: limits.sessionTimeoutMs,
    rebalanceTimeout: limits.sessionTimeoutMs,
    heartbeatInterval: Math.floor(limits.sessionTimeoutMs / 5),
    maxWaitTimeInMs: KAFKA_FETCH_WAIT_MS,
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
  #touchedMs = nowMs();

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    this.#timer = setInterval(() => {
      if (nowMs() - this.#touchedMs > this.#limitMs) this.onStall();
    }, limitMs / 10);
  }

  touch(): void {
    this.#touchedMs = nowMs();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** One member of a group. It lives through many clients: each crash, stall or lost broker ends one and starts the next. */
export class KafkaConsumer {
  readonly #openLink: () => KafkaLink;
  readonly #limits: KafkaLimits;
  readonly #options: SubscribeOptions;
  readonly #handler: LogHandler;
  readonly #health: HealthRecord;
  readonly #stopping = new AbortController();
  /** What runs per partition, so that a new client never delivers beside what an old one still delivers. */
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #life: Promise<void>;
  /** The last failure that was told, until something is read again. */
  #told = '';

  constructor(
    openLink: () => KafkaLink,
    limits: KafkaLimits,
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
    const backoff = new Backoff(KAFKA_BACKOFF_MS_MIN, KAFKA_BACKOFF_MS_MAX);
    while (!this.#stopping.signal.aborted) {
      const link = this.#openLink();
      const startedMs = nowMs();
      try {
        await this.#consume(link);
      } catch (error) {
        const failure = toPersistError(error, `group ${this.#options.group}`);
        if (!this.#stopping.signal.aborted) this.#tell(failure.message);
      } finally {
        link.destroy();
      }
      if (nowMs() - startedMs > KAFKA_BACKOFF_MS_MAX * 2) backoff.succeeded();
      backoff.failed();
      await pause(backoff.pauseMs, this.#stopping.signal);
    }
  }

  /** Each attempt of an outage fails alike: told once. */
  #tell(line: string): void {
    if (line !== this.#told) this.#health.notice(line);
    this.#told = line;
  }

  /** Resolves when the subscription stops, rejects when this client is of no more use. */
  async #consume(link: KafkaLink): Promise<void> {
    const { group, topics, from } = this.#options;
    const consumer = openConsumer(link, group, this.#limits);
    const stall = new StallTimer(this.#limits.sessionTimeoutMs + this.#limits.requestTimeoutMs);
    const { HEARTBEAT, FETCH, GROUP_JOIN, CRASH } = consumer.events;
    consumer.on(HEARTBEAT, () => stall.touch());
    consumer.on(FETCH, () => {
      stall.touch();
      this.#told = '';
    });
    consumer.on(GROUP_JOIN, () => stall.touch());
    const { signal } = this.#stopping;
    let onAbort = (): void => {};
    const ended = new Promise<void>((resolve, reject) => {
      consumer.on(CRASH, ({ payload }) => reject(payload.error));
      stall.onStall = () => reject(new PersistError('timeout', 'no sign of life from the broker'));
      onAbort = resolve;
      signal.addEventListener('abort', onAbort, { once: true });
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
      // It holds this client, and the signal outlives it.
      signal.removeEventListener('abort', onAbort);
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
    const backoff = new Backoff(KAFKA_BACKOFF_MS_MIN, KAFKA_BACKOFF_MS_MAX);
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
