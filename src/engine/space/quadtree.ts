// A linear quadtree over position columns, rebuilt each tick by a counting sort.
//
// There are no node objects. The area is a grid of 2^level x 2^level square leaves, numbered in Morton order (the bits of
// its column and line interleaved), and the rows are sorted by the number of their leaf:
//
//   leafStart   | 0 | 3 | 3 | 7 | ...      leaf i holds the sorted records leafStart[i] .. leafStart[i + 1]
//   sorted      | record | record | ...    in the order of their leaves, so that a query never leaves them
//   pending     | record | record | ...    in the order in which they were added
//
//   record      | x f32 | y f32 | row i32 | leaf i32 |    16 bytes: moving one touches one cache line
//
// In Morton order the four children of a node are neighbours, so a node at any level is one run of leaves and therefore
// one run of sorted places: its population is one subtraction, and an empty subtree costs no more than that.
//
// Rebuilding keeps no history: the same columns give the same order, whichever tick a replacing thread starts from. Within
// a leaf rows keep the order in which they were added. Moving only the rows whose leaf changed would still have to refresh
// every copied position in sorted order, which alone costs two fifths of a rebuild.
//
// Records rather than an array for each part: V8 checks type, length and base of every typed array again in each turn of a
// loop, so that a loop is as slow as the arrays it names are many. That took the rebuild of 100,000 rows from 1.4 to 1.0 ms.

import { assert } from '../../base/assert.js';
import { QUADTREE_LEVEL_MAX } from '../limits.js';

/**
 * A query walks the finest level at which it is at most this many nodes across. More nodes follow the circle closer but
 * each costs about as much as testing six points.
 */
const NODES_ACROSS_BITS = 3;
const NODES_ACROSS_MAX = 2 ** NODES_ACROSS_BITS;
/** A span of n leaves can touch one node more than n / nodeLeaves. */
const RANGES_MAX = (NODES_ACROSS_MAX + 1) * (NODES_ACROSS_MAX + 1);
/** Part of a leaf by which circles are widened or narrowed when whole nodes are judged: far above any rounding error. */
const SLACK_LEAVES = 2 ** -20;

const RECORD_WORDS = 4;
const X_WORD = 0;
const Y_WORD = 1;
const ROW_WORD = 2;
const LEAF_WORD = 3;

export interface QuadtreeOptions {
  originX: number;
  originY: number;
  width: number;
  height: number;
  /** Wanted side of a leaf; leaves are larger where the area would need more than 2^QUADTREE_LEVEL_MAX across. */
  leafSize: number;
  /** Most rows in one build. */
  capacity: number;
}

export class Quadtree {
  /** Rows in the tree. */
  count = 0;
  /** Rows of this build outside the area. They lie in the border leaves and make those endless. */
  strayCount = 0;
  readonly level: number;
  readonly leafSide: number;

  private readonly originX: number;
  private readonly originY: number;
  private readonly leavesPerUnit: number;
  private readonly lastColumn: number;
  private readonly lastLine: number;
  private readonly leafLimit: number;
  private readonly capacity: number;

  private readonly spread: Uint16Array;
  private readonly leafStart: Int32Array;
  private readonly pendingF32: Float32Array;
  private readonly pendingI32: Int32Array;
  private readonly sortedF32: Float32Array;
  private readonly sortedI32: Int32Array;

  /**
   * x, y and radius for collectCircleWithDistance(). They are no arguments because numbers are boxed at every call that is
   * not inlined, and a tick asks for thousands of circles.
   */
  readonly circle = new Float64Array(3);
  private readonly rangeStart = new Int32Array(RANGES_MAX);
  private readonly rangeLimit = new Int32Array(RANGES_MAX);
  private readonly rangeInside = new Uint8Array(RANGES_MAX);

