// Writes one ServerFrame in place, into the frame ring: no builder, no allocation. The result is an ordinary FlatBuffer.
//
// A plain state frame (ServerFrame's first three fields):
//   0          4                            14   16         20     24     28              32      36
//   | root: 16 | vtable: 10, 16, 4, 8, 12   | 0  | soffset  | tick | ack  | entities: 4   | count | records ...
//
// With leaves or flags (five fields):
//   0          4                                  18   20        24     28     32         36       40    44
//   | root: 20 | vtable: 14, 24, 4, 8, 12, 16, 20 | 0  | soffset | tick | ack  | entities | leaves | flags | count | u32 ...
//   and behind the leaves: | count | records ...
//
// With notes (eleven fields, of which rejects, pong, welcome and notice are absent), which stand behind all else:
//   0          4                                       30   32        36     40    44         48       52      56      60       64
//   | root: 32 | vtable: 26, 32, 4, ... 0, 24, 28      | 0  | soffset | tick | ack | entities | leaves | flags | notes | number | count | u32 ...
//   and behind the leaves: | count | records ... | pad | count | notes ...
//
// The bytes before tick never change, so each form is a template that is copied.

import { WIRE_TYPE_BYTES, WIRE_TYPES } from '../../game/wire-types.js';
import type { ChangeTicks } from './change-ticks.js';
import { MID_AGE_TICKS_MAX, SHORT_AGE_TICKS_MAX } from './limits.js';

const PLAIN_TABLE = 16;
const PLAIN_COUNT = 32;
const FULL_TABLE = 20;
const FULL_LEAVES = 44;
const NOTED_TABLE = 32;
const NOTED_LEAVES = 64;
const TABLE_TICK = 4;
const TABLE_ACK = 8;
const TABLE_ENTITIES = 12;
const TABLE_LEAVES = 16;
const TABLE_FLAGS = 20;
const TABLE_NOTES = 24;
const TABLE_NOTE_NUMBER = 28;

// u16 pairs as i32 words, little endian.
const PLAIN_WORDS = Int32Array.of(PLAIN_TABLE, 10 | (16 << 16), 4 | (8 << 16), 12, PLAIN_TABLE - 4);
const FULL_WORDS = Int32Array.of(FULL_TABLE, 14 | (24 << 16), 4 | (8 << 16), 12 | (16 << 16), 20, FULL_TABLE - 4);
const NOTED_WORDS = Int32Array.of(
  ...[NOTED_TABLE, 26 | (32 << 16), 4 | (8 << 16), 12 | (16 << 16), 20],
  ...[0, TABLE_NOTES << 16, TABLE_NOTE_NUMBER, NOTED_TABLE - 4],
);

const FORM_NONE = 0;
export const FORM_SHORT = 1;
const FORM_MID = 2;
export const FORM_ENTER = 3;
/** Bits of the mask before those of fields. */
export const MASK_FIELD_SHIFT = 2;

/** Of a record, at most: id, mask, kind, and both coordinates. */
const RECORD_HEAD_BYTES = 5 + 5 + 1 + 8;

export class FrameBuilder {
  /** Where the next byte goes. */
  at = 0;
  /** Of a record for those who see the entity, and of one for its owner. */
  readonly recordBytesMax: number;
  readonly ownRecordBytesMax: number;
  protected bytes: Uint8Array = new Uint8Array(0);
  protected view: DataView = new DataView(new ArrayBuffer(0));
  private start = 0;
  private countAt = 0;
  private previousId = 0;
  /** The records are counted. */
  private hasEnded = false;
  private readonly wireBytes: Uint8Array;
  private readonly isFloat: Uint8Array;

