// Replicated fields that are not plain numbers for everybody in view. Each keeps its wire form by row, and when that last
// changed; a game without such fields has none of this.

import type { FieldForm } from '../../game/fields/replicated-fields.js';
import { textLength } from '../../game/fields/text-field.js';
import { WIRE_TYPE_BYTES, WIRE_TYPE_MAX, WIRE_TYPE_MIN, WIRE_TYPES } from '../../game/wire-types.js';
import { type AnyColumn, COLUMN_ARRAYS } from '../../memory/world/column-types.js';
import { wireIdOfKey } from '../entities/entity-key.js';

const ELEMENTS_PER_GROUP = 8;

export interface FieldPart {
  /** Most bytes that write() takes. */
  readonly bytesMax: number;
  /** Brings the wire form of a row up to date. Returns whether it has changed; a new row's has. */
  refresh(row: number, tick: number, isNew: boolean): boolean;
  /** Whether a client is to be told that had the row as of tick `since`; negative: one that has it as all zeros. */
  isDue(row: number, since: number): boolean;
  /** Writes what isDue() asked for. Returns where the next byte goes. */
  write(row: number, since: number, view: DataView, at: number): number;
}

export function createPart(form: FieldForm, source: AnyColumn, rows: number): FieldPart {
  if (form.shape === 'text') return new TextPart(form, source, rows);
  return form.length === undefined
    ? new NumberPart(form, source, rows)
    : new ArrayPart(form, source, rows, form.length);
}

/** From a value of a column to what travels. */
class RawForm {
  readonly wireType: number;
  private readonly isFloat: boolean;
  private readonly isRef: boolean;
  private readonly rawMin: number;
  private readonly rawMax: number;

  constructor(private readonly form: FieldForm) {
    this.wireType = WIRE_TYPES[form.type];
    this.isFloat = form.type === 'f32';
    this.isRef = form.shape === 'ref';
    this.rawMin = WIRE_TYPE_MIN[this.wireType];
    this.rawMax = form.shape === 'bool' ? 1 : WIRE_TYPE_MAX[this.wireType];
  }

  /** @hot */
  rawOf(value: number): number {
    if (this.isRef) {
      return value === 0 ? 0 : wireIdOfKey(value) + 1;
    }
    let raw = (value - this.form.offset) / this.form.scale;
    raw = Math.min(Math.max(raw, this.rawMin), this.rawMax);
    raw = this.isFloat ? Math.fround(raw) : Math.round(raw);
    return Number.isNaN(raw) ? 0 : raw; // not a number: equal to nothing, it would change in every tick
  }
}

class NumberPart implements FieldPart {
  readonly bytesMax: number;
  private readonly raw: AnyColumn;
  private readonly changedTick: Int32Array;
  private readonly rawForm: RawForm;

  constructor(
    form: FieldForm,
    private readonly source: AnyColumn,
    rows: number,
  ) {
    this.rawForm = new RawForm(form);
    this.bytesMax = WIRE_TYPE_BYTES[this.rawForm.wireType];
    this.raw = new COLUMN_ARRAYS[form.type](rows);
    this.changedTick = new Int32Array(rows);
  }

  /** @hot */
  refresh(row: number, tick: number, isNew: boolean): boolean {
    const raw = this.rawForm.rawOf(this.source[row]);
    if (!isNew && raw === this.raw[row]) {
      return false;
    }
    this.raw[row] = raw;
    this.changedTick[row] = tick;
    return true;
  }

  /** @hot */
  isDue(row: number, since: number): boolean {
    return since < 0 ? this.raw[row] !== 0 : this.changedTick[row] > since;
  }

  /** @hot */
  write(row: number, _since: number, view: DataView, at: number): number {
    return putRaw(view, at, this.rawForm.wireType, this.raw[row]);
  }
}

/** Travels by element: which ones, in groups of eight, and their values. protocol/fb/rich-records.ts draws the bytes. */
class ArrayPart implements FieldPart {
  readonly bytesMax: number;
  private readonly raw: AnyColumn;
  private readonly elementTick: Int32Array;
  private readonly changedTick: Int32Array;
  private readonly rawForm: RawForm;
  private readonly groups: number;

  constructor(
    form: FieldForm,
    private readonly source: AnyColumn,
    rows: number,
    private readonly length: number,
  ) {
    this.rawForm = new RawForm(form);
    this.groups = Math.ceil(length / ELEMENTS_PER_GROUP);
    this.bytesMax = Math.ceil(this.groups / 8) + this.groups + length * WIRE_TYPE_BYTES[this.rawForm.wireType];
    this.raw = new COLUMN_ARRAYS[form.type](rows * length);
    this.elementTick = new Int32Array(rows * length);
    this.changedTick = new Int32Array(rows);
  }

