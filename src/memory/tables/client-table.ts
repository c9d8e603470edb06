// What threads share about clients, by client index. One zone owns a client's state at a time. Ownership passes with the
// handoff record of the client's entity: publishing that record makes all that was written here visible to the next owner,
// so the owner writes without Atomics.
//
//  0                     clientsMax * 4        + clientsMax * 4        + clientsMax * 64          + clientsMax * 512 * 4
//  | congested i32 each  | delivered i32 each  | state i32 x 16 each   | known key u32 x 512 each | known sent i32 x 512 each |
//    main                  main                  the zone that owns the client, from here on
//
// Main's arrays are padded to whole cache lines. Pages of clients that never came are never touched: they cost address
// space only.

import { KNOWN_ENTITIES_MAX } from '../../protocol/limits.js';
import { alignBytes } from '../alignment.js';
import { CACHE_LINE_BYTES } from '../limits.js';

export const CLIENT_STATE_WORDS = 16;
/** In place of an generation: the index has no holder. */
const NOBODY = -1;

// Words of a client's state.
export const CLIENT_GENERATION = 0;
/** How often the client's entity has changed zones: tells frames of its former zone from those of the present one. */
export const CLIENT_CROSSINGS = 1;
/** Highest sequence number of an applied command (u32 bits). See also CLIENT_APPLIED_TICK and CLIENT_APPLIED_BEFORE. */
export const CLIENT_APPLIED_SEQUENCE = 2;
export const CLIENT_UPDATE_HZ = 3;
export const CLIENT_KNOWN_COUNT = 4;
/** Not 0: the next frame is a full one. */
export const CLIENT_FULL_WANTED = 5;
/** Sequence number that the last frame carried as ack (u32 bits). */
export const CLIENT_ACK_SENT = 6;
/** Frames made for the client so far; those that are not in `delivered` yet are in a frame ring. */
export const CLIENT_FRAMES_MADE = 7;
/** Number of the connection whose commands are taken. */
export const CLIENT_CONNECTION = 8;
/** Number of the last command that was taken, as main counts commands. */
export const CLIENT_NUMBER = 9;
/** The last tick that applied a command of the client, and CLIENT_APPLIED_SEQUENCE as it was before that tick. */
export const CLIENT_APPLIED_TICK = 10;
export const CLIENT_APPLIED_BEFORE = 11;

// Values of `congested`, by which no frames are made for the client.
/** Its connection is backed up. */
export const CONGESTED_BACKLOG = 1;
/** It has no connection at all. */
export const CONGESTED_ABSENT = 2;

// In `knownSent` in place of a tick, below every tick. Both make the next update carry all fields.
/** The client does not have it. */
export const SENT_NEVER = -2;
/** The client has it from another zone, whose ticks of change are not known here. */
export const SENT_DOUBTED = -1;

export class ClientTable {
  readonly congested: Int32Array;
  /** Frames of the client that main has taken from frame rings. A zone makes no third frame while two are not taken. */
  readonly delivered: Int32Array;
  readonly state: Int32Array;
  readonly knownKey: Uint32Array;
  readonly knownSent: Int32Array;

  constructor(
    readonly buffer: SharedArrayBuffer,
    readonly clientsMax: number,
  ) {
    let offset = 0;
    this.congested = new Int32Array(buffer, offset, clientsMax);
    offset += mainWordsBytes(clientsMax);
    this.delivered = new Int32Array(buffer, offset, clientsMax);
    offset += mainWordsBytes(clientsMax);
    this.state = new Int32Array(buffer, offset, clientsMax * CLIENT_STATE_WORDS);
    offset += clientsMax * CLIENT_STATE_WORDS * 4;
    this.knownKey = new Uint32Array(buffer, offset, clientsMax * KNOWN_ENTITIES_MAX);
    offset += clientsMax * KNOWN_ENTITIES_MAX * 4;
    this.knownSent = new Int32Array(buffer, offset, clientsMax * KNOWN_ENTITIES_MAX);
  }

  /** Whether this generation still holds the index: what zones know of an index belongs to its present holder. */
  isHolder(client: number, generation: number): boolean {
    return this.state[client * CLIENT_STATE_WORDS + CLIENT_GENERATION] === generation;
  }

  /** Main has given the index to a later generation: messages about this one are late. */
  isPassedOn(client: number, generation: number): boolean {
    return this.state[client * CLIENT_STATE_WORDS + CLIENT_GENERATION] > generation;
  }

