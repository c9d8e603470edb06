// Every limit of the engine, with the relations between limits asserted at the end. Settings that people may change
// are in config.ts; what stands here is a property of the code.

import { assert } from './assert.js';

// --- memory ---
/** Two writers' words this far apart never share a cache line, prefetched pairs included. */
export const CACHE_LINE_BYTES = 128;
/** Ring counters are 32 bits and wrap: their difference stays positive only while no ring is longer than 2^30. */
export const RING_BYTES_MAX = 2 ** 30;
/** One command is one cache line of 64 bytes: header and payload. */
export const COMMAND_RECORD_BYTES = 64;
export const COMMAND_HEADER_BYTES = 16;
export const COMMAND_PAYLOAD_BYTES_MAX = COMMAND_RECORD_BYTES - COMMAND_HEADER_BYTES;
/** 16,384 commands are 270 ms of 2,000 clients at 30 commands per second: longer than any stall we recover from. */
export const COMMAND_RING_RECORDS = 16384;
export const EVENT_RECORD_BYTES = 64;
/** 100,000 events per second of one zone find room for 650 ms while the I/O thread is not given the processor. */
export const EVENT_RING_RECORDS = 65536;
/** Where there are more zones than this, they share players, events and memory: their rings are an eighth. */
export const LARGE_RINGS_ZONES_MAX = 8;
/** Frames of one tick thread: 8 MiB are 20 ticks of 2,000 clients at 200 bytes. */
export const FRAME_RING_BYTES = 8 * 1024 * 1024;
export const HANDOFF_RING_RECORDS = 1024;
/** Players on their way from the store to one zone; a zone empties its ring every tick. */
export const ARRIVAL_RING_RECORDS = 256;
/** 2,000 clients at 30 commands per second are 1 MB per second: a stall of the I/O thread of 8 s. */
export const JOURNAL_RING_BYTES = 8 * 1024 * 1024;
/** Of a zone without a journal. */
export const JOURNAL_RING_BYTES_MIN = 64 * 1024;

// --- world ---
export const ZONES_MAX = 64;
export const TICK_THREADS_MAX = 32;
export const TICK_HZ_MIN = 10;
export const TICK_HZ_MAX = 128;
/** Ticks made up for in one go after a stall; what is beyond is skipped and counted. */
export const CATCH_UP_TICKS_MAX = 5;
/** Rows of one zone. Wire ids of a zone are drawn from a block of this size. */
export const ENTITIES_PER_ZONE_MAX = 131072;
export const GLOBALS_COUNT = 64;
export const WORLD_SIDE_MIN = 16;
/** Positions are f32: at 65,536 units they still lie 1/256 of a unit apart, finer than the wire tells them. */
export const WORLD_SIDE_MAX = 8192;
/** So wide is a zone that has a neighbour: what is seen across its two borders stays the smaller part of it. */
export const ZONE_EDGE_VIEW_RADII_MIN = 4;
/** Cells of a whole world: each zone keeps a word about each of them. */
export const CELLS_MAX = 65536;
/** Events and entities that wait in a zone for cold cells; a zone brings cells in for them from half of it on. */
export const CELL_QUEUE_RECORDS = 2048;
/** Rows from cold cells that a zone takes in within one tick: 1,024 are about half a millisecond. */
export const CELL_ROWS_PER_TICK = 1024;
/** Rows that the I/O thread hands to a zone as one record, where they are small. */
export const CELL_CHUNK_ROWS = 128;
/** Of larger rows a record holds fewer. */
export const CELL_CHUNK_BYTES_MAX = 32 * 1024;
/** Of what rests: a thousand numbers. The queue of a zone has room for 2,048 rows, 16 MiB of these. */
export const CELL_ROW_BYTES_MAX = 8192;
/** Between the I/O thread and one zone: some 4,000 rows of 60 bytes. */
export const CELL_RING_BYTES = 256 * 1024;
/** Every so many ticks a zone looks which of its cells are wanted. */
export const CELL_LOOK_TICKS = 4;
/** Cells that one zone begins to load, and to give up, at one look. */
export const CELLS_BEGUN_PER_LOOK = 8;
/** Cells of one zone on their way to the store: when it is down, no more than these stand still. */
export const CELLS_EVICTING_MAX = 32;
/** A cell is wanted this long before somebody who goes on as he goes now would see it. */
export const CELL_PREFETCH_SECONDS = 1.5;
/** Beyond what is seen, as a share of the view radius: who stands and then turns has this far to go. */
export const CELL_MARGIN_SHARE = 0.25;
/** A join waits this long for the cells around it, then goes on without them. */
export const CELL_JOIN_WAIT_SECONDS = 1;
/** Part of a zone's rows that may rest: there must be room for those who play. */
export const CELL_ROWS_SHARE = 0.75;
/** Loads are counted by how many ticks they took, up to this. */
export const CELL_LOAD_TICKS_MAX = 256;
/** Cells that the I/O thread fetches, or stores, with one call. */
export const CELLS_PER_CALL = 64;
/** A record that no zone names any more goes after this many cold snapshots: one may be under way, two are newer. */
export const CELL_KEPT_SNAPSHOTS = 3;
/** Of so many worlds in a store, and of those that lived within so long, no records of cells go: thirty days. */
export const CELL_WORLDS_KEPT = 3;
export const CELL_WORLDS_KEPT_MS = 30 * 24 * 3600 * 1000;
/** A thread that is merely late is not taken for one that hangs. */
export const HANG_TICKS_MIN = 3;

