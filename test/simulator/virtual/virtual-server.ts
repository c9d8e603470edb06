// The server as the outside knows it: begins, is killed, is asked to stop, and begins again with what the stores kept. It
// boots through the product's recovery.

import type { Log } from '../../../src/base/log.js';
import type { Settings } from '../../../src/config/settings.js';
import type { StartMode } from '../../../src/config/start-mode.js';
import type { PumpLimits } from '../../../src/durability/events/event-pump.js';
import { LOG_SILENT_MS, SPOOL_BYTES_MAX } from '../../../src/durability/events/limits.js';
import type { RecoveredEvents } from '../../../src/durability/recovery/journal-recovery.js';
import { type Recovery, recoverWorld, shapeOf } from '../../../src/durability/recovery/recovery.js';
import { handoffRecordBytes } from '../../../src/engine/borders/handoff.js';
import { wireIdOfKey } from '../../../src/engine/entities/entity-key.js';
import { planWorld, type WorldPlan } from '../../../src/engine/plan/world-plan.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import { COMMAND_RECORD_BYTES, EVENT_RECORD_BYTES } from '../../../src/memory/limits.js';
import { ByteRing } from '../../../src/memory/rings/byte-ring.js';
import { RecordRing } from '../../../src/memory/rings/record-ring.js';
import type { GameDescription } from '../../../src/protocol/game-description.js';
import { describeGame } from '../../../src/protocol/game-description.js';
import { PlatformActions } from '../../../src/server/main/platform-actions.js';
import type { Chance } from '../chance.js';
import { checkLog, eventsInMemory, type LogFindings } from '../checks/event-check.js';
import type { KnownEvent } from '../checks/event-ledger.js';
import { require } from '../checks/violation.js';
import { WorldHistory } from '../checks/world-history.js';
import type { Faults } from '../faults.js';
import type { Platform } from '../platform.js';
import { Owner, type Schedule } from '../schedule.js';
import { Backends } from '../stores/backends.js';
import { FileDisk, MemoryFiles, statesIn } from '../stores/memory-files.js';
import type { Trace } from '../trace.js';
import { watchGame } from '../watched-game.js';
import { VirtualIo } from './virtual-io.js';
import { VirtualProcess } from './virtual-process.js';

const BOOT_AFTER_MS = [20, 500] as const;
/** A state that has another hash than the journal says: sums over all that a zone had committed, its mirrors too. */
const DIFFERS = /differs from what it was at tick/;
const IO_RESTART_MS = 1000;
const IO_STOP_MS_MAX = 8500;
const SMALL_SPOOL_BYTES = 20000;
/** A flush that is about to come, its write, and the tick that is under way. */
const JOURNAL_SLACK_MS = 60;
const REFUSED_FOR_LOSS = /cannot be gone on with/;
const DAMAGE = /^(hot|cold|journal)-damaged$/;
const REFUSED_START = /^whether a world is stored cannot be told/;
/** What the log refuses is on the disk by then: EVENTS_UNKEPT_MS, a beat, and a write of the disk. */
const EVENT_RISK_MS_MAX = 100;
/** Where it may be silent first: LOG_SILENT_MS more, and as much again where an answer before it came just in time. */
const SILENCE_RISK_MS_MAX = EVENT_RISK_MS_MAX + 2 * LOG_SILENT_MS;
const SILENCES_LOG = /^log-(slow|timeout)/;
/** The disk that events wait on, and the thread that brings them there. */
const HOLDS_UP_SPOOL = /^(spool-(slow|full)|io-)/;
/** Whatever keeps one zone behind the others, or records from the disk. */
const HOLDS_UP_JOURNAL = /^(thread|tick|journal|io|rings|main)-/;

export interface ServerParts {
  settings: Settings;
  game: GameDefinition;
  threadCount: number;
  hasSmallRings: boolean;
  isImpatient: boolean;
  schedule: Schedule;
  faults: Faults;
  chance: Chance;
  trace: Trace;
  platform: Platform;
  onFailure(error: Error): void;
}

export class VirtualServer {
  readonly backends: Backends;
  /** Undefined while the server is down. */
  process: VirtualProcess | undefined;
  private io: VirtualIo | undefined;
  private history: WorldHistory | undefined;
  /** By epoch. */
  private readonly histories = new Map<number, WorldHistory>();
  private readonly fileDisk = new FileDisk();
  private isStopping = false;
  private readonly knownEvents = new Map<string, KnownEvent>();
  private readonly possibleEvents = new Set<string>();
  /** Events that were in memory alone when a process was killed. */
  private readonly atRisk = new Set<string>();
  private dropped = 0;
  private hasRecovered = false;
  private worldId = '';
  private readonly description: GameDescription;
  private readonly limits: Partial<PumpLimits>;
  private readonly spoolBytesMax: number;
  private readonly log: Log;
  private start: StartMode;

