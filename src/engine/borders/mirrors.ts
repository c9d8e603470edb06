// Entities of neighbouring zones near the border, mirrored into rows of this zone, so that its players see across and its
// systems can hit across. Read from the neighbours' committed blocks only: never a lock, never a half-written row.
//
// A ghost that its zone no longer shows is kept for a few ticks: an entity on its way between two threads is for a
// moment in neither committed state, and must not flicker for those who look at it.

import type { Area } from '../../base/area.js';
import { COUNTER } from '../../memory/tables/zone-counters.js';
import type { AnyColumn } from '../../memory/world/column-types.js';
import type { WorldBuffer } from '../../memory/world/world-buffer.js';
import { SCALAR_GHOST_LIMIT, SCALAR_ROW_LIMIT } from '../../memory/world/world-layout.js';
import { type EngineColumns, engineColumnsOf } from '../entities/columns.js';
import { wireIdOfKey } from '../entities/entity-key.js';
import { FreeBitmap } from '../entities/free-bitmap.js';
import type { EngineZone } from '../zone/zone.js';

/** Threads are at most a tick apart, and a handoff takes one more. */
const GHOST_GRACE_TICKS = 4;

interface NeighbourBlock {
  scalars: Int32Array;
  engine: EngineColumns;
  columns: readonly AnyColumn[];
}

interface Neighbour {
  buffer: WorldBuffer;
  blocks: readonly NeighbourBlock[];
}

export class Ghosts {
  private readonly neighbours: readonly Neighbour[];
  private readonly rows: FreeBitmap;
  private readonly seenTick: Int32Array;
  private readonly gameColumns: readonly AnyColumn[];
  private readonly minX: number;
  private readonly maxX: number;
  private readonly minY: number;
  private readonly maxY: number;

  constructor(
    private readonly zone: EngineZone,
    neighbours: readonly WorldBuffer[],
    margin: number,
  ) {
    const names = Object.keys(zone.game.fields);
    this.neighbours = neighbours.map((buffer) => ({
      buffer,
      blocks: buffer.blocks.map((block) => ({
        scalars: block.scalars,
        engine: engineColumnsOf(block),
        columns: names.map((name) => block.columns[name]),
      })),
    }));
    this.gameColumns = names.map((name) => zone.buffer.blocks[0].columns[name]);
    this.rows = new FreeBitmap(zone.rowCapacity - zone.ownCapacity);
    this.seenTick = new Int32Array(zone.rowCapacity - zone.ownCapacity);
    this.minX = zone.area.x - margin;
    this.maxX = zone.area.x + zone.area.width + margin;
    this.minY = zone.area.y - margin;
    this.maxY = zone.area.y + zone.area.height + margin;
    this.takeUp();
  }

  /** Ghosts that a former thread had committed stand as they stood. */
  private takeUp(): void {
    const { zone } = this;
    const limit = zone.scalars[SCALAR_GHOST_LIMIT];
    for (let row = zone.ownCapacity; row < limit; row++) {
      if (zone.alive[row] === 0) {
        continue;
      }
      const wireId = wireIdOfKey(zone.engine.key[row]);
      if (zone.rowOfId[wireId] !== 0) {
        zone.alive[row] = 0; // a recovery brought it over the border, or gave its id to another: the own row stands
        continue;
      }
      this.rows.mark(row - zone.ownCapacity);
      this.seenTick[row - zone.ownCapacity] = zone.tick;
      zone.rowOfId[wireId] = row + 1;
    }
  }

  /** One past the highest ghost row; ghosts begin at the zone's ownCapacity. */
  get rowLimit(): number {
    return this.zone.ownCapacity + this.rows.limit;
  }

  refresh(): void {
    for (let i = 0; i < this.neighbours.length; i++) {
      this.mirror(this.neighbours[i]);
    }
    this.forgetUnseen();
    this.zone.scalars[SCALAR_GHOST_LIMIT] = this.rowLimit; // from here on they are committed with the tick
  }

  /** Keeps showing an own row that has just departed, until its new zone shows it. */
  keepDeparted(row: number): void {
    const { zone } = this;
    const key = zone.engine.key[row];
    const ghost = this.allocate(key);
    if (ghost < 0) {
      return;
    }
    zone.kind[ghost] = zone.kind[row];
    zone.owner[ghost] = zone.owner[row];
    zone.positionX[ghost] = zone.positionX[row];
    zone.positionY[ghost] = zone.positionY[row];
    for (let i = 0; i < this.gameColumns.length; i++) {
      this.gameColumns[i][ghost] = this.gameColumns[i][row];
    }
  }

