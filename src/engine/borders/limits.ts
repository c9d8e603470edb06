// Limits of what passes between zones.

/** An entity crosses when it is this far beyond the border, so that one walking along it does not go back and forth. */
export const CROSSING_MARGIN = 0.5;
/** A mirror whose entity is not shown stays this long: threads are at most a tick apart, and a handoff takes one more. */
export const MIRROR_GRACE_TICKS = 4;
/** A read takes well under a tick, and fails when the reader is not given the processor for a whole one: three in a row are rare. */
export const MIRROR_READS_MAX = 3;
