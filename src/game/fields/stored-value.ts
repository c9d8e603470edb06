// The values of a field as they are stored with an entity by name: a number, of an array one for each element, of a text a
// string.

import type { AnyColumn } from '../../memory/world/column-types.js';
import type { FieldDefinition, FieldDefinitions } from '../definition.js';
import { storageOf } from './field-storage.js';
import { readText, writeText } from './text-field.js';

export type StoredValue = number | string | readonly number[];

/** How to find a field's values in a column. Plain data, which goes to other threads. */
export interface StoredForm {
  /** Values per row. */
  length: number;
  /** Only of a text: its most bytes. */
  textBytes?: number;
}

/** Of the fields that are not one number. */
export function listStoredForms(fields: FieldDefinitions): Record<string, StoredForm> {
  return Object.fromEntries(
    Object.entries(fields)
      .map(([name, field]) => [name, storedForm(field)] as const)
      .filter(([, form]) => form !== undefined),
  ) as Record<string, StoredForm>;
}

/** Undefined: one number. */
export function storedForm(field: FieldDefinition): StoredForm | undefined {
  const { length } = storageOf(field);
  if (length === undefined) return undefined;
  return field.type === 'text' ? { length, textBytes: field.bytes ?? 0 } : { length };
}

export function readStored(column: AnyColumn, row: number, form: StoredForm | undefined): StoredValue {
  if (form === undefined) return column[row];
  const { length, textBytes } = form;
  if (textBytes !== undefined) return readText(column as Uint8Array, row, textBytes);
  return Array.from(column.subarray(row * length, (row + 1) * length));
}

/** Elements beyond the column's are left out, and missing ones stay; what is of another form changes nothing. */
export function writeStored(column: AnyColumn, row: number, form: StoredForm | undefined, value: StoredValue): void {
  if (form === undefined) {
    if (typeof value === 'number') column[row] = value;
  } else if (form.textBytes !== undefined) {
    if (typeof value === 'string') writeText(column as Uint8Array, row, form.textBytes, value);
  } else if (typeof value === 'object') {
    const most = Math.min(form.length, value.length);
    for (let i = 0; i < most; i++) column[row * form.length + i] = value[i];
  }
}

export function isStoredValue(value: unknown): value is StoredValue {
  if (Array.isArray(value)) return value.every((each) => typeof each === 'number');
  return typeof value === 'number' || typeof value === 'string';
}