  constructor(
    private readonly changes: ChangeTicks,
    private readonly kind: Uint8Array,
    /** Of the fields of one record, and of those that its owner gets beside. */
    fieldBytesMax = changes.fieldCount * 4,
    ownBytesMax = 0,
  ) {
    this.wireBytes = Uint8Array.from(changes.fields, ({ type }) => WIRE_TYPE_BYTES[WIRE_TYPES[type]]);
    this.isFloat = Uint8Array.from(changes.fields, ({ type }) => (type === 'f32' ? 1 : 0));
    this.recordBytesMax = RECORD_HEAD_BYTES + fieldBytesMax;
    this.ownRecordBytesMax = this.recordBytesMax + ownBytesMax;
  }

  attach(bytes: Uint8Array, view: DataView): void {
    this.bytes = bytes;
    this.view = view;
  }

  /** @hot Begins a frame at an offset that is a multiple of 4. */
  begin(
    start: number,
    tick: number,
    ack: number,
    leaves: Uint32Array,
    leaveCount: number,
    flags: number,
    /** Before end(), addNotes() is called. */
    hasNotes = false,
  ): void {
    const { view } = this;
    this.start = start;
    this.previousId = 0;
    this.hasEnded = false;
    const isPlain = leaveCount === 0 && flags === 0 && !hasNotes;
    const words = isPlain ? PLAIN_WORDS : hasNotes ? NOTED_WORDS : FULL_WORDS;
    for (let i = 0; i < words.length; i++) {
      view.setInt32(start + i * 4, words[i], true);
    }
    const table = start + words[0];
    view.setUint32(table + TABLE_TICK, tick, true);
    view.setUint32(table + TABLE_ACK, ack, true);
    if (isPlain) {
      this.countAt = start + PLAIN_COUNT;
    } else {
      const leavesAt = start + (hasNotes ? NOTED_LEAVES : FULL_LEAVES);
      view.setUint32(table + TABLE_LEAVES, leavesAt - table - TABLE_LEAVES, true);
      view.setUint32(table + TABLE_FLAGS, flags, true);
      view.setUint32(leavesAt, leaveCount, true);
      for (let i = 0; i < leaveCount; i++) {
        view.setUint32(leavesAt + 4 + i * 4, leaves[i], true);
      }
      this.countAt = leavesAt + 4 + leaveCount * 4;
    }
    view.setUint32(table + TABLE_ENTITIES, this.countAt - table - TABLE_ENTITIES, true);
    this.at = this.countAt + 4;
  }

  /** @hot Takes back all records of the frame. */
  restart(): void {
    this.at = this.countAt + 4;
    this.previousId = 0;
  }

  /** @hot Ends the frame and returns its size. */
  end(): number {
    this.endEntities();
    return this.at - this.start;
  }

  /** @hot Behind the records: so many bytes of notes, the first of which has this number. */
  addNotes(firstNumber: number, source: Uint8Array, sourceStart: number, length: number): void {
    const { bytes, view } = this;
    this.endEntities();
    while (((this.at - this.start) & 3) !== 0) {
      bytes[this.at++] = 0;
    }
    const table = this.start + NOTED_TABLE;
    view.setUint32(table + TABLE_NOTES, this.at - table - TABLE_NOTES, true);
    view.setUint32(table + TABLE_NOTE_NUMBER, firstNumber, true);
    view.setUint32(this.at, length, true);
    for (let i = 0; i < length; i++) {
      bytes[this.at + 4 + i] = source[sourceStart + i];
    }
    this.at += 4 + length;
    this.hasEnded = true;
  }

  /** @hot */
  private endEntities(): void {
    if (!this.hasEnded) this.view.setUint32(this.countAt, this.at - this.countAt - 4, true);
  }

  /**
   * @hot One entity, touched in this tick, for a client that last heard of it at `sent` (negative: never, see
   * client-table.ts); something has changed since.
   */
  writeEntity(row: number, wireId: number, sent: number, tick: number): void {
    const { changes, bytes } = this;
    const at = this.putId(wireId);
    const age = tick - sent;
    if (changes.fieldsTick[row] <= sent && changes.midTick[row] <= sent && age <= SHORT_AGE_TICKS_MAX) {
      // By far the most: it walked, and that is all.
      bytes[at] = FORM_SHORT;
      bytes[at + 1] = changes.quantumX[row];
      bytes[at + 2] = changes.quantumY[row];
      this.at = at + 3;
      return;
    }
    this.at = at;
    this.writeRest(row, sent, age);
  }

