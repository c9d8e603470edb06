// The bytes of one note. Numbers are written as those of replicated fields are: rounded, clamped, NaN as 0.
//
//   | number of the note u8 | value, value, ...  |     text: | bytes u8 | UTF-8 |, others 1, 2 or 4 bytes, little endian

import type { FieldForm } from '../../game/fields/replicated-fields.js';
import { isWritable } from '../../game/fields/text-field.js';
import type { NoteForm, NoteValues } from '../../game/notes/note-forms.js';
import { WIRE_TYPE_MAX, WIRE_TYPE_MIN, WIRE_TYPES } from '../../game/wire-types.js';
import { NOTE_BYTES_MAX } from '../../protocol/limits.js';
import { wireIdOfKey } from '../entities/entity-key.js';
import { putRaw } from '../replication/field-parts.js';

/** The value does not fit the form, so the whole note is not sent. */
const REFUSED = -1;
const TEXT_HEAD_BYTES = 1;

export class NoteWriter {
  /** The note that was written last. */
  readonly record = new Uint8Array(NOTE_BYTES_MAX);
  private readonly view = new DataView(this.record.buffer);
  private readonly encoder = new TextEncoder();

  constructor(private readonly forms: readonly NoteForm[]) {}

  /** Returns the length of the record; -1: a text is too long or none, or a name is none of the value's. */
  write(note: number, given: NoteValues): number {
    const { values } = this.forms[note];
    this.record[0] = note;
    let at = 1;
    for (let i = 0; i < values.length && at !== REFUSED; i++) {
      at = this.writeValue(values[i], given[values[i].name], at);
    }
    return at;
  }

  private writeValue(form: FieldForm, given: number | boolean | string | undefined, at: number): number {
    switch (form.shape) {
      case 'text':
        return this.writeText(form.length ?? 0, given, at);
      case 'enum': {
        const index = typeof given === 'string' ? (form.names ?? []).indexOf(given) : Number(given);
        return index >= 0 && index < (form.names ?? []).length ? this.writeNumber(form, index, at) : REFUSED;
      }
      case 'bool':
        return this.writeNumber(form, given ? 1 : 0, at);
      case 'ref':
        return this.writeNumber(form, given ? wireIdOfKey(Number(given)) + 1 : 0, at);
      default:
        return this.writeNumber(form, Number(given), at);
    }
  }

  private writeNumber({ type }: FieldForm, value: number, at: number): number {
    const number = WIRE_TYPES[type];
    const clamped = Math.min(Math.max(value || 0, WIRE_TYPE_MIN[number]), WIRE_TYPE_MAX[number]); // NaN is 0
    return putRaw(this.view, at, number, type === 'f32' ? clamped : Math.round(clamped));
  }

  private writeText(bytesMax: number, given: unknown, at: number): number {
    if (typeof given !== 'string' || given.length > bytesMax || !isWritable(given)) return REFUSED;
    const target = this.record.subarray(at + TEXT_HEAD_BYTES, at + TEXT_HEAD_BYTES + bytesMax);
    const { read, written } = this.encoder.encodeInto(given, target);
    if (read < given.length) return REFUSED;
    this.record[at] = written;
    return at + TEXT_HEAD_BYTES + written;
  }
}
