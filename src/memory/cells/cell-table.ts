// What threads tell each other about cells, beside what is committed with a zone's tick.
//
//  0                         by zone                       by world cell                       by world cell
//  | needs i32 x cells       | load ticks u32 x 256        | stored version f64                | stored since i32 |
//    one line per zone:        its tick thread               the I/O thread                      the I/O thread
//    its tick thread
//
// Needs: the tick at which players of that zone last needed the cell, wherever in the world it lies; the cell's zone looks
// there. Stored: the I/O thread says that the cell which is leaving since that tick is in the store under that version.
// What a zone asks of the I/O thread needs no words here: it is the state of its cells, as committed.

import { CELL_LOAD_TICKS_MAX } from '../../engine/cells/limits.js';
import { CACHE_LINE_BYTES } from '../limits.js';

/** What a cell is to its zone. Zero is what it is in the beginning. */
export const CELL_COLD = 0;
/** Asked of the I/O thread; some of its rows may be here already. */
export const CELL_LOADING = 1;
export const CELL_LIVE = 2;
/** Its rows stand still, until the I/O thread says that they are stored. */
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
    const line = lineBytes(cellCount * 4);
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
    return new SharedArrayBuffer(zoneCount * lineBytes(cellCount * 4) + histograms + cellCount * 12);
  }

  /** @hot A player of `zone` needs the cell. That zone's tick thread only. */
  need(zone: number, cell: number, tick: number): void {
    Atomics.store(this.needs[zone], cell, tick); // the cell's zone looks at it now and then
  }

  /** @hot The tick at which players of `zone` last needed the cell; 0: never. */
  neededAt(zone: number, cell: number): number {
    return Atomics.load(this.needs[zone], cell); // the other zone's word
  }

  /** The cell that is leaving since that tick is in the store. I/O thread only. */
  storeDone(cell: number, since: number, version: number): void {
    this.storedVersion[cell] = version;
    Atomics.store(this.storedSince, cell, since); // publish: the version above is the one of this leaving
  }

  /** The version under which a cell that is leaving since that tick is stored; 0: it is not, or not yet. */
  storedAs(cell: number, since: number): number {
    const storedSince = Atomics.load(this.storedSince, cell); // acquire: the version belongs to it
    return storedSince === since ? this.storedVersion[cell] : 0;
  }
}

function lineBytes(bytes: number): number {
  return Math.ceil(bytes / CACHE_LINE_BYTES) * CACHE_LINE_BYTES;
}
