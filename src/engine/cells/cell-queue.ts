// What waits for the cold cells of a zone: entities that have walked into one, and what the game aims at one. It stands in
// the zone's own block, so it is committed, restored and stored with the tick that put it there, and nothing of it can be
// lost or done twice.
//
//  0          4          8          12          16
//  | cell i32 | form i32 | tick i32 | kind i32  | x f32, y f32, a f64, b f64, or a packed row |

import type { CellEvent } from '../../game/definition.js';
import type { CellPlan } from '../../memory/cells/cell-plan.js';
import type { WorldBuffer } from '../../memory/world/world-buffer.js';
import { LIVE_BLOCK } from '../../memory/world/world-buffer.js';
import { SCALAR_CELL_QUEUE } from '../../memory/world/world-layout.js';
import { copyRow } from '../borders/handoff.js';

const AT_CELL = 0;
const AT_FORM = 4;
const AT_TICK = 8;
const AT_KIND = 12;
export const QUEUE_HEAD_BYTES = 16;
const EVENT_BYTES = 24;

const FORM_EVENT = 0;
export const FORM_ENTITY = 1;

export function queueRecordBytes(rowBytes: number): number {
  return Math.ceil((QUEUE_HEAD_BYTES + Math.max(rowBytes, EVENT_BYTES)) / 8) * 8;
}

/** Of the bytes of one record, wherever they stand. */
export function formOfRecord(record: Uint8Array): number {
  return record[AT_FORM];
}

export class CellQueue {
  readonly capacity: number;
  readonly recordBytes: number;
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly scalars: Int32Array;
  /** By cell: records that wait for it. */
  private readonly waiting: Uint16Array;
  /** While a cell's records are taken out: those between are gone already. */
  private takenStart = 0;
  private takenEnd = 0;

  constructor(
    private readonly world: WorldBuffer,
    private readonly plan: CellPlan,
  ) {
    const { cells } = world.layout;
    const live = world.blocks[LIVE_BLOCK];
    if (cells === undefined || live.cells === undefined) throw new Error('assertion failed: the world has cells');
    this.capacity = cells.queueRecords;
    this.recordBytes = cells.queueRecordBytes;
    this.bytes = live.cells.queue;
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    this.scalars = live.scalars;
    this.waiting = new Uint16Array(cells.count);
    for (let i = 0; i < this.count; i++) this.waiting[this.cellOf(i)]++;
  }

  get count(): number {
    return this.scalars[SCALAR_CELL_QUEUE];
  }

  waitingFor(cell: number): number {
    return this.waiting[cell];
  }

  cellOf(index: number): number {
    return this.view.getInt32(index * this.recordBytes + AT_CELL, true);
  }

  /** False: full. */
  pushEntity(cell: number, row: number, tick: number): boolean {
    const at = this.begin(cell, FORM_ENTITY, tick, 0);
    if (at < 0) return false;
    const start = this.bytes.byteOffset + at + QUEUE_HEAD_BYTES;
    copyRow(this.world.bytes, this.world.bytes, this.plan.rowColumns, row, start, true);
    return true;
  }

  pushEvent(cell: number, { x, y, kind, a, b, tick }: CellEvent): boolean {
    const at = this.begin(cell, FORM_EVENT, tick, kind);
    if (at < 0) return false;
    const body = at + QUEUE_HEAD_BYTES;
    this.view.setFloat32(body, x, true);
    this.view.setFloat32(body + 4, y, true);
    this.view.setFloat64(body + 8, a, true);
    this.view.setFloat64(body + 16, b, true);
    return true;
  }

  private formOf(index: number): number {
    return this.view.getInt32(index * this.recordBytes + AT_FORM, true);
  }

  private eventAt(index: number): CellEvent {
    const at = index * this.recordBytes;
    const body = at + QUEUE_HEAD_BYTES;
    return {
      x: this.view.getFloat32(body, true),
      y: this.view.getFloat32(body + 4, true),
      kind: this.view.getInt32(at + AT_KIND, true),
      a: this.view.getFloat64(body + 8, true),
      b: this.view.getFloat64(body + 16, true),
      tick: this.view.getInt32(at + AT_TICK, true),
    };
  }

  /** Where the packed row of a record stands in the world's bytes. */
  private rowOffset(index: number): number {
    return this.bytes.byteOffset + index * this.recordBytes + QUEUE_HEAD_BYTES;
  }

  /**
   * Takes a cell's records out, the oldest first, until `bear` finds no row for one. The others move up once, and keep their
   * order; what `apply` makes wait comes behind all of them.
   */
  drain(cell: number, bear: (rowOffset: number) => boolean, apply: (event: CellEvent) => void): void {
    let isTaking = true;
    while (this.takenEnd < this.count) {
      const index = this.takenEnd;
      if (isTaking && this.waiting[cell] > 0 && this.cellOf(index) === cell) {
        if (this.formOf(index) === FORM_EVENT) {
          const event = this.eventAt(index);
          this.waiting[cell]--;
          this.takenEnd++;
          apply(event);
          continue;
        }
        isTaking = bear(this.rowOffset(index));
        if (isTaking) {
          this.waiting[cell]--;
          this.takenEnd++;
          continue;
        }
      }
      if (this.takenStart < index) this.move(this.takenStart, index, index + 1);
      this.takenStart++;
      this.takenEnd++;
    }
    this.closeGap();
    this.takenStart = 0;
    this.takenEnd = 0;
  }

  /** Those behind the records that were taken move up. */
  private closeGap(): void {
    if (this.takenStart === this.takenEnd) return;
    this.move(this.takenStart, this.takenEnd, this.count);
    this.scalars[SCALAR_CELL_QUEUE] -= this.takenEnd - this.takenStart;
    this.takenEnd = this.takenStart;
  }

  private move(target: number, start: number, end: number): void {
    this.bytes.copyWithin(target * this.recordBytes, start * this.recordBytes, end * this.recordBytes);
  }

  private begin(cell: number, form: number, tick: number, kind: number): number {
    if (this.count === this.capacity) this.closeGap();
    if (this.count === this.capacity) return -1;
    const at = this.count * this.recordBytes;
    this.scalars[SCALAR_CELL_QUEUE]++;
    this.waiting[cell]++;
    this.view.setInt32(at + AT_CELL, cell, true);
    this.view.setInt32(at + AT_FORM, form, true);
    this.view.setInt32(at + AT_TICK, tick, true);
    this.view.setInt32(at + AT_KIND, kind, true);
    return at;
  }
}
