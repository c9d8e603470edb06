// Notes that wait for the next frame of their client, by client index. Writer and reader: the zone that owns the client, which
// passes on with the handoff record of its entity as the client's state does (client-table.ts); so no word is written with Atomics,
// and what waits crosses a border and outlives a tick thread.
//
//  0                                 clientsMax * 32
//  | words i32 x 8 of each client    | NOTE_QUEUE_BYTES of each client: record, record, ... |
//
// Full: the note is not taken, and no later one is until a frame has taken what waits. Every note told has a number, also one
// that was not taken: so those of a queue follow one another, and a client sees from the numbers how many it did not get.

import { NOTE_QUEUE_BYTES } from '../limits.js';

const WORDS = 8;
/** What waits, and how many notes behind it were not taken. */
const BYTES = 0;
const COUNT = 1;
const MISSED = 2;
/** Notes told before those, taken or not. */
const EARLIER = 3;
/** The tick of the last note, and the first three words as they were before that tick. */
const TICK = 4;
const BYTES_BEFORE = 5;
const COUNT_BEFORE = 6;
const MISSED_BEFORE = 7;

export class NoteTable {
  readonly bytes: Uint8Array;
  private readonly words: Int32Array;

  constructor(
    readonly buffer: SharedArrayBuffer,
    clientsMax: number,
  ) {
    this.words = new Int32Array(buffer, 0, clientsMax * WORDS);
    this.bytes = new Uint8Array(buffer, clientsMax * WORDS * 4);
  }

  /** The index has a new holder. */
  begin(client: number): void {
    this.words.fill(0, client * WORDS, (client + 1) * WORDS);
  }

  /** @hot Once per note. The record is the first `length` bytes. False: it was not taken. */
  push(client: number, tick: number, record: Uint8Array, length: number): boolean {
    const { words, bytes } = this;
    const at = client * WORDS;
    if (words[at + TICK] !== tick) {
      words[at + TICK] = tick;
      words[at + BYTES_BEFORE] = words[at + BYTES];
      words[at + COUNT_BEFORE] = words[at + COUNT];
      words[at + MISSED_BEFORE] = words[at + MISSED];
    }
    const used = words[at + BYTES];
    if (words[at + MISSED] !== 0 || used + length > NOTE_QUEUE_BYTES) {
      words[at + MISSED]++;
      return false;
    }
    const start = client * NOTE_QUEUE_BYTES + used;
    for (let i = 0; i < length; i++) {
      bytes[start + i] = record[i];
    }
    words[at + BYTES] = used + length;
    words[at + COUNT]++;
    return true;
  }

  /** @hot Bytes that wait; they begin at startOf(client). */
  waiting(client: number): number {
    return this.words[client * WORDS + BYTES];
  }

  startOf(client: number): number {
    return client * NOTE_QUEUE_BYTES;
  }

  /** @hot Number of the first note that waits: the first one of all has 1. */
  firstNumber(client: number): number {
    return this.words[client * WORDS + EARLIER] + 1;
  }

  /** @hot A frame has taken what waited. */
  clear(client: number): void {
    const { words } = this;
    const at = client * WORDS;
    words[at + EARLIER] += words[at + COUNT] + words[at + MISSED];
    words[at + BYTES] = 0;
    words[at + COUNT] = 0;
    words[at + MISSED] = 0;
  }

  /** For a restored zone: what a dead thread told after `tick` it never told. */
  takeBack(client: number, tick: number): void {
    const { words } = this;
    const at = client * WORDS;
    if (((words[at + TICK] - tick) | 0) <= 0) return;
    words[at + TICK] = tick;
    words[at + BYTES] = words[at + BYTES_BEFORE];
    words[at + COUNT] = words[at + COUNT_BEFORE];
    words[at + MISSED] = words[at + MISSED_BEFORE];
  }

  static create(clientsMax: number): SharedArrayBuffer {
    return new SharedArrayBuffer(clientsMax * (WORDS * 4 + NOTE_QUEUE_BYTES));
  }
}