  constructor(private readonly parts: ServerParts) {
    this.start = parts.settings.start;
    const { game, schedule, faults, chance, trace } = parts;
    this.backends = new Backends(schedule, faults, chance.stream('backends'));
    this.description = describeGame(game);
    const shape = chance.stream('pump');
    const perAppendMax = shape.pick([7, 50, 5000]);
    this.limits = { waitingMax: shape.pick([20, 200, 200000]), spillingMax: shape.pick([20, 1000]), perAppendMax };
    this.spoolBytesMax = faults.happens('spool-small') ? SMALL_SPOOL_BYTES : SPOOL_BYTES_MAX;
    const say = (_: object, line: string): void => trace.add(`main: ${line}`);
    this.log = { debug: () => {}, info: () => {}, warn: say, error: say } as unknown as Log;
  }

  get isUp(): boolean {
    return this.process !== undefined && !this.isStopping;
  }

  get isQuiet(): boolean {
    return this.io?.owner.isAlive === true && this.io.isEmpty && this.process?.events.inRings().size === 0;
  }

  boot(): void {
    const { settings, game, threadCount, schedule, trace, faults } = this.parts;
    const owner = new Owner();
    const { start } = this;
    this.start = settings.start;
    const plan = planWorld({ ...settings, start }, game, threadCount, schedule.nowMs);
    if (this.parts.hasSmallRings) this.shrinkRings(plan);
    const startedMs = schedule.nowMs;
    this.recover(plan, owner, game)
      .then(async (recovered) => {
        const { report, tick, epochMin } = recovered;
        trace.add(
          `the world begins from: ${report.source}, tick ${report.snapshotTick}, journal ${report.journalTick}`,
        );
        faults.note(`(begun from ${report.source}${report.journalTick === null ? '' : ' and journal'})`);
        plan.originMs = schedule.nowMs - (tick * 1000) / settings.tickHz;
        plan.epoch = Math.max(epochMin, Math.floor(plan.originMs));
        this.worldId = report.worldId;
        this.hasRecovered ||= (recovered.events?.records.length ?? 0) > 0;
        this.expectKept(recovered);
        const process = this.prepare(plan);
        const actions = this.actionsOf(process, startedMs);
        const io = this.makeIo(process, actions, recovered.events);
        await io.begin();
        process.begin();
        this.process = process;
      })
      .catch((error: Error) => this.failToBoot(error));
  }

  /**
   * A start may be refused where a store is silent; whoever looks after the server tries again. Where damage has left nothing
   * of the world, or of a zone, they give up what is lost.
   */
  private failToBoot(error: Error): void {
    const { faults } = this.parts;
    if (REFUSED_FOR_LOSS.test(error.message) && [...faults.rates.keys()].some((name) => DAMAGE.test(name))) {
      this.start = error.message.includes('--start salvage') ? 'salvage' : 'fresh';
      faults.note(`(starts with ${this.start} as what was stored is damaged)`);
      this.bootLater();
      return;
    }
    if (!REFUSED_START.test(error.message)) {
      this.parts.onFailure(error);
      return;
    }
    faults.note('(starts refused while a store was silent)');
    this.bootLater();
  }

  /** Through the product's recovery, and held against what is known of the world that was. */
  private async recover(plan: WorldPlan, owner: Owner, game: GameDefinition): Promise<Recovery> {
    const { settings, schedule, faults, chance } = this.parts;
    const files = new MemoryFiles(this.fileDisk, schedule, owner, faults, chance.stream(`files ${schedule.nowMs}`));
    // No store is asked again: that would wait for a real timer.
    const sources = { open: () => this.backends.open(owner), files, waitMs: 0 };
    const recovered = await recoverWorld(plan, game, shapeOf(settings, game, plan), this.log, sources);
    const { report } = recovered;
    const isWhole = report.journalTick !== null && report.skipped.length === 0;
    const difference = report.skipped.find((line) => DIFFERS.test(line));
    require(difference === undefined, 'what is run again comes out as it was', () => difference as string);
    if (report.journalTick === null) this.backends.checkRecovered(plan, report, statesIn(this.fileDisk));
    const then = this.histories.get(recovered.events?.epoch ?? -1);
    if (report.journalTick !== null) then?.checkZones(plan, report.journalTick);
    if (isWhole) {
      const waiting = this.history?.checkRecovered(plan, report.journalTick as number) ?? 0;
      faults.note('(lost in a handoff ring by a restart)', waiting);
    }
    if (isWhole) this.checkAge(report.journalTick as number);
    return recovered;
  }

