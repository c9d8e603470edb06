// What the I/O thread tells main of what keeps the world, whenever it changes. Times are of processMs().

export type BackendPort = 'log' | 'hot' | 'cold';

/**
 * up    its last call was answered
 * slow  a call waits for an answer for longer than usual
 * down  its last call failed, or was given up
 */
export type BackendState = 'up' | 'slow' | 'down';

export interface BackendStatus {
  port: BackendPort;
  /** As its port names it, such as 'Redis' with its address. */
  backend: string;
  state: BackendState;
  sinceMs: number;
  failures: number;
  lastError: string;
}

/**
 * off      --journal-flush-ms 0
 * written  every tick gets there
 * failing  the disk takes none, or ticks are missing: a kill loses more until the next segment begins
 * silent   no tick was written for 15 s: the disk hangs, or no tick was run
 */
export type JournalState = 'off' | 'written' | 'failing' | 'silent';

export interface LeaseStatus {
  store: 'hot' | 'cold';
  isHeld: boolean;
  /** Why it is not ours, with the server that has it where one does. */
  problem: string;
}

export interface IoStatus {
  backends: readonly BackendStatus[];
  journal: { state: JournalState; sinceMs: number };
  /** Of stores that other servers can reach. */
  leases: readonly LeaseStatus[];
  /** False: events wait in memory only. */
  hasSpool: boolean;
}
