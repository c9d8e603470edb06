// Limits of a world and its zones.

import { assert } from '../base/assert.js';

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
/** A view radius of an entity's own that bounds nothing: more than any world is across. */
export const VIEW_REACH_MAX = 2 * WORLD_SIDE_MAX;
/** So wide is a zone that has a neighbour: what is seen across its two borders stays the smaller part of it. */
export const ZONE_EDGE_VIEW_RADII_MIN = 4;
/** A thread that is merely late is not taken for one that hangs. */
export const HANG_TICKS_MIN = 3;
/** Side of a square of the grid over the static geometry: some bodies wide, so that most ways stay in one or two. */
export const GROUND_PLACE_SIDE = 8;
/** Shapes in one zone: at 48 bytes each and a few places, tens of megabytes. */
export const GROUND_SHAPES_MAX = 262144;
/** Candidates of one firstHit, and of one nearest: what stands beyond them is passed by. */
export const HIT_CANDIDATES_MAX = 256;
export const NEAREST_CANDIDATES_MAX = 1024;
/** The index is one tick old: nothing gets farther than this from where the index has it, or is found a tick later. */
export const INDEX_SLACK = 1;
/** A body in a corner is pushed out of one shape after the other; between more than so many it is wedged. */
export const GROUND_RESOLVES_MAX = 4;

/** 2^8 x 2^8 leaves: a leaf number is 16 bits, and the table of leaf starts (256 KiB) stays in a core's own cache. */
export const QUADTREE_LEVEL_MAX = 8;

assert(QUADTREE_LEVEL_MAX <= 8, 'leaf numbers are kept in 16 bits');
