// How the event spool lays events into rows. What was spilled at one time shares a sequence number and is at most two
// rows, one of the events of low value and one of the others, so that the former can go without a rewrite of the
// latter. The place of each event within its sequence stands with it: read together, the two rows are in order again.
// What a row holds stands in its key, so that the spool is counted without being read.
//
//  key    | sequence u64 | value class u8 | count u32 | bytes of the value u32 |                     big endian
//  value  | crc u32 | header bytes u32 | header: JSON of topics, and counts by type | event ... |    little endian
//  event  | place u32 | timestamp f64 | topic u16 | key bytes u16 | value bytes u32 | key (UTF-8) | value |
//
// The checksum covers everything behind itself.

import { crc32 } from '../../base/checksum.js';
import type { LogRecord } from '../../stores/store-ports.js';
import type { EventRecord } from './event-form.js';

const KEY_BYTES = 17;
const VALUE_HEADER_BYTES = 8;
const EVENT_HEADER_BYTES = 20;
const CLASS_LOW = 0;
const CLASS_OTHER = 1;

export interface SpoolRow {
  key: Uint8Array;
  sequence: number;
  isLow: boolean;
  count: number;
  bytes: number;
}

/** An event, and its place among those of the same sequence. */
export interface PlacedEvent {
  place: number;
  event: EventRecord;
}

export interface PlacedRecord {
  place: number;
  record: LogRecord;
}

interface RowHeader {
  topics: string[];
  types: Record<string, number>;
}

function encodeKey(sequence: number, isLow: boolean, count: number, bytes: number): Buffer {
  const key = Buffer.allocUnsafe(KEY_BYTES);
  key.writeBigUInt64BE(BigInt(sequence), 0);
  key.writeUInt8(isLow ? CLASS_LOW : CLASS_OTHER, 8);
  key.writeUInt32BE(count, 9);
  key.writeUInt32BE(bytes, 13);
  return key;
}

/** Undefined for what is no key of a spool. */
export function decodeKey(key: Uint8Array): SpoolRow | undefined {
  if (key.length !== KEY_BYTES) return undefined;
  const copy = Buffer.from(key);
  return {
    key: copy,
    sequence: Number(copy.readBigUInt64BE(0)),
    isLow: copy[8] === CLASS_LOW,
    count: copy.readUInt32BE(9),
    bytes: copy.readUInt32BE(13),
  };
}

export function encodeRow(
  sequence: number,
  isLow: boolean,
  placed: readonly PlacedEvent[],
): { row: SpoolRow; value: Buffer } {
  const header: RowHeader = { topics: [], types: {} };
  let bytes = VALUE_HEADER_BYTES;
  for (const { event } of placed) {
    if (!header.topics.includes(event.topic)) header.topics.push(event.topic);
    header.types[event.type] = (header.types[event.type] ?? 0) + 1;
    bytes += EVENT_HEADER_BYTES + Buffer.byteLength(event.key) + event.value.length;
  }
  const headerText = Buffer.from(JSON.stringify(header));
  bytes += headerText.length;
  const value = Buffer.allocUnsafe(bytes);
  value.writeUInt32LE(headerText.length, 4);
  value.set(headerText, VALUE_HEADER_BYTES);
  let at = VALUE_HEADER_BYTES + headerText.length;
  for (const { place, event } of placed) {
    const keyBytes = value.write(event.key, at + EVENT_HEADER_BYTES, 'utf8');
    value.writeUInt32LE(place, at);
    value.writeDoubleLE(event.timestampMs, at + 4);
    value.writeUInt16LE(header.topics.indexOf(event.topic), at + 12);
    value.writeUInt16LE(keyBytes, at + 14);
    value.writeUInt32LE(event.value.length, at + 16);
    value.set(event.value, at + EVENT_HEADER_BYTES + keyBytes);
    at += EVENT_HEADER_BYTES + keyBytes + event.value.length;
  }
  value.writeUInt32LE(crc32(value.subarray(4)), 0);
  const key = encodeKey(sequence, isLow, placed.length, bytes);
  return { row: { key, sequence, isLow, count: placed.length, bytes }, value };
}

/** The bytes as they were written, or undefined. */
export function verifyRow(row: SpoolRow, value: Uint8Array | undefined): Buffer | undefined {
  if (value === undefined || value.length !== row.bytes || value.length < VALUE_HEADER_BYTES) return undefined;
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return bytes.readUInt32LE(0) === crc32(bytes.subarray(4)) ? bytes : undefined;
}

function readHeader(verified: Buffer): RowHeader {
  const limit = VALUE_HEADER_BYTES + verified.readUInt32LE(4);
  return JSON.parse(verified.toString('utf8', VALUE_HEADER_BYTES, limit)) as RowHeader;
}

/** How many events of each type a row holds. */
export function readTypes(verified: Buffer): Readonly<Record<string, number>> {
  return readHeader(verified).types;
}

export function decodeRow(row: SpoolRow, verified: Buffer): PlacedRecord[] {
  const { topics } = readHeader(verified);
  const placed: PlacedRecord[] = [];
  let at = VALUE_HEADER_BYTES + verified.readUInt32LE(4);
  for (let i = 0; i < row.count; i++) {
    const keyStart = at + EVENT_HEADER_BYTES;
    const valueStart = keyStart + verified.readUInt16LE(at + 14);
    const valueLimit = valueStart + verified.readUInt32LE(at + 16);
    const record = {
      topic: topics[verified.readUInt16LE(at + 12)],
      key: verified.toString('utf8', keyStart, valueStart),
      value: verified.subarray(valueStart, valueLimit),
      timestampMs: verified.readDoubleLE(at + 4),
    };
    placed.push({ place: verified.readUInt32LE(at), record });
    at = valueLimit;
  }
  return placed;
}
