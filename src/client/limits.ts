// Limits of the client.

import { assert } from '../base/assert.js';

/** From the attempt to connect to the Welcome. A server that is starting answers within this, or will not. */
export const JOIN_TIMEOUT_MS = 10000;
/** A Resync that brought no full frame by then is asked for again; well above the least interval of a server. */
export const RESYNC_REPEAT_MS = 1000;
/** Attempts to come back: eight of them, from 0.25 s to 8 s apart, last some 20 s, which a server's restart needs. */
export const RECONNECT_ATTEMPTS_MAX = 8;
export const RECONNECT_DELAY_MS_MIN = 250;
export const RECONNECT_DELAY_MS_MAX = 8000;
/** Inputs whose round trip is measured at a time: 8 s of them at 30 per second. A power of two. */
export const ROUND_TRIPS_PENDING_MAX = 256;
/** Places of one entity that are kept to draw between them: 0.5 s at 30 frames per second. A power of two. */
export const SAMPLES_MAX = 16;
/** An entity that stood still for longer than this did not begin to move at the last sample, but shortly before the next. */
export const SAMPLE_GAP_MS_MAX = 250;
/** A difference of clocks beyond this is no jitter: the server skipped ticks, or this machine slept. */
export const CLOCK_JUMP_MS = 1000;

for (const size of [ROUND_TRIPS_PENDING_MAX, SAMPLES_MAX]) {
  assert((size & (size - 1)) === 0, 'a ring is addressed by the low bits of a number', size);
}
assert(RECONNECT_DELAY_MS_MIN <= RECONNECT_DELAY_MS_MAX, 'delays between attempts grow');
