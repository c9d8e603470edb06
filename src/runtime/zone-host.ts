// One zone on its tick thread: everything it is made of, and the order of a tick.

import { Quadtree } from '../interest/quadtree.js';
import type { ByteRing } from '../memory/byte-ring.js';
import { ClientTable } from '../memory/client-table.js';
import { RecordRing } from '../memory/record-ring.js';
import { WorldBuffer } from '../memory/world-buffer.js';
import { SCALAR_POPULATED } from '../memory/world-layout.js';
import { ChangeTicks, listReplicatedFields } from '../replication/change-ticks.js';
import { Replicator } from '../replication/replicator.js';
import type { GameDefinition } from '../sim/game.js';
import { Ghosts } from '../sim/ghosts.js';
import { CROSSING_MARGIN, Handoff } from '../sim/handoff.js';
import { EngineZone } from '../sim/zone.js';
import { CommandIntake } from './command-intake.js';
import { neighbourZones, POSITION_QUANTUM, type WorldPlan } from './world-plan.js';

/** Measured: leaves of half to two thirds of the view radius answer a view soonest. */
const LEAVES_PER_VIEW_RADIUS = 2;

export class ZoneHost {
  readonly zone: EngineZone;
  readonly replicator: Replicator;
  readonly intake: CommandIntake;
  private readonly buffer: WorldBuffer;
  private readonly index: Quadtree;
  private readonly ghosts: Ghosts;
  private readonly handoff: Handoff;
  private readonly changes: ChangeTicks;

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
    this.buffer = new WorldBuffer(plan.worlds[zoneId], layout);
    this.buffer.restore();
    const area = plan.areas[zoneId];
    const margin = plan.leaveRadius + CROSSING_MARGIN;
    this.index = new Quadtree({
      originX: area.x - margin,
      originY: area.y - margin,
      width: area.width + 2 * margin,
      height: area.height + 2 * margin,
      leafSize: settings.viewRadius / LEAVES_PER_VIEW_RADIUS,
      capacity: layout.rowCapacity,
    });
    const zone = new EngineZone({
      world: this.buffer,
      game,
      zoneCount: plan.worlds.length,
      ownCapacity: plan.ownCapacity,
      area,
      worldWidth: settings.worldWidth,
      worldHeight: settings.worldHeight,
      tickHz: settings.tickHz,
      seed: settings.seed,
      index: this.index,
      events: new RecordRing(plan.events[zoneId]),
    });
    this.zone = zone;
    const clients = new ClientTable(plan.clients, settings.clientsMax);
    this.changes = new ChangeTicks(zone, listReplicatedFields(game.fields), POSITION_QUANTUM);
    this.replicator = new Replicator({
      zone,
      changes: this.changes,
      index: this.index,
      clients,
      frames,
      viewRadius: settings.viewRadius,
      leaveRadius: plan.leaveRadius,
      bytesPerSecond: settings.bytesPerSecond,
    });
    this.ghosts = new Ghosts(
      zone,
      neighbourZones(plan, zoneId).map((id) => new WorldBuffer(plan.worlds[id], layout)),
      margin,
    );
    this.handoff = new Handoff(
      zone,
      plan.handoffs[zoneId],
      plan.handoffs.map((targets) => targets[zoneId]),
      {
        onDeparting: (row, target) => this.onDeparting(row, target),
        onDeparted: (row, target) => this.onDeparted(row, target),
        onArrived: (row) => this.onArrived(row),
        onForwardedCommand: (view, offset) => this.intake.takeForwarded(view, offset),
      },
    );
    this.intake = new CommandIntake({
      zone,
      words: new RecordRing(plan.words[zoneId]),
      commands: new RecordRing(plan.commands[zoneId]),
      frames,
      clients,
      replicator: this.replicator,
      handoff: this.handoff,
      commandsPerTick: settings.commandsPerTick,
      commandsPerClientTick: settings.commandsPerClientTick,
    });
    zone.onKeyTaken = (key) => this.ghosts.release(key);
    zone.onRowReset = (row) => this.changes.reset(row);
    zone.onDespawn = (row) => this.onDespawn(row);
    this.handoff.recover();
    this.populate(settings.bots, plan.worlds.length);
    this.buildIndex(); // as it was at the end of the last tick: systems of the next one ask it
  }

  /** The whole of a tick. */
  runTick(tick: number): void {
    const { zone, phaseMs } = this;
    const start = this.now();
    zone.tick = tick;
    this.handoff.arrive();
    this.intake.drain();
    const afterCommands = this.now();
    const { systems } = zone.game;
    for (let i = 0; i < systems.length; i++) {
      systems[i].run(zone);
    }
    const afterSystems = this.now();
    this.handoff.depart();
    this.handoff.returnIds();
    this.ghosts.refresh();
    const afterBorders = this.now();
    this.buildIndex();
    const afterIndex = this.now();
    this.buffer.commit();
    this.handoff.settle();
    zone.publishEvents();
    const afterCommit = this.now();
    this.replicator.run();
    this.onFrames();
    phaseMs[0] += afterCommands - start;
    phaseMs[1] += afterSystems - afterCommands;
    phaseMs[2] += afterBorders - afterSystems;
    phaseMs[3] += afterIndex - afterBorders;
    phaseMs[4] += afterCommit - afterIndex;
    phaseMs[5] += this.now() - afterCommit;
  }

  private buildIndex(): void {
    const { zone, index } = this;
    index.begin();
    index.add(zone.alive, zone.positionX, zone.positionY, 0, zone.rowLimit);
    index.add(zone.alive, zone.positionX, zone.positionY, zone.ownCapacity, this.ghosts.rowLimit);
    index.finish();
  }

  private populate(bots: number, zoneCount: number): void {
    const { zone } = this;
    if (zone.scalars[SCALAR_POPULATED] !== 0) {
      return;
    }
    const share = Math.floor(bots / zoneCount) + (zone.id < bots % zoneCount ? 1 : 0);
    zone.game.populate?.(zone, share, zone.area);
    zone.scalars[SCALAR_POPULATED] = 1;
    this.buffer.commit();
    this.buffer.commit(); // into the other block too: neither is ever empty
  }

  private onDeparting(row: number, target: number): void {
    this.ghosts.keepDeparted(row);
    const client = this.zone.owner[row] - 1;
    if (client >= 0) {
      this.intake.departing(client, target);
    }
  }

  private onDeparted(row: number, target: number): void {
    const client = this.zone.owner[row] - 1;
    if (client >= 0) {
      this.intake.departed(client, target);
    }
  }

  private onArrived(row: number): void {
    const client = this.zone.owner[row] - 1;
    if (client >= 0) {
      this.intake.arrived(client, row);
    }
  }

  private onDespawn(row: number): void {
    const client = this.zone.owner[row] - 1;
    if (client >= 0 && this.replicator.rowOfClient[client] === row) {
      this.replicator.rowOfClient[client] = -1;
    }
  }
}
