// One life of the server's process on virtual time: a plan, its tick threads, main with the router and its clients. What
// runs is the product's own; only sleeps and sockets are left out. A crash ends all of it at once, and what it had in memory
// is gone.

import { Placement } from '../../../src/engine/plan/placement.js';
import type { WorldPlan } from '../../../src/engine/plan/world-plan.js';
import type { ZoneHost } from '../../../src/engine/zone/zone-host.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import { RejectCode } from '../../../src/game/reject-codes.js';
import type { RecordRing } from '../../../src/memory/rings/record-ring.js';
import { COUNTERS } from '../../../src/memory/tables/zone-counters.js';
import type { ClientSink } from '../../../src/net/gateway/world-port.js';
import type { GameDescription } from '../../../src/protocol/game-description.js';
import { GAME_KIND_MIN } from '../../../src/protocol/limits.js';
import { Router } from '../../../src/server/main/router.js';
import { testIdentity } from '../../../src/testing/test-identity.js';
import type { Chance } from '../chance.js';
import { AppliedCommands } from '../checks/applied-commands.js';
import { Census } from '../checks/census.js';
import { EventLedger, type KnownEvent } from '../checks/event-ledger.js';
import type { Violation } from '../checks/violation.js';
import type { WorldHistory } from '../checks/world-history.js';
import type { Faults } from '../faults.js';
import { Owner, type Schedule } from '../schedule.js';
import type { Trace } from '../trace.js';
import { watchGame } from '../watched-game.js';
import { VirtualClient } from './virtual-client.js';
import { VirtualThread } from './virtual-thread.js';

const LOOK_MS = [0.5, 6] as const;
const SLOW_LOOK_MS = [20, 400] as const;
const CLIENT_CONNECTION_MS = [8, 120] as const;
const REJOIN_MS = [1, 600] as const;
const REPLACED_HEARD_MS = [0.1, 30] as const;
const FLOOD_COMMANDS_MAX = 200;
const CONGESTED_MS_MAX = 500;
const UPDATE_HZ = [10, 20, 30, 60];

export interface ProcessParts {
  plan: WorldPlan;
  game: GameDefinition;
  description: GameDescription;
  schedule: Schedule;
  faults: Faults;
  chance: Chance;
  trace: Trace;
  knownEvents: Map<string, KnownEvent>;
  possibleEvents: Set<string>;
  history: WorldHistory;
  isImpatient: boolean;
  onFailure(violation: Violation): void;
}

export class VirtualProcess {
  readonly owner = new Owner();
  readonly history: WorldHistory;
  /** Successors start while the thread that hung may still come back, as they must not. */
  readonly isImpatient: boolean;
  readonly plan: WorldPlan;
  readonly game: GameDefinition;
  readonly router: Router;
  readonly census: Census;
  readonly commands: AppliedCommands;
  readonly events: EventLedger;
  readonly threads: VirtualThread[];
  readonly trace: Trace;
  readonly clients: (VirtualClient | undefined)[];
  /** By zone; a lost thread's are missing until it is replaced. */
  readonly hosts: (ZoneHost | undefined)[];
  isHalted = false;
  /** By zone: the first tick in which nothing moved. */
  readonly haltedFrom = new Map<number, number>();
  /** Threads stop after their tick, and nobody comes any more. */
  isStopping = false;
  private isInMain = false;
  private isInterjecting = false;
  private nextGeneration = 1;

  constructor(private readonly parts: ProcessParts) {
    const { plan, game, schedule, faults, chance, trace } = parts;
    this.plan = plan;
    this.history = parts.history;
    this.isImpatient = parts.isImpatient;
    this.trace = trace;
    const zoneCount = plan.worlds.length;
    this.commands = new AppliedCommands(zoneCount);
    this.game = watchGame(game, {
      isHalted: ({ id, tick }) => {
        if (this.isHalted && !this.haltedFrom.has(id)) this.haltedFrom.set(id, tick);
        return this.isHalted;
      },
      applied: (zone, row, seq) => this.commands.applied(zone, row, seq),
    });
    this.census = new Census(plan, (zone, key, tick) => parts.history.died(zone, key, tick));
    const { epoch, originMs, settings } = plan;
    const context = {
      names: game.events,
      forms: game.eventForms ?? {},
      epoch,
      originMs,
      tickHz: settings.tickHz,
    };
    this.events = new EventLedger(parts.knownEvents, parts.possibleEvents, plan.events, context, () => schedule.nowMs);
    this.hosts = new Array(zoneCount).fill(undefined);
    this.clients = new Array(plan.settings.clientsMax).fill(undefined);
    const { spawn, worldWidth, worldHeight, zoneColumns, zoneRows, viewRadius } = plan.settings;
    const random = chance.stream('placement').random;
    this.router = new Router(
      plan,
      new Placement(spawn, worldWidth, worldHeight, zoneColumns, zoneRows, viewRadius, random),
      game,
    );
    this.threads = plan.zonesOfThread.map(
      (_, index) => new VirtualThread(index, this, schedule, faults, chance.stream(`thread ${index}`)),
    );
  }

