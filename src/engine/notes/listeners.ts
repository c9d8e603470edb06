// The clients of a zone as those who are told something: where each looks from, and of which team it is.

import * as C from '../../memory/tables/client-table.js';
import type { Replicator } from '../replication/replicator.js';
import type { EngineZone } from '../zone/zone.js';
import { type Audience, type Listeners, TO_PLACE, TO_TEAM } from './broadcasts.js';

export class ZoneListeners implements Listeners {
  /** By client: of its entity, or of the one that it had last. */
  private readonly teamOfClient: Uint8Array;

  constructor(
    private readonly zone: EngineZone,
    private readonly clients: C.ClientTable,
    private readonly replicator: Replicator,
  ) {
    this.teamOfClient = new Uint8Array(clients.clientsMax);
  }

  get listenerCount(): number {
    return this.replicator.clientCount;
  }

  get arrivals(): number {
    return this.replicator.arrivals;
  }

  /** @hot */
  listenerAt(index: number): number {
    const { clients, replicator } = this;
    const client = replicator.clientAt(index);
    const holder = clients.state[client * C.CLIENT_STATE_WORDS + C.CLIENT_GENERATION];
    return holder === replicator.generationOfClient[client] ? client : -1;
  }

  /** @hot Once per tick, in a game with teams: a client without an entity is of the team that it had. */
  look(): void {
    const { replicator, teamOfClient } = this;
    const team = this.zone.teamColumn;
    if (team === undefined) return;
    for (let i = 0; i < replicator.clientCount; i++) {
      const client = replicator.clientAt(i);
      const row = replicator.rowOfClient[client];
      if (row >= 0) teamOfClient[client] = team[row];
    }
  }

  /** @hot Once per client and note. */
  hears(client: number, { to, team, x, y, radius }: Audience): boolean {
    const { zone, replicator } = this;
    const row = replicator.rowOfClient[client];
    if (to === TO_TEAM) return (row < 0 ? this.teamOfClient[client] : zone.team[row]) === team;
    if (to !== TO_PLACE) return true;
    const stepX = (row < 0 ? replicator.viewX[client] : zone.positionX[row]) - x;
    const stepY = (row < 0 ? replicator.viewY[client] : zone.positionY[row]) - y;
    return stepX * stepX + stepY * stepY <= radius * radius;
  }
}