  /** @hot Returns where the mask goes. */
  protected putId(wireId: number): number {
    const { bytes } = this;
    let at = this.at;
    let gap = wireId - this.previousId;
    while (gap > 127) {
      bytes[at++] = (gap & 127) | 128;
      gap >>>= 7;
    }
    bytes[at++] = gap;
    this.previousId = wireId;
    return at;
  }

  /** @hot */
  protected writeRest(row: number, sent: number, age: number): void {
    const { bytes } = this;
    const form = this.chooseForm(row, sent, age);
    const mask = form | (this.fieldMask(row, form === FORM_ENTER, sent) << MASK_FIELD_SHIFT);
    let at = this.at;
    let rest = mask;
    while (rest > 127 || rest < 0) {
      bytes[at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.at = this.writeFields(row, mask >>> MASK_FIELD_SHIFT, this.putPosition(row, form, at));
  }

  /** @hot */
  protected putPosition(row: number, form: number, start: number): number {
    const { changes, bytes, view } = this;
    let at = start;
    const x = changes.quantumX[row];
    const y = changes.quantumY[row];
    if (form === FORM_SHORT) {
      bytes[at] = x;
      bytes[at + 1] = y;
      at += 2;
    } else if (form === FORM_MID) {
      view.setUint16(at, x, true);
      view.setUint16(at + 2, y, true);
      at += 4;
    } else if (form === FORM_ENTER) {
      bytes[at] = this.kind[row];
      view.setUint32(at + 1, x, true);
      view.setUint32(at + 5, y, true);
      at += 9;
    }
    return at;
  }

  /** @hot */
  protected chooseForm(row: number, sent: number, age: number): number {
    const { changes } = this;
    if (sent < 0 || changes.teleportTick[row] > sent) {
      return FORM_ENTER;
    }
    if (changes.movedTick[row] <= sent) {
      return FORM_NONE;
    }
    if (age <= SHORT_AGE_TICKS_MAX) {
      return changes.midTick[row] <= sent ? FORM_SHORT : FORM_MID;
    }
    return age <= MID_AGE_TICKS_MAX && changes.midTick[row] <= sent ? FORM_MID : FORM_ENTER;
  }

  /** @hot On enter, fields that are raw 0 need not be told. */
  private fieldMask(row: number, isEnter: boolean, sent: number): number {
    const { changes } = this;
    let mask = 0;
    for (let field = 0; field < changes.fieldCount; field++) {
      const at = field * changes.rowCapacity + row;
      if (isEnter ? changes.raw[at] !== 0 : changes.fieldTick[at] > sent) {
        mask |= 1 << field;
      }
    }
    return mask;
  }

  /** @hot */
  private writeFields(row: number, mask: number, start: number): number {
    let at = start;
    for (let field = 0; field < this.changes.fieldCount; field++) {
      if ((mask & (1 << field)) !== 0) {
        at = this.putField(row, field, at);
      }
    }
    return at;
  }

  /** @hot */
  protected putField(row: number, field: number, at: number): number {
    const { changes, view, bytes } = this;
    const raw = changes.raw[field * changes.rowCapacity + row];
    const size = this.wireBytes[field];
    // Signed values too: the low bits of an integer are the same for both.
    if (this.isFloat[field] !== 0) {
      view.setFloat32(at, raw, true);
    } else if (size === 1) {
      bytes[at] = raw;
    } else if (size === 2) {
      view.setUint16(at, raw, true);
    } else {
      view.setUint32(at, raw, true);
    }
    return at + size;
  }
}
