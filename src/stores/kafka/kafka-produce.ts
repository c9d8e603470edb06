// The body of a produce request, in place of kafkajs's own. That one makes a buffer for every record, sorts times as texts,
// and copies all records of a batch again each time its buffer has doubled: 95 MB of buffers per second at 100,000 records
// per second, which V8 collects by stopping the thread and with helpers on every core. Here the records of a batch are
// written one behind another into memory that is used again, and what goes out is copied once.
//
// It takes the place of kafkajs's module in the module cache (kafka-library.ts). What it does not do, such as records
// with headers or without a key, goes to the original.
//
// A batch (format 2), big endian; the sum is of all that follows it:
//  | first offset i64 | bytes that follow i32 | leader epoch i32 | 2 i8 | crc32c u32 | attributes i16 | last offset delta i32 |
//  | first time i64 | last time i64 | producer id i64 | producer epoch i16 | first sequence i32 | records i32 | records ... |
// A record in it, all integers zigzag varints:
//  | body bytes | 0 | time delta | offset delta | key bytes | key | value bytes | value | 0 headers |

import {
  KAFKA_DELTA_MAX,
  KAFKA_RECORD_OVERHEAD_MAX,
  PRODUCE_SCRATCH_BYTES_MAX,
  PRODUCE_SCRATCH_BYTES_MIN,
  PRODUCE_SCRATCHES_MAX,
  UTF8_BYTES_MAX,
} from '../limits.js';

const BATCH_HEAD_BYTES = 61;
const BYTES_AFTER_LENGTH = 12;
const LENGTH_OFFSET = 8;
const MAGIC_OFFSET = 16;
const MAGIC = 2;
const SUM_OFFSET = 17;
const SUMMED_OFFSET = 21;
const TRANSACTIONAL = 16;
const CODEC_MASK = 7;

export interface ProducedMessage {
  key?: string | Buffer | null;
  value: Buffer | null;
  timestamp?: string;
  headers?: object;
}

export interface ProduceInput {
  acks: number;
  timeout: number;
  transactionalId?: string | null;
  producerId?: { toString(): string };
  producerEpoch?: number;
  compression?: number;
  topicData: readonly {
    topic: string;
    partitions: readonly { partition: number; firstSequence?: number; messages: readonly ProducedMessage[] }[];
  }[];
}

/** What kafkajs needs of an encoder when it puts it into a request. */
interface EncodedBody {
  buf: Buffer;
  buffer: Buffer;
}

interface ProduceRequest {
  encode(): Promise<EncodedBody>;
}

export type MakeProduceRequest = (input: ProduceInput) => ProduceRequest;

interface ProduceTools {
  original: MakeProduceRequest;
  crc32c(bytes: Buffer): number;
  lookupCodec(type: number): { compress(encoder: { buffer: Buffer }): Promise<Buffer> } | null;
}

export function makeProduce(tools: ProduceTools): MakeProduceRequest {
  return (input) => {
    const request = tools.original(input);
    return isPlain(input) ? { ...request, encode: () => encodeBody(input, tools) } : request;
  };
}

function isPlain({ topicData }: ProduceInput): boolean {
  return topicData.every(({ partitions }) => partitions.every(({ messages }) => isPlainBatch(messages)));
}

function isPlainBatch(messages: readonly ProducedMessage[]): boolean {
  if (messages.length === 0 || !messages.every(isPlainMessage)) return false;
  const { firstMs, lastMs } = findTimes(messages);
  return firstMs >= 0 && lastMs - firstMs < KAFKA_DELTA_MAX;
}

function isPlainMessage({ key, value, timestamp, headers }: ProducedMessage): boolean {
  return typeof key === 'string' && value !== null && headers === undefined && timestamp !== undefined;
}

async function encodeBody(input: ProduceInput, tools: ProduceTools): Promise<EncodedBody> {
  const { acks, timeout, transactionalId, topicData } = input;
  const parts = [int16(transactionalId == null ? -1 : Buffer.byteLength(transactionalId))];
  if (transactionalId != null) parts.push(Buffer.from(transactionalId));
  parts.push(int16(acks), int32(timeout), int32(topicData.length));
  for (const { topic, partitions } of topicData) {
    parts.push(int16(Buffer.byteLength(topic)), Buffer.from(topic), int32(partitions.length));
    for (const { partition, firstSequence = 0, messages } of partitions) {
      const [head, records] = await encodeBatch(messages, firstSequence, input, tools);
      parts.push(int32(partition), int32(head.length + records.length), head, records);
    }
  }
  const buffer = Buffer.concat(parts);
  return { buf: buffer, buffer };
}

