// Relations between settings that are each valid alone. A relation is checked only when none of its settings is wrong by
// itself, so that one mistake gives one error.

import { CELL_MARGIN_SHARE, CELL_ROWS_SHARE, CELLS_MAX } from '../engine/cells/limits.js';
import { HANG_TICKS_MIN, ZONE_EDGE_VIEW_RADII_MIN, ZONES_MAX } from '../engine/limits.js';
import { LEAVE_RADIUS_FACTOR, UPDATE_BYTES_MIN } from '../engine/replication/limits.js';
import { describeSetting } from './setting-lookup.js';
import type { SettingName, SettingSources, Settings } from './setting-types.js';

interface Relation {
  /** The error names the first; the others are what it is measured by. */
  names: readonly [SettingName, ...SettingName[]];
  holds: (settings: Settings) => boolean;
  allowed: (settings: Settings) => string;
}

const RELATIONS: readonly Relation[] = [
  {
    names: ['updateHz', 'tickHz'],
    holds: (s) => s.updateHz <= s.tickHz,
    allowed: (s) => `at most tickHz, ${s.tickHz}`,
  },
  {
    names: ['zoneColumns', 'zoneRows'],
    holds: (s) => s.zoneColumns * s.zoneRows <= ZONES_MAX,
    allowed: () => `zoneColumns times zoneRows at most ${ZONES_MAX}`,
  },
  {
    names: ['threads', 'zoneColumns', 'zoneRows'],
    holds: (s) => s.threads <= s.zoneColumns * s.zoneRows,
    allowed: (s) => `at most one per zone, ${s.zoneColumns * s.zoneRows}`,
  },
  {
    names: ['worldWidth', 'zoneColumns', 'viewRadius'],
    holds: (s) => s.worldWidth >= worldSideMin(s.zoneColumns, s.viewRadius),
    allowed: (s) => worldSideText(s.zoneColumns, s.viewRadius),
  },
  {
    names: ['worldHeight', 'zoneRows', 'viewRadius'],
    holds: (s) => s.worldHeight >= worldSideMin(s.zoneRows, s.viewRadius),
    allowed: (s) => worldSideText(s.zoneRows, s.viewRadius),
  },
  {
    names: ['bots', 'entitiesPerZone', 'zoneColumns', 'zoneRows'],
    // With cells not all bots are in memory at once; the next relation holds then.
    holds: (s) => s.cellSize > 0 || Math.ceil(s.bots / (s.zoneColumns * s.zoneRows)) <= s.entitiesPerZone,
    allowed: (s) => `at most entitiesPerZone in each zone, ${s.entitiesPerZone * s.zoneColumns * s.zoneRows}`,
  },
  {
    names: [
      'bots',
      'cellSize',
      'worldWidth',
      'worldHeight',
      'zoneColumns',
      'zoneRows',
      'viewRadius',
      'entitiesPerZone',
    ],
    holds: (s) => !isCutIntoCells(s) || Math.ceil(s.bots / cellCount(s)) <= botsPerCellMax(s),
    allowed: (s) =>
      `at most ${botsPerCellMax(s)} in each of ${cellCount(s)} cells, ${botsPerCellMax(s) * cellCount(s)}, so that a zone has room for the ${cellsNeededAtOnce(s)} that a player needs at once`,
  },
  {
    names: ['cellSize', 'worldWidth', 'zoneColumns'],
    holds: (s) => s.cellSize === 0 || (s.worldWidth / s.zoneColumns) % s.cellSize === 0,
    allowed: (s) => `what divides the width of a zone, ${s.worldWidth / s.zoneColumns}`,
  },
  {
    names: ['cellSize', 'worldHeight', 'zoneRows'],
    holds: (s) => s.cellSize === 0 || (s.worldHeight / s.zoneRows) % s.cellSize === 0,
    allowed: (s) => `what divides the height of a zone, ${s.worldHeight / s.zoneRows}`,
  },
  {
    names: ['cellSize', 'worldWidth', 'worldHeight'],
    holds: (s) => s.cellSize === 0 || (s.worldWidth / s.cellSize) * (s.worldHeight / s.cellSize) <= CELLS_MAX,
    allowed: (s) => `at least ${Math.ceil(Math.sqrt((s.worldWidth * s.worldHeight) / CELLS_MAX))}, ${CELLS_MAX} cells`,
  },
  {
    names: ['commandsPerClientTick', 'commandsPerTick'],
    holds: (s) => s.commandsPerClientTick <= s.commandsPerTick,
    allowed: (s) => `at most commandsPerTick, ${s.commandsPerTick}`,
  },
  {
    names: ['bytesPerSecond', 'updateHz'],
    holds: (s) => s.bytesPerSecond >= UPDATE_BYTES_MIN * s.updateHz,
    allowed: (s) => `at least ${UPDATE_BYTES_MIN} per update, ${UPDATE_BYTES_MIN * s.updateHz}`,
  },
  {
    names: ['hangMs', 'tickHz'],
    holds: (s) => s.hangMs >= hangMsMin(s.tickHz),
    allowed: (s) => `at least ${HANG_TICKS_MIN} ticks, ${hangMsMin(s.tickHz)}`,
  },
  {
    names: ['checkpointMs', 'tickHz'],
    holds: (s) => s.checkpointMs === 0 || s.checkpointMs >= checkpointMsMin(s.tickHz),
    allowed: (s) => `0, or at least one tick, ${checkpointMsMin(s.tickHz)}`,
  },
];

