// Owner of piscina. Finite work that needs a processor, done neither on a tick thread nor on the thread that waits for
// backends. The pool belongs to the I/O thread: what it copies goes straight to the job and back, main sees none of it, and
// when the I/O thread ends its job threads end with it.
//
// A job's bytes are moved, never copied: whoever hands them over has them no more, also when the job fails.
//
// piscina gets no more jobs than it has threads. Its own queue waits for a thread to become free, and when the last
// thread dies there is none: what stands in the queue would wait until somebody hands over another job.

import { fileURLToPath } from 'node:url';
import { move, Piscina, transferableSymbol, valueSymbol } from 'piscina';
import { assert } from '../../base/assert.js';
import { PersistError } from '../../stores/store-ports.js';
import { JOB_IDLE_MS, JOB_MS_MAX, JOB_NICE, JOB_QUEUE_MAX, JOB_THREADS } from './limits.js';

export interface JobPoolOptions {
  /** The module whose exports are the jobs. */
  entry: URL;
  threads?: number;
  queueMax?: number;
  /** A job that takes longer is ended, and its thread with it. */
  jobMsMax?: number;
}

export class JobPool {
  readonly #pool: Piscina;
  readonly #threads: number;
  readonly #queueMax: number;
  readonly #jobMsMax: number;
  /** Jobs that wait for a thread, oldest first. */
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #closed = false;

  constructor({ entry, threads = JOB_THREADS, queueMax = JOB_QUEUE_MAX, jobMsMax = JOB_MS_MAX }: JobPoolOptions) {
    this.#threads = threads;
    this.#queueMax = queueMax;
    this.#jobMsMax = jobMsMax;
    this.#pool = new Piscina({
      filename: fileURLToPath(entry),
      minThreads: 0, // they start with the first job and end when there has been none for a while
      maxThreads: threads,
      maxQueue: threads,
      idleTimeout: JOB_IDLE_MS,
      niceIncrement: JOB_NICE,
      recordTiming: false,
    });
    // A thread that dies without a job: nobody waits for it, and the next job starts another.
    this.#pool.on('error', () => {});
  }

  /** Rejects with a PersistError: full, or what the job failed of, or that its thread died. */
  async run<T>(name: string, task: unknown, moved: readonly ArrayBuffer[]): Promise<T> {
    await this.#takeThread();
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), this.#jobMsMax);
    try {
      return await this.#pool.run(task, { name, transferList: [...moved], signal: deadline.signal });
    } catch (error) {
      if (deadline.signal.aborted) {
        throw new PersistError('timeout', `the job ${name} took longer than ${this.#jobMsMax} ms`);
      }
      throw new PersistError('unavailable', `the job ${name}: ${(error as Error).message}`, error);
    } finally {
      clearTimeout(timer);
      this.#giveThread();
    }
  }

  /** What runs rejects, and what waits for it. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const wake of this.#waiting.splice(0)) wake(); // to find it closed
    await this.#pool.destroy();
  }

  async #takeThread(): Promise<void> {
    if (this.#running >= this.#threads && !this.#closed) {
      if (this.#waiting.length >= this.#queueMax) {
        throw new PersistError('full', `${this.#queueMax} jobs wait for a thread already`);
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running++;
    }
    if (this.#closed) throw new PersistError('closed', 'the job pool is closed');
  }

  /** To the next that waits: the count of running jobs stays. */
  #giveThread(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
    assert(this.#running >= 0, 'a thread is given back once', this.#running);
  }
}

/** What a job returns so that these buffers go back by moving. */
export function moveBack<T extends object>(result: T, buffers: readonly ArrayBufferLike[]): T {
  return move({ [transferableSymbol]: buffers, [valueSymbol]: result } as never) as unknown as T;
}