// --- interest and replication ---
/** Entities in view stay in view up to this much farther than where they came into it. */
export const LEAVE_RADIUS_FACTOR = 1.125;
/** Entities one client can be told of at a time. */
export const KNOWN_ENTITIES_MAX = 512;
export const REPLICATED_FIELDS_MAX = 26;
/** A step of at most this many quanta per tick lets a client follow by the low 8 bits of a position ... */
export const SHORT_STEP_QUANTA_MAX = 7;
/** ... for this many ticks without an update: 7 * 18 = 126 stays within +-127. */
export const SHORT_AGE_TICKS_MAX = 18;
/** A faster step is followed by the low 16 bits; beyond this it is a teleport and all fields are sent anew. */
export const MID_STEP_QUANTA_MAX = 1820;
/** With short steps only, the low 16 bits do for this long without an update. */
export const MID_AGE_TICKS_MAX = 4096;
/** A keep-alive frame goes to a client for which nothing changed for this long. */
export const KEEP_ALIVE_MS = 1000;
/** Frames of one client between its zone and main: one being delivered, one being made. More would be a backlog. */
export const FRAMES_IN_FLIGHT_MAX = 2;
/** Upper bound of one state frame, whatever the byte budget says. */
export const FRAME_BYTES_MAX = 16384;
/** So much must the byte budget leave for one update: a frame's head and some twenty moving entities. */
export const UPDATE_BYTES_MIN = 128;

/** 2^8 x 2^8 leaves: a leaf number is 16 bits, and the table of leaf starts (256 KiB) stays in a core's own cache. */
export const QUADTREE_LEVEL_MAX = 8;

// --- transport ---
export const CLIENTS_MAX_LIMIT = 65535;
/** Of a session, for those outside: the epoch of its index, which no other session of the server has. */
export const CLIENT_ID_MAX = 0x7fffffff;
export const CLIENT_MESSAGE_BYTES_MAX = 1024;
export const CLIENT_HEADER_BYTES = 8;
export const GAME_KIND_MIN = 256;
export const NAME_BYTES_MAX = 24;
export const TOKEN_BYTES_MAX = 768;
/** Resume tokens are good for so long; with every Welcome comes a new one. */
export const RESUME_TOKEN_MS = 7 * 24 * 3600 * 1000;
/** Names that a Welcome carries: of the game, its kinds, fields and commands. */
export const WIRE_NAME_BYTES_MAX = 64;
export const WIRE_KINDS_MAX = 256;
export const WIRE_COMMANDS_MAX = 256;
export const NOTICE_BYTES_MAX = 512;
/** What a client holds of a server that tells it of more and more; far above what an honest one may tell. */
export const DECODED_ENTITIES_MAX = 16 * KNOWN_ENTITIES_MAX;

