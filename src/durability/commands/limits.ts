// Limits of the commands of the platform.

import { assert } from '../../base/assert.js';
import { NOTICE_BYTES_MAX } from '../../protocol/limits.js';

/** One command is a small map: three texts of the largest size fit. */
export const PLATFORM_COMMAND_BYTES_MAX = 2048;
export const PLATFORM_ID_BYTES_MAX = 64;
/** Between two commits of the group: so many may come again after a crash. */
export const PLATFORM_BATCH_RECORDS_MAX = 50;
/** Commands that are known when they come again; each partition can bring its last batch again. */
export const PLATFORM_IDS_KEPT = 10000;
/** So long a zone has for its answer to a grant: a thread is replaced in far less. */
export const GRANT_ANSWER_MS_MAX = 5000;
/** One call of the store that keeps the ids of commands: what a command may wait for it. */
export const PLATFORM_STORE_MS_MAX = 2000;
/** Answers are kept in the store for thirty days. */
export const PLATFORM_ANSWERS_KEPT_MS = 30 * 24 * 3600 * 1000;
export const BANS_MAX = 10000;
/** Ten years. */
export const BAN_MINUTES_MAX = 5256000;
/** Rows of one page of a scan: some tens of KB. */
export const PLATFORM_PAGE_ROWS = 500;
/** Between two tries to load or to store bans: who is banned can come in meanwhile. */
export const BANS_RETRY_MS_MIN = 200;
export const BANS_RETRY_MS_MAX = 5000;

assert(PLATFORM_BATCH_RECORDS_MAX * 64 < PLATFORM_IDS_KEPT, 'a batch that comes again finds its ids kept');
assert(3 * NOTICE_BYTES_MAX < PLATFORM_COMMAND_BYTES_MAX, 'a text fits a command of the platform');
