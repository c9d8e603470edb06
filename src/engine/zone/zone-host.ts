// One zone on its tick thread: everything it is made of, and the order of a tick.

import type { GameDefinition } from '../../game/definition.js';
import { listReplicatedFields } from '../../game/fields/replicated-fields.js';
import { ByteRing } from '../../memory/rings/byte-ring.js';
import { RecordRing } from '../../memory/rings/record-ring.js';
import { ClientTable } from '../../memory/tables/client-table.js';
import { IdentityTable } from '../../memory/tables/identity-table.js';
import { LiveLimits } from '../../memory/tables/live-limits.js';
import { NoteTable } from '../../memory/tables/note-table.js';
import { WorldBuffer } from '../../memory/world/world-buffer.js';
import { SCALAR_POPULATED } from '../../memory/world/world-layout.js';
import { Handoff } from '../borders/handoff.js';
import { Mirrors } from '../borders/mirrors.js';
import { CellHost } from '../cells/cell-host.js';
import { CommandIntake } from '../clients/command-intake.js';
import { Broadcasts } from '../notes/broadcasts.js';
import { ZoneListeners } from '../notes/listeners.js';
import { NoteDesk } from '../notes/note-desk.js';
import { neighbourZones, POSITION_QUANTUM, type WorldPlan } from '../plan/world-plan.js';
import { ZoneJournal } from '../replay/zone-journal.js';
import type { ChangeTicks } from '../replication/change-ticks.js';
import { createFarKinds, type FarKinds } from '../replication/far-kinds.js';
import { Replicator } from '../replication/replicator.js';
import { createChangeTicks } from '../replication/rich-change-ticks.js';
import { findBadValue, runSystem, throwFault } from './game-fault.js';
import { NOTICE_ROOM_BYTES } from './main-notices.js';
import { tellRestored } from './player-life.js';
import type { EngineZone } from './zone.js';
import { buildIndex, createZoneParts, populateZone, type ZoneParts } from './zone-parts.js';
import { SHARED_KEEPER } from './zone-shared.js';

/** Those of which it mirrors only what is seen everywhere, and the shared record. */
function distantZones(plan: WorldPlan, zoneId: number, hasFarKinds: boolean, hasShared: boolean): WorldBuffer[] {
  const near = [zoneId, ...neighbourZones(plan, zoneId)];
  const isRead = (id: number) => hasFarKinds || (hasShared && id === SHARED_KEEPER);
  const distant = plan.worlds.filter((_, id) => !near.includes(id) && isRead(id));
  return distant.map((buffer) => new WorldBuffer(buffer, plan.layout));
}

export class ZoneHost {
  readonly zone: EngineZone;
  readonly replicator: Replicator;
  readonly intake: CommandIntake;
  private readonly parts: ZoneParts;
  private readonly journal: ZoneJournal | undefined;
  private readonly mirrors: Mirrors;
  private readonly handoff: Handoff;
  private readonly changes: ChangeTicks;
  private readonly far: FarKinds | undefined;
  /** Undefined: the game tells clients nothing. */
  private readonly broadcasts: Broadcasts | undefined;
  private readonly isChecked: boolean;
  /** Undefined: the whole world is in memory. */
  readonly cells: CellHost | undefined;
  /** Rows, ids and mirrors are as they were committed last, found in this tick after all that writes them. */
  private isStill = false;
  private hasRun = false;
  /** What it was before, in another thread or process, is committed. */
  private goesOn: boolean;
  private readonly steps: readonly { phase: number; run: () => void }[];