// --- sockets and sessions ---
/** Connections to a full server of which some clients are absent, until they have said whether they are these. */
export const ANTEROOM_SESSIONS = 256;
/** The net side looks at its sessions this often: timeouts, late pongs, the sends that are spread. */
export const NET_BEAT_MS = 50;
export const PING_PERIOD_MS = 2000;
/** A ping unanswered for this long says that what we write is piling up somewhere on the way. */
export const PONG_LATE_MS = 1500;
/** Bytes that one socket may keep waiting in this process before its client gets no more. */
export const SOCKET_BACKLOG_BYTES_MAX = 64 * 1024;
/** After a close frame the peer has this long to answer it; then the socket is destroyed. */
export const CLOSE_DEADLINE_MS = 1000;
export const HANDSHAKE_TIMEOUT_MS = 5000;
export const HANDSHAKE_HEADER_BYTES_MAX = 8192;
/** Connections that are no WebSocket (yet); never fewer than clientsMax, so that a full house can come at once. */
export const HANDSHAKES_PENDING_MIN = 1024;
/** Connections that are only there to be told why they are not let in. */
export const REFUSALS_PENDING_MAX = 256;
export const MESSAGE_FRAGMENTS_MAX = 16;
/** Pieces in which one message may arrive: 64 pieces of 16 bytes are the largest message. */
export const MESSAGE_CHUNKS_MAX = 64;
/** Pings of one client; browsers send none. */
export const CLIENT_PINGS_PER_SECOND = 10;
/** Rejects of one client that are answered; the rest is only counted, so that a flood buys no flood. */
export const REJECT_ANSWERS_PER_SECOND = 20;
/** A full frame is the dearest thing a client can ask for. */
export const RESYNC_INTERVAL_MS = 250;
/** How long the net side waits for a full frame it has asked for, before it asks again. */
export const RESYNC_RETRY_MS = 1000;
/** Points within the window that end a session: 50 plain violations, or 400 that haste alone can explain. */
export const VIOLATION_WINDOW_MS = 10000;
export const VIOLATION_POINTS_MAX = 400;
export const VIOLATION_POINTS = 8;
export const HASTE_POINTS = 1;

// --- what lasts ---
/** A value of the event log; anything larger belongs into a store, with an event that names it. */
export const LOG_RECORD_BYTES_MAX = 768 * 1024;
export const LOG_KEY_BYTES_MAX = 1024;
/** One write to the log. Kafka takes 1 MiB per partition and request by default, and all of a write may be one partition's. */
export const LOG_WRITE_BYTES_MAX = 896 * 1024;
/** A write of the smallest events: its bytes bound it sooner, and its records in a request to Kafka stay a bounded work. */
export const LOG_WRITE_RECORDS_MAX = 8192;
/** Appends that wait for the log: 64 MiB are 3 s of 100,000 events of 200 bytes per second. Beyond it, callers spool. */
export const LOG_OUTBOX_BYTES_MAX = 64 * 1024 * 1024;
export const LOG_TOPICS_MAX = 4096;
export const LOG_PARTITIONS_MAX = 1024;
export const LOG_BATCH_RECORDS_MAX = 1000;
/** Keys of stores and ids of snapshots. The embedded database takes keys of 1,978 bytes, ours and what we put around it. */
export const STORE_KEY_BYTES_MAX = 1024;
/** MongoDB takes documents of 16 MB: a snapshot is cut into pieces of this size. */
export const SNAPSHOT_PIECE_BYTES = 8 * 1024 * 1024;
/** A port that is closed has this long to write what waits. */
export const CLOSE_GRACE_MS = 5000;

// --- process ---
/** Open files beside the clients' sockets: listening and refused sockets, threads, the module files, logs, storage. */
export const FILE_DESCRIPTORS_RESERVED = 512;
/** A lock file without a name in it is taken for one that is being written for this long. */
export const LOCK_SETTLE_MS = 2000;
/** A server shows those of other containers and hosts this often that it lives. */
export const LOCK_RENEW_MS = 500;
/** Without a sign of life for this long, it does not. */
export const LOCK_STALE_MS = 5000;
assert(LOCK_STALE_MS >= 8 * LOCK_RENEW_MS, 'a server that is slow for a moment keeps its data folder');

