// What a game says of who sees what: the columns that it chooses with `visibility` and `teams`. A game that has not chosen
// them has no such columns, and is told so when it asks for one: a mask that is written nowhere would hide nothing.

import { assert } from '../../base/assert.js';
import type { AnyColumn } from '../../memory/world/column-types.js';
import type { Block } from '../../memory/world/world-buffer.js';
import { type ColumnChoice, chosenColumns } from '../entities/columns.js';
import { VIEW_REACH_MAX } from '../limits.js';

/** By row; columns.ts says what they mean. */
export interface SightColumns {
  shownTo: Uint32Array;
  sees: Uint32Array;
  viewReach: Float32Array;
}

export class ZoneSight {
  /** Undefined: the game has not chosen them. */
  readonly sightColumns: SightColumns | undefined;
  readonly teamColumn: Uint8Array | undefined;

  private readonly initials: readonly { column: AnyColumn; initial: number }[];

  constructor({ columns }: Block, choice: ColumnChoice) {
    this.sightColumns = choice.visibility === 'masks' ? (columns as unknown as SightColumns) : undefined;
    this.teamColumn = choice.teams === true ? (columns.team as Uint8Array) : undefined;
    const ofRows = chosenColumns(choice).filter(({ role }) => role !== 'id');
    this.initials = ofRows.map(({ name, initial = 0 }) => ({ column: columns[name], initial }));
  }

  get shownTo(): Uint32Array {
    return this.sight.shownTo;
  }

  get sees(): Uint32Array {
    return this.sight.sees;
  }

  get team(): Uint8Array {
    if (this.teamColumn === undefined) throw new Error("zone.team is there in a game with 'teams: true'");
    return this.teamColumn;
  }

  setViewRadius(row: number, radius: number): void {
    assert(radius >= 0, 'a view radius is a number from 0 up', radius);
    this.sight.viewReach[row] = Math.min(radius, VIEW_REACH_MAX);
  }

  /** A new entity. */
  protected beginSight(row: number): void {
    for (let i = 0; i < this.initials.length; i++) this.initials[i].column[row] = this.initials[i].initial;
  }

  private get sight(): SightColumns {
    if (this.sightColumns === undefined) {
      throw new Error("zone.shownTo, sees and setViewRadius are there in a game with visibility: 'masks'");
    }
    return this.sightColumns;
  }
}
