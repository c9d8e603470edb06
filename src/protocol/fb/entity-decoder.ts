// What one client knows of the entities around it, kept up from the records of its frames.
//
//   record: | id - previous id | mask     | position | fields, each raw by its type |
//           | varint           | varint   | form 0: none   1: x,y u8   2: x,y u16   3 (enter): kind u8, x,y u32
//   mask:   bits 0-1 the form of the position; bit 2 + i: field i follows
//   Arrays and texts are drawn in rich-records.ts.
//
// Forms 1 and 2 carry the low bits of a position that the receiver knows: the nearest position with those low bits is
// meant. The server never lets an entity move farther than that between two records for one client.

import { WIRE_TYPE_BYTES, WIRE_TYPES } from '../../game/wire-types.js';
import { DECODED_ENTITIES_MAX, PLAIN_FIELDS_MAX } from '../limits.js';
import { readWire } from './command-layout.js';
import { emptyValues, type FieldValue, RichRecords } from './rich-records.js';
import { type FieldForm, FrameFlag, type ServerFrame } from './server-frame.js';

export type { FieldValue };

export interface EntityState {
  id: number;
  /** Indexes the kinds of the Welcome. */
  kind: number;
  /** World units. */
  x: number;
  y: number;
  /**
   * Values by the order of the Welcome's fields. What only the owner gets is raw 0 of all other entities. What the entity's
   * kind does not have is undefined.
   */
  fields: FieldValue[];
  /** Counts of the quantum, which the low-bit forms of a position refer to. */
  rawX: number;
  rawY: number;
}

export interface EntityUpdate {
  id: number;
  moved: boolean;
  /** Bit i: field i was sent; of fields 0 to 31. */
  fields: number;
  /** The numbers of all fields that were sent; only where a game's masks do not fit 32 bits, or it has arrays or texts. */
  sent?: readonly number[];
}

/** Whether an update said anything of a field. */
export function wasSent({ fields, sent }: EntityUpdate, index: number): boolean {
  return sent === undefined ? (fields & (1 << index)) !== 0 : sent.includes(index);
}

/** To be read in this order: an id can leave and enter in one frame, when another entity has taken it over. */
export interface FrameDelta {
  /** Not null: the frame was not fully applied. Close, or ask for everything anew with a Resync. */
  error: DecodeError | null;
  left: number[];
  entered: number[];
  updated: EntityUpdate[];
}

export type DecodeError =
  | 'a record is cut short'
  | 'ids do not rise'
  | 'an unknown entity is updated'
  | 'the mask names a field that does not exist'
  | 'the kind does not exist'
  | 'a field is not what it should be'
  | 'too many entities';

const FORM_MASK = 3;
const FORM_LOW_8 = 1;
const FORM_LOW_16 = 2;
const FORM_ENTER = 3;
const FIRST_FIELD_BIT = 2;
/** By the form of the position. */
const POSITION_BYTES = [0, 2, 4, 9];

export class EntityDecoder {
  readonly entities = new Map<number, EntityState>();
  readonly fields: readonly FieldForm[];
  readonly kinds: readonly string[];
  readonly quantum: number;
  private readonly types: number[];
  private readonly scales: number[];
  private readonly offsets: number[];
  /** By kind. */
  private readonly empty: readonly (readonly FieldValue[])[];
  private readonly maskLimit: number;
  /** By kind, the numbers of its fields; undefined: each kind has all. */
  private readonly kindFields: readonly (readonly number[])[] | undefined;
  /** Undefined: every kind has all fields, each is one number, and a mask fits 32 bits. */
  private readonly rich: RichRecords | undefined;
  private bytes: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(this.bytes.buffer);
  private position = 0;

