// What durability is made of, told from outside: which backends answer and since when, how old the newest copies of the
// world are, what waits and what was lost. From the I/O thread's shared counters, and what it says when something changes.

import { processMs } from '../../base/clock.js';
import type { WorldPlan } from '../../engine/plan/world-plan.js';
import {
  EVENT_LOSS_REASONS,
  IO_COUNTERS,
  IO_GAUGES,
  type IoCounterName,
  IoCounters,
} from '../../memory/tables/io-counters.js';
import { COUNTERS } from '../../memory/tables/zone-counters.js';
import { WorldBuffer } from '../../memory/world/world-buffer.js';
import type { Metrics } from '../../net/http/metrics.js';
import type { BackendState, IoStatus, JournalState } from '../threads/io-status.js';

const BACKEND_STATES: readonly BackendState[] = ['up', 'slow', 'down'];
const JOURNAL_STATES: readonly JournalState[] = ['off', 'written', 'failing', 'silent'];
/** Shown in another form. */
const HIDDEN: ReadonlySet<IoCounterName> = new Set(['spoolSinceMs', 'journalWrittenMs']);

export interface DurabilityHealth {
  backends: {
    port: string;
    backend: string;
    state: BackendState;
    seconds: number;
    failures: number;
    lastError: string;
  }[];
  /** `ageSeconds`: since ticks were last written. */
  journal: { state: JournalState; seconds: number; ageSeconds: number | undefined } | undefined;
  leases: { store: string; isHeld: boolean; problem: string }[];
  spool: { isOpen: boolean; events: number; bytes: number; ageSeconds: number };
  events: { appended: number; waiting: number; lost: Record<string, number> };
  /** By zone, of the newest that is acknowledged; undefined: none since the start. */
  snapshots: { zone: number; hotAgeSeconds: number | undefined; coldAgeSeconds: number | undefined }[];
}

export class DurabilityReport {
  private readonly io: IoCounters;
  private readonly worlds: WorldBuffer[];
  /** Undefined: the I/O thread has not begun. */
  private status: IoStatus | undefined;

  constructor(
    plan: Pick<WorldPlan, 'io' | 'worlds' | 'layout'>,
    private readonly now = processMs,
  ) {
    this.io = new IoCounters(plan.io);
    this.worlds = plan.worlds.map((buffer) => new WorldBuffer(buffer, plan.layout));
  }

  hear(status: IoStatus): void {
    this.status = status;
  }

  /** Why the world cannot be kept at all; empty as long as the journal or a store takes it. */
  unreadyReasons(): string[] {
    const { status } = this;
    if (status === undefined || status.journal.state === 'written') return [];
    const stores = status.backends.filter(({ port }) => port !== 'log');
    const problems = stores.flatMap(({ port, backend, state, lastError }) => {
      if (state === 'down') return [`${backend}: ${lastError}`];
      const lease = status.leases.find(({ store }) => store === port);
      return lease?.isHeld === false ? [lease.problem] : [];
    });
    if (problems.length < stores.length) return [];
    return [
      `the world is not kept: the journal is ${status.journal.state}, and no store takes it: ${problems.join('; ')}`,
    ];
  }

  health(): DurabilityHealth {
    const { io, status } = this;
    const journal = status?.journal;
    return {
      backends: (status?.backends ?? []).map(({ sinceMs, ...backend }) => ({ ...backend, seconds: this.age(sinceMs) })),
      journal: journal && {
        state: journal.state,
        seconds: this.age(journal.sinceMs),
        ageSeconds: journal.state === 'off' ? undefined : this.age(io.get('journalWrittenMs')),
      },
      leases: [...(status?.leases ?? [])],
      spool: {
        isOpen: status?.hasSpool ?? false,
        events: io.get('spoolEvents'),
        bytes: io.get('spoolBytes'),
        ageSeconds: this.spoolAge(),
      },
      events: { appended: io.get('eventsAppended'), waiting: io.get('eventsWaiting'), lost: this.lost() },
      snapshots: this.worlds.map((_, zone) => ({
        zone,
        hotAgeSeconds: this.snapshotAge(io.hotTakenMs[zone]),
        coldAgeSeconds: this.snapshotAge(io.coldTakenMs[zone]),
      })),
    };
  }

  register(metrics: Metrics, eventNames: readonly string[]): void {
    this.registerBackends(metrics);
    this.registerAges(metrics);
    this.registerEvents(metrics, eventNames);
    for (const name of IO_COUNTERS) {
      if (HIDDEN.has(name)) continue;
      const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      const collect = (report: (value: number) => void): void => report(this.io.get(name));
      if (IO_GAUGES.has(name)) metrics.registerGauge(`tessera_io_${snake}`, `I/O thread: ${name}`, [], collect);
      else metrics.registerCounter(`tessera_io_${snake}_total`, `I/O thread: ${name}`, [], collect);
    }
  }

