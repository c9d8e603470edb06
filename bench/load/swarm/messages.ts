// What the main thread asks of a thread that generates load, and what it is answered.

import type { WelcomeInfo } from '../../../src/protocol/fb/server-frame.js';
import type { Observation } from '../report/census.js';
import type { MovementStyle } from './movement.js';
import type { Target } from './websocket-link.js';

export interface SwarmPlan {
  target: Target;
  /** Number of this thread's first client among those of all threads. */
  firstClient: number;
  clients: number;
  /** How many of them are decoded in full all the time. */
  sample: number;
  inputHz: number;
  updateHz: number;
  movement: MovementStyle;
  /** Connections opened per second. */
  ramp: number;
  seed: number;
}

/** Where the clients of a thread are; sent twice a second. */
export interface SwarmProgress {
  joined: number;
  failed: number;
  lost: number;
  framesReceived: number;
  inputsSent: number;
}

export interface JoinFigures {
  joined: number;
  /** How many clients did not join, by reason. */
  failures: Record<string, number>;
  welcome: WelcomeInfo | null;
}

/** What was counted in the timed part. */
export interface WindowFigures {
  seconds: number;
  inputsSent: number;
  /** Inputs that were due and could not be written: the socket was backed up ... */
  inputsHeldBack: number;
  /** ... or the generator was too late for them. */
  inputsSkipped: number;
  pacerLatenessMsMax: number;
  framesReceived: number;
  bytesReceived: number;
  rttCounts: Float64Array;
  rttCount: number;
  rttSumMs: number;
  rttMaxMs: number;
  /** Inputs of the timed part that no frame had acknowledged a second after its end. */
  inputsUnanswered: number;
  sampleFrames: number;
  sampleBytes: number;
  sampleRecords: number;
  sampleVisibleSum: number;
  /** Clients whose decoded view broke, by error. */
  sampleErrors: Record<string, number>;
  rejects: Record<string, number>;
  /** Clients that got no frame for longer than the limit at any time of the timed part. */
  silentClients: number;
  silenceMsMax: number;
}

/** How far a census came before anything is compared. */
export interface StandStill {
  /** Clients whose last command, to stand still, was not acknowledged in time. */
  unstopped: number;
  /** Clients that were sent no Full frame in time. */
  withoutFull: number;
}

/** Requests by name, with what each is answered. */
export interface SwarmRequests {
  connect: JoinFigures;
  startInputs: null;
  beginWindow: null;
  endWindow: WindowFigures;
  lookAround: StandStill;
  readCensus: Observation[];
  endCensus: null;
  /** Connections that ended before we ended them, by reason. */
  close: Record<string, number>;
}

export type SwarmRequestName = keyof SwarmRequests;

export interface SwarmRequest {
  id: number;
  name: SwarmRequestName;
}

export type SwarmMessage =
  | { type: 'reply'; id: number; result: SwarmRequests[SwarmRequestName] }
  | { type: 'failure'; id: number; text: string }
  | { type: 'progress'; progress: SwarmProgress };
