// The bytes of a world buffer: the whole state of one zone in one SharedArrayBuffer.
// Writers: main writes the descriptor line once; from then on only the zone's tick thread writes.
// Readers: main, the I/O thread, neighbouring zones and the thread that replaces the tick thread. All of them read committed
// blocks only.
//
//  0            128           256            2304                           36096
//  | descriptor | commit line | counters f64 | outbox of block 1, of block 2 | block 0: live | block 1: committed | block 2: committed |
//    main, once   tick thread   tick thread    tick thread                     tick thread     readers look where COMMITS says
//
// A block is   | scalars i32 x 64 | globals f64 x 64 | marks i32 x 64 | column | column | ... | cells |
//
// Row capacity is a multiple of 64, so every column begins aligned. The three blocks are laid out alike: a commit is one
// copy per column, a restore is one copy back.
//
// Cells, where the world has them:   | version f64 x n | state i32 x n | since i32 x n | taken i32 x n | queue records |
// The queue comes last, so that only the part of it that is in use is copied. Behind it, where the game has messages, stand the
// posts of the zone: see post-layout.ts.
//
// Outbox, one for each committed block:   | claims i32 x 127 | ids that wait i32 | ids u32 x 4096 |
// What the zone had claimed of its outgoing rings when it committed the block, and which ids had found no room in them. A
// thread that dies between its commit and the publishing leaves whole records behind: its successor publishes up to the
// claims. This is about the rings of this process, so it stands outside of the blocks: no snapshot carries it.
//
// The two committed blocks take turns. A tick thread that dies during a commit leaves the other one intact, and a reader
// has at least one whole tick to copy what was committed last before that block is overwritten.
//
// Each commit raises COMMITS twice, before it copies and after: it is 2n when n commits are done, and 2n + 1 while the next
// one copies. That names the block that was committed last (n odd: block 2). A reader that began at 2n checks it again
// after reading: if it has grown by more than 2, its block may have been overwritten. A thread that dies while it copies
// leaves the count odd; its successor's first commit overwrites the same block and goes on from there.
//
// CHANGES, beside COMMITS, grows behind a commit whose rows are not those of the commit before it: a reader that notes it
// before it reads, and finds it unchanged later, has read what there is.
//
// Every access that orders (both raises, and the reader's check, which adds 0) is an atomic read-modify-write, so all of
// them have one order, and each sees what those before it did. Either the reader's check comes first, and the block is
// overwritten after it was read, or it comes later and finds the count raised. A store followed by plain writes, or
// plain reads followed by a load, would promise neither: processors such as ARM's do reorder them.

import { assert } from '../../base/assert.js';
import { GLOBALS_COUNT, ZONES_MAX } from '../../engine/limits.js';
import { alignBytes } from '../alignment.js';
import { CACHE_LINE_BYTES, RETURNING_IDS_KEPT } from '../limits.js';
import { COUNTER_COUNT } from '../tables/zone-counters.js';
import { COLUMN_BYTES, type ColumnType } from './column-types.js';
import type { ComponentsPlace } from './component-rows.js';
import { type PostsPlace, postsBytes } from './post-layout.js';

export const WORLD_MAGIC = 0x54535357;
export const WORLD_VERSION = 1;

// Words of the descriptor line.
export const MAGIC = 0;
export const VERSION = 1;
export const LAYOUT_HASH = 2;
export const ZONE_ID = 3;
export const ROW_CAPACITY = 4;

// Words of the commit line, counted from the beginning of the buffer.
export const COMMITS = CACHE_LINE_BYTES / 4;
/** Grows behind a commit whose rows are not those of the commit before. A reader that finds it as it was need not read again. */
export const CHANGES = COMMITS + 1;

export const COUNTERS_OFFSET = 2 * CACHE_LINE_BYTES;

// Words of an outbox.
export const CLAIM_OF_EVENTS = 0;
/** And one for each target zone from here on. */
export const CLAIM_OF_HANDOFFS = 1;
export const CLAIM_COUNT = 127;
export const RETURNING_ID_COUNT = CLAIM_COUNT;
export const RETURNING_IDS = CLAIM_COUNT + 1;
export const OUTBOX_WORDS = RETURNING_IDS + RETURNING_IDS_KEPT;
export const OUTBOXES_OFFSET = COUNTERS_OFFSET + COUNTER_COUNT * 8;
export const BLOCKS_OFFSET = OUTBOXES_OFFSET + 2 * OUTBOX_WORDS * 4;

assert(CLAIM_OF_HANDOFFS + ZONES_MAX <= CLAIM_COUNT, 'every target zone has a claim');

// Scalars of a block.
export const SCALAR_TICK = 0;
export const SCALAR_ROW_LIMIT = 1;
export const SCALAR_ENTITY_COUNT = 2;
export const SCALAR_RANDOM = 3;
export const SCALAR_ID_LIMIT = 4;
export const SCALAR_POPULATED = 5;
/** Rows from MIRROR_FIRST on mirror entities of neighbouring zones; those below MIRROR_LIMIT may be in use. */
export const SCALAR_MIRROR_FIRST = 6;
export const SCALAR_MIRROR_LIMIT = 7;
/** Ticks of this zone that were written to the journal in this session; see journal-records.ts. */
export const SCALAR_JOURNALED = 8;
/** The last tick in which the game's schedules were looked at; 0: never. */
export const SCALAR_SCHEDULED = 30;
/** Records in the queue of cells. */
export const SCALAR_CELL_QUEUE = 32;
/** Posts that a zone keeps, and how many it has ever refused; see post-layout.ts. */
export const SCALAR_POSTS = 33;
export const SCALAR_POSTS_REFUSED = 34;
/** Own rows of kinds that are seen everywhere: how many are listed, and the list up to the last scalar. */
export const SCALAR_EVERYWHERE_COUNT = 40;
export const SCALAR_EVERYWHERE_ROWS = 41;
export const SCALAR_COUNT = 64;

