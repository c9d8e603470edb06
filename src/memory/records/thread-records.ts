// The records that cross between threads, field by field. Rings do not know what they carry, and this file does not know
// which ring carries it.

// --- command ring and order ring: main -> zone ---------------------------------------------------------------------
//
//  0            2         4           8         12         14         15        16
//  | client u16 | number u16 | generation u32 | seq u32 | kind u16 | bytes u8 | connection u8 | payload, 48 bytes |
//
// `connection` numbers the connections of one client; `seq` and `number` begin anew with each. `seq` is the client's own number, which
// may have gaps. `number` counts the client's commands without gaps and wraps, so that a zone applies them in order even when
// they reach it by way of different zones.
//
// Kinds from 256 on are the game's: commands as the client sent them, checked. Kinds below 256 are orders of main. They go
// through a ring of their own, the order ring, which a zone empties first.

export const COMMAND_CLIENT = 0;
export const COMMAND_NUMBER = 2;
export const COMMAND_GENERATION = 4;
export const COMMAND_SEQ = 8;
export const COMMAND_KIND = 12;
export const COMMAND_BYTES = 14;
export const COMMAND_CONNECTION = 15;
export const COMMAND_PAYLOAD = 16;

/** Payload: update rate u32, x f32, y f32. Spawns the client's entity. */
export const TO_ZONE_JOIN = 1;
/** seq is why, an index of LEAVE_REASONS in game/life.ts. */
export const TO_ZONE_LEAVE = 2;
export const TO_ZONE_RESYNC = 3;
/** Payload: as join, then crossings i32, absent i32. A restored zone takes up the client's entity, if it has it. */
export const TO_ZONE_ATTACH = 4;
/** After the last attach; seq is their number. Owned entities whose client was not named are removed. */
export const TO_ZONE_ATTACHED_ALL = 5;
/** Payload: see below. The platform grants something to the client's entity; answered by FROM_ZONE_GRANTED. */
export const TO_ZONE_GRANT = 6;
/** Payload: as join, then crossings i32. The client is back by another connection. It gets a new entity if its own is gone. */
export const TO_ZONE_RESUME = 7;
/**
 * Payload: update rate u32, x f32, y f32, key u32, crossings i32, how u32. The client is a spectator: it has no entity, and looks
 * from the place, or from where the entity of the key is (0: none). Again for a client that is here: it looks there from now on.
 */
export const TO_ZONE_WATCH = 12;
/** Payload: key u32. Answered by FROM_ZONE_WATCH if the entity is this zone's and a spectator may see it, else not at all. */
export const TO_ZONE_SEEK = 13;

//  | update rate u32 | x f32 | y f32 | key u32 | crossings i32 | how u32 |
export const WATCH_KEY = 12;
export const WATCH_CROSSINGS = 16;
export const WATCH_HOW = 20;
export const WATCH_BYTES = 24;
// Values of WATCH_HOW.
/** It looks from the place that is given until the entity is found. */
export const WATCH_BEGIN = 0;
/** The place is not known: it is refused if the entity is not here. */
export const WATCH_FIND = 1;
/** It comes from another zone, which has given it up, and keeps what it has. */
export const WATCH_GO_ON = 2;

//  | grant u32, index in the game | request u32 | amount f64 |
export const GRANT_INDEX = 0;
export const GRANT_REQUEST = 4;
export const GRANT_AMOUNT = 8;
export const GRANT_BYTES = 16;

// --- frame ring: tick thread -> main -------------------------------------------------------------------------------
//
//  0            4           8          12
//  | client i32 | generation i32 | crossings i32  | by kind |

export const FRAME_CLIENT = 0;
export const FRAME_GENERATION = 4;
export const FRAME_CROSSINGS = 8;
export const FRAME_BODY = 12;

/** Body: a finished ServerFrame. */
export const FROM_ZONE_FRAME = 1;
/** Body: entity id u32, key u32. */
export const FROM_ZONE_JOINED = 2;
/** Body: reject code u32. */
export const FROM_ZONE_REFUSED = 3;
/** Body: seq u32, kind u32, code u32. */
export const FROM_ZONE_REJECT = 4;
/** Body: target zone u32. The client's commands go there from now on; `crossings` is the new count. */
export const FROM_ZONE_MOVED = 5;
/** Body: request u32, code u32. 0: the grant was applied, and its tick is committed. */
export const FROM_ZONE_GRANTED = 6;
/** Body: x u32, y u32, in steps of a position, and which of the WATCHED below. About a spectator. */
export const FROM_ZONE_WATCH = 10;
/** It looks from the place, and this zone has it. */
export const WATCHED_HERE = 0;
/** The place is another zone's: this one has given it up. */
export const WATCHED_LEFT = 1;
/** The entity has not been seen here for a while. */
export const WATCHED_LOST = 2;
/** Answer to a seek: the entity is here, at the place. */
export const WATCHED_FOUND = 3;

// --- handoff ring: zone -> zone ------------------------------------------------------------------------------------
//
//  0          4           8
//  | kind i32 | tick i32  | by kind |

export const HANDOFF_KIND = 0;
export const HANDOFF_TICK = 4;
export const HANDOFF_BODY = 8;

/** Body: the travelling columns of one row, packed in their order. */
export const HANDOFF_ENTITY = 1;
/** Body: a command record whose client has gone to the target zone. */
export const HANDOFF_COMMAND = 2;
/** Body: local id u32. An entity born in the target zone was removed elsewhere: its id is free again. */
export const HANDOFF_ID = 3;
/** From main, in a ring of its own: a player as it was stored, see engine/clients/arrival.ts. */
export const HANDOFF_PLAYER = 4;
/** Body: number u32, target u32, sender u32, message u16, flags u16, payload of 48 bytes. See engine/posts/zone-posts.ts. */
export const HANDOFF_POST = 5;
/** Body: count u32, 0, then by post its number u32, what became of it u8, the zone that may have its target + 1 u8, 0 u16. The list begins at byte 8 of the body. */
export const HANDOFF_ANSWERS = 6;
/** Body: key u32, tick i32. An entity that was born in the target zone has come to this one. */
export const HANDOFF_MOVED = 7;
/** Bytes of the bodies of posts and answers. */
export const HANDOFF_POST_BYTES = 64;
export const ARRIVAL_CLIENT = 8;
export const ARRIVAL_GENERATION = 12;
export const ARRIVAL_UPDATE_HZ = 16;
export const ARRIVAL_CONNECTION = 20;
export const ARRIVAL_VALUES = 24;

// --- event ring: zone -> reader of events --------------------------------------------------------------------------
//
//  0           2          4         8              12              16
//  | type u16  | zone u16 | tick i32| entity u32   | other u32     | a f64 | b f64 | position u32 |
//
// Entities are given by key (entity-key.ts). `position` counts the events of a zone within one tick: zone, tick and position
// identify an event, and a replay of the tick gives it the same identity.

export const EVENT_TYPE = 0;
export const EVENT_ZONE = 2;
export const EVENT_TICK = 4;
export const EVENT_ENTITY = 8;
export const EVENT_OTHER = 12;
export const EVENT_A = 16;
export const EVENT_B = 24;
export const EVENT_POSITION = 32;
