// A whole world without threads, sockets or clocks: all zones, the router, and clients that decode every frame, driven tick
// by tick. What runs is the server's own code; only the sleep and the sockets are left out.

import { assert } from '../base/assert.js';
import { createRandom } from '../base/chance.js';
import { DEFAULTS, type Settings } from '../config/settings.js';
import { wireIdOfKey } from '../engine/entities/entity-key.js';
import { Placement } from '../engine/plan/placement.js';
import { planWorld, type WorldPlan } from '../engine/plan/world-plan.js';
import { ZoneHost } from '../engine/zone/zone-host.js';
import type { GameDefinition, Zone } from '../game/definition.js';
import type { Identity, LeaveReason } from '../game/life.js';
import { RejectCode } from '../game/reject-codes.js';
import { ByteRing } from '../memory/rings/byte-ring.js';
import { ThreadControl } from '../memory/tables/thread-control.js';
import type { ClientSink, StoredPlayer } from '../net/gateway/world-port.js';
import { type CommandLayout, type CommandPayload, encodeCommand, writeCommand } from '../protocol/fb/command-layout.js';
import { openFrame } from '../protocol/fb/server-frame.js';
import { describeGame, type GameDescription } from '../protocol/game-description.js';
import { CLIENT_HEADER_BYTES } from '../protocol/limits.js';
import { Router } from '../server/main/router.js';
import { HeadlessClient } from './headless-client.js';
import { testIdentity } from './test-identity.js';

export interface TrueEntity {
  zone: number;
  row: number;
  x: number;
  y: number;
}

export class HeadlessWorld {
  readonly plan: WorldPlan;
  readonly router: Router;
  readonly settings: Settings;
  readonly description: GameDescription;
  readonly clients = new Map<number, HeadlessClient>();
  hosts: ZoneHost[];
  tick = 0;
  private readonly frames: ByteRing[];
  private nextGeneration = 1;
  /** Who came to each seat last. */
  private readonly identities = new Map<number, Identity>();
  private onFrame: (client: HeadlessClient) => void = () => {};

  /** Settings as of a server, by default a world of 200 by 200 in four zones. */
  constructor(
    readonly game: GameDefinition,
    settings: Partial<Settings> = {},
    threads = 1,
    /** Before anything runs: fills the zones, reserves clients. */
    prepare: (plan: WorldPlan, router: Router) => void = () => {},
    /** Threads do not wait for main to name the clients. */
    ticksUntilAttached = 0,
  ) {
    this.settings = {
      ...DEFAULTS,
      worldWidth: 200,
      worldHeight: 200,
      clientsMax: 64,
      entitiesPerZone: 2048,
      ...settings,
    };
    this.plan = planWorld(this.settings, game, threads, 0);
    this.description = describeGame(game);
    const { spawn, worldWidth, worldHeight, zoneColumns, zoneRows, viewRadius, seed } = this.settings;
    const placement = new Placement(
      spawn,
      worldWidth,
      worldHeight,
      zoneColumns,
      zoneRows,
      viewRadius,
      createRandom(seed),
    );
    this.router = new Router(this.plan, placement, game);
    this.router.connect(this.createSink());
    prepare(this.plan, this.router);
    this.frames = this.plan.frames.map((buffer) => new ByteRing(buffer));
    this.hosts = this.plan.areas.map((_, zone) => this.createHost(zone));
    this.tick = Math.max(...this.hosts.map(({ zone }) => zone.tick));
    for (let i = 0; i < ticksUntilAttached; i++) this.runZones();
    for (const thread of this.plan.zonesOfThread.keys()) this.router.attachClients(thread);
  }

  /** A successor of a thread that died: new objects over what it left in shared memory. Main has not heard of it yet. */
  renewThread(thread: number): void {
    this.frames[thread] = new ByteRing(this.plan.frames[thread]);
    for (const zone of this.plan.zonesOfThread[thread]) {
      this.hosts[zone] = this.createHost(zone);
    }
  }

