import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULTS } from '../../../src/config/settings.js';
import { cutWorld } from '../../../src/engine/borders/mirrors.js';
import { cellsComplaint } from '../../../src/engine/plan/plan-cells.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import arena from '../../../src/games/arena/game.js';
import {
  areaOfCell,
  cellsOfWorld,
  cutCells,
  localCellAt,
  localOfCell,
  worldCellOf,
  zoneOfCell,
} from '../../../src/memory/cells/cell-grid.js';
import toy from '../../games/toy/game.js';

const WITH_CELLS = { ...DEFAULTS, cellSize: 64 };
const game = arena as unknown as GameDefinition;

test('a game that cannot be cut into cells is told why, in one line', () => {
  const wide = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`wide${i}`, { type: 'f64' } as const]));
  const cases: [GameDefinition, RegExp][] = [
    [toy as unknown as GameDefinition, /cellSize is 64, but nothing of the game coins rests .*; allowed: 0/],
    [{ ...game, restingKinds: ['npc', 'tree'] }, /the game arena lets tree rest, which is none of its kinds/],
    [{ ...game, persistentKinds: ['npc'] }, /lets npc rest, which is one of its persistentKinds too/],
    [
      { ...game, fields: { ...game.fields, ...wide } },
      /cellSize is 64, but a row of what rests in the game arena has \d{5} bytes; allowed: at most 8192/,
    ],
    [{ ...game, populateCell: undefined } as never, /has populate and no populateCell/],
  ];
  for (const [wrong, reason] of cases) {
    assert.match(cellsComplaint(WITH_CELLS, wrong) ?? '', reason);
    assert.equal(cellsComplaint(DEFAULTS, wrong), undefined, 'without cells it is none of our business');
  }
  assert.equal(cellsComplaint(WITH_CELLS, game), undefined);
});

test('cells tile the zones: each belongs to one, by either number, and a place is in the cell that covers it', () => {
  const grid = cutCells(240, 160, 3, 2, 20);
  const zones = cutWorld(240, 160, 3, 2);
  const seen = new Set<string>();
  assert.equal(cellsOfWorld(grid), 96);
  for (let cell = 0; cell < 96; cell++) {
    const { x, y } = areaOfCell(grid, cell);
    const zone = zoneOfCell(grid, cell);
    const local = localOfCell(grid, cell);
    seen.add(`${zone} ${local}`);
    assert.equal(worldCellOf(grid, zone, local), cell);
    const { x: left, y: top, width, height } = zones[zone];
    assert.ok(
      x >= left && y >= top && x + 20 <= left + width && y + 20 <= top + height,
      `cell ${cell} in zone ${zone}`,
    );
    for (const [dx, dy] of [
      [0, 0],
      [19.9, 19.9],
    ])
      assert.equal(localCellAt(grid, zone, x + dx, y + dy), local);
  }
  assert.equal(seen.size, 96);
  assert.equal(
    localCellAt(grid, 0, -0.5, 80.4),
    12,
    'a step beyond the border of its zone is in the cell it comes from',
  );
});