async function encodeBatch(
  messages: readonly ProducedMessage[],
  firstSequence: number,
  { compression = 0, transactionalId, producerId = '-1', producerEpoch = 0 }: ProduceInput,
  { crc32c, lookupCodec }: ProduceTools,
): Promise<[head: Buffer, records: Buffer]> {
  const { firstMs, lastMs } = findTimes(messages);
  const scratch = takeScratch(boundOf(messages));
  let records: Buffer;
  try {
    const written = scratch.subarray(0, writeRecords(scratch, messages, firstMs));
    const codec = compression === 0 ? null : lookupCodec(compression & CODEC_MASK);
    records = codec === null ? Buffer.from(written) : await codec.compress({ buffer: written });
  } finally {
    giveScratch(scratch);
  }
  const head = Buffer.allocUnsafe(BATCH_HEAD_BYTES);
  head.writeBigInt64BE(0n, 0);
  head.writeInt32BE(head.length + records.length - BYTES_AFTER_LENGTH, LENGTH_OFFSET);
  head.writeInt32BE(0, BYTES_AFTER_LENGTH);
  head.writeInt8(MAGIC, MAGIC_OFFSET);
  let at = head.writeInt16BE((compression & CODEC_MASK) | (transactionalId ? TRANSACTIONAL : 0), SUMMED_OFFSET);
  at = head.writeInt32BE(messages.length - 1, at);
  at = head.writeBigInt64BE(BigInt(firstMs), at);
  at = head.writeBigInt64BE(BigInt(lastMs), at);
  at = head.writeBigInt64BE(BigInt(String(producerId)), at);
  at = head.writeInt16BE(producerEpoch, at);
  at = head.writeInt32BE(firstSequence, at);
  head.writeInt32BE(messages.length, at);
  head.writeUInt32BE(crc32c(Buffer.concat([head.subarray(SUMMED_OFFSET), records])), SUM_OFFSET);
  return [head, records];
}

function findTimes(messages: readonly ProducedMessage[]): { firstMs: number; lastMs: number } {
  let firstMs = Number(messages[0]?.timestamp ?? 0);
  let lastMs = firstMs;
  for (const { timestamp } of messages) {
    const ms = Number(timestamp);
    if (ms < firstMs) firstMs = ms;
    if (ms > lastMs) lastMs = ms;
  }
  return { firstMs, lastMs };
}

function boundOf(messages: readonly ProducedMessage[]): number {
  let bytes = 0;
  for (const { key, value } of messages) {
    bytes += (key as string).length * UTF8_BYTES_MAX + (value as Buffer).length + KAFKA_RECORD_OVERHEAD_MAX;
  }
  return bytes;
}

// --- memory that is used again ---

const scratches: Buffer[] = [];

function takeScratch(bytes: number): Buffer {
  const scratch = scratches.pop();
  return scratch !== undefined && scratch.length >= bytes
    ? scratch
    : Buffer.allocUnsafeSlow(Math.max(PRODUCE_SCRATCH_BYTES_MIN, bytes * 2));
}

/** Only what nobody reads any more: a compression that was given up reads on, and keeps its memory to the end. */
function giveScratch(scratch: Buffer): void {
  if (scratch.length <= PRODUCE_SCRATCH_BYTES_MAX && scratches.length < PRODUCE_SCRATCHES_MAX) scratches.push(scratch);
}

// --- records ---

function writeRecords(to: Buffer, messages: readonly ProducedMessage[], firstMs: number): number {
  let at = 0;
  for (let offset = 0; offset < messages.length; offset++) {
    const { key, value, timestamp } = messages[offset] as { key: string; value: Buffer; timestamp: string };
    const timeDelta = Number(timestamp) - firstMs;
    const keyBytes = Buffer.byteLength(key);
    const bodyBytes =
      1 +
      varintBytes(timeDelta) +
      varintBytes(offset) +
      varintBytes(keyBytes) +
      keyBytes +
      varintBytes(value.length) +
      value.length +
      1;
    at = writeVarint(to, at, bodyBytes);
    to[at++] = 0;
    at = writeVarint(to, at, timeDelta);
    at = writeVarint(to, at, offset);
    at = writeVarint(to, at, keyBytes);
    at += to.write(key, at, keyBytes === key.length ? 'latin1' : 'utf8');
    at = writeVarint(to, at, value.length);
    to.set(value, at);
    at += value.length;
    to[at++] = 0;
  }
  return at;
}

/** Of a number that is not negative and below 2^30: zigzag doubles it. */
function varintBytes(value: number): number {
  let rest = value << 1;
  let bytes = 1;
  while (rest > 127) {
    rest >>>= 7;
    bytes++;
  }
  return bytes;
}

function writeVarint(to: Buffer, offset: number, value: number): number {
  let rest = value << 1;
  let at = offset;
  while (rest > 127) {
    to[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  to[at++] = rest;
  return at;
}

function int16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value);
  return bytes;
}
