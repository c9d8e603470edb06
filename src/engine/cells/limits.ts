// Limits of cells on the tick thread.

import { assert } from '../../base/assert.js';

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
/** Joins of one zone that wait so; beyond that they go on without their cells at once. */
export const CELL_JOINS_WAITING_MAX = 4096;
/** Part of a zone's rows that may rest: there must be room for those who play. */
export const CELL_ROWS_SHARE = 0.75;
/** Loads are counted by how many ticks they took, up to this. */
export const CELL_LOAD_TICKS_MAX = 256;
/** Nobody's way is looked along farther than this many view radii. */
export const CELL_AHEAD_RADII_MAX = 2;

assert(CELL_RING_BYTES > 4 * CELL_CHUNK_BYTES_MAX, 'the ring of cells holds several of the largest records');
assert(CELL_CHUNK_BYTES_MAX >= CELL_ROW_BYTES_MAX, 'the largest row fits a record');
