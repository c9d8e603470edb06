// What threads share about clients, by client index. Client state is owned by one zone at a time: it passes with the
// handoff record of the client's entity, whose publication makes everything written here visible to the next owner.
//
//  0                     clientsMax * 4        + clientsMax * 4        + clientsMax * 64          + clientsMax * 512 * 4
//  | congested i32 each  | delivered i32 each  | state i32 x 16 each   | known key u32 x 512 each | known sent i32 x 512 each |
//    main writes           main writes           the owning zone writes, from here on
//
// Pages that no client ever used are never touched, so the room for all of them costs address space only.

import { KNOWN_ENTITIES_MAX } from '../../protocol/limits.js';

export const CLIENT_STATE_WORDS = 16;
/** In place of an epoch: the index has no holder. */
const NOBODY = -1;

// Words of a client's state.
export const CLIENT_EPOCH = 0;
/** How often the client's entity has changed zones; a frame of an older zone is told from one of the newer by it. */
export const CLIENT_HOP = 1;
/** Highest sequence number whose command has been applied (u32 bits); the tick of that, and what it was before that tick. */
export const CLIENT_APPLIED_SEQUENCE = 2;
export const CLIENT_UPDATE_HZ = 3;
export const CLIENT_KNOWN_COUNT = 4;
/** Not 0: the next frame is a full one. */
export const CLIENT_FULL_WANTED = 5;
/** Sequence number that the last frame carried as ack (u32 bits). */
export const CLIENT_ACK_SENT = 6;
/** Frames made for the client so far, as `delivered` counts them. */
export const CLIENT_FRAMES_MADE = 7;
/** Of the connection whose commands are taken. */
export const CLIENT_TURN = 8;
/** Of the last command that was taken, as main counts them. */
export const CLIENT_NTH = 9;
export const CLIENT_APPLIED_TICK = 10;
export const CLIENT_APPLIED_BEFORE = 11;

// Values of `congested`: no frames are made for the client.
export const CONGESTED_BACKLOG = 1;
/** It has no connection at all. */
export const CONGESTED_ABSENT = 2;

// In place of a tick, below every tick. Either way the client is told the entity anew, all fields.
/** The client does not have it. */
export const SENT_NEVER = -2;
/** The client has it, but from another zone, whose ticks of change are not known here. */
export const SENT_DOUBTED = -1;

export class ClientTable {
  readonly congested: Int32Array;
  /** Frames of the client that main has taken from a frame ring; a zone makes no third one before that. */
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

  /** Whether the client's index is still this one's: what all zones know of a client is the present holder's. */
  isHolder(client: number, epoch: number): boolean {
    return this.state[client * CLIENT_STATE_WORDS + CLIENT_EPOCH] === epoch;
  }

  /** Main has given the index to another since: what is still said of this one is late. */
  isPassedOn(client: number, epoch: number): boolean {
    return this.state[client * CLIENT_STATE_WORDS + CLIENT_EPOCH] > epoch;
  }

  /** False: nobody has had the index since the process began, or this server does not have it. */
  hasHolder(client: number): boolean {
    return this.state[client * CLIENT_STATE_WORDS + CLIENT_EPOCH] > 0;
  }

  /** For the owning zone: a connection that has been told nothing yet. Main's count of frames goes on. */
  begin(client: number, epoch: number, hop: number, updateHz: number, turn: number): void {
    const at = client * CLIENT_STATE_WORDS;
    this.state.fill(0, at, at + CLIENT_STATE_WORDS);
    this.state[at + CLIENT_EPOCH] = epoch;
    this.state[at + CLIENT_HOP] = hop;
    this.state[at + CLIENT_UPDATE_HZ] = updateHz;
    this.state[at + CLIENT_TURN] = turn;
    this.state[at + CLIENT_FRAMES_MADE] = Atomics.load(this.delivered, client); // main's word
  }

  /** The same for another connection of the client: what is on its way to the former one counts as it did. */
  beginAgain(client: number, updateHz: number, turn: number): void {
    const at = client * CLIENT_STATE_WORDS;
    const made = this.state[at + CLIENT_FRAMES_MADE];
    this.begin(client, this.state[at + CLIENT_EPOCH], this.state[at + CLIENT_HOP], updateHz, turn);
    this.state[at + CLIENT_FRAMES_MADE] = made;
    this.state[at + CLIENT_FULL_WANTED] = 1;
  }

  /** @hot For the owning zone: the command is part of what this tick does. */
  apply(client: number, seq: number, tick: number): void {
    const { state } = this;
    const at = client * CLIENT_STATE_WORDS;
    if (state[at + CLIENT_APPLIED_TICK] !== tick) {
      state[at + CLIENT_APPLIED_TICK] = tick;
      state[at + CLIENT_APPLIED_BEFORE] = state[at + CLIENT_APPLIED_SEQUENCE];
    }
    state[at + CLIENT_APPLIED_SEQUENCE] = seq;
  }

  /** For the owning zone: whatever was applied after this tick never was, its thread died before it had committed that. */
  takeBack(client: number, tick: number): void {
    const { state } = this;
    const at = client * CLIENT_STATE_WORDS;
    if (((state[at + CLIENT_APPLIED_TICK] - tick) | 0) > 0) {
      state[at + CLIENT_APPLIED_TICK] = tick;
      state[at + CLIENT_APPLIED_SEQUENCE] = state[at + CLIENT_APPLIED_BEFORE];
    }
  }

  /**
   * For a zone that was restored, and for main before any zone runs. A dead thread leaves epoch and rate as they are; after
   * a start nobody has set them.
   */
  takeUp(client: number, epoch: number, hop: number, updateHz: number, turn: number): void {
    const at = client * CLIENT_STATE_WORDS;
    if (isLaterTurn(turn, this.state[at + CLIENT_TURN])) {
      this.begin(client, epoch, hop, updateHz, turn); // main's word of that connection was lost with the dead thread
    }
    this.state[at + CLIENT_EPOCH] = epoch;
    this.state[at + CLIENT_HOP] = hop;
    this.state[at + CLIENT_UPDATE_HZ] = updateHz;
    // What the dead thread made and did not publish is not on its way.
    this.state[at + CLIENT_FRAMES_MADE] = Atomics.load(this.delivered, client); // main's count
    this.state[at + CLIENT_FULL_WANTED] = 1;
  }

  /**
   * For whoever has given the client up: its entity, which may still be on its way, is nobody's. Where another zone has
   * let in a new holder of the index just now, that one stands.
   */
  end(client: number, epoch: number): void {
    Atomics.compareExchange(this.state, client * CLIENT_STATE_WORDS + CLIENT_EPOCH, epoch, NOBODY);
  }

  static create(clientsMax: number): SharedArrayBuffer {
    return new SharedArrayBuffer(
      2 * mainWordsBytes(clientsMax) + clientsMax * (CLIENT_STATE_WORDS * 4 + KNOWN_ENTITIES_MAX * 8),
    );
  }
}

/** Turns wrap at 256. */
function isLaterTurn(turn: number, known: number): boolean {
  const ahead = (turn - known) & 0xff;
  return ahead > 0 && ahead < 0x80;
}

function mainWordsBytes(clientsMax: number): number {
  return Math.ceil(clientsMax / 32) * 128;
}
