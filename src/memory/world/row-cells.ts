// Rows of several columns, copied and compared as integers. In a loop over arrays of different types V8 looks up the type at
// every access, which takes some 100 ns per cell. So all cells of 4 and 8 bytes are words of one Int32Array here, and the
// smaller ones bytes of one Uint8Array.
//
// Packed rows, outside of the world buffer, are two arrays. In each, rows stand one after the other:
//
//  words  | cells of 4 bytes: a word each, of 8 bytes: two words, in the order of the columns | next row ...
//  bytes  | cells of 1 byte: a byte each, of 2 bytes: two bytes                               | next row ...

import { COLUMN_BYTES } from './column-types.js';
import type { WorldBuffer } from './world-buffer.js';
import { BLOCKS_OFFSET, type ColumnPlace } from './world-layout.js';

export interface PackedRows {
  words: Int32Array;
  bytes: Uint8Array;
}

/** Where the integers of a row stand in a block: the one of row r at `starts[i] + r * steps[i]`. */
interface Places {
  starts: Int32Array;
  steps: Int32Array;
  /** Those of column c are `firsts[c]` to `firsts[c + 1]`; none if its cells are of the other kind. */
  firsts: Int32Array;
}

export class RowCells {
  private readonly words: Places;
  private readonly bytes: Places;

  constructor(columns: readonly ColumnPlace[]) {
    this.words = listPlaces(columns, (bytes) => bytes >= 4, 4);
    this.bytes = listPlaces(columns, (bytes) => bytes < 4, 1);
  }

  /** Room for so many rows. */
  createPacked(rowCount: number): PackedRows {
    return {
      words: new Int32Array(rowCount * this.words.starts.length),
      bytes: new Uint8Array(rowCount * this.bytes.starts.length),
    };
  }

  /** @hot The packed row `place` becomes that of a block. */
  pack(world: WorldBuffer, block: number, row: number, packed: PackedRows, place: number): void {
    const { words, bytes } = this;
    const start = BLOCKS_OFFSET + block * world.layout.blockBytes;
    packRow(world.words, start >> 2, words, row, packed.words, place);
    packRow(world.bytes, start, bytes, row, packed.bytes, place);
  }

  /** @hot The row of a block becomes the packed row `place`. */
  unpack(packed: PackedRows, place: number, world: WorldBuffer, block: number, row: number): void {
    const { words, bytes } = this;
    const start = BLOCKS_OFFSET + block * world.layout.blockBytes;
    unpackRow(packed.words, place, world.words, start >> 2, words, row);
    unpackRow(packed.bytes, place, world.bytes, start, bytes, row);
  }

  /** @hot By their bits: -0 differs from 0, and NaN equals itself. */
  isSame(world: WorldBuffer, block: number, row: number, packed: PackedRows, place: number): boolean {
    return this.isSamePart(world, block, row, packed, place, 0, this.words.firsts.length - 1);
  }

  /** @hot The cell of one column only. */
  isSameCell(
    world: WorldBuffer,
    block: number,
    row: number,
    packed: PackedRows,
    place: number,
    column: number,
  ): boolean {
    return this.isSamePart(world, block, row, packed, place, column, column + 1);
  }

  /** @hot Columns from `first` to `limit`. */
  private isSamePart(
    world: WorldBuffer,
    block: number,
    row: number,
    packed: PackedRows,
    place: number,
    first: number,
    limit: number,
  ): boolean {
    const { words, bytes } = this;
    const start = BLOCKS_OFFSET + block * world.layout.blockBytes;
    return (
      isSameRow(world.words, start >> 2, words, row, packed.words, place, words.firsts[first], words.firsts[limit]) &&
      isSameRow(world.bytes, start, bytes, row, packed.bytes, place, bytes.firsts[first], bytes.firsts[limit])
    );
  }
}

function listPlaces(columns: readonly ColumnPlace[], isOurs: (bytes: number) => boolean, unit: number): Places {
  const starts: number[] = [];
  const steps: number[] = [];
  const firsts = [0];
  for (const { offset, bytes, type } of columns) {
    // A column of arrays has several values per row, one after the other.
    const count = isOurs(COLUMN_BYTES[type]) ? bytes / unit : 0;
    for (let part = 0; part < count; part++) {
      starts.push(offset / unit + part);
      steps.push(count);
    }
    firsts.push(starts.length);
  }
  return { starts: Int32Array.from(starts), steps: Int32Array.from(steps), firsts: Int32Array.from(firsts) };
}

/** @hot */
function packRow<A extends Int32Array | Uint8Array>(
  source: A,
  blockStart: number,
  { starts, steps }: Places,
  row: number,
  target: A,
  place: number,
): void {
  const first = place * starts.length;
  for (let i = 0; i < starts.length; i++) {
    target[first + i] = source[blockStart + starts[i] + row * steps[i]];
  }
}

/** @hot */
function unpackRow<A extends Int32Array | Uint8Array>(
  source: A,
  place: number,
  target: A,
  blockStart: number,
  { starts, steps }: Places,
  row: number,
): void {
  const first = place * starts.length;
  for (let i = 0; i < starts.length; i++) {
    target[blockStart + starts[i] + row * steps[i]] = source[first + i];
  }
}

/** @hot */
function isSameRow<A extends Int32Array | Uint8Array>(
  array: A,
  blockStart: number,
  { starts, steps }: Places,
  row: number,
  packed: A,
  place: number,
  first: number,
  limit: number,
): boolean {
  const packedStart = place * starts.length;
  for (let i = first; i < limit; i++) {
    if (array[blockStart + starts[i] + row * steps[i]] !== packed[packedStart + i]) return false;
  }
  return true;
}
