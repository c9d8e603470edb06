// Records of cells in the cold store, table `cells`. A record is never written over: each time a cell leaves it gets a
// version of its own, and the zone's state says which version is the cell. So a snapshot names, for every cell that was
// cold at its tick, exactly the rows that it had then. Each world has records of its own: nobody reads, or cleans away,
// those of another one that uses the same store.
//
// Key: <world's id>/<cell of the world>@<version, base 36>; records of before keys had worlds begin with the cell

import type { ColumnSpec } from '../memory/world-layout.js';
import { decodeCell, type PackedRows } from './cell-record.js';
import type { ColdStore } from './ports.js';

export const CELLS_TABLE = 'cells';
/** Versions that one millisecond has; a server that starts later begins above all that an earlier one gave out. */
const VERSIONS_PER_MS = 1024;
const VERSIONS_SEARCHED_MAX = 32;
/** Of a world that is given up, at one time. */
const DROPPED_PER_CALL = 256;

/** Which record of which cell. */
export interface CellName {
  cell: number;
  version: number;
}

export interface CellValue extends CellName {
  record: Uint8Array;
}

export function firstVersion(nowMs: number): number {
  return nowMs * VERSIONS_PER_MS;
}

export function cellKey(worldId: string, cell: number, version: number): string {
  return `${worldId}/${unscopedKey(cell, version)}`;
}

export function versionOfKey(key: string): number {
  return Number.parseInt(key.slice(key.indexOf('@') + 1), 36);
}

function unscopedKey(cell: number, version: number): string {
  return `${cell}@${version.toString(36)}`;
}

/** The records of one world. */
export class CellRecords {
  /** By cell, versions under keys of before they had worlds: ours, since they were read by the names that our state has. */
  private readonly unscoped = new Map<number, Set<number>>();

  constructor(
    private readonly store: ColdStore,
    private readonly worldId: string,
  ) {}

  key({ cell, version }: CellName): string {
    return cellKey(this.worldId, cell, version);
  }

  async read(names: readonly CellName[]): Promise<(Uint8Array | undefined)[]> {
    const keys = names.map((name) => this.key(name));
    const values = await this.store.getRows(CELLS_TABLE, keys);
    const missing = [...names.keys()].filter((i) => values[i] === undefined);
    if (missing.length === 0) return values;
    const oldKeys = missing.map((i) => unscopedKey(names[i].cell, names[i].version));
    const found = await this.store.getRows(CELLS_TABLE, oldKeys);
    for (const [nth, i] of missing.entries()) {
      values[i] = found[nth];
      if (found[nth] !== undefined) this.noteUnscoped(names[i]);
    }
    return values;
  }

  async write(records: readonly CellValue[]): Promise<void> {
    await this.store.putRows(
      CELLS_TABLE,
      records.map(({ record, ...name }) => ({ key: this.key(name), value: record })),
    );
  }

  async delete(names: readonly CellName[]): Promise<void> {
    const old = names.filter(({ cell, version }) => this.unscoped.get(cell)?.has(version));
    const keys = names.map((name) => this.key(name));
    await this.store.deleteRows(CELLS_TABLE, [...keys, ...old.map(({ cell, version }) => unscopedKey(cell, version))]);
    for (const { cell, version } of old) this.unscoped.get(cell)?.delete(version);
  }

  /** Versions of a cell that are there, as far as they are known to be ours. */
  async listVersions(cell: number): Promise<number[]> {
    const found = await this.findVersions(cell);
    return [...found.map(({ version }) => version), ...(this.unscoped.get(cell) ?? [])];
  }

  /** Oldest first. */
  private async findVersions(cell: number): Promise<{ version: number; value: Uint8Array }[]> {
    const prefix = `${this.worldId}/${cell}@`;
    const rows = await this.store.scanRows(CELLS_TABLE, prefix, '', VERSIONS_SEARCHED_MAX);
    return rows
      .map(({ key, value }) => ({ version: versionOfKey(key), value }))
      .sort((one, other) => one.version - other.version);
  }

  /**
   * The newest whole record that is older than this one, which is not whole. A later one is of play that was lost with the
   * process: whoever is in it may be elsewhere now.
   */
  async findOlder({ cell, version }: CellName, columns: readonly ColumnSpec[]): Promise<PackedRows | undefined> {
    const older = (await this.findVersions(cell)).filter((found) => found.version < version).reverse();
    for (const { value } of older) {
      try {
        return decodeCell(value, cell, columns);
      } catch {
        // This one is not whole either: the next older one may be.
      }
    }
    return undefined;
  }

  private noteUnscoped({ cell, version }: CellName): void {
    const versions = this.unscoped.get(cell) ?? new Set<number>();
    this.unscoped.set(cell, versions.add(version));
  }

  /** Some records of another world, which nobody goes on with. Resolves with how many; 0: there are no more. */
  async dropSome(worldId: string): Promise<number> {
    const rows = await this.store.scanRows(CELLS_TABLE, `${worldId}/`, '', DROPPED_PER_CALL);
    await this.store.deleteRows(
      CELLS_TABLE,
      rows.map(({ key }) => key),
    );
    return rows.length;
  }
}
