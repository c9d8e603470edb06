// Main's end of the rings: client messages go to the zone that has the client's entity, and what tick threads have
// made goes to the sockets. Runs when a tick thread wakes it, for a bounded number of records at a time.

import { COMMAND_HEADER_BYTES } from '../constants.js';
import { ByteRing } from '../memory/byte-ring.js';
import { ClientTable, CONGESTED_ABSENT, CONGESTED_BACKLOG } from '../memory/client-table.js';
import { RecordRing } from '../memory/record-ring.js';
import * as R from '../memory/records.js';
import * as T from '../memory/thread-control.js';
import type { ClientSink, StoredPlayer, WorldPort } from '../net/ports.js';
import { RejectCode } from '../protocol/reject-codes.js';
import { writeArrival } from '../sim/arrival.js';
import type { GameDefinition } from '../sim/game.js';
import type { Placement } from './placement.js';
import type { WorldPlan } from './world-plan.js';

/** Between two slices sockets are read, so that sending to thousands does not hold up what they say. */
const FRAMES_PER_SLICE = 1024;

export interface RouterCounters {
  framesDelivered: number;
  framesStale: number;
  queueFull: number;
  moved: number;
}

export class Router implements WorldPort {
  readonly counters: RouterCounters = { framesDelivered: 0, framesStale: 0, queueFull: 0, moved: 0 };
  private readonly words: RecordRing[];
  private readonly commands: RecordRing[];
  private readonly frames: ByteRing[];
  private readonly arrivals: RecordRing[];
  private readonly controls: T.ThreadControl[];
  private readonly clients: ClientTable;
  /** By client: its zone, or -1; its epoch; its hop. */
  private readonly zoneOfClient: Int32Array;
  private readonly epochOfClient: Int32Array;
  private readonly hopOfClient: Int32Array;
  private readonly updateHzOfClient: Int32Array;
  /** Of its connection, as the zone knows it. */
  private readonly turnOfClient: Uint8Array;
  private sink: ClientSink | undefined;
  private onGranted: (request: number, code: number) => void = () => {};
  private isStopped = false;
  private isDraining = false;
  private isAgainWanted = false;
  private isCatchingUp = false;
  private claimedAt = 0;
  private readonly pendingLeaves: { zone: number; client: number; epoch: number }[] = [];

  constructor(
    private readonly plan: WorldPlan,
    private readonly placement: Placement,
    private readonly game: Pick<GameDefinition, 'kinds' | 'fields'>,
  ) {
    const { clientsMax } = plan.settings;
    this.words = plan.words.map((buffer) => new RecordRing(buffer));
    this.commands = plan.commands.map((buffer) => new RecordRing(buffer));
    this.arrivals = plan.arrivals.map((buffer) => new RecordRing(buffer));
    this.frames = plan.frames.map((buffer) => new ByteRing(buffer));
    this.controls = plan.controls.map((buffer) => new T.ThreadControl(buffer));
    this.clients = new ClientTable(plan.clients, clientsMax);
    this.zoneOfClient = new Int32Array(clientsMax).fill(-1);
    this.epochOfClient = new Int32Array(clientsMax);
    this.hopOfClient = new Int32Array(clientsMax);
    this.updateHzOfClient = new Int32Array(clientsMax);
    this.turnOfClient = new Uint8Array(clientsMax);
  }

  connect(sink: ClientSink): void {
    this.sink = sink;
  }

  /** Begins to deliver to the sink whenever a tick thread has made something. */
  start(): void {
    for (const control of this.controls) {
      this.listen(control);
    }
  }

  stop(): void {
    this.isStopped = true;
    for (const { words } of this.controls) {
      Atomics.notify(words, T.WAKE);
    }
  }

  join(client: number, epoch: number, updateHz: number): boolean {
    const { x, y } = this.placement.next(client);
    const zone = this.zoneAt(x, y);
    const view = this.claim(zone, client, epoch, 0, R.TO_ZONE_JOIN, 12);
    if (view === undefined) {
      return false;
    }
    this.writeJoin(view, updateHz, x, y);
    this.words[zone].publish();
    this.begin(client, epoch, zone, updateHz);
    return true;
  }

