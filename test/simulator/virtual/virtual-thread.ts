// A tick thread on virtual time: the product's zone hosts, gone through step by step, so that other threads and main can
// do something between any two steps. It is lost at points between steps, and inside of them wherever it tells another
// thread something. A lost thread is replaced as the supervisor does: new hosts over what it left in shared memory.
//
// A thread that hangs comes back: before it is given up, and then it is only late, or afterwards, with what is left of its
// zone's tick, before it meets its end. A successor starts when the old thread has ended, and no sooner.

import { CATCH_UP_TICKS_MAX } from '../../../src/engine/limits.js';
import { ZoneHost } from '../../../src/engine/zone/zone-host.js';
import { ByteRing } from '../../../src/memory/rings/byte-ring.js';
import type { RecordRing } from '../../../src/memory/rings/record-ring.js';
import * as T from '../../../src/memory/tables/thread-control.js';
import { LIVE_BLOCK } from '../../../src/memory/world/world-buffer.js';
import type { Chance } from '../chance.js';
import { Violation } from '../checks/violation.js';
import type { Faults } from '../faults.js';
import { Owner, type Schedule } from '../schedule.js';
import type { VirtualProcess } from './virtual-process.js';

const FIRST_START_MS = 60;
const RESTART_MS = [20, 160] as const;
const STALL_MS = [5, 300] as const;
const STEP_MS_MAX = 0.6;
/** How long a thread is away when it hangs, in the time after which it is given up. */
const HANG_SHARE_MAX = 3;

/** Thrown through a tick at the point where its thread ends. */
class ThreadEnd extends Error {}

/** What of a host tells others something: the moments before and after are points where a thread is lost. */
interface HostParts {
  handoff: {
    outgoing: (RecordRing | undefined)[];
    incoming: (RecordRing | undefined)[];
    events: {
      onDeparted(client: number, epoch: number, target: number): void;
      onArrived(row: number, departedTick: number): void;
    };
  };
  journal: { end(): void } | undefined;
  intake: { options: { words: RecordRing; commands: RecordRing } };
}

export class VirtualThread {
  hosts: ZoneHost[] = [];
  restarts = 0;
  private owner: Owner;
  private tick = 0;
  /** Of the tick that is under way. */
  private zoneAt = 0;
  private stepAt = 0;
  private isInTick = false;
  private isInStep = false;
  private isHung = false;
  private hasRun = false;
  private readonly control: T.ThreadControl;
  private readonly chance: Chance;
  /** Whether ticks are gone through step by step, or most of them at once. */
  private readonly stepwiseShare: number;

  constructor(
    readonly index: number,
    private readonly process: VirtualProcess,
    private readonly schedule: Schedule,
    private readonly faults: Faults,
    chance: Chance,
  ) {
    this.chance = chance;
    this.control = new T.ThreadControl(process.plan.controls[index]);
    this.owner = new Owner(process.owner);
    this.stepwiseShare = chance.pick([0.05, 0.3, 1]);
  }

  begin(): void {
    this.schedule.after(this.chance.between(0, FIRST_START_MS), this.owner, () => this.employ(), false);
  }

  get isRunning(): boolean {
    return this.hasRun;
  }

  /** Stopped, or lost and not replaced any more. */
  get isStill(): boolean {
    return this.process.isStopping && !this.isInTick;
  }

  private employ(): void {
    if (this.process.isStopping) return;
    const { plan, game } = this.process;
    Atomics.store(this.control.words, T.RUNNING, 0); // nobody else runs here
    const frames = new ByteRing(plan.frames[this.index]);
    this.hosts = plan.zonesOfThread[this.index].map(
      (zone) => new ZoneHost(plan, zone, game, frames, this.control.phaseMs, () => 0),
    );
    this.hook(frames, 'publish', 'frames');
    for (const host of this.hosts) this.hookHost(host);
    this.process.attachHosts(this.hosts);
    const last = Math.max(...this.hosts.map(({ zone }) => zone.tick));
    this.tick = Math.max(last + 1, last === 0 ? this.dueTick() : 0);
    this.turn();
  }

  private dueTick(): number {
    const { originMs, settings } = this.process.plan;
    return Math.floor(((this.schedule.nowMs - originMs) * settings.tickHz) / 1000);
  }

