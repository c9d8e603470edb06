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

/** Of any grant, either way; a grant's own bounds are within it. */
export const GRANT_AMOUNT_MAX = 1e12;

assert(COMMAND_KIND_MIN < COMMAND_KIND_MAX, 'a game has room for its commands');
