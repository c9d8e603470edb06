// A value as people read it.

import type { FieldForm } from '../game/fields/replicated-fields.js';
import type { FieldValue } from './fb/rich-records.js';

/** Enums by name, bools as such, arrays as arrays; of a reference to nothing null. */
export function plainValue({ shape, names = [] }: FieldForm, value: FieldValue): unknown {
  const show = (each: number): unknown => {
    if (shape === 'bool') return each !== 0;
    if (shape === 'enum') return names[each] ?? each;
    return shape === 'ref' && each < 0 ? null : each;
  };
  return typeof value === 'string' || shape === undefined
    ? value
    : typeof value === 'number'
      ? show(value)
      : value.map(show);
}