const SCALARS_BYTES = SCALAR_COUNT * 4;
const GLOBALS_BYTES = GLOBALS_COUNT * 8;
const MARKS_BYTES = ZONES_MAX * 4;
export const GLOBALS_IN_BLOCK = SCALARS_BYTES;
/** Handoff records taken so far from each source zone's ring; committed with the entities they brought. */
export const MARKS_IN_BLOCK = GLOBALS_IN_BLOCK + GLOBALS_BYTES;
export const COLUMNS_IN_BLOCK = MARKS_IN_BLOCK + MARKS_BYTES;

/**
 * alive      not 0 where the row is an entity
 * id         one value per local id, not per row
 * transient  meaningful only within a tick and right after it
 */
export type ColumnRole = 'alive' | 'id' | 'transient';

export interface ColumnSpec {
  name: string;
  type: ColumnType;
  role?: ColumnRole;
  /** Values per row, one behind the other. Absent: one. */
  length?: number;
  /** The bit of the component that its rows belong to. Absent: all rows have it. */
  component?: number;
  /** What a new entity has there, and one that was stored without the column. Absent: 0. */
  initial?: number;
}

export interface ColumnPlace extends ColumnSpec {
  /** Of one row. */
  bytes: number;
  /** From the beginning of a block. */
  offset: number;
}

/** What a zone needs room for when its world is cut into cells. */
export interface CellsSpec {
  /** Cells of one zone. */
  count: number;
  queueRecords: number;
  queueRecordBytes: number;
  /** What a packed row consists of, in this order. */
  rowColumns: readonly ColumnSpec[];
}

export interface CellsPlace extends CellsSpec {
  /** From the beginning of a block. */
  offset: number;
  queueOffset: number;
}

export interface WorldLayout {
  rowCapacity: number;
  columns: readonly ColumnPlace[];
  /** Absent: the world is not cut into cells. */
  cells?: CellsPlace;
  /** Absent: the game has no messages. */
  posts?: PostsPlace;
  /** Absent: no column belongs to a component. */
  components?: ComponentsPlace;
  blockBytes: number;
  totalBytes: number;
  hash: number;
}

export function layOutWorld(
  columns: readonly ColumnSpec[],
  rowCapacity: number,
  cells?: CellsSpec,
  posts = 0,
  components?: ComponentsPlace,
): WorldLayout {
  assert(rowCapacity > 0 && rowCapacity % 64 === 0, 'row capacity is a multiple of 64', rowCapacity);
  let offset = COLUMNS_IN_BLOCK;
  let hash = 0x811c9dc5;
  const places: ColumnPlace[] = [];
  for (const column of columns) {
    const bytes = bytesOfColumn(column);
    places.push({ ...column, bytes, offset });
    offset += rowCapacity * bytes;
    const length = column.length === undefined ? '' : `[${column.length}]`;
    for (const character of `${column.name}:${column.type}${length};`) {
      hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
    }
  }
  const place = cells && placeCells(cells, offset);
  if (place !== undefined) {
    offset = place.queueOffset + place.queueRecords * place.queueRecordBytes;
    hash = Math.imul(hash ^ place.count ^ (place.queueRecordBytes << 20), 0x01000193);
  }
  const postsPlace = posts === 0 ? undefined : { offset: alignBytes(offset, 8), capacity: posts };
  if (postsPlace !== undefined) offset = postsPlace.offset + postsBytes(posts);
  const blockBytes = alignBytes(offset, CACHE_LINE_BYTES);
  return {
    ...{ rowCapacity, columns: places, blockBytes, totalBytes: BLOCKS_OFFSET + 3 * blockBytes, hash },
    ...(place && { cells: place }),
    ...(postsPlace && { posts: postsPlace }),
    ...(components && { components }),
  };
}

const CELL_BYTES = 8 + 3 * 4;

function placeCells(cells: CellsSpec, start: number): CellsPlace {
  assert(cells.queueRecordBytes % 8 === 0, 'queue records are aligned', cells.queueRecordBytes);
  const offset = alignBytes(start, 8);
  return { ...cells, offset, queueOffset: alignBytes(offset + cells.count * CELL_BYTES, 8) };
}

/** Of one row, packed without gaps. */
export function rowBytesOf(columns: readonly ColumnSpec[]): number {
  return columns.reduce((sum, column) => sum + bytesOfColumn(column), 0);
}

/** Of one row. */
export function bytesOfColumn({ type, length = 1 }: ColumnSpec): number {
  return COLUMN_BYTES[type] * length;
}

/** A column as headers of stored bytes name it. */
export function describeColumn({ name, type, role, length }: ColumnSpec): ColumnSpec {
  return { name, type, ...(role !== undefined && { role }), ...(length !== undefined && { length }) };
}
