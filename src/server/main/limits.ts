// Limits of main's part in the world.

/** Between two slices sockets are read, so that sending to thousands does not hold up what they say. */
export const FRAMES_PER_SLICE = 1024;
/**
 * Leaves of one zone that wait for room in its order ring. The ring has room for two orders about every client, so this
 * many wait only where the zone's thread is down while clients come and go: then joins to it are refused first.
 */
export const LEAVES_WAITING_MAX = 8192;
/** Files of a game that its code hash covers: far more than a game by hand has, and read in a moment at the start. */
export const CODE_FILES_MAX = 1000;
export const CODE_BYTES_MAX = 16 << 20;
/** 64 bits: enough to tell versions of one game apart, and short enough for a log line. */
export const CODE_HASH_DIGITS = 16;
export const CODE_NOTES_MAX = 8;
/** A player who waits to be let in waits no longer than this for the hot store. */
export const PLAYER_FIND_MS_MAX = 500;
