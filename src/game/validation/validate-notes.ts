// Mistakes in a game's notes.

import { ENUM_NAMES_MAX, NOTE_BYTES_MAX, NOTE_VALUES_MAX, WIRE_NOTES_MAX } from '../../protocol/limits.js';
import { TEXT_BYTES_MAX } from '../limits.js';
import { WIRE_TYPE_BYTES, WIRE_TYPE_NAMES, WIRE_TYPES, type WireTypeName } from '../wire-types.js';
import { checkKeys, isName, isObject, isWhole, type Loose, NAME_RULE, type Say, show } from './checks.js';

const VALUE_TYPES: readonly string[] = [...WIRE_TYPE_NAMES, 'bool', 'text', 'ref'];
const VALUE_KEYS = ['type', 'oneOf', 'bytes'];

export function checkNotes(notes: unknown, say: Say): void {
  if (notes === undefined) return;
  if (!isObject(notes)) {
    say('notes', 'is no object', 'an object of notes by name');
    return;
  }
  const entries = Object.entries(notes);
  if (entries.length > WIRE_NOTES_MAX) say('notes', `has ${entries.length}`, `at most ${WIRE_NOTES_MAX}`);
  for (const [name, note] of entries) {
    const part = `notes.${name}`;
    if (!isName(name)) say(part, 'has a name that cannot be used', NAME_RULE);
    if (!isObject(note) || !isObject(note.payload)) {
      say(part, 'has no payload', 'an object such as { payload: { text: { type: "text", bytes: 120 } } }');
      continue;
    }
    checkKeys(part, note, ['payload'], say);
    checkPayload(part, note.payload, say);
  }
}

function checkPayload(part: string, payload: Loose, say: Say): void {
  const values = Object.entries(payload);
  if (values.length > NOTE_VALUES_MAX) say(part, `has ${values.length} values`, `at most ${NOTE_VALUES_MAX}`);
  let bytes = 1;
  for (const [name, value] of values) {
    const path = `${part}.${name}`;
    if (!isName(name)) say(path, 'has a name that cannot be used', NAME_RULE);
    if (!isObject(value) || !VALUE_TYPES.includes(value.type as string)) {
      say(path, 'has no type of a value', `an object with a type: ${VALUE_TYPES.join(', ')}`);
      continue;
    }
    checkKeys(path, value, VALUE_KEYS, say);
    checkShape(path, value, say);
    bytes += bytesOf(value);
  }
  if (bytes > NOTE_BYTES_MAX) say(part, `has up to ${bytes} bytes`, `at most ${NOTE_BYTES_MAX}, with all texts full`);
}

function checkShape(path: string, { type, bytes, oneOf }: Loose, say: Say): void {
  if (type === 'text') {
    if (!isWhole(bytes, 1, TEXT_BYTES_MAX))
      say(`${path}.bytes`, `is ${show(bytes)}`, `a whole number from 1 to ${TEXT_BYTES_MAX}`);
  } else if (bytes !== undefined) {
    say(`${path}.bytes`, `stands beside type ${String(type)}`, 'type text');
  }
  if (oneOf === undefined) return;
  if (type !== 'u8') say(`${path}.oneOf`, `stands beside type ${String(type)}`, 'type u8');
  const isSound = Array.isArray(oneOf) && oneOf.length >= 1 && oneOf.length <= ENUM_NAMES_MAX && oneOf.every(isName);
  if (!isSound || new Set(oneOf).size !== oneOf.length) {
    say(`${path}.oneOf`, 'is no list of names', `1 to ${ENUM_NAMES_MAX} names, each once`);
  }
}

function bytesOf({ type, bytes }: Loose): number {
  if (type === 'text') return 1 + Number(bytes);
  if (type === 'bool') return 1;
  return type === 'ref' ? 4 : WIRE_TYPE_BYTES[WIRE_TYPES[type as WireTypeName]];
}
