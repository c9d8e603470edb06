// kafkajs 2.2.4 as the rest of the adapter sees it. Only the files kafka-*.ts know it: a move to
// another client is a new version of these. Its known traps, and where each is guarded:
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
//  admin and consumer give up on a coordinator that is loading,
//  and on a leader that is not yet one                          asked again until the deadline (askAgain)
//  disconnect() waits for requests that get no answer           bounded, then the sockets are destroyed
//  errors say "not retriable" when the retries are used up      judged by the cause (toPersistError)
//  a batch above the broker's limit fails as a whole            split in halves (#sendSplit)
//  consumers crash for good, or stall without a word            KafkaConsumer watches for life and starts anew
//  knows gzip alone: at a record under snappy, lz4 or zstd a     topics that others write to are made with compression.type=
//  consumer crashes, for ever                                   gzip, which the broker sees to; of others it is told what to do
//  no backpressure, no linger                                   AppendOutbox bounds and joins
//  gzip at level 6 on the way                                   level 1, on libuv's threads
//  a buffer per record, batches copied as they grow             kafka-produce.ts
//  messages of a partition are copied for each one added        kafka-library.ts
//  topics that are not made fail without a word of why          the same (toPersistError)
//  a name of several addresses fails without a word of why      the words are put together (sayWhy)
//  TimeoutNegativeWarning on newer Node                         that name is filtered when kafkajs is the source

import * as net from 'node:net';
import * as tls from 'node:tls';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { ISocketFactory, Kafka, KafkaConfig } from 'kafkajs';
import { Backoff, pause } from '../deadline.js';
import { KAFKA_BACKOFF_MS_MIN } from '../limits.js';
import { type NoticeListener, PersistError, type PersistErrorKind } from '../store-ports.js';
import { kafkajs } from './kafka-library.js';

const { CompressionCodecs, CompressionTypes } = kafkajs;

const GZIP_LEVEL = 1;
/** kafkajs's own retries inside of one call; ours are around it, with a new client. */
export const INNER_RETRY = { initialRetryTime: 100, multiplier: 2, maxRetryTime: 1000, retries: 3 };

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

export interface KafkaLimits {
  connectTimeoutMs: number;
  requestTimeoutMs: number;
  deadlineMs: number;
  sessionTimeoutMs: number;
}

/** One client of kafkajs whose sockets are ours: destroyed, it cannot write a byte any more. */
export class KafkaLink {
  readonly kafka: Kafka;
  readonly #sockets = new Set<net.Socket>();
  #destroyed = false;

  constructor(options: KafkaEventLogOptions, limits: KafkaLimits) {
    const { ssl, sasl } = options;
    this.kafka = new kafkajs.Kafka({
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
    socket.on('error', sayWhy); // before kafkajs takes its message
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

/** Of a name with several addresses Node gives an error without a message, which has one of each address. */
function sayWhy(error: Error): void {
  if (error.message === '' && error instanceof AggregateError) {
    error.message = error.errors.map((one: Error) => one.message).join(', ');
  }
}

/** What kafkajs keeps per process: set once, before its first client. */
export function prepareProcess(): void {
  filterTimerWarnings();
  useFastGzip();
}

interface KafkaFailure {
  name?: string;
  type?: string;
  message?: string;
  cause?: unknown;
  /** Of topics that were not made. */
  errors?: readonly { topic?: string; message: string }[];
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

const UNREADABLE =
  'the next record is compressed with snappy, lz4 or zstd, which cannot be read here, and none behind it is reached: set ' +
  "compression.type=gzip on the topic, and move the group's offset behind that record or delete the records up to it";

export function toPersistError(error: unknown, what: string): PersistError {
  if (error instanceof PersistError) return error;
  const cause = findCause(error);
  let kind: PersistErrorKind = 'unavailable';
  if (cause.name === 'KafkaJSRequestTimeoutError' || cause.type === 'REQUEST_TIMED_OUT') kind = 'timeout';
  if (REFUSED.has(cause.type ?? '')) kind = 'rejected';
  if (cause.name === 'KafkaJSNotImplemented') return new PersistError(kind, `${what}: ${UNREADABLE}`, error);
  const each = cause.errors?.map(({ topic, message }) => (topic === undefined ? message : `${topic}: ${message}`));
  return new PersistError(kind, `${what}: ${each?.join(', ') ?? cause.message ?? String(error)}`, error);
}

/** What a broker says while it takes up a group or a partition: the same question is answered a moment later. */
const PASSING = new Set([
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
]);

/** Bounded by the deadline around the call: `signal` ends the asking with it. */
export async function askAgain<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const backoff = new Backoff(KAFKA_BACKOFF_MS_MIN, INNER_RETRY.maxRetryTime);
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted || !PASSING.has(findCause(error).type ?? '')) throw error;
      backoff.failed();
      await pause(backoff.pauseMs, signal);
    }
  }
}

export function isTooLarge(error: unknown): boolean {
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
