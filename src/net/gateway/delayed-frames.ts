// Frames of spectators that are shown late (--spectator-delay-ms). All wait for the same time, so they leave in the order in
// which they came: one queue for all. Each spectator has an equal share of a fixed number of bytes. What finds no room in
// its share is dropped, and with it all that builds on it: the world is asked for a full frame, which goes on from there.

import { nowMs } from '../../base/clock.js';
import { FrameFlag, openFrame } from '../../protocol/fb/server-frame.js';
import { DELAYED_BYTES_MAX, DELAYED_FRAME_BYTES, DELAYED_SLICE_MS, RESYNC_RETRY_MS } from '../limits.js';
import { DROP_DELAYED, type NetCounters } from './net-counters.js';
import { SESSION_LIVE, type SessionTable } from './session.js';

export interface DelayedFramesOptions {
  sessions: SessionTable;
  counters: NetCounters;
  delayMs: number;
  spectatorsMax: number;
  /** A frame's time has come. */
  send(client: number, frame: Uint8Array): void;
  askForFull(client: number): void;
  /** Monotonic milliseconds. */
  clock?: () => number;
  bytesMax?: number;
}

interface Held {
  client: number;
  generation: number;
  frame: Uint8Array;
  dueMs: number;
}

export class DelayedFrames {
  readonly shareBytes: number;
  private queue: Held[] = [];
  private first = 0;
  /** By client: bytes that wait, and whether what comes is dropped until it is a full frame. */
  private readonly heldBytes: Float64Array;
  private readonly isBroken: Uint8Array;
  private readonly askedMs: Float64Array;
  private readonly clock: () => number;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: DelayedFramesOptions) {
    const { sessions, spectatorsMax, bytesMax = DELAYED_BYTES_MAX } = options;
    this.clock = options.clock ?? nowMs;
    this.shareBytes = Math.floor(bytesMax / Math.max(1, spectatorsMax));
    this.heldBytes = new Float64Array(sessions.capacity);
    this.isBroken = new Uint8Array(sessions.capacity);
    this.askedMs = new Float64Array(sessions.capacity);
  }

  /** The index has a new holder. What waits of the former one is passed over when its time comes. */
  begin(client: number): void {
    this.isBroken[client] = 0;
    this.askedMs[client] = Number.NEGATIVE_INFINITY;
  }

  /** `bytes` may be used again once this returns. */
  take(client: number, bytes: Uint8Array, start: number, limit: number): void {
    const { sessions, counters, askForFull, delayMs } = this.options;
    const now = this.clock();
    const frame = bytes.slice(start, limit);
    const isFull = ((openFrame(frame)?.flags() ?? 0) & FrameFlag.Full) !== 0;
    const bytesHeld = frame.length + DELAYED_FRAME_BYTES;
    const hasRoom = this.heldBytes[client] + bytesHeld <= this.shareBytes;
    if (hasRoom && (isFull || this.isBroken[client] === 0)) {
      this.isBroken[client] = 0;
      this.heldBytes[client] += bytesHeld;
      this.queue.push({ client, generation: sessions.generation[client], frame, dueMs: now + delayMs });
      this.timer ??= setTimeout(() => this.release(), delayMs);
      return;
    }
    counters.drops[DROP_DELAYED] += 1;
    this.isBroken[client] = 1;
    if (!hasRoom || now - this.askedMs[client] < RESYNC_RETRY_MS) return;
    this.askedMs[client] = now;
    askForFull(client);
  }

  /** Sends all whose time has come, and waits for the next one. */
  release(): void {
    const { sessions, send } = this.options;
    const now = this.clock();
    clearTimeout(this.timer);
    this.timer = undefined;
    while (this.first < this.queue.length && this.queue[this.first].dueMs <= now) {
      const { client, generation, frame } = this.queue[this.first++];
      this.heldBytes[client] -= frame.length + DELAYED_FRAME_BYTES;
      if (sessions.holds(client, generation) && sessions.state[client] === SESSION_LIVE) send(client, frame);
    }
    if (this.first === this.queue.length) {
      this.queue = [];
      this.first = 0;
      return;
    }
    if (this.first > this.queue.length / 2) {
      this.queue = this.queue.slice(this.first);
      this.first = 0;
    }
    // Those that come within a moment of each other go out together.
    this.timer = setTimeout(() => this.release(), Math.max(DELAYED_SLICE_MS, this.queue[this.first].dueMs - now));
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.queue = [];
    this.first = 0;
    this.heldBytes.fill(0);
  }
}
