// Limits of messages, both ways.

import { assert } from '../base/assert.js';
import { COMMAND_PAYLOAD_BYTES_MAX } from '../memory/limits.js';

/** Clients of one server: a record of a command names one in 16 bits. */
export const CLIENTS_MAX_LIMIT = 65535;
/** The number by which clients and operators name a session. No two sessions of a server share one; it fits an i32. */
export const CLIENT_ID_MAX = 0x7fffffff;
/** A Join with the longest name and token, and room for a newer schema. Nothing else a client sends is as long. */
export const CLIENT_MESSAGE_BYTES_MAX = 1024;
/** Kind, reserved, seq: see fb/client-message.ts. */
export const CLIENT_HEADER_BYTES = 8;
/** Kinds below are the engine's messages, from here on the game's commands. */
export const GAME_KIND_MIN = 256;
/** In UTF-8; fits a label above a body. */
export const NAME_BYTES_MAX = 24;
/** Room to spare for a signed token. */
export const TOKEN_BYTES_MAX = 768;
/** How long a resume token is valid. Every Welcome brings a new one. */
export const RESUME_TOKEN_MS = 7 * 24 * 3600 * 1000;
/** Of the names in a Welcome: the game, its kinds, fields and commands. They are identifiers, not texts. */
export const WIRE_NAME_BYTES_MAX = 64;
/** A kind of entity is one byte in an entity record. */
export const WIRE_KINDS_MAX = 256;
/** Names of the values of one field: its raw value is one byte. */
export const ENUM_NAMES_MAX = 256;
/** No game has so many; it bounds what a client's verifier walks through. */
export const WIRE_COMMANDS_MAX = 256;
/** A note's number is one byte; no game has more. */
export const WIRE_NOTES_MAX = 256;
/** Values of one note. */
export const NOTE_VALUES_MAX = 32;
/** Of one note on the wire: its number and its values. */
export const NOTE_BYTES_MAX = 512;
/** One or two sentences for people. */
export const NOTICE_BYTES_MAX = 512;
/** In place of an entity's id in the Welcome of a spectator; no entity has it. */
export const NO_ENTITY = 0xffffffff;
/** Entities that one client can have in view: 512 updates of 5 bytes are a frame of 2.5 KiB. */
export const KNOWN_ENTITIES_MAX = 512;
/** Of one component. A mask is only as long as the highest number of a kind's field that it names. */
export const REPLICATED_FIELDS_MAX = 256;
/** Of one game, in all components: what a Welcome lists, and a client's verifier walks through. */
export const WIRE_FIELDS_MAX = 2048;
/** A game of so many fields at most, which are plain numbers for everybody in view, has masks that fit an i32. */
export const PLAIN_FIELDS_MAX = 26;
/** What a client holds of a server that tells it of more and more entities; far above what an honest one tells. */
export const DECODED_ENTITIES_MAX = 16 * KNOWN_ENTITIES_MAX;

assert(CLIENTS_MAX_LIMIT <= 65536, 'records of commands name a client in 16 bits');
assert(NAME_BYTES_MAX + TOKEN_BYTES_MAX + 128 <= CLIENT_MESSAGE_BYTES_MAX, 'a Join fits a client message');
assert(COMMAND_PAYLOAD_BYTES_MAX + CLIENT_HEADER_BYTES <= CLIENT_MESSAGE_BYTES_MAX, 'a command fits a client message');
