// Questions about space that are answered by several looks into the index: who is nearest, and whom a way meets first. The
// index has positions of the end of the last tick; distances and hits are measured by where entities are now.

import { HIT_CANDIDATES_MAX, NEAREST_CANDIDATES_MAX } from '../limits.js';
import type { Quadtree } from './quadtree.js';
import { NO_HIT, sweepCircle } from './sweep.js';

/** What is asked of the index. */
export type SpaceIndex = Pick<Quadtree, 'queryCircle' | 'queryBox'>;

export class SpaceQueries {
  /** Where on the way of the last firstHit it was, 0 to 1. */
  hitAt = NO_HIT;
  private readonly candidates = new Int32Array(Math.max(HIT_CANDIDATES_MAX, NEAREST_CANDIDATES_MAX));
  private readonly distances = new Float64Array(NEAREST_CANDIDATES_MAX);

  constructor(
    private readonly index: SpaceIndex,
    private readonly alive: Uint8Array,
    private readonly kind: Uint8Array,
    private readonly positionX: Float32Array,
    private readonly positionY: Float32Array,
    /** How far an entity may be from where the index has it. */
    private readonly slack: number,
  ) {}

  /**
   * @hot The nearest rows of the kinds in a mask (bit k: kind k), nearest first; equally near ones in the order of the index.
   * Writes at most out.length, and not more than are within `radius`.
   */
  nearest(x: number, y: number, radius: number, kinds: number, out: Int32Array): number {
    const { candidates, distances, positionX, positionY } = this;
    const found = this.index.queryCircle(x, y, radius + this.slack, candidates);
    const most = Math.min(out.length, distances.length);
    const radiusSquared = radius * radius;
    let count = 0;
    for (let i = 0; i < found; i++) {
      const row = candidates[i];
      if (!this.isOf(row, kinds)) continue;
      const dx = positionX[row] - x;
      const dy = positionY[row] - y;
      const squared = dx * dx + dy * dy;
      if (squared > radiusSquared || (count === most && squared >= distances[count - 1])) continue;
      if (count < most) count++;
      let at = count - 1;
      while (at > 0 && distances[at - 1] > squared) {
        distances[at] = distances[at - 1];
        out[at] = out[at - 1];
        at--;
      }
      distances[at] = squared;
      out[at] = row;
    }
    return count;
  }

  /**
   * @hot The row of the kinds in a mask that a way meets first, when it comes within `reach` of the row's position; -1 for
   * none. `exceptRow` is passed by. `hitAt` then says where on the way.
   */
  firstHit(
    x: number,
    y: number,
    stepX: number,
    stepY: number,
    reach: number,
    kinds: number,
    exceptRow: number,
  ): number {
    const { candidates, positionX, positionY } = this;
    const wide = reach + this.slack;
    const found = this.index.queryBox(
      Math.min(x, x + stepX) - wide,
      Math.min(y, y + stepY) - wide,
      Math.max(x, x + stepX) + wide,
      Math.max(y, y + stepY) + wide,
      candidates,
    );
    let hit = -1;
    this.hitAt = NO_HIT;
    for (let i = 0; i < found; i++) {
      const row = candidates[i];
      if (row === exceptRow || !this.isOf(row, kinds)) continue;
      const at = sweepCircle(positionX[row] - x, positionY[row] - y, stepX, stepY, reach);
      if (at < this.hitAt) {
        this.hitAt = at;
        hit = row;
      }
    }
    return hit;
  }

  /** The index may name a row whose entity is gone since, or another one by now. */
  private isOf(row: number, kinds: number): boolean {
    const kind = this.kind[row];
    return this.alive[row] !== 0 && (kind > 31 || (kinds & (1 << kind)) !== 0);
  }
}
