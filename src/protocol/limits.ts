// Limits of messages, both ways.

import { assert } from '../base/assert.js';
import { COMMAND_PAYLOAD_BYTES_MAX } from '../memory/limits.js';

export const CLIENTS_MAX_LIMIT = 65535;
/** Of a session, for those outside: the epoch of its index, which no other session of the server has. */
export const CLIENT_ID_MAX = 0x7fffffff;
export const CLIENT_MESSAGE_BYTES_MAX = 1024;
export const CLIENT_HEADER_BYTES = 8;
export const GAME_KIND_MIN = 256;
export const NAME_BYTES_MAX = 24;
export const TOKEN_BYTES_MAX = 768;
/** Resume tokens are good for so long; with every Welcome comes a new one. */
export const RESUME_TOKEN_MS = 7 * 24 * 3600 * 1000;
/** Names that a Welcome carries: of the game, its kinds, fields and commands. */
export const WIRE_NAME_BYTES_MAX = 64;
export const WIRE_KINDS_MAX = 256;
export const WIRE_COMMANDS_MAX = 256;
export const NOTICE_BYTES_MAX = 512;
/** Entities one client can be told of at a time. */
export const KNOWN_ENTITIES_MAX = 512;
export const REPLICATED_FIELDS_MAX = 26;
/** What a client holds of a server that tells it of more and more; far above what an honest one may tell. */
export const DECODED_ENTITIES_MAX = 16 * KNOWN_ENTITIES_MAX;

assert(CLIENTS_MAX_LIMIT <= 65536, 'records of commands name a client in 16 bits');
assert(NAME_BYTES_MAX + TOKEN_BYTES_MAX + 128 <= CLIENT_MESSAGE_BYTES_MAX, 'a Join fits a client message');
assert(COMMAND_PAYLOAD_BYTES_MAX + CLIENT_HEADER_BYTES <= CLIENT_MESSAGE_BYTES_MAX, 'a command fits a client message');
