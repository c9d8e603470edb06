// Records of cells in the cold store, table `cells`. A record is never written over: each time a cell leaves it gets a
// version of its own, and the zone's state says which version is the cell. So a snapshot names, for every cell that was
// cold at its tick, exactly the rows that it had then. Each world has records of its own: nobody reads, or cleans away,
// those of another one that uses the same store.
//
// Key: <world's id>/<cell of the world>@<version, base 36>
//
// A record that is larger than a store takes as one row is cut: `+1`, `+2` and so on behind the key are its further pieces,
// and behind a piece of full size there is another one. All are there before any state names the record.

import type { ColumnSpec } from '../../memory/world/world-layout.js';
import { SNAPSHOT_PIECE_BYTES } from '../../stores/limits.js';
import type { ColdRow, ColdStore } from '../../stores/store-ports.js';
import { decodeCell, type PackedRows } from './cell-record.js';
import { CELL_PAGE_KEYS, CELL_VERSIONS_PER_MS } from './limits.js';

export const CELLS_TABLE = 'cells';

/** Which record of which cell. */
export interface CellName {
  cell: number;
  version: number;
}

export interface CellValue extends CellName {
  record: Uint8Array;
}

export function firstVersion(nowMs: number): number {
  return nowMs * CELL_VERSIONS_PER_MS;
}

export function cellKey(worldId: string, cell: number, version: number): string {
  return `${worldId}/${cell}@${version.toString(36)}`;
}

/** Of any piece. */
export function versionOfKey(key: string): number {
  return Number.parseInt(key.slice(key.indexOf('@') + 1), 36);
}

function pieceKey(key: string, piece: number): string {
  return piece === 0 ? key : `${key}+${piece}`;
}

/** The records of one world. */
export class CellRecords {
  /** By key of a record that is cut: the number of its last piece, as far as it was seen. */
  private readonly lastPieces = new Map<string, number>();

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
    for (const [i, value] of values.entries()) {
      if (value?.length === SNAPSHOT_PIECE_BYTES) values[i] = await this.readOn(keys[i], value);
    }
    return values;
  }

  /** Small ones together; a large one piece by piece, so that a call ends in time. */
  async write(records: readonly CellValue[]): Promise<void> {
    const whole: ColdRow[] = [];
    for (const { record, ...name } of records) {
      const key = this.key(name);
      if (record.length < SNAPSHOT_PIECE_BYTES) whole.push({ key, value: record });
      else await this.writePieces(key, record);
    }
    await this.store.putRows(CELLS_TABLE, whole);
  }

  async delete(names: readonly CellName[]): Promise<void> {
    const keys = names.map((name) => this.key(name));
    const pieces = keys.flatMap((key) =>
      Array.from({ length: this.lastPieces.get(key) ?? 0 }, (_, i) => pieceKey(key, i + 1)),
    );
    await this.store.deleteRows(CELLS_TABLE, [...keys, ...pieces]);
    for (const key of keys) this.lastPieces.delete(key);
  }

  /** Versions of a cell that are there, oldest first. */
  async listVersions(cell: number): Promise<number[]> {
    const prefix = `${this.worldId}/${cell}@`;
    const versions = new Set<number>();
    for (let afterKey = ''; ; ) {
      const keys = await this.store.scanKeys(CELLS_TABLE, prefix, afterKey, CELL_PAGE_KEYS);
      for (const key of keys) {
        versions.add(versionOfKey(key));
        const [head, piece] = key.split('+');
        if (piece !== undefined) this.notePiece(head, Number(piece));
      }
      if (keys.length < CELL_PAGE_KEYS) break;
      afterKey = keys[keys.length - 1];
    }
    return [...versions].sort((one, other) => one - other);
  }

  /**
   * The newest whole record that is older than this one, which is not whole. A later one is of play that was lost with the
   * process: whoever is in it may be elsewhere now.
   */
  async findOlder({ cell, version: limit }: CellName, columns: readonly ColumnSpec[]): Promise<PackedRows | undefined> {
    const older = (await this.listVersions(cell)).filter((version) => version < limit).reverse();
    for (const version of older) {
      const [value] = await this.read([{ cell, version }]);
      try {
        if (value !== undefined) return decodeCell(value, cell, columns);
      } catch {
        // This one is not whole either: the next older one may be.
      }
    }
    return undefined;
  }

  private async writePieces(key: string, record: Uint8Array): Promise<void> {
    for (let piece = 0; piece * SNAPSHOT_PIECE_BYTES < record.length; piece++) {
      const value = record.subarray(piece * SNAPSHOT_PIECE_BYTES, (piece + 1) * SNAPSHOT_PIECE_BYTES);
      this.notePiece(key, piece);
      await this.store.putRows(CELLS_TABLE, [{ key: pieceKey(key, piece), value }]);
    }
  }

  /** The whole record of which this is the first piece. What is missing of it shows when it is decoded. */
  private async readOn(key: string, first: Uint8Array): Promise<Uint8Array> {
    const pieces = [first];
    for (let last: Uint8Array | undefined = first; last?.length === SNAPSHOT_PIECE_BYTES; ) {
      [last] = await this.store.getRows(CELLS_TABLE, [pieceKey(key, pieces.length)]);
      if (last !== undefined) pieces.push(last);
    }
    this.notePiece(key, pieces.length - 1);
    return Buffer.concat(pieces);
  }

  private notePiece(key: string, piece: number): void {
    if (piece > (this.lastPieces.get(key) ?? 0)) this.lastPieces.set(key, piece);
  }
}
