// A zone as bytes: the columns of a committed block by name, so that another version of the game can read what it still
// knows.
//
//   0              4             36               36 + bytes of header
//   | bytes of     | SHA-256 of  | header: JSON,  | body: under Brotli, or as it is where the header's `compression` is
//   | header u32   | all behind  | UTF-8          | `none`; unpacked it has `bodyBytes` bytes:
//
//   | scalars i32 x 64 | globals f64 x 64 | marks i32 x 64 | column | column | ... | cells, if the header has `cells` | posts, if it has `posts` |
//   0                  256                768              1024
//
// All numbers are little-endian, and nothing is padded: sections follow one another byte for byte.
//
// Scalars, by index: 0 tick, 1 rows in use, 2 entities, 3 state of the zone's chance, 4 ids in use, 5 whether the zone was
// populated, 6 and 7 first and limit of the mirror rows, 8 serial of the newest journal record, 32 records in the queue of
// cells, 33 posts, 34 posts ever refused, 40 and on rows that are seen everywhere; the others are 0. Globals are numbers of the game for the zone as a whole. Marks, by zone of origin: how many
// entities from there have been taken in so far; it wraps.
//
// Columns come in the order of the header's `columns`, which gives the name and type of each (u8 i8 u16 i16 u32 i32 f32
// f64). Most have one value per row: rows 0 to `rows` - 1, then `mirrors` mirror rows, which are rows `mirrorFirst` and on.
// A column of role `id` has `ids` values instead, one per local id. A column with a `length` is an array: it has so many values
// for each row, one behind the other. Texts are such columns of u8, filled up with zeros.
//
// A row is an entity of this zone where column `alive` is not 0; mirror rows copy entities of neighbours. `kind` is an
// index of the game's kinds. The lower 23 bits of `key` are the entity's id, which is zone of birth x `rowCapacity` +
// local id; the upper 9 bits are its generation, mod 512. Events and checkpoints call that entity '<id>.<generation>':
// key 0x01000007 is '7.2'. `owner` is 0, or 1 + the index of the client that plays the entity. Where `departTo` is not 0
// the row has just left: to zone `departTo` - 1, or at 255 to the store with its cell.
//
// The cells are drawn in cell-snapshot.ts. Posts, messages between entities that are under way, are so many words (i32) as `posts`
// says: memory/world/post-layout.ts draws them. Who plays is stored beside the zones, one value per player: player-snapshot.ts.
//
// Three steps, so that each can run where it belongs: copyZone beside the world, as short as copying is; packZone on any
// thread; decodeZone wherever bytes came back.

import { createHash } from 'node:crypto';
import { brotliCompressSync, brotliDecompressSync, constants as zlib } from 'node:zlib';
import { assert } from '../../base/assert.js';
import { sha256 } from '../../base/checksum.js';
import { CELL_QUEUE_RECORDS, CELLS_MAX } from '../../engine/cells/limits.js';
import { GLOBALS_COUNT, ZONES_MAX } from '../../engine/limits.js';
import { FIELD_LENGTH_MAX } from '../../game/limits.js';
import { POSTS_MAX } from '../../memory/limits.js';
import { type AnyColumn, COLUMN_ARRAYS, COLUMN_BYTES, type ColumnType } from '../../memory/world/column-types.js';
import { type ComponentsPlace, eachRun } from '../../memory/world/component-rows.js';
import { postsBytes } from '../../memory/world/post-layout.js';
import type { WorldBuffer } from '../../memory/world/world-buffer.js';
import {
  type ColumnPlace,
  type ColumnSpec,
  describeColumn,
  SCALAR_COUNT,
  SCALAR_ID_LIMIT,
  SCALAR_MIRROR_FIRST,
  SCALAR_MIRROR_LIMIT,
  SCALAR_POSTS,
  SCALAR_ROW_LIMIT,
  SCALAR_TICK,
} from '../../memory/world/world-layout.js';
import { bytesOfCells, type CellsHeader, type CellsSnapshot, describeCells, listCellParts } from './cell-snapshot.js';
import {
  SNAPSHOT_BODY_BYTES_MAX,
  SNAPSHOT_HEADER_BYTES_MAX,
  SNAPSHOT_ROWS_MAX,
  SNAPSHOT_UNPACK_CHUNK_BYTES,
} from './limits.js';

export const SNAPSHOT_FORMAT = 3;
export const SNAPSHOT_COMPRESSION = 'brotli';
type Compression = typeof SNAPSHOT_COMPRESSION | 'none';
const CHECKSUM_AT = 4;
const HEADER_AT = CHECKSUM_AT + 32;
/** Measured, see README: higher ones take longer for hardly less. */
const BROTLI_QUALITY = 1;

