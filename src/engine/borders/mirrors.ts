// Entities of neighbouring zones near the border, mirrored into rows of this zone, so that its players see across and its
// systems can hit across.
//
// Read from the neighbour's committed block, without a lock: rows near the border are copied into a stage, then the zone looks
// whether the block was held all the while. If not, the neighbour has committed twice meanwhile and the stage may mix two
// ticks: it is read again, MIRROR_READS_MAX times in all. After that the mirrors of this neighbour stay as they were for one
// tick (counted as mirrorsTorn).
//
// A mirror that its zone no longer shows is kept for a few ticks: an entity on its way between two threads is for a
// moment in neither committed state, and must not flicker for those who look at it.

import type { Area } from '../../base/area.js';
import { COUNTER } from '../../memory/tables/zone-counters.js';
import { type PackedRows, RowCells } from '../../memory/world/row-cells.js';
import { LIVE_BLOCK, type WorldBuffer } from '../../memory/world/world-buffer.js';
import {
  CHANGES,
  SCALAR_EVERYWHERE_COUNT,
  SCALAR_EVERYWHERE_ROWS,
  SCALAR_MIRROR_LIMIT,
  SCALAR_ROW_LIMIT,
} from '../../memory/world/world-layout.js';
import { type EngineColumns, engineColumnsOf, mirroredColumns } from '../entities/columns.js';
import { wireIdOfKey } from '../entities/entity-key.js';
import { FreeBitmap } from '../entities/free-bitmap.js';
import type { FarKinds } from '../replication/far-kinds.js';
import type { EngineZone } from '../zone/zone.js';
import { SHARED_KEEPER } from '../zone/zone-shared.js';
import { MIRROR_GRACE_TICKS, MIRROR_READS_MAX } from './limits.js';

interface SourceBlock {
  scalars: Int32Array;
  engine: EngineColumns;
}

/** A zone that mirrors come from: a neighbour, or one beyond those, of which only what it lists as seen everywhere is read. */
interface Source {
  buffer: WorldBuffer;
  isDistant: boolean;
  /** It keeps the shared record of the game, which is mirrored as well. */
  keepsShared: boolean;
  blocks: readonly SourceBlock[];
}

/** Entities of one neighbour near the border, as one look at its block found them. */
interface Stage {
  key: Uint32Array;
  rows: PackedRows;
}

export class Mirrors {
  private readonly sources: readonly Source[];
  private readonly rows: FreeBitmap;
  private readonly seenTick: Int32Array;
  private readonly cells: RowCells;
  private readonly stage: Stage;
  /** By source: its changes when it was read last. */
  private readonly seenChanges: Int32Array;
  /** Every mirror was shown in the last refresh that read, all found room, and none has come or gone since. */
  private isSettled = false;
  /** Of that refresh, and of the last one after it that did not need to read. */
  private readTick = 0;
  private passedTick = 0;
  private readonly minX: number;
  private readonly maxX: number;
  private readonly minY: number;
  private readonly maxY: number;

  constructor(
    private readonly zone: EngineZone,
    neighbours: readonly WorldBuffer[],
    margin: number,
    /** Kinds that are seen from afar. */
    private readonly farKinds: FarKinds | undefined,
    /** Zones beyond the neighbours, of which only some rows are mirrored. */
    distant: readonly WorldBuffer[],
  ) {
    const isKeeper = ({ zoneId }: WorldBuffer) => zone.sharedRow >= 0 && zoneId === SHARED_KEEPER;
    this.sources = [
      ...neighbours.map((buffer) => openSource(buffer, false, isKeeper(buffer))),
      ...distant.map((buffer) => openSource(buffer, true, isKeeper(buffer))),
    ];
    const capacity = zone.rowCapacity - zone.ownCapacity;
    this.cells = new RowCells(mirroredColumns(zone.buffer.layout, zone.game.fields));
    this.stage = { key: new Uint32Array(capacity), rows: this.cells.createPacked(capacity) };
    this.rows = new FreeBitmap(capacity);
    this.seenTick = new Int32Array(capacity);
    this.seenChanges = new Int32Array(this.sources.length);
    this.minX = zone.area.x - margin;
    this.maxX = zone.area.x + zone.area.width + margin;
    this.minY = zone.area.y - margin;
    this.maxY = zone.area.y + zone.area.height + margin;
    this.takeUp();
  }