// --- what lasts ---
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
/** A segment of the journal is this long: so much is run again at most when hot snapshots are lost. */
export const JOURNAL_SEGMENT_MS = 60000;
/** Or has so much behind its states: a start reads it whole, for what a hot snapshot of seconds ago does not have. */
export const JOURNAL_SEGMENT_BYTES_MAX = 256 * 1024 * 1024;
/** Where no new segment can begin, the present one goes on up to here, states included: Node reads files below 2 GiB. */
export const JOURNAL_FILE_BYTES_MAX = 1536 * 1024 * 1024;
/** What comes while a new segment's states are written waits for it in memory: 64 MiB is seconds of the busiest world. */
export const JOURNAL_HELD_BYTES_MAX = 64 * 1024 * 1024;
/** Of all journals in a data folder: an hour of 2,000 clients. */
export const JOURNAL_BYTES_MAX = 4 * 2 ** 30;
export const HOT_SNAPSHOT_TTL_MS = 180000;
/** A server whose lease has not been renewed for so long counts as gone: what the next one waits after a kill. */
export const LEASE_TTL_MS = 8000;
export const LEASE_RENEW_MS = 2000;
export const LEASE_SETTLE_MS = 200;
/** Of players who left while the hot store was away: ten thousand in the three minutes after which it forgets them itself. */
export const PLAYER_KEYS_GONE_MAX = 20000;
export const COLD_HISTORY_KEPT = 10;
export const SNAPSHOT_COPY_ATTEMPTS = 8;
/** One write of checkpoints: rows of the arena take 100 bytes, so that 1,000 are well below what any store takes at once. */
export const CHECKPOINT_BATCH_ROWS_MAX = 1000;
export const CHECKPOINT_BATCH_BYTES_MAX = 1024 * 1024;
/** Worlds whose checkpoints are kept, the one that lives among them. */
export const CHECKPOINT_WORLDS_KEPT = 3;
/** Rows of a zone with its mirrored ones, as world-plan.ts lays them out. */
export const SNAPSHOT_ROWS_MAX = ENTITIES_PER_ZONE_MAX + ENTITIES_PER_ZONE_MAX / 4;
/** 1,638 bytes per row of the largest zone; the arena has 50. What claims to be larger is not unpacked. */
export const SNAPSHOT_BODY_BYTES_MAX = 256 * 1024 * 1024;
/** Names and types of columns: thousands of them. */
export const SNAPSHOT_HEADER_BYTES_MAX = 256 * 1024;
/** Copies of zones that wait for a job: twelve of 100,000 entities. */
export const SNAPSHOT_COPIES_BYTES_MAX = 64 * 1024 * 1024;

// --- job pool ---
/** One snapshot of 100,000 entities is 10 ms of a processor every 5 s: a second thread would only be in the ticks' way. */
export const JOB_THREADS = 1;
/** Longer than the longest pause between two hot snapshots: the thread is there as long as there are any. */
export const JOB_IDLE_MS = 30000;
/** A hot, a cold and the last snapshot of every zone, at once. */
export const JOB_QUEUE_MAX = 3 * ZONES_MAX;
/** The largest snapshot takes half a second; the end of a server has 8.5 s for everything. */
export const JOB_MS_MAX = 5000;
/** Where ticks and jobs want the same processor, ticks get it. */
export const JOB_NICE = 10;

