// After a restore: main names the clients of the zone one by one, and then says how many they were. Entities of those that
// are named may still be on their way here.

import { RejectCode } from '../../game/reject-codes.js';
import * as R from '../../memory/records/thread-records.js';
import type { EngineZone } from '../zone/zone.js';
import { ARRIVAL_TICKS_MAX } from './limits.js';
import { copyRecord, type WaitingRecord } from './waiting-records.js';
import type { ZoneClients } from './zone-clients.js';

export class AttachingClients {
  private waiting: WaitingRecord[] = [];
  private namedCount = 0;
  private isComplete = false;

  constructor(
    private readonly zone: EngineZone,
    private readonly clients: ZoneClients,
  ) {}

  /** Main has named all clients of this zone. */
  get isOpen(): boolean {
    return this.isComplete;
  }

  add(view: DataView, offset: number): void {
    this.namedCount++;
    this.waiting.push({ record: copyRecord(view, offset), tick: this.zone.tick });
  }

  /** Main says that it has named so many. */
  close(count: number): void {
    if (this.namedCount < count) {
      return; // the others were named to a thread that was lost meanwhile: main names all of them again
    }
    this.retry();
    this.clients.despawnUnattached();
    this.isComplete = true;
  }

  retry(): void {
    if (this.waiting.length === 0) return;
    const { waiting } = this;
    this.waiting = [];
    for (const entry of waiting) {
      const { record } = entry;
      const client = record.getUint16(R.COMMAND_CLIENT, true);
      const generation = record.getInt32(R.COMMAND_GENERATION, true);
      if (this.clients.attach(client, generation, record)) {
        continue;
      }
      if (this.zone.tick - entry.tick >= ARRIVAL_TICKS_MAX) {
        this.giveUp(client, generation, record);
      } else {
        this.waiting.push(entry);
      }
    }
  }

  /** A client that main named and whose entity has not come. */
  private giveUp(client: number, generation: number, record: DataView): void {
    if (record.getInt32(R.COMMAND_PAYLOAD + 16, true) === 0) {
      this.clients.joinAgain(client, generation, record); // it had joined in a tick that was never committed
      return;
    }
    this.clients.refuse(client, generation, 0, 0, RejectCode.NotAlive); // absent: nobody needs another one
  }
}
