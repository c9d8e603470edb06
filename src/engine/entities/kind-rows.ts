// The rows of a zone, chosen by what their entities have. Rows with the same components stand in the same chunks, so that the
// memory of a component is touched only where there are entities that have it (memory/world/component-rows.ts).
//
// A row is the lowest free one of a chunk of its like, else the first of an empty chunk, else any: so a zone holds as many
// entities as it has rows. What a chunk has is found anew from the columns in each tick: a successor and a replay choose alike.

import type { GameDefinition } from '../../game/definition.js';
import { hasField } from '../../game/fields/components.js';
import { storageOf } from '../../game/fields/field-storage.js';
import type { AnyColumn } from '../../memory/world/column-types.js';
import { CHUNK_SHIFT, type ComponentsPlace, listSets } from '../../memory/world/component-rows.js';
import type { Block } from '../../memory/world/world-buffer.js';
import { WIRE_KINDS_MAX } from '../../protocol/limits.js';
import { FreeBitmap } from './free-bitmap.js';

interface Cell {
  name: string;
  column: AnyColumn;
  length: number;
}

export class KindRows extends FreeBitmap {
  /** By kind: its fields. All the same in a game without components. */
  private readonly cells: readonly (readonly Cell[])[];
  /** By chunk: components of its rows, 0 where it is empty. */
  private readonly sets: Int32Array;
  /** By a set of components: no chunk below has it and a free row. */
  private readonly lowest = new Map<number, number>();
  private lowestEmpty = 0;

  constructor(
    capacity: number,
    private readonly block: Block,
    game: Pick<GameDefinition, 'fields' | 'components'>,
    /** Undefined: every kind has every field, and any row is as good as another. */
    private readonly place: ComponentsPlace | undefined,
  ) {
    super(capacity);
    this.sets = new Int32Array(place === undefined ? 0 : Math.ceil(capacity / (1 << CHUNK_SHIFT)));
    const all = Object.entries(game.fields).map(([name, field]): Cell => {
      return { name, column: block.columns[name], length: storageOf(field).length ?? 1 };
    });
    this.cells =
      game.components === undefined
        ? new Array(WIRE_KINDS_MAX).fill(all)
        : game.components.ofKind.map((_, kind) => all.filter(({ name }) => hasField(game.components, kind, name)));
  }

  /** Finds what the chunks have. When rows were marked, and at the beginning of each tick. */
  sort(): void {
    if (this.place === undefined) return;
    this.sets.fill(0);
    listSets(this.block.columns, this.place, 0, this.limit, this.sets);
    this.lowest.clear();
    this.lowestEmpty = 0;
  }

  /** A row for an entity of this kind, now taken; -1 when all are. */
  takeFor(kind: number): number {
    if (this.place === undefined) return this.take();
    const set = this.place.sets[kind];
    const row = this.takeOfLike(set);
    if (row >= 0) return row;
    const any = this.take();
    if (any >= 0) this.sets[any >> CHUNK_SHIFT] |= set;
    return any;
  }

  override give(row: number): void {
    super.give(row);
    if (this.place === undefined) return;
    const chunk = row >> CHUNK_SHIFT;
    for (const [set, lowest] of this.lowest) if (lowest > chunk) this.lowest.set(set, chunk);
    if (!this.isEmpty(chunk)) return;
    this.sets[chunk] = 0;
    this.lowestEmpty = Math.min(this.lowestEmpty, chunk);
  }

  /** The fields of a row are 0; `before`: but for those of this kind, which it has already. */
  reset(row: number, kind: number, before = -1): void {
    const cells = this.cells[kind];
    const had = before < 0 ? [] : this.cells[before];
    for (let i = 0; i < cells.length; i++) {
      const { column, length } = cells[i];
      if (!had.includes(cells[i])) column.fill(0, row * length, (row + 1) * length);
    }
  }

  private takeOfLike(set: number): number {
    const { sets, lowest } = this;
    let chunk = lowest.get(set) ?? 0;
    const limit = Math.ceil(this.limit / (1 << CHUNK_SHIFT));
    for (; chunk < limit; chunk++) {
      const row = sets[chunk] === set ? this.takeOf(chunk) : -1;
      if (row < 0) continue;
      lowest.set(set, chunk);
      return row;
    }
    while (this.lowestEmpty < sets.length && sets[this.lowestEmpty] !== 0) this.lowestEmpty++;
    const row = this.lowestEmpty < sets.length ? this.takeOf(this.lowestEmpty) : -1;
    lowest.set(set, row < 0 ? limit : this.lowestEmpty);
    if (row >= 0) sets[this.lowestEmpty] = set;
    return row;
  }
}