  begin(): void {
    for (const thread of this.threads) thread.begin();
    for (const thread of this.threads) this.router.attachClients(thread.index);
    this.router.connect(this.createSink());
    this.look();
    for (const [index] of this.clients.entries()) this.joinLater(index);
  }

  fail(violation: Violation): void {
    this.parts.onFailure(violation);
  }

  // --- what threads tell ---

  attachHosts(hosts: readonly ZoneHost[]): void {
    for (const host of hosts) {
      this.hosts[host.zone.id] = host;
      this.parts.history.committed(host.zone.id, host.zone.buffer.committed); // its first life, when it is new
      this.events.tookOver(host.zone.id);
      this.events.journaling((host.zone as unknown as { events: RecordRing }).events, host.zone.id);
    }
  }

  onLost(hosts: readonly ZoneHost[]): void {
    for (const { zone } of hosts) {
      this.hosts[zone.id] = undefined;
      this.census.lostThread(zone.id);
      this.commands.lostThread(zone.id);
    }
  }

  onCommitted(host: ZoneHost): void {
    const { zone } = host;
    this.census.committed(zone.id, zone.buffer.committed);
    this.commands.committed(zone.id);
    this.events.committed(zone.id, (zone as unknown as { events: RecordRing }).events.claimedCount());
    this.parts.history.committed(zone.id, zone.buffer.committed);
  }

  noteTick(thread: number, tick: number): void {
    this.trace.mix(`${thread} ${tick} ${this.hosts.map((host) => host?.zone.entityCount).join()}`);
  }

  /** As the supervisor does when it hears that the new thread has run a tick. */
  onReplaced(thread: number): void {
    const { schedule, chance } = this.parts;
    schedule.after(chance.between(...REPLACED_HEARD_MS), this.owner, () => {
      this.trace.add(`main attaches the clients of thread ${thread}`);
      this.asMain(() => this.router.attachClients(thread));
    });
  }

  /** In the middle of what `current` does, others go on. */
  interject(current?: VirtualThread): void {
    if (this.isInterjecting) return;
    this.isInterjecting = true;
    const { chance } = this.parts;
    for (let count = 1 + chance.below(4); count > 0; count--) {
      const thread = chance.pick([...this.threads, undefined]);
      if (thread === undefined) this.deliver();
      else if (thread !== current) thread.interject();
    }
    this.isInterjecting = false;
  }

  // --- main ---

  private asMain(action: () => void): void {
    this.isInMain = true;
    try {
      action();
    } finally {
      this.isInMain = false;
    }
  }

  private deliver(): void {
    if (!this.isInMain) this.asMain(() => this.router.deliverAll());
  }

  private look(): void {
    const { schedule, faults, chance } = this.parts;
    const [low, high] = faults.happens('main-slow') ? SLOW_LOOK_MS : LOOK_MS;
    schedule.after(chance.between(low, high), this.owner, () => {
      this.deliver();
      this.look();
    });
  }

  private createSink(): ClientSink {
    const find = (index: number, epoch: number): VirtualClient | undefined => {
      const client = this.clients[index];
      return client?.generation === epoch ? client : undefined;
    };
    const { faults } = this.parts;
    return {
      joined: (index, epoch, entityId) => {
        const client = find(index, epoch);
        if (client === undefined) return;
        client.state = 'playing';
        client.entityId = entityId;
        this.trace.add(`${client} has entity ${entityId}`);
      },
      refused: (index, epoch, code) => this.end(find(index, epoch), 'refused', `${code}`),
      dropped: (index, epoch, code) => this.end(find(index, epoch), 'dropped', `${code}`),
      rejected: (index, epoch, seq, _kind, code) => {
        faults.note(`(rejected: ${RejectCode[code] ?? code})`);
        find(index, epoch)?.takeRejected(seq, code);
      },
      frame: (index, epoch, bytes, start, limit) => {
        find(index, epoch)?.takeFrame(bytes.slice(start, limit));
        if (faults.happens('main-interrupted')) this.interject();
      },
    };
  }

  // --- clients ---

