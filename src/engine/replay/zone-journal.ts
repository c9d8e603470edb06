// Writes a zone's journal record: all that enters the zone in a tick from outside of its systems, in the order in which it
// does. Whoever changes a zone's state on another's word says so here first. The form is drawn in journal-records.ts.

import * as J from '../../memory/records/journal-records.js';
import { HANDOFF_POST_BYTES } from '../../memory/records/thread-records.js';
import type { ByteRing } from '../../memory/rings/byte-ring.js';
import type { IdentityTexts } from '../../memory/tables/identity-table.js';
import { COUNTER } from '../../memory/tables/zone-counters.js';
import { type PackedRows, RowCells } from '../../memory/world/row-cells.js';
import { LIVE_BLOCK } from '../../memory/world/world-buffer.js';
import type { ColumnPlace } from '../../memory/world/world-layout.js';
import { BLOCKS_OFFSET, rowBytesOf, SCALAR_JOURNALED, SCALAR_MIRROR_LIMIT } from '../../memory/world/world-layout.js';
import { mirroredColumns } from '../entities/columns.js';
import type { EngineZone } from '../zone/zone.js';
import { JOURNAL_ENTRY_BYTES_MAX, JOURNAL_RECORD_BYTES_FIRST } from './limits.js';

export class ZoneJournal {
  private bytes = new Uint8Array(JOURNAL_RECORD_BYTES_FIRST);
  private view = new DataView(this.bytes.buffer);
  private at = 0;
  private readonly columns: readonly ColumnPlace[];
  private readonly cells: RowCells;
  /** Mirrors as the journal has them, by mirror: alive, and their cells. */
  private readonly knownAlive: Uint8Array;
  private readonly known: PackedRows;
  private readonly mirrorBytesMax: number;
  private mirrorLimit: number;
  private readonly isChanged: Uint8Array;
  /** This thread's; a thread before it may have left one of the next number, of a tick that it did not live to commit. */
  private hasWritten = false;

  constructor(
    private readonly zone: EngineZone,
    private readonly ring: ByteRing,
  ) {
    const { buffer, ownCapacity } = zone;
    this.columns = mirroredColumns(buffer.layout, zone.game.fields);
    this.isChanged = new Uint8Array(Math.ceil(this.columns.length / 8));
    // What was committed is what a replay has.
    this.knownAlive = zone.alive.slice(ownCapacity);
    this.cells = new RowCells(this.columns);
    this.known = this.cells.createPacked(zone.rowCapacity - ownCapacity);
    this.mirrorBytesMax = 4 + this.isChanged.length + rowBytesOf(this.columns);
    this.mirrorLimit = zone.scalars[SCALAR_MIRROR_LIMIT];
    for (let row = ownCapacity; row < this.mirrorLimit; row++) {
      this.cells.pack(buffer, LIVE_BLOCK, row, this.known, row - ownCapacity);
    }
  }

  begin(tick: number): void {
    this.view.setInt32(J.JOURNAL_TICK, tick, true);
    this.at = J.JOURNAL_BODY;
  }

  command(row: number, kind: number, view: DataView, offset: number, bytes: number): void {
    this.open(J.ENTRY_COMMAND);
    this.putUint32(row);
    this.view.setUint16(this.at, kind, true);
    this.view.setUint8(this.at + 2, bytes);
    this.at += 3;
    for (let i = 0; i < bytes; i++) {
      this.bytes[this.at++] = view.getUint8(offset + i);
    }
  }

  join(client: number, generation: number, x: number, y: number): void {
    this.open(J.ENTRY_JOIN);
    this.putUint32(client);
    this.putUint32(generation);
    this.view.setFloat32(this.at, x, true);
    this.view.setFloat32(this.at + 4, y, true);
    this.at += 8;
  }

  grant(row: number, index: number, amount: number): void {
    this.open(J.ENTRY_GRANT);
    this.putUint32(row);
    this.putUint32(index);
    this.view.setFloat64(this.at, amount, true);
    this.at += 8;
  }

  /** A record of main's, see arrival.ts. */
  stored(view: DataView, offset: number, count: number): void {
    this.open(J.ENTRY_STORED);
    this.reserve(2 + count);
    this.view.setUint16(this.at, count, true);
    this.at += 2;
    for (let i = 0; i < count; i++) {
      this.bytes[this.at++] = view.getUint8(offset + i);
    }
  }

  came(row: number, reason: number, { playerId, name, claims }: IdentityTexts): void {
    this.open(J.ENTRY_CAME);
    this.putUint32(row);
    this.bytes[this.at++] = reason;
    for (const text of [playerId, name, claims]) this.putText(text);
  }

  gone(row: number, reason: number): void {
    this.open(J.ENTRY_GONE);
    this.putUint32(row);
    this.bytes[this.at++] = reason;
  }

  here(row: number): void {
    this.open(J.ENTRY_HERE);
    this.putUint32(row);
  }

  goesOn(): void {
    this.open(J.ENTRY_GOES_ON);
  }

  /** `count` bytes of a packed row. */
  arrive(source: Uint8Array, offset: number, count: number): void {
    this.open(J.ENTRY_ARRIVE);
    this.reserve(count);
    for (let i = 0; i < count; i++) {
      this.bytes[this.at++] = source[offset + i];
    }
  }

  idBack(localId: number): void {
    this.open(J.ENTRY_ID_BACK);
    this.putUint32(localId);
  }

  taken(source: number, mark: number): void {
    this.open(J.ENTRY_TAKEN);
    this.bytes[this.at++] = source;
    this.putUint32(mark);
  }

  post(source: number, record: Uint8Array, offset: number): void {
    this.mail(J.ENTRY_POST, source, record, offset);
  }

