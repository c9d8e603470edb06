// One run: a world is built from a seed, plays while faults happen to it, comes to rest, and is checked.

import { DEFAULTS, type Settings } from '../../src/config/settings.js';
import type { GameDefinition } from '../../src/game/definition.js';
import arena from '../../src/games/arena/game.js';
import coins from '../games/toy/game.js';
import { Chance } from './chance.js';
import { checkRest } from './checks/rest-check.js';
import { Violation } from './checks/violation.js';
import { type FaultName, Faults } from './faults.js';
import { Platform } from './platform.js';
import { Schedule } from './schedule.js';
import { Trace } from './trace.js';
import { VirtualServer } from './virtual/virtual-server.js';

const START_MS = 1_700_000_000_000;
const TICK_HZ = 60;
/** For a world to come to rest: threads restart, arrivals are taken in, keep-alives go round, the log takes what waits. */
const REST_MS_MAX = 20000;
const REST_STEP_MS = 400;
/** How often the process may be killed or stopped. */
const PROCESS_FAULT_MS = 1000;
const GAMES = ([arena, arena, coins] as unknown as readonly GameDefinition[]).map(withoutPast);
const GRIDS = [
  [1, 1],
  [2, 1],
  [2, 2],
  [2, 2],
  [3, 2],
];

export interface SimulationOptions {
  seed: number;
  /** Ticks that faults happen in. */
  ticks: number;
  faults?: readonly FaultName[];
  /** Breaks the supervisor: it replaces a thread that hangs without waiting for its end. */
  isImpatient?: boolean;
  print?: (line: string) => void;
}

export interface SimulationResult {
  seed: number;
  /** Undefined: everything held. */
  violation?: { invariant: string; message: string; tick: number; stack?: string | undefined };
  digest: string;
  last: readonly string[];
  counts: ReadonlyMap<string, number>;
  enabled: readonly FaultName[];
}

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  return new Simulation(options).run();
}

/** What is recovered here is held against what was stored, and past events would make it something else. */
function withoutPast(game: GameDefinition): GameDefinition {
  const { applyEvent, ...rest } = game;
  return rest;
}

class Simulation {
  private readonly schedule: Schedule;
  private readonly faults: Faults;
  private readonly trace: Trace;
  private readonly platform: Platform;
  private readonly server: VirtualServer;
  private violation: Violation | undefined;

  constructor(private readonly options: SimulationOptions) {
    const chance = new Chance(options.seed);
    this.schedule = new Schedule(START_MS, chance.stream('schedule'));
    this.faults = new Faults(chance.stream('faults'), options.faults);
    this.trace = new Trace(() => this.schedule.nowMs - START_MS, options.print);
    this.platform = new Platform(this.schedule, this.faults, chance.stream('platform'));
    const shape = chance.stream('shape');
    const settings = this.chooseSettings(shape);
    this.server = new VirtualServer({
      settings,
      game: shape.pick(GAMES),
      threadCount: 1 + shape.below(Math.min(4, settings.zoneColumns * settings.zoneRows)),
      isImpatient: options.isImpatient ?? false,
      hasSmallRings: this.faults.happens('rings-small'),
      schedule: this.schedule,
      faults: this.faults,
      chance: chance.stream('server'),
      trace: this.trace,
      platform: this.platform,
      onFailure: (violation) => this.fail(violation),
    });
  }

  private chooseSettings(shape: Chance): Settings {
    const [zoneColumns, zoneRows] = shape.pick(GRIDS);
    return {
      ...DEFAULTS,
      zoneColumns,
      zoneRows,
      viewRadius: 8,
      worldWidth: 40 * zoneColumns,
      worldHeight: 40 * zoneRows,
      spawn: shape.pick(['spread', 'crowd', 'hubs:4']),
      bots: shape.below(80),
      clientsMax: 2 + shape.below(14),
      entitiesPerZone: this.faults.happens('zones-small') ? 64 : 512,
      commandsPerTick: shape.pick([20, 1000]),
      commandsPerClientTick: shape.pick([2, 8]),
      bytesPerSecond: shape.pick([16384, 65536]),
      tickHz: TICK_HZ,
      hangMs: 50,
      data: 'simulated',
      journalFlushMs: shape.pick([0, 50, 100]),
      hashEveryTicks: shape.pick([1, 20]),
      seed: this.options.seed,
    };
  }

