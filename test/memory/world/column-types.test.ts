import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bitsOf, COLUMN_ARRAYS, COLUMN_BYTES, type ColumnType } from '../../../src/memory/world/column-types.js';

const TYPES = Object.keys(COLUMN_ARRAYS) as ColumnType[];

test('every type has the array of its name and its size', () => {
  const sizes = { u8: 1, i8: 1, u16: 2, i16: 2, u32: 4, i32: 4, f32: 4, f64: 8 };
  assert.deepEqual(COLUMN_BYTES, sizes);
  for (const type of TYPES) {
    assert.equal(COLUMN_ARRAYS[type].BYTES_PER_ELEMENT, COLUMN_BYTES[type], type);
    const value: number = new COLUMN_ARRAYS[type]([-1.5])[0];
    const expected: number | undefined = { u: 2 ** (8 * COLUMN_BYTES[type]) - 1, i: -1, f: -1.5 }[type[0]];
    assert.equal(value, expected, type);
  }
});

test('bits are integers over the same memory and tell what equal floats hide', () => {
  const f32 = new Float32Array([0, -0, Number.NaN, 1]);
  const f64 = new Float64Array([0, -0, Number.NaN, 1]).subarray(1);
  assert.deepEqual([...bitsOf(f32)], [0, -(2 ** 31), 0x7fc00000, 0x3f800000]);
  const wide = bitsOf(f64);
  assert.equal(wide.length, 6);
  assert.deepEqual([...wide.subarray(0, 2)], [0, -(2 ** 31)]);
  f64[0] = 1;
  assert.deepEqual([...wide.subarray(0, 2)], [0, 0x3ff00000]);
  const u8 = new Uint8Array([1, 2]);
  assert.equal(bitsOf(u8), u8);
});
