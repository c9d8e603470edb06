// A world of the arena that is really stored: so many entities in every cell, each with a serial number where the game has
// a field that resting entities do not use, so that a census afterwards can name who is lost or there twice.

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createRandom } from '../../src/base/chance.js';
import { STORES_FOLDER } from '../../src/base/data-folder.js';
import { DEFAULTS, type Settings } from '../../src/config/settings.js';
import { decodeCell, encodeCell } from '../../src/durability/cells/cell-record.js';
import { CELLS_TABLE, cellKey, firstVersion } from '../../src/durability/cells/cell-store.js';
import { recoverWorld, shapeOf } from '../../src/durability/recovery/recovery.js';
import { coldId } from '../../src/durability/snapshots/snapshotter.js';
import { FORM_ENTITY, formOfRecord, QUEUE_HEAD_BYTES } from '../../src/engine/cells/cell-queue.js';
import { planWorld, type WorldPlan } from '../../src/engine/plan/world-plan.js';
import type { GameDefinition } from '../../src/game/definition.js';
import { KIND_NPC, KIND_PILLAR } from '../../src/games/arena/fields.js';
import arena from '../../src/games/arena/game.js';
import { HP_MAX, PILLAR_SPACING } from '../../src/games/arena/rules.js';
import { areaOfCell, cellsOfWorld, worldCellOf } from '../../src/memory/cells/cell-grid.js';
import type { CellPlan } from '../../src/memory/cells/cell-plan.js';
import { CELL_COLD, CELL_LOADING } from '../../src/memory/cells/cell-table.js';
import { LIVE_BLOCK, WorldBuffer } from '../../src/memory/world/world-buffer.js';
import {
  SCALAR_CELL_QUEUE,
  SCALAR_POPULATED,
  SCALAR_ROW_LIMIT,
  SCALAR_TICK,
} from '../../src/memory/world/world-layout.js';
import { openEmbeddedColdStore } from '../../src/stores/embedded/embedded-cold-store.js';
import type { ColdStore } from '../../src/stores/store-ports.js';
import { encodeZone } from '../../test/durability/snapshots/plain-snapshot.js';
import { foldChecksum } from '../bench.js';

const CELLS_PER_WRITE = 100;
/** Pillars of a cell keep this far from each other and from its border. */
const PILLAR_MARGIN = PILLAR_SPACING / 2;

export interface StoredWorld {
  settings: Settings;
  entitiesPerCell: number;
  cellCount: number;
  /** By cell: x and y of its pillars, as stored. */
  pillars: Float32Array[];
  checksum: number;
}

export interface Census {
  entities: number;
  missing: number;
  doubled: number;
}

export async function fillWorld(
  settings: Settings,
  entitiesPerCell: number,
  onCells: (cells: number) => void,
): Promise<StoredWorld> {
  const game = arena as unknown as GameDefinition;
  const plan = planWorld(settings, game, 1, 0);
  const cells = plan.cells as CellPlan;
  const cellCount = cellsOfWorld(cells.grid);
  const world: StoredWorld = { settings, entitiesPerCell, cellCount, pillars: [], checksum: 0 };
  const store = openStore(settings);
  try {
    const version = firstVersion(Date.now());
    const worldId = randomUUID();
    for (let first = 0; first < cellCount; first += CELLS_PER_WRITE) {
      const numbers = Array.from({ length: Math.min(CELLS_PER_WRITE, cellCount - first) }, (_, i) => first + i);
      const rows = numbers.map((cell) => ({
        key: cellKey(worldId, cell, version),
        value: makeCell(world, cells, cell),
      }));
      await store.putRows(CELLS_TABLE, rows);
      onCells(first + numbers.length);
    }
    await storeZones(plan, game, store, worldId, version);
  } finally {
    await store.close();
  }
  return world;
}

function openStore({ data }: Settings): ColdStore {
  return openEmbeddedColdStore({ folder: join(data, STORES_FOLDER, 'cold') });
}

/** Snapshots in which every cell is cold, and of this version. */
async function storeZones(
  plan: WorldPlan,
  game: GameDefinition,
  store: ColdStore,
  worldId: string,
  version: number,
): Promise<void> {
  const identity = { ...shapeOf(plan.settings, game, plan), worldId };
  for (const buffer of plan.worlds) {
    const world = new WorldBuffer(buffer, plan.layout);
    const live = world.blocks[LIVE_BLOCK];
    live.cells?.version.fill(version);
    live.scalars[SCALAR_TICK] = 1;
    live.scalars[SCALAR_POPULATED] = 1;
    world.commit();
    const takenAtMs = Date.now();
    const bytes = encodeZone(world, identity, 1, takenAtMs);
    if (bytes === undefined) throw new Error('assertion failed: nobody else commits this world');
    await store.save(coldId(world.zoneId), { bytes, tick: 1, takenAtMs, meta: {} });
  }
}