  async run(): Promise<SimulationResult> {
    const { options, schedule, faults, trace } = this;
    try {
      this.server.boot();
      this.platform.begin(this.server.backends);
      schedule.every(PROCESS_FAULT_MS, schedule.world, () => this.hurtProcess());
      await this.runUntil(START_MS + (options.ticks * 1000) / TICK_HZ);
      faults.end();
      this.platform.isDone = true;
      trace.add('faults end, the world comes to rest');
      await this.comeToRest();
      await this.checkWhatLasts();
    } catch (error) {
      this.fail(error as Error);
    }
    this.server.end();
    const { violation } = this;
    const tick = Math.floor(((schedule.nowMs - START_MS) * TICK_HZ) / 1000);
    return {
      seed: options.seed,
      ...(violation && {
        violation: { invariant: violation.invariant, message: violation.message, tick, stack: violation.stack },
      }),
      digest: trace.digest,
      last: trace.last,
      counts: faults.counts,
      enabled: [...faults.rates.keys()],
    };
  }

  private fail(error: Error): void {
    this.violation ??= error instanceof Violation ? error : new Violation('nothing throws', String(error.stack));
  }

  private async runUntil(limitMs: number): Promise<void> {
    await this.schedule.runUntil(limitMs, () => this.violation !== undefined);
    if (this.violation) throw this.violation;
  }

  private hurtProcess(): void {
    if (!this.server.isUp) return;
    if (this.faults.happens('process-crashes')) {
      this.server.crash();
    } else if (this.faults.happens('process-stops')) {
      this.server.stop().then(
        () => this.server.bootLater(),
        (error: Error) => this.fail(error),
      );
    }
  }

  private async comeToRest(): Promise<void> {
    await this.patiently(() => {
      const { process, isUp } = this.server;
      if (process === undefined || !isUp) throw new Violation('the server comes back', 'it is down');
      process.isHalted = true;
      const isRunning = process.threads.every((thread) => thread.isRunning);
      if (!isRunning) throw new Violation('threads run again', 'one does not');
      checkRest(process);
    });
  }

  private async checkWhatLasts(): Promise<void> {
    const { server, platform, faults } = this;
    await this.patiently(() => {
      if (!server.isQuiet) throw new Violation('events find their way', 'some still wait');
      platform.check(server.backends);
    });
    const findings = server.checkLog();
    const { inLog, twice, missing, onlyRecovered, outOfOrderAcrossZones } = findings;
    faults.note('(events of one key out of order after a recovery)', findings.outOfOrderAfterRecovery);
    faults.note('(events in the log)', inLog);
    faults.note('(events twice in the log)', twice);
    faults.note('(events that only a recovery published)', onlyRecovered);
    faults.note('(events lost or dropped)', missing);
    faults.note('(events of one key out of order across zones)', outOfOrderAcrossZones);
    let isChecked = false;
    server.checkRestart().then(
      () => {
        isChecked = true;
      },
      (error: Error) => this.fail(error),
    );
    await this.patiently(() => {
      if (!isChecked) throw new Violation('a stop ends', 'it does not');
    });
  }

  /** What is wrong with a world at rest counts when it stays wrong. */
  private async patiently(check: () => void): Promise<void> {
    const { schedule } = this;
    const limitMs = schedule.nowMs + REST_MS_MAX;
    for (;;) {
      await this.runUntil(schedule.nowMs + REST_STEP_MS);
      try {
        check();
        return;
      } catch (error) {
        if (!(error instanceof Violation) || schedule.nowMs >= limitMs) throw error;
      }
    }
  }
}
