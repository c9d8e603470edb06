// Messages between entities in a world that goes on: the rings between zones are new and empty. What was sent and not taken is
// sent again, what was taken and refused too, and what was taken and applied is over.

import { POST_REFUSALS_KEPT } from '../../memory/limits.js';
import * as P from '../../memory/world/post-layout.js';
import { LIVE_BLOCK, type WorldBuffer } from '../../memory/world/world-buffer.js';
import { SCALAR_ROW_LIMIT } from '../../memory/world/world-layout.js';
import { engineColumnsOf } from '../entities/columns.js';
import { wireIdOfKey } from '../entities/entity-key.js';
import { PostQueue } from './post-queue.js';
import { ANSWER, MOVED, SENT, TAKEN, WAITING } from './zone-posts.js';

/** All zones stand at one tick. */
export function settlePosts(worlds: readonly WorldBuffer[], rowCapacity: number): void {
  if (worlds[0].layout.posts === undefined) return;
  const queues = worlds.map((world) => new PostQueue(world));
  for (const [zone, queue] of queues.entries()) settleZone(queue, zone, queues);
  for (const [zone, queue] of queues.entries()) {
    for (const [other, { words }] of queues.entries()) {
      // Whatever was under way is sent anew, under numbers of its own.
      words[P.POSTS_TAKEN_FROM + zone] = queue.words[P.POSTS_SENT_TO + other];
    }
  }
  findEntities(worlds, rowCapacity);
}

function settleZone(queue: PostQueue, zone: number, queues: readonly PostQueue[]): void {
  const { bytes, words } = queue;
  const limit = queue.count;
  let kept = 0;
  for (let index = 0; index < limit; index++) {
    const word = queue.wordOf(index);
    const at = word * 4;
    const state = bytes[at + P.POST_STATE];
    if (state === ANSWER || state === MOVED || state === TAKEN) continue;
    if (state === SENT) {
      if (isApplied(queues[bytes[at + P.POST_WAY]], zone, words[word + P.POST_NUMBER])) continue;
      bytes[at + P.POST_STATE] = WAITING;
    }
    bytes[at + P.POST_HINT] = 0;
    bytes[at + P.POST_HOPS] = 0;
    kept = queue.moveUp(index, index + 1, kept);
  }
  queue.closeGap(kept, limit);
}

function isApplied({ words }: PostQueue, sender: number, number: number): boolean {
  if (((words[P.POSTS_TAKEN_FROM + sender] - number) | 0) < 0) return false;
  for (let i = 0; i < POST_REFUSALS_KEPT; i++) {
    const refused = P.POSTS_REFUSED + 2 * i;
    if (words[refused + 1] === sender + 1 && words[refused] === number) return false;
  }
  return true;
}

/** Each zone knows again where those are that were born in it. */
function findEntities(worlds: readonly WorldBuffer[], rowCapacity: number): void {
  for (const { blocks } of worlds) blocks[LIVE_BLOCK].columns.idZone.fill(0);
  for (const [zone, { blocks }] of worlds.entries()) {
    const { alive, key } = engineColumnsOf(blocks[LIVE_BLOCK]);
    for (let row = 0; row < blocks[LIVE_BLOCK].scalars[SCALAR_ROW_LIMIT]; row++) {
      if (alive[row] === 0) continue;
      const wireId = wireIdOfKey(key[row]);
      const home = Math.floor(wireId / rowCapacity);
      if (home !== zone) worlds[home].blocks[LIVE_BLOCK].columns.idZone[wireId % rowCapacity] = zone + 1;
    }
  }
}
