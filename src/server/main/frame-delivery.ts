// Main's end of the frame rings: sleeps until a tick thread has made something, and gives its records out, a bounded number
// at a time.

import { ByteRing } from '../../memory/rings/byte-ring.js';
import * as T from '../../memory/tables/thread-control.js';
import { FRAMES_PER_SLICE } from './limits.js';

export interface DeliveryEvents {
  /** Main does something of its own for the zones. */
  beforeSlice(): void;
  /** One record, to be read in place. */
  take(frames: ByteRing): void;
}

export class FrameDelivery {
  private readonly rings: ByteRing[];
  private readonly controls: T.ThreadControl[];
  private isStopped = false;
  private isDraining = false;
  private isAgainWanted = false;
  private isCatchingUp = false;

  constructor(
    rings: readonly SharedArrayBuffer[],
    controls: readonly SharedArrayBuffer[],
    private readonly events: DeliveryEvents,
  ) {
    this.rings = rings.map((buffer) => new ByteRing(buffer));
    this.controls = controls.map((buffer) => new T.ThreadControl(buffer));
  }

  /** Begins to deliver whenever a tick thread has made something. */
  start(): void {
    for (const control of this.controls) {
      this.listen(control);
    }
  }

  stop(): void {
    this.isStopped = true;
    for (const { words } of this.controls) {
      Atomics.notify(words, T.WAKE); // nothing is published: who sleeps looks whether it is to stop
    }
  }

  bytesWaiting(thread: number): number {
    return this.rings[thread].readableBytes();
  }

  /** Delivers all that waits, at once. */
  deliverAll(): void {
    this.events.beforeSlice();
    for (const frames of this.rings) {
      this.deliver(frames, Number.POSITIVE_INFINITY);
    }
  }

  /** From inside of `take`: all other rings first. Never inside itself: the ring that asks is in the middle of a record. */
  catchUpOthers(current: ByteRing): void {
    if (this.isCatchingUp) {
      return;
    }
    this.isCatchingUp = true;
    for (const frames of this.rings) {
      if (frames !== current) {
        this.deliver(frames, Number.POSITIVE_INFINITY);
      }
    }
    this.isCatchingUp = false;
  }

  /** Sleeps until the thread has made something, delivers it, and sleeps again. */
  private async listen(control: T.ThreadControl): Promise<void> {
    let seen = Atomics.load(control.words, T.WAKE); // what was published before this is drained below
    while (!this.isStopped) {
      this.drain();
      const result = Atomics.waitAsync(control.words, T.WAKE, seen); // acquire: does not sleep where WAKE has gone on
      if (result.async) {
        await result.value;
      }
      seen = Atomics.load(control.words, T.WAKE); // acquire: frames published before it are readable
    }
  }

  private drain(): void {
    if (this.isDraining) {
      this.isAgainWanted = true;
      return;
    }
    this.isDraining = true;
    this.drainSlice();
  }

  private drainSlice(): void {
    this.events.beforeSlice();
    let delivered = 0;
    for (let thread = 0; thread < this.rings.length; thread++) {
      delivered += this.deliver(this.rings[thread], FRAMES_PER_SLICE);
    }
    if ((delivered >= FRAMES_PER_SLICE || this.isAgainWanted) && !this.isStopped) {
      this.isAgainWanted = false;
      setImmediate(() => this.drainSlice());
      return;
    }
    this.isDraining = false;
  }

  private deliver(frames: ByteRing, most: number): number {
    let count = 0;
    while (count < most && frames.next()) {
      this.events.take(frames);
      frames.release();
      count++;
    }
    return count;
  }
}
