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
/** How often a consumer of the embedded log looks for what other threads and processes have appended. */
export const EMBEDDED_POLL_MS = 50;
/** And how often after it has found nothing for EMBEDDED_QUIET_POLLS times in a row, which is two seconds. */
export const EMBEDDED_QUIET_POLL_MS = 200;
export const EMBEDDED_QUIET_POLLS = 40;
/** After an error of such a consumer; doubled up to the longest. */
export const EMBEDDED_RETRY_MS_MIN = 100;
export const EMBEDDED_RETRY_MS_MAX = 5000;
/** Chunks that one transaction of the embedded log's retention drops, so that appends never wait long for it. */
export const TRIM_CHUNKS_MAX = 64;
/** Another process may write while the file is walked: what was found is then looked at again, so often. */
export const EMBEDDED_WALKS_MAX = 5;
/** Expired rows of the embedded hot store are removed this often. A read skips them before that. */
export const SWEEP_EVERY_MS = 5000;
/** Rows that one such transaction removes: a few milliseconds in which nobody else can write. */
export const SWEEP_ROWS_MAX = 1000;
/** LMDB's own limit for pages of 4 KiB. */
export const EMBEDDED_KEY_BYTES_MAX = 1978;
/** Tables of one embedded database; fixed when it is opened. Some ten are used. */
export const EMBEDDED_TABLES_MAX = 64;
/** An I/O error on a disk with less room than this counts as a full disk: LMDB names both alike. */
export const DISK_FREE_BYTES_MIN = 1024 * 1024;
/** After a write has failed, between two looks whether that much can be written: the play's spool has room for far longer. */
export const DISK_PROBE_MS = 250;
/** Between two tries to reach Kafka; doubled up to the longest: a broker that is back is found within seconds. */
export const KAFKA_BACKOFF_MS_MIN = 100;
export const KAFKA_BACKOFF_MS_MAX = 5000;
/** A broker that has nothing new answers a fetch after this time. */
export const KAFKA_FETCH_WAIT_MS = 500;
/** Sequence numbers are 32 bits and kafkajs wraps them wrongly: a producer is replaced long before. */
export const RECORDS_PER_PRODUCER_MAX = 2 ** 29;
/** Differences of times in a batch: zigzag varints are computed in 32 bits. */
export const KAFKA_DELTA_MAX = 2 ** 30;
/** Bytes of a record beside its key and value: six varints, attributes, headers. */
export const KAFKA_RECORD_OVERHEAD_MAX = 32;
/** Bytes of one UTF-16 code unit as UTF-8. */
export const UTF8_BYTES_MAX = 3;
/** Memory in which a request to Kafka is encoded, used again; what is larger than the most is made for once. */
export const PRODUCE_SCRATCH_BYTES_MIN = 65536;
export const PRODUCE_SCRATCH_BYTES_MAX = 4 << 20;
/** Pieces of such memory that are kept: requests under way at one time are few. */
export const PRODUCE_SCRATCHES_MAX = 4;
/** Two writers of one id may meet on a sequence of MongoDB; the loser takes the next. */
export const SAVE_ATTEMPTS_MAX = 5;
/** Keys whose partition is kept: most look-ups cost a map instead of a hash. Forgotten all at once beyond this. */
export const PARTITION_KEYS_CACHED_MAX = 65536;
/** Between two tries to reach Redis, grown up to the longest. */
export const REDIS_RECONNECT_MS_MIN = 100;
export const REDIS_RECONNECT_MS_MAX = 2000;
/** One pipeline carries at most this much, so that a large set does not sit in memory twice. */
export const REDIS_PIPELINE_BYTES_MAX = 8 * 1024 * 1024;

assert(LOG_RECORD_BYTES_MAX + LOG_KEY_BYTES_MAX + 1024 <= LOG_WRITE_BYTES_MAX, 'the largest record fits one write');
assert(LOG_WRITE_BYTES_MAX + 64 * 1024 < 1024 * 1024, 'one write fits what a Kafka broker takes by default');
