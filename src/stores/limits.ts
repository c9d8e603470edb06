// Limits of the stores, which hold for every implementation.

import { assert } from '../base/assert.js';

/** A value of the event log; anything larger belongs into a store, with an event that names it. */
export const LOG_RECORD_BYTES_MAX = 768 * 1024;
export const LOG_KEY_BYTES_MAX = 1024;
/** One write to the log. Kafka takes 1 MiB per partition and request by default, and all of a write may be one partition's. */
export const LOG_WRITE_BYTES_MAX = 896 * 1024;
/** A write of the smallest events: its bytes bound it sooner, and its records in a request to Kafka stay a bounded work. */
export const LOG_WRITE_RECORDS_MAX = 8192;
/** Appends that wait for the log: 64 MiB are 3 s of 100,000 events of 200 bytes per second. Beyond it, callers spool. */
export const LOG_OUTBOX_BYTES_MAX = 64 * 1024 * 1024;
export const LOG_TOPICS_MAX = 4096;
export const LOG_PARTITIONS_MAX = 1024;
export const LOG_BATCH_RECORDS_MAX = 1000;
/** Keys of stores and ids of snapshots. The embedded database takes keys of 1,978 bytes, ours and what we put around it. */
export const STORE_KEY_BYTES_MAX = 1024;
/** MongoDB takes documents of 16 MB: a snapshot is cut into pieces of this size. */
export const SNAPSHOT_PIECE_BYTES = 8 * 1024 * 1024;
/** A backend that has not answered a call for this long is slow: well above a flush to a busy disk, and named within 2 s. */
export const SLOW_CALL_MS = 1000;
/** A port that is closed has this long to write what waits. */
export const CLOSE_GRACE_MS = 5000;

assert(LOG_RECORD_BYTES_MAX + LOG_KEY_BYTES_MAX + 1024 <= LOG_WRITE_BYTES_MAX, 'the largest record fits one write');
assert(LOG_WRITE_BYTES_MAX + 64 * 1024 < 1024 * 1024, 'one write fits what a Kafka broker takes by default');
