// Commands of a zone that wait for a later tick, client by client, those of each in the order in which main counted them.

import * as R from '../../memory/records/thread-records.js';
import { ARRIVAL_TICKS_MAX, COMMANDS_WAITING_MAX } from './limits.js';
import { copyRecord, NOT_HERE, TAKEN, type WaitingRecord } from './waiting-records.js';

export class WaitingCommands {
  private waiting: WaitingRecord[] = [];
  /** By client: how many of its commands wait, and which of them came last. */
  private readonly count: Uint16Array;
  private readonly lastNumber: Uint16Array;
  private readonly blockedTick: Int32Array;

  constructor(
    clientsMax: number,
    /** Returns what became of it. `isOverdue`: it has waited for earlier ones for as long as it may. */
    private readonly attempt: (view: DataView, offset: number, isOverdue: boolean) => number,
    /** Its client has not come. */
    private readonly onStale: () => void,
  ) {
    this.count = new Uint16Array(clientsMax);
    this.lastNumber = new Uint16Array(clientsMax);
    this.blockedTick = new Int32Array(clientsMax);
  }

  hasSome(client: number): boolean {
    return this.count[client] !== 0;
  }

  /** False: there is no room. */
  add(view: DataView, offset: number, tick: number): boolean {
    if (this.waiting.length >= COMMANDS_WAITING_MAX) {
      return false;
    }
    const client = view.getUint16(offset + R.COMMAND_CLIENT, true);
    const number = view.getUint16(offset + R.COMMAND_NUMBER, true);
    const entry = { record: copyRecord(view, offset), tick };
    if (this.count[client] !== 0 && isBefore(number, this.lastNumber[client])) {
      this.waiting.splice(this.placeOf(client, number), 0, entry);
    } else {
      this.waiting.push(entry);
      this.lastNumber[client] = number;
    }
    this.count[client]++;
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
      const client = entry.record.getUint16(R.COMMAND_CLIENT, true);
      if (taken >= most || this.blockedTick[client] === tick) {
        this.waiting.push(entry);
        continue;
      }
      const isOverdue = tick - entry.tick >= ARRIVAL_TICKS_MAX;
      const outcome = this.attempt(entry.record, 0, isOverdue);
      if (outcome === TAKEN) {
        this.count[client]--;
        taken++;
      } else if (outcome === NOT_HERE && isOverdue) {
        this.count[client]--;
        this.onStale();
      } else {
        this.blockedTick[client] = tick;
        this.waiting.push(entry);
      }
    }
    return taken;
  }

  /** In front of the first of the client's that is later. Rare: only what took a longer way than a later one comes so. */
  private placeOf(client: number, number: number): number {
    const place = this.waiting.findIndex(
      ({ record }) =>
        record.getUint16(R.COMMAND_CLIENT, true) === client &&
        isBefore(number, record.getUint16(R.COMMAND_NUMBER, true)),
    );
    return place < 0 ? this.waiting.length : place; // those that wait may be of a former connection, which counted otherwise
  }
}

/** Counts of commands wrap at 65536. */
function isBefore(number: number, other: number): boolean {
  return ((number - other) & 0xffff) >= 0x8000;
}
