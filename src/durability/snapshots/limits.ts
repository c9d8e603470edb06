// Limits of snapshots and of the job pool that packs them.

import { assert } from '../../base/assert.js';
import { ENTITIES_PER_ZONE_MAX, ZONES_MAX } from '../../engine/limits.js';

export const HOT_SNAPSHOT_TTL_MS = 180000;
/** Of players who left while the hot store was away: ten thousand in the three minutes after which it forgets them itself. */
export const PLAYER_KEYS_GONE_MAX = 20000;
export const COLD_HISTORY_KEPT = 10;
export const SNAPSHOT_COPY_ATTEMPTS = 8;
/** Rows of a zone with its mirrored ones, as world-plan.ts lays them out. */
export const SNAPSHOT_ROWS_MAX = ENTITIES_PER_ZONE_MAX + ENTITIES_PER_ZONE_MAX / 4;
/** 1,638 bytes per row of the largest zone; the arena has 50. What claims to be larger is not unpacked. */
export const SNAPSHOT_BODY_BYTES_MAX = 256 * 1024 * 1024;
/** Names and types of columns: thousands of them. */
export const SNAPSHOT_HEADER_BYTES_MAX = 256 * 1024;
/** Copies of zones that wait for a job: twelve of 100,000 entities. */
export const SNAPSHOT_COPIES_BYTES_MAX = 64 * 1024 * 1024;
/** One snapshot of 100,000 entities is 10 ms of a processor every 5 s: a second thread would only be in the ticks' way. */
export const JOB_THREADS = 1;
/** Longer than the longest pause between two hot snapshots: the thread is there as long as there are any. */
export const JOB_IDLE_MS = 30000;
/** A hot, a cold and the last snapshot of every zone, at once. */
export const JOB_QUEUE_MAX = 3 * ZONES_MAX;
/** The largest snapshot takes half a second; the end of a server has 8.5 s for everything. */
export const JOB_MS_MAX = 5000;
/** Where ticks and jobs want the same processor, ticks get it. */
export const JOB_NICE = 10;
/** How long the last snapshots wait for those under way: a hot one would be written over, a history be out of order. */
export const SNAPSHOT_LAST_WAIT_MS = 2000;
/** How often the end looks whether a snapshot is still under way. */
export const PLAYERS_LAST_LOOK_MS = 5;
/** Players are encoded so many at a time: the journal and the events of the thread do not wait for all of them. */
export const PLAYERS_ENCODED_AT_ONCE = 64;
/** Unpacking takes memory in pieces of this size: few calls, and hardly more than is needed. */
export const SNAPSHOT_UNPACK_CHUNK_BYTES = 1024 * 1024;

assert(SNAPSHOT_BODY_BYTES_MAX < 2 ** 30, 'a snapshot fits one buffer');
