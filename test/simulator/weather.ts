// What lies between a store and who calls it. A call is under way for a while, is done or not, and is answered or not; a
// caller whose process has ended meanwhile hears nothing, and a call that had not arrived by then is lost.

import { type BackendHealth, PersistError } from '../../src/stores/store-ports.js';
import type { Chance } from './chance.js';
import type { FaultName, Faults } from './faults.js';
import type { Owner, Schedule } from './schedule.js';

export interface Call<T> {
  name: string;
  /** What the store does; it may throw a PersistError, and then has done nothing. */
  apply(): T;
  /** Some of it, where the store may do that. */
  applyPartly?(): void;
}

/** The side of the caller. */
export interface Line {
  nowMs(): number;
  call<T>(call: Call<T>): Promise<T>;
  wait(ms: number): Promise<void>;
  /** False once the caller's process has ended. */
  isAlive(): boolean;
  /** Before a value is read: whether it is to be damaged where it lies. */
  isDamaging(): boolean;
  health(): BackendHealth;
}

/** No weather, and the real clock: for the tests of the stores themselves. */
export const CALM_LINE: Line = {
  nowMs: Date.now,
  call: async ({ apply }) => apply(),
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  isAlive: () => true,
  isDamaging: () => false,
  health: () => ({ backend: 'simulated', state: 'up', sinceMs: 0, failures: 0, lastError: '' }),
};

const LATENCY_MS = [0.05, 3] as const;
const SLOW_MS = [20, 1500] as const;
const AWAY_MS = [50, 3000] as const;
const DEADLINE_MS = 500;

export class StormyLine implements Line {
  private awayUntilMs = 0;
  private connected = true;
  private failures = 0;
  private lastError = '';

  constructor(
    private readonly store: 'log' | 'hot' | 'cold',
    private readonly schedule: Schedule,
    private readonly owner: Owner,
    private readonly faults: Faults,
    private readonly chance: Chance,
  ) {}

  nowMs(): number {
    return this.schedule.nowMs;
  }

  wait(ms: number): Promise<void> {
    return this.schedule.wait(ms, this.owner);
  }

  isAlive(): boolean {
    return this.owner.isAlive;
  }

  isDamaging(): boolean {
    return this.store !== 'log' && this.faults.happens(`${this.store}-damaged`);
  }

  health(): BackendHealth {
    const state = this.connected ? 'up' : 'down';
    return { backend: this.store, state, sinceMs: 0, failures: this.failures, lastError: this.lastError };
  }

  async call<T>(call: Call<T>): Promise<T> {
    try {
      const result = await this.carry(call);
      this.connected = true;
      return result;
    } catch (error) {
      this.connected = false;
      this.failures++;
      this.lastError = (error as Error).message;
      throw error;
    }
  }

  private async carry<T>({ name, apply, applyPartly }: Call<T>): Promise<T> {
    const { faults, chance, store } = this;
    const range = faults.happens(`${store}-slow`) ? SLOW_MS : LATENCY_MS;
    await this.wait(chance.between(range[0], range[1]));
    if (faults.happens(`${store}-away`)) this.awayUntilMs = this.schedule.nowMs + chance.between(...AWAY_MS);
    if (this.schedule.nowMs < this.awayUntilMs && !faults.isEnded) {
      throw new PersistError('unavailable', `${store} ${name}: no connection`);
    }
    if (this.isRefused('full')) throw new PersistError('full', `${store} ${name}: no room`);
    if (this.isRefused('rejects')) throw new PersistError('rejected', `${store} ${name}: refused`);
    if (faults.happens(`${store}-timeout-undone`)) {
      await this.wait(DEADLINE_MS);
      throw new PersistError('timeout', `${store} ${name}: no answer`);
    }
    if (store === 'hot' && applyPartly !== undefined && faults.happens('hot-partly')) {
      applyPartly();
      throw new PersistError('unavailable', `${store} ${name}: cut in the middle`);
    }
    const result = apply();
    if (faults.happens(`${store}-timeout-done`)) {
      await this.wait(DEADLINE_MS);
      throw new PersistError('timeout', `${store} ${name}: no answer`);
    }
    await this.wait(chance.between(...LATENCY_MS));
    return result;
  }

  private isRefused(how: 'full' | 'rejects'): boolean {
    return this.store === 'log' && this.faults.happens(`log-${how}` satisfies FaultName);
  }
}

/** One bit, or an end that is missing. */
export function damage(bytes: Uint8Array, chance: Chance | undefined): Uint8Array {
  const copy = Uint8Array.from(bytes);
  if (chance === undefined || chance.happens(0.5)) {
    copy[chance?.below(copy.length) ?? copy.length >> 1] ^= 1 << (chance?.below(8) ?? 2);
    return copy;
  }
  return copy.subarray(0, chance.below(copy.length));
}
