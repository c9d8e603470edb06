// When a tick thread wakes main. Main sleeps until there is something for it, and a wake-up costs both threads a few
// microseconds: in a world with nobody in it, five per tick were most of what the server used.

import type { ByteRing } from '../../memory/rings/byte-ring.js';
import type { ThreadControl } from '../../memory/tables/thread-control.js';
import { MAIN_ASLEEP_TICKS_MAX } from '../limits.js';

export class MainWaker {
  private ticksAsleep = 0;

  constructor(
    private readonly control: Pick<ThreadControl, 'wakeMain'>,
    private readonly frames: Pick<ByteRing, 'readableBytes'>,
  ) {}

  /** @hot After each zone, so that main sends its frames while the next zone is at work. */
  afterZone(): void {
    if (this.frames.readableBytes() > 0) this.wake();
  }

  /** @hot Once per tick. Also without frames now and then: main may have something that a ring had no room for. */
  afterTick(): void {
    if (this.frames.readableBytes() > 0 || ++this.ticksAsleep >= MAIN_ASLEEP_TICKS_MAX) this.wake();
  }

  private wake(): void {
    this.ticksAsleep = 0;
    this.control.wakeMain();
  }
}
