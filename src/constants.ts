// Every limit of the engine, with the relations between limits asserted at the end. Settings that people may change
// are in config.ts; what stands here is a property of the code.

import { assert } from './assert.js';

// --- memory ---
/** Two writers' words this far apart never share a cache line, prefetched pairs included. */
export const CACHE_LINE_BYTES = 128;
/** One command is one cache line of 64 bytes: header and payload. */
export const COMMAND_RECORD_BYTES = 64;
export const COMMAND_HEADER_BYTES = 16;
export const COMMAND_PAYLOAD_BYTES_MAX = COMMAND_RECORD_BYTES - COMMAND_HEADER_BYTES;
/** 16,384 commands are 270 ms of 2,000 clients at 30 commands per second: longer than any stall we recover from. */
export const COMMAND_RING_RECORDS = 16384;
export const EVENT_RECORD_BYTES = 64;
export const EVENT_RING_RECORDS = 16384;
/** Frames of one tick thread: 8 MiB are 20 ticks of 2,000 clients at 200 bytes. */
export const FRAME_RING_BYTES = 8 * 1024 * 1024;
export const HANDOFF_RING_RECORDS = 1024;

// --- world ---
export const ZONES_MAX = 64;
export const TICK_THREADS_MAX = 32;
export const TICK_HZ_MIN = 10;
export const TICK_HZ_MAX = 128;
/** Ticks made up for in one go after a stall; what is beyond is skipped and counted. */
export const CATCH_UP_TICKS_MAX = 5;
/** Rows of one zone. Wire ids of a zone are drawn from a block of this size. */
export const ENTITIES_PER_ZONE_MAX = 131072;
export const GLOBALS_COUNT = 64;

// --- interest and replication ---
/** Entities one client can be told of at a time. */
export const KNOWN_ENTITIES_MAX = 512;
export const REPLICATED_FIELDS_MAX = 26;
/** A step of at most this many quanta per tick lets a client follow by the low 8 bits of a position ... */
export const SHORT_STEP_QUANTA_MAX = 7;
/** ... for this many ticks without an update: 7 * 18 = 126 stays within +-127. */
export const SHORT_AGE_TICKS_MAX = 18;
/** A faster step is followed by the low 16 bits; beyond this it is a teleport and all fields are sent anew. */
export const MID_STEP_QUANTA_MAX = 1820;
/** A keep-alive frame goes to a client for which nothing changed for this long. */
export const KEEP_ALIVE_MS = 1000;
/** Upper bound of one state frame, whatever the byte budget says. */
export const FRAME_BYTES_MAX = 16384;

// --- transport ---
export const CLIENTS_MAX_LIMIT = 65535;
export const CLIENT_MESSAGE_BYTES_MAX = 1024;
export const CLIENT_HEADER_BYTES = 8;
export const GAME_KIND_MIN = 256;
export const NAME_BYTES_MAX = 24;
export const TOKEN_BYTES_MAX = 768;

assert(SHORT_STEP_QUANTA_MAX * SHORT_AGE_TICKS_MAX <= 127, 'the 8-bit form of a position must not wrap');
assert(MID_STEP_QUANTA_MAX * SHORT_AGE_TICKS_MAX <= 32767, 'the 16-bit form of a position must not wrap');
assert((COMMAND_RING_RECORDS & (COMMAND_RING_RECORDS - 1)) === 0, 'ring sizes are powers of two');
assert((FRAME_RING_BYTES & (FRAME_RING_BYTES - 1)) === 0, 'ring sizes are powers of two');
assert(FRAME_BYTES_MAX * 4 < FRAME_RING_BYTES, 'the frame ring holds several of the largest frames');
assert(NAME_BYTES_MAX + TOKEN_BYTES_MAX + 128 <= CLIENT_MESSAGE_BYTES_MAX, 'a Join fits a client message');
assert(COMMAND_PAYLOAD_BYTES_MAX + CLIENT_HEADER_BYTES <= CLIENT_MESSAGE_BYTES_MAX, 'a command fits a client message');