  /** Before the world runs: this client's entity is in a recovered zone and waits there. */
  reserve(client: number, epoch: number, zone: number): void {
    this.zoneOfClient[client] = zone;
    this.epochOfClient[client] = epoch;
    this.updateHzOfClient[client] = this.plan.settings.updateHz;
    // Its entity may walk on into another zone before main has named it there: who it is must be known then.
    this.clients.takeUp(client, epoch, 0, this.plan.settings.updateHz, this.turnOfClient[client]);
    this.setAbsent(client);
  }

  setAbsent(client: number): void {
    Atomics.store(this.clients.congested, client, CONGESTED_ABSENT); // the client's zone looks before each frame
  }

  resume(client: number, epoch: number, updateHz: number): boolean {
    const zone = this.zoneOfClient[client];
    const { x, y } = this.placement.next(client);
    const view = zone < 0 ? undefined : this.claim(zone, client, epoch, 0, R.TO_ZONE_RESUME, 16);
    if (view === undefined) {
      return false;
    }
    const turn = ++this.turnOfClient[client]; // wraps at 256, as the record's does
    view.setUint8(this.claimedAt + R.COMMAND_TURN, turn);
    this.writeJoin(view, updateHz, x, y);
    view.setInt32(this.claimedAt + R.COMMAND_PAYLOAD + 12, this.hopOfClient[client], true);
    this.words[zone].publish();
    this.updateHzOfClient[client] = updateHz;
    this.setCongested(client, false);
    return true;
  }

  restore(client: number, epoch: number, updateHz: number, player: StoredPlayer): boolean {
    const { worldWidth, worldHeight } = this.plan.settings;
    const x = clampInside(player.x, worldWidth);
    const y = clampInside(player.y, worldHeight);
    const zone = this.zoneAt(x, y);
    const head = { client, epoch, updateHz, turn: this.turnOfClient[client] };
    if (!writeArrival(this.arrivals[zone], this.game, head, { ...player, x, y })) {
      this.counters.queueFull++;
      return false;
    }
    this.begin(client, epoch, zone, updateHz);
    return true;
  }

  private begin(client: number, epoch: number, zone: number, updateHz: number): void {
    this.zoneOfClient[client] = zone;
    this.epochOfClient[client] = epoch;
    this.hopOfClient[client] = 0;
    this.updateHzOfClient[client] = updateHz;
    this.clients.congested[client] = 0;
  }

  leave(client: number, epoch: number): void {
    const zone = this.zoneOfClient[client];
    if (zone < 0 || this.epochOfClient[client] !== epoch) {
      return;
    }
    this.zoneOfClient[client] = -1;
    if (!this.tell(zone, client, epoch, R.TO_ZONE_LEAVE)) {
      this.pendingLeaves.push({ zone, client, epoch });
    }
  }

  resync(client: number, epoch: number): boolean {
    const zone = this.zoneOfClient[client];
    return zone >= 0 && this.tell(zone, client, epoch, R.TO_ZONE_RESYNC);
  }

