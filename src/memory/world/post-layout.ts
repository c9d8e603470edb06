// The part of a block in which a zone keeps its posts: messages from entity to entity that are not answered for yet.
//
//  | sent to u32 x 64 | taken from u32 x 64 | refused: number u32, zone u32 x 256 | post | post | ... |
//
// Sent to and taken from count posts by the other zone, and go on for as long as the world lives: the nth that a zone sent is
// the nth that the other one takes. Refused are the last posts that this zone has not applied, because their target was not here.
//
//  post   | state u8 | way u8 | hint u8 | hops u8 | message u16 | flags u16 | target u32 | sender u32 | number u32 | tick i32 | payload |
//   words   0                                       1                         2            3            4            5        6 to 17

import { ZONES_MAX } from '../../engine/limits.js';
import { POST_PAYLOAD_BYTES_MAX, POST_REFUSALS_KEPT } from '../limits.js';

export const POST_WORDS = 6 + POST_PAYLOAD_BYTES_MAX / 4;
export const POST_BYTES = POST_WORDS * 4;
/** Bytes of the head of a post. */
export const POST_STATE = 0;
export const POST_WAY = 1;
export const POST_HINT = 2;
export const POST_HOPS = 3;
export const POST_MESSAGE = 4;
export const POST_FLAGS = 6;
/** Words of a post. */
export const POST_TARGET = 2;
export const POST_SENDER = 3;
export const POST_NUMBER = 4;
export const POST_TICK = 5;
export const POST_PAYLOAD = 6;

/** Words from the beginning of the part. */
export const POSTS_SENT_TO = 0;
export const POSTS_TAKEN_FROM = ZONES_MAX;
export const POSTS_REFUSED = 2 * ZONES_MAX;
export const POSTS_HEAD_WORDS = POSTS_REFUSED + 2 * POST_REFUSALS_KEPT;

export interface PostsPlace {
  /** From the beginning of a block. */
  offset: number;
  /** Posts that it has room for. */
  capacity: number;
}

export function postsBytes(capacity: number): number {
  return (POSTS_HEAD_WORDS + capacity * POST_WORDS) * 4;
}
