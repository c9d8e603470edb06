// What masks keep from an observer: see Zone.shownTo. Of a client whose entity is dead the masks are those that the entity
// had last, so that nothing comes into its view by its death.

import { VIEW_REACH_MAX } from '../limits.js';
import type { SightColumns } from '../zone/zone-sight.js';

export class Sight {
  /** By client. */
  private readonly sees: Uint32Array;
  private readonly reach: Float32Array;

  constructor(
    private readonly columns: SightColumns,
    clientsMax: number,
  ) {
    this.sees = new Uint32Array(clientsMax);
    this.reach = new Float32Array(clientsMax);
  }

  /** @hot Returns how far the client sees, which may be farther than the server lets it. `row`: of its entity, or -1. */
  look(client: number, row: number): number {
    if (row >= 0) {
      this.sees[client] = this.columns.sees[row];
      this.reach[client] = this.columns.viewReach[row];
    }
    return this.reach[client];
  }

  /** @hot */
  isShown(client: number, row: number): boolean {
    return this.reach[client] > 0 && (this.columns.shownTo[row] & this.sees[client]) !== 0;
  }

  /** The client is a spectator, and has no entity that says what it sees. */
  beginSpectator(client: number, sees: number): void {
    this.sees[client] = sees;
    this.reach[client] = VIEW_REACH_MAX;
  }

  /** @hot Keeps of what is near what the client sees, in its order. Returns how many that are. */
  keepShown(client: number, rows: Int32Array, distances: Float32Array, count: number): number {
    const { shownTo } = this.columns;
    const sees = this.reach[client] > 0 ? this.sees[client] : 0;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const row = rows[i];
      if ((shownTo[row] & sees) !== 0) {
        rows[kept] = row;
        distances[kept++] = distances[i];
      }
    }
    return kept;
  }
}
