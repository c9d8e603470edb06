import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ColumnMisfit, migrateColumns } from '../../../src/durability/snapshots/column-migration.js';
import type { ZoneSnapshot } from '../../../src/durability/snapshots/zone-snapshot.js';
import { type AnyColumn, COLUMN_ARRAYS, type ColumnType } from '../../../src/memory/world/column-types.js';

function snapshotOf(columns: Record<string, [ColumnType, number[]]>): ZoneSnapshot {
  const entries = Object.entries(columns);
  return {
    header: { columns: entries.map(([name, [type]]) => ({ name, type })) },
    columns: new Map(entries.map(([name, [type, values]]) => [name, COLUMN_ARRAYS[type].from(values) as AnyColumn])),
  } as unknown as ZoneSnapshot;
}

/** What becomes of values; undefined when they do not fit. */
function move(before: ColumnType, values: number[], type: ColumnType): number[] | undefined {
  try {
    const { snapshot } = migrateColumns(snapshotOf({ a: [before, values] }), [{ name: 'a', type }]);
    return [...(snapshot.columns.get('a') ?? [])];
  } catch (error) {
    assert.ok(error instanceof ColumnMisfit);
    return undefined;
  }
}

test('values that the new type can hold are taken over as they are', () => {
  for (const [before, values, type] of [
    ['u8', [0, 255], 'u16'],
    ['u16', [0, 255], 'u8'],
    ['i8', [-128, 127], 'i32'],
    ['i32', [0, 65535], 'u16'],
    ['i32', [-16777216, 16777216], 'f32'],
    ['u32', [4294967295], 'f64'],
    ['f32', [0.1, -1e30, Number.POSITIVE_INFINITY, Number.NaN], 'f64'],
    ['f64', [0.5, -3, Number.NaN], 'f32'],
    ['f64', [-7, 7], 'i8'],
  ] as const) {
    const stored = [...COLUMN_ARRAYS[before].from(values)];
    assert.deepEqual(move(before, [...values], type), stored, `${before} to ${type}`);
  }
});

test('values that would be cut, wrapped or rounded are refused', () => {
  for (const [before, value, type] of [
    ['u16', 256, 'u8'],
    ['i8', -1, 'u8'],
    ['u8', 128, 'i8'],
    ['u32', 2147483648, 'i32'],
    ['i32', 16777217, 'f32'],
    ['f64', 0.1, 'f32'],
    ['f32', 0.5, 'i32'],
    ['f32', Number.NaN, 'u8'],
    ['f64', Number.POSITIVE_INFINITY, 'i32'],
    ['f64', 1e300, 'f32'],
  ] as const) {
    assert.equal(move(before, [1, value], type), undefined, `${value} as ${before} to ${type}`);
  }
});

test('the first value that does not fit is named with its row and both types', () => {
  const snapshot = snapshotOf({ alive: ['u8', [1, 1, 1]], hp: ['u16', [1, 300, 400]] });
  assert.throws(
    () => migrateColumns(snapshot, [{ name: 'hp', type: 'u8' }]),
    /^Error: column hp was u16 and is u8 now, which 300 of row 1 does not fit$/,
  );
});

test('rows that are no entity need not fit, and become zero', () => {
  const { snapshot } = migrateColumns(snapshotOf({ alive: ['u8', [1, 0, 1]], hp: ['u16', [1, 300, 3]] }), [
    { name: 'alive', type: 'u8' },
    { name: 'hp', type: 'u8' },
  ]);
  assert.deepEqual(snapshot.columns.get('hp'), new Uint8Array([1, 0, 3]));
});

test('columns that are new, gone or of another type are told, others are not', () => {
  const before = snapshotOf({ alive: ['u8', [1]], gone: ['u8', [1]], wide: ['u8', [7]], same: ['f32', [1]] });
  const { snapshot, changes } = migrateColumns(before, [
    { name: 'alive', type: 'u8' },
    { name: 'same', type: 'f32' },
    { name: 'wide', type: 'u16' },
    { name: 'fresh', type: 'u8' },
  ]);
  assert.deepEqual(changes, ['wide was u8 and is u16', 'fresh is new and zero', 'gone is no longer there']);
  assert.deepEqual(
    snapshot.header.columns.map(({ name, type }) => `${name} ${type}`),
    ['alive u8', 'same f32', 'wide u16'],
  );
  const unchanged = snapshotOf({ alive: ['u8', [1]] });
  assert.deepEqual(migrateColumns(unchanged, [{ name: 'alive', type: 'u8' }]), { snapshot: unchanged, changes: [] });
});

test('an array of another length or type is taken over element by element, where what is cut off is 0', () => {
  const stored = (length: number | undefined, values: number[]) =>
    ({
      header: { columns: [{ name: 'a', type: 'u8', ...(length && { length }) }] },
      columns: new Map([['a', Uint8Array.from(values)]]),
    }) as unknown as ZoneSnapshot;
  const take = (snapshot: ZoneSnapshot, type: ColumnType, length?: number) => {
    const moved = migrateColumns(snapshot, [{ name: 'a', type, ...(length && { length }) }]).snapshot;
    assert.deepEqual(moved.header.columns, [{ name: 'a', type, ...(length && { length }) }]);
    return [...(moved.columns.get('a') ?? [])];
  };
  assert.deepEqual(take(stored(2, [1, 2, 3, 4]), 'u8', 3), [1, 2, 0, 3, 4, 0]);
  assert.deepEqual(take(stored(2, [1, 0, 3, 0]), 'u16'), [1, 3]);
  assert.deepEqual(take(stored(undefined, [1, 2]), 'f32', 2), [1, 0, 2, 0]);
  assert.throws(
    () => take(stored(2, [1, 0, 3, 4]), 'u8', 1),
    /a was u8 x 2 and is u8 x 1 now, which 4 of row 1 does not fit/,
  );
});
