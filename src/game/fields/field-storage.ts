// How a field lies in memory: the type of its column, and how many of them each row has.

import type { ColumnType } from '../../memory/world/column-types.js';
import type { FieldDefinition } from '../definition.js';

export interface FieldStorage {
  type: ColumnType;
  /** Absent: one. */
  length?: number;
}

/** Texts are compared four bytes at a time, so they begin and end at multiples of four; what is left over is zero. */
const TEXT_ALIGNMENT = 4;

export function storageOf({
  type,
  length,
  bytes = 0,
}: Pick<FieldDefinition, 'type' | 'length' | 'bytes'>): FieldStorage {
  if (type === 'text') return { type: 'u8', length: Math.ceil(bytes / TEXT_ALIGNMENT) * TEXT_ALIGNMENT };
  const column = type === 'bool' ? 'u8' : type === 'ref' ? 'u32' : type;
  return length === undefined ? { type: column } : { type: column, length };
}