  private joinLater(index: number): void {
    const { schedule, chance } = this.parts;
    schedule.after(
      chance.between(...REJOIN_MS),
      this.owner,
      () => {
        if (this.isHalted || this.isStopping) return;
        const client = new VirtualClient(index, this.nextGeneration++, this.parts.description);
        this.clients[index] = client;
        this.trace.add(`${client} joins`);
        if (!this.router.join(index, client.generation, chance.pick(UPDATE_HZ), testIdentity(client.generation))) {
          this.end(client, 'refused', 'the zone could not be told');
          return;
        }
        this.playLater(client);
      },
      false,
    );
  }

  private end(client: VirtualClient | undefined, state: 'refused' | 'dropped', text: string): void {
    if (client === undefined) return;
    this.trace.add(`${client} is ${state}: ${text}`);
    this.parts.faults.note(`(${state})`);
    client.state = state;
    // A socket that closes tells the world so, whoever closed it.
    if (state === 'dropped') this.router.leave(client.index, client.generation, 'left');
    this.joinLater(client.index);
  }

  private playLater(client: VirtualClient): void {
    const { schedule, chance } = this.parts;
    schedule.after(
      chance.between(...CLIENT_CONNECTION_MS),
      this.owner,
      () => {
        if (this.clients[client.index] === client && client.isLive && !this.isHalted && !this.isStopping)
          this.play(client);
      },
      false,
    );
  }

  private play(client: VirtualClient): void {
    const { faults, chance, schedule } = this.parts;
    if (faults.happens('client-leaves')) {
      this.trace.add(`${client} leaves`);
      client.state = 'gone';
      this.router.leave(client.index, client.generation, 'left');
      this.joinLater(client.index);
      return;
    }
    if (client.state === 'playing') {
      if (faults.happens('client-resyncs')) this.router.resync(client.index, client.generation);
      if (!client.isCongested && faults.happens('client-congested')) {
        this.setCongested(client, true);
        schedule.after(chance.between(1, CONGESTED_MS_MAX), this.owner, () => this.setCongested(client, false), false);
      }
      let count = faults.happens('client-floods') ? chance.below(FLOOD_COMMANDS_MAX) : 1;
      for (; count > 0; count--) this.sendCommand(client);
    }
    this.playLater(client);
  }

  private setCongested(client: VirtualClient, isCongested: boolean): void {
    if (this.clients[client.index] !== client) return;
    client.isCongested = isCongested;
    this.router.setCongested(client.index, isCongested);
  }

  private sendCommand(client: VirtualClient): void {
    const { faults, chance } = this.parts;
    const { kind, bytes } = client.makeCommand(chance);
    let sentKind = kind;
    let sentGeneration = client.generation;
    if (faults.happens('client-odd-commands')) {
      if (chance.happens(0.5)) sentKind = GAME_KIND_MIN + chance.below(200);
      else sentGeneration = client.generation - 1 - chance.below(3); // what a former holder of the index had under way
    }
    const isSent = this.router.command(client.index, sentGeneration, client.seq, sentKind, bytes, 8, bytes.length);
    if (!isSent) faults.note('(command ring full)');
  }

  /** As the gateway does when it closes a connection; false when there is no such client. */
  kick(index: number): boolean {
    const client = this.clients[index];
    if (client === undefined || !client.isLive) return false;
    this.trace.add(`${client} is kicked`);
    client.state = 'gone';
    this.router.leave(client.index, client.generation, 'left');
    this.joinLater(client.index);
    return true;
  }

  dropAll(): void {
    for (const { index } of this.clients.filter((client) => client !== undefined)) this.kick(index);
  }

  // --- the end ---

  noteCounters(): void {
    const { faults } = this.parts;
    const sums = new Map<string, number>();
    for (const host of this.hosts) {
      if (host === undefined) continue;
      for (const [i, name] of COUNTERS.entries()) sums.set(name, (sums.get(name) ?? 0) + host.zone.counters[i]);
    }
    for (const name of NOTED_COUNTERS) faults.note(`(${name})`, sums.get(name) ?? 0);
    faults.note('(moved to another zone)', this.router.counters.moved);
    faults.note('(stale frames)', this.router.counters.framesStale);
    faults.note('(commands applied)', this.commands.count);
  }
}

const NOTED_COUNTERS = [
  'commandsForwarded',
  'commandsOverloaded',
  'commandsStale',
  'joinsRefused',
  'spawnsRefused',
  'entitiesArrived',
  'handoffFull',
  'framesSkippedRingFull',
  'framesSkippedCongested',
  'framesSkippedInFlight',
  'eventsEmitted',
  'eventsDropped',
] as const;
