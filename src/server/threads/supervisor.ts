// Owns the tick threads: starts them, watches that they go on, replaces one that throws, exits or stands still. The world
// stays where it is, in shared memory; a replaced thread goes on from the last committed tick, and main keeps every
// socket meanwhile.

import { Worker } from 'node:worker_threads';
import { nowMs } from '../../base/clock.js';
import type { Log } from '../../base/log.js';
import type { WorldPlan } from '../../engine/plan/world-plan.js';
import * as T from '../../memory/tables/thread-control.js';
import type { FromTickThread, TakePlace, TickThreadData } from './thread-messages.js';

const TICK_THREAD_URL = new URL('../../../workers/tick-thread.js', import.meta.url);
const WATCH_EVERY_MS = 20;
/** A look that comes so late says that main itself stood still. */
const WATCH_LATE_MS = 200;
/** Loading the game and attaching may take this long before a thread counts as standing still. */
const START_MS_MAX = 15000;
/** How long to wait before the nth replacement in a row. */
const BACKOFF_MS = [0, 0, 100, 500, 2000, 5000];
/** A thread that ran for this long has recovered. */
const HEALTHY_MS = 10000;
/** From this many failures in a row on, the server says that it is not ready. */
const UNREADY_FAILURES = 4;
const STOP_MS_MAX = 2000;

interface Thread {
  index: number;
  worker: Worker | undefined;
  control: T.ThreadControl;
  heartbeat: number;
  heartbeatMs: number;
  startedMs: number;
  /** When the last thread here failed, while its successor has not run a tick. */
  failedMs: number | undefined;
  failuresInRow: number;
  restarts: number;
  lastReason: string;
}

export interface SupervisorOptions {
  plan: WorldPlan;
  gameUrl: string;
  log: Log;
  /** A replaced thread runs and must be told its clients. */
  onReplaced(thread: number): void;
}

export class Supervisor {
  private readonly threads: Thread[];
  private readonly watch: NodeJS.Timeout;
  /** Has loaded everything and waits to take the place of a thread that fails: most of a replacement is loading. */
  private spare: Worker | undefined;
  private isSpareLoaded = false;
  private isStopping = false;
  private drills = 0;
  private watchedMs = nowMs();
  private onStarted: () => void = () => {};
  private onFailedStart: (error: Error) => void = () => {};

  constructor(private readonly options: SupervisorOptions) {
    this.threads = options.plan.controls.map((buffer, index) => ({
      index,
      worker: undefined,
      control: new T.ThreadControl(buffer),
      heartbeat: 0,
      heartbeatMs: 0,
      startedMs: 0,
      failedMs: undefined,
      failuresInRow: 0,
      restarts: 0,
      lastReason: '',
    }));
    this.watch = setInterval(() => this.look(), WATCH_EVERY_MS);
  }

  /** Resolves when every thread has run a tick; rejects with the first failure before that. */
  async start(): Promise<void> {
    const started = new Promise<void>((resolve, reject) => {
      this.onStarted = resolve;
      this.onFailedStart = reject;
    });
    for (const thread of this.threads) {
      this.employ(thread);
    }
    await started;
    this.onFailedStart = () => {};
    this.spawnSpare();
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    clearInterval(this.watch);
    await Promise.all([...this.threads.map((thread) => stopThread(thread)), this.spare?.terminate()]);
  }

  get restarts(): number {
    return this.threads.reduce((sum, thread) => sum + thread.restarts, 0);
  }

  /** Why the world cannot be served now; empty when it can. */
  unreadyReasons(): string[] {
    const reasons: string[] = [];
    for (const thread of this.threads) {
      if (thread.failuresInRow >= UNREADY_FAILURES) {
        reasons.push(
          `tick thread ${thread.index} has failed ${thread.failuresInRow} times in a row: ${thread.lastReason}`,
        );
      } else if (!isRunning(thread)) {
        reasons.push(`tick thread ${thread.index} is starting`);
      }
    }
    return reasons;
  }

  /** Ends a tick thread as a crash would, for drills. Each call takes the next one. */
  endOne(): void {
    const thread = this.threads[this.drills++ % this.threads.length];
    if (thread.worker !== undefined) {
      this.terminate(thread.worker);
    }
  }

  /** Gives the thread a worker: the spare if it has loaded, else a new one. */
  private employ(thread: Thread): void {
    if (this.isStopping) {
      return;
    }
    Atomics.store(thread.control.words, T.RUNNING, 0); // no worker runs here, so nobody else writes
    thread.startedMs = nowMs();
    thread.heartbeatMs = nowMs();
    if (this.spare !== undefined && this.isSpareLoaded) {
      thread.worker = this.spare;
      this.spare = undefined;
      const { originMs, epoch } = this.options.plan;
      thread.worker.postMessage({ thread: thread.index, originMs, epoch } satisfies TakePlace);
    } else {
      thread.worker = this.spawn(thread.index);
    }
  }

