// A world cut into square cells that tile its zones exactly. A cell has two numbers, each counted by row: its local number
// within its zone, and its world number, by which stores and other zones know it.

import type { Area } from '../../base/area.js';

export interface CellGrid {
  cellSize: number;
  /** Cells across one zone, and down. */
  columns: number;
  rows: number;
  /** Zones across the world, and down. */
  zoneColumns: number;
  zoneRows: number;
}

export function cutCells(
  worldWidth: number,
  worldHeight: number,
  zoneColumns: number,
  zoneRows: number,
  cellSize: number,
): CellGrid {
  return {
    cellSize,
    columns: Math.round(worldWidth / zoneColumns / cellSize),
    rows: Math.round(worldHeight / zoneRows / cellSize),
    zoneColumns,
    zoneRows,
  };
}

export function cellsPerZone(grid: CellGrid): number {
  return grid.columns * grid.rows;
}

export function cellsOfWorld(grid: CellGrid): number {
  return grid.columns * grid.rows * grid.zoneColumns * grid.zoneRows;
}

/** @hot The local cell at a place. A place beyond the zone's border is in the cell of the zone that is nearest to it. */
export function localCellAt(grid: CellGrid, zone: number, x: number, y: number): number {
  const zoneRow = (zone / grid.zoneColumns) | 0;
  const column = Math.floor(x / grid.cellSize) - (zone - zoneRow * grid.zoneColumns) * grid.columns;
  const row = Math.floor(y / grid.cellSize) - zoneRow * grid.rows;
  const insideColumn = column < 0 ? 0 : column >= grid.columns ? grid.columns - 1 : column;
  const insideRow = row < 0 ? 0 : row >= grid.rows ? grid.rows - 1 : row;
  return insideRow * grid.columns + insideColumn;
}

export function worldCellOf(grid: CellGrid, zone: number, local: number): number {
  const zoneRow = Math.floor(zone / grid.zoneColumns);
  const column = (zone % grid.zoneColumns) * grid.columns + (local % grid.columns);
  const row = zoneRow * grid.rows + Math.floor(local / grid.columns);
  return row * grid.columns * grid.zoneColumns + column;
}

/** @hot */
export function zoneOfCell(grid: CellGrid, worldCell: number): number {
  const across = grid.columns * grid.zoneColumns;
  const row = (worldCell / across) | 0;
  const column = worldCell - row * across;
  return ((row / grid.rows) | 0) * grid.zoneColumns + ((column / grid.columns) | 0);
}

/** @hot */
export function localOfCell(grid: CellGrid, worldCell: number): number {
  const across = grid.columns * grid.zoneColumns;
  const row = (worldCell / across) | 0;
  const column = worldCell - row * across;
  return (row % grid.rows) * grid.columns + (column % grid.columns);
}

export function areaOfCell(grid: CellGrid, worldCell: number): Area {
  const across = grid.columns * grid.zoneColumns;
  const { cellSize } = grid;
  return {
    x: (worldCell % across) * cellSize,
    y: Math.floor(worldCell / across) * cellSize,
    width: cellSize,
    height: cellSize,
  };
}