/** What must be the same for a snapshot to be taken up. */
export interface WorldShape {
  game: string;
  seed: number;
  bots: number;
  zoneColumns: number;
  zoneCount: number;
  worldWidth: number;
  worldHeight: number;
  rowCapacity: number;
  cellSize: number;
}

/** Which world it is, of all that may have the same shape. */
export interface WorldIdentity extends WorldShape {
  /** A UUID, made when the world began. */
  worldId: string;
  /** The server that took it, by its random token; see recovery/own-writers.ts. */
  writer?: string;
  /** Of the game, and the hash of its code; snapshots of earlier servers have neither. */
  gameVersion?: number;
  code?: string;
}

/** What a copy of a zone is; the header without how it is stored. */
interface ZoneHead extends WorldIdentity {
  zone: number;
  /** Of the session that took it; ticks of different sessions are not one order. */
  epoch: number;
  tick: number;
  takenAtMs: number;
  rows: number;
  mirrorFirst: number;
  mirrors: number;
  ids: number;
  columns: ColumnSpec[];
  /** Only where the world has cells. */
  cells?: CellsHeader;
  /** Only where the game has messages: words of the zone's posts. */
  posts?: number;
}

export interface SnapshotHeader extends ZoneHead {
  format: number;
  compression: string;
  bodyBytes: number;
}

/** The body is the only view of its buffer, so that it can be moved to another thread. */
export interface ZoneCopy {
  head: ZoneHead;
  body: Uint8Array<ArrayBuffer>;
}

export interface PackedZone {
  /** The only view of its buffer too. */
  bytes: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the bytes in hex, as the cold store wants it. */
  checksum: string;
}

export interface ZoneSnapshot {
  header: SnapshotHeader;
  scalars: Int32Array;
  globals: Float64Array;
  marks: Int32Array;
  /** Cells of the rows, then of the mirrors. */
  columns: Map<string, AnyColumn>;
  cells?: CellsSnapshot;
  posts?: Int32Array;
}

interface Section {
  type: ColumnType;
  cells: number;
}

/** What the body holds, in its order. */
function listSections({ rows, mirrors, ids, columns, cells, posts }: ZoneHead): Section[] {
  return [
    { type: 'i32', cells: SCALAR_COUNT },
    { type: 'f64', cells: GLOBALS_COUNT },
    { type: 'i32', cells: ZONES_MAX },
    ...columns.map(
      ({ type, role, length = 1 }): Section => ({ type, cells: role === 'id' ? ids : (rows + mirrors) * length }),
    ),
    ...(cells === undefined ? [] : [{ type: 'u8', cells: bytesOfCells(cells) } as const]),
    ...(posts === undefined ? [] : [{ type: 'i32', cells: posts } as const]),
  ];
}

function sumBytes(sections: readonly Section[]): number {
  return sections.reduce((sum, { type, cells }) => sum + cells * COLUMN_BYTES[type], 0);
}

/** Undefined: the zone commits faster than this thread can copy, which the caller answers by trying again. */
export function copyZone(
  world: WorldBuffer,
  shape: WorldIdentity,
  epoch: number,
  takenAtMs: number,
): ZoneCopy | undefined {
  const held = world.hold();
  const block = world.committed;
  const { scalars, globals, marks, columns: cells } = block;
  const described = describeCells(block, world.layout);
  const mirrorFirst = scalars[SCALAR_MIRROR_FIRST];
  const head: ZoneHead = {
    ...shape,
    zone: world.zoneId,
    epoch,
    tick: scalars[SCALAR_TICK],
    takenAtMs,
    rows: scalars[SCALAR_ROW_LIMIT],
    mirrorFirst,
    mirrors: Math.max(0, scalars[SCALAR_MIRROR_LIMIT] - mirrorFirst),
    ids: scalars[SCALAR_ID_LIMIT],
    columns: world.layout.columns.map(describeColumn),
    ...(described && { cells: described }),
    ...(block.posts && { posts: postsBytes(scalars[SCALAR_POSTS]) / 4 }),
  };
  const bodyBytes = sumBytes(listSections(head));
  assert(bodyBytes <= SNAPSHOT_BODY_BYTES_MAX, 'a zone fits a snapshot', bodyBytes);
  const body = new Uint8Array(bodyBytes);
  let at = 0;
  const append = (array: AnyColumn, first: number, count: number): void => {
    const { BYTES_PER_ELEMENT: size, buffer, byteOffset } = array;
    body.set(new Uint8Array(buffer, byteOffset + first * size, count * size), at);
    at += count * size;
  };
  append(scalars, 0, SCALAR_COUNT);
  append(globals, 0, GLOBALS_COUNT);
  append(marks, 0, ZONES_MAX);
  // Of rows that do not have a column's component the body keeps its zeros.
  const appendHaving = ({ name, length = 1 }: ColumnPlace, component: number, first: number, rows: number): void => {
    const { components } = world.layout;
    const { BYTES_PER_ELEMENT: size, buffer, byteOffset } = cells[name];
    const rowBytes = size * length;
    eachRun(cells, components as ComponentsPlace, component, first, first + rows, (start, end) => {
      const run = new Uint8Array(buffer, byteOffset + start * rowBytes, (end - start) * rowBytes);
      body.set(run, at + (start - first) * rowBytes);
    });
    at += rows * rowBytes;
  };
  for (const column of world.layout.columns) {
    const { name, role, length = 1, component } = column;
    if (component !== undefined) {
      appendHaving(column, component, 0, head.rows);
      appendHaving(column, component, mirrorFirst, head.mirrors);
      continue;
    }
    append(cells[name], 0, role === 'id' ? head.ids : head.rows * length);
    if (role !== 'id') append(cells[name], mirrorFirst * length, head.mirrors * length);
  }
  for (const part of listCellParts(block, described)) append(part, 0, part.length);
  if (block.posts !== undefined) append(block.posts, 0, head.posts ?? 0);
  return world.isHeld(held) ? { head, body } : undefined;
}