  private spawn(thread: number | undefined): Worker {
    const { plan, gameUrl } = this.options;
    const workerData: TickThreadData = { plan, thread, gameUrl };
    const worker = new Worker(TICK_THREAD_URL, { workerData, name: thread === undefined ? 'spare' : `tick-${thread}` });
    worker.on('message', (message: FromTickThread) => this.hear(worker, message));
    worker.on('error', (error) => this.lose(worker, error instanceof Error ? error.message : String(error)));
    worker.on('exit', (code) => this.lose(worker, `exited with code ${code}`));
    return worker;
  }

  /** Also before the start, beside what else there is to do: then the first thread is there at once. */
  spawnSpare(): void {
    if (this.spare === undefined && !this.isStopping) {
      this.isSpareLoaded = false;
      this.spare = this.spawn(undefined);
    }
  }

  private hear(worker: Worker, message: FromTickThread): void {
    const thread = this.threads.find((candidate) => candidate.worker === worker);
    if (message.kind === 'loaded') {
      this.isSpareLoaded = worker === this.spare;
    } else if (thread === undefined) {
      return; // the last words of a worker that was already given up
    } else if (message.kind === 'running') {
      this.noteRunning(thread, message.tick);
    } else {
      const { overruns, skipped, worstMs } = message;
      const fields = { thread: thread.index, overruns, skipped, worstMs: Math.round(worstMs * 10) / 10 };
      this.options.log.warn(fields, 'ticks took longer than their period');
    }
  }

  private noteRunning(thread: Thread, tick: number): void {
    if (thread.failedMs !== undefined) {
      const { plan, log } = this.options;
      const gapMs = Math.round(nowMs() - thread.failedMs);
      const fields = { thread: thread.index, zones: plan.zonesOfThread[thread.index], gapMs, tick };
      log.warn({ ...fields, reason: thread.lastReason }, `tick thread replaced after ${gapMs} ms`);
      thread.failedMs = undefined;
      this.options.onReplaced(thread.index);
      this.spawnSpare();
    }
    if (this.threads.every(isRunning)) {
      this.onStarted();
    }
  }

  /** The worker is gone or was found standing still. Errors arrive before the exit that they cause: the first one counts. */
  private lose(worker: Worker, reason: string): void {
    if (this.isStopping) {
      return;
    }
    if (worker === this.spare) {
      this.spare = undefined; // the next replacement loads for itself, and then there is a spare again
      return;
    }
    const thread = this.threads.find((candidate) => candidate.worker === worker);
    if (thread === undefined) {
      return;
    }
    thread.worker = undefined;
    this.terminate(worker);
    this.onFailedStart(new Error(`tick thread ${thread.index} failed before its first tick: ${reason}`));
    if (nowMs() - thread.startedMs > HEALTHY_MS) {
      thread.failuresInRow = 0;
    }
    thread.failedMs ??= thread.heartbeatMs;
    thread.failuresInRow++;
    thread.restarts++;
    thread.lastReason = reason;
    const waitMs = BACKOFF_MS[Math.min(thread.failuresInRow, BACKOFF_MS.length) - 1];
    if (waitMs === 0) {
      this.employ(thread);
    } else {
      setTimeout(() => this.employ(thread), waitMs);
    }
    this.options.log.error(
      { thread: thread.index, zones: this.options.plan.zonesOfThread[thread.index], reason, waitMs },
      'a tick thread failed and is being replaced',
    );
  }

  private terminate(worker: Worker): void {
    worker.terminate().catch((error: unknown) => this.options.log.warn({ error }, 'a tick thread did not end'));
  }

  private look(): void {
    const now = nowMs();
    // When main itself stood still, no heartbeat could be seen: nobody is judged by that.
    const wasAway = now - this.watchedMs > WATCH_LATE_MS;
    this.watchedMs = now;
    for (const thread of this.threads) {
      this.lookAt(thread, now, wasAway);
    }
  }

  private lookAt(thread: Thread, now: number, wasAway: boolean): void {
    const { worker, control } = thread;
    if (worker === undefined) {
      return;
    }
    const heartbeat = Atomics.load(control.words, T.HEARTBEAT); // the thread's word
    if (heartbeat !== thread.heartbeat || wasAway) {
      thread.heartbeat = heartbeat;
      thread.heartbeatMs = now;
    }
    if (isRunning(thread) && now - thread.startedMs > HEALTHY_MS) {
      thread.failuresInRow = 0;
    }
    const patienceMs = isRunning(thread) ? this.options.plan.settings.hangMs : START_MS_MAX;
    if (now - thread.heartbeatMs > patienceMs) {
      this.lose(worker, `no progress for ${Math.round(now - thread.heartbeatMs)} ms`);
    }
  }
}

function isRunning(thread: Thread): boolean {
  return Atomics.load(thread.control.words, T.RUNNING) === 1; // the thread's word: its first tick is over
}

async function stopThread(thread: Thread): Promise<void> {
  const { worker, control } = thread;
  if (worker === undefined) {
    return;
  }
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  Atomics.store(control.words, T.STOP, 1); // the thread looks before every tick
  Atomics.notify(control.words, T.STOP);
  const deadline = new Promise<void>((resolve) => setTimeout(resolve, STOP_MS_MAX).unref());
  await Promise.race([ended, deadline]);
  await worker.terminate();
}
