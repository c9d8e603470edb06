// Limits of the process and its threads.

/** Open files beside the clients' sockets: listening and refused sockets, threads, the module files, logs, storage. */
export const FILE_DESCRIPTORS_RESERVED = 512;

// --- a stop of the I/O thread ---

/** For events that the log has not taken; the rest goes to the spool. */
export const STOP_FLUSH_MS_MAX = 2500;
/** For a group whose log does not answer to let us go: its broker forgets us by itself. */
export const STOP_LEAVE_MS_MAX = 2000;
/** For checkpoints that the cold store has not taken: the next start writes them. */
export const STOP_CHECKPOINT_MS_MAX = 2500;
/** For the last snapshots. With the times to release and to close, less than IO_STOP_MS_MAX. */
export const STOP_SNAPSHOT_MS_MAX = 5500;
/** For leases: one that is not given back expires. */
export const STOP_RELEASE_MS_MAX = 500;
/** For connections of the stores to close. */
export const STOP_CLOSE_MS_MAX = 2000;
