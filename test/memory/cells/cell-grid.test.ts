import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as G from '../../../src/memory/cells/cell-grid.js';

/** 3 x 2 zones of 4 x 5 cells of 16 units. */
const GRID = G.cutCells(192, 160, 3, 2, 16);
const ZONES = 6;

test('a grid tiles the zones of a world', () => {
  assert.deepEqual(GRID, { cellSize: 16, columns: 4, rows: 5, zoneColumns: 3, zoneRows: 2 });
  assert.equal(G.cellsPerZone(GRID), 20);
  assert.equal(G.cellsOfWorld(GRID), 120);
  assert.deepEqual(G.cutCells(0.3, 0.6, 1, 2, 0.1).columns, 3, 'rounding errors of the division do not count');
  assert.deepEqual(G.cutCells(0.3, 0.6, 1, 2, 0.1).rows, 3);
});

test('zone and local number name a world cell, and it names them', () => {
  const seen = new Set<number>();
  for (let zone = 0; zone < ZONES; zone++) {
    for (let local = 0; local < G.cellsPerZone(GRID); local++) {
      const cell = G.worldCellOf(GRID, zone, local);
      assert.equal(G.zoneOfCell(GRID, cell), zone, `cell ${cell}`);
      assert.equal(G.localOfCell(GRID, cell), local, `cell ${cell}`);
      assert.ok(cell >= 0 && cell < G.cellsOfWorld(GRID));
      seen.add(cell);
    }
  }
  assert.equal(seen.size, G.cellsOfWorld(GRID));
});

test('every place of a cell has that cell, its lower edges included and its upper ones not', () => {
  for (let cell = 0; cell < G.cellsOfWorld(GRID); cell++) {
    const { x, y, width, height } = G.areaOfCell(GRID, cell);
    assert.deepEqual([width, height], [16, 16]);
    const zone = G.zoneOfCell(GRID, cell);
    for (const [placeX, placeY] of [
      [x, y],
      [x + 8, y + 8],
      [x + 15.99, y + 15.99],
    ]) {
      assert.equal(G.worldCellOf(GRID, zone, G.localCellAt(GRID, zone, placeX, placeY)), cell, `${placeX}, ${placeY}`);
    }
  }
});

test('a place beyond the border of a zone is in the nearest cell of that zone', () => {
  const zone = 4; // x 64 to 128, y 80 to 160
  for (const [x, y, column, row] of [
    [63.9, 80, 0, 0],
    [-500, 79, 0, 0],
    [128, 100, 3, 1],
    [9999, 160, 3, 4],
    [100, 161, 2, 4],
    [100, -1, 2, 0],
  ]) {
    assert.equal(G.localCellAt(GRID, zone, x, y), row * 4 + column, `${x}, ${y}`);
  }
});