function makeCell(world: StoredWorld, plan: CellPlan, cell: number): Buffer {
  const area = areaOfCell(plan.grid, cell);
  const random = createRandom(Math.imul(world.settings.seed + 1, 0x85ebca6b) ^ cell);
  const pillars: number[] = [];
  for (let y = PILLAR_MARGIN; y + PILLAR_MARGIN <= area.height; y += PILLAR_SPACING) {
    for (let x = PILLAR_MARGIN; x + PILLAR_MARGIN <= area.width; x += PILLAR_SPACING)
      pillars.push(area.x + x, area.y + y);
  }
  world.pillars[cell] = Float32Array.from(pillars);
  const rows = Array.from({ length: world.entitiesPerCell }, (_, i) => {
    const isPillar = i * 2 < pillars.length;
    const x = isPillar ? pillars[i * 2] : area.x + random() * area.width;
    const y = isPillar ? pillars[i * 2 + 1] : area.y + random() * area.height;
    world.checksum = foldChecksum(world.checksum, x + y);
    return packRow(plan, {
      kind: isPillar ? KIND_PILLAR : KIND_NPC,
      positionX: x,
      positionY: y,
      hp: isPillar ? 0 : HP_MAX,
      shooterId: cell * world.entitiesPerCell + i + 1,
    });
  });
  return encodeCell(cell, plan.rowColumns, rows);
}

function packRow(plan: CellPlan, values: Record<string, number>): Uint8Array {
  const row = new Uint8Array(plan.rowBytes);
  const view = new DataView(row.buffer);
  let at = 0;
  for (const { name, type, bytes } of plan.rowColumns) {
    const value = values[name] ?? 0;
    if (type === 'f32') view.setFloat32(at, value, true);
    else if (type === 'u32') view.setUint32(at, value, true);
    else if (type === 'u8') view.setUint8(at, value);
    at += bytes;
  }
  return row;
}

/** Who is where in the world that a server has left behind: everybody who was stored in the beginning, exactly once. */
export async function takeCensus({ settings, cellCount, entitiesPerCell }: StoredWorld): Promise<Census> {
  const game = arena as unknown as GameDefinition;
  const plan = planWorld(settings, game, 1, 0);
  const cells = plan.cells as CellPlan;
  const { report } = await recoverWorld(plan, game, shapeOf(settings, game, plan), SILENT);
  const seen = new Uint8Array(cellCount * entitiesPerCell + 1);
  const note = (serial: number): void => {
    if (serial > 0 && serial < seen.length) seen[serial]++;
  };
  const serialAt = offsetOf(cells, 'shooterId');
  const store = openStore(settings);
  try {
    for (const [zone, buffer] of plan.worlds.entries()) {
      const world = new WorldBuffer(buffer, plan.layout);
      noteRows(world, cells, serialAt, note);
      const { state, version, taken } = world.committed.cells!;
      for (let local = 0; local < state.length; local++) {
        if (state[local] !== CELL_COLD && state[local] !== CELL_LOADING) continue;
        const cell = worldCellOf(cells.grid, zone, local);
        const [value] = await store.getRows(CELLS_TABLE, [cellKey(report.worldId, cell, version[local])]);
        if (value === undefined) continue;
        const { count, bytes } = decodeCell(value, cell, cells.rowColumns);
        const first = state[local] === CELL_LOADING ? taken[local] : 0;
        for (let row = first; row < count; row++) note(readSerial(bytes, row * cells.rowBytes + serialAt));
      }
    }
  } finally {
    await store.close();
  }
  const living = seen.subarray(1);
  return {
    entities: living.reduce((sum, count) => sum + count, 0),
    missing: living.reduce((sum, count) => sum + (count === 0 ? 1 : 0), 0),
    doubled: living.reduce((sum, count) => sum + (count > 1 ? 1 : 0), 0),
  };
}

const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

function noteRows(world: WorldBuffer, plan: CellPlan, serialAt: number, note: (serial: number) => void): void {
  const { columns, scalars, cells } = world.committed;
  for (let row = 0; row < scalars[SCALAR_ROW_LIMIT]; row++) {
    if (columns.alive[row] !== 0 && plan.restingKinds.includes(columns.kind[row])) note(columns.shooterId[row]);
  }
  const { queueRecordBytes, queueRecords } = world.layout.cells!;
  const waiting = Math.min(queueRecords, scalars[SCALAR_CELL_QUEUE]);
  for (let i = 0; i < waiting; i++) {
    const record = cells!.queue.slice(i * queueRecordBytes, (i + 1) * queueRecordBytes);
    if (formOfRecord(record) === FORM_ENTITY) note(readSerial(record, QUEUE_HEAD_BYTES + serialAt));
  }
}

function offsetOf({ rowColumns }: CellPlan, name: string): number {
  const index = rowColumns.findIndex((column) => column.name === name);
  return rowColumns.slice(0, index).reduce((sum, { bytes }) => sum + bytes, 0);
}

function readSerial(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0, true);
}

export function arenaSettings(overrides: Partial<Settings>): Settings {
  return { ...DEFAULTS, ...overrides };
}

/** Pillars of the world within a radius of a place, as 'x y'. */
export function pillarsNear({ settings, pillars }: StoredWorld, x: number, y: number, radius: number): string[] {
  const { worldWidth, worldHeight, cellSize } = settings;
  const near: string[] = [];
  const across = worldWidth / cellSize;
  const down = worldHeight / cellSize;
  for (let row = Math.max(0, Math.floor((y - radius) / cellSize)); row < down && row * cellSize <= y + radius; row++) {
    const first = Math.max(0, Math.floor((x - radius) / cellSize));
    for (let column = first; column < across && column * cellSize <= x + radius; column++) {
      const places = pillars[row * across + column];
      for (let i = 0; i < places.length; i += 2) {
        if (Math.hypot(places[i] - x, places[i + 1] - y) <= radius) near.push(`${places[i]} ${places[i + 1]}`);
      }
    }
  }
  return near;
}
