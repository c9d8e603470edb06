// Main's end of the rings: client messages go to the zone that has the client's entity, and what zones say of a client
// goes to its connection.

import { clampInside } from '../../base/area.js';
import { writeArrival } from '../../engine/clients/arrival.js';
import type { Placement } from '../../engine/plan/placement.js';
import type { WorldPlan } from '../../engine/plan/world-plan.js';
import type { GameDefinition } from '../../game/definition.js';
import { type Identity, LEAVE_REASONS, type LeaveReason } from '../../game/life.js';
import { RejectCode } from '../../game/reject-codes.js';
import { COMMAND_HEADER_BYTES } from '../../memory/limits.js';
import * as R from '../../memory/records/thread-records.js';
import type { ByteRing } from '../../memory/rings/byte-ring.js';
import { RecordRing } from '../../memory/rings/record-ring.js';
import { ClientTable, CONGESTED_ABSENT, CONGESTED_BACKLOG } from '../../memory/tables/client-table.js';
import { IdentityTable } from '../../memory/tables/identity-table.js';
import type { ClientSink, StoredPlayer, WorldPort } from '../../net/gateway/world-port.js';
import type { Watch } from '../../protocol/fb/client-message.js';
import { ClientRoutes } from './client-routes.js';
import { FrameDelivery } from './frame-delivery.js';
import { Spectators } from './spectators.js';
import { ZoneOrders } from './zone-orders.js';

export interface RouterCounters {
  framesDelivered: number;
  framesStale: number;
  queueFull: number;
  /** Leaves that had to wait for room. */
  leavesWaited: number;
  moved: number;
}

export class Router implements WorldPort {
  readonly counters: RouterCounters = { framesDelivered: 0, framesStale: 0, queueFull: 0, leavesWaited: 0, moved: 0 };
  private readonly orders: ZoneOrders;
  private readonly commands: RecordRing[];
  private readonly arrivals: RecordRing[];
  private readonly clients: ClientTable;
  private readonly identities: IdentityTable;
  private readonly routes: ClientRoutes;
  private readonly delivery: FrameDelivery;
  private readonly spectators: Spectators;
  private sink: ClientSink | undefined;
  private onGranted: (request: number, code: number) => void = () => {};

  constructor(
    private readonly plan: WorldPlan,
    private readonly placement: Placement,
    private readonly game: Pick<GameDefinition, 'kinds' | 'fields'>,
  ) {
    const { clientsMax } = plan.settings;
    this.routes = new ClientRoutes(clientsMax);
    this.orders = new ZoneOrders(
      plan.words,
      this.routes,
      () => this.counters.queueFull++,
      () => this.counters.leavesWaited++,
    );
    const { worldWidth, worldHeight } = plan.settings;
    this.spectators = new Spectators({
      ...{ routes: this.routes, orders: this.orders, worldWidth, worldHeight },
      zoneAt: (x, y) => this.zoneAt(x, y),
      begin: (client, generation, zone, updateHz) => this.begin(client, generation, zone, updateHz),
      drop: (client) => this.dropUntold(client),
    });
    this.commands = plan.commands.map((buffer) => new RecordRing(buffer));
    this.arrivals = plan.arrivals.map((buffer) => new RecordRing(buffer));
    this.clients = new ClientTable(plan.clients, clientsMax);
    this.identities = new IdentityTable(plan.identities);
    this.delivery = new FrameDelivery(plan.frames, plan.controls, {
      beforeSlice: () => this.orders.retryLeaves(),
      take: (frames) => this.deliverRecord(frames),
    });
  }

  connect(sink: ClientSink): void {
    this.sink = sink;
  }

  /** Begins to deliver to the sink whenever a tick thread has made something. */
  start(): void {
    this.delivery.start();
  }

  stop(): void {
    this.delivery.stop();
  }

  /** Delivers all that waits, at once. */
  deliverAll(): void {
    this.delivery.deliverAll();
  }

  // --- clients come and go ---

  join(client: number, generation: number, updateHz: number, identity: Identity): boolean {
    this.introduce(client, generation, identity);
    const { x, y } = this.placement.next(client);
    const zone = this.zoneAt(x, y);
    if (!this.orders.join(zone, client, generation, { updateHz, x, y })) {
      return false;
    }
    this.begin(client, generation, zone, updateHz);
    return true;
  }

