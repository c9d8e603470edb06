// The bytes of a game's commands. A command is one FlatBuffers struct: fixed size, no offsets to follow, so that size and
// ranges are all there is to check.
//
//   0        2           4         8                                     bytes
//   | kind   | reserved  | seq     | payload fields, each at a multiple   |
//   | u16    | u16 = 0   | u32     | of its own size; gaps and tail zero  |
//
// The whole is padded to the largest alignment in it, which is at least the 4 of `seq`.

import { assert } from '../../base/assert.js';
import type { CommandDefinition, PayloadField } from '../../game/definition.js';
import { placeFields, readPayloadText } from '../../game/payload.js';
import { RejectCode } from '../../game/reject-codes.js';
import { ENGINE_MESSAGE_NAMES, PLAIN_MESSAGE_KEYS } from '../../game/validation/reserved-names.js';
import { WIRE_TYPE_BYTES, WIRE_TYPE_MAX, WIRE_TYPE_MIN, WIRE_TYPES, type WireTypeName } from '../../game/wire-types.js';
import { COMMAND_PAYLOAD_BYTES_MAX, TEXT_COMMAND_PAYLOAD_BYTES_MAX } from '../../memory/limits.js';
import { CLIENT_HEADER_BYTES, GAME_KIND_MIN } from '../limits.js';
import { isSoundText, writePayloadText } from './command-text.js';

const TYPE_F32 = WIRE_TYPES.f32;

const KIND_MAX = 65535;
const HEADER_ALIGN = 4;

/** The part of a CommandDefinition that the wire depends on. */
export type DescribedCommand = Pick<CommandDefinition, 'name' | 'kind' | 'payload'>;

export interface CommandField {
  name: string;
  type: WireTypeName;
  /** From the beginning of the struct. */
  offset: number;
  min: number;
  max: number;
  reserved: boolean;
  /** In the plain-object form: false or true, or one of these names, beside the number. */
  isBool: boolean;
  oneOf: readonly string[] | undefined;
  /** Of a text, whose length stands at `offset`: its most bytes. */
  textBytes: number | undefined;
}

export interface CommandLayout {
  name: string;
  kind: number;
  /** The whole struct, header included. */
  bytes: number;
  payloadBytes: number;
  /** Every payload field, reserved ones included, in order. */
  fields: readonly CommandField[];
  /** What the hot check reads, one entry per field, and one of type u8 that allows only 0 per byte of padding. */
  checkCount: number;
  checkTypes: Uint8Array;
  checkOffsets: Uint16Array;
  checkMin: Float64Array;
  checkMax: Float64Array;
  /** 1: must be 0, and anything else is malformed rather than out of range. */
  checkReserved: Uint8Array;
  /** Of texts: where the length stands, and the most bytes. */
  textOffsets: readonly number[];
  textBytes: readonly number[];
}

/** A plain command: its payload by field name, without reserved fields. */
export type CommandPayload = Record<string, number | boolean | string>;

/** The layouts of one game, found by kind or by name. */
export class CommandLayouts {
  readonly all: readonly CommandLayout[];
  private readonly byKind: (CommandLayout | null)[];
  private readonly byName = new Map<string, CommandLayout>();

  constructor(commands: readonly DescribedCommand[]) {
    this.all = commands.map(layOutCommand);
    const kindLimit = this.all.reduce((limit, layout) => Math.max(limit, layout.kind + 1), GAME_KIND_MIN);
    this.byKind = new Array(kindLimit - GAME_KIND_MIN).fill(null);
    for (const layout of this.all) {
      assert(this.byKind[layout.kind - GAME_KIND_MIN] === null, 'a command kind is used once', layout.kind);
      assert(!this.byName.has(layout.name), 'a command name is used once', layout.name);
      this.byKind[layout.kind - GAME_KIND_MIN] = layout;
      this.byName.set(layout.name, layout);
    }
  }

  /** @hot Null when the game has no such command. */
  find(kind: number): CommandLayout | null {
    const index = kind - GAME_KIND_MIN;
    return index >= 0 && index < this.byKind.length ? this.byKind[index] : null;
  }

  findByName(name: string): CommandLayout | null {
    return this.byName.get(name) ?? null;
  }
}

