// Static geometry of one zone: circles, boxes and walls that never move and are no entities. It is derived from the game,
// the size of the world and the seed alone, so it is in no snapshot and no journal, and every zone has its own part of it.
//
// Shapes lie in one array, and a grid of square places says which of them each place is touched by:
//
//   shapes      | kind | a | b | c | d | radius |        6 words each
//                 circle: a, b centre     box: a, b, c, d edges, c >= a     wall: from a, b to c, d, radius half its thickness
//   placeStart  | 0 | 2 | 2 | 5 | ...                    place i holds touching[placeStart[i]] .. touching[placeStart[i + 1]]
//   touching    | shape | shape | ...                    ascending within a place
//
// Answers do not depend on the order in which shapes were made, but for shapes that are equally near.

import { assert } from '../../base/assert.js';
import type { Area, GroundBuilder, GroundQueries } from '../../game/definition.js';
import { GROUND_PLACE_SIDE, GROUND_RESOLVES_MAX, GROUND_SHAPES_MAX } from '../limits.js';
import { NO_HIT, sweepBox, sweepCircle, sweepWall } from './sweep.js';

const SHAPE_WORDS = 6;
const CIRCLE = 0;
const BOX = 1;
const WALL = 2;

/** Collects shapes that come near an area; the others belong to other zones. */
export class GroundShapes implements GroundBuilder {
  readonly words: number[] = [];

  constructor(
    private readonly area: Area,
    private readonly margin: number,
  ) {}

  circle(x: number, y: number, radius: number): void {
    assert(radius > 0, 'a circle of the ground has a radius', radius);
    this.add(CIRCLE, x, y, 0, 0, radius, x - radius, y - radius, x + radius, y + radius);
  }

  box(x: number, y: number, width: number, height: number): void {
    assert(width > 0 && height > 0, 'a box of the ground has sides', `${width} x ${height}`);
    this.add(BOX, x, y, x + width, y + height, 0, x, y, x + width, y + height);
  }

  wall(fromX: number, fromY: number, toX: number, toY: number, thickness: number): void {
    assert(thickness > 0, 'a wall of the ground has a thickness', thickness);
    const radius = thickness / 2;
    this.add(
      ...([WALL, fromX, fromY, toX, toY, radius] as const),
      ...([Math.min(fromX, toX) - radius, Math.min(fromY, toY) - radius] as const),
      ...([Math.max(fromX, toX) + radius, Math.max(fromY, toY) + radius] as const),
    );
  }

  private add(
    kind: number,
    a: number,
    b: number,
    c: number,
    d: number,
    radius: number,
    minX: number,
    minY: number,
    maxX: number,
    maxY: number,
  ): void {
    const { area, margin, words } = this;
    assert([a, b, c, d, radius].every(Number.isFinite), 'a shape of the ground has finite numbers', [
      a,
      b,
      c,
      d,
      radius,
    ]);
    const isFar =
      maxX < area.x - margin ||
      maxY < area.y - margin ||
      minX > area.x + area.width + margin ||
      minY > area.y + area.height + margin;
    if (isFar) return;
    assert(words.length < GROUND_SHAPES_MAX * SHAPE_WORDS, 'shapes of the ground in one zone', GROUND_SHAPES_MAX);
    words.push(kind, a, b, c, d, radius);
  }
}

export class Ground implements GroundQueries {
  readonly count: number;
  private readonly shapes: Float64Array;
  private readonly originX: number;
  private readonly originY: number;
  private readonly columns: number;
  private readonly lines: number;
  private readonly placeStart: Int32Array;
  private readonly touching: Int32Array;
  /** The nearest point of the last shape that was looked at, and its distance. */
  private readonly nearest = new Float64Array(3);

  constructor({ words }: GroundShapes, area: Area, margin: number) {
    this.shapes = Float64Array.from(words);
    this.count = words.length / SHAPE_WORDS;
    this.originX = area.x - margin;
    this.originY = area.y - margin;
    const isBare = words.length === 0;
    this.columns = isBare ? 1 : Math.ceil((area.width + 2 * margin) / GROUND_PLACE_SIDE);
    this.lines = isBare ? 1 : Math.ceil((area.height + 2 * margin) / GROUND_PLACE_SIDE);
    const placeCount = this.columns * this.lines;
    this.placeStart = new Int32Array(placeCount + 1);
    const pairs = this.listTouched();
    for (const place of pairs.places) this.placeStart[place + 1]++;
    for (let i = 0; i < placeCount; i++) this.placeStart[i + 1] += this.placeStart[i];
    const cursor = this.placeStart.slice(0, placeCount);
    this.touching = new Int32Array(pairs.places.length);
    pairs.places.forEach((place, i) => {
      this.touching[cursor[place]++] = pairs.shapes[i];
    });
  }

