// The bytes of both rings. The algorithms stand in record-ring.ts and byte-ring.ts.
//
//  0                    128            256            384
//  | magic i32          | tail i32     | head i32     | ring
//  | records or ring    |              |              |
//  |   bytes i32        |              |              |
//  | record bytes i32   |              |              |
//    creator, once        producer       consumer
//
// Record ring: capacity records of the same size. The counters count records.
//
//  384             384 + recordBytes
//  | record 0      | record 1      | ...            | record capacity - 1 |
//
// Byte ring: records of any size, each in one piece. The counters count bytes and are multiples of 8.
//
//  384
//  | bytes i32 | kind i32 | payload, padded to 8 | bytes | kind | payload ... | bytes | SKIP_KIND | unused |
//                                                                            a skip record fills what is left
//
// tail - head is what the consumer has not released: 0 means empty, the length of the ring means full. Both counters only
// grow and wrap past 2^31. A ring's length is a power of two and divides 2^32, so `counter & mask` and the wrapping
// difference `(tail - head) | 0` stay right across the wrap.

import { assert } from '../../base/assert.js';
import { BYTE_RING_BYTES_MIN, CACHE_LINE_BYTES, RING_BYTES_MAX } from '../limits.js';

export const RECORD_RING_MAGIC = 0x52_52_53_54;
export const BYTE_RING_MAGIC = 0x42_52_53_54;

// Indices into an Int32Array over the whole buffer.
export const MAGIC_INDEX = 0;
export const LENGTH_INDEX = 1;
export const RECORD_BYTES_INDEX = 2;
export const TAIL_INDEX = CACHE_LINE_BYTES / 4;
export const HEAD_INDEX = (2 * CACHE_LINE_BYTES) / 4;

/** Where the records begin; a multiple of 128, so records that divide a cache line never straddle one. */
export const RING_OFFSET = 3 * CACHE_LINE_BYTES;

// Byte ring records.
export const BYTES_AT = 0;
export const KIND_AT = 4;
export const RECORD_HEADER_BYTES = 8;
export const RECORD_ALIGN_BYTES = 8;
/** A producer's kinds are zero and up. */
export const SKIP_KIND = -1;

export function recordRingBytes(capacity: number, recordBytes: number): number {
  assert(isPowerOfTwo(capacity), 'a record ring holds a power of two of records', capacity);
  assert(recordBytes > 0 && recordBytes % 4 === 0, 'a ring record is a multiple of 4 bytes', recordBytes);
  assert(capacity * recordBytes <= RING_BYTES_MAX, 'a ring is at most 1 GiB', capacity * recordBytes);
  return RING_OFFSET + capacity * recordBytes;
}

export function byteRingBytes(ringBytes: number): number {
  assert(isPowerOfTwo(ringBytes), 'a byte ring is a power of two long', ringBytes);
  assert(ringBytes >= BYTE_RING_BYTES_MIN && ringBytes <= RING_BYTES_MAX, 'a byte ring is 64 B to 1 GiB', ringBytes);
  return RING_OFFSET + ringBytes;
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(value) && value > 0 && (value & (value - 1)) === 0;
}
