import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { decodeCell, encodeCell, repackRows } from '../../../src/durability/cells/cell-record.js';
import { CellRecords, cellKey, versionOfKey } from '../../../src/durability/cells/cell-store.js';
import type { ColumnSpec } from '../../../src/memory/world/world-layout.js';
import { TickStore } from '../../engine/cells/tick-store.js';

const COLUMNS: ColumnSpec[] = [
  { name: 'kind', type: 'u8' },
  { name: 'positionX', type: 'f32' },
  { name: 'hp', type: 'u16' },
];

function row(kind: number, x: number, hp: number): Uint8Array {
  const bytes = new Uint8Array(7);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, kind);
  view.setFloat32(1, x, true);
  view.setUint16(5, hp, true);
  return bytes;
}

const ROWS = [row(1, 2.5, 300), row(2, -8, 9), row(1, 2.25, 65535)];

test('rows come back as they were, and the same rows make the same record in any order', () => {
  const record = encodeCell(77, COLUMNS, [...ROWS]);
  const { count, bytes } = decodeCell(record, 77, COLUMNS);
  assert.equal(count, 3);
  const read = [0, 1, 2].map((i) => Buffer.from(bytes.subarray(i * 7, i * 7 + 7)).toString('hex'));
  assert.deepEqual(read.sort(), ROWS.map((one) => Buffer.from(one).toString('hex')).sort());
  assert.deepEqual(encodeCell(77, COLUMNS, [...ROWS].reverse()), record);
  assert.equal(decodeCell(encodeCell(5, COLUMNS, []), 5, COLUMNS).count, 0);
});

test('fields are found by name: one that is gone is left out, one that is new is zero, another type is taken by value', () => {
  const record = encodeCell(1, COLUMNS, [row(3, 1.5, 40)]);
  const later: ColumnSpec[] = [
    { name: 'hp', type: 'u16' },
    { name: 'mana', type: 'u32' },
    { name: 'kind', type: 'u16' },
    { name: 'positionX', type: 'f32' },
  ];
  const { bytes } = decodeCell(record, 1, later);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  assert.equal(view.getUint16(0, true), 40);
  assert.equal(view.getUint32(2, true), 0);
  assert.equal(view.getUint16(6, true), 3);
  assert.equal(view.getFloat32(8, true), 1.5);
  assert.equal(bytes.length, 12);
});

test('a value that the new type does not have is zero, and no number is none in it too', () => {
  const before: ColumnSpec[] = [{ name: 'luck', type: 'f64' }];
  const now: ColumnSpec[] = [{ name: 'luck', type: 'f32' }];
  const rows = [Number.NaN, 0.1, 0.5].map((luck) => new Uint8Array(Float64Array.of(luck).buffer));
  const values = rows.map((one) => {
    const { bytes } = decodeCell(encodeCell(1, before, [one]), 1, now);
    return new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true);
  });
  assert.deepEqual(values, [Number.NaN, 0, 0.5]);
});

test('a record with any bit flipped, cut short, or of another cell is refused with the reason', () => {
  const record = encodeCell(9, COLUMNS, [...ROWS]);
  for (let at = 0; at < record.length; at++) {
    const damaged = Buffer.from(record);
    damaged[at] ^= 1 << (at & 7);
    assert.throws(() => decodeCell(damaged, 9, COLUMNS), /its checksum does not match/, `byte ${at}`);
  }
  for (const length of [0, 3, 7, 20, record.length - 1]) {
    assert.throws(() => decodeCell(record.subarray(0, length), 9, COLUMNS), /its checksum does not match/);
  }
  assert.throws(() => decodeCell(record, 10, COLUMNS), /it is of cell 9/);
});

test('a key holds its version exactly, also one of the far future', () => {
  for (const version of [1, 1024 * 1763721000000 + 1023, 2 ** 53 - 1]) {
    assert.equal(versionOfKey(cellKey(randomUUID(), 65535, version)), version);
  }
});

test('a record is replaced by the newest older one that is whole, never by a later one', async () => {
  const records = new CellRecords(new TickStore(), randomUUID());
  const rows = (hp: number): Buffer => encodeCell(5, COLUMNS, [row(1, 2, hp)]);
  const damaged = rows(3);
  damaged[damaged.length - 1] ^= 1;
  await records.write([
    { cell: 5, version: 10, record: rows(1) },
    { cell: 5, version: 20, record: rows(2) },
    { cell: 5, version: 30, record: damaged },
    { cell: 5, version: 50, record: rows(5) },
    { cell: 50, version: 35, record: rows(6) },
  ]);
  const found = await records.findOlder({ cell: 5, version: 40 }, COLUMNS);
  assert.deepEqual(found, decodeCell(rows(2), 5, COLUMNS));
  assert.equal(await records.findOlder({ cell: 5, version: 10 }, COLUMNS), undefined);
});

test('arrays of a record keep their elements, also where the game has more or fewer of them now', () => {
  const before = [{ name: 'bag', type: 'u16', length: 3 }] as const;
  const rows = [Uint8Array.of(1, 0, 2, 0, 3, 0), Uint8Array.of(4, 0, 5, 0, 6, 0)];
  const read = (length: number) => [
    ...decodeCell(encodeCell(1, before, [...rows]), 1, [{ name: 'bag', type: 'u8', length }]).bytes,
  ];
  assert.deepEqual(read(3), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(read(4), [1, 2, 3, 0, 4, 5, 6, 0]);
  assert.deepEqual(read(2), [1, 2, 4, 5]);
  assert.deepEqual(
    [...decodeCell(encodeCell(1, before, [...rows]), 1, before).bytes],
    rows.flatMap((row) => [...row]),
  );
});

test('a column that is new has its initial value in every row, where it has one', () => {
  const now = [
    { name: 'kind', type: 'u8' },
    { name: 'shownTo', type: 'u32', initial: 0xffffffff },
    { name: 'hp', type: 'u8' },
  ] as const;
  const bytes = repackRows({ count: 2, bytes: Uint8Array.of(3, 4) }, [{ name: 'kind', type: 'u8' }], now);
  assert.deepEqual([...bytes], [3, 255, 255, 255, 255, 0, 4, 255, 255, 255, 255, 0]);
});
