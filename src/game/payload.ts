// Payloads: the values that a command carries, by name. They lie one after the other as in a FlatBuffers struct, each at a
// multiple of its own size, and are read in the tick into one object per command that is used again and again.

import { WIRE_TYPE_BYTES, WIRE_TYPES, type WireTypeName } from './wire-types.js';

/** One value of a command, laid out after the ClientHeader with natural alignment (as a FlatBuffers struct does). */
export interface PayloadField {
  name: string;
  type: WireTypeName;
  /** Inclusive; a value outside is rejected as OutOfRange before it reaches a ring. f32 must be finite. */
  min?: number;
  max?: number;
  /** Not part of the plain-object form; must be 0 on the wire. */
  reserved?: boolean;
  /** A u8 of 0 or 1 that the plain-object form shows as false or true. */
  isBool?: boolean;
  /** A u8 that the plain-object form shows as one of these names. */
  oneOf?: readonly string[];
  /** A text of at most so many bytes: a u8 says how many there are, and they follow it. */
  textBytes?: number;
}

/** One value as an author writes it. */
export interface PayloadValueSource {
  /** ref: an entity, as zone.refOf gives it; in messages from entity to entity only. */
  type: WireTypeName | 'bool' | 'ref' | 'text';
  /** Of a text: its most bytes in UTF-8. */
  bytes?: number;
  /** Inclusive; a value outside is rejected as OutOfRange before it reaches a ring. An f32 must be finite. */
  min?: number;
  max?: number;
  /** One of these names. It travels as the name's index, in a u8. Only with type u8. */
  oneOf?: readonly string[];
  /** Room in the struct and no value: must be 0 on the wire. */
  reserved?: true;
}

export type PayloadSource = Readonly<Record<string, PayloadValueSource>>;

type ValueOf<V extends PayloadValueSource> = V extends { oneOf: readonly (infer Name)[] }
  ? Name
  : V['type'] extends 'bool'
    ? boolean
    : V['type'] extends 'text'
      ? string
      : number;

/** What a handler is given: valid until it returns. */
export type Payload<P extends PayloadSource> = {
  readonly [K in keyof P as P[K] extends { reserved: true } ? never : K]: ValueOf<P[K]>;
};

/** Where each field begins, counted from the beginning of the payload, and where the last one ends. */
export function placeFields(fields: readonly Pick<PayloadField, 'type' | 'textBytes'>[]): {
  offsets: number[];
  end: number;
} {
  let end = 0;
  const offsets: number[] = [];
  for (const { type, textBytes = 0 } of fields) {
    const bytes = WIRE_TYPE_BYTES[WIRE_TYPES[type]];
    const offset = Math.ceil(end / bytes) * bytes;
    offsets.push(offset);
    end = offset + bytes + textBytes;
  }
  return { offsets, end };
}

/** The form that the wire checks. */
export function formPayload(source: PayloadSource): PayloadField[] {
  return Object.entries(source).map(([name, value]) => {
    if (value.type === 'bool') return { name, type: 'u8', min: 0, max: 1, isBool: true };
    if (value.type === 'ref') return { name, type: 'u32' };
    if (value.type === 'text') return { name, type: 'u8', textBytes: value.bytes ?? 0, max: value.bytes ?? 0 };
    const { type, min, max, oneOf, reserved } = value;
    if (oneOf !== undefined) return { name, type, min: 0, max: oneOf.length - 1, oneOf };
    const field: PayloadField = { name, type };
    if (min !== undefined) field.min = min;
    if (max !== undefined) field.max = max;
    if (reserved !== undefined) field.reserved = reserved;
    return field;
  });
}

const decoder = new TextDecoder();

/** The text whose length stands at `at`; it was checked before it came to a zone. */
export function readPayloadText(view: DataView, at: number): string {
  const start = view.byteOffset + at + 1;
  const bytes = new Uint8Array(view.buffer, start, view.getUint8(at));
  return decoder.decode(bytes.slice()); // a copy: the decoder takes no shared memory
}

type Target = Record<string, number | boolean | string>;
type Read = (target: Target, view: DataView, start: number) => void;

/** Reads payloads of one form; the object that it returns is the same every time. */
export class PayloadReader {
  private readonly target: Target = {};
  private readonly reads: Read[] = [];

  constructor(fields: readonly PayloadField[]) {
    const { offsets } = placeFields(fields);
    fields.forEach((field, index) => {
      if (field.reserved === true) return;
      const read = readerOf(field, offsets[index]);
      // One object of one shape, made before the first tick.
      this.target[field.name] = emptyOf(field);
      this.reads.push(read);
    });
  }

  /** @hot Once per command. `start` is where the payload begins. */
  read(view: DataView, start: number): Target {
    const { reads, target } = this;
    for (let i = 0; i < reads.length; i++) {
      reads[i](target, view, start);
    }
    return target;
  }
}

function emptyOf({ oneOf, isBool, type, textBytes }: PayloadField): number | boolean | string {
  if (textBytes !== undefined) return '';
  if (oneOf !== undefined) return oneOf[0];
  if (isBool === true) return false;
  return type === 'f32' ? 0.5 : 0; // a fraction, so that the property is made for fractions
}

function readerOf({ name, type, oneOf, isBool, textBytes }: PayloadField, offset: number): Read {
  if (textBytes !== undefined) {
    return (target, view, start) => {
      target[name] = readPayloadText(view, start + offset);
    };
  }
  if (oneOf !== undefined) {
    return (target, view, start) => {
      target[name] = oneOf[view.getUint8(start + offset)];
    };
  }
  if (isBool === true) {
    return (target, view, start) => {
      target[name] = view.getUint8(start + offset) !== 0;
    };
  }
  switch (type) {
    case 'u8':
      return (target, view, start) => {
        target[name] = view.getUint8(start + offset);
      };
    case 'i8':
      return (target, view, start) => {
        target[name] = view.getInt8(start + offset);
      };
    case 'u16':
      return (target, view, start) => {
        target[name] = view.getUint16(start + offset, true);
      };
    case 'i16':
      return (target, view, start) => {
        target[name] = view.getInt16(start + offset, true);
      };
    case 'u32':
      return (target, view, start) => {
        target[name] = view.getUint32(start + offset, true);
      };
    case 'i32':
      return (target, view, start) => {
        target[name] = view.getInt32(start + offset, true);
      };
    case 'f32':
      return (target, view, start) => {
        target[name] = view.getFloat32(start + offset, true);
      };
  }
}
