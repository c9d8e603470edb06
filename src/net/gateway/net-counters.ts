// What the net side counts. The hot path adds to plain numbers in typed arrays; metrics.ts reads them when asked.

import { REJECT_CODE_COUNT } from '../../game/reject-codes.js';

/** Words of one transport's traffic. */
export const PACKETS_IN = 0;
export const PACKETS_OUT = 1;
export const BYTES_IN = 2;
export const BYTES_OUT = 3;
const TRAFFIC_WORDS = 4;

/** Why something was not delivered, by number. */
export const DROP_CONGESTED = 0;
export const DROP_AWAITING_FULL = 1;
export const DROP_STALE = 2;
export const DROP_UNANSWERED_REJECT = 3;
export const DROP_AFTER_CLOSE = 4;
export const DROP_CONNECTION_PENDING = 5;
export const DROP_CONNECTION_ADDRESS = 6;
export const DROP_CONNECTION_FULL = 7;
export const DROP_CONNECTION_ACCEPT = 8;
export const DROP_RESPONSE_UNSENT = 9;
export const DROP_DELAYED = 10;
export const DROP_NAMES = [
  'congested', // a frame for a client whose socket is backed up
  'awaiting_full', // a frame that builds on one which was dropped
  'stale', // a frame for a session that is gone
  'unanswered_reject', // a reject beyond what one client is answered
  'after_close', // a message of a client that was told to go
  'connection_pending', // more connections that have not asked for anything than are waited for
  'connection_address', // more connections from one address than are allowed
  'connection_full', // more refusals at a time than are explained
  'connection_accept', // a connection that the system could not hand over, for want of file descriptors
  'response_unsent', // an HTTP connection with too much that its client does not read
  'delayed', // a frame for a spectator of whom more waits than its share
] as const;

/** Close codes of this server, and those of the standard that it sees. Whatever else a client says is "other". */
export const CLOSE_CODES = [
  1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011, 1013, 4000, 4001, 4002, 4003, 4004, 4005, 4006,
] as const;
const CLOSE_OTHER = CLOSE_CODES.length;

export interface TrafficCounters {
  readonly transport: string;
  readonly words: Float64Array;
}

export interface NetSnapshot {
  packetsIn: number;
  packetsOut: number;
  bytesIn: number;
  bytesOut: number;
  /** Messages that passed every check. */
  accepted: number;
  /** Rejections by the name of their code. */
  rejects: Record<string, number>;
  drops: Record<string, number>;
  /** Connections closed by this server, by close code. */
  closedByServer: Record<string, number>;
  closedByClient: Record<string, number>;
}

export class NetCounters {
  readonly traffic: TrafficCounters[] = [];
  readonly accepted = new Float64Array(1);
  readonly rejects = new Float64Array(REJECT_CODE_COUNT);
  readonly drops = new Float64Array(DROP_NAMES.length);
  readonly closedByServer = new Float64Array(CLOSE_CODES.length + 1);
  readonly closedByClient = new Float64Array(CLOSE_CODES.length + 1);

  addTransport(transport: string): Float64Array {
    const words = new Float64Array(TRAFFIC_WORDS);
    this.traffic.push({ transport, words });
    return words;
  }

  total(word: number): number {
    return this.traffic.reduce((sum, { words }) => sum + words[word], 0);
  }

  countClose(byServer: boolean, code: number): void {
    const slot = (CLOSE_CODES as readonly number[]).indexOf(code);
    const counts = byServer ? this.closedByServer : this.closedByClient;
    counts[slot === -1 ? CLOSE_OTHER : slot] += 1;
  }
}

export function closeLabel(slot: number): string {
  return slot === CLOSE_OTHER ? 'other' : String(CLOSE_CODES[slot]);
}

/** The entries that are not zero, by name. */
export function nameCounts(counts: Float64Array, nameOf: (index: number) => string): Record<string, number> {
  const named: Record<string, number> = {};
  counts.forEach((count, index) => {
    if (count !== 0) named[nameOf(index)] = count;
  });
  return named;
}
