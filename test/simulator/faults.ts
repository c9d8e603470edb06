// What can go wrong in a simulated run. Each run enables a random part of these ("swarm": faults that hide each other meet
// alone as well), each with a rate of its own. Counted when they happen, so that one that never does is seen.

import type { Chance } from './chance.js';

/** By name: the least and the greatest probability per occasion; occasions are named behind. */
export const FAULTS = {
  'thread-dies': [0.00002, 0.002], // per point of a tick
  'thread-stalls': [0.001, 0.02], // per tick
  'thread-hangs': [0.0005, 0.008], // per turn of a thread: it comes back late, or is given up, ends and is replaced
  'main-slow': [0.005, 0.1], // per look into the frame rings
  'main-interrupted': [0.01, 0.3], // per record delivered: tick threads go on meanwhile
  'tick-interrupted': [0.005, 0.2], // per point of a tick: main and other threads go on meanwhile
  'rings-small': [1, 1], // per run
  'zones-small': [1, 1], // per run
  'client-leaves': [0.002, 0.03], // per turn of a client
  'client-floods': [0.005, 0.05],
  'client-odd-commands': [0.01, 0.2],
  'client-resyncs': [0.005, 0.05],
  'client-congested': [0.002, 0.03],
  'log-slow': [0.02, 0.5], // per call of the log
  'log-away': [0.002, 0.05],
  'log-timeout-done': [0.01, 0.2],
  'log-timeout-undone': [0.01, 0.2],
  'log-full': [0.005, 0.1],
  'log-rejects': [0.002, 0.05],
  'hot-slow': [0.05, 0.5], // per call of the hot store
  'hot-away': [0.02, 0.2],
  'hot-timeout-done': [0.05, 0.3],
  'hot-timeout-undone': [0.05, 0.3],
  'hot-partly': [0.05, 0.3],
  'hot-damaged': [0.02, 0.3], // per value read
  'cold-slow': [0.05, 0.5], // per call of the cold store
  'cold-away': [0.02, 0.2],
  'cold-timeout-done': [0.05, 0.3],
  'cold-timeout-undone': [0.05, 0.3],
  'cold-damaged': [0.02, 0.3], // per snapshot read
  'spool-slow': [0.05, 0.5], // per write of the spool
  'spool-full': [0.02, 0.3],
  'spool-damaged': [0.001, 0.02], // per row read
  'spool-small': [1, 1], // per run
  'journal-slow': [0.02, 0.3], // per append to the journal
  'journal-full': [0.002, 0.05], // per call of its disk
  'journal-damaged': [0.02, 0.3], // per file read
  'platform-malformed': [0.05, 0.3], // per command of the platform
  'platform-twice': [0.05, 0.4],
  'io-dies': [0.0005, 0.01], // per beat of the I/O thread
  'process-crashes': [0.1, 0.8], // per second
  'process-stops': [0.05, 0.4], // per second
} as const satisfies Record<string, readonly [number, number]>;

export type FaultName = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];

export class Faults {
  readonly rates = new Map<FaultName, number>();
  readonly counts = new Map<string, number>();
  private isOver = false;

  /** `only`: exactly these. */
  constructor(
    private readonly chance: Chance,
    only?: readonly FaultName[],
  ) {
    // Some runs meet few faults, some meet many.
    const share = chance.pick([0.1, 0.3, 0.5, 0.8]);
    for (const name of FAULT_NAMES) {
      const [low, high] = FAULTS[name];
      const isChosen = chance.happens(share);
      const rate = chance.logBetween(low, high);
      if (only === undefined ? isChosen : only.includes(name)) this.rates.set(name, rate);
    }
  }

  happens(name: FaultName): boolean {
    const rate = this.rates.get(name);
    if (rate === undefined || this.isOver || !this.chance.happens(rate)) return false;
    this.note(name);
    return true;
  }

  /** Something to know of, such as what a fault led to. */
  note(name: string, count = 1): void {
    if (count > 0) this.counts.set(name, (this.counts.get(name) ?? 0) + count);
  }

  get isEnded(): boolean {
    return this.isOver;
  }

  /** From now on nothing goes wrong. */
  end(): void {
    this.isOver = true;
  }
}
