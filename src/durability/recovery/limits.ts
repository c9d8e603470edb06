// Limits of a recovery.

import { assert } from '../../base/assert.js';
import { HOT_SNAPSHOT_TTL_MS } from '../snapshots/limits.js';

/** How long a store that does not answer is asked again: Redis and MongoDB take seconds to start on the same machine. */
export const STORES_WAIT_MS = 8000;
export const STORES_PAUSE_MS_MIN = 100;
export const STORES_PAUSE_MS_MAX = 1000;
/** A journal that was written to so shortly before the start is the end of the world: no store can know more. */
export const JOURNAL_CURRENT_MS = 60000;
/** Ticks are 32-bit integers. */
export const TICKS_END = 2 ** 31;
/** A world with less than a week of ticks left is not started: there would be no time to move its players. */
export const TICKS_LEFT_MIN_SECONDS = 7 * 24 * 3600;

/**
 * Zones whose journals end within this of each other go on from the earliest end, or from the latest state that one of them
 * begins with: who had left that zone before is in the others' journals alone. Farther apart, one of them is damaged or its
 * thread was down: then each goes as far as it can, for the others should not lose more than this.
 */
export const CUT_MS_MAX = 1000;
/** A journal may end so long before the oldest snapshot because it was not flushed yet. */
export const UNFLUSHED_MS_MAX = 250;
/** Between two log lines about a long replay. */
export const PROGRESS_MS = 2000;

/** Events are read from this long before a snapshot: their times and its time come from different clocks. */
export const EVENTS_MARGIN_MS = 10000;
/** About 130 bytes each while they wait for their turn: 260 MB. */
export const EVENTS_MAX = 2_000_000;
/** A long log is read for this long; what it has beyond is left out, and the start says so. */
export const EVENTS_READ_MS_MAX = 10000;

/** last-stored.json is a few hundred bytes per zone; what is larger was not written by this server. */
export const LAST_STORED_BYTES_MAX = 1 << 20;
/** A backup looks this often for segments that came meanwhile: a new one begins every minute, a round takes seconds. */
export const BACKUP_JOURNAL_ROUNDS_MAX = 10;
/** Worlds that began and were given up in a folder, of which records may be left in the cold store. */
export const WORLDS_EARLIER_MAX = 32;
/** Servers that ran in a folder: enough that the newest snapshot's is among them after many starts that stored nothing. */
export const WORLD_WRITERS_MAX = 256;

assert(STORES_WAIT_MS < HOT_SNAPSHOT_TTL_MS, 'a hot snapshot outlives the wait for its store');
