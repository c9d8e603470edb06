// What is told about the world from outside of it: /healthz and the metrics, read from shared memory when somebody asks.

import { nowMs } from '../../base/clock.js';
import type { WorldPlan } from '../../engine/plan/world-plan.js';
import { type IoCounterName, IoCounters } from '../../memory/tables/io-counters.js';
import * as T from '../../memory/tables/thread-control.js';
import { COUNTER, COUNTERS, type CounterName } from '../../memory/tables/zone-counters.js';
import { hashCommitted, hashText } from '../../memory/world/state-hash.js';
import { WorldBuffer } from '../../memory/world/world-buffer.js';
import type { Metrics } from '../../net/http/metrics.js';
import { HEALTH_WINDOW_SECONDS } from '../limits.js';
import type { Router } from '../main/router.js';
import type { Supervisor } from '../threads/supervisor.js';
import { type CellHealth, CellReport } from './cell-report.js';
import { DurabilityReport } from './durability-report.js';

const GAUGES: ReadonlySet<string> = new Set([
  'clients',
  'spectators',
  'mirrors',
  'cellsHeld',
  'cellsEvicting',
  'cellEntities',
  'cellQueue',
]);

interface Sample {
  atMs: number;
  ticks: number;
  histogram: Uint32Array;
}

export interface ZoneHealth {
  id: number;
  tick: number;
  hash: string;
  entities: number;
  clients: number;
  /** Only where the world is cut into cells. */
  cells?: CellHealth;
}

export interface ThreadHealth {
  id: number;
  zones: number[];
  tickHz: number;
  tickMsP50: number;
  tickMsP99: number;
  tickMsMax: number;
  overruns: number;
  skippedTicks: number;
}

export class WorldReport {
  private readonly worlds: WorldBuffer[];
  private readonly controls: T.ThreadControl[];
  private readonly samples: Sample[][];
  private readonly zones: (ZoneHealth | undefined)[];
  private readonly timer: NodeJS.Timeout;
  private readonly io: IoCounters;
  private readonly cells: CellReport | undefined;
  readonly durability: DurabilityReport;

