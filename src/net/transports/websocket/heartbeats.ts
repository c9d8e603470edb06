// Pings to clients, and what their answers say. A ping travels behind everything written before it: one that stays
// unanswered means that the client does not read, or that what we wrote is stuck in the kernel or on the way, where the
// socket's own backlog does not show it.

import type { NetClock } from '../../gateway/session.js';
import { PONG_LATE_MS } from '../../limits.js';

export class Heartbeats {
  private readonly clock: NetClock;
  private readonly heardAt: Float64Array;
  /** When the first of the pings that are unanswered went out. */
  private readonly unansweredSince: Float64Array;
  /** Number of the newest ping while it is unanswered, else 0. */
  private readonly pingNumber: Uint32Array;
  private readonly hasPonged: Uint8Array;
  private lastNumber = 0;

  constructor(capacity: number, clock: NetClock) {
    this.clock = clock;
    this.heardAt = new Float64Array(capacity);
    this.unansweredSince = new Float64Array(capacity);
    this.pingNumber = new Uint32Array(capacity);
    this.hasPonged = new Uint8Array(capacity);
  }

  open(client: number): void {
    this.heardAt[client] = this.clock[0];
    this.pingNumber[client] = 0;
    this.hasPonged[client] = 0;
  }

  /** @hot */
  hear(client: number): void {
    this.heardAt[client] = this.clock[0];
  }

  /** The number to send in a ping. A new one goes out even if the last is unanswered: a lost answer is made good. */
  beginPing(client: number): number {
    if (this.pingNumber[client] === 0) this.unansweredSince[client] = this.clock[0];
    this.lastNumber = this.lastNumber === 0xffffffff ? 1 : this.lastNumber + 1;
    this.pingNumber[client] = this.lastNumber;
    return this.lastNumber;
  }

  /** False: not the answer to the newest ping. Whoever reads again comes to that one too. */
  takePong(client: number, number: number): boolean {
    if (number === 0 || this.pingNumber[client] !== number) return false;
    this.pingNumber[client] = 0;
    this.hasPonged[client] = 1;
    this.heardAt[client] = this.clock[0];
    return true;
  }

  /**
   * True while an answer is late. A client that has never answered one may not know how to: as long as it talks,
   * only the backlog of its socket is held against it.
   */
  isLate(client: number): boolean {
    if (this.pingNumber[client] === 0) return false;
    const now = this.clock[0];
    if (now - this.unansweredSince[client] < PONG_LATE_MS) return false;
    return this.hasPonged[client] === 1 || now - this.heardAt[client] >= PONG_LATE_MS;
  }

  isSilent(client: number, limitMs: number): boolean {
    return this.clock[0] - this.heardAt[client] > limitMs;
  }
}
