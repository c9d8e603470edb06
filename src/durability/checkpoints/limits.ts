// Limits of checkpoints.

/** One write of checkpoints: rows of the arena take 100 bytes, so that 1,000 are well below what any store takes at once. */
export const CHECKPOINT_BATCH_ROWS_MAX = 1000;
export const CHECKPOINT_BATCH_BYTES_MAX = 1024 * 1024;
/** Worlds whose checkpoints are kept, the one that lives among them. */
export const CHECKPOINT_WORLDS_KEPT = 3;