export function layOutCommand(command: DescribedCommand): CommandLayout {
  const { name, kind } = command;
  assert(Number.isInteger(kind) && kind >= GAME_KIND_MIN && kind <= KIND_MAX, `kind of command ${name}`, kind);
  assert(name !== '' && !ENGINE_MESSAGE_NAMES.includes(name), 'a command has a name of its own', name);
  const { offsets } = placeFields(command.payload);
  let end = CLIENT_HEADER_BYTES;
  let structAlign = HEADER_ALIGN;
  const fields: CommandField[] = [];
  const padding: number[] = [];
  for (const [index, definition] of command.payload.entries()) {
    assert(
      !fields.some((field) => field.name === definition.name),
      `${name}: a field name is used once`,
      definition.name,
    );
    const align = WIRE_TYPE_BYTES[typeNumber(definition.type)];
    structAlign = Math.max(structAlign, align);
    // The header is as long as the largest value: what is aligned in the payload is aligned in the struct.
    const offset = CLIENT_HEADER_BYTES + offsets[index];
    for (let gap = end; gap < offset; gap++) padding.push(gap);
    fields.push(layOutField(name, definition, offset));
    end = offset + align + (definition.textBytes ?? 0);
  }
  const bytes = alignUp(end, structAlign);
  for (let gap = end; gap < bytes; gap++) padding.push(gap);
  const hasText = fields.some(({ textBytes }) => textBytes !== undefined);
  assert(
    bytes - CLIENT_HEADER_BYTES <= (hasText ? TEXT_COMMAND_PAYLOAD_BYTES_MAX : COMMAND_PAYLOAD_BYTES_MAX),
    `${name}: payload bytes`,
    bytes - CLIENT_HEADER_BYTES,
  );
  return { name, kind, bytes, payloadBytes: bytes - CLIENT_HEADER_BYTES, fields, ...checksOf(fields, padding) };
}

function layOutField(commandName: string, definition: PayloadField, offset: number): CommandField {
  const { name, type } = definition;
  const number = typeNumber(type);
  // Bounds of a float are what the wire can hold of them, or 0.1 would be above a maximum of 0.1.
  const round = number === TYPE_F32 ? Math.fround : (value: number) => value;
  const min = round(definition.min ?? WIRE_TYPE_MIN[number]);
  const max = round(definition.max ?? WIRE_TYPE_MAX[number]);
  const label = `${commandName}.${name}`;
  assert(name !== '' && !PLAIN_MESSAGE_KEYS.includes(name), 'a payload field has a name of its own', label);
  assert(
    min <= max && min >= WIRE_TYPE_MIN[number] && max <= WIRE_TYPE_MAX[number],
    `range of ${label} in ${type}`,
    `${min}..${max}`,
  );
  const { reserved = false, isBool = false, oneOf, textBytes } = definition;
  return { name, type, offset, min, max, reserved, isBool, oneOf, textBytes };
}

function checksOf(fields: readonly CommandField[], padding: readonly number[]) {
  const checkCount = fields.length + padding.length;
  const texts = fields.filter(({ textBytes }) => textBytes !== undefined);
  const checks = {
    textOffsets: texts.map(({ offset }) => offset),
    textBytes: texts.map(({ textBytes }) => textBytes ?? 0),
    checkCount,
    checkTypes: new Uint8Array(checkCount),
    checkOffsets: new Uint16Array(checkCount),
    checkMin: new Float64Array(checkCount),
    checkMax: new Float64Array(checkCount),
    checkReserved: new Uint8Array(checkCount),
  };
  fields.forEach((field, index) => {
    checks.checkTypes[index] = typeNumber(field.type);
    checks.checkOffsets[index] = field.offset;
    checks.checkMin[index] = field.reserved ? 0 : field.min;
    checks.checkMax[index] = field.reserved ? 0 : field.max;
    checks.checkReserved[index] = field.reserved ? 1 : 0;
  });
  padding.forEach((offset, index) => {
    checks.checkOffsets[fields.length + index] = offset;
    checks.checkReserved[fields.length + index] = 1;
  });
  return checks;
}

/**
 * @hot Once per command received. The message is the `bytes` bytes at `offset`; its header has been checked already.
 * What passes may go to a ring: size exact, reserved and padding zero, floats finite, every value in its range.
 */
export function checkCommand(layout: CommandLayout, view: DataView, offset: number, bytes: number): RejectCode {
  if (bytes !== layout.bytes) return RejectCode.Malformed;
  for (let index = 0; index < layout.checkCount; index++) {
    const value = readWire(view, offset + layout.checkOffsets[index], layout.checkTypes[index]);
    // Written so that NaN fails: it compares false with everything.
    if (!(value >= layout.checkMin[index] && value <= layout.checkMax[index])) {
      return layout.checkReserved[index] === 1 ? RejectCode.Malformed : RejectCode.OutOfRange;
    }
  }
  for (let index = 0; index < layout.textOffsets.length; index++) {
    if (!isSoundText(view, offset + layout.textOffsets[index], layout.textBytes[index])) return RejectCode.Malformed;
  }
  return RejectCode.None;
}

