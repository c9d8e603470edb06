// What one zone tells many clients, for the other zones to read: each zone has a log of its own. Writer: the zone's tick thread.
// Readers: those of the other zones.
//
//  0        4        8
//  | begun  | done   | record, record, ... round and round |
//
//  record   | bytes u16 | to u8 | team u8 | x f32 | y f32 | radius f32 | note | padding to 4 |
//
// Begun and done count bytes; a record stands at its count modulo the size, and goes on at the beginning where it does not fit before
// the end. The writer raises begun, writes the records of a committed tick, and raises done. A reader takes what lies before
// done, and looks at begun afterwards: what is more than the size behind it may have been overwritten, and is lost to this reader.

import { BROADCAST_LOG_BYTES } from '../limits.js';

const BEGUN = 0;
const DONE = 1;
const HEAD_BYTES = 8;

/** Bytes of a record before its note. */
export const BROADCAST_NOTE = 16;
export const BROADCAST_TO = 2;
export const BROADCAST_TEAM = 3;
export const BROADCAST_X = 4;
export const BROADCAST_Y = 8;
export const BROADCAST_RADIUS = 12;

export class BroadcastLog {
  private readonly words: Int32Array;
  private readonly ring: Uint8Array;

  constructor(buffer: SharedArrayBuffer) {
    this.words = new Int32Array(buffer, 0, HEAD_BYTES / 4);
    this.ring = new Uint8Array(buffer, HEAD_BYTES, BROADCAST_LOG_BYTES);
  }

  static create(): SharedArrayBuffer {
    return new SharedArrayBuffer(HEAD_BYTES + BROADCAST_LOG_BYTES);
  }

  /** @hot How much was written so far. */
  done(): number {
    return Atomics.load(this.words, DONE); // acquire: what lies before it is written
  }

  /** Whole records, at most BROADCAST_LOG_BYTES. */
  write(records: Uint8Array): void {
    const start = this.words[DONE];
    const end = (start + records.length) | 0;
    Atomics.store(this.words, BEGUN, end); // publish: what lies a size behind is overwritten from now on
    const at = (start >>> 0) % BROADCAST_LOG_BYTES;
    const first = Math.min(records.length, BROADCAST_LOG_BYTES - at);
    this.ring.set(records.subarray(0, first), at);
    this.ring.set(records.subarray(first), 0);
    Atomics.store(this.words, DONE, end); // publish: they can be read
  }

  /** Copies what lies from `start` to `done`. Returns its bytes; -1: some of it was overwritten. */
  read(start: number, done: number, target: Uint8Array): number {
    const { words, ring } = this;
    const bytes = (done - start) | 0;
    if (bytes < 0 || bytes > BROADCAST_LOG_BYTES) return -1;
    const at = (start >>> 0) % BROADCAST_LOG_BYTES;
    const first = Math.min(bytes, BROADCAST_LOG_BYTES - at);
    target.set(ring.subarray(at, at + first), 0);
    target.set(ring.subarray(0, bytes - first), first);
    // acquire, as a read-modify-write: it comes after the reads above, and says whether the writer has begun to write over them.
    const begun = Atomics.add(words, BEGUN, 0);
    return ((begun - start) | 0) > BROADCAST_LOG_BYTES ? -1 : bytes;
  }
}

/**
 * By client and zone: how much of that zone's log the client has heard. Writer: the zone that has the client, which passes it on with
 * the client. So whichever zone a client comes to, it hears what is left and nothing twice.
 */
export class HeardTable {
  private readonly words: Int32Array;

  constructor(
    buffer: SharedArrayBuffer,
    private readonly zoneCount: number,
  ) {
    this.words = new Int32Array(buffer);
  }

  static create(clientsMax: number, zoneCount: number): SharedArrayBuffer {
    return new SharedArrayBuffer(clientsMax * zoneCount * 4);
  }

  /** @hot */
  get(client: number, zone: number): number {
    return this.words[client * this.zoneCount + zone];
  }

  /** @hot */
  set(client: number, zone: number, count: number): void {
    this.words[client * this.zoneCount + zone] = count;
  }
}