  /** A step, or the rest of the tick; then the next when its time comes. */
  private turn(): void {
    if (!this.isInTick && this.process.isStopping) return;
    if (!this.isInTick && this.tick > this.dueTick()) {
      const { originMs, settings } = this.process.plan;
      const dueMs = originMs + (this.tick * 1000) / settings.tickHz;
      this.again(Math.max(0.01, dueMs - this.schedule.nowMs) + this.chance.between(0, 1));
      return;
    }
    if (this.faults.happens('thread-hangs')) {
      this.hang();
      return;
    }
    if (this.faults.happens('thread-stalls')) {
      this.again(this.chance.between(...STALL_MS));
      return;
    }
    const owner = this.owner;
    do this.step();
    while (owner.isAlive && this.isInTick && !this.chance.happens(this.stepwiseShare));
    if (owner.isAlive) this.again(this.isInTick ? this.chance.between(0, STEP_MS_MAX) : 0);
  }

  private hang(): void {
    const { process, schedule, chance } = this;
    const { hangMs } = process.plan.settings;
    const awayMs = chance.between(0, HANG_SHARE_MAX * hangMs);
    process.trace.add(
      `thread ${this.index} hangs in tick ${this.tick}, step ${this.stepAt}, for ${Math.round(awayMs)} ms`,
    );
    this.isHung = true;
    if (awayMs < hangMs) {
      schedule.after(awayMs, this.owner, () => this.recover(), false);
    } else {
      schedule.after(hangMs, this.owner, () => this.giveUp(awayMs - hangMs), false);
    }
  }

  private recover(): void {
    this.isHung = false;
    this.turn();
  }

  private giveUp(leftMs: number): void {
    const { process, schedule, hosts, isInTick, zoneAt, stepAt } = this;
    const end = (): void => {
      if (!isInTick) return;
      process.trace.add(`thread ${this.index} comes back after it was given up, in step ${stepAt}`);
      this.guard(() => {
        for (let step = stepAt; step < hosts[zoneAt].stepCount; step++) hosts[zoneAt].runStep(step);
      });
    };
    if (process.isImpatient) {
      this.lose('it hung');
      schedule.after(leftMs, process.owner, end, false);
      return;
    }
    schedule.after(
      leftMs,
      this.owner,
      () => {
        end();
        this.lose('it hung');
      },
      false,
    );
  }

  /** What a thread does when its end has come already goes no further than its end. */
  private guard(action: () => void): void {
    this.isInStep = true;
    try {
      action();
    } catch (error) {
      if (!(error instanceof ThreadEnd)) {
        this.process.fail(
          error instanceof Violation ? error : new Violation('a tick does not throw', String((error as Error).stack)),
        );
      }
    }
    this.isInStep = false;
  }

  private again(ms: number): void {
    this.schedule.after(ms, this.owner, () => this.turn(), false);
  }

  /** Called in the middle of what another thread does: a step, if one is due. */
  interject(): void {
    if (this.isInStep || this.isHung || this.isStill || this.hosts.length === 0) return;
    if (this.isInTick || this.tick <= this.dueTick()) this.step();
  }

  private step(): void {
    const { hosts } = this;
    this.isInStep = true;
    try {
      if (!this.isInTick) this.beginTick();
      if (this.stepAt === 0) hosts[this.zoneAt].beginTick(this.tick);
      this.point('a step');
      hosts[this.zoneAt].runStep(this.stepAt);
      this.point('a step');
      this.advance();
    } catch (error) {
      if (error instanceof ThreadEnd) this.lose(error.message);
      else
        this.process.fail(
          error instanceof Violation ? error : new Violation('a tick does not throw', String((error as Error).stack)),
        );
    }
    this.isInStep = false;
  }

  private beginTick(): void {
    const behind = this.dueTick() - this.tick;
    if (behind > CATCH_UP_TICKS_MAX) {
      this.faults.note('(ticks skipped)', behind - CATCH_UP_TICKS_MAX);
      this.tick += behind - CATCH_UP_TICKS_MAX;
    }
    this.isInTick = true;
    this.zoneAt = 0;
    this.stepAt = 0;
  }