  /** Before the world runs: this client's entity is in a recovered zone and waits there. */
  reserve(client: number, generation: number, zone: number, key: number): void {
    const { updateHz } = this.plan.settings;
    this.spectators.notePlayer(client, key);
    this.routes.begin(client, generation, zone, updateHz);
    // Its entity may walk on into another zone before main has named it there: who it is must be known then.
    this.clients.takeUp(client, generation, 0, updateHz, this.routes.connection[client]);
    this.setAbsent(client);
  }

  watch(client: number, generation: number, updateHz: number, watch: Watch): RejectCode {
    return this.spectators.begin(client, generation, updateHz, watch);
  }

  setAbsent(client: number): void {
    Atomics.store(this.clients.congested, client, CONGESTED_ABSENT); // the client's zone looks before each frame
  }

  resume(client: number, generation: number, updateHz: number, identity: Identity): boolean {
    this.introduce(client, generation, identity);
    const zone = this.routes.zone[client];
    const { x, y } = this.placement.next(client);
    if (zone < 0 || !this.orders.resume(zone, client, generation, { updateHz, x, y })) {
      return false;
    }
    this.routes.updateHz[client] = updateHz;
    this.setCongested(client, false);
    return true;
  }

  restore(client: number, generation: number, updateHz: number, player: StoredPlayer, identity: Identity): boolean {
    this.introduce(client, generation, identity);
    const { worldWidth, worldHeight } = this.plan.settings;
    // A stored world may have been larger.
    const x = clampInside(player.x, worldWidth);
    const y = clampInside(player.y, worldHeight);
    const zone = this.zoneAt(x, y);
    const head = { client, generation, updateHz, connection: this.routes.connection[client] };
    if (!writeArrival(this.arrivals[zone], this.game, head, { ...player, x, y })) {
      this.counters.queueFull++;
      return false;
    }
    this.begin(client, generation, zone, updateHz);
    return true;
  }

  leave(client: number, generation: number, reason: LeaveReason): void {
    if (!this.routes.isRouted(client, generation)) {
      return;
    }
    const zone = this.routes.zone[client];
    this.routes.end(client);
    this.spectators.forget(client);
    this.orders.leave(zone, client, generation, LEAVE_REASONS.indexOf(reason));
  }

  setCongested(client: number, congested: boolean): void {
    Atomics.store(this.clients.congested, client, congested ? CONGESTED_BACKLOG : 0); // the client's zone looks before each frame
  }

  /** A restored thread is told which clients are its own. */
  attachClients(thread: number): void {
    this.deliverAll(); // what the dead thread had said comes first
    for (const zone of this.plan.zonesOfThread[thread]) {
      let count = 0;
      for (let client = 0; client < this.routes.clientsMax; client++) {
        if (this.routes.zone[client] !== zone) continue;
        if (this.spectators.has(client)) this.spectators.attach(client);
        else if (this.attachClient(zone, client)) count++;
      }
      this.orders.attachedAll(zone, count);
    }
  }

  // --- what clients want ---

  resync(client: number, generation: number): boolean {
    const zone = this.routes.zone[client];
    return zone >= 0 && this.orders.resync(zone, client, generation);
  }

  /** @hot */
  command(
    client: number,
    generation: number,
    seq: number,
    kind: number,
    bytes: Uint8Array,
    start: number,
    limit: number,
  ): boolean {
    const zone = this.routes.zone[client];
    if (zone < 0) {
      return false;
    }
    const ring = this.commands[zone];
    const offset = ring.claim();
    if (offset < 0) {
      this.counters.queueFull++;
      return false;
    }
    const view = ring.view;
    view.setUint16(offset + R.COMMAND_CLIENT, client, true);
    view.setUint16(offset + R.COMMAND_NUMBER, ++this.routes.number[client], true);
    view.setInt32(offset + R.COMMAND_GENERATION, generation, true);
    view.setUint32(offset + R.COMMAND_SEQ, seq, true);
    view.setUint16(offset + R.COMMAND_KIND, kind, true);
    view.setUint8(offset + R.COMMAND_BYTES, limit - start);
    view.setUint8(offset + R.COMMAND_CONNECTION, this.routes.connection[client]);
    const target = ring.bytes;
    for (let from = start, to = offset + COMMAND_HEADER_BYTES; from < limit; from++, to++) {
      target[to] = bytes[from];
    }
    ring.publish();
    return true;
  }

  /** Told of every answer to a grant. */
  hearGrants(onGranted: (request: number, code: number) => void): void {
    this.onGranted = onGranted;
  }

