// Notes for more than one client: those who look at a place, those of a team, all. With the tick's commit they go to the zone's log
// (broadcast-log.ts), which all zones read in their own ticks, this one too. How much of each log a client has heard goes with
// it over borders, so it hears all of it, and nothing twice.

import type { Area } from '../../base/area.js';
import { BROADCAST_LOG_BYTES, BROADCAST_TICK_BYTES } from '../../memory/limits.js';
import {
  BROADCAST_NOTE,
  BROADCAST_RADIUS,
  BROADCAST_TEAM,
  BROADCAST_TO,
  BROADCAST_X,
  BROADCAST_Y,
  BroadcastLog,
  HeardTable,
} from '../../memory/tables/broadcast-log.js';
import type { NoteTable } from '../../memory/tables/note-table.js';
import { COUNTER } from '../../memory/tables/zone-counters.js';
import { NOTE_BYTES_MAX } from '../../protocol/limits.js';
import { CROSSING_MARGIN } from '../borders/limits.js';

/** Clients whose entity is dead look from where it was, which may lie beyond the border by a step. */
const VIEW_MARGIN = 8;

export const TO_ALL = 0;
export const TO_TEAM = 1;
export const TO_PLACE = 2;

/** Who is meant. */
export interface Audience {
  to: number;
  team: number;
  x: number;
  y: number;
  radius: number;
}

/** The clients of a zone. */
export interface Listeners {
  readonly listenerCount: number;
  /** How often one has come. */
  readonly arrivals: number;
  /** Of those that it really has; -1: somebody else has the index by now. */
  listenerAt(index: number): number;
  hears(client: number, audience: Audience): boolean;
  /** Once per tick. */
  look(): void;
}

interface NoteZone {
  readonly id: number;
  readonly area: Area;
  readonly tick: number;
  readonly counters: Float64Array;
}

export interface BroadcastOptions {
  zone: NoteZone;
  table: NoteTable;
  listeners: Listeners;
  /** By zone. */
  logs: readonly SharedArrayBuffer[];
  heard: SharedArrayBuffer;
  clientsMax: number;
}

export class Broadcasts {
  private readonly logs: readonly BroadcastLog[];
  private readonly heard: HeardTable;
  /** Of this tick, for the other zones. */
  private readonly told = new Uint8Array(BROADCAST_TICK_BYTES);
  private readonly toldView = new DataView(this.told.buffer);
  private toldBytes = 0;
  private arrivalsSeen = -1;
  private readonly read = new Uint8Array(BROADCAST_LOG_BYTES);
  private readonly readView = new DataView(this.read.buffer);
  /** By zone: how much of its log most clients had heard before this tick. */
  private readonly heardBefore: Int32Array;
  /** Clients that have heard as much as that, and one that has not. */
  private readonly together: Int32Array;
  private readonly alone = new Int32Array(1);
  private readonly note = new Uint8Array(NOTE_BYTES_MAX);
  private readonly audience: Audience = { to: 0, team: 0, x: 0, y: 0, radius: 0 };

  constructor(private readonly options: BroadcastOptions) {
    this.logs = options.logs.map((buffer) => new BroadcastLog(buffer));
    this.heard = new HeardTable(options.heard, this.logs.length);
    this.heardBefore = new Int32Array(this.logs.length);
    this.together = new Int32Array(options.clientsMax);
  }

  /** A client that comes to the server hears what is told from now on. */
  begin(client: number): void {
    for (let zone = 0; zone < this.logs.length; zone++) this.heard.set(client, zone, this.logs[zone].done());
  }

