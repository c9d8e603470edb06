// Typed views over a world buffer, which world-layout.ts draws, and the three ways to use one: commit (tick thread), read
// what was committed (any thread), restore (the thread that replaces a dead one). Main creates the buffer, other threads
// attach. Only commit and restore copy.

import { assert } from '../../base/assert.js';
import { GLOBALS_COUNT, ZONES_MAX } from '../../engine/limits.js';
import { RETURNING_IDS_KEPT, STILL_ROWS_MAX } from '../limits.js';
import { COUNTER, COUNTER_COUNT } from '../tables/zone-counters.js';
import { type AnyColumn, COLUMN_ARRAYS } from './column-types.js';
import { CHUNK_ROWS, CHUNK_SHIFT, listSets } from './component-rows.js';
import { postsBytes } from './post-layout.js';
import * as L from './world-layout.js';

/** State of cells, by local cell. */
export interface CellArrays {
  /** Version of the cell's record in the store, as last stored or loaded; 0: never stored. */
  version: Float64Array;
  state: Int32Array;
  /** Tick at which the cell came into its state. */
  since: Int32Array;
  /** While the cell is loading: rows of its record that are here already. */
  taken: Int32Array;
  queue: Uint8Array;
}

/** Views over one block. */
export interface Block {
  scalars: Int32Array;
  globals: Float64Array;
  marks: Int32Array;
  columns: Record<string, AnyColumn>;
  /** Absent: the world is not cut into cells. */
  cells?: CellArrays;
  /** As words; absent: the game has no messages. */
  posts?: Int32Array;
}

export const LIVE_BLOCK = 0;

export class WorldBuffer {
  /** All of the buffer. */
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly counters: Float64Array;
  /** Live, committed, committed. */
  readonly blocks: readonly Block[];
  /** Tick thread only: how far it has claimed its outgoing rings. It sets them before a commit, which carries them. */
  readonly claims = new Int32Array(L.CLAIM_COUNT);
  /** Tick thread only: ids that wait for room in those rings. */
  readonly returningIds: number[] = [];
  /** Components of each chunk of the block that is copied; empty in a game without them. */
  private readonly chunkSets: Int32Array;
  private readonly outboxes: readonly Int32Array[];
  /** Tick thread only: the newest committed block has the rows of the older one. */
  private wasStill = false;
  /** Tick thread only: the column that was found to differ last, which is where things move. */
  private movingColumn = 0;

  constructor(
    readonly buffer: SharedArrayBuffer,
    readonly layout: L.WorldLayout,
  ) {
    this.words = new Int32Array(buffer);
    assert(this.words[L.MAGIC] === L.WORLD_MAGIC, 'this is a world buffer', this.words[L.MAGIC]);
    assert(this.words[L.VERSION] === L.WORLD_VERSION, 'its layout is of this version', this.words[L.VERSION]);
    assert(this.words[L.LAYOUT_HASH] === layout.hash, 'both sides know the same columns', this.words[L.LAYOUT_HASH]);
    assert(this.words[L.ROW_CAPACITY] === layout.rowCapacity, 'both sides know the same capacity');
    this.chunkSets = new Int32Array(layout.components === undefined ? 0 : layout.rowCapacity / CHUNK_ROWS);
    this.bytes = new Uint8Array(buffer);
    this.counters = new Float64Array(buffer, L.COUNTERS_OFFSET, COUNTER_COUNT);
    this.outboxes = [0, 1].map(
      (index) => new Int32Array(buffer, L.OUTBOXES_OFFSET + index * L.OUTBOX_WORDS * 4, L.OUTBOX_WORDS),
    );
    this.blocks = [0, 1, 2].map((index) => viewBlock(buffer, layout, L.BLOCKS_OFFSET + index * layout.blockBytes));
  }

  static create(layout: L.WorldLayout, zoneId: number): SharedArrayBuffer {
    const buffer = new SharedArrayBuffer(layout.totalBytes);
    const words = new Int32Array(buffer, 0, L.COUNTERS_OFFSET / 4);
    words[L.MAGIC] = L.WORLD_MAGIC;
    words[L.VERSION] = L.WORLD_VERSION;
    words[L.LAYOUT_HASH] = layout.hash;
    words[L.ZONE_ID] = zoneId;
    words[L.ROW_CAPACITY] = layout.rowCapacity;
    return buffer;
  }

