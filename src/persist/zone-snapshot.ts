// The committed state of a zone as bytes, and back. Columns are found again by name, so that a zone can be read into a
// layout that has more of them, or fewer.
//
//   0              4
//   | bytes of     | header: JSON   | scalars | globals | column | column | ...
//   | header u32   | (names, types) |   each column with as many cells as the header says
//
// The header carries a SHA-256 of everything behind it.

import { assert } from '../assert.js';
import { GLOBALS_COUNT } from '../constants.js';
import type { AnyColumn, WorldBuffer } from '../memory/world-buffer.js';
import {
  COLUMN_BYTES,
  type ColumnType,
  SCALAR_COUNT,
  SCALAR_ID_LIMIT,
  SCALAR_ROW_LIMIT,
  SCALAR_TICK,
} from '../memory/world-layout.js';
import { sha256 } from './checksum.js';

const FORMAT = 1;

/** What must be the same for a snapshot to be taken up. */
export interface WorldShape {
  game: string;
  seed: number;
  bots: number;
  zoneCount: number;
  worldWidth: number;
  worldHeight: number;
  rowCapacity: number;
}

export interface SnapshotHeader extends WorldShape {
  format: number;
  zone: number;
  tick: number;
  takenAtMs: number;
  rows: number;
  columns: { name: string; type: ColumnType }[];
  checksum: string;
}

export interface ZoneSnapshot {
  header: SnapshotHeader;
  scalars: Int32Array;
  globals: Float64Array;
  columns: Map<string, AnyColumn>;
}

const ARRAYS = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
};

/** Undefined: the zone commits faster than this thread can copy, which the caller answers by trying again. */
export function encodeZone(world: WorldBuffer, shape: WorldShape, takenAtMs: number): Buffer | undefined {
  const countBefore = world.commitCount;
  const block = world.committed;
  const tick = block.scalars[SCALAR_TICK];
  const rows = Math.max(block.scalars[SCALAR_ROW_LIMIT], block.scalars[SCALAR_ID_LIMIT]);
  const { columns } = world.layout;
  const parts: Uint8Array[] = [copyBytes(block.scalars, SCALAR_COUNT), copyBytes(block.globals, GLOBALS_COUNT)];
  for (const { name } of columns) {
    parts.push(copyBytes(block.columns[name], rows));
  }
  if (((world.commitCount - countBefore) | 0) > 1) {
    return undefined;
  }
  const body = Buffer.concat(parts);
  const header: SnapshotHeader = {
    format: FORMAT,
    ...shape,
    zone: world.zoneId,
    tick,
    takenAtMs,
    rows,
    columns: columns.map(({ name, type }) => ({ name, type })),
    checksum: sha256(body),
  };
  const head = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(head.length);
  return Buffer.concat([size, head, body]);
}

/** Throws with the reason when the bytes are not a whole snapshot. */
export function decodeZone(bytes: Uint8Array): ZoneSnapshot {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headBytes = buffer.length >= 4 ? buffer.readUInt32LE(0) : 0;
  if (headBytes === 0 || headBytes > buffer.length - 4) {
    throw new Error('its header is cut short');
  }
  const header = parseHeader(buffer.toString('utf8', 4, 4 + headBytes));
  const body = buffer.subarray(4 + headBytes);
  if (sha256(body) !== header.checksum) {
    throw new Error('its checksum does not match');
  }
  // From here on the bytes are those that were written.
  let at = 0;
  const take = (type: ColumnType, count: number): AnyColumn => {
    const size = count * COLUMN_BYTES[type];
    assert(at + size <= body.length, 'a snapshot holds what its header says', at + size);
    const copy = body.buffer.slice(body.byteOffset + at, body.byteOffset + at + size) as ArrayBuffer;
    at += size;
    return new ARRAYS[type](copy);
  };
  const scalars = take('i32', SCALAR_COUNT) as Int32Array;
  const globals = take('f64', GLOBALS_COUNT) as Float64Array;
  const columns = new Map(header.columns.map(({ name, type }) => [name, take(type, header.rows)]));
  return { header, scalars, globals, columns };
}

function parseHeader(text: string): SnapshotHeader {
  let header: SnapshotHeader;
  try {
    header = JSON.parse(text) as SnapshotHeader;
  } catch {
    throw new Error('its header cannot be read');
  }
  if (header.format !== FORMAT) {
    throw new Error(`its format is ${header.format}, this server reads ${FORMAT}`);
  }
  return header;
}

function copyBytes(array: AnyColumn, count: number): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, count * array.BYTES_PER_ELEMENT).slice();
}
