// Decides which cells of a zone are loaded and given up, from where its players are and where they go. Decisions are no
// state: they are made from positions, clocks and what other zones say, and take effect through the methods of ZoneCells.
//
// A cell is needed when it lies within the leave radius, and a margin, of where a player is or will be within the next
// moments if he goes on as he goes. It is seen when it lies within the view radius: a cell that is seen and not live is late.

import { areaOfCell, cellsOfWorld, localOfCell, worldCellOf, zoneOfCell } from '../../memory/cells/cell-grid.js';
import { CELL_COLD, CELL_EVICTING, CELL_LIVE, CELL_LOADING, type CellTable } from '../../memory/cells/cell-table.js';
import { COUNTER } from '../../memory/tables/zone-counters.js';
import type { WorldBuffer } from '../../memory/world/world-buffer.js';
import type { EngineZone } from '../zone/zone.js';
import { chooseEvictions } from './cell-policy.js';
import {
  CELL_AHEAD_RADII_MAX,
  CELL_LOOK_TICKS,
  CELL_MARGIN_SHARE,
  CELL_PREFETCH_SECONDS,
  CELLS_BEGUN_PER_LOOK,
  CELLS_EVICTING_MAX,
} from './limits.js';
import type { ZoneCells } from './zone-cells.js';

/** Other zones look at other ticks, and may be a tick behind. */
const FRESH_TICKS = 2 * CELL_LOOK_TICKS + 2;
/** Before every tick, and far from all of them. */
const NEVER = -(2 ** 30);

interface BorderCell {
  cell: number;
  worldCell: number;
  zone: number;
}

export class CellWatch {
  /** By cell of this zone: the ticks at which it was last needed, and last seen. */
  readonly needed: Int32Array;
  private readonly seen: Int32Array;
  /** By cell of the world: it was seen before it was live, and that has been counted. */
  private readonly countedLate: Uint8Array;
  /** By row: where its entity was at the last look. */
  private readonly lastKey: Uint32Array;
  private readonly lastX: Float32Array;
  private readonly lastY: Float32Array;
  private readonly borderCells: readonly BorderCell[];
  private readonly needRadius: number;
  /** Loading cells that only the queue wants, as of this look. */
  private loadingForQueue = 0;
  private lookedTick = 0;

  constructor(
    private readonly zone: EngineZone,
    private readonly cells: ZoneCells,
    private readonly table: CellTable,
    /** Of all zones: what they hold counts for the limits of the world. */
    private readonly worlds: readonly WorldBuffer[],
    neighbours: readonly number[],
  ) {
    const { plan } = cells;
    // A thread that takes over does not know since when its live cells are unneeded: as of now.
    this.needed = Int32Array.from(cells.state, (state) => (state === CELL_COLD ? NEVER : zone.tick));
    this.seen = new Int32Array(cells.count).fill(NEVER);
    this.countedLate = new Uint8Array(cellsOfWorld(plan.grid));
    this.lastKey = new Uint32Array(zone.ownCapacity);
    this.lastX = new Float32Array(zone.ownCapacity);
    this.lastY = new Float32Array(zone.ownCapacity);
    this.needRadius = plan.leaveRadius + plan.viewRadius * CELL_MARGIN_SHARE;
    this.borderCells = findBorderCells(
      cells,
      zone,
      neighbours,
      this.needRadius + CELL_AHEAD_RADII_MAX * plan.viewRadius,
    );
  }

  /** At the end of a tick, before its commit. Most ticks it does nothing. */
  look(): void {
    const { zone, cells } = this;
    if (zone.tick % CELL_LOOK_TICKS !== zone.id % CELL_LOOK_TICKS) return;
    cells.sweep();
    this.hearNeighbours();
    this.followPlayers();
    this.keepWanted();
    this.giveUp();
    this.load();
    this.countLate();
    this.lookedTick = zone.tick;
  }

  /** Whether all that can be seen from a place is live; what is not is asked for. For players who are about to begin there. */
  prepare(x: number, y: number): boolean {
    const { plan } = this.cells;
    this.needAround(x, y, this.needRadius, false);
    this.needAround(x, y, plan.viewRadius, true);
    return !this.findUnlive(x, y, false);
  }

  private hearNeighbours(): void {
    for (const { cell, worldCell, zone } of this.borderCells) {
      const tick = this.table.neededAt(zone, worldCell);
      if (tick !== 0 && tick > this.needed[cell]) this.needed[cell] = tick;
    }
  }

