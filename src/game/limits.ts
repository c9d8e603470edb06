// Limits of what a game may consist of.

import { assert } from '../base/assert.js';
import { GAME_KIND_MIN } from '../protocol/limits.js';

/** Numbers of messages below this are the engine's. */
export const COMMAND_KIND_MIN = GAME_KIND_MIN;
/** The number travels in 16 bits. */
export const COMMAND_KIND_MAX = 65535;
/** A command's bucket fills from game time and holds one second: fewer than one in a minute would be no rate. */
export const COMMAND_RATE_MIN = 1 / 60;
export const COMMAND_RATE_MAX = 1000;

/** Elements of an array in one row; a bit for each eight of them leads what travels of it. */
export const FIELD_LENGTH_MAX = 256;
/** Bytes of a text: one byte says how many travel. */
export const TEXT_BYTES_MAX = 255;
/** Values of one entity in all, of whatever kind. A stored player comes in with eight bytes for each, in a record of at most 64 KiB. */
export const FIELD_ELEMENTS_MAX = 4096;
/** Of the largest record of an entity, its owner's: a quarter of a frame. */
export const RECORD_FIELD_BYTES_MAX = 4096;

/** A kind's components are the bits of an i32: bit 0 is what every kind has, one is the shared record's, and no sign bit. */
export const COMPONENTS_MAX = 29;

/** Times the server's view radius from which a kind may be seen: less than a zone is wide, see replication/limits.ts. */
export const SEEN_FROM_MAX = 3;

/** Names of timers: each is a column of four bytes a row. A row has each of them once, so there is always room. */
export const TIMERS_MAX = 32;
export const SCHEDULES_MAX = 32;
/** 31 days: at the most ticks per second, some 340 million of the 2^31 that a column holds. */
export const TIMER_SECONDS_MAX = 2_678_400;
/** One tick of the fastest world; a slower one runs what is more frequent in each tick. */
export const SCHEDULE_SECONDS_MIN = 1 / 128;

/** The number travels in 16 bits; more than this would be a list that nobody reads. */
export const MESSAGES_MAX = 256;

/** Of any grant, either way; a grant's own bounds are within it. */
export const GRANT_AMOUNT_MAX = 1e12;

assert(COMMAND_KIND_MIN < COMMAND_KIND_MAX, 'a game has room for its commands');
