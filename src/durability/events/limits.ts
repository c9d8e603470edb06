// Limits of events on their way to the log.

/** While the log is away events go to the disk in writes this far apart, so that a kill costs no more than the journal's does. */
export const EVENTS_UNKEPT_MS = 60;
/** A log that has not answered for so long may be away; a busy machine makes it slow by nearly as much. */
export const LOG_SILENT_MS = 250;
/** Events in memory behind a log that answers, but takes too few: at 20,000 per second, ten seconds. More go to the disk. */
export const EVENTS_WAITING_MAX = 200000;
/** So many more wait in memory while the disk is slow or takes none; beyond it the oldest go. */
export const EVENTS_SPILLING_MAX = 100000;
export const EVENTS_PER_APPEND_MAX = 5000;
/** Of the spool on the disk: ten minutes at 20,000 events per second are 12 million, of at most 265 bytes here. */
export const SPOOL_BYTES_MAX = 3 * 2 ** 30;
/** Events that leave the spool per second, beside as many as arrive: the I/O thread has the rings to empty too. */
export const SPOOL_DRAIN_PER_SECOND = 40000;
/**
 * Of a log that may answer yet, more than so many wait in memory for a while before they go to the disk: where more come
 * than leave the spool again, the way over the disk would never end.
 */
export const EVENTS_FEW_MAX = (SPOOL_DRAIN_PER_SECOND * LOG_SILENT_MS) / 1000;
/** For so long, measured once per this time: an event may have waited for twice as long. */
export const EVENTS_HELD_MS = 1000;
/** A snapshot is held back for so long at most, for events of its ticks that are in memory alone. */
export const EVENTS_KEPT_MS_MAX = 3000;
/** The I/O thread empties the event rings this often: a ring of 65,536 holds four million events per second of it. */
export const IO_BEAT_MS = 15;
/** After a try that the log or the spool refused; doubled up to the longest: a log that is back is found within seconds. */
export const EVENTS_RETRY_MS_MIN = 100;
export const EVENTS_RETRY_MS_MAX = 5000;
/** How often the flush at a stop looks whether something has moved: little beside the seconds that it has. */
export const FLUSH_LOOK_MS = 5;
/** How often a start looks after a log that gives no sign: small beside the seconds that it waits. */
export const LOG_LOOK_MS = 100;
/** A log that answers at once would leave no time to anything else: after so long, other work gets its turn. */
export const LOG_BREATH_MS = 50;
/** A person who watches a start sees a line this often. */
export const LOG_PROGRESS_MS = 2000;
/** Between two tries of a start to read the log: several fit into the seconds that it waits. */
export const LOG_RETRY_MS_MIN = 100;
export const LOG_RETRY_MS_MAX = 1000;
/** A look takes microseconds and a ring moves once per tick: a third one is rare. After this many, events wait. */
export const EVENT_RINGS_LOOKS_MAX = 16;
/** Entities come again and again, so their names are kept; forgotten all at once beyond this: a few MiB. */
export const EVENT_NAMES_KEPT_MAX = 65536;
/** A sequence takes more until it has so many: 3 GiB of events of 137 bytes are then at most 90,000 rows. */
export const SPOOL_SEQUENCE_EVENTS_MIN = 512;
/** Encoded events share buffers of this size: hundreds of them each, which go when the last of those has gone. */
export const EVENT_SLAB_BYTES = 65536;
/** Of an event beside what is kept ready: an id of at most 41 bytes, two names of entities, six numbers, and their heads. */
export const EVENT_VARIABLE_BYTES_MAX = 160;
