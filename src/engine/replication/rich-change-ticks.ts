// The wire form of entities whose game has more than plain numbers for everybody in view: see field-parts.ts. What only
// the owner of an entity gets has ticks of its own, so its changes make no record for anybody else; and only the owner's
// frame looks at it, so it costs nothing for entities that belong to no client.

import { type ComponentForm, hasField } from '../../game/fields/components.js';
import { type FieldForm, isPlain } from '../../game/fields/replicated-fields.js';
import type { AnyColumn } from '../../memory/world/column-types.js';
import { PLAIN_FIELDS_MAX, WIRE_KINDS_MAX } from '../../protocol/limits.js';
import type { EngineZone } from '../zone/zone.js';
import { ChangeTicks } from './change-ticks.js';
import { createPart, type FieldPart } from './field-parts.js';

const NEVER_TOUCHED = -1;

/** What the entities of a kind have, in the order of their masks' bits. */
export interface KindParts {
  /** Indexes of plain fields. */
  plain: Int32Array;
  view: readonly FieldPart[];
  team: readonly FieldPart[];
  owner: readonly FieldPart[];
}

export class RichChangeTicks extends ChangeTicks {
  /** By kind; all the same in a game without components. */
  readonly kinds: readonly KindParts[];
  /** Whether any kind has what only its team gets, and what not everybody gets. */
  readonly hasTeamParts: boolean;
  readonly hasOwnParts: boolean;
  /** Last tick at which any of what only the owner gets changed. */
  readonly ownerTick: Int32Array;
  private readonly ownerTouchedTick: Int32Array;
  /** The same of what the team gets; empty where there is no such field. */
  readonly teamTick: Int32Array;
  private readonly teamTouchedTick: Int32Array;

  private readonly kindOf: Uint8Array;

  constructor(zone: EngineZone, fields: readonly FieldForm[], quantum: number, components?: ComponentForm) {
    super(zone, fields.filter(isPlain), quantum);
    const rows = zone.rowCapacity;
    this.kindOf = zone.kind;
    this.kinds = this.listKinds(fields, zone.buffer.blocks[0].columns, components);
    this.hasTeamParts = fields.some(({ audience }) => audience === 'team');
    this.hasOwnParts = fields.some(({ audience }) => audience !== undefined);
    this.ownerTick = new Int32Array(rows);
    this.ownerTouchedTick = new Int32Array(rows).fill(NEVER_TOUCHED);
    const teamRows = this.hasTeamParts ? rows : 0;
    this.teamTick = new Int32Array(teamRows);
    this.teamTouchedTick = new Int32Array(teamRows).fill(NEVER_TOUCHED);
  }

  private listKinds(
    fields: readonly FieldForm[],
    columns: Readonly<Record<string, AnyColumn>>,
    components: ComponentForm | undefined,
  ): KindParts[] {
    const rich = fields
      .filter((form) => !isPlain(form))
      .map((form) => ({ form, part: createPart(form, columns[form.name], this.rowCapacity) }));
    const listKind = (has: (name: string) => boolean): KindParts => {
      const own = rich.filter(({ form }) => has(form.name));
      const of = (wanted: FieldForm['audience']) =>
        own.filter(({ form }) => form.audience === wanted).map(({ part }) => part);
      const plain = [...this.fields.keys()].filter((index) => has(this.fields[index].name));
      return { plain: Int32Array.from(plain), view: of(undefined), team: of('team'), owner: of('owner') };
    };
    return components === undefined
      ? new Array(WIRE_KINDS_MAX).fill(listKind(() => true))
      : components.ofKind.map((_, kind) => listKind((name) => hasField(components, kind, name)));
  }

  /** @hot */
  partsOf(row: number): KindParts {
    return this.kinds[this.kindOf[row]];
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
    if (this.hasTeamParts) this.touchTeam(row, tick);
    if (refreshAll(this.partsOf(row).owner, row, tick, lastTouched === NEVER_TOUCHED)) {
      this.ownerTick[row] = tick;
    }
  }

  /** @hot Whether anything has changed that the owner gets and not everybody. */
  isOwnDue(row: number, sent: number): boolean {
    return this.ownerTick[row] > sent || (this.hasTeamParts && this.teamTick[row] > sent);
  }

  /** @hot Once per tick and row that a client sees who gets what its team gets. */
  touchTeam(row: number, tick: number): void {
    const lastTouched = this.teamTouchedTick[row];
    if (lastTouched === tick) {
      return;
    }
    this.teamTouchedTick[row] = tick;
    if (refreshAll(this.partsOf(row).team, row, tick, lastTouched === NEVER_TOUCHED)) {
      this.teamTick[row] = tick;
    }
  }

  /** @hot */
  protected override compareFields(row: number, tick: number, isNew: boolean): void {
    const { plain, view } = this.partsOf(row);
    let changed = isNew;
    for (let i = 0; i < plain.length; i++) {
      if (this.compareField(plain[i], row, tick, isNew)) {
        changed = true;
      }
    }
    if (refreshAll(view, row, tick, isNew) || changed) {
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
export function createChangeTicks(
  zone: EngineZone,
  fields: readonly FieldForm[],
  quantum: number,
  components?: ComponentForm,
): ChangeTicks {
  const areAllPlain = components === undefined && fields.length <= PLAIN_FIELDS_MAX && fields.every(isPlain);
  return areAllPlain ? new ChangeTicks(zone, fields, quantum) : new RichChangeTicks(zone, fields, quantum, components);
}
