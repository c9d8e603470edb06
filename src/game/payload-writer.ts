// Writes payloads as PayloadReader reads them, from an object of values by name.

import { type PayloadField, placeFields } from './payload.js';
import { WIRE_TYPE_MAX, WIRE_TYPE_MIN, WIRE_TYPES, type WireTypeName } from './wire-types.js';

type Write = (view: DataView, at: number, value: number) => void;

const WRITES: Record<WireTypeName, Write> = {
  u8: (view, at, value) => view.setUint8(at, value),
  i8: (view, at, value) => view.setInt8(at, value),
  u16: (view, at, value) => view.setUint16(at, value, true),
  i16: (view, at, value) => view.setInt16(at, value, true),
  u32: (view, at, value) => view.setUint32(at, value, true),
  i32: (view, at, value) => view.setInt32(at, value, true),
  f32: (view, at, value) => view.setFloat32(at, value, true),
};

export class PayloadWriter {
  private readonly fields: readonly PayloadField[];
  private readonly offsets: readonly number[];
  private readonly names: ReadonlySet<string>;

  constructor(
    private readonly name: string,
    fields: readonly PayloadField[],
  ) {
    this.fields = fields;
    this.offsets = placeFields(fields).offsets;
    this.names = new Set(fields.filter(({ reserved }) => reserved !== true).map(({ name }) => name));
  }

  /** Throws, and names the value, where one is missing, unknown, or not what its form allows. */
  write(view: DataView, offset: number, values: Readonly<Record<string, unknown>>): void {
    let given = 0;
    for (const _ in values) given++;
    if (given !== this.names.size) this.refuseNames(values);
    for (let i = 0; i < this.fields.length; i++) {
      const field = this.fields[i];
      if (field.reserved !== true) WRITES[field.type](view, offset + this.offsets[i], this.numberOf(field, values));
    }
  }

  private refuseNames(values: Readonly<Record<string, unknown>>): void {
    for (const name of this.names) if (!(name in values)) this.refuse(name, 'is missing');
    for (const name of Object.keys(values)) {
      if (!this.names.has(name)) this.refuse(name, `is no value of it; allowed: ${[...this.names].join(', ')}`);
    }
  }

  private numberOf(field: PayloadField, values: Readonly<Record<string, unknown>>): number {
    const { name, type, oneOf, isBool, min, max } = field;
    const value = values[name];
    if (value === undefined) this.refuse(name, 'is missing');
    if (isBool === true) {
      if (typeof value !== 'boolean') this.refuse(name, `is ${String(value)}; allowed: true, false`);
      return value === true ? 1 : 0;
    }
    if (oneOf !== undefined) {
      const index = oneOf.indexOf(value as string);
      if (index < 0) this.refuse(name, `is ${String(value)}; allowed: ${oneOf.join(', ')}`);
      return index;
    }
    const number = WIRE_TYPES[type];
    const [least, most] = [min ?? WIRE_TYPE_MIN[number], max ?? WIRE_TYPE_MAX[number]];
    if (typeof value !== 'number' || !(value >= least && value <= most)) {
      this.refuse(name, `is ${String(value)}; allowed: ${least} to ${most}`);
    }
    return value as number;
  }

  private refuse(name: string, what: string): never {
    throw new Error(`${this.name}.${name} ${what}`);
  }
}
