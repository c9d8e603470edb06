// What enters a zone from outside of its systems, tick by tick, so that the tick can be run again. One record of the
// journal ring is one tick of one zone:
//
//  0            4           8
//  | serial i32 | tick i32  | entry | entry | ...      little endian, packed
//
// Serials count the zone's records and are committed with the tick (SCALAR_JOURNALED): a record whose serial is not above
// the last one takes the place of what a thread wrote and did not live to commit; a serial that is left out is a record
// that found no room.
//
// An entry is a byte that says what it is, and:

export const JOURNAL_SERIAL = 0;
export const JOURNAL_TICK = 4;
export const JOURNAL_BODY = 8;

/** Kind of record in the ring. */
export const JOURNAL_RECORD = 1;

/** row u32, kind u16, bytes u8, payload. Written before it is applied: one that the game rejects may have used chance. */
export const ENTRY_COMMAND = 1;
/** client i32, epoch i32, x f32, y f32. */
export const ENTRY_JOIN = 2;
/** row u32. */
export const ENTRY_DESPAWN = 3;
/** The travelling columns of one row, packed; see handoff.ts. */
export const ENTRY_ARRIVE = 4;
/** local id u32. */
export const ENTRY_ID_BACK = 5;
/** source u8, mark i32: handoff records taken from there so far. */
export const ENTRY_TAKEN = 6;
/** Here the systems run. */
export const ENTRY_SYSTEMS = 7;
/** row u32, target u8, sequence i32. */
export const ENTRY_DEPART = 8;
/** row u32, one bit per ghost column, and those cells. */
export const ENTRY_GHOST = 9;
/** row u32. */
export const ENTRY_GHOST_GONE = 10;
/** row u32, index in the game's grants u32, amount f64. Written before it is applied, as a command is. */
export const ENTRY_GRANT = 11;
/** bytes u16, record: a player comes in as it was stored; see arrival.ts. */
export const ENTRY_STORED = 12;

// Of worlds that are cut into cells; see zone-cells.ts. A cell is its number in the zone, u32.
/** cell: it is asked for, or populated where it was never stored. */
export const ENTRY_CELL_LOAD = 32;
/** cell: nobody wants it any more. */
export const ENTRY_CELL_NOT = 33;
/** cell, one packed row of it. */
export const ENTRY_CELL_ROW = 34;
/** cell: all its rows are here. */
export const ENTRY_CELL_LIVE = 35;
/** cell: the store has no whole record of it, and it is populated anew, or is the rows of it that are here. */
export const ENTRY_CELL_ANEW = 36;
/** cell: its rows stand still until they are stored. */
export const ENTRY_CELL_LEAVE = 37;
/** cell: they do not leave. */
export const ENTRY_CELL_STAY = 38;
/** cell, version f64: they are stored, and given up here. */
export const ENTRY_CELL_STORED = 39;
/** Rows in cold cells go to their queues, and queues of live cells are applied. */
export const ENTRY_CELL_SWEEP = 40;