  get zoneId(): number {
    return this.words[L.ZONE_ID];
  }

  /** Index in `blocks` of the block that was committed last. */
  get committedIndex(): number {
    return indexOf(Atomics.load(this.words, L.COMMITS)); // acquire: the block it names is whole
  }

  /** The block that was committed last: what readers look at. */
  get committed(): Block {
    return this.blocks[this.committedIndex];
  }

  /** Reader, before it takes the committed block. What it reads then is one tick's state as long as isHeld() is true. */
  hold(): number {
    return Atomics.load(this.words, L.COMMITS) & ~1; // acquire: the block taken after this is at least as new
  }

  /** Reader, after reading. False: the block may have been overwritten meanwhile, and what was read may mix two ticks. */
  isHeld(held: number): boolean {
    // release: adds 0, so that a commit that begins after this overwrites the block after it was read. A load would not
    // order the plain reads before it, see world-layout.ts.
    return ((Atomics.add(this.words, L.COMMITS, 0) - held) | 0) <= 2;
  }

  /**
   * Tick thread only. All rows, ids and mirrors are as they were committed last. It is found by comparing, since whoever
   * writes columns says nothing of it; scalars, globals, marks and cells are left out. A zone of many rows is never still.
   */
  isStill(): boolean {
    const { layout, words, blocks, movingColumn } = this;
    const committed = this.committedIndex;
    const live = blocks[LIVE_BLOCK].scalars;
    const then = blocks[committed].scalars;
    const rowLimit = live[L.SCALAR_ROW_LIMIT];
    const mirrorFirst = live[L.SCALAR_MIRROR_FIRST];
    const mirrorLimit = Math.max(mirrorFirst, live[L.SCALAR_MIRROR_LIMIT]);
    if (rowLimit + mirrorLimit - mirrorFirst > STILL_ROWS_MAX || live[L.SCALAR_ID_LIMIT] > STILL_ROWS_MAX) return false;
    for (let i = L.SCALAR_ROW_LIMIT; i <= L.SCALAR_MIRROR_LIMIT; i++) {
      if (live[i] !== then[i] && i !== L.SCALAR_RANDOM) return false;
    }
    const apart = (committed * layout.blockBytes) >> 2;
    for (let i = 0; i < layout.columns.length; i++) {
      const column = (movingColumn + i) % layout.columns.length;
      const { offset, bytes, role } = layout.columns[column];
      const start = L.BLOCKS_OFFSET + offset;
      const isSame =
        role === 'id'
          ? isSameInBoth(words, apart, start, start + live[L.SCALAR_ID_LIMIT] * bytes)
          : isSameInBoth(words, apart, start, start + rowLimit * bytes) &&
            isSameInBoth(words, apart, start + mirrorFirst * bytes, start + mirrorLimit * bytes);
      if (!isSame) {
        this.movingColumn = column;
        return false;
      }
    }
    return true;
  }

  /**
   * Tick thread only. Copies the live block over the older committed block and turns readers to it. `isStill`: what isStill()
   * has answered, and no row has been touched since. If the commit before was still too, both blocks have the rows already.
   */
  commit(isStill = false): void {
    // acquire: the writes below come after the reads of readers that have called isHeld(). publish: readers that call it
    // from now on learn that the older block is overwritten. The count is odd already if a thread died while it copied.
    const begun = Atomics.or(this.words, L.COMMITS, 1) | 1;
    this.copyBlock(LIVE_BLOCK, 3 - indexOf(begun), isStill && this.wasStill);
    this.fillOutbox(this.outboxes[2 - indexOf(begun)]);
    Atomics.add(this.words, L.COMMITS, 1); // publish: everything copied above is readable
    // publish: whoever sees it finds those rows in the block. A reader between these two lines is one tick late, and reads.
    if (!isStill) Atomics.add(this.words, L.CHANGES, 1);
    this.wasStill = isStill;
  }

