// The zone's end of grants: applies one in the tick, writes it to the journal, and tells main what came of it.

import { RejectCode } from '../../game/reject-codes.js';
import * as R from '../../memory/records/thread-records.js';
import type { ZoneJournal } from '../replay/zone-journal.js';
import type { MainNotices } from '../zone/main-notices.js';
import type { EngineZone } from '../zone/zone.js';

export class GrantIntake {
  constructor(
    private readonly zone: EngineZone,
    private readonly notices: MainNotices,
    private readonly journal: ZoneJournal | undefined,
  ) {}

  /** The one place where something granted enters the world. `row` is -1 when the client's entity is gone. */
  apply(client: number, row: number, view: DataView, payload: number): void {
    const { zone, journal } = this;
    const index = view.getUint32(payload + R.GRANT_INDEX, true);
    const definition = zone.game.grants?.[index];
    let code: number = RejectCode.UnknownKind;
    if (definition !== undefined && row >= 0) {
      const amount = view.getFloat64(payload + R.GRANT_AMOUNT, true);
      journal?.grant(row, index, amount);
      code = definition.apply(zone, row, amount);
    } else if (definition !== undefined) {
      code = RejectCode.NotAlive;
    }
    this.answer(client, view, payload, code);
  }

  /** Published with the frames of this tick, so after its commit. */
  answer(client: number, view: DataView, payload: number, code: number): void {
    this.notices.tell(client, R.FROM_ZONE_GRANTED, view.getUint32(payload + R.GRANT_REQUEST, true), code, 0);
  }
}
