// Bounded waiting: every call of a backend ends, and the pauses between attempts grow to a bound.

import { setTimeout as sleep } from 'node:timers/promises';
import { randomFraction } from '../base/chance.js';
import { PersistError } from './store-ports.js';

/** What `work` gives, or a 'timeout'. The work itself goes on: its late outcome is swallowed. */
export async function withDeadline<T>(work: Promise<T>, deadlineMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  work.catch(() => {});
  try {
    return await Promise.race([
      work,
      new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(new PersistError('timeout', `${what}: no answer in ${deadlineMs} ms`)),
          deadlineMs,
        );
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves early, without complaint, when the signal is aborted. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, signal ? { signal } : {}).catch(() => {});
}

/** Pauses that double from `minMs` to `maxMs`, less up to a quarter so that many clients do not come at once. */
export class Backoff {
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #nextMs = 0;

  constructor(minMs: number, maxMs: number, random: () => number = randomFraction) {
    this.#minMs = minMs;
    this.#maxMs = maxMs;
    this.#random = random;
  }

  /** 0 after a success: the first attempt is free. */
  get pauseMs(): number {
    return this.#nextMs * (1 - this.#random() / 4);
  }

  failed(): void {
    this.#nextMs = Math.min(Math.max(this.#nextMs * 2, this.#minMs), this.#maxMs);
  }

  succeeded(): void {
    this.#nextMs = 0;
  }
}
