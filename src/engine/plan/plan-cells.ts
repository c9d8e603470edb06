// The cells of a world, from settings and game.

import type { Settings } from '../../config/settings.js';
import type { GameDefinition } from '../../game/definition.js';
import { cellsOfWorld, cellsPerZone, cutCells } from '../../memory/cells/cell-grid.js';
import type { CellPlan } from '../../memory/cells/cell-plan.js';
import { CellTable } from '../../memory/cells/cell-table.js';
import { ByteRing } from '../../memory/rings/byte-ring.js';
import type { CellsSpec, ColumnSpec, WorldLayout } from '../../memory/world/world-layout.js';
import { rowBytesOf } from '../../memory/world/world-layout.js';
import { queueRecordBytes } from '../cells/cell-queue.js';
import { CELL_QUEUE_RECORDS, CELL_RING_BYTES, CELL_ROW_BYTES_MAX } from '../cells/limits.js';
import { isOfGame, specifyColumns } from '../entities/columns.js';

/** Of the engine's columns; an owner nothing that rests has, and ids are given out anew. */
const RESTING_ENGINE_COLUMNS: ReadonlySet<string> = new Set(['kind', 'positionX', 'positionY']);

/** One line with what is wrong, or undefined. */
export function cellsComplaint(settings: Settings, game: GameDefinition): string | undefined {
  const { cellSize } = settings;
  if (cellSize === 0) return undefined;
  const kinds = game.restingKinds ?? [];
  if (kinds.length === 0) {
    return `cellSize is ${cellSize}, but nothing of the game ${game.name} rests (see restingKinds in src/game/definition.ts); allowed: 0`;
  }
  const about = `cellSize is ${cellSize}, but the game ${game.name}`;
  const stranger = kinds.find((kind) => !game.kinds.includes(kind));
  if (stranger !== undefined) return `${about} lets ${stranger} rest, which is none of its kinds`;
  // A checkpoint is found by the entity's id, and what rests is given another one each time.
  const kept = kinds.find((kind) => game.persistentKinds?.includes(kind));
  if (kept !== undefined) return `${about} lets ${kept} rest, which is one of its persistentKinds too; allowed: either`;
  const rowBytes = rowBytesOf(keptColumns(game, specifyColumns(game.fields, game)));
  if (rowBytes > CELL_ROW_BYTES_MAX) {
    return `cellSize is ${cellSize}, but a row of what rests in the game ${game.name} has ${rowBytes} bytes; allowed: at most ${CELL_ROW_BYTES_MAX}`;
  }
  return game.populate !== undefined && game.populateCell === undefined
    ? `${about} has populate and no populateCell: its world would be empty; allowed: 0`
    : undefined;
}

/** Every field, as in a snapshot: the entity goes on with all of them. */
function keptColumns<T extends ColumnSpec>(game: GameDefinition, columns: readonly T[]): T[] {
  return columns.filter(({ name }) => RESTING_ENGINE_COLUMNS.has(name) || isOfGame(name, game.fields));
}

export function specifyCells(
  settings: Settings,
  game: GameDefinition,
  columns: readonly ColumnSpec[],
): CellsSpec | undefined {
  if (settings.cellSize === 0) return undefined;
  const rowColumns = keptColumns(game, columns);
  return {
    count: cellsPerZone(gridOf(settings)),
    queueRecords: CELL_QUEUE_RECORDS,
    queueRecordBytes: queueRecordBytes(rowBytesOf(rowColumns)),
    rowColumns,
  };
}

export function planCells(
  settings: Settings,
  game: GameDefinition,
  layout: WorldLayout,
  leaveRadius: number,
): CellPlan | undefined {
  if (layout.cells === undefined) return undefined;
  const grid = gridOf(settings);
  const zoneCount = settings.zoneColumns * settings.zoneRows;
  const rowColumns = keptColumns(game, layout.columns);
  return {
    grid,
    rowColumns,
    rowBytes: rowBytesOf(rowColumns),
    restingKinds: (game.restingKinds ?? []).map((kind) => game.kinds.indexOf(kind)),
    table: CellTable.create(zoneCount, cellsOfWorld(grid)),
    rings: Array.from({ length: zoneCount }, () => ByteRing.create(CELL_RING_BYTES)),
    liveMax: settings.cellsLiveMax,
    entitiesMax: settings.cellEntitiesMax,
    ttlTicks: Math.round((settings.cellTtlMs / 1000) * settings.tickHz),
    viewRadius: settings.viewRadius,
    leaveRadius,
    seed: settings.seed,
    bots: settings.bots,
  };
}

function gridOf({ worldWidth, worldHeight, zoneColumns, zoneRows, cellSize }: Settings) {
  return cutCells(worldWidth, worldHeight, zoneColumns, zoneRows, cellSize);
}