  /** As a supervisor does after a thread died: its successor, and some ticks later its clients. */
  replaceThread(thread: number, ticksUntilAttached = 0): void {
    this.renewThread(thread);
    this.run(ticksUntilAttached);
    // The threads do not wait while main attaches: a tick falls between its last look and its words.
    const { router } = this;
    const deliverAll = router.deliverAll.bind(router);
    router.deliverAll = () => {
      deliverAll();
      router.deliverAll = deliverAll;
      this.runZones();
    };
    router.attachClients(thread);
  }

  private runZones(): void {
    this.tick++;
    for (const host of this.hosts) {
      host.runTick(this.tick);
    }
  }

  listen(onFrame: (client: HeadlessClient) => void): void {
    this.onFrame = onFrame;
  }

  /** A new player. Its entity is there after the next tick. `index` is its seat: the first free one unless given. */
  join(index = this.findSeat(), updateHz = this.settings.updateHz, who: Partial<Identity> = {}): HeadlessClient {
    const client = this.createClient(index, this.nextGeneration++);
    this.clients.set(index, client);
    this.router.join(index, client.generation, updateHz, this.introduce(index, client.generation, who));
    return client;
  }

  /** Comes in as it was stored. */
  restore(
    index: number,
    player: StoredPlayer,
    updateHz = this.settings.updateHz,
    who: Partial<Identity> = {},
  ): HeadlessClient {
    const client = this.createClient(index, this.nextGeneration++);
    this.clients.set(index, client);
    const identity = this.introduce(index, client.generation, who);
    if (!this.router.restore(index, client.generation, updateHz, player, identity))
      throw new Error(`client ${index} finds no room`);
    return client;
  }

  /** Its connection is lost: frames that still come for it go nowhere. */
  lose(client: HeadlessClient): void {
    this.router.setAbsent(client.index);
    this.clients.delete(client.index);
  }

  /** It is back by another connection, which knows nothing. Its frames are taken once the zone has said so, as by the gateway. */
  resume(
    index: number,
    generation: number,
    updateHz = this.settings.updateHz,
    who: Partial<Identity> = this.identities.get(index) ?? {},
  ): HeadlessClient {
    const client = this.createClient(index, generation);
    this.clients.set(index, client);
    const identity = this.introduce(index, generation, who);
    if (!this.router.resume(index, generation, updateHz, identity)) throw new Error(`client ${index} cannot come back`);
    return client;
  }

  leave(client: HeadlessClient, reason: LeaveReason = 'left'): void {
    this.router.leave(client.index, client.generation, reason);
    this.clients.delete(client.index);
  }

  send(client: HeadlessClient, name: string, payload: Record<string, number>): boolean {
    const layout = this.layoutOf(name);
    return this.publish(client, layout, encodeCommand(layout, payload, ++client.seq));
  }

  run(ticks: number, each: () => void = () => {}): void {
    for (let i = 0; i < ticks; i++) {
      each();
      this.runZones();
      this.router.deliverAll();
    }
  }

  /** Every living entity by wire id; throws when one id lives twice. */
  truth(): Map<number, TrueEntity> {
    const entities = new Map<number, TrueEntity>();
    for (const [zone, { zone: z }] of this.hosts.entries()) {
      for (let row = 0; row < z.rowLimit; row++) {
        if (z.alive[row] === 0) continue;
        const id = wireIdOfKey(z.engine.key[row]);
        if (entities.has(id)) throw new Error(`entity ${id} lives in zones ${entities.get(id)?.zone} and ${zone}`);
        entities.set(id, { zone, row, x: z.positionX[row], y: z.positionY[row] });
      }
    }
    return entities;
  }

  /** The zones, left to right and top to bottom, with the columns that the game's code writes. */
  get zones(): readonly Zone[] {
    return this.hosts.map(({ zone }) => zone);
  }

  /** Where an entity lives now. Throws when it lives nowhere. */
  find(entityId: number): TrueEntity {
    const found = this.truth().get(entityId);
    assert(found !== undefined, 'the entity lives', entityId);
    return found;
  }

