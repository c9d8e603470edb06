// Limits of sockets and sessions.

import { assert } from '../base/assert.js';
import { FRAME_BYTES_MAX } from '../engine/replication/limits.js';

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
/** Bytes that are read of a closing connection in one beat: what an honest client had under way, and its close answer. */
export const CLOSING_READ_BYTES = 2048;
/** The same of all closing connections: 32 KiB of the smallest frames take 5 ms to parse. */
export const CLOSING_READ_BYTES_TOTAL = 32 * 1024;
export const HANDSHAKE_TIMEOUT_MS = 5000;
export const HANDSHAKE_HEADER_BYTES_MAX = 8192;
/** Connections that are no WebSocket (yet); never fewer than clientsMax, so that a full house can come at once. */
export const HANDSHAKES_PENDING_MIN = 1024;
/** Connections that are only there to be told why they are not let in. */
export const REFUSALS_PENDING_MAX = 256;
/** Bytes of HTTP requests that wait behind the one at work: a chunk of 64 KiB that was read, and one more. */
export const HTTP_WAITING_BYTES_MAX = 2 * 64 * 1024;
/** HTTP requests, handshakes among them, that begin in one turn of the event loop: one takes some 0.2 ms. */
export const HTTP_REQUESTS_PER_TURN = 4;
/** Bytes of responses that one HTTP connection may keep waiting in this process: the largest page, several times. */
export const HTTP_UNSENT_BYTES_MAX = 1024 * 1024;
/** The same for all HTTP connections together. Beyond it, the one that asks for more is closed. */
export const HTTP_UNSENT_BYTES_TOTAL_MAX = 32 * 1024 * 1024;
/** The metrics page is built at most four times a second: building takes 2 ms of the thread that sends frames. */
export const METRICS_PAGE_MS = 250;
/** prom-client's own watch over the event loop, whose figures are not shown, wakes main this often: an hour. */
export const PROM_CLIENT_LAG_MS = 3600 * 1000;
/** A resume token may come from so far in the future: clocks are set back, and differ between servers of one secret. */
export const TOKEN_SKEW_MS = 24 * 3600 * 1000;
/** The wall clock has jumped when it moves this much against the monotonic one. NTP's slow corrections stay below. */
export const CLOCK_JUMP_MS = 5000;
/** A clock that is set again and again is said once in this time. */
export const CLOCK_WARNING_INTERVAL_MS = 60000;
export const MESSAGE_FRAGMENTS_MAX = 16;
/** Pieces in which one message may arrive: 64 pieces of 16 bytes are the largest message. */
export const MESSAGE_CHUNKS_MAX = 64;
/** A beat that comes this late says that this process stood still: nobody is judged by what could not be read. */
export const STALL_MS = 5 * NET_BEAT_MS;
/** After the deadline of the close handshakes, for the sockets' own events. */
export const DRAIN_GRACE_MS = 500;
/** Connections that cannot be accepted come in crowds; one line in this time says it. */
export const ACCEPT_WARNING_INTERVAL_MS = 1000;
/** An address whose WebSockets are all taken can still ask how the server is. */
export const HTTP_PER_ADDRESS = 16;
/** How often Node looks for HTTP connections that are late; by itself, every 30 seconds. */
export const HTTP_CHECK_INTERVAL_MS = 1000;
/** Time for a whole request, and for a connection on which nothing moves. */
export const HTTP_REQUEST_TIMEOUT_MS = 10000;
export const HTTP_KEEP_ALIVE_TIMEOUT_MS = 5000;
/** No page takes a body. */
export const HTTP_BODY_BYTES_MAX = 1024;
/** Connections that the kernel holds until they are accepted: a crowd comes faster than one turn of the event loop. */
export const ACCEPT_BACKLOG = 4096;
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
/** Spectators of one server: each costs what a client costs. */
export const SPECTATORS_MAX = 10000;
/** Five minutes, as a match that is shown to many may want it. */
export const SPECTATOR_DELAY_MS_MAX = 300000;
/** Frames that are held back for all spectators together; each has an equal share. Ten of them at 20 KB/s fill it in 320 s. */
export const DELAYED_BYTES_MAX = 64 << 20;
/** What a frame that is held back takes beside its bytes. */
export const DELAYED_FRAME_BYTES = 128;
/** Frames that are due within this time of each other are sent together. */
export const DELAYED_SLICE_MS = 5;
/** The play page is some fifty files; a dashboard beside it may be as many. More is a page that imports the server. */
export const STATIC_FILES_MAX = 200;
/** Of a folder that --web names: what a page of a game with its pictures has, many times. All of it is held in memory. */
export const WEB_FILES_MAX = 2000;
export const WEB_BYTES_MAX = 64 * 1024 * 1024;
/** Larger bodies are sent in pieces of this size, each when there is room for it, so that HTTP_UNSENT_BYTES_MAX holds. */
export const HTTP_PIECE_BYTES = 64 * 1024;
/** What leads a message of a server's: two bytes, and two for a length of 16 bits. No frame is longer. */
export const WS_HEADER_BYTES_MAX = 4;
/** Views of a socket's scratch up to this length are kept; longer frames are rare. */
export const WS_KEPT_VIEW_BYTES_MAX = 2048;

assert(HTTP_UNSENT_BYTES_MAX < HTTP_UNSENT_BYTES_TOTAL_MAX, 'one HTTP connection alone never fills the bound of all');
assert(PING_PERIOD_MS % NET_BEAT_MS === 0, 'pings are spread over whole beats');
assert(PONG_LATE_MS < PING_PERIOD_MS, 'a late pong is noticed before the next ping is due');
assert(FRAME_BYTES_MAX < SOCKET_BACKLOG_BYTES_MAX, 'one frame alone never counts as a backlog');
