// Limits of the records of cells in the cold store.

/** Cells that the I/O thread fetches, or stores, with one call. */
export const CELLS_PER_CALL = 64;
/** A record that no zone names any more goes after this many cold snapshots: one may be under way, two are newer. */
export const CELL_KEPT_SNAPSHOTS = 3;
/** Of so many worlds in a store, and of those that lived within so long, no records of cells go: thirty days. */
export const CELL_WORLDS_KEPT = 3;
export const CELL_WORLDS_KEPT_MS = 30 * 24 * 3600 * 1000;
