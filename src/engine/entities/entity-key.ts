// An entity's name in the whole world: its wire id (zone of birth and a local number in it) and a generation, so that
// two entities that had the same id one after the other are not taken for each other: 23 + 9 bits in one u32, so the
// same key comes again after 512 uses of its id.

import { assert } from '../../base/assert.js';
import { ENTITIES_PER_ZONE_MAX, ZONES_MAX } from '../limits.js';

export const WIRE_ID_BITS = 23;
export const WIRE_ID_MASK = (1 << WIRE_ID_BITS) - 1;
export const GENERATION_MASK = (1 << (32 - WIRE_ID_BITS)) - 1;

assert(ZONES_MAX * ENTITIES_PER_ZONE_MAX <= 1 << WIRE_ID_BITS, 'every id of every zone fits');

/** @hot */
export function makeKey(wireId: number, generation: number): number {
  return (wireId | ((generation & GENERATION_MASK) << WIRE_ID_BITS)) >>> 0;
}

/** @hot */
export function wireIdOfKey(key: number): number {
  return key & WIRE_ID_MASK;
}