  private followPlayers(): void {
    const { zone, lastKey, lastX, lastY } = this;
    const { alive, owner, positionX, positionY } = zone;
    const { key } = zone.engine;
    const { viewRadius } = this.cells.plan;
    const ticks = Math.max(1, zone.tick - this.lookedTick);
    const aheadTicks = CELL_PREFETCH_SECONDS * zone.tickHz;
    for (let row = 0; row < zone.rowLimit; row++) {
      if (owner[row] === 0 || alive[row] === 0) continue;
      const x = positionX[row];
      const y = positionY[row];
      const isKnown = lastKey[row] === key[row];
      const stepX = isKnown ? ((x - lastX[row]) / ticks) * aheadTicks : 0;
      const stepY = isKnown ? ((y - lastY[row]) / ticks) * aheadTicks : 0;
      lastKey[row] = key[row];
      lastX[row] = x;
      lastY[row] = y;
      this.needAlong(x, y, stepX, stepY, CELL_AHEAD_RADII_MAX * viewRadius);
      this.needAround(x, y, viewRadius, true);
    }
  }

  private needAlong(x: number, y: number, stepX: number, stepY: number, aheadMax: number): void {
    const length = Math.sqrt(stepX * stepX + stepY * stepY);
    const ahead = Math.min(length, aheadMax);
    const places = Math.ceil(ahead / this.needRadius);
    this.needAround(x, y, this.needRadius, false);
    for (let place = 1; place <= places; place++) {
      const share = (ahead / length) * (place / places);
      this.needAround(x + stepX * share, y + stepY * share, this.needRadius, false);
    }
  }

  /** Notes every cell of the world within a circle as needed, or as seen. */
  private needAround(x: number, y: number, radius: number, isSeen: boolean): void {
    const { zone, table } = this;
    const { grid } = this.cells.plan;
    this.forCellsAround(x, y, radius, (worldCell) => {
      if (zoneOfCell(grid, worldCell) === zone.id) {
        (isSeen ? this.seen : this.needed)[localOfCell(grid, worldCell)] = zone.tick;
      } else if (!isSeen) {
        table.need(zone.id, worldCell, zone.tick);
      }
    });
  }

  private forCellsAround(x: number, y: number, radius: number, act: (worldCell: number) => void): void {
    const { cellSize, columns, rows, zoneColumns, zoneRows } = this.cells.plan.grid;
    const across = columns * zoneColumns;
    const columnLast = Math.min(across - 1, Math.floor((x + radius) / cellSize));
    const rowLast = Math.min(rows * zoneRows - 1, Math.floor((y + radius) / cellSize));
    for (let row = Math.max(0, Math.floor((y - radius) / cellSize)); row <= rowLast; row++) {
      const dy = distanceTo(y, row * cellSize, cellSize);
      for (let column = Math.max(0, Math.floor((x - radius) / cellSize)); column <= columnLast; column++) {
        const dx = distanceTo(x, column * cellSize, cellSize);
        if (dx * dx + dy * dy <= radius * radius) act(row * across + column);
      }
    }
  }

  private keepWanted(): void {
    const { cells, zone } = this;
    if (cells.evictingCount === 0) return;
    const back: number[] = [];
    for (let cell = 0; cell < cells.count; cell++) {
      if (cells.state[cell] === CELL_EVICTING && zone.tick - this.needed[cell] <= FRESH_TICKS) back.push(cell);
    }
    if (back.length > 0) cells.cancelEvict(back);
  }

  private giveUp(): void {
    const { cells, zone } = this;
    const { plan, state, resting } = cells;
    const loadTtlTicks = Math.max(plan.ttlTicks, FRESH_TICKS);
    let wanted = 0;
    this.loadingForQueue = 0;
    for (let cell = 0; cell < cells.count; cell++) {
      const age = zone.tick - this.needed[cell];
      if (state[cell] === CELL_LOADING && age > loadTtlTicks && !this.keepForQueue(cell)) cells.cancelLoad(cell);
      if (state[cell] === CELL_COLD && age <= FRESH_TICKS) wanted++;
    }
    const chosen = chooseEvictions(
      { state, needed: this.needed, resting },
      {
        tick: zone.tick,
        freshTicks: FRESH_TICKS,
        ttlTicks: plan.ttlTicks,
        cellsOver: this.heldInWorld() + wanted - plan.liveMax,
        entitiesOver: this.restingInWorld() - plan.entitiesMax,
        most: Math.min(CELLS_BEGUN_PER_LOOK, CELLS_EVICTING_MAX - cells.evictingCount),
      },
    );
    if (chosen.length > 0) cells.beginEvict(chosen);
  }

  /** What the queue wants is not given up, or the same look would ask for it again. */
  private keepForQueue(cell: number): boolean {
    const isKept = this.isQueueFilling && this.cells.queue.waitingFor(cell) > 0 && this.mayLoadForQueue;
    if (isKept) this.loadingForQueue++;
    return isKept;
  }

