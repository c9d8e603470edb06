// Commands in the order in which zones applied them, each counted when its tick is committed: once, and in the order in
// which the client sent them, whatever zones and threads they went through.

import type { EngineZone } from '../../../src/engine/zone/zone.js';
import { require } from './violation.js';

interface Applied {
  client: string;
  seq: number;
}

export class AppliedCommands {
  count = 0;
  private readonly last = new Map<string, number>();
  private readonly pending: Applied[][];

  constructor(zoneCount: number) {
    this.pending = Array.from({ length: zoneCount }, () => []);
  }

  applied(zone: EngineZone, row: number, seq: number): void {
    this.pending[zone.id].push({ client: `${zone.owner[row] - 1}.${zone.engine.ownerGeneration[row]}`, seq });
  }

  committed(zone: number): void {
    for (const { client, seq } of this.pending[zone]) {
      const last = this.last.get(client) ?? 0;
      require(seq > last, 'commands are applied once and in order', () =>
        `client ${client}: ${seq} after ${last} in zone ${zone}`);
      this.last.set(client, seq);
      this.count++;
    }
    this.pending[zone].length = 0;
  }

  lostThread(zone: number): void {
    this.pending[zone].length = 0;
  }
}
