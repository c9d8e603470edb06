// The I/O thread on virtual time, put together as src/server/threads/io-parts.ts does it: pump and spool, snapshots, the platform's
// commands. It can end by itself; what it had in memory is gone then.

import { JOURNAL_FOLDER } from '../../../src/base/data-folder.js';
import { CommandLedger } from '../../../src/durability/commands/command-ledger.js';
import type { Outcome, PlatformCommand } from '../../../src/durability/commands/platform-commands.js';
import { PLATFORM_TOPIC, PlatformDesk } from '../../../src/durability/commands/platform-desk.js';
import { EVENT_TOPICS, type EventRecord, formEvent } from '../../../src/durability/events/event-form.js';
import { EventLosses } from '../../../src/durability/events/event-losses.js';
import { EventPump, type PumpLimits } from '../../../src/durability/events/event-pump.js';
import { EventSpool } from '../../../src/durability/events/event-spool.js';
import { waitUntilKept } from '../../../src/durability/events/kept-events.js';
import { IO_BEAT_MS } from '../../../src/durability/events/limits.js';
import { describeSession } from '../../../src/durability/journal/journal-session.js';
import { JournalWriter } from '../../../src/durability/journal/journal-writer.js';
import type { RecoveredEvents } from '../../../src/durability/recovery/journal-recovery.js';
import { Snapshotter } from '../../../src/durability/snapshots/snapshotter.js';
import type { WorldIdentity } from '../../../src/durability/snapshots/zone-snapshot.js';
import { packZone, type ZoneCopy } from '../../../src/durability/snapshots/zone-snapshot.js';
import type { WorldPlan } from '../../../src/engine/plan/world-plan.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import { EVENT_RECORD_BYTES } from '../../../src/memory/limits.js';
import { ByteRing } from '../../../src/memory/rings/byte-ring.js';
import { RecordRing } from '../../../src/memory/rings/record-ring.js';
import { IoCounters } from '../../../src/memory/tables/io-counters.js';
import { WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import type { Stores } from '../../../src/stores/open-stores.js';
import type { Subscription } from '../../../src/stores/store-ports.js';
import type { Chance } from '../chance.js';
import type { Faults } from '../faults.js';
import { Owner, type Schedule } from '../schedule.js';
import { type FileDisk, MemoryFiles } from '../stores/memory-files.js';
import type { SpoolDisk } from '../stores/memory-spool.js';
import { MemorySpoolStore } from '../stores/memory-spool.js';
import type { Trace } from '../trace.js';

const FLUSH_MS_MAX = 2500;
const LEAVE_MS_MAX = 2000;
const HOT_MS = 400;
const COLD_MS = 1300;
/** Short, so that a run has several. */
const SEGMENT_MS = 1500;
const TO_MAIN_MS = [0.05, 20] as const;

export interface IoParts {
  plan: WorldPlan;
  shape: WorldIdentity;
  game: GameDefinition;
  schedule: Schedule;
  faults: Faults;
  chance: Chance;
  trace: Trace;
  spoolDisk: SpoolDisk;
  spoolBytesMax: number;
  fileDisk: FileDisk;
  /** Of the run that this one goes on from. */
  recovered: RecoveredEvents | undefined;
  limits: Partial<PumpLimits>;
  openStores(owner: Owner): Stores;
  /** Main's answer. */
  obey(command: PlatformCommand): Promise<Outcome>;
  onEnded(io: VirtualIo): void;
  /** What throws, and in a real thread would end it. */
  onFailure(error: Error): void;
}

export class VirtualIo {
  readonly owner: Owner;
  private readonly timers: Owner;
  readonly counters: IoCounters;
  readonly pump: EventPump;
  readonly spool: EventSpool;
  private readonly stores: Stores;
  private readonly snapshotter: Snapshotter;
  private readonly desk: PlatformDesk;
  private readonly journal: JournalWriter | undefined;
  private subscribed: Promise<Subscription> | undefined;

  constructor(
    private readonly parts: IoParts,
    process: Owner,
  ) {
    const { plan, shape, game, schedule, faults, chance, trace } = parts;
    this.owner = new Owner(process);
    this.timers = new Owner(this.owner);
    this.counters = new IoCounters(plan.io);
    const say = (line: string): void => {
      if (this.owner.isAlive) trace.add(`I/O: ${line}`);
    };
    this.stores = parts.openStores(this.owner);
    const losses = new EventLosses(game.events, this.counters, say);
    const database = new MemorySpoolStore(parts.spoolDisk, schedule, this.owner, faults, chance.stream('spool'));
    this.spool = new EventSpool(database, parts.spoolBytesMax, losses);
    const { epoch, originMs, settings } = plan;
    this.pump = new EventPump(
      plan.events.map((buffer) => new RecordRing(buffer)),
      this.stores.log,
      { names: game.events, forms: game.eventForms ?? {}, epoch, originMs, tickHz: settings.tickHz },
      losses,
      this.spool,
      parts.limits,
      chance.stream('pump').random,
    );
    // Deadlines of what is gone may still run out.
    const toMain = (action: () => void): void => {
      if (this.owner.isAlive) schedule.after(chance.between(...TO_MAIN_MS), process, action);
    };
    this.desk = new PlatformDesk(
      (request, command) =>
        toMain(() => {
          void parts
            .obey(command)
            .then((outcome) => toMain(() => this.owner.isAlive && this.desk.settle(request, outcome)));
        }),
      (record) => this.stores.log.append([record]),
      this.counters,
      new CommandLedger(this.stores.cold, say),
      { keep: async () => true }, // no bans are given
      () => schedule.nowMs,
    );
    const worlds = plan.worlds.map((buffer) => new WorldBuffer(buffer, plan.layout));
    this.journal = this.openJournal(worlds);
    const { hot, cold } = this.stores;
    const jobs = { run: packHere };
    const requireFence = (): undefined => undefined;
    const whenKept = (): Promise<void> => this.whenKept();
    this.snapshotter = new Snapshotter(
      worlds,
      shape,
      epoch,
      hot,
      cold,
      jobs,
      this.counters,
      say,
      requireFence,
      whenKept,
    );
  }

  private whenKept(): Promise<void> {
    const { schedule } = this.parts;
    return waitUntilKept(
      this.pump,
      this.counters,
      () => schedule.nowMs,
      (ms) => schedule.wait(ms, this.owner),
    );
  }

  /** Resolves when what happens from now on is kept. */
  async begin(): Promise<void> {
    const { schedule, faults, plan, trace } = this.parts;
    await this.pump.takeUp(this.formRecovered());
    this.subscribed = this.subscribe();
    await this.journal?.begin(schedule.nowMs).catch((error: Error) => trace.add(`I/O: no journal: ${error.message}`));
    schedule.every(IO_BEAT_MS, this.timers, () => {
      if (faults.happens('io-dies')) this.end();
      else this.pump.run(schedule.nowMs);
    });
    schedule.every(HOT_MS, this.timers, () => void this.snapshotter.takeHot(schedule.nowMs));
    schedule.every(COLD_MS, this.timers, () => void this.snapshotter.takeCold(schedule.nowMs));
    if (this.journal !== undefined) {
      schedule.every(plan.settings.journalFlushMs / 2, this.timers, () => {
        this.journal?.run(schedule.nowMs).catch(this.parts.onFailure);
      });
    }
  }

  private openJournal(worlds: readonly WorldBuffer[]): JournalWriter | undefined {
    const { plan, shape, game, schedule, faults, chance, trace, fileDisk } = this.parts;
    const { data, journalFlushMs, journalKeepMinutes, hashEveryTicks } = plan.settings;
    if (journalFlushMs === 0) return undefined;
    return new JournalWriter({
      folder: `${data}/${JOURNAL_FOLDER}`,
      epoch: plan.epoch,
      worlds,
      rings: plan.journals.map((buffer) => new ByteRing(buffer)),
      shape,
      session: describeSession(plan, game),
      segmentMs: SEGMENT_MS,
      keepMs: journalKeepMinutes * 60000,
      hashEveryTicks,
      counters: this.counters,
      say: (line) => trace.add(`I/O: ${line}`),
      files: new MemoryFiles(fileDisk, schedule, this.owner, faults, chance.stream('files')),
      random: chance.stream('journal').random,
      wallMs: () => schedule.nowMs,
      whenKept: () => this.whenKept(),
    });
  }

  private formRecovered(): EventRecord[] {
    const { recovered, game } = this.parts;
    if (recovered === undefined) return [];
    const { records, ...then } = recovered;
    const context = { names: game.events, forms: game.eventForms ?? {}, ...then };
    const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
    const events: EventRecord[] = [];
    for (let at = 0; at < records.length; at += EVENT_RECORD_BYTES) events.push(formEvent(view, at, context));
    return events;
  }

  get isEmpty(): boolean {
    return this.counters.get('eventsWaiting') === 0 && this.spool.isEmpty;
  }

  /** As a crash of the thread. */
  end(): void {
    this.parts.trace.add('the I/O thread ends');
    this.owner.end();
    this.parts.onEnded(this);
  }

  /** As main asks it to. */
  async stop(): Promise<void> {
    this.timers.end();
    const { schedule } = this.parts;
    const wait = (ms: number): Promise<void> => schedule.wait(ms, this.owner);
    const now = (): number => schedule.nowMs;
    const left = this.subscribed?.then((subscription) => subscription.stop());
    await Promise.all([
      Promise.race([left, wait(LEAVE_MS_MAX)]),
      this.pump.flush(schedule.nowMs + FLUSH_MS_MAX, now, wait),
      this.journal?.close(schedule.nowMs),
      this.snapshotter.takeLast(schedule.nowMs, wait),
    ]);
    await Promise.all([this.stores.close(), this.spool.close()]);
  }

  private async subscribe(): Promise<Subscription> {
    await this.stores.log.createTopics([...EVENT_TOPICS, PLATFORM_TOPIC]).catch(() => {});
    return this.desk.subscribe(this.stores.log);
  }
}

/** What a thread of the job pool does. */
async function packHere<T>(_name: string, task: unknown): Promise<T> {
  return { ...packZone(task as ZoneCopy), ms: 0 } as T;
}
