// Limits of the process and its threads.

/** Open files beside the clients' sockets: listening and refused sockets, threads, the module files, logs, storage. */
export const FILE_DESCRIPTORS_RESERVED = 512;

/** Of log lines that found no room, kept until there is some: some thousand. Further ones are lost. */
export const LOG_WAITING_BYTES_MAX = 1 << 20;
/** A stop that takes longer than this is ended by force. More than all that a stop waits for, one after the other. */
export const STOP_MS_MAX = 10000;
/** One Ctrl-C may come twice, from the terminal and from npm. What comes later is a person who asks again. */
export const SAME_SIGNAL_MS = 1000;

// --- the commands new and dev ---

/** As of the name of a package, with room for a path around it. */
export const GAME_NAME_LENGTH_MAX = 64;
/** Of npm install in a new game: a dozen packages from a cache or over a slow line. */
export const INSTALL_MS_MAX = 120000;
/** How often dev looks for saved files: soon for a person, and little work for a few hundred files. */
export const DEV_POLL_MS = 200;
/** Files that dev looks at: the sources, pages and pictures of a large game. Further ones are not watched. */
export const DEV_FILES_MAX = 5000;
/** Of a server that dev stops: what the server allows itself, and half of that again. */
export const DEV_STOP_MS_MAX = 15000;

/** A run without a terminal says this often how far it is. */
export const PROGRESS_LINE_MS = 5000;
/** Percentiles in /healthz are over the last this many seconds: enough ticks for a p99, and soon past a stall. */
export const HEALTH_WINDOW_SECONDS = 10;
/** How far client ids leap at a start, at random: nobody knows which ids the last server gave out after its last snapshot. */
export const GENERATION_LEAP_MAX = 2 ** 24;

// --- the watch over tick threads ---

/** Main looks at the heartbeats this often within --hang-ms, so a thread that hangs is found at most a tenth later. */
export const WATCHES_PER_HANG = 10;
/** But not more often than this, which is a small part of the smallest --hang-ms, 50, nor more seldom. */
export const WATCH_MS_MIN = 20;
export const WATCH_MS_MAX = 50;
/** A look that comes this late says that main itself stood still, so that nobody is judged by it. Four looks at least. */
export const WATCH_LATE_MS = 200;
/** For loading the game and attaching, before a thread counts as hung: seconds on a busy machine. */
export const TICK_THREAD_START_MS_MAX = 15000;
/** Before the nth replacement in a row: one accident costs nothing, a bug that returns at once must not take a core. */
export const TICK_THREAD_BACKOFF_MS = [0, 0, 100, 500, 2000, 5000];
/** A thread that ran for this long has recovered: its next failure is the first in a row again. */
export const TICK_THREAD_HEALTHY_MS = 10000;
/** From this many failures in a row on the server says that it is not ready: two were replaced without a pause. */
export const TICK_THREAD_UNREADY_FAILURES = 4;
/** Of a stop, for a thread to end between two ticks: many times the longest tick. */
export const TICK_THREAD_STOP_MS_MAX = 2000;
/** For a thread that was given up to end. A busy one ends within milliseconds; what takes longer is stuck in the system. */
export const TICK_THREAD_END_MS_MAX = 2000;

// --- ticks ---

/** After so many ticks without a frame main is woken all the same: ten times a second at 60 ticks. */
export const MAIN_ASLEEP_TICKS_MAX = 6;
/** How often a tick thread tells main of late ticks, in a sum. */
export const OVERRUN_REPORT_MS = 1000;
/** Sleeps between ticks are cut into pieces of this length, so that a heartbeat shows even at 10 ticks per second. */
export const TICK_SLEEP_MS_MAX = 50;

// --- the watch over what the I/O thread works with ---

/** How often it looks: a backend that hangs is named within 2 s, of which its port may take most. */
export const IO_WATCH_MS = 250;
/** A journal without a new tick for so long hangs: its slowest write is every 10 s, and then it is that and 5 s more. */
export const JOURNAL_SILENT_MS = 15000;

// --- the I/O thread's start and replacement ---

/** Before another one begins: what ended it may end the next one at once. Event rings hold more than a second. */
export const IO_RESTART_MS = 1000;
/** Of a stop, in all, for the I/O thread: less than the whole stop may take. */
export const IO_STOP_MS_MAX = 8500;
/** For loading its code, and for opening its stores. */
export const IO_START_MS_MAX = 15000;
/** How long a start waits for the bans of earlier servers. */
export const BANS_MS_MAX = 3000;

// --- the I/O thread's beats ---

/**
 * The event rings are emptied this often while no event comes: nothing of a tick is older then than with a journal that is
 * written every 50 ms, and a ring has room for a million events per second. When one came, it is IO_BEAT_MS again.
 */
export const IO_QUIET_BEAT_MS = 50;
/** Beats without an event before that: half a second, so that a world in which something happens is not told late. */
export const IO_QUIET_BEATS = 33;

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
