// Limits that tick threads look up whenever they need them, so that main can change them while they run. A thread that
// replaces another finds the same.
//
//  0                      4                            8
//  | commandsPerTick i32  | commandsPerClientTick i32  | bytesPerSecond i32 |
//    main writes, tick threads read

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

  /** Main only. Each takes effect by itself: nothing depends on their changing together. */
  set(limits: Limits): void {
    Atomics.store(this.words, COMMANDS_PER_TICK, limits.commandsPerTick);
    Atomics.store(this.words, COMMANDS_PER_CLIENT_TICK, limits.commandsPerClientTick);
    Atomics.store(this.words, BYTES_PER_SECOND, limits.bytesPerSecond);
  }

  get commandsPerTick(): number {
    return Atomics.load(this.words, COMMANDS_PER_TICK); // main's word, as the next two
  }

  get commandsPerClientTick(): number {
    return Atomics.load(this.words, COMMANDS_PER_CLIENT_TICK);
  }

  get bytesPerSecond(): number {
    return Atomics.load(this.words, BYTES_PER_SECOND);
  }
}
