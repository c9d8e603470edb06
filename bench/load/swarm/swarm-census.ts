// What the clients of one thread do for a census: stand still, ask for everything in view, and tell what they see.

import { setTimeout as sleep } from 'node:timers/promises';
import { nowMs } from '../../../src/base/clock.js';
import type { Observation } from '../report/census.js';
import type { StandStill } from './messages.js';
import type { Swarm } from './swarm.js';

const STOP_DEADLINE_MS = 3000;
/** What was on its way when everybody stopped has arrived by then, distant entities with their lower rates included. */
const REST_MS = 1000;
const FULL_DEADLINE_MS = 5000;
const SETTLE_MS = 500;
const POLL_MS = 20;
/** Messages outside of the paced inputs go out in slices, so that they are no burst either. */
const SLICE_CLIENTS = 8;

export class SwarmCensus {
  private readonly swarm: Swarm;
  /** What the sample saw before it asked anew: kept up by deltas alone since it joined. */
  private deltaViews: Observation[] = [];

  constructor(swarm: Swarm) {
    this.swarm = swarm;
  }

  async lookAround(): Promise<StandStill> {
    const { swarm } = this;
    swarm.stopInputs();
    await this.inSlices((client) => swarm.sendStop(client));
    const unstopped = await this.waitFor(STOP_DEADLINE_MS, (client) => swarm.isAcknowledged(client));
    await sleep(REST_MS);
    this.deltaViews = swarm
      .joinedClients()
      .filter((client) => swarm.isSampled(client))
      .map((client) => swarm.observe(client, 'deltas'));
    await this.inSlices((client) => swarm.sendResync(client));
    const withoutFull = await this.waitFor(FULL_DEADLINE_MS, (client) => swarm.view(client)?.isComplete === true);
    await sleep(SETTLE_MS);
    return { unstopped, withoutFull };
  }

  read(): Observation[] {
    const views = this.swarm.joinedClients().map((client) => this.swarm.observe(client, 'full'));
    return views.concat(this.deltaViews);
  }

  end(): void {
    this.deltaViews = [];
    for (const client of this.swarm.joinedClients()) {
      if (!this.swarm.isSampled(client)) this.swarm.stopDecoding(client);
    }
  }

  private async inSlices(act: (client: number) => void): Promise<void> {
    const clients = this.swarm.joinedClients();
    for (let start = 0; start < clients.length; start += SLICE_CLIENTS) {
      // A client may be lost between one slice and the next.
      for (const client of clients.slice(start, start + SLICE_CLIENTS)) if (this.swarm.isJoined(client)) act(client);
      await sleep(1);
    }
  }

  /** Waits until all joined clients are ready, or the deadline; returns how many are not. */
  private async waitFor(deadlineMs: number, isReady: (client: number) => boolean): Promise<number> {
    const startedMs = nowMs();
    for (;;) {
      const unready = this.swarm.joinedClients().filter((client) => !isReady(client)).length;
      if (unready === 0 || nowMs() - startedMs > deadlineMs) return unready;
      await sleep(POLL_MS);
    }
  }
}
