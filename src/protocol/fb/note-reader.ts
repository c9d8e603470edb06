// Reads the notes of frames, as WIRE.md draws them, and follows their numbers.

import type { FieldForm } from '../../game/fields/replicated-fields.js';
import type { NoteForm } from '../../game/notes/note-forms.js';
import { WIRE_TYPE_BYTES, WIRE_TYPES } from '../../game/wire-types.js';
import { plainValue } from '../plain-value.js';
import { readWire } from './command-layout.js';
import type { ServerFrame } from './server-frame.js';

export interface NoteMessage {
  /** Rises by one from each note told to this client to the next. */
  number: number;
  name: string;
  /** Bools as such, enums by name, references as the id of an entity or null. */
  values: Record<string, unknown>;
}

/** Rounds of numbers that a reader has not seen begin anywhere. */
const UNKNOWN = 0;
const FIRST = 1;

export class NoteReader {
  /** Of the last frame: notes before its own that did not come. */
  missed = 0;
  private next = FIRST;
  private at = 0;
  private readonly textDecoder = new TextDecoder();

  constructor(private forms: readonly NoteForm[]) {}

  /** Another connection. Numbers go on where it has brought the same entity back. */
  renew(forms: readonly NoteForm[], resumed: boolean): void {
    this.forms = forms;
    if (!resumed) this.next = FIRST;
    else if (this.next === FIRST) this.next = UNKNOWN;
  }

  /** Null: they are cut short, or of no form that is known. */
  read(frame: ServerFrame): NoteMessage[] | null {
    this.missed = 0;
    const bytes = frame.notesArray();
    if (bytes === null) return [];
    const notes: NoteMessage[] = [];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const first = frame.noteNumber();
    this.at = 0;
    while (this.at < bytes.length) {
      const form = this.forms[bytes[this.at++]];
      if (form === undefined) return null;
      const values: Record<string, unknown> = {};
      for (const value of form.values) {
        const read = this.readValue(value, view);
        if (read === null) return null;
        values[value.name] = plainValue(value, read);
      }
      notes.push({ number: first + notes.length, name: form.name, values });
    }
    // A lower number than expected: the server counts anew.
    if (this.next !== UNKNOWN && first > this.next) this.missed = first - this.next;
    this.next = first + notes.length;
    return notes;
  }

  private readValue({ shape, type, offset, scale, length = 0 }: FieldForm, view: DataView): number | string | null {
    if (shape === 'text') {
      const bytes = this.at < view.byteLength ? view.getUint8(this.at) : length + 1;
      const start = this.at + 1;
      this.at = start + bytes;
      if (bytes > length || this.at > view.byteLength) return null;
      return this.textDecoder.decode(new Uint8Array(view.buffer, view.byteOffset + start, bytes));
    }
    const number = WIRE_TYPES[type];
    const start = this.at;
    this.at += WIRE_TYPE_BYTES[number];
    return this.at > view.byteLength ? null : readWire(view, start, number) * scale + offset;
  }
}
