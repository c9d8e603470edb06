// Pillars are entities that never move. Their zone keeps a grid: for each cell the one pillar, if any, that can be touched
// from it. So a body looks up one cell per tick instead of querying the index.
//
// The grid is derived, not state. It is built anew from the pillars' rows when GLOBAL_PILLAR_STAMP has changed (a pillar was
// placed) and after a restart of the tick thread. When pillars are loaded or freed with their cell, only that part is.

import { assert } from '../../base/assert.js';
import type { Area } from '../../game/definition.js';
import { type ArenaZone, GLOBAL_PILLAR_STAMP, KIND_PILLAR } from './fields.js';
import { BODY_RADIUS, PILLAR_JITTER, PILLAR_RADIUS, PILLAR_SHARE_MAX, PILLAR_SPACING } from './rules.js';

const CELL = 4;
const CELLS_PER_UNIT = 1 / CELL;
/** A cell knows every pillar this near: a body's touch, or either end of a projectile's step of up to 2.4 units. */
const REACH = PILLAR_RADIUS + BODY_RADIUS + 1;

assert(PILLAR_SPACING - 2 * PILLAR_JITTER > 2 * REACH + CELL * Math.SQRT2, 'no cell is within reach of two pillars');
assert(PILLAR_SPACING / 2 - PILLAR_JITTER > REACH + CELL, 'no pillar is touched from a neighbouring zone, or cell');

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

/** One pillar in every square of the area, somewhere near its middle; in a vast area, in every so many squares. */
export function placePillars(zone: ArenaZone): void {
  const { area } = zone;
  const columns = Math.floor(area.width / PILLAR_SPACING);
  const rows = Math.floor(area.height / PILLAR_SPACING);
  const apart = Math.ceil(Math.sqrt((columns * rows) / (zone.ownCapacity * PILLAR_SHARE_MAX)));
  for (let row = 0; row < rows; row += apart) {
    for (let column = 0; column < columns; column += apart) {
      const x = area.x + (column + 0.5) * PILLAR_SPACING;
      const y = area.y + (row + 0.5) * PILLAR_SPACING;
      placePillar(zone, x + jitter(zone.random()), y + jitter(zone.random()));
    }
  }
}

/** The pillars of one cell: as above, counted from the cell's corner, so that none is touched from the next cell. */
export function placeCellPillars(zone: ArenaZone, area: Area, random: () => number): void {
  for (let y = PILLAR_SPACING / 2; y + PILLAR_SPACING / 2 <= area.height; y += PILLAR_SPACING) {
    for (let x = PILLAR_SPACING / 2; x + PILLAR_SPACING / 2 <= area.width; x += PILLAR_SPACING) {
      zone.spawn(KIND_PILLAR, area.x + x + jitter(random()), area.y + y + jitter(random()));
    }
  }
}

/** Pillars of a part of the zone have come or gone with their cell. */
export function refreshPillars(zone: ArenaZone, area: Area): void {
  const grid = grids.get(zone);
  if (grid === undefined) return;
  clearPart(grid, area);
  for (let row = 0; row < zone.rowLimit; row++) {
    if (zone.alive[row] === 0 || zone.kind[row] !== KIND_PILLAR) continue;
    const x = zone.positionX[row];
    const y = zone.positionY[row];
    if (x >= area.x && y >= area.y && x < area.x + area.width && y < area.y + area.height) markPillar(grid, x, y, row);
  }
}

/** No pillar reaches out of its cell: what is marked inside is of pillars inside. */
function clearPart(grid: PillarGrid, area: Area): void {
  const columnFirst = Math.max(0, Math.floor((area.x - grid.x) * CELLS_PER_UNIT));
  const columnLimit = Math.min(grid.columns, Math.ceil((area.x + area.width - grid.x) * CELLS_PER_UNIT));
  const rowLimit = Math.min(grid.rows, Math.ceil((area.y + area.height - grid.y) * CELLS_PER_UNIT));
  for (let row = Math.max(0, Math.floor((area.y - grid.y) * CELLS_PER_UNIT)); row < rowLimit; row++) {
    grid.cells.fill(0, row * grid.columns + columnFirst, row * grid.columns + columnLimit);
  }
}

function jitter(chance: number): number {
  return (chance * 2 - 1) * PILLAR_JITTER;
}

function buildGrid(zone: ArenaZone): PillarGrid {
  const { area, globals } = zone;
  const columns = Math.ceil(area.width / CELL);
  const rows = Math.ceil(area.height / CELL);
  const grid: PillarGrid = {
    stamp: globals[GLOBAL_PILLAR_STAMP],
    x: area.x,
    y: area.y,
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
