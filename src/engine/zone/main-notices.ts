// Notices from a zone to main through the frame ring: joined, refused, rejected, moved, granted.
//
// State frames ask for the largest frame's room, so near a full ring there is still some for these. Should there be none,
// all but rejections are said later: a client whose move main never hears of would be lost. Too many wait: the zone takes no
// further orders until some are said (see command-intake.ts), so none is given up.

import * as R from '../../memory/records/thread-records.js';
import type { ByteRing } from '../../memory/rings/byte-ring.js';
import * as C from '../../memory/tables/client-table.js';
import { NOTICES_WAITING_MAX } from '../clients/limits.js';

const BODY_WORDS = 3;
/** What one of them takes of the ring at most: twice itself, where it must begin at the front. */
export const NOTICE_ROOM_BYTES = 64;

export class MainNotices {
  private readonly unsaid: (() => boolean)[] = [];

  constructor(
    private readonly frames: ByteRing,
    private readonly clients: C.ClientTable,
    private readonly most = NOTICES_WAITING_MAX,
  ) {}

  get isFull(): boolean {
    return this.unsaid.length >= this.most;
  }

  tell(client: number, kind: number, a: number, b: number, c: number): void {
    const at = client * C.CLIENT_STATE_WORDS;
    const generation = this.clients.state[at + C.CLIENT_GENERATION];
    const crossings = this.clients.state[at + C.CLIENT_CROSSINGS];
    if (!this.write(client, generation, crossings, kind, a, b, c) && kind !== R.FROM_ZONE_REJECT) {
      this.unsaid.push(() => this.write(client, generation, crossings, kind, a, b, c));
    }
  }

  /** Says what found no room before. */
  retry(): void {
    if (this.unsaid.length === 0) return;
    let said = 0;
    while (said < this.unsaid.length && this.unsaid[said]()) {
      said++;
    }
    this.unsaid.splice(0, said);
  }

  private write(
    client: number,
    generation: number,
    crossings: number,
    kind: number,
    a: number,
    b: number,
    c: number,
  ): boolean {
    const { frames } = this;
    const payload = frames.claim(kind, R.FRAME_BODY + BODY_WORDS * 4);
    if (payload < 0) {
      return false;
    }
    frames.view.setInt32(payload + R.FRAME_CLIENT, client, true);
    frames.view.setInt32(payload + R.FRAME_GENERATION, generation, true);
    frames.view.setInt32(payload + R.FRAME_CROSSINGS, crossings, true);
    frames.view.setUint32(payload + R.FRAME_BODY, a, true);
    frames.view.setUint32(payload + R.FRAME_BODY + 4, b, true);
    frames.view.setUint32(payload + R.FRAME_BODY + 8, c, true);
    frames.commit(R.FRAME_BODY + BODY_WORDS * 4);
    return true;
  }
}