  /** Puts a client's entity somewhere. A place in another zone is reached with the next tick. */
  place(client: HeadlessClient, x: number, y: number): void {
    const { zone, row } = this.find(client.entityId);
    this.zones[zone].positionX[row] = x;
    this.zones[zone].positionY[row] = y;
  }

  counter(index: number): number {
    return this.hosts.reduce((sum, host) => sum + host.zone.counters[index], 0);
  }

  private introduce(index: number, generation: number, who: Partial<Identity>): Identity {
    const identity = { ...testIdentity(generation), ...who };
    this.identities.set(index, identity);
    return identity;
  }

  private findSeat(): number {
    const { clientsMax } = this.settings;
    for (let index = 0; index < clientsMax; index++) if (!this.clients.has(index)) return index;
    throw new Error(`all ${clientsMax} seats are taken: clientsMax`);
  }

  private createClient(index: number, generation: number): HeadlessClient {
    return new HeadlessClient(index, generation, this.description, (client, name, payload) =>
      this.sendChecked(client, name, payload),
    );
  }

  private sendChecked(client: HeadlessClient, name: string, payload: Readonly<CommandPayload>): number {
    const layout = this.layoutOf(name);
    const bytes = new Uint8Array(layout.bytes);
    const code = writeCommand(layout, payload, client.seq + 1, new DataView(bytes.buffer), 0);
    if (code !== RejectCode.None) return code;
    client.seq++;
    return this.publish(client, layout, bytes) ? RejectCode.None : RejectCode.QueueFull;
  }

  private publish({ index, generation, seq }: HeadlessClient, { kind }: CommandLayout, bytes: Uint8Array): boolean {
    return this.router.command(index, generation, seq, kind, bytes, CLIENT_HEADER_BYTES, bytes.length);
  }

  private layoutOf(name: string): CommandLayout {
    const layout = this.description.layouts.findByName(name);
    assert(layout !== null, 'the game has this command', name);
    return layout;
  }

  private createHost(zone: number): ZoneHost {
    const thread = this.plan.zonesOfThread.findIndex((zones) => zones.includes(zone));
    const control = new ThreadControl(this.plan.controls[thread]);
    return new ZoneHost(this.plan, zone, this.game, this.frames[thread], control.phaseMs, () => 0);
  }

  private createSink(): ClientSink {
    const find = (index: number, generation: number): HeadlessClient | undefined => {
      const client = this.clients.get(index);
      return client?.generation === generation ? client : undefined;
    };
    return {
      joined: (index, generation, entityId, key) => {
        const client = find(index, generation);
        if (client) Object.assign(client, { entityId, key, joinedCount: client.joinedCount + 1 });
      },
      refused: (index, generation, code) => {
        const client = find(index, generation);
        if (client) client.refusedCode = code;
      },
      rejected: (index, generation, seq, kind, code) => find(index, generation)?.rejects.push({ seq, kind, code }),
      dropped: (index, generation) => {
        if (find(index, generation)) this.clients.delete(index);
      },
      frame: (index, generation, bytes, start, limit) => {
        const client = find(index, generation);
        if (client && client.joinedCount > 0) this.takeFrame(client, bytes.slice(start, limit));
      },
    };
  }

  private takeFrame(client: HeadlessClient, bytes: Uint8Array): void {
    const frame = openFrame(bytes);
    if (frame === null) throw new Error('a frame of the server does not open');
    const delta = client.decoder.apply(frame);
    if (delta.error !== null) throw new Error(`client ${client.index} at tick ${frame.tick()}: ${delta.error}`);
    client.tick = frame.tick();
    client.ack = frame.ack();
    client.frameCount++;
    client.frameBytes += bytes.length;
    client.lastFrame = bytes;
    client.recordCount = delta.entered.length + delta.updated.length;
    if ((frame.flags() & 1) !== 0) client.fullCount++;
    client.entered.push(...delta.entered);
    const notes = client.noteReader.read(frame);
    if (notes === null) throw new Error(`client ${client.index} at tick ${frame.tick()}: a note does not read`);
    client.notes.push(...notes);
    client.notesMissed += client.noteReader.missed;
    this.onFrame(client);
  }
}
