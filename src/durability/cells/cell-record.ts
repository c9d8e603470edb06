// What rests in a cell, as bytes in the store, and back. Columns are found again by name, as with snapshots: a row can be
// read by a game that has more fields, or fewer.
//
//   0           4              8
//   | crc32 u32 | head bytes u32 | head: JSON (names, types, rows) | rows, packed, one after the other |
//
// The checksum is of everything behind it. Rows are sorted by their bytes, so that the same rows make the same record, in
// whatever order they stood in memory.

import { crc32 } from '../../base/checksum.js';
import { COLUMN_ARRAYS, COLUMN_BYTES } from '../../memory/world/column-types.js';
import { type ColumnSpec, rowBytesOf } from '../../memory/world/world-layout.js';

const FORMAT = 1;
const PREFIX_BYTES = 8;

interface CellHead {
  format: number;
  cell: number;
  rows: number;
  columns: ColumnSpec[];
}

export interface PackedRows {
  count: number;
  /** count times the bytes of a row. */
  bytes: Uint8Array;
}

export function encodeCell(cell: number, columns: readonly ColumnSpec[], rows: Uint8Array[]): Buffer {
  rows.sort(Buffer.compare);
  const head: CellHead = {
    format: FORMAT,
    cell,
    rows: rows.length,
    columns: columns.map(({ name, type, length }) => ({ name, type, ...(length !== undefined && { length }) })),
  };
  const text = Buffer.from(JSON.stringify(head));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32LE(text.length, 4);
  const record = Buffer.concat([prefix, text, ...rows]);
  record.writeUInt32LE(crc32(record.subarray(4)), 0);
  return record;
}

/** Throws with the reason when the bytes are not a whole record of this cell. */
export function decodeCell(bytes: Uint8Array, cell: number, columns: readonly ColumnSpec[]): PackedRows {
  const record = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (record.length < PREFIX_BYTES || record.readUInt32LE(0) !== crc32(record.subarray(4))) {
    throw new Error('its checksum does not match');
  }
  // From here on the bytes are those that were written.
  const bodyStart = PREFIX_BYTES + record.readUInt32LE(4);
  const head = JSON.parse(record.toString('utf8', PREFIX_BYTES, bodyStart)) as CellHead;
  if (head.format !== FORMAT) throw new Error(`its format is ${head.format}, this server reads ${FORMAT}`);
  if (head.cell !== cell) throw new Error(`it is of cell ${head.cell}`);
  const rows = { count: head.rows, bytes: record.subarray(bodyStart) };
  return { count: head.rows, bytes: repackRows(rows, head.columns, columns) };
}

/**
 * Rows of some columns as rows of others, by name: what the target has no column for is left out, what is new has its initial
 * value. What is of another type now is taken over by value, or zero where the value does not fit it.
 */
export function repackRows(
  { count, bytes }: PackedRows,
  source: readonly ColumnSpec[],
  target: readonly ColumnSpec[],
): Uint8Array {
  if (isSame(source, target)) return bytes;
  const sourceBytes = rowBytesOf(source);
  const targetBytes = rowBytesOf(target);
  const packed = new Uint8Array(count * targetBytes);
  let targetAt = 0;
  for (const { name, type, length = 1, initial = 0 } of target) {
    const before = source.find((column) => column.name === name);
    if (before !== undefined) {
      const sourceAt = rowBytesOf(source.slice(0, source.indexOf(before)));
      const from = new COLUMN_ARRAYS[before.type](1);
      const to = new COLUMN_ARRAYS[type](1);
      const fromBytes = new Uint8Array(from.buffer);
      const toBytes = new Uint8Array(to.buffer);
      const elements = Math.min(length, before.length ?? 1);
      for (let i = 0; i < count * elements; i++) {
        const row = Math.floor(i / elements);
        const element = i - row * elements;
        const start = row * sourceBytes + sourceAt + element * fromBytes.length;
        fromBytes.set(bytes.subarray(start, start + fromBytes.length));
        to[0] = from[0];
        if (to[0] !== from[0] && !Number.isNaN(to[0])) to[0] = 0;
        packed.set(toBytes, row * targetBytes + targetAt + element * toBytes.length);
      }
    }
    if (before === undefined && initial !== 0) {
      const bytesOfInitial = new Uint8Array(COLUMN_ARRAYS[type].of(initial).buffer);
      for (let row = 0; row < count; row++) packed.set(bytesOfInitial, row * targetBytes + targetAt);
    }
    targetAt += COLUMN_BYTES[type] * length;
  }
  return packed;
}

function isSame(source: readonly ColumnSpec[], target: readonly ColumnSpec[]): boolean {
  return (
    source.length === target.length &&
    source.every(
      ({ name, type, length }, i) => name === target[i].name && type === target[i].type && length === target[i].length,
    )
  );
}