  private advance(): void {
    if (++this.stepAt < this.hosts[this.zoneAt].stepCount) return;
    this.stepAt = 0;
    if (++this.zoneAt < this.hosts.length) return;
    this.isInTick = false;
    this.process.noteTick(this.index, this.tick);
    this.tick++;
    if (!this.hasRun) {
      this.hasRun = true;
      Atomics.store(this.control.words, T.RUNNING, 1);
      if (this.restarts > 0) this.process.onReplaced(this.index);
    }
  }

  /** Here the thread may be lost, and others may do something. */
  private point(what: string): void {
    if (this.faults.happens('thread-dies')) throw new ThreadEnd(`it was ended at ${what}`);
    if (this.faults.happens('tick-interrupted')) this.process.interject(this);
  }

  private lose(reason: string): void {
    const { process, index, tick, zoneAt, stepAt } = this;
    process.trace.add(
      `thread ${index} is lost in tick ${tick}, zone ${process.plan.zonesOfThread[index][zoneAt]}, step ${stepAt}: ${reason}`,
    );
    this.owner.end();
    this.owner = new Owner(process.owner);
    this.isInTick = false;
    this.isHung = false;
    this.hasRun = false;
    this.restarts++;
    process.onLost(this.hosts);
    this.hosts = [];
    this.schedule.after(this.chance.between(...RESTART_MS), this.owner, () => this.employ(), false);
  }

  private hookHost(host: ZoneHost): void {
    const { handoff, intake, journal } = host as unknown as HostParts;
    const { process } = this;
    const zone = host.zone.id;
    this.hook(host.zone.buffer, 'commit', 'the commit', () => process.onCommitted(host));
    this.hook(host.zone.buffer as unknown as { copyBlock(): void }, 'copyBlock', 'the copy of a commit');
    const { onDeparted, onArrived } = handoff.events;
    handoff.events.onDeparted = (client, epoch, target) => {
      process.trace.add(`client ${client}.${epoch} goes from zone ${zone} to ${target} in tick ${host.zone.tick}`);
      onDeparted(client, epoch, target);
    };
    handoff.events.onArrived = (row, departedTick) => {
      const client = host.zone.owner[row] - 1;
      if (client >= 0)
        process.trace.add(
          `client ${client}.${host.zone.engine.ownerGeneration[row]} comes to zone ${zone} in tick ${host.zone.tick}`,
        );
      onArrived(row, departedTick);
    };
    this.hook(handoff.events, 'onDeparted', 'a word of who departed');
    for (const ring of handoff.outgoing) if (ring) this.hook(ring, 'publish', `a handoff from zone ${zone}`);
    for (const ring of handoff.incoming) if (ring) this.hook(ring, 'release', `a handoff taken by zone ${zone}`);
    this.hook(intake.options.words, 'release', 'a word taken');
    this.hook(intake.options.commands, 'release', 'a command taken');
    const despawn = host.zone.despawn.bind(host.zone);
    host.zone.despawn = (row) => {
      process.census.despawned(zone, host.zone.engine.key[row]);
      despawn(row);
    };
    const { events } = host.zone as unknown as { events: RecordRing };
    if (journal !== undefined) {
      const end = journal.end.bind(journal);
      journal.end = () => {
        process.events.journaling(events, zone);
        process.history.journaled(zone, host.zone.buffer.blocks[LIVE_BLOCK], process.census.deadOf(zone));
        this.point('the journal, before');
        end();
        this.point('the journal, after');
      };
    }
    const publishEvents = host.zone.publishEvents.bind(host.zone);
    host.zone.publishEvents = () => {
      this.point('its events');
      process.events.publishing(zone, publishEvents);
      this.point('its events');
    };
  }

  /** Before and after the method are points. */
  private hook<K extends string>(
    target: { [name in K]: (...args: never[]) => unknown },
    method: K,
    what: string,
    after: () => void = () => {},
  ): void {
    const original = target[method].bind(target) as (...args: never[]) => unknown;
    target[method] = ((...args: never[]) => {
      this.point(`${what}, before`);
      const result = original(...args);
      after();
      this.point(`${what}, after`);
      return result;
    }) as never;
  }
}
