// Takes the notes that a game tells in a tick, and puts each into the queue of its client (note-table.ts).

import type { NoteForm, NoteValues } from '../../game/notes/note-forms.js';
import type { ClientTable } from '../../memory/tables/client-table.js';
import type { NoteTable } from '../../memory/tables/note-table.js';
import { COUNTER } from '../../memory/tables/zone-counters.js';
import type { NoteSink } from '../zone/zone-notes.js';
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

  constructor(
    private readonly zone: NoteZone,
    private readonly clients: ClientTable,
    private readonly table: NoteTable,
    forms: readonly NoteForm[],
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
}
