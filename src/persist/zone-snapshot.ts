// A zone as bytes: the columns of a committed block by name, so that another version of the game can read what it still
// knows.
//
//   0              4             36
//   | bytes of     | SHA-256 of  | header: JSON   | scalars | globals | marks | column | column | ...
//   | header u32   | what        | (names, types, |   of each column the rows in use, then the ghost rows in use; of a
//   |              | follows     | counts)        |   column of ids the ids in use

import { assert } from '../assert.js';
import { GLOBALS_COUNT, ZONES_MAX } from '../constants.js';
import type { AnyColumn, WorldBuffer } from '../memory/world-buffer.js';
import {
  COLUMN_BYTES,
  type ColumnRole,
  type ColumnSpec,
  type ColumnType,
  SCALAR_COUNT,
  SCALAR_GHOST_FIRST,
  SCALAR_GHOST_LIMIT,
  SCALAR_ID_LIMIT,
  SCALAR_ROW_LIMIT,
  SCALAR_TICK,
} from '../memory/world-layout.js';
import { sha256 } from './checksum.js';

const FORMAT = 2;
const CHECKSUM_BYTES = 32;
const HEADER_AT = 4 + CHECKSUM_BYTES;

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
  /** Of the session that took it; ticks of different sessions are not one order. */
  epoch: number;
  tick: number;
  takenAtMs: number;
  rows: number;
  ghostFirst: number;
  ghosts: number;
  ids: number;
  columns: ColumnSpec[];
}

export interface ZoneSnapshot {
  header: SnapshotHeader;
  scalars: Int32Array;
  globals: Float64Array;
  marks: Int32Array;
  /** Cells of the rows, then of the ghosts. */
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
export function encodeZone(
  world: WorldBuffer,
  shape: WorldShape,
  epoch: number,
  takenAtMs: number,
): Buffer | undefined {
  const countBefore = world.commitCount;
  const { scalars, globals, marks, columns: cells } = world.committed;
  const rows = scalars[SCALAR_ROW_LIMIT];
  const ids = scalars[SCALAR_ID_LIMIT];
  const ghostFirst = scalars[SCALAR_GHOST_FIRST];
  const ghosts = Math.max(0, scalars[SCALAR_GHOST_LIMIT] - ghostFirst);
  const tick = scalars[SCALAR_TICK];
  const { columns } = world.layout;
  const parts = [
    copyBytes(scalars, 0, SCALAR_COUNT),
    copyBytes(globals, 0, GLOBALS_COUNT),
    copyBytes(marks, 0, ZONES_MAX),
  ];
  for (const { name, role } of columns) {
    parts.push(copyBytes(cells[name], 0, role === 'id' ? ids : rows));
    if (role !== 'id' && ghosts > 0) parts.push(copyBytes(cells[name], ghostFirst, ghosts));
  }
  if (((world.commitCount - countBefore) | 0) > 1) {
    return undefined;
  }
  const header: SnapshotHeader = {
    format: FORMAT,
    ...shape,
    zone: world.zoneId,
    epoch,
    tick,
    takenAtMs,
    rows,
    ghostFirst,
    ghosts,
    ids,
    columns: columns.map(({ name, type, role }) => (role === undefined ? { name, type } : { name, type, role })),
  };
  const head = Buffer.from(JSON.stringify(header));
  const whole = Buffer.concat([Buffer.alloc(HEADER_AT), head, ...parts]);
  whole.writeUInt32LE(head.length);
  whole.write(sha256(whole.subarray(HEADER_AT)), 4, 'hex');
  return whole;
}

/** Throws with the reason when the bytes are not a whole snapshot. */
export function decodeZone(bytes: Uint8Array): ZoneSnapshot {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headBytes = buffer.length >= HEADER_AT ? buffer.readUInt32LE(0) : 0;
  if (headBytes === 0 || headBytes > buffer.length - HEADER_AT) {
    throw new Error('its header is cut short');
  }
  if (sha256(buffer.subarray(HEADER_AT)) !== buffer.toString('hex', 4, HEADER_AT)) {
    throw new Error('its checksum does not match');
  }
  // From here on the bytes are those that were written, but for the length of the header.
  const header = parseHeader(buffer.toString('utf8', HEADER_AT, HEADER_AT + headBytes));
  const body = buffer.subarray(HEADER_AT + headBytes);
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
  const marks = take('i32', ZONES_MAX) as Int32Array;
  const columns = new Map(header.columns.map(({ name, type, role }) => [name, take(type, cellCount(header, role))]));
  return { header, scalars, globals, marks, columns };
}

function cellCount({ rows, ghosts, ids }: SnapshotHeader, role: ColumnRole | undefined): number {
  return role === 'id' ? ids : rows + ghosts;
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

function copyBytes(array: AnyColumn, first: number, count: number): Uint8Array {
  const { BYTES_PER_ELEMENT: size, buffer, byteOffset } = array;
  return new Uint8Array(buffer, byteOffset + first * size, count * size).slice();
}
