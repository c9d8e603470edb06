// The key of an entity, unique among the living ones of a world: its wire id and the generation of that id, in one u32.
//
//  31          23 22                    0
//  | generation  | wire id              |   wire id: zone of birth x rows of a zone + local id
//
// The generation tells entities apart that had the same id one after the other. A key is used again after 512 generations, which takes
// a day, since an id rests before it is given out again (entity-ids.ts); living entities never share one.

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