  /** @hot Whether a body of this radius would overlap the ground. */
  isBlocked(x: number, y: number, radius: number): boolean {
    const { placeStart, touching, nearest } = this;
    const lineLimit = this.lineOf(y + radius) + 1;
    const columnFirst = this.columnOf(x - radius);
    const columnLimit = this.columnOf(x + radius) + 1;
    for (let line = this.lineOf(y - radius); line < lineLimit; line++) {
      for (let column = columnFirst; column < columnLimit; column++) {
        const place = line * this.columns + column;
        for (let i = placeStart[place]; i < placeStart[place + 1]; i++) {
          this.measure(touching[i], x, y);
          if (nearest[2] < radius) return true;
        }
      }
    }
    return false;
  }

  /**
   * @hot Moves a body out of whatever it overlaps, by the shortest way, deepest first. Returns whether it was moved. In a
   * gap that is too narrow it is left where the last step put it.
   */
  pushOut(positionX: Float32Array, positionY: Float32Array, row: number, radius: number): boolean {
    const { nearest } = this;
    let isMoved = false;
    for (let step = 0; step < GROUND_RESOLVES_MAX; step++) {
      const x = positionX[row];
      const y = positionY[row];
      const shape = this.deepest(x, y, radius);
      if (shape < 0) return isMoved;
      this.measure(shape, x, y);
      const distance = nearest[2];
      const dx = x - nearest[0];
      const dy = y - nearest[1];
      const length = Math.sqrt(dx * dx + dy * dy);
      isMoved = true;
      if (length === 0) {
        this.pushOff(shape, positionX, positionY, row, radius - distance);
        continue;
      }
      const sign = distance < 0 && this.shapes[shape * SHAPE_WORDS] === BOX ? -1 : 1;
      const by = (radius - distance) * sign;
      positionX[row] = x + (dx / length) * by;
      positionY[row] = y + (dy / length) * by;
    }
    return isMoved;
  }

  /** On the very edge of a box, or on the centre line of a wall, the way out is square to it; from a centre any way is. */
  private pushOff(shape: number, positionX: Float32Array, positionY: Float32Array, row: number, by: number): void {
    const [kind, a, b, c, d] = this.shapes.subarray(shape * SHAPE_WORDS);
    let awayX = 1;
    let awayY = 0;
    if (kind === BOX) {
      awayX = positionX[row] === a ? -1 : positionX[row] === c ? 1 : 0;
      awayY = awayX !== 0 ? 0 : positionY[row] === b ? -1 : 1;
    } else if (kind === WALL && (a !== c || b !== d)) {
      const length = Math.sqrt((c - a) * (c - a) + (d - b) * (d - b));
      awayX = (b - d) / length;
      awayY = (c - a) / length;
    }
    positionX[row] += awayX * by;
    positionY[row] += awayY * by;
  }

  /** @hot The part, 0 to 1, of a way after which a body of this radius meets the ground; NO_HIT when it does not. */
  sweep(x: number, y: number, stepX: number, stepY: number, radius: number): number {
    const { placeStart, touching } = this;
    let first = NO_HIT;
    const lineLimit = this.lineOf(Math.max(y, y + stepY) + radius) + 1;
    const columnFirst = this.columnOf(Math.min(x, x + stepX) - radius);
    const columnLimit = this.columnOf(Math.max(x, x + stepX) + radius) + 1;
    for (let line = this.lineOf(Math.min(y, y + stepY) - radius); line < lineLimit; line++) {
      for (let column = columnFirst; column < columnLimit; column++) {
        const place = line * this.columns + column;
        for (let i = placeStart[place]; i < placeStart[place + 1]; i++) {
          const at = this.sweepShape(touching[i], x, y, stepX, stepY, radius);
          if (at < first) first = at;
        }
      }
    }
    return first;
  }

  /** @hot Whether nothing of the ground lies between two points. */
  isClear(fromX: number, fromY: number, toX: number, toY: number): boolean {
    return this.sweep(fromX, fromY, toX - fromX, toY - fromY, 0) === NO_HIT;
  }