  /** Mirrors that a former thread had committed stand as they stood. */
  private takeUp(): void {
    const { zone } = this;
    const limit = zone.scalars[SCALAR_MIRROR_LIMIT];
    if (zone.sharedRow >= 0) {
      this.rows.mark(0);
      if (zone.alive[zone.sharedRow] !== 0) zone.rowOfId[wireIdOfKey(zone.sharedKey)] = zone.sharedRow + 1;
    }
    for (let row = zone.firstMirror; row < limit; row++) {
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

  /** One past the highest mirror row; mirrors begin at the zone's ownCapacity. */
  get rowLimit(): number {
    return this.zone.ownCapacity + this.rows.limit;
  }

  /** `wasStill`: so was this zone at the end of the last tick. If its neighbours were too, it would read what it has. */
  refresh(wasStill = false): void {
    if (wasStill && this.isSettled && !this.hasChanges()) {
      this.passedTick = this.zone.tick;
      return;
    }
    this.catchUp();
    this.isSettled = true; // unless something below says no
    for (let i = 0; i < this.sources.length; i++) {
      // acquire: rows of that change are in the block. Before it is read: a change that comes meanwhile is seen next time.
      this.seenChanges[i] = Atomics.load(this.sources[i].buffer.words, CHANGES);
      this.mirror(this.sources[i]);
    }
    this.forgetUnseen();
    this.readTick = this.zone.tick;
    this.zone.scalars[SCALAR_MIRROR_LIMIT] = this.rowLimit; // from here on they are committed with the tick
  }

  private hasChanges(): boolean {
    for (let i = 0; i < this.sources.length; i++) {
      // acquire: as where it is noted
      if (Atomics.load(this.sources[i].buffer.words, CHANGES) !== this.seenChanges[i]) return true;
    }
    return false;
  }

  /** What was shown in the last refresh that read was so in those after it that did not need to. */
  private catchUp(): void {
    const { seenTick, readTick, passedTick } = this;
    if (passedTick <= readTick) return;
    for (let place = 0; place < this.rows.limit; place++) {
      if (seenTick[place] === readTick) seenTick[place] = passedTick;
    }
  }

  /** Keeps showing an own row that has just departed, until its new zone shows it. */
  keepDeparted(row: number, target: number): void {
    const { zone } = this;
    const key = zone.engine.key[row];
    const mirror = this.allocate(key);
    this.isSettled = false;
    if (mirror < 0) {
      return;
    }
    const { cells, stage } = this; // the stage is free between two refreshes
    cells.pack(zone.buffer, LIVE_BLOCK, row, stage.rows, 0);
    cells.unpack(stage.rows, 0, zone.buffer, LIVE_BLOCK, mirror);
    zone.posts?.shownFrom(mirror, target);
  }

  /**
   * An own row takes the key. Its mirror goes: the entity has come over, or one born here died beyond the border, its id
   * came home and is given out again while the mirror of the dead one still stands.
   */
  release(key: number): void {
    const row = this.zone.rowOfId[wireIdOfKey(key)] - 1;
    if (row >= this.zone.ownCapacity) {
      this.isSettled = false;
      this.free(row);
    }
  }

  private mirror(source: Source): void {
    for (let reads = 0; reads < MIRROR_READS_MAX; reads++) {
      const held = source.buffer.hold();
      const block = source.buffer.committedIndex;
      let count = source.isDistant ? this.readEverywhere(source, block) : this.read(source, block);
      if (source.keepsShared) count = this.put(source.buffer, source.blocks[block], block, this.zone.sharedRow, count);
      if (source.buffer.isHeld(held)) {
        this.show(count, source.buffer.zoneId);
        return;
      }
    }
    this.isSettled = false;
    this.zone.counters[COUNTER.mirrorsTorn]++;
  }

  /**
   * @hot Every row of a neighbour is looked at once per tick, so the test for the margin comes first. Returns how many
   * entities are near the border; those beyond the stage are counted and have no room.
   */
  private read({ buffer, blocks }: Source, blockIndex: number): number {
    const { minX, maxX, minY, maxY, farKinds } = this;
    const { alive, positionX, positionY, kind } = blocks[blockIndex].engine;
    const rowLimit = blocks[blockIndex].scalars[SCALAR_ROW_LIMIT];
    let count = 0;
    for (let source = 0; source < rowLimit; source++) {
      const x = positionX[source];
      const y = positionY[source];
      if (alive[source] === 0 || x < minX || x > maxX || y < minY || y > maxY) {
        if (farKinds === undefined || alive[source] === 0 || !farKinds.reaches(kind[source], x, y)) continue;
      }
      count = this.put(buffer, blocks[blockIndex], blockIndex, source, count);
    }
    return count;
  }

  /** @hot The same of a zone that is no neighbour: what it lists as seen everywhere. */
  private readEverywhere({ buffer, blocks }: Source, blockIndex: number): number {
    const { scalars, engine } = blocks[blockIndex];
    let count = 0;
    for (let i = 0; i < scalars[SCALAR_EVERYWHERE_COUNT]; i++) {
      const source = scalars[SCALAR_EVERYWHERE_ROWS + i];
      if (engine.alive[source] !== 0) count = this.put(buffer, blocks[blockIndex], blockIndex, source, count);
    }
    return count;
  }

  /** @hot Into the stage, as the entity of this number. Returns how many there are then. */
  private put(buffer: WorldBuffer, block: SourceBlock, blockIndex: number, source: number, count: number): number {
    const { zone, cells, stage } = this;
    const sourceKey = block.engine.key[source];
    const row = zone.rowOfId[wireIdOfKey(sourceKey)] - 1;
    if (row >= 0 && row < zone.ownCapacity) {
      return count; // it has arrived here and its old zone has not committed that yet
    }
    if (count < stage.key.length) {
      stage.key[count] = sourceKey;
      cells.pack(buffer, blockIndex, source, stage.rows, count);
    }
    return count + 1;
  }

  /** @hot What was read is one tick's: it becomes what this zone sees. */
  private show(count: number, source: number): void {
    const { zone, cells, stage } = this;
    const staged = Math.min(count, stage.key.length);
    zone.counters[COUNTER.mirrorsRefused] += count - staged;
    if (count > staged) this.isSettled = false;
    for (let place = 0; place < staged; place++) {
      const key = stage.key[place];
      const known = zone.rowOfId[wireIdOfKey(key)] - 1;
      const row = known >= zone.ownCapacity && zone.engine.key[known] === key ? known : this.allocate(key);
      if (row >= 0) {
        cells.unpack(stage.rows, place, zone.buffer, LIVE_BLOCK, row);
        zone.posts?.shownFrom(row, source);
        this.seenTick[row - zone.ownCapacity] = zone.tick;
      }
    }
  }

  private allocate(key: number): number {
    const { zone } = this;
    const stale = zone.rowOfId[wireIdOfKey(key)] - 1;
    if (stale >= zone.ownCapacity) {
      this.free(stale); // an earlier entity of the same id
    }
    const place = key === zone.sharedKey && zone.sharedRow >= 0 ? 0 : this.rows.take();
    if (place < 0) {
      this.isSettled = false;
      zone.counters[COUNTER.mirrorsRefused]++;
      return -1;
    }
    const row = zone.ownCapacity + place;
    zone.engine.key[row] = key;
    zone.alive[row] = 1;
    zone.rowOfId[wireIdOfKey(key)] = row + 1;
    zone.onRowReset(row);
    this.seenTick[place] = zone.tick;
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
    for (let place = zone.firstMirror - zone.ownCapacity; place < this.rows.limit; place++) {
      if (zone.alive[zone.ownCapacity + place] === 0) {
        continue;
      }
      count++;
      if (seenTick[place] !== zone.tick) this.isSettled = false;
      if (zone.tick - seenTick[place] > MIRROR_GRACE_TICKS) {
        this.free(zone.ownCapacity + place);
        count--;
      }
    }
    zone.counters[COUNTER.mirrors] = count;
  }
}

function openSource(buffer: WorldBuffer, isDistant: boolean, keepsShared: boolean): Source {
  return {
    buffer,
    isDistant,
    keepsShared,
    blocks: buffer.blocks.map((block) => ({ scalars: block.scalars, engine: engineColumnsOf(block) })),
  };
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
