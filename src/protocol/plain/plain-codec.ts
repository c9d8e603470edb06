// Plain objects as JSON text or MessagePack bytes: the two spellings beside FlatBuffers. What clients send is one flat
// object of a few numbers, strings and booleans; anything deeper is refused before a parser has made objects of it.

import { Packr, Unpackr } from 'msgpackr';

export type PlainEncoding = 'json' | 'msgpack';
export type PlainObject = Record<string, unknown>;

// Records and extension types are msgpackr's own dialect; without them it writes what every MessagePack library reads.
const packr = new Packr({ useRecords: false, variableMapSize: true, moreTypes: false });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number', moreTypes: false });
const textDecoder = new TextDecoder('utf-8', { fatal: true });

/**
 * The object in a message from a client, or null. Strings, numbers and booleans are all that it can hold. The work grows with the
 * message, whose size is for the caller to bound.
 */
export function parsePlain(encoding: PlainEncoding, bytes: Uint8Array): PlainObject | null {
  try {
    const value: unknown = encoding === 'json' ? parseJson(bytes) : parseMsgpack(bytes);
    return isFlatObject(value) ? value : null;
  } catch {
    // Both parsers and the text decoder tell of malformed input by throwing.
    return null;
  }
}

/** Text for JSON, bytes for MessagePack. */
export function formatPlain(encoding: PlainEncoding, value: object): string | Uint8Array {
  return encoding === 'json' ? JSON.stringify(value) : packr.pack(value);
}

/** For a receiver that trusts its sender: tools and tests. */
export function parseTrusted(encoding: PlainEncoding, bytes: Uint8Array): unknown {
  return encoding === 'json' ? JSON.parse(textDecoder.decode(bytes)) : unpackr.unpack(bytes);
}

function parseJson(bytes: Uint8Array): unknown {
  return JSON.parse(textDecoder.decode(bytes));
}

function parseMsgpack(bytes: Uint8Array): unknown {
  return isFlatMap(bytes) ? unpackr.unpack(bytes) : null;
}

function isFlatObject(value: unknown): value is PlainObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((inner) => ['number', 'string', 'boolean'].includes(typeof inner));
}

/**
 * Whether the bytes are exactly one MessagePack map of strings to numbers, strings and booleans. Walks over lengths only, so that
 * the parser behind it never meets a nested value, a foreign type, or a length that is a lie.
 */
function isFlatMap(bytes: Uint8Array): boolean {
  if (bytes.length === 0) return false;
  let position: number;
  let count: number;
  if ((bytes[0] & 0xf0) === 0x80) {
    count = bytes[0] & 0x0f;
    position = 1;
  } else if (bytes[0] === 0xde && bytes.length >= 3) {
    count = bytes[1] * 256 + bytes[2];
    position = 3;
  } else {
    return false;
  }
  for (let left = count; left > 0; left--) {
    if (position >= bytes.length) return false;
    position = skipString(bytes, position);
    position = skipValue(bytes, position);
  }
  return position === bytes.length;
}

/** What the skips give for a value that is cut short or of another type: no position behind it is the end. */
const BEYOND = Number.MAX_SAFE_INTEGER;

function skipString(bytes: Uint8Array, position: number): number {
  if (position >= bytes.length) return BEYOND;
  const token = bytes[position];
  if ((token & 0xe0) === 0xa0) return position + 1 + (token & 0x1f);
  if (token === 0xd9 && position + 1 < bytes.length) return position + 2 + bytes[position + 1];
  if (token === 0xda && position + 2 < bytes.length) {
    return position + 3 + bytes[position + 1] * 256 + bytes[position + 2];
  }
  return BEYOND;
}

function skipValue(bytes: Uint8Array, position: number): number {
  if (position >= bytes.length) return BEYOND;
  const token = bytes[position];
  if (token < 0x80 || token >= 0xe0) return position + 1;
  switch (token) {
    case 0xc2: // false
    case 0xc3: // true
      return position + 1;
    case 0xcc: // uint 8
    case 0xd0: // int 8
      return position + 2;
    case 0xcd: // uint 16
    case 0xd1: // int 16
      return position + 3;
    case 0xca: // float 32
    case 0xce: // uint 32
    case 0xd2: // int 32
      return position + 5;
    case 0xcb: // float 64
    case 0xcf: // uint 64
    case 0xd3: // int 64
      return position + 9;
    default:
      return skipString(bytes, position);
  }
}