export function relationErrors(
  settings: Settings,
  sources: SettingSources,
  wrongNames: ReadonlySet<SettingName>,
): string[] {
  const describe = (name: SettingName) => describeSetting(name, settings[name], sources[name]);
  return RELATIONS.filter(
    (relation) => !relation.names.some((name) => wrongNames.has(name)) && !relation.holds(settings),
  ).map(({ names: [name, ...measures], allowed }) => {
    return `${describe(name)} while ${measures.map(describe).join(', ')}; allowed: ${allowed(settings)}`;
  });
}

/** False also where cells do not tile their zones, which is an error of its own. */
function isCutIntoCells({ cellSize, worldWidth, worldHeight, zoneColumns, zoneRows }: Settings): boolean {
  if (cellSize === 0 || worldWidth * worldHeight > CELLS_MAX * cellSize ** 2) return false;
  return (worldWidth / zoneColumns) % cellSize === 0 && (worldHeight / zoneRows) % cellSize === 0;
}

function cellCount({ cellSize, worldWidth, worldHeight }: Settings): number {
  return (worldWidth / cellSize) * (worldHeight / cellSize);
}

/** A zone begins to load a cell while less than a share of its rows is taken, and the last one must find room too. */
function botsPerCellMax(s: Settings): number {
  const cells = cellsNeededAtOnce(s);
  const perCell = Math.floor(s.entitiesPerZone / cells);
  return cells === 1 ? perCell : Math.min(perCell, Math.ceil((s.entitiesPerZone * CELL_ROWS_SHARE) / (cells - 1)) - 1);
}

/** By a player on the corner of cells nearest to the middle of a zone; see src/engine/cells/cell-watch.ts. */
function cellsNeededAtOnce({ cellSize, worldWidth, worldHeight, zoneColumns, zoneRows, viewRadius }: Settings): number {
  const radius = viewRadius * (LEAVE_RADIUS_FACTOR + CELL_MARGIN_SHARE);
  const columns = worldWidth / zoneColumns / cellSize;
  const rows = worldHeight / zoneRows / cellSize;
  let count = 0;
  for (let row = 0; row < rows; row++) {
    const down = distanceFromLine(row, Math.floor(rows / 2)) * cellSize;
    for (let column = 0; column < columns; column++) {
      const across = distanceFromLine(column, Math.floor(columns / 2)) * cellSize;
      if (down * down + across * across <= radius * radius) count++;
    }
  }
  return count;
}

/** From a line between cells to a cell, in cells. */
function distanceFromLine(cell: number, line: number): number {
  return cell < line ? line - cell - 1 : cell - line;
}

function worldSideMin(zoneCount: number, viewRadius: number): number {
  return zoneCount === 1 ? 0 : Math.ceil(zoneCount * ZONE_EDGE_VIEW_RADII_MIN * viewRadius);
}

function worldSideText(zoneCount: number, viewRadius: number): string {
  const edgeMin = ZONE_EDGE_VIEW_RADII_MIN * viewRadius;
  return `at least ${worldSideMin(zoneCount, viewRadius)}, zones of ${ZONE_EDGE_VIEW_RADII_MIN} view radii (${edgeMin}) each`;
}

function checkpointMsMin(tickHz: number): number {
  return Math.ceil(1000 / tickHz);
}

function hangMsMin(tickHz: number): number {
  return Math.ceil((HANG_TICKS_MIN * 1000) / tickHz);
}
