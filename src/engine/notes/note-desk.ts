// Takes the notes that a game tells in a tick, and puts each into the queue of its client (note-table.ts).

import type { NoteForm, NoteValues } from '../../game/notes/note-forms.js';
import type { ClientTable } from '../../memory/tables/client-table.js';
import type { NoteTable } from '../../memory/tables/note-table.js';
import { COUNTER } from '../../memory/tables/zone-counters.js';
import type { NoteSink } from '../zone/zone-notes.js';
import { type Audience, type Broadcasts, TO_ALL, TO_PLACE, TO_TEAM } from './broadcasts.js';
import { NoteWriter } from './note-writer.js';

/** What the desk looks at of a zone. */
interface NoteZone {
  readonly tick: number;
  readonly ownCapacity: number;
  readonly alive: Uint8Array;
  readonly owner: Int32Array;
  readonly engine: { readonly ownerGeneration: Int32Array };
  readonly counters: Float64Array;
}

export class NoteDesk implements NoteSink {
  private readonly writer: NoteWriter;
  private readonly audience: Audience = { to: TO_ALL, team: 0, x: 0, y: 0, radius: 0 };

  constructor(
    private readonly zone: NoteZone,
    private readonly clients: ClientTable,
    private readonly table: NoteTable,
    forms: readonly NoteForm[],
    private readonly broadcasts: Broadcasts,
  ) {
    this.writer = new NoteWriter(forms);
  }

  tell(row: number, note: number, values: NoteValues): void {
    const { zone, table, writer } = this;
    const { counters } = zone;
    const isOwn = row >= 0 && row < zone.ownCapacity && zone.alive[row] !== 0;
    const client = isOwn ? zone.owner[row] - 1 : -1;
    if (client < 0 || !this.clients.isHolder(client, zone.engine.ownerGeneration[row])) {
      counters[COUNTER.notesUnowned]++;
      return;
    }
    const bytes = writer.write(note, values);
    if (bytes < 0) {
      counters[COUNTER.notesRefused]++;
      return;
    }
    const isTaken = table.push(client, zone.tick, writer.record, bytes);
    counters[isTaken ? COUNTER.notesTold : COUNTER.notesDropped]++;
  }

  tellAll(note: number, values: NoteValues): void {
    this.audience.to = TO_ALL;
    this.broadcast(note, values);
  }

  tellTeam(team: number, note: number, values: NoteValues): void {
    this.audience.to = TO_TEAM;
    this.audience.team = team;
    this.broadcast(note, values);
  }

  tellNear(x: number, y: number, radius: number, note: number, values: NoteValues): void {
    const { audience } = this;
    audience.to = TO_PLACE;
    audience.x = x;
    audience.y = y;
    audience.radius = radius;
    this.broadcast(note, values);
  }

  private broadcast(note: number, values: NoteValues): void {
    const bytes = this.writer.write(note, values);
    if (bytes < 0) this.zone.counters[COUNTER.notesRefused]++;
    else this.broadcasts.tell(this.audience, this.writer.record, bytes);
  }
}