// --- commands of the platform ---
/** One command is a small map: three texts of the largest size fit. */
export const PLATFORM_COMMAND_BYTES_MAX = 2048;
export const PLATFORM_ID_BYTES_MAX = 64;
/** Between two commits of the group: so many may come again after a crash. */
export const PLATFORM_BATCH_RECORDS_MAX = 50;
/** Commands that are known when they come again; each partition can bring its last batch again. */
export const PLATFORM_IDS_KEPT = 10000;
/** So long a zone has for its answer to a grant: a thread is replaced in far less. */
export const GRANT_ANSWER_MS_MAX = 5000;
/** Of any grant, either way; a game's own bounds are within it. */
export const GRANT_AMOUNT_MAX = 1e12;
/** One call of the store that keeps the ids of commands: what a command may wait for it. */
export const PLATFORM_STORE_MS_MAX = 2000;
/** Answers are kept in the store for thirty days. */
export const PLATFORM_ANSWERS_KEPT_MS = 30 * 24 * 3600 * 1000;
export const BANS_MAX = 10000;
/** Ten years. */
export const BAN_MINUTES_MAX = 5256000;

assert(3 * LEASE_RENEW_MS < LEASE_TTL_MS, 'a lease outlasts two renewals that fail');
assert(CELL_RING_BYTES > 4 * CELL_CHUNK_BYTES_MAX, 'the ring of cells holds several of the largest records');
assert(CELL_CHUNK_BYTES_MAX >= CELL_ROW_BYTES_MAX, 'the largest row fits a record');
assert(SHORT_STEP_QUANTA_MAX * SHORT_AGE_TICKS_MAX <= 127, 'the 8-bit form of a position must not wrap');
assert(MID_STEP_QUANTA_MAX * SHORT_AGE_TICKS_MAX <= 32767, 'the 16-bit form of a position must not wrap');
assert(SHORT_STEP_QUANTA_MAX * MID_AGE_TICKS_MAX <= 32767, 'the 16-bit form of a position must not wrap');
assert((COMMAND_RING_RECORDS & (COMMAND_RING_RECORDS - 1)) === 0, 'ring sizes are powers of two');
assert((FRAME_RING_BYTES & (FRAME_RING_BYTES - 1)) === 0, 'ring sizes are powers of two');
assert((ARRIVAL_RING_RECORDS & (ARRIVAL_RING_RECORDS - 1)) === 0, 'ring sizes are powers of two');
assert(CLIENTS_MAX_LIMIT <= 65536, 'records of commands name a client in 16 bits');
assert(QUADTREE_LEVEL_MAX <= 8, 'leaf numbers are kept in 16 bits');
assert(FRAME_BYTES_MAX * 4 < FRAME_RING_BYTES, 'the frame ring holds several of the largest frames');
assert(NAME_BYTES_MAX + TOKEN_BYTES_MAX + 128 <= CLIENT_MESSAGE_BYTES_MAX, 'a Join fits a client message');
assert(COMMAND_PAYLOAD_BYTES_MAX + CLIENT_HEADER_BYTES <= CLIENT_MESSAGE_BYTES_MAX, 'a command fits a client message');
assert(PING_PERIOD_MS % NET_BEAT_MS === 0, 'pings are spread over whole beats');
assert(PONG_LATE_MS < PING_PERIOD_MS, 'a late pong is noticed before the next ping is due');
assert(FRAME_BYTES_MAX < SOCKET_BACKLOG_BYTES_MAX, 'one frame alone never counts as a backlog');
assert(LOG_RECORD_BYTES_MAX + LOG_KEY_BYTES_MAX + 1024 <= LOG_WRITE_BYTES_MAX, 'the largest record fits one write');
assert(PLATFORM_BATCH_RECORDS_MAX * 64 < PLATFORM_IDS_KEPT, 'a batch that comes again finds its ids kept');
assert(3 * NOTICE_BYTES_MAX < PLATFORM_COMMAND_BYTES_MAX, 'a text fits a command of the platform');
assert(JOURNAL_SEGMENT_BYTES_MAX < JOURNAL_FILE_BYTES_MAX, 'a segment has room beside its states');
assert(2 * JOURNAL_FILE_BYTES_MAX < JOURNAL_BYTES_MAX, 'the two segments that stay fit what all may take');
assert(SNAPSHOT_BODY_BYTES_MAX < 2 ** 30, 'a snapshot fits one buffer');
assert(LOG_WRITE_BYTES_MAX + 64 * 1024 < 1024 * 1024, 'one write fits what a Kafka broker takes by default');
