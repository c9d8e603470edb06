// Limits of what waits in a zone for its clients.

/**
 * Main hears that a client moves a moment before its entity is here; what comes for it meanwhile waits for this long, and so
 * does a command while an earlier one of its client is under way.
 */
export const ARRIVAL_TICKS_MAX = 8;
/** Commands of one zone that wait for a later tick: half a second of 2,000 clients at 30 per second is 30,000. */
export const COMMANDS_WAITING_MAX = 32768;
/** Orders about clients that are not here yet: eight ticks in each of which 1,024 clients leave on their way over a border. */
export const EARLY_ORDERS_MAX = 8192;
/** Orders on their way after clients, while the handoff ring is full: several times that ring. */
export const LATE_ORDERS_MAX = 4096;
/** Notices to main that wait for room in the frame ring: two about every client of a full server. */
export const NOTICES_WAITING_MAX = 8192;

/** An entity that a spectator follows and that is not seen for so long is looked for in the zone that main knows it to be in. */
export const WATCH_LOST_SECONDS = 1;