export function packZone(copy: ZoneCopy): PackedZone {
  const bytes = frame(copy, SNAPSHOT_COMPRESSION);
  return { bytes, checksum: sha256(bytes) };
}

/** At once, on the calling thread, which is why it does not compress. */
export function packPlain(copy: ZoneCopy): Buffer {
  return Buffer.from(frame(copy, 'none').buffer);
}

export function scalarsOf({ body }: ZoneCopy): Int32Array {
  return new Int32Array(body.buffer, 0, SCALAR_COUNT);
}

function frame({ head, body }: ZoneCopy, compression: Compression): Uint8Array<ArrayBuffer> {
  const stored = compression === 'none' ? body : compress(body);
  const header: SnapshotHeader = { format: SNAPSHOT_FORMAT, ...head, compression, bodyBytes: body.length };
  const text = Buffer.from(JSON.stringify(header));
  assert(text.length <= SNAPSHOT_HEADER_BYTES_MAX, 'the header of a snapshot is small', text.length);
  const bytes = new Uint8Array(HEADER_AT + text.length + stored.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, HEADER_AT);
  bytes.set(stored, HEADER_AT + text.length);
  bytes.set(hashOf(bytes.subarray(HEADER_AT)), CHECKSUM_AT);
  return bytes;
}

function compress(body: Uint8Array): Buffer {
  return brotliCompressSync(body, {
    params: { [zlib.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY, [zlib.BROTLI_PARAM_SIZE_HINT]: body.length },
  });
}

/** Throws with the reason when the bytes are not a whole snapshot. Allocates no more than a whole one may need. */
export function decodeZone(bytes: Uint8Array): ZoneSnapshot {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { header, body } = readFormat(buffer);
  let at = 0;
  const [scalars, globals, marks, ...columns] = listSections(header).map(({ type, cells }): AnyColumn => {
    const start = body.byteOffset + at;
    at += cells * COLUMN_BYTES[type];
    return new COLUMN_ARRAYS[type](body.buffer.slice(start, body.byteOffset + at) as ArrayBuffer);
  });
  const cells = header.cells && { ...header.cells, bytes: columns[header.columns.length] as Uint8Array };
  return {
    header,
    ...(cells && { cells }),
    ...(header.posts !== undefined && { posts: columns.at(-1) as Int32Array }),
    scalars: scalars as Int32Array,
    globals: globals as Float64Array,
    marks: marks as Int32Array,
    columns: new Map(header.columns.map(({ name }, index) => [name, columns[index]])),
  };
}

interface Parts {
  header: SnapshotHeader;
  body: Uint8Array;
}

function readFormat(buffer: Buffer): Parts {
  const headBytes = buffer.length >= HEADER_AT ? buffer.readUInt32LE(0) : 0;
  if (headBytes === 0 || headBytes > buffer.length - HEADER_AT) {
    throw new Error('its header is cut short');
  }
  if (!hashOf(buffer.subarray(HEADER_AT)).equals(buffer.subarray(CHECKSUM_AT, HEADER_AT))) {
    throw new Error('its checksum does not match');
  }
  // From here on the bytes are those that were written, but for the length of the header.
  const stored = buffer.subarray(HEADER_AT + headBytes);
  const header = checkHeader(parseHeader(buffer.subarray(HEADER_AT, HEADER_AT + headBytes)));
  const bodyBytes = sumBytes(listSections(header));
  if (header.format !== SNAPSHOT_FORMAT) {
    throw new Error(`its format is ${header.format}, this server reads ${SNAPSHOT_FORMAT}`);
  }
  if (header.bodyBytes !== bodyBytes) {
    throw new Error(`its header says ${header.bodyBytes} bytes, and names columns of ${bodyBytes}`);
  }
  if (header.compression === 'none') {
    return { header, body: checkLength(stored, bodyBytes) };
  }
  if (header.compression !== SNAPSHOT_COMPRESSION) {
    throw new Error(`its compression is ${header.compression}, this server reads ${SNAPSHOT_COMPRESSION} and none`);
  }
  return { header, body: unpack(stored, bodyBytes) };
}

/** Never holds more than twice of what it is told to find, whatever the bytes would grow to. */
function unpack(stored: Uint8Array, bodyBytes: number): Buffer {
  let body: Buffer;
  try {
    body = brotliDecompressSync(stored, { maxOutputLength: bodyBytes, chunkSize: SNAPSHOT_UNPACK_CHUNK_BYTES });
  } catch (error) {
    throw new Error(`its body cannot be unpacked to ${bodyBytes} bytes: ${(error as Error).message}`);
  }
  return checkLength(body, bodyBytes);
}

function checkLength(body: Buffer, bodyBytes: number): Buffer {
  if (body.length !== bodyBytes) {
    throw new Error(`its body has ${body.length} bytes instead of ${bodyBytes}`);
  }
  return body;
}

function parseHeader(bytes: Buffer): SnapshotHeader {
  if (bytes.length > SNAPSHOT_HEADER_BYTES_MAX) {
    throw new Error(`its header has ${bytes.length} bytes; allowed: ${SNAPSHOT_HEADER_BYTES_MAX}`);
  }
  try {
    return JSON.parse(bytes.toString()) as SnapshotHeader;
  } catch {
    throw new Error('its header cannot be read');
  }
}

/** All that the rest relies on: counts within their limits, columns with a name of their own and a type. */
function checkHeader(header: SnapshotHeader): SnapshotHeader {
  if (header === null || typeof header !== 'object') {
    throw new Error('its header is no object');
  }
  const { rows, mirrorFirst, mirrors, ids, rowCapacity, zone, epoch, tick, takenAtMs, columns } = header;
  if (!isCount(rowCapacity, SNAPSHOT_ROWS_MAX) || !isCount(rows, rowCapacity) || !isCount(ids, rowCapacity)) {
    throw new Error(`its header says ${rows} rows and ${ids} ids, of ${rowCapacity}; allowed: ${SNAPSHOT_ROWS_MAX}`);
  }
  if (
    !isCount(mirrorFirst, rowCapacity) ||
    !isCount(mirrors, Math.min(rowCapacity - mirrorFirst, rowCapacity - rows))
  ) {
    throw new Error(`its header says ${mirrors} mirrors from row ${mirrorFirst} of ${rowCapacity}`);
  }
  if (!isCount(zone, ZONES_MAX - 1) || ![epoch, tick, takenAtMs].every(Number.isFinite)) {
    throw new Error(`its header says zone ${zone}, session ${epoch}, tick ${tick}, taken at ${takenAtMs}`);
  }
  if (
    !Array.isArray(columns) ||
    !columns.every(isColumn) ||
    new Set(columns.map(({ name }) => name)).size < columns.length
  ) {
    throw new Error('its header names no columns, or one of them twice or without a type');
  }
  if (header.posts !== undefined && !isCount(header.posts, postsBytes(2 * POSTS_MAX) / 4)) {
    throw new Error(`its header says that ${header.posts} words are posts`);
  }
  if (header.cells !== undefined && !isCellsHeader(header.cells)) {
    throw new Error('its header says of cells what cannot be');
  }
  const bodyBytes = sumBytes(listSections(header));
  if (bodyBytes > SNAPSHOT_BODY_BYTES_MAX) {
    throw new Error(`its header says ${bodyBytes} bytes; allowed: ${SNAPSHOT_BODY_BYTES_MAX}`);
  }
  return header;
}

function isCount(value: unknown, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max;
}

function isCellsHeader(cells: Partial<CellsHeader> | null): boolean {
  return (
    isCount(cells?.count, CELLS_MAX) &&
    isCount(cells?.queueRecords, CELL_QUEUE_RECORDS) &&
    isCount(cells?.queueRecordBytes, SNAPSHOT_BODY_BYTES_MAX) &&
    Array.isArray(cells?.rowColumns) &&
    cells.rowColumns.every(isColumn)
  );
}

function isColumn(column: { name?: unknown; type?: unknown; length?: unknown } | null): boolean {
  return (
    (column?.length === undefined || (isCount(column.length, FIELD_LENGTH_MAX) && column.length !== 0)) &&
    typeof column?.name === 'string' &&
    typeof column.type === 'string' &&
    Object.hasOwn(COLUMN_BYTES, column.type)
  );
}

function hashOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
