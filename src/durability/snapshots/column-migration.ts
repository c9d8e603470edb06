// A snapshot that an earlier version of the game wrote, made to fit the columns of this one. By name: a column that is no
// longer there is left out, a new one has its initial value (zero, if not said), and one of another type is taken over by
// value, if every value of every entity means the same in the new type. Arrays and texts of another length are taken over
// element by element. Nothing is rounded, cut or wrapped: then the snapshot does not fit.

import { DEPART_TO_CELL } from '../../engine/entities/columns.js';
import { type AnyColumn, COLUMN_ARRAYS } from '../../memory/world/column-types.js';
import { type ColumnSpec, describeColumn } from '../../memory/world/world-layout.js';
import type { ZoneSnapshot } from './zone-snapshot.js';

/** The snapshot is whole, and still cannot be taken up. */
export class ColumnMisfit extends Error {}

export interface Migration {
  snapshot: ZoneSnapshot;
  /** What became of columns, as words for one line; empty when all are as they were. */
  changes: string[];
}

/** Throws ColumnMisfit with the first column that does not fit. */
export function migrateColumns(snapshot: ZoneSnapshot, wanted: readonly ColumnSpec[]): Migration {
  const { header } = snapshot;
  const stored = new Map(header.columns.map((column) => [column.name, column]));
  const alive = findEntities(snapshot);
  const columns = new Map<string, AnyColumn>();
  const changes: string[] = [];
  for (const { name, type, length, initial = 0 } of wanted) {
    const before = stored.get(name);
    const cells = snapshot.columns.get(name);
    if (before === undefined || cells === undefined) {
      changes.push(`${name} is new and ${initial === 0 ? 'zero' : initial}`);
    } else if (before.type === type && before.length === length) {
      columns.set(name, cells);
    } else {
      columns.set(name, convert(before, { name, type, ...(length && { length }) }, cells, alive));
      changes.push(`${name} was ${describe(before)} and is ${describe({ type, ...(length && { length }) })}`);
    }
  }
  for (const name of stored.keys()) {
    if (!wanted.some((column) => column.name === name)) changes.push(`${name} is no longer there`);
  }
  if (changes.length === 0) {
    return { snapshot, changes };
  }
  const kept = wanted.filter(({ name }) => columns.has(name)).map((column) => describeColumn(column));
  return { snapshot: { ...snapshot, header: { ...header, columns: kept }, columns }, changes };
}

/** By row, not 0 where an entity is: alive, or resting in a cell that is on its way to the store. */
function findEntities({ columns }: ZoneSnapshot): AnyColumn | undefined {
  const departTo = columns.get('departTo');
  return columns.get('alive')?.map((alive: number, row: number) => (departTo?.[row] === DEPART_TO_CELL ? 1 : alive));
}

/** Rows that are no entity keep what was there last: it means nothing, need not fit, and becomes zero. */
function convert(before: ColumnSpec, now: ColumnSpec, cells: AnyColumn, alive: AnyColumn | undefined): AnyColumn {
  const { length: lengthBefore = 1 } = before;
  const { length: lengthNow = 1 } = now;
  const rows = cells.length / lengthBefore;
  const converted = new COLUMN_ARRAYS[now.type](rows * lengthNow);
  for (let row = 0; row < rows; row++) {
    if (before.role !== 'id' && alive?.[row] === 0) continue;
    for (let i = 0; i < lengthBefore; i++) {
      const value = cells[row * lengthBefore + i];
      const at = row * lengthNow + i;
      if (i < lengthNow) converted[at] = value;
      // An element for which there is no room any more must have been 0.
      const kept = i < lengthNow ? converted[at] : 0;
      if (kept !== value && !(Number.isNaN(value) && Number.isNaN(kept))) {
        throw new ColumnMisfit(
          `column ${before.name} was ${describe(before)} and is ${describe(now)} now, which ${value} of row ${row} does not fit`,
        );
      }
    }
  }
  return converted;
}

function describe({ type, length }: Pick<ColumnSpec, 'type' | 'length'>): string {
  return length === undefined ? type : `${type} x ${length}`;
}
