// Clients whose entities have gone from a zone to another one, and where to: what still comes here for them follows them.

import { COUNTER } from '../../memory/tables/zone-counters.js';
import { GAME_KIND_MIN } from '../../protocol/limits.js';
import { LateOrders } from '../clients/waiting-records.js';
import type { EngineZone } from '../zone/zone.js';
import type { Handoff } from './handoff.js';

export class DepartedClients {
  /** By client: zone + 1 to which its entity has gone from here. */
  private readonly forwardTo: Uint8Array;
  /** Orders of main that must not be lost and found no room on their way. */
  private readonly late: LateOrders;

  constructor(
    clientsMax: number,
    private readonly zone: EngineZone,
    private readonly handoff: Handoff,
  ) {
    this.forwardTo = new Uint8Array(clientsMax);
    this.late = new LateOrders((record, target) => handoff.forwardCommand(record, 0, target));
  }

  has(client: number): boolean {
    return this.forwardTo[client] !== 0;
  }

  add(client: number, target: number): void {
    this.forwardTo[client] = target + 1;
  }

  /** It is here now. */
  remove(client: number): void {
    this.forwardTo[client] = 0;
  }

  /** No more orders may be taken: one that must follow its client would have no place. */
  get isFull(): boolean {
    return this.late.isFull;
  }

  retry(): void {
    this.late.retry();
  }

  /** Sends a record after its client, if it is known where that is. False: a command for which there is no room. */
  follow(client: number, kind: number, view: DataView, offset: number): boolean {
    const { zone } = this;
    const target = this.forwardTo[client] - 1;
    if (target < 0) {
      zone.counters[COUNTER.commandsStale]++;
      return true;
    }
    if (this.handoff.forwardCommand(view, offset, target)) {
      zone.counters[COUNTER.commandsForwarded]++;
      return true;
    }
    if (kind >= GAME_KIND_MIN) return false;
    this.late.add(view, offset, target);
    return true;
  }
}
