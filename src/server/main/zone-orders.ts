// Main's own words to the zones, through the word rings: what each kind carries, and those that wait for room.

import * as R from '../../memory/records/thread-records.js';
import { RecordRing } from '../../memory/rings/record-ring.js';
import type { ClientRoutes } from './client-routes.js';

export interface Entry {
  updateHz: number;
  /** Where its entity is put, should it need one. */
  x: number;
  y: number;
}

export class ZoneWords {
  private readonly rings: RecordRing[];
  private readonly pendingLeaves: { zone: number; client: number; epoch: number }[] = [];
  /** Where the record is that was claimed last. */
  private at = 0;

  constructor(
    buffers: readonly SharedArrayBuffer[],
    private readonly routes: ClientRoutes,
    /** There was no room for a word. */
    private readonly onFull: () => void,
  ) {
    this.rings = buffers.map((buffer) => new RecordRing(buffer));
  }

  // False, each of them: there is no room.

  join(zone: number, client: number, epoch: number, entry: Entry): boolean {
    const view = this.claim(zone, client, epoch, 0, R.TO_ZONE_JOIN, 12);
    if (view === undefined) return false;
    this.writeEntry(view, entry);
    this.rings[zone].publish();
    return true;
  }

  /** The connection that takes the client up has the next turn. */
  resume(zone: number, client: number, epoch: number, entry: Entry): boolean {
    const view = this.claim(zone, client, epoch, 0, R.TO_ZONE_RESUME, 16);
    if (view === undefined) return false;
    view.setUint8(this.at + R.COMMAND_TURN, this.routes.nextTurn(client));
    this.writeEntry(view, entry);
    view.setInt32(this.at + R.COMMAND_PAYLOAD + 12, this.routes.hop[client], true);
    this.rings[zone].publish();
    return true;
  }

  attach(zone: number, client: number, entry: Entry, isAbsent: boolean): boolean {
    const view = this.claim(zone, client, this.routes.epoch[client], 0, R.TO_ZONE_ATTACH, 20);
    if (view === undefined) return false;
    this.writeEntry(view, entry);
    view.setInt32(this.at + R.COMMAND_PAYLOAD + 12, this.routes.hop[client], true);
    view.setInt32(this.at + R.COMMAND_PAYLOAD + 16, isAbsent ? 1 : 0, true);
    this.rings[zone].publish();
    return true;
  }

  attachedAll(zone: number, count: number): boolean {
    return this.tell(zone, 0, 0, count, R.TO_ZONE_ATTACHED_ALL);
  }

  resync(zone: number, client: number, epoch: number): boolean {
    return this.tell(zone, client, epoch, 0, R.TO_ZONE_RESYNC);
  }

  grant(zone: number, client: number, epoch: number, grant: number, amount: number, request: number): boolean {
    const view = this.claim(zone, client, epoch, 0, R.TO_ZONE_GRANT, R.GRANT_BYTES);
    if (view === undefined) return false;
    const payload = this.at + R.COMMAND_PAYLOAD;
    view.setUint32(payload + R.GRANT_INDEX, grant, true);
    view.setUint32(payload + R.GRANT_REQUEST, request, true);
    view.setFloat64(payload + R.GRANT_AMOUNT, amount, true);
    this.rings[zone].publish();
    return true;
  }

  /** Said later where there is no room now. */
  leave(zone: number, client: number, epoch: number): void {
    if (!this.tell(zone, client, epoch, 0, R.TO_ZONE_LEAVE)) {
      this.pendingLeaves.push({ zone, client, epoch });
    }
  }

  retryLeaves(): void {
    while (this.pendingLeaves.length > 0) {
      const { zone, client, epoch } = this.pendingLeaves[0];
      if (!this.tell(zone, client, epoch, 0, R.TO_ZONE_LEAVE)) {
        return;
      }
      this.pendingLeaves.shift();
    }
  }

  private tell(zone: number, client: number, epoch: number, seq: number, kind: number): boolean {
    const isClaimed = this.claim(zone, client, epoch, seq, kind, 0) !== undefined;
    if (isClaimed) this.rings[zone].publish();
    return isClaimed;
  }

  private claim(
    zone: number,
    client: number,
    epoch: number,
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
    view.setUint16(offset + R.COMMAND_NTH, 0, true);
    view.setInt32(offset + R.COMMAND_EPOCH, epoch, true);
    view.setUint32(offset + R.COMMAND_SEQ, seq, true);
    view.setUint16(offset + R.COMMAND_KIND, kind, true);
    view.setUint8(offset + R.COMMAND_BYTES, bytes);
    view.setUint8(offset + R.COMMAND_TURN, this.routes.turn[client]);
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
