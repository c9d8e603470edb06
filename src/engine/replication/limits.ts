// Limits of interest and replication.

import { assert } from '../../base/assert.js';
import { SEEN_FROM_MAX } from '../../game/limits.js';
import { FRAME_RING_BYTES, NOTE_QUEUE_BYTES } from '../../memory/limits.js';
import { SCALAR_COUNT, SCALAR_EVERYWHERE_ROWS } from '../../memory/world/world-layout.js';
import { KNOWN_ENTITIES_MAX } from '../../protocol/limits.js';
import { CROSSING_MARGIN } from '../borders/limits.js';
import { ZONE_EDGE_VIEW_RADII_MIN } from '../limits.js';

/** Entities in view stay in view up to this much farther than where they came into it. */
export const LEAVE_RADIUS_FACTOR = 1.125;
/** Entities of a zone and its mirrors that are seen from farther than others: each observer looks through all of them. */
export const FAR_ROWS_MAX = 256;
/** Entities of one zone that are seen everywhere: each zone has the mirrors of all of them. */
export const EVERYWHERE_PER_ZONE_MAX = 16;
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
/** Beyond that: the notes that wait, with their length and what the frame is filled up with. */
export const NOTES_IN_FRAME_BYTES_MAX = NOTE_QUEUE_BYTES + 32;
/**
 * A frame may be over its byte budget by what one record has beyond this: the largest record of a game of plain fields. A
 * game with long arrays would otherwise have most of its budget kept free for a record that hardly ever comes.
 */
export const BUDGET_OVERRUN_BYTES = 128;
/** So much must the byte budget leave for one update: a frame's head and some twenty moving entities. */
export const UPDATE_BYTES_MIN = 128;

assert(SHORT_STEP_QUANTA_MAX * SHORT_AGE_TICKS_MAX <= 127, 'the 8-bit form of a position must not wrap');
assert(MID_STEP_QUANTA_MAX * SHORT_AGE_TICKS_MAX <= 32767, 'the 16-bit form of a position must not wrap');
assert(SHORT_STEP_QUANTA_MAX * MID_AGE_TICKS_MAX <= 32767, 'the 16-bit form of a position must not wrap');
assert(FRAME_BYTES_MAX * 4 < FRAME_RING_BYTES, 'the frame ring holds several of the largest frames');
assert(FAR_ROWS_MAX <= KNOWN_ENTITIES_MAX / 2, 'what is seen from afar leaves room in a view for what is near');
assert(SCALAR_EVERYWHERE_ROWS + EVERYWHERE_PER_ZONE_MAX <= SCALAR_COUNT, 'a block has room for the rows');
// At the least view radius, which is 1: nothing is seen across a whole zone, so neighbours are all that a zone looks at.
assert(
  SEEN_FROM_MAX * LEAVE_RADIUS_FACTOR + CROSSING_MARGIN <= ZONE_EDGE_VIEW_RADII_MIN,
  'what is seen from afar is in a neighbouring zone at most',
);
