// How the two threads of a ring wait for each other when there is nothing to do: they spin a little, as the other side
// is mostly at work, and then sleep until it rings. Ringing somebody who is awake costs one load.

import { CACHE_LINE_BYTES } from '../src/memory/limits.js';

const SPINS_MAX = 2000;
/** Only a fallback, as the other side rings: it bounds what a ring costs that a killed side never gave. */
const SLEEP_MS = 2;
const LINE = CACHE_LINE_BYTES / 4;

export type Side = 'produce' | 'consume';

export class Turns {
  private readonly words: Int32Array;
  private readonly own: number;
  private readonly other: number;

  static create(): SharedArrayBuffer {
    return new SharedArrayBuffer(2 * CACHE_LINE_BYTES);
  }

  constructor(buffer: SharedArrayBuffer, side: Side) {
    this.words = new Int32Array(buffer);
    this.own = side === 'produce' ? 0 : LINE;
    this.other = LINE - this.own;
  }

  /** May return early: whoever calls looks again. */
  waitUntil(isReady: () => boolean): void {
    for (let spins = 0; spins < SPINS_MAX; spins++) {
      if (isReady()) return;
    }
    Atomics.store(this.words, this.own, 1); // publish: whoever moves the ring from here on rings
    if (!isReady()) Atomics.wait(this.words, this.own, 1, SLEEP_MS);
    Atomics.store(this.words, this.own, 0); // publish: awake, nobody needs to ring
  }

  /** @hot After each publish or release. */
  ring(): void {
    if (Atomics.load(this.words, this.other) === 0) return; // acquire: pairs with the sleeper's store before its last look
    Atomics.store(this.words, this.other, 0); // publish: a wait that has not begun must not begin
    Atomics.notify(this.words, this.other);
  }
}