  /**
   * An own row takes the key. Its ghost goes: the entity has come over, or one born here died beyond the border, its id
   * came home and is given out again while the ghost of the dead one still stands.
   */
  release(key: number): void {
    const row = this.zone.rowOfId[wireIdOfKey(key)] - 1;
    if (row >= this.zone.ownCapacity) {
      this.free(row);
    }
  }

  /** @hot Every row of a neighbour is looked at once per tick, so the test for the margin comes first. */
  private mirror(neighbour: Neighbour): void {
    const { zone, minX, maxX, minY, maxY } = this;
    const { buffer } = neighbour;
    const block = neighbour.blocks[buffer.committedIndex];
    const { alive, positionX, positionY, key } = block.engine;
    const rowLimit = block.scalars[SCALAR_ROW_LIMIT];
    for (let source = 0; source < rowLimit; source++) {
      const x = positionX[source];
      const y = positionY[source];
      if (alive[source] === 0 || x < minX || x > maxX || y < minY || y > maxY) {
        continue;
      }
      const sourceKey = key[source];
      const row = zone.rowOfId[wireIdOfKey(sourceKey)] - 1;
      if (row >= 0 && row < zone.ownCapacity) {
        continue; // it has arrived here and its old zone has not committed that yet
      }
      this.copy(block, source, row >= 0 && zone.engine.key[row] === sourceKey ? row : this.allocate(sourceKey));
    }
  }

  /** @hot */
  private copy(block: NeighbourBlock, source: number, row: number): void {
    if (row < 0) {
      return;
    }
    const { zone, gameColumns } = this;
    zone.kind[row] = block.engine.kind[source];
    zone.owner[row] = block.engine.owner[source];
    zone.positionX[row] = block.engine.positionX[source];
    zone.positionY[row] = block.engine.positionY[source];
    for (let i = 0; i < gameColumns.length; i++) {
      gameColumns[i][row] = block.columns[i][source];
    }
    this.seenTick[row - zone.ownCapacity] = zone.tick;
  }

  private allocate(key: number): number {
    const { zone } = this;
    const stale = zone.rowOfId[wireIdOfKey(key)] - 1;
    if (stale >= zone.ownCapacity) {
      this.free(stale); // an earlier entity of the same id
    }
    const ghost = this.rows.take();
    if (ghost < 0) {
      zone.counters[COUNTER.ghostsRefused]++;
      return -1;
    }
    const row = zone.ownCapacity + ghost;
    zone.engine.key[row] = key;
    zone.alive[row] = 1;
    zone.rowOfId[wireIdOfKey(key)] = row + 1;
    zone.onRowReset(row);
    this.seenTick[ghost] = zone.tick;
    return row;
  }

  private free(row: number): void {
    const { zone } = this;
    const wireId = wireIdOfKey(zone.engine.key[row]);
    if (zone.rowOfId[wireId] === row + 1) {
      zone.rowOfId[wireId] = 0;
    }
    zone.alive[row] = 0;
    this.rows.give(row - zone.ownCapacity);
  }

  private forgetUnseen(): void {
    const { zone, seenTick } = this;
    let count = 0;
    for (let ghost = 0; ghost < this.rows.limit; ghost++) {
      if (zone.alive[zone.ownCapacity + ghost] === 0) {
        continue;
      }
      count++;
      if (zone.tick - seenTick[ghost] > GHOST_GRACE_TICKS) {
        this.free(zone.ownCapacity + ghost);
        count--;
      }
    }
    zone.counters[COUNTER.ghosts] = count;
  }
}

/** The areas of a world cut into a grid of zones, by zone id. */
export function cutWorld(width: number, height: number, columns: number, rows: number): Area[] {
  const areas: Area[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      areas.push({
        x: (column * width) / columns,
        y: (row * height) / rows,
        width: width / columns,
        height: height / rows,
      });
    }
  }
  return areas;
}

/** The zones that touch this one, corners included. */
export function neighboursOf(zoneId: number, columns: number, rows: number): number[] {
  const column = zoneId % columns;
  const row = Math.floor(zoneId / columns);
  const neighbours: number[] = [];
  for (let otherRow = Math.max(0, row - 1); otherRow <= Math.min(rows - 1, row + 1); otherRow++) {
    for (let otherColumn = Math.max(0, column - 1); otherColumn <= Math.min(columns - 1, column + 1); otherColumn++) {
      if (otherRow !== row || otherColumn !== column) {
        neighbours.push(otherRow * columns + otherColumn);
      }
    }
  }
  return neighbours;
}
