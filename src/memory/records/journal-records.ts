// Records of the journal ring: all that enters a zone from outside of its systems, so that the tick can be run again.
// Producer: the zone's tick thread. Consumer: the I/O thread. One record is one tick of one zone:
//
//  0            4           8
//  | serial i32 | tick i32  | entry | entry | ...      little endian, packed
//
// Serials count the zone's records and are committed with the tick (SCALAR_JOURNALED). A gap in them is a record that found
// no room. A serial that is not above the last one replaces records that a thread wrote and died before it committed.
//
// An entry is a byte that names its kind, followed by the fields below, packed:

export const JOURNAL_SERIAL = 0;
export const JOURNAL_TICK = 4;
export const JOURNAL_BODY = 8;

/** Kind of record in the ring. */
export const JOURNAL_RECORD = 1;

/** row u32, kind u16, bytes u8, payload. Written before it is applied: a command that the game rejects may use chance. */
export const ENTRY_COMMAND = 1;
/** client i32, generation i32, x f32, y f32. */
export const ENTRY_JOIN = 2;
/** The travelling columns of one row, packed; see handoff.ts. */
export const ENTRY_ARRIVE = 4;
/** local id u32. */
export const ENTRY_ID_BACK = 5;
/** source u8, mark i32: handoff records taken from that zone so far. */
export const ENTRY_TAKEN = 6;
/** The systems run here. */
export const ENTRY_SYSTEMS = 7;
/** row u32, target u8, sequence i32. */
export const ENTRY_DEPART = 8;
/** row u32, one bit per mirror column, and the values of the columns whose bit is set. */
export const ENTRY_MIRROR = 9;
/** row u32. */
export const ENTRY_MIRROR_GONE = 10;
/** row u32, index in the game's grants u32, amount f64. Written before it is applied, as a command is. */
export const ENTRY_GRANT = 11;
/** bytes u16, record: a player comes in as it was stored; see arrival.ts. */
export const ENTRY_STORED = 12;
/**
 * row u32, reason u8, then three texts in UTF-8: player id, name, claims as JSON, each behind its bytes u16. The game hears who has
 * come; after the join, or alone where a client is back.
 */
export const ENTRY_CAME = 13;
/** row u32, reason u8. The game hears that the player goes, and then its row goes. */
export const ENTRY_GONE = 14;
/** row u32. The game hears of what ENTRY_ARRIVE has brought. Written where the game wants to hear of it, as is the next. */
export const ENTRY_HERE = 15;
/** The game hears that the zone goes on. */
export const ENTRY_GOES_ON = 16;
/** source u8, then 64 bytes: a post of another zone, and answers of another zone, as in the handoff records. */
export const ENTRY_POST = 17;
export const ENTRY_ANSWERS = 18;
/** key, source u8, tick i32: an entity that was born here has come to that zone. */
export const ENTRY_MOVED = 19;
/** target u8, records u16: in this tick the ring to that zone had room for so many posts and answers, and for no more. */
export const ENTRY_ROAD_FULL = 20;

// Worlds that are cut into cells; see zone-cells.ts. A cell is given by its local number, u32.
/** cell: it is requested from the store, or populated if it was never stored. */
export const ENTRY_CELL_LOAD = 32;
/** cell: no longer needed, before all of it was here. */
export const ENTRY_CELL_NOT = 33;
/** cell, one packed row of it. */
export const ENTRY_CELL_ROW = 34;
/** cell: all its rows are here. */
export const ENTRY_CELL_LIVE = 35;
/** cell: the store has no intact record; it is populated anew, or keeps the rows that are here. */
export const ENTRY_CELL_ANEW = 36;
/** cell: it leaves; its rows are frozen until they are stored. */
export const ENTRY_CELL_LEAVE = 37;
/** cell: it is needed again and does not leave. */
export const ENTRY_CELL_STAY = 38;
/** cell, version f64: it is stored, and its rows are freed. */
export const ENTRY_CELL_STORED = 39;
/** Rows in cold cells move to the queues of those cells, and queues of live cells are applied. */
export const ENTRY_CELL_SWEEP = 40;