  constructor(
    plan: WorldPlan,
    zoneId: number,
    game: GameDefinition,
    frames: ByteRing,
    /** By phase, see thread-control.ts. */
    private readonly phaseMs: Float64Array,
    private readonly now: () => number,
    /** The zone's frames of this tick are published. */
    private readonly onFrames: () => void = () => {},
  ) {
    const { settings, layout } = plan;
    const parts = createZoneParts(plan, zoneId, game, new RecordRing(plan.events[zoneId]));
    const { zone, index, margin } = parts;
    this.parts = parts;
    this.isChecked = settings.checked === 'on';
    this.zone = zone;
    const limits = new LiveLimits(plan.limits);
    const clients = new ClientTable(plan.clients, settings.clientsMax);
    const notes = plan.notes && new NoteTable(plan.notes, settings.clientsMax);
    this.changes = createChangeTicks(zone, listReplicatedFields(game.fields), POSITION_QUANTUM, game.components);
    this.far = createFarKinds(zone, settings.viewRadius);
    this.replicator = new Replicator({
      zone,
      changes: this.changes,
      index,
      clients,
      frames,
      viewRadius: settings.viewRadius,
      leaveRadius: plan.leaveRadius,
      limits,
      far: this.far,
      notes,
    });
    if (notes !== undefined && plan.heard !== undefined) {
      const listeners = new ZoneListeners(zone, clients, this.replicator);
      this.broadcasts = new Broadcasts({
        zone,
        table: notes,
        listeners,
        logs: plan.broadcasts,
        heard: plan.heard,
        clientsMax: settings.clientsMax,
      });
      zone.noteSink = new NoteDesk(zone, clients, notes, game.notes ?? [], this.broadcasts);
    }
    this.mirrors = new Mirrors(
      zone,
      neighbourZones(plan, zoneId).map((id) => new WorldBuffer(plan.worlds[id], layout)),
      margin,
      this.far,
      distantZones(plan, zoneId, this.far !== undefined, zone.sharedRow >= 0),
    );
    this.journal =
      settings.journalFlushMs === 0 ? undefined : new ZoneJournal(zone, new ByteRing(plan.journals[zoneId]));
    this.handoff = new Handoff(
      zone,
      plan.handoffs[zoneId],
      plan.handoffs.map((targets, source) => (source === zoneId ? plan.arrivals[zoneId] : targets[zoneId])),
      {
        canTell: (count) => frames.freeBytes() >= (count + 1) * NOTICE_ROOM_BYTES,
        onDeparting: (row, target) => this.onDeparting(row, target),
        onDeparted: (client, generation, target) => this.intake.clients.hasDeparted(client, generation, target),
        onArrived: (row, departedTick) => this.onArrived(row, departedTick),
        onForwardedCommand: (view, offset) => this.intake.takeForwarded(view, offset),
        onStoredPlayer: (view, offset) => this.intake.takeStored(view, offset),
      },
      this.journal,
    );
    this.cells = plan.cells && new CellHost(plan, plan.cells, zone, this.journal);
    this.intake = new CommandIntake({
      zone,
      cells: this.cells,
      words: new RecordRing(plan.words[zoneId]),
      commands: new RecordRing(plan.commands[zoneId]),
      frames,
      clients,
      identities: new IdentityTable(plan.identities),
      notes,
      broadcasts: this.broadcasts,
      replicator: this.replicator,
      handoff: this.handoff,
      limits,
      journal: this.journal,
    });
    zone.onKeyTaken = (key) => this.mirrors.release(key);
    zone.onRowReset = (row) => this.replicator.resetRow(row);
    zone.onDespawn = (row) => this.onDespawn(row);
    this.steps = this.listSteps();
    this.goesOn = zone.scalars[SCALAR_POPULATED] !== 0;
    this.intake.clients.takeBackUncommitted();
    zone.recoverEvents(); // before its entities can live on elsewhere, as in a tick
    this.handoff.recover();
    populateZone(plan, parts);
    buildIndex(parts); // as it was at the end of the last tick: systems of the next one ask it
  }

  get stepCount(): number {
    return this.steps.length;
  }

  /** The whole of a tick. The clock is read where a phase ends: reading it takes longer than most steps of a quiet zone. */
  runTick(tick: number): void {
    this.beginTick(tick);
    const { steps, phaseMs } = this;
    let sinceMs = this.now();
    for (let i = 0; i < steps.length; i++) {
      const { phase, run } = steps[i];
      run();
      if (i + 1 < steps.length && steps[i + 1].phase === phase) continue;
      const ms = this.now();
      phaseMs[phase] += ms - sinceMs;
      sinceMs = ms;
    }
  }

