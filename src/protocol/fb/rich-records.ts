// Reads the mask and the fields of entity records where a game has arrays, texts, or so many fields that a mask does not
// fit 32 bits. A client of a game without any of them has none of this.
//
//   array:  | groups | elements of group | raw, raw, ... | elements of group | raw, ... |
//             a bit for each eight elements, in as many bytes as that takes; not there with up to 8 elements
//   text:   | bytes u8 | UTF-8 |

import type { FieldForm } from '../../game/fields/replicated-fields.js';
import { WIRE_TYPE_BYTES, WIRE_TYPES } from '../../game/wire-types.js';
import { readWire } from './command-layout.js';

/** A number; of an array one for each element; of a text a string. Of bools and enums it is the number. */
export type FieldValue = number | string | readonly number[];

const BITS_PER_BYTE = 7;
const FORM_BITS = 2;
const ELEMENTS_PER_GROUP = 8;

const textDecoder = new TextDecoder();

/** What a field is before anything was told of it: raw 0. */
export function emptyValue({ length, shape, offset }: FieldForm): FieldValue {
  const zero = Math.fround(offset);
  if (length === undefined) return zero;
  return shape === 'text' ? '' : new Array<number>(length).fill(zero);
}

/** Of a field that its kind does not have. */
export function emptyValues(fields: readonly FieldForm[], own?: readonly number[]): (FieldValue | undefined)[] {
  return fields.map((field, index) => (own === undefined || own.includes(index) ? emptyValue(field) : undefined));
}

export class RichRecords {
  /** Where the next byte is read; -1: what was read does not fit its record. */
  at = 0;
  /** Of the last mask: the form of the position, and the numbers of the fields that follow. */
  form = 0;
  readonly sent: number[] = [];
  private bytes: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(this.bytes.buffer);
  private readonly scales: number[];
  private readonly offsets: number[];
  private readonly wireTypes: number[];

  constructor(private readonly fields: readonly FieldForm[]) {
    this.scales = fields.map(({ scale }) => Math.fround(scale));
    this.offsets = fields.map(({ offset }) => Math.fround(offset));
    this.wireTypes = fields.map(({ type }) => WIRE_TYPES[type]);
  }

  attach(bytes: Uint8Array, view: DataView): void {
    this.bytes = bytes;
    this.view = view;
  }

  /** From bits of the last mask to numbers of fields, by the fields that the entity's kind has. False: a bit has no field. */
  nameSent(own: readonly number[]): boolean {
    const { sent } = this;
    for (let i = 0; i < sent.length; i++) {
      if (sent[i] >= own.length) return false;
      sent[i] = own[sent[i]];
    }
    return true;
  }

  /** False: it is cut short. A bit without a field is in `sent` all the same. */
  readMask(start: number): boolean {
    this.sent.length = 0;
    const bitsMax = FORM_BITS + this.fields.length;
    let at = start;
    for (let firstBit = 0; ; firstBit += BITS_PER_BYTE) {
      if (at >= this.bytes.length || firstBit > bitsMax) return false;
      const byte = this.bytes[at++];
      if (firstBit === 0) this.form = byte & 3;
      for (let bit = firstBit === 0 ? FORM_BITS : 0; bit < BITS_PER_BYTE; bit++) {
        if ((byte & (1 << bit)) !== 0) this.sent.push(firstBit + bit - FORM_BITS);
      }
      if (byte < 128) break;
    }
    this.at = at;
    return true;
  }

  isMaskSound(): boolean {
    return this.sent.length === 0 || this.sent[this.sent.length - 1] < this.fields.length;
  }

  /** Reads the fields of the last mask, from `start` on, into values. False: they are cut short, or are not what they should be. */
  readFields(start: number, values: (FieldValue | undefined)[]): boolean {
    this.at = start;
    for (const field of this.sent) {
      const { length, shape } = this.fields[field];
      if (length === undefined) values[field] = this.readNumber(field);
      else if (shape === 'text') values[field] = this.readText(length);
      else values[field] = this.readArray(field, length, values[field] as readonly number[]);
      if (this.at < 0) return false;
    }
    return true;
  }

  private readNumber(field: number): number {
    const wireType = this.wireTypes[field];
    const bytes = WIRE_TYPE_BYTES[wireType];
    if (this.at < 0 || this.at + bytes > this.bytes.length) {
      this.at = -1;
      return 0;
    }
    const raw = readWire(this.view, this.at, wireType);
    this.at += bytes;
    return raw * this.scales[field] + this.offsets[field];
  }

  private readText(bytesMax: number): string {
    const count = this.readByte();
    if (this.at < 0 || count > bytesMax || this.at + count > this.bytes.length) {
      this.at = -1;
      return '';
    }
    this.at += count;
    return textDecoder.decode(this.bytes.slice(this.at - count, this.at));
  }

  private readArray(field: number, length: number, before: readonly number[]): readonly number[] {
    const values = before.slice();
    const groups = Math.ceil(length / ELEMENTS_PER_GROUP);
    const groupBytes: number[] = [];
    if (groups === 1) groupBytes.push(1);
    else for (let i = 0; i < Math.ceil(groups / 8); i++) groupBytes.push(this.readByte());
    for (let group = 0; group < groupBytes.length * 8 && this.at >= 0; group++) {
      if ((groupBytes[group >> 3] & (1 << (group & 7))) === 0) continue;
      const elements = this.readByte();
      for (let bit = 0; bit < ELEMENTS_PER_GROUP && this.at >= 0; bit++) {
        if ((elements & (1 << bit)) === 0) continue;
        const index = group * ELEMENTS_PER_GROUP + bit;
        if (index < length) values[index] = this.readNumber(field);
        else this.at = -1;
      }
    }
    return values;
  }

  private readByte(): number {
    if (this.at < 0 || this.at >= this.bytes.length) {
      this.at = -1;
      return 0;
    }
    return this.bytes[this.at++];
  }
}
