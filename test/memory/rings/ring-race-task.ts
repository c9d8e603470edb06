// What the threads of a ring race and the test that starts them agree on.

import type { Side } from '../../../bench/turns.js';

export interface RaceTask {
  role: Side;
  ring: 'record' | 'byte';
  buffer: SharedArrayBuffer;
  /** How the sides wait for each other. */
  turns: SharedArrayBuffer;
  /** RACE_WORDS words that both sides and the test share. */
  shared: SharedArrayBuffer;
  seed: number;
  /** Most records of one publish or one release. */
  batchMax: number;
  /** Sequence number of this side's first record. */
  start: number;
}

// One shared word each. The goal is a sequence number that neither side reaches beyond, once it is known. The sides
// store the number that comes after a batch just before they publish or release the batch.
export const GOAL_KNOWN = 0;
export const GOAL = 1;
export const PRODUCED = 2;
export const CONSUMED = 3;
export const RACE_WORDS = 4;
