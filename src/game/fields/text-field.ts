// Texts in a column: UTF-8, filled up with zeros, which is why no text holds one.

import { assert } from '../../base/assert.js';
import type { FieldDefinitions } from '../definition.js';
import { storageOf } from './field-storage.js';

const decoder = new TextDecoder();
const encoder = new TextEncoder();
/** A half of a pair without the other half: not to be written in UTF-8. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** The most bytes of a text by name; that another field is asked for its text is a mistake of the game. */
export function textBytesOf(fields: FieldDefinitions, name: string): number {
  const { type, bytes = 0 } = fields[name] ?? {};
  assert(type === 'text', 'a field is a text', name);
  return bytes;
}

/** `bytes`: the most that the field may have. */
export function readText(column: Uint8Array, row: number, bytes: number): string {
  const start = row * strideOf(bytes);
  const end = start + textLength(column, start, bytes);
  return decoder.decode(column.slice(start, end)); // a copy: the decoder takes no shared memory
}

/** @hot Bytes of the text that begins at `start`. */
export function textLength(column: Uint8Array, start: number, bytes: number): number {
  let length = 0;
  while (length < bytes && column[start + length] !== 0) {
    length++;
  }
  return length;
}

/** Whether UTF-8 and a column can hold the text: it has no zero, and no half of a surrogate pair. */
export function isWritable(text: string): boolean {
  return !text.includes('\0') && !LONE_SURROGATE.test(text);
}

/** False: the text does not fit, or is none that UTF-8 or this column can hold. */
export function writeText(column: Uint8Array, row: number, bytes: number, text: string): boolean {
  if (text.length > bytes || !isWritable(text)) return false;
  const encoded = encoder.encode(text);
  if (encoded.length > bytes) return false;
  const start = row * strideOf(bytes);
  column.fill(0, start, start + strideOf(bytes));
  column.set(encoded, start);
  return true;
}

function strideOf(bytes: number): number {
  return storageOf({ type: 'text', bytes }).length ?? 0;
}