  /** False: nobody has held the index since the process began, or its holder was given up. */
  hasHolder(client: number): boolean {
    return this.state[client * CLIENT_STATE_WORDS + CLIENT_GENERATION] > 0;
  }

  /** Owning zone. Begins a connection that has been told nothing yet; main's count of frames goes on. */
  begin(client: number, generation: number, crossings: number, updateHz: number, connection: number): void {
    const at = client * CLIENT_STATE_WORDS;
    this.state.fill(0, at, at + CLIENT_STATE_WORDS);
    this.state[at + CLIENT_GENERATION] = generation;
    this.state[at + CLIENT_CROSSINGS] = crossings;
    this.state[at + CLIENT_UPDATE_HZ] = updateHz;
    this.state[at + CLIENT_CONNECTION] = connection;
    this.state[at + CLIENT_FRAMES_MADE] = Atomics.load(this.delivered, client); // acquire: frames main has taken are not in flight
  }

  /** Owning zone. The same for another connection of the client: frames in flight to the former one still count. */
  beginAgain(client: number, updateHz: number, connection: number): void {
    const at = client * CLIENT_STATE_WORDS;
    const made = this.state[at + CLIENT_FRAMES_MADE];
    this.begin(client, this.state[at + CLIENT_GENERATION], this.state[at + CLIENT_CROSSINGS], updateHz, connection);
    this.state[at + CLIENT_FRAMES_MADE] = made;
    this.state[at + CLIENT_FULL_WANTED] = 1;
  }

  /** @hot Owning zone. Notes a command as applied in this tick. */
  apply(client: number, seq: number, tick: number): void {
    const { state } = this;
    const at = client * CLIENT_STATE_WORDS;
    if (state[at + CLIENT_APPLIED_TICK] !== tick) {
      state[at + CLIENT_APPLIED_TICK] = tick;
      state[at + CLIENT_APPLIED_BEFORE] = state[at + CLIENT_APPLIED_SEQUENCE];
    }
    state[at + CLIENT_APPLIED_SEQUENCE] = seq;
  }

  /** Owning zone, restored: undoes what was applied after `tick` by a thread that died before it committed. */
  takeBack(client: number, tick: number): void {
    const { state } = this;
    const at = client * CLIENT_STATE_WORDS;
    if (((state[at + CLIENT_APPLIED_TICK] - tick) | 0) > 0) {
      state[at + CLIENT_APPLIED_TICK] = tick;
      state[at + CLIENT_APPLIED_SEQUENCE] = state[at + CLIENT_APPLIED_BEFORE];
    }
  }

  /**
   * For a restored zone, and for main before any zone runs. Sets generation and rate too: a dead thread left them as they are,
   * but after a start of the server nobody has set them.
   */
  takeUp(client: number, generation: number, crossings: number, updateHz: number, connection: number): void {
    const at = client * CLIENT_STATE_WORDS;
    if (isLaterConnection(connection, this.state[at + CLIENT_CONNECTION])) {
      this.begin(client, generation, crossings, updateHz, connection); // main's message about that connection was lost with the dead thread
    }
    this.state[at + CLIENT_GENERATION] = generation;
    this.state[at + CLIENT_CROSSINGS] = crossings;
    this.state[at + CLIENT_UPDATE_HZ] = updateHz;
    // Frames that the dead thread made and did not publish are not in flight.
    this.state[at + CLIENT_FRAMES_MADE] = Atomics.load(this.delivered, client); // acquire: as in begin()
    this.state[at + CLIENT_FULL_WANTED] = 1;
  }

  /**
   * For whoever gives the client up: its entity, which may still be in a handoff ring, has no owner then. If another zone
   * has just let in the next holder of the index, that holder stays.
   */
  end(client: number, generation: number): void {
    // publish: no zone takes messages of this generation any more; changes nothing where a later one holds the index
    Atomics.compareExchange(this.state, client * CLIENT_STATE_WORDS + CLIENT_GENERATION, generation, NOBODY);
  }

  static create(clientsMax: number): SharedArrayBuffer {
    return new SharedArrayBuffer(
      2 * mainWordsBytes(clientsMax) + clientsMax * (CLIENT_STATE_WORDS * 4 + KNOWN_ENTITIES_MAX * 8),
    );
  }
}

/** Turns wrap at 256, so half of that ahead counts as later. */
function isLaterConnection(connection: number, known: number): boolean {
  const ahead = (connection - known) & 0xff;
  return ahead > 0 && ahead < 0x80;
}

function mainWordsBytes(clientsMax: number): number {
  return alignBytes(clientsMax * 4, CACHE_LINE_BYTES);
}
