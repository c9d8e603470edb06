// Main's orders to the zones, through the order rings: what each kind carries, and what happens when a ring is full.
//
// Full: `false`, and the caller refuses the client or drops it with a reason. But a leave must arrive, or an entity stays
// that nobody plays: leaves wait here, zone by zone. Where too many wait the zone is told of no new client, so that no more
// can come than have joined.

import * as R from '../../memory/records/thread-records.js';
import { RecordRing } from '../../memory/rings/record-ring.js';
import type { ClientRoutes } from './client-routes.js';
import { LEAVES_WAITING_MAX } from './limits.js';

export interface Entry {
  updateHz: number;
  /** Where its entity is put, should it need one. */
  x: number;
  y: number;
}

export interface WatchOrder extends Entry {
  /** Of the entity to be followed; 0: none. */
  key: number;
  crossings: number;
  /** A WATCH_ of thread-records.ts. */
  how: number;
}

interface Leave {
  client: number;
  generation: number;
  reason: number;
}

export class ZoneOrders {
  private readonly rings: RecordRing[];
  /** By zone. */
  private readonly waitingLeaves: Leave[][];
  /** Where the record is that was claimed last. */
  private at = 0;

  constructor(
    buffers: readonly SharedArrayBuffer[],
    private readonly routes: ClientRoutes,
    /** There was no room for an order. */
    private readonly onFull: () => void,
    /** A leave waits for room. */
    private readonly onWaiting: () => void = () => {},
    private readonly leavesMax = LEAVES_WAITING_MAX,
  ) {
    this.rings = buffers.map((buffer) => new RecordRing(buffer));
    this.waitingLeaves = buffers.map(() => []);
  }

  // False, each of them: there is no room.

  join(zone: number, client: number, generation: number, entry: Entry): boolean {
    if (this.waitingLeaves[zone].length >= this.leavesMax) {
      this.onFull();
      return false;
    }
    const view = this.claim(zone, client, generation, 0, R.TO_ZONE_JOIN, 12);
    if (view === undefined) return false;
    this.writeEntry(view, entry);
    this.rings[zone].publish();
    return true;
  }

  /** The connection that takes the client up has the next turn. */
  resume(zone: number, client: number, generation: number, entry: Entry): boolean {
    const view = this.claim(zone, client, generation, 0, R.TO_ZONE_RESUME, 16);
    if (view === undefined) return false;
    view.setUint8(this.at + R.COMMAND_CONNECTION, this.routes.nextTurn(client));
    this.writeEntry(view, entry);
    view.setInt32(this.at + R.COMMAND_PAYLOAD + 12, this.routes.crossings[client], true);
    this.rings[zone].publish();
    return true;
  }

  attach(zone: number, client: number, entry: Entry, isAbsent: boolean): boolean {
    const view = this.claim(zone, client, this.routes.generation[client], 0, R.TO_ZONE_ATTACH, 20);
    if (view === undefined) return false;
    this.writeEntry(view, entry);
    view.setInt32(this.at + R.COMMAND_PAYLOAD + 12, this.routes.crossings[client], true);
    view.setInt32(this.at + R.COMMAND_PAYLOAD + 16, isAbsent ? 1 : 0, true);
    this.rings[zone].publish();
    return true;
  }

  attachedAll(zone: number, count: number): boolean {
    return this.tell(zone, 0, 0, count, R.TO_ZONE_ATTACHED_ALL);
  }

  resync(zone: number, client: number, generation: number): boolean {
    return this.tell(zone, client, generation, 0, R.TO_ZONE_RESYNC);
  }

  watch(zone: number, client: number, generation: number, order: WatchOrder): boolean {
    const view = this.claim(zone, client, generation, 0, R.TO_ZONE_WATCH, R.WATCH_BYTES);
    if (view === undefined) return false;
    this.writeEntry(view, order);
    const payload = this.at + R.COMMAND_PAYLOAD;
    view.setUint32(payload + R.WATCH_KEY, order.key, true);
    view.setInt32(payload + R.WATCH_CROSSINGS, order.crossings, true);
    view.setUint32(payload + R.WATCH_HOW, order.how, true);
    this.rings[zone].publish();
    return true;
  }

  /** `key`: of the entity that the spectator has lost. */
  seek(zone: number, client: number, generation: number, key: number): boolean {
    const view = this.claim(zone, client, generation, 0, R.TO_ZONE_SEEK, 4);
    if (view === undefined) return false;
    view.setUint32(this.at + R.COMMAND_PAYLOAD, key, true);
    this.rings[zone].publish();
    return true;
  }

  grant(zone: number, client: number, generation: number, grant: number, amount: number, request: number): boolean {
    const view = this.claim(zone, client, generation, 0, R.TO_ZONE_GRANT, R.GRANT_BYTES);
    if (view === undefined) return false;
    const payload = this.at + R.COMMAND_PAYLOAD;
    view.setUint32(payload + R.GRANT_INDEX, grant, true);
    view.setUint32(payload + R.GRANT_REQUEST, request, true);
    view.setFloat64(payload + R.GRANT_AMOUNT, amount, true);
    this.rings[zone].publish();
    return true;
  }

  /** Said later where there is no room now, in the order of the leaves. `reason` is an index of LEAVE_REASONS. */
  leave(zone: number, client: number, generation: number, reason: number): void {
    const waiting = this.waitingLeaves[zone];
    if (waiting.length > 0 || !this.tell(zone, client, generation, reason, R.TO_ZONE_LEAVE)) {
      waiting.push({ client, generation, reason });
      this.onWaiting();
    }
  }

  retryLeaves(): void {
    for (const [zone, waiting] of this.waitingLeaves.entries()) {
      let told = 0;
      while (told < waiting.length) {
        const { client, generation, reason } = waiting[told];
        if (!this.tell(zone, client, generation, reason, R.TO_ZONE_LEAVE)) break;
        told++;
      }
      if (told > 0) waiting.splice(0, told);
    }
  }

  private tell(zone: number, client: number, generation: number, seq: number, kind: number): boolean {
    const isClaimed = this.claim(zone, client, generation, seq, kind, 0) !== undefined;
    if (isClaimed) this.rings[zone].publish();
    return isClaimed;
  }

  private claim(
    zone: number,
    client: number,
    generation: number,
    seq: number,
    kind: number,
    bytes: number,
  ): DataView | undefined {
    const ring = this.rings[zone];
    const offset = ring.claim();
    if (offset < 0) {
      this.onFull();
      return undefined;
    }
    const { view } = ring;
    view.setUint16(offset + R.COMMAND_CLIENT, client, true);
    view.setUint16(offset + R.COMMAND_NUMBER, 0, true);
    view.setInt32(offset + R.COMMAND_GENERATION, generation, true);
    view.setUint32(offset + R.COMMAND_SEQ, seq, true);
    view.setUint16(offset + R.COMMAND_KIND, kind, true);
    view.setUint8(offset + R.COMMAND_BYTES, bytes);
    view.setUint8(offset + R.COMMAND_CONNECTION, this.routes.connection[client]);
    this.at = offset;
    return view;
  }

  private writeEntry(view: DataView, { updateHz, x, y }: Entry): void {
    const payload = this.at + R.COMMAND_PAYLOAD;
    view.setUint32(payload, updateHz, true);
    view.setFloat32(payload + 4, x, true);
    view.setFloat32(payload + 8, y, true);
  }
}
