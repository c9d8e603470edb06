// The wire form of entities whose game has more than plain numbers for everybody in view: see field-parts.ts. What only
// the owner of an entity gets has ticks of its own, so its changes make no record for anybody else; and only the owner's
// frame looks at it, so it costs nothing for entities that belong to no client.

import { type FieldForm, isPlain } from '../../game/fields/replicated-fields.js';
import { PLAIN_FIELDS_MAX } from '../../protocol/limits.js';
import type { EngineZone } from '../zone/zone.js';
import { ChangeTicks } from './change-ticks.js';
import { createPart, type FieldPart } from './field-parts.js';

const NEVER_TOUCHED = -1;

export class RichChangeTicks extends ChangeTicks {
  /** In the order of the mask's bits, behind the plain fields. */
  readonly viewParts: readonly FieldPart[];
  /** Behind those, and behind them what only the owner gets. */
  readonly teamParts: readonly FieldPart[];
  readonly ownerParts: readonly FieldPart[];
  /** Last tick at which any of what only the owner gets changed. */
  readonly ownerTick: Int32Array;
  private readonly ownerTouchedTick: Int32Array;
  /** The same of what the team gets; empty where there is no such field. */
  readonly teamTick: Int32Array;
  private readonly teamTouchedTick: Int32Array;

  constructor(zone: EngineZone, fields: readonly FieldForm[], quantum: number) {
    super(zone, fields.filter(isPlain), quantum);
    const rows = zone.rowCapacity;
    const { columns } = zone.buffer.blocks[0];
    const parts = (forms: FieldForm[]) => forms.map((form) => createPart(form, columns[form.name], rows));
    this.viewParts = parts(fields.filter((form) => !isPlain(form) && form.audience === undefined));
    this.teamParts = parts(fields.filter(({ audience }) => audience === 'team'));
    this.ownerParts = parts(fields.filter(({ audience }) => audience === 'owner'));
    this.ownerTick = new Int32Array(rows);
    this.ownerTouchedTick = new Int32Array(rows).fill(NEVER_TOUCHED);
    const teamRows = this.teamParts.length > 0 ? rows : 0;
    this.teamTick = new Int32Array(teamRows);
    this.teamTouchedTick = new Int32Array(teamRows).fill(NEVER_TOUCHED);
  }

  override reset(row: number): void {
    super.reset(row);
    this.ownerTouchedTick[row] = NEVER_TOUCHED;
    this.teamTouchedTick[row] = NEVER_TOUCHED;
  }

  /** @hot Once per tick and client whose frame is due, on the row that belongs to it. */
  touchOwner(row: number, tick: number): void {
    const lastTouched = this.ownerTouchedTick[row];
    if (lastTouched === tick) {
      return;
    }
    this.ownerTouchedTick[row] = tick;
    if (this.teamParts.length > 0) this.touchTeam(row, tick);
    if (refreshAll(this.ownerParts, row, tick, lastTouched === NEVER_TOUCHED)) {
      this.ownerTick[row] = tick;
    }
  }

  /** @hot Whether anything has changed that the owner gets and not everybody. */
  isOwnDue(row: number, sent: number): boolean {
    return this.ownerTick[row] > sent || (this.teamParts.length > 0 && this.teamTick[row] > sent);
  }

  /** @hot Once per tick and row that a client sees who gets what its team gets. */
  touchTeam(row: number, tick: number): void {
    const lastTouched = this.teamTouchedTick[row];
    if (lastTouched === tick) {
      return;
    }
    this.teamTouchedTick[row] = tick;
    if (refreshAll(this.teamParts, row, tick, lastTouched === NEVER_TOUCHED)) {
      this.teamTick[row] = tick;
    }
  }

  /** @hot */
  protected override compareFields(row: number, tick: number, isNew: boolean): void {
    super.compareFields(row, tick, isNew);
    if (refreshAll(this.viewParts, row, tick, isNew)) {
      this.fieldsTick[row] = tick;
      this.changedTick[row] = tick;
    }
  }
}

/** @hot */
function refreshAll(parts: readonly FieldPart[], row: number, tick: number, isNew: boolean): boolean {
  let changed = false;
  for (let i = 0; i < parts.length; i++) {
    if (parts[i].refresh(row, tick, isNew)) {
      changed = true;
    }
  }
  return changed;
}

/** Chosen once, so that a game of plain fields has the code of plain fields only. */
export function createChangeTicks(zone: EngineZone, fields: readonly FieldForm[], quantum: number): ChangeTicks {
  const areAllPlain = fields.length <= PLAIN_FIELDS_MAX && fields.every(isPlain);
  return areAllPlain ? new ChangeTicks(zone, fields, quantum) : new RichChangeTicks(zone, fields, quantum);
}
