// Limits of shared memory: rings, the records in them, and tables.

import { assert } from '../base/assert.js';

/** Words of two writers this far apart never share a cache line, not even a pair that is prefetched together. */
export const CACHE_LINE_BYTES = 128;
/** Ring counters are 32 bits and wrap: their difference stays positive only while no ring is longer than 2^30. */
export const RING_BYTES_MAX = 2 ** 30;
/** One record takes at most half of it: 24 bytes of payload. */
export const BYTE_RING_BYTES_MIN = 64;
/** One command is one cache line of 64 bytes: header and payload. */
export const COMMAND_RECORD_BYTES = 64;
export const COMMAND_HEADER_BYTES = 16;
export const COMMAND_PAYLOAD_BYTES_MAX = COMMAND_RECORD_BYTES - COMMAND_HEADER_BYTES;
/** Of a command with a text; its length stands in one byte of its record. */
export const TEXT_COMMAND_PAYLOAD_BYTES_MAX = 240;
/** In a game that has such commands. */
export const TEXT_COMMAND_RECORD_BYTES = COMMAND_HEADER_BYTES + TEXT_COMMAND_PAYLOAD_BYTES_MAX;
/** Half as many as of the others, at twice the memory. */
export const TEXT_COMMAND_RING_RECORDS = 8192;
/** 16,384 commands are 270 ms of 2,000 clients at 30 commands per second: longer than any stall we recover from. */
export const COMMAND_RING_RECORDS = 16384;
export const EVENT_RECORD_BYTES = 64;
/** 100,000 events per second of one zone find room for 650 ms while the I/O thread is not given the processor. */
export const EVENT_RING_RECORDS = 65536;
/** More zones than this share the players, and so the load and the memory of rings: each ring is an eighth as long. */
export const LARGE_RINGS_ZONES_MAX = 8;
/** Frames of one tick thread: 8 MiB are 20 ticks of 2,000 clients at 200 bytes. */
export const FRAME_RING_BYTES = 8 * 1024 * 1024;
export const HANDOFF_RING_RECORDS = 1024;
/** Of a game with messages: 100,000 posts per second and their answers, and a tick that comes late. */
export const POSTING_RING_RECORDS = 4096;
/**
 * Between zones without a common border, where there are more than `LARGE_RINGS_ZONES_MAX`: nobody walks there. What jumps, ids
 * on their way home and news of crossings share it; 32 a tick are 1,900 per second, and what finds no room waits.
 */
export const FAR_HANDOFF_RING_RECORDS = 32;
/** Of a game with messages: as many as a zone may have under way to one of 64. */
export const FAR_POSTING_RING_RECORDS = 128;
/**
 * Ids of one zone that wait for room on their way home and are committed with the tick. More wait in the memory of the tick
 * thread, and are lost and counted should it die then: a handoff ring is full for some ticks at most.
 */
export const RETURNING_IDS_KEPT = 4096;
/**
 * A zone with more rows than this is copied at every commit without a look at whether anything moved: it takes 3 us to find
 * out with so many, and where that many are, something does.
 */
export const STILL_ROWS_MAX = 1024;
/** Stored players that join one zone within one tick: a zone empties its ring every tick. */
export const ARRIVAL_RING_RECORDS = 256;
/** 2,000 clients at 30 commands per second write 1 MB of journal per second: 8 s of a stalled I/O thread. */
export const JOURNAL_RING_BYTES = 8 * 1024 * 1024;
/** Of a zone without a journal: the ring is there and stays empty. */
export const JOURNAL_RING_BYTES_MIN = 64 * 1024;
/** Notes of one client that wait for its next frame: some fifteen lines of chat, or a hundred smaller ones. */
export const NOTE_QUEUE_BYTES = 2048;
/** Of one zone to many clients, in some ticks: a thousand lines of chat. A power of two, as counts of its bytes wrap. */
export const BROADCAST_LOG_BYTES = 64 * 1024;
/** Of one tick of one zone; what is told beyond it is told to nobody. */
export const BROADCAST_TICK_BYTES = BROADCAST_LOG_BYTES / 4;
/** Of a message from entity to entity; with its head it fits the smallest handoff record. */
export const POST_PAYLOAD_BYTES_MAX = 48;
/** Of one zone, that are not applied yet: three ticks of 100,000 per second, which is how long one over a border is kept. */
export const POSTS_MAX = 8192;
/** As many as a zone refuses within some ticks: all that recovery asks about. */
export const POST_REFUSALS_KEPT = 256;
/** Counters by type of event: more types than the games here have, at 4 KiB for both arrays. */
export const EVENT_TYPES_MAX = 256;
/** Reads of a committed block that are tried before the caller hears that the zone commits faster than it can read. */
export const HASH_ATTEMPTS_MAX = 4;
/** A player's id: a UUID has 36 bytes, a subject of somebody else's tokens rarely more than these. */
export const PLAYER_ID_BYTES_MAX = 64;
/** What is claimed of a player, as JSON: some roles and numbers. */
export const CLAIMS_BYTES_MAX = 256;
/** Looks at a record that main writes, which takes it 2 us: far more than that. */
export const IDENTITY_READS_MAX = 100_000;

assert((COMMAND_RING_RECORDS & (COMMAND_RING_RECORDS - 1)) === 0, 'ring sizes are powers of two');
assert((FRAME_RING_BYTES & (FRAME_RING_BYTES - 1)) === 0, 'ring sizes are powers of two');
assert((FAR_HANDOFF_RING_RECORDS & (FAR_HANDOFF_RING_RECORDS - 1)) === 0, 'ring sizes are powers of two');
assert((FAR_POSTING_RING_RECORDS & (FAR_POSTING_RING_RECORDS - 1)) === 0, 'ring sizes are powers of two');
assert((ARRIVAL_RING_RECORDS & (ARRIVAL_RING_RECORDS - 1)) === 0, 'ring sizes are powers of two');
