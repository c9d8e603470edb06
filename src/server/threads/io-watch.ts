// Looks a few times a second at what the I/O thread works with: backends, leases, journal, spool. Main is told when
// something has changed, never per event; ages stand in the shared counters. Backends name themselves in the log when they
// hang, fail or answer again (their health records do).

import { processMs } from '../../base/clock.js';
import { IO_WATCH_MS, JOURNAL_SILENT_MS } from '../limits.js';
import type { IoParts } from './io-parts.js';
import type { BackendPort, BackendState, BackendStatus, IoStatus, JournalState, LeaseStatus } from './io-status.js';

export type Watched = Pick<IoParts, 'stores' | 'leases' | 'spool' | 'counters'> & {
  /** Undefined: no journal is kept. */
  journal: { readonly isWritten: boolean } | undefined;
};

const PORTS: readonly BackendPort[] = ['log', 'hot', 'cold'];

export class IoWatch {
  private readonly backends: BackendStatus[];
  private journal: { state: JournalState; sinceMs: number };
  private journalTicks = 0;
  private told = '';
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly parts: Watched,
    private readonly tell: (status: IoStatus) => void,
    private readonly now = processMs,
  ) {
    const sinceMs = now();
    this.journal = { state: parts.journal === undefined ? 'off' : 'written', sinceMs };
    parts.counters.set('journalWrittenMs', sinceMs);
    this.backends = PORTS.map((port) => {
      const { backend, failures, lastError } = parts.stores[port].health();
      return { port, backend, state: 'up', sinceMs, failures, lastError };
    });
  }

  start(): void {
    this.look();
    this.timer = setInterval(() => this.look(), IO_WATCH_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  look(): void {
    const atMs = this.now();
    for (const status of this.backends) this.lookAtBackend(status, atMs);
    this.lookAtSpool(atMs);
    this.lookAtJournal(atMs);
    const status: IoStatus = {
      backends: this.backends,
      journal: this.journal,
      leases: this.leases(),
      hasSpool: this.parts.spool !== undefined,
    };
    const text = JSON.stringify(status);
    if (text === this.told) return;
    this.told = text;
    this.tell(status);
  }

  private lookAtBackend(status: BackendStatus, atMs: number): void {
    const health = this.parts.stores[status.port].health();
    const state = stateOf(health);
    status.failures = health.failures;
    status.lastError = health.lastError;
    if (state === status.state) return;
    status.state = state;
    status.sinceMs = atMs;
  }

  private lookAtSpool(atMs: number): void {
    const { spool, counters } = this.parts;
    if (spool === undefined || spool.isEmpty) counters.set('spoolSinceMs', 0);
    else if (counters.get('spoolSinceMs') === 0) counters.set('spoolSinceMs', atMs);
  }

  private lookAtJournal(atMs: number): void {
    const { journal, counters } = this.parts;
    if (journal === undefined) return;
    const ticks = counters.get('journalTicks');
    if (ticks !== this.journalTicks) counters.set('journalWrittenMs', atMs);
    this.journalTicks = ticks;
    const isSilent = atMs - counters.get('journalWrittenMs') >= JOURNAL_SILENT_MS;
    const state = journal.isWritten ? (isSilent ? 'silent' : 'written') : 'failing';
    if (state !== this.journal.state) this.journal = { state, sinceMs: atMs };
  }

  private leases(): LeaseStatus[] {
    const { leases } = this.parts;
    return (['hot', 'cold'] as const).flatMap((store): LeaseStatus[] => {
      const lease = leases[store];
      if (lease === undefined) return [];
      try {
        lease.require();
        return [{ store, isHeld: true, problem: '' }];
      } catch (error) {
        return [{ store, isHeld: false, problem: (error as Error).message }];
      }
    });
  }
}

/** Of a port that knows no more than whether its last call was answered, that is all there is to say. */
function stateOf(health: { state?: BackendState; connected?: boolean }): BackendState {
  return health.state ?? (health.connected === false ? 'down' : 'up');
}
