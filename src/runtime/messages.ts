// What main and the workers say to each other by message. Everything that happens per tick goes through shared memory.

import type { WorldPlan } from './world-plan.js';

/** workerData of a tick thread. */
export interface TickThreadData {
  plan: WorldPlan;
  thread: number;
  /** URL of the module whose default export is the game. */
  gameUrl: string;
}

export type FromTickThread =
  | { kind: 'ready'; tick: number }
  | { kind: 'overrun'; overruns: number; skipped: number; worstMs: number };
