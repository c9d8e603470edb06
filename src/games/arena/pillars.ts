// Pillars are entities like others, but they never move: so their zone keeps a grid that says which pillar, if any,
// can be touched from a cell. It costs a body one lookup per tick where a query of the index would cost a hundred.
//
// The grid is no state. It is made again from the pillars' rows whenever GLOBAL_PILLAR_STAMP says that they are others
// than before: after a restart of the tick thread, or when a pillar is placed.

import { assert } from '../../assert.js';
import {
  type ArenaZone,
  GLOBAL_AREA_HEIGHT,
  GLOBAL_AREA_WIDTH,
  GLOBAL_AREA_X,
  GLOBAL_AREA_Y,
  GLOBAL_PILLAR_STAMP,
  KIND_PILLAR,
} from './fields.js';
import { BODY_RADIUS, PILLAR_JITTER, PILLAR_RADIUS, PILLAR_SPACING } from './rules.js';

const CELL = 4;
const CELLS_PER_UNIT = 1 / CELL;
/** A cell knows every pillar this near: a body's touch, or either end of a projectile's step of up to 2.4 units. */
const REACH = PILLAR_RADIUS + BODY_RADIUS + 1;

assert(PILLAR_SPACING - 2 * PILLAR_JITTER > 2 * REACH + CELL * Math.SQRT2, 'no cell is within reach of two pillars');
assert(PILLAR_SPACING / 2 - PILLAR_JITTER > REACH, 'no pillar is touched from a neighbouring zone');

export interface PillarGrid {
  stamp: number;
  x: number;
  y: number;
  columns: number;
  rows: number;
  /** Row of the pillar, plus 1; 0 for none. */
  cells: Int32Array;
}

const grids = new WeakMap<ArenaZone, PillarGrid>();

/** The grid of a zone; asked for once per system and tick. */
export function pillarGrid(zone: ArenaZone): PillarGrid {
  let grid = grids.get(zone);
  if (grid === undefined || grid.stamp !== zone.globals[GLOBAL_PILLAR_STAMP]) {
    grid = buildGrid(zone);
    grids.set(zone, grid);
  }
  return grid;
}

/** @hot The row of the pillar within reach of an entity, or -1. Columns and not numbers: see walk. */
export function pillarNear(grid: PillarGrid, positionX: Float32Array, positionY: Float32Array, row: number): number {
  return pillarAt(grid, positionX[row], positionY[row]);
}

/** @hot The row of the pillar within reach of a place, or -1. */
export function pillarAt(grid: PillarGrid, x: number, y: number): number {
  const across = (x - grid.x) * CELLS_PER_UNIT;
  const down = (y - grid.y) * CELLS_PER_UNIT;
  if (!(across >= 0 && down >= 0 && across < grid.columns && down < grid.rows)) return -1;
  return grid.cells[(down | 0) * grid.columns + (across | 0)] - 1;
}

export function placePillar(zone: ArenaZone, x: number, y: number): number {
  const row = zone.spawn(KIND_PILLAR, x, y);
  if (row >= 0) zone.globals[GLOBAL_PILLAR_STAMP] += 1 + zone.random();
  return row;
}

/** Part of a zone's entities that may be pillars: there must be room for those who play. */
const PILLAR_SHARE_MAX = 1 / 8;

/** One pillar in every square of the area, somewhere near its middle; in a vast area, in every so many squares. */
export function placePillars(zone: ArenaZone): void {
  const { globals } = zone;
  const columns = Math.floor(globals[GLOBAL_AREA_WIDTH] / PILLAR_SPACING);
  const rows = Math.floor(globals[GLOBAL_AREA_HEIGHT] / PILLAR_SPACING);
  const apart = Math.ceil(Math.sqrt((columns * rows) / (zone.ownCapacity * PILLAR_SHARE_MAX)));
  for (let row = 0; row < rows; row += apart) {
    for (let column = 0; column < columns; column += apart) {
      const x = globals[GLOBAL_AREA_X] + (column + 0.5) * PILLAR_SPACING;
      const y = globals[GLOBAL_AREA_Y] + (row + 0.5) * PILLAR_SPACING;
      placePillar(zone, x + jitter(zone), y + jitter(zone));
    }
  }
}

function jitter(zone: ArenaZone): number {
  return (zone.random() * 2 - 1) * PILLAR_JITTER;
}

function buildGrid(zone: ArenaZone): PillarGrid {
  const { globals } = zone;
  const columns = Math.ceil(globals[GLOBAL_AREA_WIDTH] / CELL);
  const rows = Math.ceil(globals[GLOBAL_AREA_HEIGHT] / CELL);
  const grid: PillarGrid = {
    stamp: globals[GLOBAL_PILLAR_STAMP],
    x: globals[GLOBAL_AREA_X],
    y: globals[GLOBAL_AREA_Y],
    columns,
    rows,
    cells: new Int32Array(columns * rows),
  };
  for (let row = 0; row < zone.rowLimit; row++) {
    if (zone.alive[row] !== 0 && zone.kind[row] === KIND_PILLAR) {
      markPillar(grid, zone.positionX[row], zone.positionY[row], row);
    }
  }
  return grid;
}

function markPillar(grid: PillarGrid, x: number, y: number, pillarRow: number): void {
  const lastRow = Math.min(grid.rows - 1, Math.floor((y - grid.y + REACH) * CELLS_PER_UNIT));
  const lastColumn = Math.min(grid.columns - 1, Math.floor((x - grid.x + REACH) * CELLS_PER_UNIT));
  const firstColumn = Math.max(0, Math.floor((x - grid.x - REACH) * CELLS_PER_UNIT));
  for (let row = Math.max(0, Math.floor((y - grid.y - REACH) * CELLS_PER_UNIT)); row <= lastRow; row++) {
    const nearestY = clamp(y, grid.y + row * CELL, grid.y + (row + 1) * CELL);
    for (let column = firstColumn; column <= lastColumn; column++) {
      const nearestX = clamp(x, grid.x + column * CELL, grid.x + (column + 1) * CELL);
      const dx = nearestX - x;
      const dy = nearestY - y;
      if (dx * dx + dy * dy <= REACH * REACH) grid.cells[row * grid.columns + column] = pillarRow + 1;
    }
  }
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
