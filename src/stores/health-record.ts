// The health of one backend, as its calls show it:
//
//  up    the last answer came within SLOW_CALL_MS, and no call waits for longer than that
//  slow  a call waits for longer, or the last answer came late
//  down  the last call failed
//
// A call is judged while it is under way, so a backend that hangs is named after SLOW_CALL_MS and not when the call times
// out. A change of state is one line, so an outage of an hour is two.

import { nowMs, wallMs } from '../base/clock.js';
import { SLOW_CALL_MS } from './limits.js';
import { type BackendHealth, type BackendState, PersistError } from './store-ports.js';

export class HealthRecord {
  readonly #backend: string;
  readonly #onNotice: (line: string) => void;
  readonly #slowMs: number;
  /** When each call under way began, the oldest first. */
  readonly #calls = new Map<symbol, number>();
  #timer: NodeJS.Timeout | undefined;
  #state: BackendState = 'up';
  #sinceMs = wallMs();
  /** When it was up last, and the worst that it was since then. */
  #troubleMs = nowMs();
  #worst: BackendState = 'up';
  #failures = 0;
  #lastError = '';

  constructor(backend: string, onNotice: (line: string) => void = () => {}, slowMs = SLOW_CALL_MS) {
    this.#backend = backend;
    this.#onNotice = onNotice;
    this.#slowMs = slowMs;
  }

  /** Every call of the backend goes through here. `isAnswer` tells errors by which the backend shows that it is well. */
  async track<T>(call: () => Promise<T>, isAnswer: (error: unknown) => boolean = isRefusal): Promise<T> {
    const id = Symbol();
    const startedMs = nowMs();
    this.#calls.set(id, startedMs);
    this.#watch();
    try {
      const result = await call();
      this.#calls.delete(id);
      this.#answered(nowMs() - startedMs);
      return result;
    } catch (error) {
      this.#calls.delete(id);
      if (isAnswer(error)) this.#answered(nowMs() - startedMs);
      else this.#failed(error as Error);
      throw error;
    } finally {
      this.#watch();
    }
  }

  /** Something that is not a failure of the backend as a whole. */
  notice(line: string): void {
    this.#onNotice(`${this.#backend}: ${line}`);
  }

  read(): BackendHealth {
    return {
      backend: this.#backend,
      state: this.#state,
      sinceMs: this.#sinceMs,
      failures: this.#failures,
      lastError: this.#lastError,
    };
  }

  get #oldestMs(): number | undefined {
    return this.#calls.values().next().value;
  }

  /** One timer, for the oldest call. */
  #watch(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const oldestMs = this.#oldestMs;
    if (oldestMs === undefined || this.#state !== 'up') return;
    const leftMs = Math.max(1, oldestMs + this.#slowMs - nowMs());
    this.#timer = setTimeout(() => this.#lookAtOldest(), leftMs).unref();
  }

  #lookAtOldest(): void {
    this.#timer = undefined;
    if (this.#isOverdue() && this.#state === 'up') {
      this.#become('slow', `has not answered for ${this.#slowMs / 1000} s`, this.#slowMs);
    }
    this.#watch();
  }

  #isOverdue(): boolean {
    const oldestMs = this.#oldestMs;
    return oldestMs !== undefined && nowMs() - oldestMs >= this.#slowMs;
  }

  #answered(tookMs: number): void {
    const isPrompt = tookMs < this.#slowMs && !this.#isOverdue();
    if (isPrompt && this.#state !== 'up') {
      const seconds = ((nowMs() - this.#troubleMs) / 1000).toFixed(1);
      this.#become('up', `answers again, after it was ${this.#worst} for ${seconds} s`);
    }
    if (!isPrompt && this.#state === 'down') this.#become('slow', 'answers again, but slowly');
    if (!isPrompt && this.#state === 'up') {
      this.#become('slow', `took ${(tookMs / 1000).toFixed(1)} s to answer`, tookMs);
    }
  }

  #failed(error: Error): void {
    this.#failures++;
    this.#lastError = error.message;
    if (this.#state !== 'down') this.#become('down', error.message);
  }

  /** `agoMs`: the state began before it could be told. */
  #become(state: BackendState, line: string, agoMs = 0): void {
    if (this.#state === 'up') this.#troubleMs = nowMs() - agoMs;
    if (state !== 'slow' || this.#worst === 'up') this.#worst = state;
    this.#state = state;
    this.#sinceMs = wallMs() - agoMs;
    this.#onNotice(`${this.#backend}: ${line}`);
  }
}

/** The backend understood and said no, or was not asked at all. */
function isRefusal(error: unknown): boolean {
  return error instanceof PersistError && ANSWERS.has(error.kind);
}

const ANSWERS: ReadonlySet<string> = new Set(['rejected', 'fenced', 'corrupt', 'closed', 'behind']);