  /** The note is the first `length` bytes. Beyond the bounds of a tick it is told to nobody, and counted. */
  tell({ to, team, x, y, radius }: Audience, note: Uint8Array, length: number): void {
    const bytes = (BROADCAST_NOTE + length + 3) & ~3;
    const at = this.toldBytes;
    if (at + bytes > this.told.length) {
      this.options.zone.counters[COUNTER.notesUntold]++;
      return;
    }
    this.toldView.setUint16(at, BROADCAST_NOTE + length, true);
    this.told[at + BROADCAST_TO] = to;
    this.told[at + BROADCAST_TEAM] = team;
    this.toldView.setFloat32(at + BROADCAST_X, x, true);
    this.toldView.setFloat32(at + BROADCAST_Y, y, true);
    this.toldView.setFloat32(at + BROADCAST_RADIUS, radius, true);
    this.told.set(note.subarray(0, length), at + BROADCAST_NOTE);
    this.toldBytes = at + bytes;
  }

  /** After the commit: what was told in the tick can be read. */
  publish(): void {
    if (this.toldBytes > 0) this.logs[this.options.zone.id].write(this.told.subarray(0, this.toldBytes));
    this.toldBytes = 0;
  }

  /** Before frames are made: clients hear what zones have told, this one included. */
  hear(): void {
    const { listeners } = this.options;
    listeners.look();
    const hasNew = listeners.arrivals !== this.arrivalsSeen;
    this.arrivalsSeen = listeners.arrivals;
    for (let source = 0; source < this.logs.length; source++) {
      const done = this.logs[source].done();
      if (hasNew || done !== this.heardBefore[source]) this.hearFrom(source, done);
    }
  }

  /** All clients but those who have just come have heard equally much: for them the log is read once. */
  private hearFrom(source: number, done: number): void {
    const { heard, together } = this;
    const { listeners } = this.options;
    let count = 0;
    for (let i = 0; i < listeners.listenerCount; i++) {
      const client = listeners.listenerAt(i);
      const start = client < 0 ? done : heard.get(client, source);
      if (start === done) continue;
      heard.set(client, source, done); // before anything is told: nothing is told twice
      if (start === this.heardBefore[source]) {
        together[count++] = client;
        continue;
      }
      this.alone[0] = client;
      this.passOn(source, start, done, this.alone, 1);
    }
    if (count > 0) this.passOn(source, this.heardBefore[source], done, together, count);
    this.heardBefore[source] = done;
  }

  private passOn(source: number, start: number, done: number, clients: Int32Array, count: number): void {
    const { zone, listeners } = this.options;
    const { read, readView, note, audience } = this;
    const bytes = this.logs[source].read(start, done, read);
    if (bytes < 0) zone.counters[COUNTER.notesUntold]++;
    for (let at = 0; at < bytes; ) {
      const recordBytes = readView.getUint16(at, true);
      audience.to = read[at + BROADCAST_TO];
      audience.team = read[at + BROADCAST_TEAM];
      audience.x = readView.getFloat32(at + BROADCAST_X, true);
      audience.y = readView.getFloat32(at + BROADCAST_Y, true);
      audience.radius = readView.getFloat32(at + BROADCAST_RADIUS, true);
      if (audience.to !== TO_PLACE || this.reaches(audience)) {
        note.set(read.subarray(at + BROADCAST_NOTE, at + recordBytes));
        for (let i = 0; i < count; i++) {
          if (listeners.hears(clients[i], audience)) this.push(clients[i], note, recordBytes - BROADCAST_NOTE);
        }
      }
      at += (recordBytes + 3) & ~3;
    }
  }

  /** Whether anybody of this zone can be so near; with room for those who are about to cross. */
  private reaches({ x, y, radius }: Audience): boolean {
    const { area } = this.options.zone;
    const reach = radius + CROSSING_MARGIN + VIEW_MARGIN;
    return (
      x + reach >= area.x &&
      x - reach <= area.x + area.width &&
      y + reach >= area.y &&
      y - reach <= area.y + area.height
    );
  }

  private push(client: number, note: Uint8Array, length: number): void {
    const { table, zone } = this.options;
    const isTaken = table.push(client, zone.tick, note, length);
    zone.counters[isTaken ? COUNTER.notesTold : COUNTER.notesDropped]++;
  }
}
