// Records of cells in the cold store, table `cells`. A record is never written over: each time a cell leaves it gets a
// version of its own, and the zone's state says which version is the cell. So a snapshot names, for every cell that was
// cold at its tick, exactly the rows that it had then.
//
// Key: <cell of the world>@<version, base 36>

import type { ColumnSpec } from '../memory/world-layout.js';
import { decodeCell, type PackedRows } from './cell-record.js';
import type { ColdStore } from './ports.js';

export const CELLS_TABLE = 'cells';
/** Versions that one millisecond has; a server that starts later begins above all that an earlier one gave out. */
const VERSIONS_PER_MS = 1024;
const VERSIONS_SEARCHED_MAX = 32;

export function firstVersion(nowMs: number): number {
  return nowMs * VERSIONS_PER_MS;
}

export function cellKey(cell: number, version: number): string {
  return `${cell}@${version.toString(36)}`;
}

export function versionOfKey(key: string): number {
  return Number.parseInt(key.slice(key.indexOf('@') + 1), 36);
}

/** Every record of a cell that is there, oldest version first. */
export async function findVersions(store: ColdStore, cell: number): Promise<{ version: number; value: Uint8Array }[]> {
  const rows = await store.scanRows(CELLS_TABLE, `${cell}@`, '', VERSIONS_SEARCHED_MAX);
  return rows
    .map(({ key, value }) => ({ version: versionOfKey(key), value }))
    .sort((one, other) => one.version - other.version);
}

/** The newest whole record of a cell whose own one is not whole, or undefined. */
export async function findSubstitute(
  store: ColdStore,
  cell: number,
  version: number,
  columns: readonly ColumnSpec[],
): Promise<PackedRows | undefined> {
  const others = (await findVersions(store, cell)).filter((found) => found.version !== version).reverse();
  for (const { value } of others) {
    try {
      return decodeCell(value, cell, columns);
    } catch {
      // This one is not whole either: the next older one may be.
    }
  }
  return undefined;
}
