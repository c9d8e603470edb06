// Limits of checkpoints.

/** One write of checkpoints: rows of the arena take 100 bytes, so that 1,000 are well below what any store takes at once. */
export const CHECKPOINT_BATCH_ROWS_MAX = 1000;
export const CHECKPOINT_BATCH_BYTES_MAX = 1024 * 1024;
/** Worlds whose checkpoints are kept, the one that lives among them. */
export const CHECKPOINT_WORLDS_KEPT = 3;
/** Rows of one page of a scan: 100 KB of the arena. */
export const CHECKPOINT_PAGE_ROWS = 1000;
/** After a batch that failed; doubled up to the longest, which is one period of checkpoints. */
export const CHECKPOINT_PAUSE_MS_MIN = 250;
export const CHECKPOINT_PAUSE_MS_MAX = 10000;
/**
 * After the store has answered again. A call of 15 s that was given up goes on in the driver of MongoDB: it may be sent
 * once more on another connection, which is found and used within 33 s. And a server that stood still does what it had
 * been sent before when it goes on.
 */
export const CHECKPOINT_LATE_MS = 60000;
