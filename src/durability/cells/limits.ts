// Limits of the records of cells in the cold store.

/** Cells that the I/O thread fetches, or stores, with one call. */
export const CELLS_PER_CALL = 64;
/** A record that no zone names any more goes after this many cold snapshots: one may be under way, two are newer. */
export const CELL_KEPT_SNAPSHOTS = 3;
/** Of so many worlds in a store, and of those that lived within so long, no records of cells go: thirty days. */
export const CELL_WORLDS_KEPT = 3;
export const CELL_WORLDS_KEPT_MS = 30 * 24 * 3600 * 1000;
/** Keys of one page, of the versions of a cell: more than a cell has but after a long outage. */
export const CELL_PAGE_KEYS = 1000;
/** Cleaning is not urgent: versions go after minutes at the earliest. */
export const CELLS_CLEAN_EVERY_MS = 5000;
/** Cells that are searched for what a crash left, at one time. */
export const CELL_SEARCHES_PER_RUN = 32;
/** So often a failure that lasts is said again. */
export const CELLS_SAY_EVERY_MS = 10000;
/** After a call that failed; doubled up to the longest: players wait for what they see. */
export const CELL_RETRY_MS_MIN = 100;
export const CELL_RETRY_MS_MAX = 2000;
/** Worlds of one page: more than a store has. */
export const CELL_WORLDS_PAGE_ROWS = 500;
/** Keys that are read to find the next world. */
export const CELL_WORLDS_PAGE_KEYS = 100;
/** Records of a world that is given up, deleted with one call: the cells that players need come between. */
export const CELL_WORLDS_DROPPED_PER_CALL = 256;
/** Versions that one millisecond has; a server that starts later begins above all that an earlier one gave out. */
export const CELL_VERSIONS_PER_MS = 1024;
