// Limits of the journal.

import { assert } from '../../base/assert.js';

/** A segment of the journal is this long: so much is run again at most when hot snapshots are lost. */
export const JOURNAL_SEGMENT_MS = 60000;
/** Or has so much behind its states: a start reads it whole, for what a hot snapshot of seconds ago does not have. */
export const JOURNAL_SEGMENT_BYTES_MAX = 256 * 1024 * 1024;
/** Where no new segment can begin, the present one goes on up to here, states included: Node reads files below 2 GiB. */
export const JOURNAL_FILE_BYTES_MAX = 1536 * 1024 * 1024;
/** What comes while a new segment's states are written waits for it in memory: 64 MiB is seconds of the busiest world. */
export const JOURNAL_HELD_BYTES_MAX = 64 * 1024 * 1024;
/** Of all journals in a data folder: an hour of 2,000 clients. */
export const JOURNAL_BYTES_MAX = 4 * 2 ** 30;
/** After a write that failed; doubled up to the longest: a disk that has room again is found within seconds. */
export const JOURNAL_RETRY_MS_MIN = 100;
export const JOURNAL_RETRY_MS_MAX = 5000;
/** Between segments that gaps ask for. The states of all zones are what a gap costs, and may be what makes the next. */
export const JOURNAL_GAP_PAUSE_MS_MIN = 1000;

assert(JOURNAL_SEGMENT_BYTES_MAX < JOURNAL_FILE_BYTES_MAX, 'a segment has room beside its states');
assert(2 * JOURNAL_FILE_BYTES_MAX < JOURNAL_BYTES_MAX, 'the two segments that stay fit what all may take');
