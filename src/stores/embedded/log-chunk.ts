// How the embedded event log lays records into rows: what one write adds to a partition is one row, a chunk. Its key
// orders chunks by partition and offset; its value carries the records with a checksum over all of them.
//
//  key    | topic u16 | partition u16 | first offset u64 |                                        big endian
//  value  | crc u32 | count u32 | appended at f64 | record ... |                                  little endian
//  record | timestamp f64 | key bytes u32 | value bytes u32 | key (UTF-8) | value |
//
// The checksum covers everything behind itself.

import { crc32 } from '../../base/checksum.js';
import type { LogEntry, LogRecord } from '../store-ports.js';

const CHUNK_KEY_BYTES = 12;
const CHUNK_HEADER_BYTES = 16;
const RECORD_HEADER_BYTES = 16;

export function writeChunkKey(topicId: number, partition: number, offset: number): Buffer {
  const key = Buffer.allocUnsafe(CHUNK_KEY_BYTES);
  key.writeUInt16BE(topicId, 0);
  key.writeUInt16BE(partition, 2);
  key.writeUInt32BE(Math.floor(offset / 2 ** 32), 4);
  key.writeUInt32BE(offset % 2 ** 32, 8);
  return key;
}

export function readChunkOffset(key: Uint8Array): number {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  return view.getUint32(4) * 2 ** 32 + view.getUint32(8);
}

export function encodeChunk(records: readonly LogRecord[], appendedAtMs: number): Buffer {
  let bytes = CHUNK_HEADER_BYTES;
  for (const record of records) bytes += RECORD_HEADER_BYTES + Buffer.byteLength(record.key) + record.value.length;
  const chunk = Buffer.allocUnsafe(bytes);
  const view = new DataView(chunk.buffer, chunk.byteOffset, bytes);
  view.setUint32(4, records.length, true);
  view.setFloat64(8, appendedAtMs, true);
  let at = CHUNK_HEADER_BYTES;
  for (const record of records) {
    const keyBytes = chunk.write(record.key, at + RECORD_HEADER_BYTES, 'utf8');
    view.setFloat64(at, record.timestampMs, true);
    view.setUint32(at + 8, keyBytes, true);
    view.setUint32(at + 12, record.value.length, true);
    chunk.set(record.value, at + RECORD_HEADER_BYTES + keyBytes);
    at += RECORD_HEADER_BYTES + keyBytes + record.value.length;
  }
  view.setUint32(0, crc32(chunk.subarray(4)), true);
  return chunk;
}

/** How many records a chunk says it has; only as good as its checksum. */
export function readChunkCount(chunk: Uint8Array): number {
  return new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength).getUint32(4, true);
}

export function readChunkTime(chunk: Uint8Array): number {
  return new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength).getFloat64(8, true);
}

/** The latest time that one of a chunk's records bears; the chunk must have been verified. */
export function readLatestTime(chunk: Uint8Array): number {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  let latestMs = Number.NEGATIVE_INFINITY;
  let at = CHUNK_HEADER_BYTES;
  for (let left = readChunkCount(chunk); left > 0; left--) {
    latestMs = Math.max(latestMs, view.getFloat64(at, true));
    at += RECORD_HEADER_BYTES + view.getUint32(at + 8, true) + view.getUint32(at + 12, true);
  }
  return latestMs;
}

export function verifyChunk(chunk: Uint8Array): boolean {
  if (chunk.length < CHUNK_HEADER_BYTES) return false;
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  return view.getUint32(0, true) === crc32(chunk.subarray(4));
}

/** The entries from `fromOffset` on. Values are views of the chunk. */
export function decodeChunk(chunk: Uint8Array, firstOffset: number, fromOffset: number): LogEntry[] {
  const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const count = view.getUint32(4, true);
  const entries: LogEntry[] = [];
  let at = CHUNK_HEADER_BYTES;
  for (let i = 0; i < count; i++) {
    const keyStart = at + RECORD_HEADER_BYTES;
    const valueStart = keyStart + view.getUint32(at + 8, true);
    const valueLimit = valueStart + view.getUint32(at + 12, true);
    if (firstOffset + i >= fromOffset) {
      entries.push({
        offset: firstOffset + i,
        key: text.toString('utf8', keyStart, valueStart),
        value: chunk.subarray(valueStart, valueLimit),
        timestampMs: view.getFloat64(at, true),
      });
    }
    at = valueLimit;
  }
  return entries;
}