  constructor({ originX, originY, width, height, leafSize, capacity }: QuadtreeOptions) {
    assert(width > 0 && height > 0 && leafSize > 0, 'a quadtree needs an area and a leaf size');
    assert(capacity > 0 && Number.isInteger(capacity), 'a quadtree needs a capacity', capacity);
    const side = Math.max(width, height);
    const leavesWanted = Math.ceil(side / leafSize);
    const leavesAcross = Math.min(leavesWanted, 2 ** QUADTREE_LEVEL_MAX);
    this.leafSide = leavesWanted > leavesAcross ? side / leavesAcross : leafSize;
    this.level = Math.ceil(Math.log2(leavesAcross));
    this.originX = originX;
    this.originY = originY;
    this.leavesPerUnit = 1 / this.leafSide;
    // The bound is for the rounding of side / leafSide, which may come out a hair above a whole number.
    this.lastColumn = Math.min(leavesAcross, Math.ceil(width / this.leafSide)) - 1;
    this.lastLine = Math.min(leavesAcross, Math.ceil(height / this.leafSide)) - 1;
    this.capacity = capacity;

    // Bits of a byte moved apart: leaf = spread[column] | spread[line] << 1. A table of 512 bytes beats the shifts and masks.
    this.spread = new Uint16Array(2 ** QUADTREE_LEVEL_MAX);
    for (let i = 0; i < this.spread.length; i++) {
      this.spread[i] = spreadBits(i);
    }
    // The far corner has the largest number, since interleaving keeps order along both axes.
    this.leafLimit = (this.spread[this.lastColumn] | (this.spread[this.lastLine] << 1)) + 1;
    this.leafStart = new Int32Array(this.leafLimit + 2);
    this.pendingF32 = new Float32Array(capacity * RECORD_WORDS);
    this.pendingI32 = new Int32Array(this.pendingF32.buffer);
    this.sortedF32 = new Float32Array(capacity * RECORD_WORDS);
    this.sortedI32 = new Int32Array(this.sortedF32.buffer);
  }

  /** One whole build over one range of rows. */
  build(alive: Uint8Array, positionX: Float32Array, positionY: Float32Array, rowStart: number, rowLimit: number): void {
    this.begin();
    this.add(alive, positionX, positionY, rowStart, rowLimit);
    this.finish();
  }

  /** Starts a build of several ranges: begin, add as often as needed, finish. No query in between. */
  begin(): void {
    this.leafStart.fill(0);
    this.count = 0;
    this.strayCount = 0;
  }

  /**
   * Adds the living rows of [rowStart, rowLimit). Queries answer with row + rowOffset, so that rows of another zone's columns
   * can be told from one's own.
   * @hot Once per entity per tick: no allocation.
   */
  add(
    alive: Uint8Array,
    positionX: Float32Array,
    positionY: Float32Array,
    rowStart: number,
    rowLimit: number,
    rowOffset = 0,
  ): void {
    assert(
      this.count + rowLimit - rowStart <= this.capacity || this.fits(alive, rowStart, rowLimit),
      'quadtree is full',
    );
    const { spread, leafStart, pendingF32, pendingI32 } = this;
    const { originX, originY, leavesPerUnit, lastColumn, lastLine } = this;
    const columnLimit = lastColumn + 1;
    const lineLimit = lastLine + 1;
    let word = this.count * RECORD_WORDS;
    let strayCount = this.strayCount;
    for (let row = rowStart; row < rowLimit; row++) {
      if (alive[row] === 0) continue;
      const x = positionX[row];
      const y = positionY[row];
      const leafX = (x - originX) * leavesPerUnit;
      const leafY = (y - originY) * leavesPerUnit;
      let column = leafX | 0;
      let line = leafY | 0;
      // Compared before they are integers: a far position would wrap round to a leaf in the middle.
      if (!(leafX >= 0 && leafX < columnLimit && leafY >= 0 && leafY < lineLimit)) {
        strayCount++;
        column = leafX >= columnLimit ? lastColumn : leafX > 0 ? column : 0;
        line = leafY >= lineLimit ? lastLine : leafY > 0 ? line : 0;
      }
      const leaf = spread[column] | (spread[line] << 1);
      leafStart[leaf + 2]++; // two places on: see finish
      pendingF32[word + X_WORD] = x;
      pendingF32[word + Y_WORD] = y;
      pendingI32[word + ROW_WORD] = row + rowOffset;
      pendingI32[word + LEAF_WORD] = leaf;
      word += RECORD_WORDS;
    }
    this.count = word / RECORD_WORDS;
    this.strayCount = strayCount;
  }

  /**
   * Sums the populations and moves every row to its place.
   * @hot Once per entity per tick: no allocation.
   */
  finish(): void {
    const { leafStart, leafLimit, pendingI32, sortedI32 } = this;
    const wordLimit = this.count * RECORD_WORDS;
    // Populations were counted two places on. Summed, place leaf + 1 says where the leaf starts; as rows are placed it moves
    // up to where the leaf ends, which is where leaf + 1 starts. So the array is its own cursor and needs no copy.
    let sum = 0;
    for (let i = 2; i <= leafLimit; i++) {
      sum += leafStart[i];
      leafStart[i] = sum;
    }
    for (let word = 0; word < wordLimit; word += RECORD_WORDS) {
      const cursor = pendingI32[word + LEAF_WORD] + 1;
      const place = leafStart[cursor];
      leafStart[cursor] = place + 1;
      const target = place * RECORD_WORDS;
      sortedI32[target + X_WORD] = pendingI32[word + X_WORD]; // the bits of the float
      sortedI32[target + Y_WORD] = pendingI32[word + Y_WORD];
      sortedI32[target + ROW_WORD] = pendingI32[word + ROW_WORD];
    }
  }