  /** Where nothing else went wrong, a kill costs no more than what had not been flushed. */
  private checkAge(tick: number): void {
    const { faults, settings } = this.parts;
    if (this.history === undefined) return;
    const behindMs = ((this.history.lastTick - tick) * 1000) / settings.tickHz;
    faults.note('(recovered by journal, ms behind)', Math.round(behindMs));
    const isUndisturbed = [...faults.rates.keys()].every((name) => !HOLDS_UP_JOURNAL.test(name));
    require(!isUndisturbed ||
      behindMs <= settings.journalFlushMs + JOURNAL_SLACK_MS, 'a kill costs the flush interval at most', () =>
      `${behindMs} ms`);
  }

  /** Events of the ticks that are there again are not excused: they were kept, or came forth again. */
  private expectKept({ report, events }: Recovery): void {
    const isUndisturbed = [...this.parts.faults.rates.keys()].every((name) => !HOLDS_UP_SPOOL.test(name));
    const { journalTick } = report;
    if (!isUndisturbed || events === undefined || journalTick === null || report.skipped.length > 0) return;
    for (const id of this.atRisk) {
      const [, epoch, tick] = id.split('-').map(Number);
      if (epoch === events.epoch && tick <= journalTick) this.atRisk.delete(id);
    }
  }

  private prepare(plan: WorldPlan): VirtualProcess {
    const { game, schedule, faults, chance, trace } = this.parts;
    this.history = new WorldHistory(plan);
    this.histories.set(plan.epoch, this.history);
    return new VirtualProcess({
      plan,
      game,
      description: this.description,
      schedule,
      faults,
      chance: chance.stream(`process ${schedule.nowMs}`),
      trace,
      knownEvents: this.knownEvents,
      possibleEvents: this.possibleEvents,
      history: this.history,
      isImpatient: this.parts.isImpatient,
      onFailure: this.parts.onFailure,
    });
  }

  private actionsOf(process: VirtualProcess, startedMs: number): PlatformActions {
    const { schedule, platform } = this.parts;
    return new PlatformActions({
      net: platform.netOf(process),
      grants: { give: async () => 'no grants here' },
      reload: () => ({ errors: [], applied: [], restart: [] }),
      log: this.log,
      startedMs,
      drain: () => {},
      now: () => schedule.nowMs,
    });
  }

  private makeIo(process: VirtualProcess, actions: PlatformActions, recovered?: RecoveredEvents): VirtualIo {
    const { game, schedule, faults, chance, trace, settings, platform } = this.parts;
    const { plan } = process;
    const io = new VirtualIo(
      {
        plan,
        shape: { ...shapeOf(settings, game, plan), worldId: this.worldId },
        game,
        schedule,
        faults,
        chance: chance.stream(`io ${schedule.nowMs}`),
        trace,
        spoolDisk: this.backends.spool,
        spoolBytesMax: this.spoolBytesMax,
        fileDisk: this.fileDisk,
        recovered,
        limits: this.limits,
        openStores: (owner) => this.backends.open(owner, process.history),
        obey: (command) => platform.obey(command, actions),
        onFailure: (error) => this.parts.onFailure(error),
        onEnded: () => {
          schedule.after(IO_RESTART_MS, process.owner, () => {
            if (!this.isStopping) void this.makeIo(process, actions).begin();
          });
        },
      },
      process.owner,
    );
    this.io = io;
    return io;
  }

  /** As kill -9. */
  crash(): void {
    if (!this.isUp) return;
    this.parts.trace.add('the process is killed');
    const dropped = this.countDropped();
    this.end();
    this.noteAtRisk(dropped);
    this.bootLater();
  }