  /** False: nothing was sent. The answer comes as onGranted, unless the zone's thread fails. */
  grant(client: number, generation: number, grant: number, amount: number, request: number): boolean {
    const { routes } = this;
    return (
      routes.isRouted(client, generation) &&
      this.orders.grant(routes.zone[client], client, generation, grant, amount, request)
    );
  }

  // --- for who reports ---

  commandQueueLength(zone: number): number {
    return (this.commands[zone].written() - this.commands[zone].consumed()) | 0;
  }

  frameBytesWaiting(thread: number): number {
    return this.delivery.bytesWaiting(thread);
  }

  /** Before the order that its zone takes it in by. */
  private introduce(client: number, generation: number, { playerId, name, claims }: Identity): void {
    this.identities.write(client, generation, { playerId, name, claims: JSON.stringify(claims) });
  }

  private begin(client: number, generation: number, zone: number, updateHz: number): void {
    this.spectators.forget(client);
    this.routes.begin(client, generation, zone, updateHz);
    this.clients.congested[client] = 0;
  }

  private attachClient(zone: number, client: number): boolean {
    const { x, y } = this.placement.next(client);
    const entry = { updateHz: this.routes.updateHz[client], x, y };
    const isAbsent = this.clients.congested[client] === CONGESTED_ABSENT;
    if (this.orders.attach(zone, client, entry, isAbsent)) return true;
    this.dropUntold(client);
    return false;
  }

  private dropUntold(client: number): void {
    this.spectators.forget(client);
    const text = 'the zone could not be told of it';
    this.sink?.dropped(client, this.routes.generation[client], RejectCode.QueueFull, text);
  }

  /** Of a place that is inside of the world. */
  private zoneAt(x: number, y: number): number {
    const { settings } = this.plan;
    const column = Math.floor((x * settings.zoneColumns) / settings.worldWidth);
    const row = Math.floor((y * settings.zoneRows) / settings.worldHeight);
    return row * settings.zoneColumns + column;
  }

  private deliverRecord(frames: ByteRing): void {
    const { view, offset, kind } = frames;
    const client = view.getInt32(offset + R.FRAME_CLIENT, true);
    const generation = view.getInt32(offset + R.FRAME_GENERATION, true);
    if (kind === R.FROM_ZONE_FRAME) {
      const { delivered } = this.clients;
      Atomics.store(delivered, client, (delivered[client] + 1) | 0); // the client's zone may make the next one
    }
    if (kind === R.FROM_ZONE_GRANTED) {
      // Also when the client has gone meanwhile: who gave it wants to know.
      this.onGranted(view.getUint32(offset + R.FRAME_BODY, true), view.getUint32(offset + R.FRAME_BODY + 4, true));
      return;
    }
    if (!this.routes.isRouted(client, generation) || this.sink === undefined) {
      this.counters.framesStale++;
      return;
    }
    const crossings = view.getInt32(offset + R.FRAME_CROSSINGS, true);
    const body = offset + R.FRAME_BODY;
    if (kind === R.FROM_ZONE_FRAME) {
      if (crossings > this.routes.crossings[client]) {
        this.delivery.catchUpOthers(frames); // the zone it comes from says so in another ring, published before
      }
      if (crossings !== this.routes.crossings[client]) {
        this.counters.framesStale++;
        return;
      }
      this.counters.framesDelivered++;
      this.sink.frame(client, generation, frames.bytes, body, offset + frames.payloadBytes);
    } else if (kind === R.FROM_ZONE_MOVED) {
      if (this.routes.move(client, crossings, view.getUint32(body, true))) this.counters.moved++;
    } else if (kind === R.FROM_ZONE_REJECT) {
      const seq = view.getUint32(body, true);
      this.sink.rejected(client, generation, seq, view.getUint32(body + 4, true), view.getUint32(body + 8, true));
    } else if (kind === R.FROM_ZONE_JOINED) {
      const key = view.getUint32(body + 4, true);
      if (!this.spectators.has(client)) this.spectators.notePlayer(client, key);
      this.sink.joined(client, generation, view.getUint32(body, true), key);
    } else if (kind === R.FROM_ZONE_WATCH) {
      const stepsY = view.getUint32(body + 4, true);
      this.spectators.hear(client, view.getUint32(body, true), stepsY, view.getUint32(body + 8, true));
    } else if (kind === R.FROM_ZONE_REFUSED) {
      this.routes.end(client);
      this.spectators.forget(client);
      this.sink.refused(client, generation, view.getUint32(body, true));
    }
  }
}