  /**
   * Rows at most radius away, by nodes from the lowest line and column up. Writes at most out.length and returns how many.
   * @hot Several times per observer: no allocation.
   */
  queryCircle(x: number, y: number, radius: number, out: Int32Array): number {
    this.circle[0] = x;
    this.circle[1] = y;
    this.circle[2] = radius;
    return this.collectCircle(out);
  }

  /** @hot */
  private collectCircle(out: Int32Array): number {
    const { sortedF32, sortedI32, rangeStart, rangeLimit, rangeInside } = this;
    const rangeCount = this.findCircle();
    const x = this.circle[0];
    const y = this.circle[1];
    const radiusSquared = this.circle[2] * this.circle[2];
    const outLimit = out.length;
    let found = 0;
    for (let i = 0; i < rangeCount; i++) {
      const limit = rangeLimit[i];
      if (rangeInside[i] === 1) {
        for (let word = rangeStart[i]; word < limit; word += RECORD_WORDS) {
          if (found === outLimit) return found;
          out[found++] = sortedI32[word + ROW_WORD];
        }
        continue;
      }
      for (let word = rangeStart[i]; word < limit; word += RECORD_WORDS) {
        const dx = sortedF32[word + X_WORD] - x;
        const dy = sortedF32[word + Y_WORD] - y;
        if (dx * dx + dy * dy <= radiusSquared) {
          if (found === outLimit) return found;
          out[found++] = sortedI32[word + ROW_WORD];
        }
      }
    }
    return found;
  }

  /** @hot The rows in `circle`, with the squared distance of each. */
  collectCircleWithDistance(outRows: Int32Array, outDistanceSquared: Float32Array): number {
    const { sortedF32, sortedI32, rangeStart, rangeLimit } = this;
    const rangeCount = this.findCircle();
    const x = this.circle[0];
    const y = this.circle[1];
    const radiusSquared = this.circle[2] * this.circle[2];
    const outLimit = Math.min(outRows.length, outDistanceSquared.length);
    let found = 0;
    for (let i = 0; i < rangeCount; i++) {
      const limit = rangeLimit[i];
      for (let word = rangeStart[i]; word < limit; word += RECORD_WORDS) {
        const dx = sortedF32[word + X_WORD] - x;
        const dy = sortedF32[word + Y_WORD] - y;
        const distanceSquared = dx * dx + dy * dy;
        if (distanceSquared <= radiusSquared) {
          if (found === outLimit) return found;
          outRows[found] = sortedI32[word + ROW_WORD];
          outDistanceSquared[found++] = distanceSquared;
        }
      }
    }
    return found;
  }

  /**
   * Rows inside a box, edges included, by nodes from the lowest line and column up. Writes at most out.length and returns
   * how many.
   * @hot No allocation.
   */
  queryBox(minX: number, minY: number, maxX: number, maxY: number, out: Int32Array): number {
    const { sortedF32, sortedI32, rangeStart, rangeLimit } = this;
    const rangeCount = this.findBox(minX, minY, maxX, maxY);
    let found = 0;
    for (let i = 0; i < rangeCount; i++) {
      const limit = rangeLimit[i];
      for (let word = rangeStart[i]; word < limit; word += RECORD_WORDS) {
        const x = sortedF32[word + X_WORD];
        const y = sortedF32[word + Y_WORD];
        if (!(x >= minX && x <= maxX && y >= minY && y <= maxY)) continue;
        if (found === out.length) return found;
        out[found++] = sortedI32[word + ROW_WORD];
      }
    }
    return found;
  }

  /** The runs of sorted places that a box touches. */
  private findBox(minX: number, minY: number, maxX: number, maxY: number): number {
    if (!(minX <= maxX && minY <= maxY)) return 0;
    const { leavesPerUnit, originX, originY } = this;
    // Widened by what rounding may lose: a row on the very edge of a node is found from either side.
    const slack = this.leafSide * SLACK_LEAVES;
    const columnFirst = clampIndex((minX - slack - originX) * leavesPerUnit, this.lastColumn);
    const columnLast = clampIndex((maxX + slack - originX) * leavesPerUnit, this.lastColumn);
    const lineFirst = clampIndex((minY - slack - originY) * leavesPerUnit, this.lastLine);
    const lineLast = clampIndex((maxY + slack - originY) * leavesPerUnit, this.lastLine);
    const shift = shiftFor(columnLast - columnFirst, lineLast - lineFirst);
    let rangeCount = 0;
    for (let line = lineFirst >> shift; line <= lineLast >> shift; line++) {
      for (let column = columnFirst >> shift; column <= columnLast >> shift; column++) {
        rangeCount = this.appendNode(column, line, shift, 0, rangeCount);
      }
    }
    return rangeCount;
  }