  /** @hot */
  command(
    client: number,
    epoch: number,
    seq: number,
    kind: number,
    bytes: Uint8Array,
    start: number,
    limit: number,
  ): boolean {
    const zone = this.zoneOfClient[client];
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
    view.setInt32(offset + R.COMMAND_CLIENT, client, true);
    view.setInt32(offset + R.COMMAND_EPOCH, epoch, true);
    view.setUint32(offset + R.COMMAND_SEQ, seq, true);
    view.setUint16(offset + R.COMMAND_KIND, kind, true);
    view.setUint8(offset + R.COMMAND_BYTES, limit - start);
    view.setUint8(offset + R.COMMAND_TURN, this.turnOfClient[client]);
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
  grant(client: number, epoch: number, grant: number, amount: number, request: number): boolean {
    const zone = this.zoneOfClient[client];
    const isPlaying = zone >= 0 && this.epochOfClient[client] === epoch;
    const view = isPlaying ? this.claim(zone, client, epoch, 0, R.TO_ZONE_GRANT, R.GRANT_BYTES) : undefined;
    if (view === undefined) {
      return false;
    }
    const payload = this.claimedAt + R.COMMAND_PAYLOAD;
    view.setUint32(payload + R.GRANT_INDEX, grant, true);
    view.setUint32(payload + R.GRANT_REQUEST, request, true);
    view.setFloat64(payload + R.GRANT_AMOUNT, amount, true);
    this.words[zone].publish();
    return true;
  }

  setCongested(client: number, congested: boolean): void {
    Atomics.store(this.clients.congested, client, congested ? CONGESTED_BACKLOG : 0); // the client's zone looks before each frame
  }

  /** A restored thread is told which clients are its own. */
  attachClients(thread: number): void {
    this.deliverAll(); // what the dead thread had said comes first
    for (const zone of this.plan.zonesOfThread[thread]) {
      let count = 0;
      for (let client = 0; client < this.zoneOfClient.length; client++) {
        if (this.zoneOfClient[client] === zone && this.attachClient(zone, client)) {
          count++;
        }
      }
      if (this.claim(zone, 0, 0, count, R.TO_ZONE_ATTACHED_ALL, 0) !== undefined) {
        this.words[zone].publish();
      }
    }
  }

  commandQueueLength(zone: number): number {
    return (this.commands[zone].written() - this.commands[zone].consumed()) | 0;
  }

  frameBytesWaiting(thread: number): number {
    return this.frames[thread].readableBytes();
  }

  /** Delivers all that waits, at once. */
  deliverAll(): void {
    this.retryLeaves();
    for (const frames of this.frames) {
      this.deliver(frames, Number.POSITIVE_INFINITY);
    }
  }

  private attachClient(zone: number, client: number): boolean {
    const { x, y } = this.placement.next(client);
    const view = this.claim(zone, client, this.epochOfClient[client], 0, R.TO_ZONE_ATTACH, 20);
    if (view === undefined) {
      this.sink?.dropped(client, this.epochOfClient[client], RejectCode.QueueFull, 'the zone could not be told of it');
      return false;
    }
    this.writeJoin(view, this.updateHzOfClient[client], x, y);
    view.setInt32(this.claimedAt + R.COMMAND_PAYLOAD + 12, this.hopOfClient[client], true);
    const isAbsent = this.clients.congested[client] === CONGESTED_ABSENT;
    view.setInt32(this.claimedAt + R.COMMAND_PAYLOAD + 16, isAbsent ? 1 : 0, true);
    this.words[zone].publish();
    return true;
  }

  private claim(
    zone: number,
    client: number,
    epoch: number,
    seq: number,
    kind: number,
    bytes: number,
  ): DataView | undefined {
    const ring = this.words[zone];
    const offset = ring.claim();
    if (offset < 0) {
      this.counters.queueFull++;
      return undefined;
    }
    const { view } = ring;
    view.setInt32(offset + R.COMMAND_CLIENT, client, true);
    view.setInt32(offset + R.COMMAND_EPOCH, epoch, true);
    view.setUint32(offset + R.COMMAND_SEQ, seq, true);
    view.setUint16(offset + R.COMMAND_KIND, kind, true);
    view.setUint8(offset + R.COMMAND_BYTES, bytes);
    view.setUint8(offset + R.COMMAND_TURN, this.turnOfClient[client]);
    this.claimedAt = offset;
    return view;
  }

  private writeJoin(view: DataView, updateHz: number, x: number, y: number): void {
    const payload = this.claimedAt + R.COMMAND_PAYLOAD;
    view.setUint32(payload, updateHz, true);
    view.setFloat32(payload + 4, x, true);
    view.setFloat32(payload + 8, y, true);
  }

  private tell(zone: number, client: number, epoch: number, kind: number): boolean {
    const isClaimed = this.claim(zone, client, epoch, 0, kind, 0) !== undefined;
    if (isClaimed) {
      this.words[zone].publish();
    }
    return isClaimed;
  }

  private zoneAt(x: number, y: number): number {
    const { settings } = this.plan;
    const column = Math.min(settings.zoneColumns - 1, Math.floor((x * settings.zoneColumns) / settings.worldWidth));
    const row = Math.min(settings.zoneRows - 1, Math.floor((y * settings.zoneRows) / settings.worldHeight));
    return row * settings.zoneColumns + column;
  }

  /** Sleeps until the thread has made something, delivers it, and sleeps again. */
  private async listen(control: T.ThreadControl): Promise<void> {
    let seen = Atomics.load(control.words, T.WAKE); // what was published before this is drained below
    while (!this.isStopped) {
      this.drain();
      const result = Atomics.waitAsync(control.words, T.WAKE, seen);
      if (result.async) {
        await result.value;
      }
      seen = Atomics.load(control.words, T.WAKE); // acquire: frames published before it are readable
    }
  }

  private drain(): void {
    if (this.isDraining) {
      this.isAgainWanted = true;
      return;
    }
    this.isDraining = true;
    this.drainSlice();
  }

  private drainSlice(): void {
    this.retryLeaves();
    let delivered = 0;
    for (let thread = 0; thread < this.frames.length; thread++) {
      delivered += this.deliver(this.frames[thread], FRAMES_PER_SLICE);
    }
    if ((delivered >= FRAMES_PER_SLICE || this.isAgainWanted) && !this.isStopped) {
      this.isAgainWanted = false;
      setImmediate(() => this.drainSlice());
      return;
    }
    this.isDraining = false;
  }

  private deliver(frames: ByteRing, most: number): number {
    let count = 0;
    while (count < most && frames.next()) {
      this.deliverRecord(frames);
      frames.release();
      count++;
    }
    return count;
  }

  private deliverRecord(frames: ByteRing): void {
    const { view, offset, kind } = frames;
    const client = view.getInt32(offset + R.FRAME_CLIENT, true);
    const epoch = view.getInt32(offset + R.FRAME_EPOCH, true);
    if (kind === R.FROM_ZONE_FRAME) {
      const { delivered } = this.clients;
      Atomics.store(delivered, client, (delivered[client] + 1) | 0); // the client's zone may make the next one
    }
    if (kind === R.FROM_ZONE_GRANTED) {
      // Also when the client has gone meanwhile: who gave it wants to know.
      this.onGranted(view.getUint32(offset + R.FRAME_BODY, true), view.getUint32(offset + R.FRAME_BODY + 4, true));
      return;
    }
    if (this.zoneOfClient[client] < 0 || this.epochOfClient[client] !== epoch || this.sink === undefined) {
      this.counters.framesStale++;
      return;
    }
    const hop = view.getInt32(offset + R.FRAME_HOP, true);
    const body = offset + R.FRAME_BODY;
    if (kind === R.FROM_ZONE_FRAME) {
      if (hop > this.hopOfClient[client]) {
        this.catchUpOthers(frames); // the zone it comes from says so in another ring, published before
      }
      if (hop !== this.hopOfClient[client]) {
        this.counters.framesStale++;
        return;
      }
      this.counters.framesDelivered++;
      this.sink.frame(client, epoch, frames.bytes, body, offset + frames.payloadBytes);
    } else if (kind === R.FROM_ZONE_MOVED) {
      this.move(client, hop, view.getUint32(body, true));
    } else if (kind === R.FROM_ZONE_REJECT) {
      const seq = view.getUint32(body, true);
      this.sink.rejected(client, epoch, seq, view.getUint32(body + 4, true), view.getUint32(body + 8, true));
    } else if (kind === R.FROM_ZONE_JOINED) {
      this.sink.joined(client, epoch, view.getUint32(body, true), view.getUint32(body + 4, true));
    } else if (kind === R.FROM_ZONE_REFUSED) {
      this.zoneOfClient[client] = -1;
      this.sink.refused(client, epoch, view.getUint32(body, true));
    }
  }

  /** Never inside itself: the ring that asks is in the middle of a record. */
  private catchUpOthers(current: ByteRing): void {
    if (this.isCatchingUp) {
      return;
    }
    this.isCatchingUp = true;
    for (const frames of this.frames) {
      if (frames !== current) {
        this.deliver(frames, Number.POSITIVE_INFINITY);
      }
    }
    this.isCatchingUp = false;
  }

  private move(client: number, hop: number, zone: number): void {
    if (hop > this.hopOfClient[client]) {
      this.hopOfClient[client] = hop;
      this.zoneOfClient[client] = zone;
      this.counters.moved++;
    }
  }

  private retryLeaves(): void {
    while (this.pendingLeaves.length > 0) {
      const { zone, client, epoch } = this.pendingLeaves[0];
      if (!this.tell(zone, client, epoch, R.TO_ZONE_LEAVE)) {
        return;
      }
      this.pendingLeaves.shift();
    }
  }
}

/** A stored world may have been larger. */
function clampInside(position: number, side: number): number {
  return Math.min(side - 1, Math.max(1, position));
}
