// The wire form of each entity, position and replicated fields, and the tick at which each part last changed. The first
// observer of a tick brings it up to date (touch); the others copy. Systems write their columns freely and mark nothing: a
// change is found by comparing.
//
// Private to the tick thread. A replaced thread begins anew, and every client gets a full frame.

import type { FieldForm } from '../../game/fields/replicated-fields.js';
import { WIRE_TYPE_MAX, WIRE_TYPE_MIN, WIRE_TYPES } from '../../game/wire-types.js';
import type { AnyColumn } from '../../memory/world/column-types.js';
import type { EngineZone } from '../zone/zone.js';
import { MID_STEP_QUANTA_MAX, SHORT_STEP_QUANTA_MAX } from './limits.js';

const NEVER_TOUCHED = -1;

export class ChangeTicks {
  readonly quantumX: Uint32Array;
  readonly quantumY: Uint32Array;
  /** Last tick at which anything changed; at which the position did; any field; a step above short; above mid. */
  readonly changedTick: Int32Array;
  readonly movedTick: Int32Array;
  readonly fieldsTick: Int32Array;
  readonly midTick: Int32Array;
  readonly teleportTick: Int32Array;
  /** Raw wire values, by field * rowCapacity + row; floats as their bits' number. */
  readonly raw: Float64Array;
  readonly fieldTick: Int32Array;
  readonly fieldCount: number;
  readonly rowCapacity: number;
  private readonly touchedTick: Int32Array;
  private readonly sources: readonly AnyColumn[];
  private readonly scale: Float64Array;
  private readonly offset: Float64Array;
  private readonly rawMin: Float64Array;
  private readonly rawMax: Float64Array;
  private readonly isFloat: Uint8Array;
  private readonly quantaPerUnit: number;
  private readonly quantaMaxX: number;
  private readonly quantaMaxY: number;

  constructor(
    private readonly zone: EngineZone,
    /** One number each, which everybody in view gets. */
    readonly fields: readonly FieldForm[],
    quantum: number,
  ) {
    const rows = zone.rowCapacity;
    this.rowCapacity = rows;
    this.fieldCount = fields.length;
    this.quantumX = new Uint32Array(rows);
    this.quantumY = new Uint32Array(rows);
    this.changedTick = new Int32Array(rows);
    this.movedTick = new Int32Array(rows);
    this.fieldsTick = new Int32Array(rows);
    this.midTick = new Int32Array(rows);
    this.teleportTick = new Int32Array(rows);
    this.touchedTick = new Int32Array(rows).fill(NEVER_TOUCHED);
    this.raw = new Float64Array(rows * fields.length);
    this.fieldTick = new Int32Array(rows * fields.length);
    this.sources = fields.map(({ name }) => zone.buffer.blocks[0].columns[name]);
    this.scale = Float64Array.from(fields, (field) => field.scale);
    this.offset = Float64Array.from(fields, (field) => field.offset);
    this.rawMin = Float64Array.from(fields, ({ type }) => WIRE_TYPE_MIN[WIRE_TYPES[type]]);
    this.rawMax = Float64Array.from(fields, ({ type, shape }) =>
      shape === 'bool' ? 1 : WIRE_TYPE_MAX[WIRE_TYPES[type]],
    );
    this.isFloat = Uint8Array.from(fields, ({ type }) => (type === 'f32' ? 1 : 0));
    this.quantaPerUnit = 1 / quantum;
    this.quantaMaxX = Math.floor(zone.world.width / quantum);
    this.quantaMaxY = Math.floor(zone.world.height / quantum);
  }

  /** The row stands for another entity from now on. */
  reset(row: number): void {
    this.touchedTick[row] = NEVER_TOUCHED;
  }

  /** @hot Once per entity and tick that somebody sees it: brings the wire form up to date. */
  touch(row: number): void {
    const tick = this.zone.tick;
    const lastTouched = this.touchedTick[row];
    if (lastTouched === tick) {
      return;
    }
    this.touchedTick[row] = tick;
    const x = Math.min(Math.max(Math.round(this.zone.positionX[row] * this.quantaPerUnit), 0), this.quantaMaxX);
    const y = Math.min(Math.max(Math.round(this.zone.positionY[row] * this.quantaPerUnit), 0), this.quantaMaxY);
    if (lastTouched === NEVER_TOUCHED) {
      this.quantumX[row] = x;
      this.quantumY[row] = y;
      this.changedTick[row] = tick;
      this.movedTick[row] = tick;
      this.midTick[row] = tick;
      this.teleportTick[row] = tick;
      this.compareFields(row, tick, true);
      return;
    }
    const stepX = Math.abs(x - this.quantumX[row]);
    const stepY = Math.abs(y - this.quantumY[row]);
    const step = Math.max(stepX, stepY);
    if (step > 0) {
      this.quantumX[row] = x;
      this.quantumY[row] = y;
      this.changedTick[row] = tick;
      this.movedTick[row] = tick;
      // Ticks at which nobody looked count as if the way had been walked evenly: the sum of steps is what matters.
      const ticks = tick - lastTouched;
      if (step > SHORT_STEP_QUANTA_MAX * ticks) {
        this.midTick[row] = tick;
        if (step > MID_STEP_QUANTA_MAX * ticks) {
          this.teleportTick[row] = tick;
        }
      }
    }
    this.compareFields(row, tick, false);
  }

  /** @hot */
  protected compareFields(row: number, tick: number, isNew: boolean): void {
    let changed = isNew;
    for (let field = 0; field < this.fieldCount; field++) {
      if (this.compareField(field, row, tick, isNew)) {
        changed = true;
      }
    }
    if (changed) {
      this.fieldsTick[row] = tick;
      this.changedTick[row] = tick;
    }
  }

  /** @hot */
  protected compareField(field: number, row: number, tick: number, isNew: boolean): boolean {
    const at = field * this.rowCapacity + row;
    let raw = (this.sources[field][row] - this.offset[field]) / this.scale[field];
    raw = Math.min(Math.max(raw, this.rawMin[field]), this.rawMax[field]);
    raw = this.isFloat[field] === 0 ? Math.round(raw) : Math.fround(raw);
    if (Number.isNaN(raw)) {
      raw = 0; // not a number: equal to nothing, it would change in every tick
    }
    if (!isNew && raw === this.raw[at]) {
      return false;
    }
    this.raw[at] = raw;
    this.fieldTick[at] = tick;
    return true;
  }
}
