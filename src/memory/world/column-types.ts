// The types that a column of a world buffer can have, and the arrays that hold them.

export interface ColumnArrays {
  u8: Uint8Array;
  i8: Int8Array;
  u16: Uint16Array;
  i16: Int16Array;
  u32: Uint32Array;
  i32: Int32Array;
  f32: Float32Array;
  f64: Float64Array;
}
export type ColumnType = keyof ColumnArrays;
export type AnyColumn = ColumnArrays[ColumnType];

export const COLUMN_ARRAYS = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
} as const;

/** Of one value. */
export const COLUMN_BYTES: Readonly<Record<ColumnType, number>> = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  f64: 8,
};

/** @hot One row of a column that has `length` values per row, to a row of another of the same type. */
export function copyElements(source: AnyColumn, from: number, target: AnyColumn, to: number, length: number): void {
  for (let i = 0; i < length; i++) {
    target[to * length + i] = source[from * length + i];
  }
}

/**
 * The values as integers over the same memory, floating-point ones by their bits, so that -0 differs from 0 and NaN equals
 * itself. An f64 is two integers.
 */
export function bitsOf(column: AnyColumn): AnyColumn {
  const isFloat = column instanceof Float32Array || column instanceof Float64Array;
  return isFloat ? new Int32Array(column.buffer, column.byteOffset, column.byteLength / 4) : column;
}