  beginTick(tick: number): void {
    this.zone.tick = tick;
    this.journal?.begin(tick);
    if (this.goesOn) this.tellRestored();
  }

  /** Said in the first tick, and again by a successor if this thread does not live to commit it. */
  private tellRestored(): void {
    this.goesOn = false;
    if (this.zone.game.onRestore === undefined) return;
    this.journal?.goesOn();
    tellRestored(this.zone);
  }

  /** One of the steps that a tick is made of: threads meet others' work, and are lost, between any two of them. */
  runStep(index: number): void {
    this.steps[index].run();
  }

  /** In their order, which is what the other threads and a successor rely on; `phase` is where their time is counted. */
  private listSteps(): { phase: number; run: () => void }[] {
    const { zone, handoff, intake, mirrors, journal, replicator } = this;
    return [
      { phase: 0, run: () => handoff.arrive() },
      { phase: 0, run: () => this.cells?.arrive() },
      { phase: 0, run: () => intake.drain() },
      { phase: 0, run: () => journal?.systems() },
      { phase: 1, run: () => this.runSystems() },
      { phase: 2, run: () => handoff.depart() },
      { phase: 2, run: () => handoff.returnIds() },
      { phase: 2, run: () => mirrors.refresh(this.isStill) },
      { phase: 2, run: () => journal?.mirrors() },
      { phase: 2, run: () => this.cells?.look() },
      { phase: 2, run: () => this.parts.posts?.route(handoff, journal) },
      { phase: 3, run: () => this.updateIndex() },
      { phase: 4, run: () => journal?.end() },
      { phase: 4, run: () => this.commit() },
      // Before its entities can live on elsewhere: what they do there is stated after what they did here.
      { phase: 4, run: () => zone.publishEvents() },
      { phase: 4, run: () => this.broadcasts?.publish() },
      { phase: 4, run: () => handoff.settle() },
      { phase: 4, run: () => this.cells?.settle() },
      { phase: 5, run: () => intake.spectators.follow() },
      { phase: 5, run: () => this.broadcasts?.hear() },
      { phase: 5, run: () => replicator.run() },
      { phase: 5, run: () => this.onFrames() },
    ];
  }

  /** Where nothing has moved, the index of the last tick is what a new one would be. */
  private updateIndex(): void {
    this.isStill = this.hasRun && this.parts.buffer.isStill();
    this.hasRun = true; // the first index of a host was built before the last commit was
    if (!this.isStill) buildIndex(this.parts);
  }

  private commit(): void {
    this.far?.gather();
    this.zone.claimEvents();
    this.handoff.claimRecords();
    this.parts.buffer.commit(this.isStill);
  }

  private runSystems(): void {
    const { zone } = this;
    const { systems } = zone.game;
    this.parts.posts?.deliver();
    if (this.isChecked && this.parts.posts !== undefined) this.checkValues('a message');
    if (zone.timers !== undefined) {
      zone.timers.run(zone);
      if (this.isChecked) this.checkValues('a timer or schedule');
    }
    for (let i = 0; i < systems.length; i++) {
      runSystem(zone, systems[i]);
      if (this.isChecked) this.checkValues(`system '${systems[i].name}'`);
    }
  }

  /** In the checked mode: a value that is no number is named where it was written, and not where it is met. */
  private checkValues(what: string): void {
    const bad = findBadValue(this.zone);
    if (bad !== undefined) throwFault(this.zone, what, new Error(bad));
  }

  private onDeparting(row: number, target: number): void {
    this.mirrors.keepDeparted(row, target);
    const client = this.zone.owner[row] - 1;
    if (client >= 0) {
      this.intake.clients.departing(client, this.zone.engine.ownerGeneration[row], target);
    }
  }

  private onArrived(row: number, departedTick: number): void {
    const client = this.zone.owner[row] - 1;
    if (client >= 0) {
      this.intake.clients.arrived(client, row, departedTick);
    }
  }

  private onDespawn(row: number): void {
    const client = this.zone.owner[row] - 1;
    if (client >= 0 && this.replicator.rowOfClient[client] === row) {
      this.replicator.rowOfClient[client] = -1;
    }
  }
}