  private get isQueueFilling(): boolean {
    const { queue } = this.cells;
    return queue.count > queue.capacity / 2;
  }

  /** While the store is away they stay on, and take the place of cells that players need. */
  private get mayLoadForQueue(): boolean {
    return this.loadingForQueue < CELLS_BEGUN_PER_LOOK;
  }

  /** What is seen first; what is only near while the limits allow it; and what has too much waiting for it. */
  private load(): void {
    const { cells, zone } = this;
    let left = CELLS_BEGUN_PER_LOOK;
    for (let cell = 0; cell < cells.count && left > 0; cell++) {
      if (cells.state[cell] !== CELL_COLD || zone.tick - this.seen[cell] > FRESH_TICKS) continue;
      if (cells.beginLoad(cell)) left--;
    }
    let room = this.cells.plan.liveMax - this.heldInWorld();
    for (let cell = 0; cell < cells.count && left > 0 && room > 0; cell++) {
      if (cells.state[cell] !== CELL_COLD || zone.tick - this.needed[cell] > FRESH_TICKS) continue;
      if (!cells.beginLoad(cell)) continue;
      left--;
      room--;
    }
    if (left > 0 && this.isQueueFilling && this.mayLoadForQueue) this.loadForQueue();
  }

  private loadForQueue(): void {
    const { cells } = this;
    for (let index = 0; index < cells.queue.count; index++) {
      const cell = cells.queue.cellOf(index);
      if (cells.state[cell] !== CELL_COLD) continue;
      cells.beginLoad(cell);
      return;
    }
  }

  private countLate(): void {
    const { zone } = this;
    for (let row = 0; row < zone.rowLimit; row++) {
      if (zone.owner[row] === 0 || zone.alive[row] === 0) continue;
      this.findUnlive(zone.positionX[row], zone.positionY[row], true);
    }
  }

  /** Whether a cell that can be seen from a place is not live, in this zone or its neighbours. */
  private findUnlive(x: number, y: number, isCounted: boolean): boolean {
    const { zone, cells, worlds, countedLate } = this;
    const { grid, viewRadius } = cells.plan;
    let isFound = false;
    this.forCellsAround(x, y, viewRadius, (worldCell) => {
      const home = zoneOfCell(grid, worldCell);
      const state = home === zone.id ? cells.state : worlds[home].committed.cells?.state;
      const isLive = state?.[localOfCell(grid, worldCell)] === CELL_LIVE;
      if (!isLive) {
        isFound = true;
        if (isCounted && countedLate[worldCell] === 0) {
          countedLate[worldCell] = 1;
          zone.counters[COUNTER.cellsLate]++;
        }
      } else if (isCounted) {
        countedLate[worldCell] = 0;
      }
    });
    return isFound;
  }

  /** Cells that are live or loading; those of other zones as they last said. */
  private heldInWorld(): number {
    return this.sumOthers(COUNTER.cellsHeld) + this.cells.heldCount;
  }

  private restingInWorld(): number {
    return this.sumOthers(COUNTER.cellEntities) + this.cells.restingTotal;
  }

  private sumOthers(counter: number): number {
    let sum = 0;
    for (let zone = 0; zone < this.worlds.length; zone++) {
      if (zone !== this.zone.id) sum += this.worlds[zone].counters[counter];
    }
    return sum;
  }
}

/** From a number to the nearest of [start, start + size]. */
function distanceTo(value: number, start: number, size: number): number {
  return value < start ? start - value : value > start + size ? value - start - size : 0;
}

/** This zone's cells that players of a neighbour may need, by neighbour. */
function findBorderCells(
  cells: ZoneCells,
  zone: EngineZone,
  neighbours: readonly number[],
  reach: number,
): BorderCell[] {
  const { grid } = cells.plan;
  const width = grid.columns * grid.cellSize;
  const height = grid.rows * grid.cellSize;
  const found: BorderCell[] = [];
  for (const neighbour of neighbours) {
    const left = (neighbour % grid.zoneColumns) * width;
    const top = Math.floor(neighbour / grid.zoneColumns) * height;
    for (let cell = 0; cell < cells.count; cell++) {
      const worldCell = worldCellOf(grid, zone.id, cell);
      const { x, y } = areaOfCell(grid, worldCell);
      const dx = Math.max(0, left - (x + grid.cellSize), x - (left + width));
      const dy = Math.max(0, top - (y + grid.cellSize), y - (top + height));
      if (Math.max(dx, dy) <= reach) found.push({ cell, worldCell, zone: neighbour });
    }
  }
  return found;
}