  /** @hot */
  refresh(row: number, tick: number, isNew: boolean): boolean {
    const { source, raw, elementTick, rawForm } = this;
    const start = row * this.length;
    const limit = start + this.length;
    let changed = isNew;
    for (let cell = start; cell < limit; cell++) {
      const now = rawForm.rawOf(source[cell]);
      if (isNew || now !== raw[cell]) {
        raw[cell] = now;
        elementTick[cell] = tick;
        changed = true;
      }
    }
    if (changed) {
      this.changedTick[row] = tick;
    }
    return changed;
  }

  /** @hot */
  isDue(row: number, since: number): boolean {
    if (since >= 0) {
      return this.changedTick[row] > since;
    }
    const start = row * this.length;
    for (let cell = start; cell < start + this.length; cell++) {
      if (this.raw[cell] !== 0) {
        return true;
      }
    }
    return false;
  }

  /** @hot */
  write(row: number, since: number, view: DataView, start: number): number {
    const groupBytes = this.groups === 1 ? 0 : Math.ceil(this.groups / 8);
    for (let i = 0; i < groupBytes; i++) {
      view.setUint8(start + i, 0);
    }
    let at = start + groupBytes;
    for (let group = 0; group < this.groups; group++) {
      const end = this.writeGroup(row, group, since, view, at);
      if (end === at) {
        continue;
      }
      if (groupBytes > 0) {
        const byte = start + (group >> 3);
        view.setUint8(byte, view.getUint8(byte) | (1 << (group & 7)));
      }
      at = end;
    }
    return at;
  }

  /** @hot Nothing is written of a group in which nothing is due. */
  private writeGroup(row: number, group: number, since: number, view: DataView, start: number): number {
    const { raw, elementTick } = this;
    const first = group * ELEMENTS_PER_GROUP;
    const count = Math.min(ELEMENTS_PER_GROUP, this.length - first);
    const cell = row * this.length + first;
    let elements = 0;
    let at = start + 1;
    for (let i = 0; i < count; i++) {
      if (since < 0 ? raw[cell + i] !== 0 : elementTick[cell + i] > since) {
        elements |= 1 << i;
        at = putRaw(view, at, this.rawForm.wireType, raw[cell + i]);
      }
    }
    if (elements === 0) {
      return start;
    }
    view.setUint8(start, elements);
    return at;
  }
}

/** Travels whole when any of it has changed. */
class TextPart implements FieldPart {
  readonly bytesMax: number;
  private readonly bytes: Uint8Array;
  /** The same four bytes at a time, and as they were last. */
  private readonly words: Int32Array;
  private readonly known: Int32Array;
  private readonly changedTick: Int32Array;
  private readonly wordCount: number;

  constructor(
    private readonly form: FieldForm,
    source: AnyColumn,
    rows: number,
  ) {
    this.bytes = source as Uint8Array;
    this.bytesMax = 1 + (form.length ?? 0);
    this.wordCount = source.length / rows / 4;
    this.words = new Int32Array(source.buffer, source.byteOffset, source.length / 4);
    this.known = new Int32Array(this.words.length);
    this.changedTick = new Int32Array(rows);
  }

  /** @hot */
  refresh(row: number, tick: number, isNew: boolean): boolean {
    const { words, known, wordCount } = this;
    let changed = isNew;
    for (let word = row * wordCount; word < (row + 1) * wordCount; word++) {
      if (words[word] !== known[word]) {
        known[word] = words[word];
        changed = true;
      }
    }
    if (changed) {
      this.changedTick[row] = tick;
    }
    return changed;
  }

  /** @hot */
  isDue(row: number, since: number): boolean {
    return since < 0 ? this.known[row * this.wordCount] !== 0 : this.changedTick[row] > since;
  }

  /** @hot */
  write(row: number, _since: number, view: DataView, start: number): number {
    const first = row * this.wordCount * 4;
    const length = textLength(this.bytes, first, this.form.length ?? 0);
    view.setUint8(start, length);
    for (let i = 0; i < length; i++) {
      view.setUint8(start + 1 + i, this.bytes[first + i]);
    }
    return start + 1 + length;
  }
}

/** @hot Of an integer type a whole number in its range. Returns where the next byte goes. */
export function putRaw(view: DataView, at: number, wireType: number, raw: number): number {
  const bytes = WIRE_TYPE_BYTES[wireType];
  // Signed values too: the low bits of an integer are the same for both.
  if (wireType === WIRE_TYPES.f32) {
    view.setFloat32(at, raw, true);
  } else if (bytes === 1) {
    view.setUint8(at, raw);
  } else if (bytes === 2) {
    view.setUint16(at, raw, true);
  } else {
    view.setUint32(at, raw, true);
  }
  return at + bytes;
}