  private registerBackends(metrics: Metrics): void {
    const labels = ['port', 'backend'];
    const each = (
      visit: (labels: { port: string; backend: string }, backend: IoStatus['backends'][number]) => void,
    ) => {
      for (const backend of this.status?.backends ?? [])
        visit({ port: backend.port, backend: backend.backend }, backend);
    };
    const stateHelp = '1: the backend is in this state, one of up, slow, down';
    metrics.registerGauge('tessera_backend_state', stateHelp, [...labels, 'state'], (report) =>
      each((names, backend) => {
        for (const state of BACKEND_STATES) report(backend.state === state ? 1 : 0, { ...names, state });
      }),
    );
    metrics.registerGauge(
      'tessera_backend_state_seconds',
      'How long the backend has been in its state',
      labels,
      (report) => each((names, { sinceMs }) => report(this.age(sinceMs), names)),
    );
    metrics.registerCounter('tessera_backend_failures_total', 'Calls of the backend that failed', labels, (report) =>
      each((names, { failures }) => report(failures, names)),
    );
    metrics.registerGauge('tessera_lease_held', '1: this server has the lease of the store', ['store'], (report) => {
      for (const { store, isHeld } of this.status?.leases ?? []) report(isHeld ? 1 : 0, { store });
    });
    metrics.registerGauge('tessera_journal_state', '1: the journal is in this state', ['state'], (report) => {
      const journal = this.status?.journal;
      if (journal === undefined) return;
      for (const state of JOURNAL_STATES) report(journal.state === state ? 1 : 0, { state });
    });
  }

  private registerAges(metrics: Metrics): void {
    metrics.registerGauge(
      'tessera_journal_age_seconds',
      'Since ticks were last written; 0 without a journal',
      [],
      (report) => {
        const state = this.status?.journal.state ?? 'off';
        if (state !== 'off') report(this.age(this.io.get('journalWrittenMs')));
      },
    );
    metrics.registerGauge('tessera_spool_age_seconds', 'Since events wait in the spool; 0: none do', [], (report) =>
      report(this.spoolAge()),
    );
    const help = 'Since the newest snapshot of the zone that the store has acknowledged was taken';
    metrics.registerGauge('tessera_snapshot_age_seconds', help, ['store', 'zone'], (report) => {
      for (const zone of this.worlds.keys()) {
        const hot = this.snapshotAge(this.io.hotTakenMs[zone]);
        const cold = this.snapshotAge(this.io.coldTakenMs[zone]);
        if (hot !== undefined) report(hot, { store: 'hot', zone: String(zone) });
        if (cold !== undefined) report(cold, { store: 'cold', zone: String(zone) });
      }
    });
  }

  private registerEvents(metrics: Metrics, eventNames: readonly string[]): void {
    metrics.registerCounter('tessera_events_total', 'Events of the game, by type', ['type'], (report) => {
      for (const [type, name] of eventNames.entries()) report(this.io.eventTypes[type], { type: name });
    });
    metrics.registerCounter(
      'tessera_events_lost_total',
      'Events that the log never got, by type',
      ['type'],
      (report) => {
        for (const [type, name] of eventNames.entries()) report(this.io.eventTypesDropped[type], { type: name });
      },
    );
    const help = 'Events that the log never got, by reason';
    metrics.registerCounter('tessera_events_lost_by_reason_total', help, ['reason'], (report) => {
      for (const [reason, count] of Object.entries(this.lost())) report(count, { reason });
    });
  }

  private lost(): Record<string, number> {
    const inRings = this.worlds.reduce((sum, world) => sum + world.counters[COUNTERS.indexOf('eventsDropped')], 0);
    const counts = EVENT_LOSS_REASONS.map((reason, index) => [reason, this.io.eventLosses[index]]);
    return { ring_full: inRings, ...Object.fromEntries(counts) };
  }

  private spoolAge(): number {
    const sinceMs = this.io.get('spoolSinceMs');
    return sinceMs === 0 ? 0 : this.age(sinceMs);
  }

  private snapshotAge(takenMs: number): number | undefined {
    return takenMs === 0 ? undefined : this.age(takenMs);
  }

  private age(sinceMs: number): number {
    return Math.max(0, Math.round(this.now() - sinceMs) / 1000);
  }
}