  /** As SIGTERM. Everything is kept, if the stores or the disk take it. */
  async stop(): Promise<void> {
    const { process, io } = this;
    const { schedule, trace } = this.parts;
    if (process === undefined || !this.isUp) return;
    this.isStopping = true;
    trace.add('the server is asked to stop');
    process.isStopping = true;
    process.dropAll();
    while (process.threads.some((thread) => !thread.isStill)) await schedule.wait(5, schedule.world);
    const isIoAlive = io?.owner.isAlive ?? false;
    let isDone = !isIoAlive;
    void io?.stop().then(() => {
      isDone = true;
    });
    const limitMs = schedule.nowMs + IO_STOP_MS_MAX;
    while (!isDone && schedule.nowMs < limitMs) await schedule.wait(5, schedule.world);
    trace.add('the server has stopped');
    // What a stop in peace cannot keep is counted; what it has no time for is not.
    if (!isIoAlive || !isDone || !(io?.owner.isAlive ?? false)) this.noteAtRisk(this.countDropped());
    this.end();
    this.isStopping = false;
  }

  bootLater(): void {
    const { schedule, chance } = this.parts;
    schedule.after(chance.between(...BOOT_AFTER_MS), schedule.world, () => this.boot());
  }

  checkLog(): LogFindings {
    return checkLog(
      this.backends,
      this.knownEvents,
      this.possibleEvents,
      this.atRisk,
      this.countDropped(),
      this.hasRecovered,
      this.parts.hasSmallRings,
    );
  }

  /** All that the process has in memory is gone. */
  end(): void {
    this.process?.noteCounters();
    this.process?.owner.end();
    this.dropped = this.countDropped();
    this.process = undefined;
    this.io = undefined;
  }

  private countDropped(): number {
    return this.dropped + (this.io?.counters.get('eventsDropped') ?? 0);
  }

  private noteAtRisk(dropped: number): void {
    const { faults, schedule } = this.parts;
    const ids = eventsInMemory(this.backends, this.knownEvents).filter((id) => !this.atRisk.has(id));
    const enabled = [...faults.rates.keys()];
    const riskMs = enabled.some((name) => SILENCES_LOG.test(name)) ? SILENCE_RISK_MS_MAX : EVENT_RISK_MS_MAX;
    const old = ids.filter((id) => schedule.nowMs - this.knownEvents.get(id)!.publishedMs > riskMs);
    const isUndisturbed = enabled.every((name) => !HOLDS_UP_SPOOL.test(name));
    require(!isUndisturbed || old.length <= dropped, 'a kill costs events of its last moments at most', () =>
      `${old.length} older ones were in memory alone, ${dropped} were counted as dropped: ${old.slice(0, 5)}`);
    for (const id of ids) this.atRisk.add(id);
  }

  /** As small as a ring may be: so that each is full now and then. */
  private shrinkRings(plan: WorldPlan): void {
    const chance = this.parts.chance.stream('rings');
    const recordBytes = handoffRecordBytes(plan.layout.columns);
    plan.frames = plan.frames.map(() => ByteRing.create(chance.pick([65536, 131072, 1048576])));
    plan.commands = plan.commands.map(() => RecordRing.create(chance.pick([16, 64, 512]), COMMAND_RECORD_BYTES));
    plan.events = plan.events.map(() => RecordRing.create(chance.pick([16, 64, 512]), EVENT_RECORD_BYTES));
    plan.journals = plan.journals.map(() => ByteRing.create(chance.pick([2048, 16384, 262144])));
    plan.handoffs = plan.handoffs.map((targets) =>
      targets.map((buffer) => buffer && RecordRing.create(chance.pick([4, 16, 128]), recordBytes)),
    );
  }

  /** The world at rest, asked to stop and begun again, is the same world. */
  async checkRestart(): Promise<void> {
    const process = this.process;
    await this.stop();
    const places = process?.census.places ?? [];
    const before = [...places].filter(([, { isOnItsWay }]) => !isOnItsWay).map(([key]) => wireIdOfKey(key));
    const owner = new Owner();
    const { settings, game, threadCount, schedule } = this.parts;
    const plan = planWorld(settings, game, threadCount, schedule.nowMs);
    // Nothing moved in the last ticks, so nothing may when they are run again.
    const isHalted = ({ id, tick }: { id: number; tick: number }): boolean =>
      tick >= (process?.haltedFrom.get(id) ?? Number.POSITIVE_INFINITY);
    const halted = watchGame(game, { isHalted, applied: () => {} });
    const { report } = await this.recover(plan, owner, halted);
    const after = this.backends.livingIn(plan);
    // All zones go on from one tick, which may be before that in which the last players left.
    const missing = before.filter((id) => !after.has(id));
    require(missing.length === 0 &&
      after.size <= before.length + settings.clientsMax, 'a world that was stopped in peace is whole again', () =>
      `${before.length} lived, ${after.size} do, ${missing.length} are missing; it begins from ${report.source}`);
  }
}