  answers(source: number, record: Uint8Array, offset: number): void {
    this.mail(J.ENTRY_ANSWERS, source, record, offset);
  }

  moved(key: number, source: number, tick: number): void {
    this.open(J.ENTRY_MOVED);
    this.putUint32(key);
    this.bytes[this.at++] = source;
    this.putUint32(tick);
  }

  roadFull(target: number, records: number): void {
    this.open(J.ENTRY_ROAD_FULL);
    this.bytes[this.at++] = target;
    this.view.setUint16(this.at, records, true);
    this.at += 2;
  }

  private mail(entry: number, source: number, record: Uint8Array, offset: number): void {
    this.open(entry);
    this.reserve(1 + HANDOFF_POST_BYTES);
    this.bytes[this.at++] = source;
    for (let i = 0; i < HANDOFF_POST_BYTES; i++) this.bytes[this.at++] = record[offset + i];
  }

  systems(): void {
    this.open(J.ENTRY_SYSTEMS);
  }

  depart(row: number, target: number, sequence: number): void {
    this.open(J.ENTRY_DEPART);
    this.putUint32(row);
    this.bytes[this.at++] = target;
    this.putUint32(sequence);
  }

  /** What becomes of a cell; see journal-records.ts. */
  cell(entry: number, cell: number): void {
    this.open(entry);
    this.putUint32(cell);
  }

  cellRow(cell: number, source: Uint8Array, offset: number, count: number): void {
    this.cell(J.ENTRY_CELL_ROW, cell);
    this.reserve(count);
    for (let i = 0; i < count; i++) {
      this.bytes[this.at++] = source[offset + i];
    }
  }

  cellStored(cell: number, version: number): void {
    this.cell(J.ENTRY_CELL_STORED, cell);
    this.view.setFloat64(this.at, version, true);
    this.at += 8;
  }

  cellSweep(): void {
    this.open(J.ENTRY_CELL_SWEEP);
  }

  /** What has changed among the mirrors since the last tick. */
  mirrors(): void {
    const { zone, knownAlive } = this;
    const limit = zone.scalars[SCALAR_MIRROR_LIMIT];
    const most = Math.max(limit, this.mirrorLimit);
    this.mirrorLimit = limit;
    // Where the shared record is kept it is no mirror: systems write it, and a replay runs those.
    for (let row = zone.keepsShared ? zone.firstMirror : zone.ownCapacity; row < most; row++) {
      const mirror = row - zone.ownCapacity;
      if (zone.alive[row] !== 0) {
        this.mirror(row, mirror);
      } else if (knownAlive[mirror] !== 0) {
        knownAlive[mirror] = 0;
        this.open(J.ENTRY_MIRROR_GONE);
        this.putUint32(row);
      }
    }
  }

  /** Hands the record over. Before the commit: a tick that is committed is in the journal, or its serial is missing there. */
  end(): void {
    const { zone, ring, at } = this;
    const serial = (zone.scalars[SCALAR_JOURNALED] + 1) | 0;
    zone.scalars[SCALAR_JOURNALED] = serial;
    this.view.setInt32(J.JOURNAL_SERIAL, serial, true);
    const offset = at > ring.payloadBytesMax ? -1 : ring.claim(J.JOURNAL_RECORD, at);
    if (offset < 0) {
      zone.counters[COUNTER.journalLost]++;
      // That one must not stand for this: a number that nobody has written is missing in any case.
      if (!this.hasWritten) zone.scalars[SCALAR_JOURNALED] = (serial + 1) | 0;
      return;
    }
    this.hasWritten = true;
    ring.bytes.set(this.bytes.subarray(0, at), offset);
    ring.commit(at);
    ring.publish();
  }

  private mirror(row: number, mirror: number): void {
    const { zone, columns, cells, known, isChanged, knownAlive } = this;
    const isNew = knownAlive[mirror] === 0;
    if (!isNew && cells.isSame(zone.buffer, LIVE_BLOCK, row, known, mirror)) {
      return;
    }
    isChanged.fill(0);
    for (let i = 0; i < columns.length; i++) {
      if (isNew || !cells.isSameCell(zone.buffer, LIVE_BLOCK, row, known, mirror, i)) {
        isChanged[i >> 3] |= 1 << (i & 7);
      }
    }
    cells.pack(zone.buffer, LIVE_BLOCK, row, known, mirror);
    knownAlive[mirror] = 1;
    this.open(J.ENTRY_MIRROR);
    this.reserve(this.mirrorBytesMax);
    this.putUint32(row);
    for (let i = 0; i < isChanged.length; i++) {
      this.bytes[this.at++] = isChanged[i];
    }
    for (let i = 0; i < columns.length; i++) {
      if ((isChanged[i >> 3] & (1 << (i & 7))) !== 0) {
        this.putCell(columns[i], row);
      }
    }
  }

  private putCell({ offset, bytes }: ColumnPlace, row: number): void {
    const world = this.zone.buffer.bytes;
    const cell = BLOCKS_OFFSET + offset + row * bytes;
    for (let byte = 0; byte < bytes; byte++) {
      this.bytes[this.at++] = world[cell + byte];
    }
  }

  private open(entry: number): void {
    this.reserve(JOURNAL_ENTRY_BYTES_MAX);
    this.bytes[this.at++] = entry;
  }

  private putUint32(value: number): void {
    this.view.setUint32(this.at, value, true);
    this.at += 4;
  }

  private putText(text: string): void {
    const encoded = Buffer.from(text);
    this.reserve(2 + encoded.length);
    this.view.setUint16(this.at, encoded.length, true);
    this.bytes.set(encoded, this.at + 2);
    this.at += 2 + encoded.length;
  }

  private reserve(count: number): void {
    if (this.at + count > this.bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.at + count));
      larger.set(this.bytes);
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
  }
}