  /** Replacing tick thread only. The live block becomes what was committed last. */
  restore(): void {
    const committed = indexOf(this.words[L.COMMITS]);
    this.copyBlock(committed, LIVE_BLOCK, false);
    this.takeUpOutbox(this.outboxes[committed - 1]);
    // A lost tick may have used ids and rows for the first time, beyond the limits of what was committed. Those ids begin
    // again with their first generation. Those rows are no entities: a journal would take them for known ones.
    const { scalars, columns } = this.blocks[LIVE_BLOCK];
    const rowLimit = scalars[L.SCALAR_ROW_LIMIT];
    for (const { name, role } of this.layout.columns) {
      if (role === 'id') columns[name].fill(0, scalars[L.SCALAR_ID_LIMIT]);
      if (role !== 'alive') continue;
      columns[name].fill(0, rowLimit, Math.max(rowLimit, scalars[L.SCALAR_MIRROR_FIRST]));
      columns[name].fill(0, Math.max(rowLimit, scalars[L.SCALAR_MIRROR_LIMIT]));
    }
  }

  private fillOutbox(outbox: Int32Array): void {
    const { claims, returningIds } = this;
    outbox.set(claims);
    outbox[L.RETURNING_ID_COUNT] = returningIds.length;
    const kept = Math.min(returningIds.length, RETURNING_IDS_KEPT);
    for (let i = 0; i < kept; i++) outbox[L.RETURNING_IDS + i] = returningIds[i];
  }

  private takeUpOutbox(outbox: Int32Array): void {
    const count = outbox[L.RETURNING_ID_COUNT];
    const kept = Math.min(count, RETURNING_IDS_KEPT);
    this.claims.set(outbox.subarray(0, L.CLAIM_COUNT));
    this.returningIds.length = 0;
    for (let i = 0; i < kept; i++) this.returningIds.push(outbox[L.RETURNING_IDS + i]);
    this.counters[COUNTER.idsLost] += count - kept;
  }

  /** `isAlike`: both have the same rows, ids and mirrors already. */
  private copyBlock(source: number, target: number, isAlike: boolean): void {
    this.copyHead(source, target);
    if (!isAlike) this.copyColumns(source, target);
  }

  /** All of a block but its columns. */
  private copyHead(source: number, target: number): void {
    const { layout, bytes, blocks } = this;
    const sourceStart = L.BLOCKS_OFFSET + source * layout.blockBytes;
    const targetStart = L.BLOCKS_OFFSET + target * layout.blockBytes;
    bytes.copyWithin(targetStart, sourceStart, sourceStart + L.COLUMNS_IN_BLOCK);
    const { cells, posts } = layout;
    if (cells !== undefined) {
      const limit = sourceStart + cellsLimit(cells, blocks[source].scalars);
      bytes.copyWithin(targetStart + cells.offset, sourceStart + cells.offset, limit);
    }
    if (posts === undefined) return;
    const limit = sourceStart + posts.offset + postsBytes(blocks[source].scalars[L.SCALAR_POSTS]);
    bytes.copyWithin(targetStart + posts.offset, sourceStart + posts.offset, limit);
  }

  /** @hot Of a column of a component: the chunks from row `first` on that have it, a run of them at a time. */
  private copyChunks(from: number, to: number, size: number, bit: number, first: number, limit: number): void {
    const { chunkSets, bytes } = this;
    const chunkLimit = (limit + CHUNK_ROWS - 1) >> CHUNK_SHIFT;
    const chunkBytes = CHUNK_ROWS * size;
    for (let chunk = first >> CHUNK_SHIFT; chunk < chunkLimit; chunk++) {
      const start = chunk;
      while (chunk < chunkLimit && (chunkSets[chunk] & bit) !== 0) {
        chunk++;
      }
      if (chunk > start)
        bytes.copyWithin(to + start * chunkBytes, from + start * chunkBytes, from + chunk * chunkBytes);
    }
  }

