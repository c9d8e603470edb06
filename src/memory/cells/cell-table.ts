// What threads tell each other about cells outside of what zones commit.
//
//  0                         by zone                       by world cell                       by world cell
//  | needs i32 x cells       | load ticks u32 x 256        | stored version f64                | stored since i32 |
//    one line per zone:        its tick thread               the I/O thread                      the I/O thread
//    its tick thread
//
// Needs: the tick at which players of that zone last needed the cell, wherever in the world it lies. The zone that has the
// cell reads it. Stored: the cell that is leaving since tick `since` is in the store as `version`.
// A zone asks the I/O thread through the committed state of its cells, so its requests have no place here.

import { CELL_LOAD_TICKS_MAX } from '../../engine/cells/limits.js';
import { alignBytes } from '../alignment.js';
import { CACHE_LINE_BYTES } from '../limits.js';

// The state of a cell in its zone; a new world has zeros.
/** Not in memory: in the store, or never populated. */
export const CELL_COLD = 0;
/** Requested from the I/O thread; some of its rows may be here already. */
export const CELL_LOADING = 1;
/** In memory, and simulated. */
export const CELL_LIVE = 2;
/** Its rows are frozen until the I/O thread has stored them. */
export const CELL_EVICTING = 3;

export class CellTable {
  /** By zone, then world cell. */
  private readonly needs: Int32Array[];
  /** By zone: loads that took so many ticks. */
  readonly loadTicks: Uint32Array[];
  private readonly storedVersion: Float64Array;
  private readonly storedSince: Int32Array;

  constructor(buffer: SharedArrayBuffer, zoneCount: number, cellCount: number) {
    const zones = Array.from({ length: zoneCount }, (_, zone) => zone);
    const line = alignBytes(cellCount * 4, CACHE_LINE_BYTES);
    const histograms = zoneCount * line;
    const stored = histograms + zoneCount * CELL_LOAD_TICKS_MAX * 4;
    this.needs = zones.map((zone) => new Int32Array(buffer, zone * line, cellCount));
    this.loadTicks = zones.map(
      (zone) => new Uint32Array(buffer, histograms + zone * CELL_LOAD_TICKS_MAX * 4, CELL_LOAD_TICKS_MAX),
    );
    this.storedVersion = new Float64Array(buffer, stored, cellCount);
    this.storedSince = new Int32Array(buffer, stored + cellCount * 8, cellCount);
  }

  static create(zoneCount: number, cellCount: number): SharedArrayBuffer {
    const histograms = zoneCount * CELL_LOAD_TICKS_MAX * 4;
    return new SharedArrayBuffer(zoneCount * alignBytes(cellCount * 4, CACHE_LINE_BYTES) + histograms + cellCount * 12);
  }

  /** @hot A player of `zone` needs the cell. That zone's tick thread only. */
  need(zone: number, cell: number, tick: number): void {
    Atomics.store(this.needs[zone], cell, tick); // publish the tick alone: the cell's zone sees it when it next looks
  }

  /** @hot The tick at which players of `zone` last needed the cell; 0: never. */
  neededAt(zone: number, cell: number): number {
    return Atomics.load(this.needs[zone], cell); // acquire the latest tick; nothing else depends on it
  }

  /** I/O thread only. The cell that is leaving since tick `since` is in the store. */
  storeDone(cell: number, since: number, version: number): void {
    this.storedVersion[cell] = version;
    Atomics.store(this.storedSince, cell, since); // publish: the version above belongs to this leaving
  }

  /** The stored version of a cell that is leaving since tick `since`; 0: not stored yet. */
  storedAs(cell: number, since: number): number {
    const storedSince = Atomics.load(this.storedSince, cell); // acquire: the version of that leaving is readable
    return storedSince === since ? this.storedVersion[cell] : 0;
  }
}