  private deepest(x: number, y: number, radius: number): number {
    const { placeStart, touching, nearest } = this;
    let found = -1;
    let least = radius;
    const lineLimit = this.lineOf(y + radius) + 1;
    const columnFirst = this.columnOf(x - radius);
    const columnLimit = this.columnOf(x + radius) + 1;
    for (let line = this.lineOf(y - radius); line < lineLimit; line++) {
      for (let column = columnFirst; column < columnLimit; column++) {
        const place = line * this.columns + column;
        for (let i = placeStart[place]; i < placeStart[place + 1]; i++) {
          this.measure(touching[i], x, y);
          if (nearest[2] < least) {
            least = nearest[2];
            found = touching[i];
          }
        }
      }
    }
    return found;
  }

  /** The nearest point of a shape's core or edge to a point, and how far from its surface that one is: negative inside. */
  private measure(shape: number, x: number, y: number): void {
    const { shapes, nearest } = this;
    const at = shape * SHAPE_WORDS;
    const kind = shapes[at];
    const a = shapes[at + 1];
    const b = shapes[at + 2];
    const c = shapes[at + 3];
    const d = shapes[at + 4];
    if (kind === BOX) {
      this.measureBox(a, b, c, d, x, y);
      return;
    }
    let nearX = a;
    let nearY = b;
    if (kind === WALL) {
      const alongX = c - a;
      const alongY = d - b;
      const squared = alongX * alongX + alongY * alongY;
      const part = squared === 0 ? 0 : ((x - a) * alongX + (y - b) * alongY) / squared;
      const held = Math.min(1, Math.max(0, part));
      nearX = a + alongX * held;
      nearY = b + alongY * held;
    }
    const dx = x - nearX;
    const dy = y - nearY;
    nearest[0] = nearX;
    nearest[1] = nearY;
    nearest[2] = Math.sqrt(dx * dx + dy * dy) - shapes[at + 5];
  }

  private measureBox(minX: number, minY: number, maxX: number, maxY: number, x: number, y: number): void {
    const { nearest } = this;
    const nearX = Math.min(maxX, Math.max(minX, x));
    const nearY = Math.min(maxY, Math.max(minY, y));
    if (nearX !== x || nearY !== y) {
      const dx = x - nearX;
      const dy = y - nearY;
      nearest[0] = nearX;
      nearest[1] = nearY;
      nearest[2] = Math.sqrt(dx * dx + dy * dy);
      return;
    }
    const left = x - minX;
    const right = maxX - x;
    const up = y - minY;
    const down = maxY - y;
    const depth = Math.min(left, right, up, down);
    nearest[0] = depth === left ? minX : depth === right && depth !== left ? maxX : x;
    nearest[1] = depth === left || depth === right ? y : depth === up ? minY : maxY;
    nearest[2] = -depth;
  }

  private sweepShape(shape: number, x: number, y: number, stepX: number, stepY: number, radius: number): number {
    const { shapes, nearest } = this;
    const at = shape * SHAPE_WORDS;
    this.measure(shape, x, y);
    if (nearest[2] < radius) return 0;
    const kind = shapes[at];
    const a = shapes[at + 1];
    const b = shapes[at + 2];
    const c = shapes[at + 3];
    const d = shapes[at + 4];
    const reach = shapes[at + 5] + radius;
    if (kind === CIRCLE) return sweepCircle(a - x, b - y, stepX, stepY, reach);
    if (kind === BOX) return sweepBox(x, y, stepX, stepY, a, b, c, d, radius);
    return sweepWall(x, y, stepX, stepY, a, b, c, d, reach);
  }

  private columnOf(x: number): number {
    return Math.min(this.columns - 1, Math.max(0, Math.floor((x - this.originX) / GROUND_PLACE_SIDE)));
  }

  private lineOf(y: number): number {
    return Math.min(this.lines - 1, Math.max(0, Math.floor((y - this.originY) / GROUND_PLACE_SIDE)));
  }

  private listTouched(): { places: number[]; shapes: number[] } {
    const places: number[] = [];
    const found: number[] = [];
    for (let shape = 0; shape < this.count; shape++) {
      const [kind, a, b, c, d, radius] = this.shapes.subarray(shape * SHAPE_WORDS, (shape + 1) * SHAPE_WORDS);
      const [endX, endY] = kind === CIRCLE ? [a, b] : [c, d];
      const lineLimit = this.lineOf(Math.max(b, endY) + radius) + 1;
      const columnLimit = this.columnOf(Math.max(a, endX) + radius) + 1;
      for (let line = this.lineOf(Math.min(b, endY) - radius); line < lineLimit; line++) {
        for (let column = this.columnOf(Math.min(a, endX) - radius); column < columnLimit; column++) {
          places.push(line * this.columns + column);
          found.push(shape);
        }
      }
    }
    return { places, shapes: found };
  }
}