  constructor(
    fields: readonly FieldForm[],
    quantum: number,
    kinds: readonly string[],
    kindFields?: readonly (readonly number[])[],
  ) {
    this.fields = fields;
    this.kinds = kinds;
    // As 32-bit floats, which is how a Welcome carries them: both sides get the same values from the same bytes.
    this.quantum = Math.fround(quantum);
    this.types = fields.map((field) => WIRE_TYPES[field.type]);
    this.scales = fields.map((field) => Math.fround(field.scale));
    this.offsets = fields.map((field) => Math.fround(field.offset));
    this.kindFields = kindFields;
    const all = emptyValues(fields);
    this.empty = kinds.map((_, kind) =>
      kindFields === undefined ? all : emptyValues(fields, kindFields[kind]),
    ) as FieldValue[][];
    this.maskLimit = 2 ** (FIRST_FIELD_BIT + fields.length);
    const isRich =
      kindFields !== undefined || fields.length > PLAIN_FIELDS_MAX || fields.some(({ length }) => length !== undefined);
    this.rich = isRich ? new RichRecords(fields) : undefined;
  }

  /** The frame must come from openFrame. Never throws and never reads outside of the frame, whatever the records say. */
  apply(frame: ServerFrame): FrameDelta {
    const delta: FrameDelta = { error: null, left: [], entered: [], updated: [] };
    if ((frame.flags() & FrameFlag.Full) !== 0) {
      delta.left.push(...this.entities.keys());
      this.entities.clear();
    }
    for (let index = 0; index < frame.leavesLength(); index++) {
      const id = frame.leaves(index)!;
      if (this.entities.delete(id)) delta.left.push(id);
    }
    const records = frame.entitiesArray();
    if (records === null) return delta;
    delta.error =
      this.rich === undefined ? this.applyRecords(records, delta) : this.applyRich(records, delta, this.rich);
    return delta;
  }

  private applyRich(records: Uint8Array, delta: FrameDelta, rich: RichRecords): DecodeError | null {
    this.bytes = records;
    this.view = new DataView(records.buffer, records.byteOffset, records.byteLength);
    this.position = 0;
    rich.attach(records, this.view);
    let id = -1;
    while (this.position < records.length) {
      const step = this.readVarint();
      if (step < 0 || !rich.readMask(this.position)) return 'a record is cut short';
      if ((step === 0 && id >= 0) || Math.max(id, 0) + step > 0xffffffff) return 'ids do not rise';
      if (!rich.isMaskSound()) return 'the mask names a field that does not exist';
      id = Math.max(id, 0) + step;
      this.position = rich.at;
      const error = this.applyRichRecord(id, delta, rich);
      if (error !== null) return error;
      this.position = rich.at;
    }
    return null;
  }

  private applyRichRecord(id: number, delta: FrameDelta, rich: RichRecords): DecodeError | null {
    if (POSITION_BYTES[rich.form] > this.bytes.length - this.position) return 'a record is cut short';
    const before = this.entities.get(id);
    if (rich.form !== FORM_ENTER) {
      if (before === undefined) return 'an unknown entity is updated';
      if (!this.nameSent(before.kind, rich)) return 'the mask names a field that does not exist';
      const moved = this.move(before, rich.form);
      if (!rich.readFields(this.position, before.fields)) return 'a field is not what it should be';
      delta.updated.push({ id, moved, fields: 0, sent: rich.sent.slice() });
      return null;
    }
    if (this.entities.size >= DECODED_ENTITIES_MAX && before === undefined) return 'too many entities';
    const kind = this.bytes[this.position];
    if (kind >= this.kinds.length) return 'the kind does not exist';
    if (!this.nameSent(kind, rich)) return 'the mask names a field that does not exist';
    if (!rich.readFields(this.position + POSITION_BYTES[FORM_ENTER], this.enter(id, kind).fields)) {
      return 'a field is not what it should be';
    }
    if (before?.kind === kind)
      delta.updated.push({ id, moved: true, fields: 0, sent: this.kindFields?.[kind] ?? [...this.fields.keys()] });
    else delta.entered.push(id);
    return null;
  }

  private nameSent(kind: number, rich: RichRecords): boolean {
    return this.kindFields === undefined || rich.nameSent(this.kindFields[kind]);
  }

