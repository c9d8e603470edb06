// How many commands a client may still send: in this tick, and of each kind by a bucket that game time fills. A bucket
// begins full and holds one second's worth, but at least one command, so that a rate below 1 per second works too.

import type { EngineZone } from '../zone/zone.js';

export class CommandRates {
  /** By client: the tick of the last command and how many there were in it. */
  private readonly countTick: Int32Array;
  private readonly counts: Uint16Array;
  /** By client and command: what it may still send of it, and the tick at which that was so. */
  private readonly tokens: Float32Array;
  private readonly tokensTick: Int32Array;

  constructor(
    private readonly zone: EngineZone,
    clientsMax: number,
    private readonly commandCount: number,
  ) {
    this.countTick = new Int32Array(clientsMax);
    this.counts = new Uint16Array(clientsMax);
    this.tokens = new Float32Array(clientsMax * commandCount).fill(Number.POSITIVE_INFINITY);
    this.tokensTick = new Int32Array(clientsMax * commandCount);
  }

  /** False: so many it has had in this tick. */
  count(client: number, most: number): boolean {
    const { tick } = this.zone;
    if (this.countTick[client] !== tick) {
      this.countTick[client] = tick;
      this.counts[client] = 0;
    }
    if (this.counts[client] >= most) {
      return false;
    }
    this.counts[client]++;
    return true;
  }

  /** False: the bucket is empty. */
  spend(client: number, slot: number, ratePerSecond: number): boolean {
    const { tick, dt } = this.zone;
    const at = client * this.commandCount + slot;
    const refilled = this.tokens[at] + (tick - this.tokensTick[at]) * dt * ratePerSecond;
    const tokens = Math.min(refilled, Math.max(1, ratePerSecond));
    this.tokensTick[at] = tick;
    this.tokens[at] = tokens < 1 ? tokens : tokens - 1;
    return tokens >= 1;
  }
}