  private copyColumns(source: number, target: number): void {
    const { layout, bytes } = this;
    const sourceStart = L.BLOCKS_OFFSET + source * layout.blockBytes;
    const targetStart = L.BLOCKS_OFFSET + target * layout.blockBytes;
    const scalars = this.blocks[source].scalars;
    const rowLimit = scalars[L.SCALAR_ROW_LIMIT];
    const idLimit = scalars[L.SCALAR_ID_LIMIT];
    const mirrorFirst = scalars[L.SCALAR_MIRROR_FIRST];
    const mirrorLimit = scalars[L.SCALAR_MIRROR_LIMIT];
    if (layout.components !== undefined) {
      listSets(this.blocks[source].columns, layout.components, 0, rowLimit, this.chunkSets);
      listSets(this.blocks[source].columns, layout.components, mirrorFirst, mirrorLimit, this.chunkSets);
    }
    for (let i = 0; i < layout.columns.length; i++) {
      const { offset, bytes: size, role, component } = layout.columns[i];
      const from = sourceStart + offset;
      const to = targetStart + offset;
      if (component !== undefined) {
        this.copyChunks(from, to, size, 1 << component, 0, rowLimit);
        this.copyChunks(from, to, size, 1 << component, mirrorFirst, mirrorLimit);
        continue;
      }
      bytes.copyWithin(to, from, from + wholeWords((role === 'id' ? idLimit : rowLimit) * size));
      if (role !== 'id' && mirrorLimit > mirrorFirst)
        bytes.copyWithin(to + mirrorFirst * size, from + mirrorFirst * size, from + wholeWords(mirrorLimit * size));
    }
  }
}

/** Up to three bytes of rows beyond the limit are copied and compared too. Capacities are multiples of 64, so there is room. */
function wholeWords(bytes: number): number {
  return (bytes + 3) & ~3;
}

/** @hot Whether bytes of the live block are the same in another one, which lies `apart` words behind it. */
function isSameInBoth(words: Int32Array, apart: number, start: number, limit: number): boolean {
  const wordLimit = wholeWords(limit) >> 2;
  for (let word = start >> 2; word < wordLimit; word++) {
    if (words[word] !== words[word + apart]) return false;
  }
  return true;
}

/** The block that was committed last. The second bit of the count names it, so the count may wrap. */
function indexOf(commits: number): number {
  return 1 + ((commits >> 1) & 1);
}

/** End of the part of the cells that is in use, from the beginning of a block. */
function cellsLimit(cells: L.CellsPlace, scalars: Int32Array): number {
  return cells.queueOffset + scalars[L.SCALAR_CELL_QUEUE] * cells.queueRecordBytes;
}

function viewBlock(buffer: SharedArrayBuffer, layout: L.WorldLayout, start: number): Block {
  const columns: Record<string, AnyColumn> = {};
  for (const { name, type, offset, length = 1 } of layout.columns) {
    const ArrayType = COLUMN_ARRAYS[type] as new (
      buffer: SharedArrayBuffer,
      offset: number,
      length: number,
    ) => AnyColumn;
    columns[name] = new ArrayType(buffer, start + offset, layout.rowCapacity * length);
  }
  const block: Block = {
    scalars: new Int32Array(buffer, start, L.SCALAR_COUNT),
    globals: new Float64Array(buffer, start + L.GLOBALS_IN_BLOCK, GLOBALS_COUNT),
    marks: new Int32Array(buffer, start + L.MARKS_IN_BLOCK, ZONES_MAX),
    columns,
  };
  if (layout.cells !== undefined) block.cells = viewCells(buffer, layout.cells, start);
  if (layout.posts !== undefined) {
    const { offset, capacity } = layout.posts;
    block.posts = new Int32Array(buffer, start + offset, postsBytes(capacity) / 4);
  }
  return block;
}

function viewCells(buffer: SharedArrayBuffer, cells: L.CellsPlace, start: number): CellArrays {
  const { count, queueRecords, queueRecordBytes } = cells;
  const words = start + cells.offset + count * 8;
  return {
    version: new Float64Array(buffer, start + cells.offset, count),
    state: new Int32Array(buffer, words, count),
    since: new Int32Array(buffer, words + count * 4, count),
    taken: new Int32Array(buffer, words + count * 8, count),
    queue: new Uint8Array(buffer, start + cells.queueOffset, queueRecords * queueRecordBytes),
  };
}