  /**
   * The runs of sorted places that a circle touches, and which of them it holds whole. Line by line: the chord that the
   * nearest edge of a line cuts off says which nodes are touched, the chord at its farthest edge which are inside.
   */
  private findCircle(): number {
    const x = this.circle[0];
    const y = this.circle[1];
    const radius = this.circle[2];
    if (!(radius >= 0)) return 0;
    const { leafSide, originX, originY, strayCount } = this;
    const outer = radius + leafSide * SLACK_LEAVES;
    const inner = Math.max(0, radius - leafSide * SLACK_LEAVES);
    const { leavesPerUnit } = this;
    const shift = shiftFor(
      clampIndex((x + outer - originX) * leavesPerUnit, this.lastColumn) -
        clampIndex((x - outer - originX) * leavesPerUnit, this.lastColumn),
      clampIndex((y + outer - originY) * leavesPerUnit, this.lastLine) -
        clampIndex((y - outer - originY) * leavesPerUnit, this.lastLine),
    );
    const nodeSide = leafSide * (1 << shift);
    const nodesPerUnit = 1 / nodeSide;
    const lastColumn = this.lastColumn >> shift;
    const lastLine = this.lastLine >> shift;
    // Where rows stand outside the area, border nodes reach to wherever those are and are never inside.
    const border = strayCount > 0 ? 1 : 0;
    const lineLimit = clampIndex((y + outer - originY) * nodesPerUnit, lastLine) + 1;
    let rangeCount = 0;
    for (let line = clampIndex((y - outer - originY) * nodesPerUnit, lastLine); line < lineLimit; line++) {
      const below = border === 1 && line === 0 ? Infinity : y - (originY + line * nodeSide);
      const above = border === 1 && line === lastLine ? Infinity : originY + (line + 1) * nodeSide - y;
      const near = Math.max(0, -below, -above);
      const far = Math.max(below, above);
      if (near > outer) continue;
      const touched = near === 0 ? outer : Math.sqrt(outer * outer - near * near);
      const columnStart = clampIndex((x - touched - originX) * nodesPerUnit, lastColumn);
      const columnLimit = clampIndex((x + touched - originX) * nodesPerUnit, lastColumn) + 1;
      let insideStart = columnLimit;
      let insideLimit = columnLimit;
      if (far < inner) {
        const held = Math.sqrt(inner * inner - far * far);
        insideStart = Math.max(border, Math.ceil((x - held - originX) * nodesPerUnit));
        insideLimit = Math.min(lastColumn + 1 - border, Math.floor((x + held - originX) * nodesPerUnit));
      }
      for (let column = columnStart; column < columnLimit; column++) {
        const inside = column >= insideStart && column < insideLimit ? 1 : 0;
        rangeCount = this.appendNode(column, line, shift, inside, rangeCount);
      }
    }
    return rangeCount;
  }

  /** Adds a node's run of places; runs that meet become one, as the two nodes of a pair always do. */
  private appendNode(column: number, line: number, shift: number, inside: number, rangeCount: number): number {
    const { spread, leafStart, rangeStart, rangeLimit, rangeInside } = this;
    const node = spread[column] | (spread[line] << 1);
    const start = leafStart[node << (2 * shift)] * RECORD_WORDS;
    const limit = leafStart[Math.min((node + 1) << (2 * shift), this.leafLimit)] * RECORD_WORDS;
    if (start === limit) return rangeCount;
    const last = rangeCount - 1;
    if (rangeCount > 0 && rangeLimit[last] === start && rangeInside[last] === inside) {
      rangeLimit[last] = limit;
      return rangeCount;
    }
    rangeStart[rangeCount] = start;
    rangeLimit[rangeCount] = limit;
    rangeInside[rangeCount] = inside;
    return rangeCount + 1;
  }

  private fits(alive: Uint8Array, rowStart: number, rowLimit: number): boolean {
    let free = this.capacity - this.count;
    for (let row = rowStart; row < rowLimit; row++) {
      if (alive[row] !== 0) free--;
    }
    return free >= 0;
  }
}

/** @hot Truncates towards the lower index; what lies outside belongs to the border, NaN to the first. */
function clampIndex(value: number, last: number): number {
  return value >= last ? last : value > 0 ? value | 0 : 0;
}

function spreadBits(value: number): number {
  let spread = 0;
  for (let bit = 0; bit < QUADTREE_LEVEL_MAX; bit++) {
    spread |= ((value >> bit) & 1) << (2 * bit);
  }
  return spread;
}

/** Levels above the leaves at which a span of so many leaves is at most NODES_ACROSS_MAX nodes across. */
function shiftFor(columns: number, lines: number): number {
  return Math.max(0, 32 - Math.clz32(Math.max(columns, lines)) - NODES_ACROSS_BITS);
}
