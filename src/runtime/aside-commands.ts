// Commands of a zone that wait for a later tick, in the order in which they came, and client by client.

import * as R from '../memory/records.js';
import { ARRIVAL_TICKS_MAX, copyRecord, NOT_HERE, TAKEN, type WaitingRecord } from './waiting-records.js';

/** Half a second of 2,000 clients at 30 per second is 30,000. */
const ASIDE_MAX = 32768;

export class AsideCommands {
  private waiting: WaitingRecord[] = [];
  private readonly count: Uint16Array;
  private readonly blockedTick: Int32Array;

  constructor(
    clientsMax: number,
    /** Returns what became of it. */
    private readonly attempt: (view: DataView, offset: number) => number,
    /** Its client has not come. */
    private readonly onStale: () => void,
  ) {
    this.count = new Uint16Array(clientsMax);
    this.blockedTick = new Int32Array(clientsMax);
  }

  hasSome(client: number): boolean {
    return this.count[client] !== 0;
  }

  /** False: there is no room. */
  add(view: DataView, offset: number, tick: number): boolean {
    if (this.waiting.length >= ASIDE_MAX) {
      return false;
    }
    this.count[view.getInt32(offset + R.COMMAND_CLIENT, true)]++;
    this.waiting.push({ record: copyRecord(view, offset), tick });
    return true;
  }

  /** Returns how many were taken. */
  take(most: number, tick: number): number {
    if (this.waiting.length === 0) {
      return 0;
    }
    const { waiting } = this;
    this.waiting = [];
    let taken = 0;
    for (const entry of waiting) {
      const client = entry.record.getInt32(R.COMMAND_CLIENT, true);
      if (taken >= most || this.blockedTick[client] === tick) {
        this.waiting.push(entry);
        continue;
      }
      const outcome = this.attempt(entry.record, 0);
      if (outcome === TAKEN) {
        this.count[client]--;
        taken++;
      } else if (outcome === NOT_HERE && tick - entry.tick >= ARRIVAL_TICKS_MAX) {
        this.count[client]--;
        this.onStale();
      } else {
        this.blockedTick[client] = tick;
        this.waiting.push(entry);
      }
    }
    return taken;
  }
}
