// Limits of rings and of the records in them.

import { assert } from '../base/assert.js';

/** Two writers' words this far apart never share a cache line, prefetched pairs included. */
export const CACHE_LINE_BYTES = 128;
/** Ring counters are 32 bits and wrap: their difference stays positive only while no ring is longer than 2^30. */
export const RING_BYTES_MAX = 2 ** 30;
/** One command is one cache line of 64 bytes: header and payload. */
export const COMMAND_RECORD_BYTES = 64;
export const COMMAND_HEADER_BYTES = 16;
export const COMMAND_PAYLOAD_BYTES_MAX = COMMAND_RECORD_BYTES - COMMAND_HEADER_BYTES;
/** 16,384 commands are 270 ms of 2,000 clients at 30 commands per second: longer than any stall we recover from. */
export const COMMAND_RING_RECORDS = 16384;
export const EVENT_RECORD_BYTES = 64;
/** Types of events that one game states: each has its own counters. */
export const EVENT_TYPES_MAX = 256;
/** 100,000 events per second of one zone find room for 650 ms while the I/O thread is not given the processor. */
export const EVENT_RING_RECORDS = 65536;
/** Where there are more zones than this, they share players, events and memory: their rings are an eighth. */
export const LARGE_RINGS_ZONES_MAX = 8;
/** Frames of one tick thread: 8 MiB are 20 ticks of 2,000 clients at 200 bytes. */
export const FRAME_RING_BYTES = 8 * 1024 * 1024;
export const HANDOFF_RING_RECORDS = 1024;
/** Players on their way from the store to one zone; a zone empties its ring every tick. */
export const ARRIVAL_RING_RECORDS = 256;
/** 2,000 clients at 30 commands per second are 1 MB per second: a stall of the I/O thread of 8 s. */
export const JOURNAL_RING_BYTES = 8 * 1024 * 1024;
/** Of a zone without a journal. */
export const JOURNAL_RING_BYTES_MIN = 64 * 1024;

assert((COMMAND_RING_RECORDS & (COMMAND_RING_RECORDS - 1)) === 0, 'ring sizes are powers of two');
assert((FRAME_RING_BYTES & (FRAME_RING_BYTES - 1)) === 0, 'ring sizes are powers of two');
assert((ARRIVAL_RING_RECORDS & (ARRIVAL_RING_RECORDS - 1)) === 0, 'ring sizes are powers of two');
