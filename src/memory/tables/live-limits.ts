// Limits that main can change while tick threads run. Writer: main. Readers: tick threads, which look a limit up each time
// they need it; a replacing thread finds the present values. Each limit takes effect by itself, so nothing depends on two
// of them changing together.
//
//  0                      4                            8
//  | commandsPerTick i32  | commandsPerClientTick i32  | bytesPerSecond i32 |
//    main writes all three

import { CACHE_LINE_BYTES } from '../limits.js';

const COMMANDS_PER_TICK = 0;
const COMMANDS_PER_CLIENT_TICK = 1;
const BYTES_PER_SECOND = 2;

export interface Limits {
  readonly commandsPerTick: number;
  readonly commandsPerClientTick: number;
  readonly bytesPerSecond: number;
}

export class LiveLimits implements Limits {
  private readonly words: Int32Array;

  constructor(readonly buffer: SharedArrayBuffer) {
    this.words = new Int32Array(buffer);
  }

  static create(limits: Limits): SharedArrayBuffer {
    const live = new LiveLimits(new SharedArrayBuffer(CACHE_LINE_BYTES));
    live.set(limits);
    return live.buffer;
  }

  /** Main only. */
  set(limits: Limits): void {
    Atomics.store(this.words, COMMANDS_PER_TICK, limits.commandsPerTick); // publish: holds from a zone's next tick on
    Atomics.store(this.words, COMMANDS_PER_CLIENT_TICK, limits.commandsPerClientTick); // publish: as above
    Atomics.store(this.words, BYTES_PER_SECOND, limits.bytesPerSecond); // publish: holds from a client's next frame on
  }

  get commandsPerTick(): number {
    return Atomics.load(this.words, COMMANDS_PER_TICK); // acquire main's latest value
  }

  get commandsPerClientTick(): number {
    return Atomics.load(this.words, COMMANDS_PER_CLIENT_TICK); // acquire main's latest value
  }

  get bytesPerSecond(): number {
    return Atomics.load(this.words, BYTES_PER_SECOND); // acquire main's latest value
  }
}