/**
 * Writes the whole struct at `offset`, which must have room for `layout.bytes`. The values may come from anywhere: a
 * missing, unknown or non-numeric one is malformed, one that its field does not allow is out of range; after such an
 * answer the bytes written are not a message.
 */
export function writeCommand(
  layout: CommandLayout,
  payload: Readonly<Record<string, unknown>>,
  seq: number,
  view: DataView,
  offset: number,
): RejectCode {
  for (let index = 0; index < layout.bytes; index++) view.setUint8(offset + index, 0);
  view.setUint16(offset, layout.kind, true);
  view.setUint32(offset + 4, seq, true);
  let expectedCount = 0;
  for (const field of layout.fields) {
    if (field.reserved) continue;
    expectedCount++;
    if (!Object.hasOwn(payload, field.name)) return RejectCode.Malformed;
    if (field.textBytes !== undefined) {
      const code = writePayloadText(payload[field.name], field.textBytes, view, offset + field.offset);
      if (code !== RejectCode.None) return code;
      continue;
    }
    const given = numberOf(field, payload[field.name]);
    if (typeof given !== 'number') return RejectCode.Malformed;
    const value = field.type === 'f32' ? Math.fround(given) : given;
    if (!(value >= field.min && value <= field.max)) return RejectCode.OutOfRange;
    if (field.type !== 'f32' && !Number.isInteger(value)) return RejectCode.OutOfRange;
    writeWire(view, offset + field.offset, typeNumber(field.type), value);
  }
  return Object.keys(payload).length === expectedCount ? RejectCode.None : RejectCode.Malformed;
}

/** A name that the field does not have becomes a number that it does not allow. */
function numberOf({ isBool, oneOf }: CommandField, given: unknown): unknown {
  if (isBool && typeof given === 'boolean') return given ? 1 : 0;
  return oneOf !== undefined && typeof given === 'string' ? oneOf.indexOf(given) : given;
}

/** For senders that trust themselves: a payload that does not fit the layout is their mistake. */
export function encodeCommand(layout: CommandLayout, payload: Readonly<CommandPayload>, seq: number): Uint8Array {
  const bytes = new Uint8Array(layout.bytes);
  const code = writeCommand(layout, payload, seq, new DataView(bytes.buffer), 0);
  assert(code === RejectCode.None, `payload of ${layout.name}`, JSON.stringify(payload));
  return bytes;
}

/** The payload of a command that passed checkCommand. */
export function decodeCommand(layout: CommandLayout, view: DataView, offset: number): CommandPayload {
  const payload: CommandPayload = {};
  for (const field of layout.fields) {
    if (field.reserved) continue;
    if (field.textBytes !== undefined) {
      payload[field.name] = readPayloadText(view, offset + field.offset);
      continue;
    }
    const value = readWire(view, offset + field.offset, typeNumber(field.type));
    payload[field.name] = field.oneOf?.[value] ?? (field.isBool ? value !== 0 : value);
  }
  return payload;
}

/** @hot Reads one value of a wire type. */
export function readWire(view: DataView, offset: number, type: number): number {
  switch (type) {
    case 0:
      return view.getUint8(offset);
    case 1:
      return view.getInt8(offset);
    case 2:
      return view.getUint16(offset, true);
    case 3:
      return view.getInt16(offset, true);
    case 4:
      return view.getUint32(offset, true);
    case 5:
      return view.getInt32(offset, true);
    default:
      return view.getFloat32(offset, true);
  }
}

function writeWire(view: DataView, offset: number, type: number, value: number): void {
  const bytes = WIRE_TYPE_BYTES[type];
  if (type === TYPE_F32) view.setFloat32(offset, value, true);
  else if (bytes === 1) view.setUint8(offset, value);
  else if (bytes === 2) view.setUint16(offset, value, true);
  else view.setUint32(offset, value, true);
}

function typeNumber(type: WireTypeName): number {
  const number = WIRE_TYPES[type] as number | undefined;
  assert(number !== undefined, 'a wire type', type);
  return number;
}

function alignUp(offset: number, align: number): number {
  return Math.ceil(offset / align) * align;
}