  constructor(
    private readonly plan: WorldPlan,
    private readonly router: Router,
    private readonly supervisor: Supervisor,
  ) {
    this.worlds = plan.worlds.map((buffer) => new WorldBuffer(buffer, plan.layout));
    this.controls = plan.controls.map((buffer) => new T.ThreadControl(buffer));
    this.samples = plan.controls.map(() => []);
    this.zones = plan.worlds.map(() => undefined);
    this.io = new IoCounters(plan.io);
    this.durability = new DurabilityReport(plan);
    this.cells = plan.cells && new CellReport(plan, plan.cells);
    this.timer = setInterval(() => this.sample(), 1000);
    this.sample();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** The hash costs a pass over the zone's state, so it is made once per tick at most, however often it is asked for. */
  zoneHealth(): ZoneHealth[] {
    return this.worlds.map((world, id) => {
      const known = this.zones[id];
      if (known?.tick === world.committed.scalars[0]) {
        return known;
      }
      const hashed = hashCommitted(world);
      const { counters } = world;
      const clients = counters[COUNTER.clients] - counters[COUNTER.spectators];
      const health =
        hashed === undefined
          ? known
          : { id, tick: hashed.tick, hash: hashText(hashed), entities: hashed.entities, clients, ...this.cellsOf(id) };
      this.zones[id] = health;
      return health ?? { id, tick: 0, hash: '', entities: 0, clients: 0 };
    });
  }

  /** When no thread runs any more: what there is to be kept. */
  restFigures(): { zones: ZoneHealth[]; eventsEmitted: number; eventsDropped: number } {
    const sum = (name: CounterName): number =>
      this.worlds.reduce((total, world) => total + world.counters[COUNTERS.indexOf(name)], 0);
    return { zones: this.zoneHealth(), eventsEmitted: sum('eventsEmitted'), eventsDropped: sum('eventsDropped') };
  }

  /** When the I/O thread has ended: where it is. */
  handedOver(): Partial<Record<IoCounterName, number>> {
    const names = ['eventsAppended', 'eventsDropped', 'spoolEvents', 'hotTick', 'coldTick'] as const;
    return Object.fromEntries(names.map((name) => [name, this.io.get(name)]));
  }

  private cellsOf(zone: number): { cells?: CellHealth } {
    return this.cells === undefined ? {} : { cells: this.cells.zone(zone) };
  }

  threadHealth(): ThreadHealth[] {
    return this.controls.map((control, id) => {
      const oldest = this.samples[id][0];
      const seconds = Math.max(0.001, (nowMs() - oldest.atMs) / 1000);
      const counts = control.histogram.map((count, bucket) => count - oldest.histogram[bucket]);
      return {
        id,
        zones: this.plan.zonesOfThread[id],
        tickHz: round((control.words[T.TICKS] - oldest.ticks) / seconds),
        tickMsP50: round(T.percentileMs(counts, 0.5)),
        tickMsP99: round(T.percentileMs(counts, 0.99)),
        tickMsMax: round(Math.max(...control.secondMaxUs) / 1000),
        overruns: control.words[T.OVERRUNS],
        skippedTicks: control.words[T.SKIPPED],
      };
    });
  }

  register(metrics: Metrics, eventNames: readonly string[]): void {
    this.registerTicks(metrics);
    this.cells?.register(metrics);
    this.registerZones(metrics);
    const { router } = this;
    this.durability.register(metrics, eventNames);
    metrics.registerCounter(
      'tessera_router_total',
      'What main did with the records of tick threads',
      ['what'],
      (report) => {
        for (const [what, count] of Object.entries(router.counters)) report(count, { what });
      },
    );
    metrics.registerCounter('tessera_thread_restarts_total', 'Tick threads that were replaced', [], (report) =>
      report(this.supervisor.restarts),
    );
  }

  private registerTicks(metrics: Metrics): void {
    const each =
      (read: (control: T.ThreadControl) => number) =>
      (report: (value: number, labels: Record<string, string>) => void) => {
        for (const [thread, control] of this.controls.entries()) report(read(control), { thread: String(thread) });
      };
    const labels = ['thread'];
    metrics.registerCounter(
      'tessera_ticks_total',
      'Ticks run',
      labels,
      each(({ words }) => words[T.TICKS]),
    );
    metrics.registerCounter(
      'tessera_tick_overruns_total',
      'Ticks longer than their period',
      labels,
      each(({ words }) => words[T.OVERRUNS]),
    );
    metrics.registerCounter(
      'tessera_ticks_skipped_total',
      'Ticks given up after a stall',
      labels,
      each(({ words }) => words[T.SKIPPED]),
    );
    metrics.registerGauge(
      'tessera_tick_ms_max',
      'Longest tick of the last 16 seconds',
      labels,
      each(({ secondMaxUs }) => Math.max(...secondMaxUs) / 1000),
    );
    metrics.registerGauge('tessera_frame_ring_bytes', 'Bytes of frames that wait for main', labels, (report) => {
      for (const thread of this.controls.keys())
        report(this.router.frameBytesWaiting(thread), { thread: String(thread) });
    });
    metrics.registerCounter('tessera_phase_ms_total', 'Time in each phase of a tick', ['thread', 'phase'], (report) => {
      for (const [thread, control] of this.controls.entries()) {
        for (const [index, phase] of T.PHASES.entries())
          report(control.phaseMs[index], { thread: String(thread), phase });
      }
    });
    metrics.registerCounter(
      'tessera_tick_ms_bucket',
      'Ticks that took at most le milliseconds',
      ['thread', 'le'],
      (report) => {
        for (const [thread, control] of this.controls.entries()) {
          let sum = 0;
          for (const [bucket, count] of control.histogram.entries()) {
            sum += count;
            report(sum, { thread: String(thread), le: T.bucketLimitMs(bucket).toFixed(4) });
          }
          report(sum, { thread: String(thread), le: '+Inf' });
        }
      },
    );
  }

  private registerZones(metrics: Metrics): void {
    for (const [index, name] of COUNTERS.entries()) {
      const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      const collect = (report: (value: number, labels: Record<string, string>) => void): void => {
        for (const [zone, { counters }] of this.worlds.entries()) {
          const spectators = index === COUNTER.clients ? counters[COUNTER.spectators] : 0;
          report(counters[index] - spectators, { zone: String(zone) });
        }
      };
      if (GAUGES.has(name)) {
        metrics.registerGauge(`tessera_zone_${snake}`, `Zones: ${name}`, ['zone'], collect);
      } else {
        metrics.registerCounter(`tessera_zone_${snake}_total`, `Zones: ${name}`, ['zone'], collect);
      }
    }
    metrics.registerGauge('tessera_zone_entities', 'Entities of each zone', ['zone'], (report) => {
      for (const [zone, world] of this.worlds.entries()) report(world.committed.scalars[2], { zone: String(zone) });
    });
    metrics.registerGauge('tessera_zone_command_queue', 'Commands that wait for each zone', ['zone'], (report) => {
      for (const zone of this.worlds.keys()) report(this.router.commandQueueLength(zone), { zone: String(zone) });
    });
  }

  private sample(): void {
    for (const [thread, control] of this.controls.entries()) {
      const samples = this.samples[thread];
      samples.push({ atMs: nowMs(), ticks: control.words[T.TICKS], histogram: control.histogram.slice() });
      if (samples.length > HEALTH_WINDOW_SECONDS) {
        samples.shift();
      }
    }
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
