// The rings to other zones as a replay has them: what is sent goes nowhere, and each takes as much as it took in play.

import { HANDOFF_POST_BYTES } from '../../memory/records/thread-records.js';
import type { PostRoads } from '../posts/zone-posts.js';

export class ReplayRoads implements PostRoads {
  private readonly scratch = new Int32Array(HANDOFF_POST_BYTES / 4);
  /** By zone: how many more of this tick's records find room. */
  private readonly room: number[];

  constructor(zoneCount: number) {
    this.room = new Array<number>(zoneCount).fill(Number.POSITIVE_INFINITY);
  }

  begin(): void {
    this.room.fill(Number.POSITIVE_INFINITY);
  }

  limit(zone: number, records: number): void {
    this.room[zone] = records;
  }

  claim(zone: number): number {
    return this.room[zone]-- > 0 ? 0 : -1;
  }

  wordsOf(): Int32Array {
    return this.scratch;
  }
}
