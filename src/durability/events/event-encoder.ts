// The MessagePack map of an event, written in place. A general encoder walks over an object that was made only for it;
// most of an event is the same for all of its type, so that its bytes are kept ready and copied.
//
//  | map of 8 | eventId      | type  aggregateId | zoneId   tick   occurredAt | version  payload: map of other, a, b |
//    always     zone-epoch-    by type             by event                     by type, then the values by event
//               tick-position
//
// Numbers take the shortest form that holds them, integers beyond 32 bits that of 64, so that typed languages read them as
// what they are; all other numbers are float 64.

import type { EventForm } from '../../game/event-form.js';
import { formatPlain } from '../../protocol/plain/plain-codec.js';
import { EVENT_SLAB_BYTES, EVENT_VARIABLE_BYTES_MAX } from './limits.js';

export const EVENT_VERSION = 1;
const FIXMAP = 0x80;
const FIXSTR = 0xa0;
const FIXSTR_LONGEST = 31;
const STR_8 = 0xd9;
const FLOAT_64 = 0xcb;
const UINT_8 = 0xcc;
const UINT_16 = 0xcd;
const UINT_32 = 0xce;
const UINT_64 = 0xcf;
const INT_32 = 0xd2;
const DASH = 0x2d;
const DIGIT_0 = 0x30;

interface EventValues {
  zoneId: number;
  tick: number;
  position: number;
  aggregateId: string;
  occurredAt: number;
  /** Only read where the form has a name for it. */
  other: string;
  a: number;
  b: number;
}

const HEAD = Buffer.concat([Buffer.of(FIXMAP | 8), text('eventId')]);
const ZONE = text('zoneId');
const TICK = text('tick');
const OCCURRED = text('occurredAt');

let slab = Buffer.allocUnsafeSlow(EVENT_SLAB_BYTES);
let slabOffset = 0;

/** Encodes the events of one type and epoch. */
export class EventEncoder {
  private readonly epoch: Buffer;
  private readonly type: Buffer;
  private readonly payload: Buffer;
  private readonly other: Buffer | undefined;
  private readonly a: Buffer | undefined;
  private readonly b: Buffer | undefined;
  private readonly bytesMax: number;

  constructor(type: string, { other, a, b }: EventForm, epoch: number) {
    this.epoch = Buffer.from(`-${epoch}-`);
    this.type = Buffer.concat([text('type'), text(type), text('aggregateId')]);
    this.other = other === undefined ? undefined : text(other);
    this.a = a === undefined ? undefined : text(a);
    this.b = b === undefined ? undefined : text(b);
    const named = [this.other, this.a, this.b].filter((name) => name !== undefined);
    const count = Buffer.of(EVENT_VERSION, ...text('payload'), FIXMAP | named.length);
    this.payload = Buffer.concat([text('version'), count]);
    const ready = [HEAD, this.type, ZONE, TICK, OCCURRED, this.payload, ...named];
    this.bytesMax = ready.reduce((sum, { length }) => sum + length, EVENT_VARIABLE_BYTES_MAX);
  }

  encode(values: EventValues): Buffer {
    if (slabOffset + this.bytesMax > slab.length) {
      // The old slab lives on in the events that point into it.
      slab = Buffer.allocUnsafeSlow(Math.max(EVENT_SLAB_BYTES, this.bytesMax));
      slabOffset = 0;
    }
    const bytes = slab;
    const start = slabOffset;
    let at = put(bytes, start, HEAD);
    at = this.putId(bytes, at, values);
    at = put(bytes, at, this.type);
    at = putAscii(bytes, at, values.aggregateId);
    at = put(bytes, at, ZONE);
    at = putNumber(bytes, at, values.zoneId);
    at = put(bytes, at, TICK);
    at = putNumber(bytes, at, values.tick);
    at = put(bytes, at, OCCURRED);
    at = putNumber(bytes, at, values.occurredAt);
    at = put(bytes, at, this.payload);
    if (this.other !== undefined) at = putAscii(bytes, put(bytes, at, this.other), values.other);
    if (this.a !== undefined) at = putNumber(bytes, put(bytes, at, this.a), values.a);
    if (this.b !== undefined) at = putNumber(bytes, put(bytes, at, this.b), values.b);
    slabOffset = at;
    return bytes.subarray(start, at);
  }

  private putId(bytes: Buffer, start: number, { zoneId, tick, position }: EventValues): number {
    const { epoch } = this;
    const idBytes = digitsOf(zoneId) + epoch.length + digitsOf(tick) + 1 + digitsOf(position);
    let at = start;
    if (idBytes > FIXSTR_LONGEST) {
      bytes[at++] = STR_8;
      bytes[at++] = idBytes;
    } else {
      bytes[at++] = FIXSTR | idBytes;
    }
    at = putDigits(bytes, at, zoneId);
    at = put(bytes, at, epoch);
    at = putDigits(bytes, at, tick);
    bytes[at++] = DASH;
    return putDigits(bytes, at, position);
  }
}

function text(value: string): Buffer {
  return Buffer.from(formatPlain('msgpack', [value]) as Uint8Array).subarray(1);
}

// What follows writes from `at` on and returns where it ended.

function put(bytes: Buffer, at: number, ready: Buffer): number {
  for (let i = 0; i < ready.length; i++) bytes[at + i] = ready[i];
  return at + ready.length;
}

function putAscii(bytes: Buffer, at: number, value: string): number {
  const { length } = value;
  bytes[at] = FIXSTR | length;
  for (let i = 0; i < length; i++) bytes[at + 1 + i] = value.charCodeAt(i);
  return at + 1 + length;
}

/** Of numbers of 32 bits. */
function digitsOf(value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits++;
  return digits;
}

function putDigits(bytes: Buffer, at: number, value: number): number {
  const limit = at + digitsOf(value);
  let rest = value;
  for (let i = limit - 1; i >= at; i--) {
    const next = (rest / 10) >>> 0;
    bytes[i] = DIGIT_0 + (rest - next * 10);
    rest = next;
  }
  return limit;
}

function putNumber(bytes: Buffer, at: number, value: number): number {
  if (value >>> 0 === value) return putUnsigned(bytes, at, value);
  if ((value | 0) === value) {
    bytes[at] = INT_32;
    return putWord(bytes, at + 1, value);
  }
  if (value > 0 && Number.isSafeInteger(value)) {
    bytes[at] = UINT_64;
    return putWord(bytes, putWord(bytes, at + 1, Math.floor(value / 2 ** 32)), value >>> 0);
  }
  bytes[at] = FLOAT_64;
  return bytes.writeDoubleBE(value, at + 1);
}

function putUnsigned(bytes: Buffer, at: number, value: number): number {
  if (value < 128) {
    bytes[at] = value;
    return at + 1;
  }
  if (value < 256) {
    bytes[at] = UINT_8;
    bytes[at + 1] = value;
    return at + 2;
  }
  if (value < 65536) {
    bytes[at] = UINT_16;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value;
    return at + 3;
  }
  bytes[at] = UINT_32;
  return putWord(bytes, at + 1, value);
}

function putWord(bytes: Buffer, at: number, value: number): number {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
  return at + 4;
}