  private applyRecords(records: Uint8Array, delta: FrameDelta): DecodeError | null {
    this.bytes = records;
    this.view = new DataView(records.buffer, records.byteOffset, records.byteLength);
    this.position = 0;
    let previousId = 0;
    let first = true;
    while (this.position < records.length) {
      const step = this.readVarint();
      const mask = this.readVarint();
      if (step < 0 || mask < 0) return 'a record is cut short';
      const id = previousId + step;
      if ((step === 0 && !first) || id > 0xffffffff) return 'ids do not rise';
      if (mask >= this.maskLimit) return 'the mask names a field that does not exist';
      const error = this.applyRecord(id, mask, delta);
      if (error !== null) return error;
      previousId = id;
      first = false;
    }
    return null;
  }

  private applyRecord(id: number, mask: number, delta: FrameDelta): DecodeError | null {
    if (this.bodyBytes(mask) > this.bytes.length - this.position) return 'a record is cut short';
    if ((mask & FORM_MASK) === FORM_ENTER) {
      if (this.entities.size >= DECODED_ENTITIES_MAX && !this.entities.has(id)) return 'too many entities';
      const kind = this.bytes[this.position];
      if (kind >= this.kinds.length) return 'the kind does not exist';
      // A server that does not know what a client last had of an entity tells all of it again; it has not come anew.
      const wasKnown = this.entities.get(id)?.kind === kind;
      const entity = this.enter(id, kind);
      this.readFields(entity, mask);
      if (wasKnown) delta.updated.push({ id, moved: true, fields: (1 << this.types.length) - 1 });
      else delta.entered.push(id);
      return null;
    }
    const entity = this.entities.get(id);
    if (entity === undefined) return 'an unknown entity is updated';
    const moved = this.move(entity, mask & FORM_MASK);
    this.readFields(entity, mask);
    delta.updated.push({ id, moved, fields: mask >>> FIRST_FIELD_BIT });
    return null;
  }

  /** Bytes of position and fields that a mask announces. */
  private bodyBytes(mask: number): number {
    let bytes = POSITION_BYTES[mask & FORM_MASK];
    for (let index = 0; index < this.types.length; index++) {
      if ((mask & (1 << (index + FIRST_FIELD_BIT))) !== 0) bytes += WIRE_TYPE_BYTES[this.types[index]];
    }
    return bytes;
  }

  private enter(id: number, kind: number): EntityState {
    const rawX = this.view.getUint32(this.position + 1, true);
    const rawY = this.view.getUint32(this.position + 5, true);
    this.position += POSITION_BYTES[FORM_ENTER];
    const x = rawX * this.quantum;
    const y = rawY * this.quantum;
    const entity: EntityState = { id, kind, x, y, fields: this.empty[kind].slice(), rawX, rawY };
    this.entities.set(id, entity);
    return entity;
  }

  private move(entity: EntityState, form: number): boolean {
    if (form === FORM_LOW_8) {
      // Shifting up and down again extends the sign of the difference of the low bits.
      entity.rawX = (entity.rawX + (((this.view.getUint8(this.position) - entity.rawX) << 24) >> 24)) >>> 0;
      entity.rawY = (entity.rawY + (((this.view.getUint8(this.position + 1) - entity.rawY) << 24) >> 24)) >>> 0;
    } else if (form === FORM_LOW_16) {
      entity.rawX = (entity.rawX + (((this.view.getUint16(this.position, true) - entity.rawX) << 16) >> 16)) >>> 0;
      entity.rawY = (entity.rawY + (((this.view.getUint16(this.position + 2, true) - entity.rawY) << 16) >> 16)) >>> 0;
    } else {
      return false;
    }
    this.position += POSITION_BYTES[form];
    entity.x = entity.rawX * this.quantum;
    entity.y = entity.rawY * this.quantum;
    return true;
  }

  private readFields(entity: EntityState, mask: number): void {
    for (let index = 0; index < this.types.length; index++) {
      if ((mask & (1 << (index + FIRST_FIELD_BIT))) === 0) continue;
      const raw = readWire(this.view, this.position, this.types[index]);
      entity.fields[index] = raw * this.scales[index] + this.offsets[index];
      this.position += WIRE_TYPE_BYTES[this.types[index]];
    }
  }

  /** LEB128 of at most 32 bits; -1 when it is cut short or longer than that. */
  private readVarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.position >= this.bytes.length) return -1;
      const byte = this.bytes[this.position++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value <= 0xffffffff ? value : -1;
    }
    return -1;
  }
}
