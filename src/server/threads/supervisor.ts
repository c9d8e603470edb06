// Owns the tick threads: starts them, watches that they go on, replaces one that throws, exits or hangs. The world stays
// where it is, in shared memory: the successor goes on from the last committed tick, and main keeps every socket meanwhile.
//
// A zone has one writer at a time. So the successor starts only when its predecessor has ended, which for a thread that
// threw is at once. One that hangs may be descheduled or inside of a system call: it can wake up and write. Its zones wait
// until it has ended, and log and readiness say so when that takes long.

import { Worker } from 'node:worker_threads';
import { nowMs } from '../../base/clock.js';
import type { Log } from '../../base/log.js';
import type { WorldPlan } from '../../engine/plan/world-plan.js';
import * as T from '../../memory/tables/thread-control.js';
import {
  TICK_THREAD_BACKOFF_MS,
  TICK_THREAD_END_MS_MAX,
  TICK_THREAD_HEALTHY_MS,
  TICK_THREAD_START_MS_MAX,
  TICK_THREAD_STOP_MS_MAX,
  TICK_THREAD_UNREADY_FAILURES,
  WATCH_LATE_MS,
  WATCH_MS_MAX,
  WATCH_MS_MIN,
  WATCHES_PER_HANG,
} from '../limits.js';
import type { FromTickThread, TakePlace, TickThreadData } from './thread-messages.js';

/** A worker thread, or what stands for one in a test. */
export type TickWorker = Pick<Worker, 'on' | 'once' | 'postMessage' | 'terminate'>;

const TICK_THREAD_URL = new URL('../../../workers/tick-thread.js', import.meta.url);

interface Thread {
  index: number;
  worker: TickWorker | undefined;
  /** Was given up and has not ended: until then its zones have no other thread. */
  ending: TickWorker | undefined;
  /** It should have ended by now. */
  isEndLate: boolean;
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
  /** A thread is about to load the game. */
  onSpawn?(): void;
  spawn?(data: TickThreadData, name: string): TickWorker;
  /** When a thread that was given up and has not ended is complained about. */
  endMsMax?: number;
}

export class Supervisor {
  private readonly threads: Thread[];
  private watch: NodeJS.Timeout;
  /** Has loaded everything and waits to take the place of a thread that fails: most of a replacement is loading. */
  private spare: TickWorker | undefined;
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
      ending: undefined,
      isEndLate: false,
      control: new T.ThreadControl(buffer),
      heartbeat: 0,
      heartbeatMs: 0,
      startedMs: 0,
      failedMs: undefined,
      failuresInRow: 0,
      restarts: 0,
      lastReason: '',
    }));
    this.watch = this.lookSoon();
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
    clearTimeout(this.watch);
    await Promise.all([...this.threads.map((thread) => this.stopThread(thread)), this.spare?.terminate()]);
  }

  get restarts(): number {
    return this.threads.reduce((sum, thread) => sum + thread.restarts, 0);
  }

  /** Why the world cannot be served now; empty when it can. */
  unreadyReasons(): string[] {
    const reasons: string[] = [];
    for (const thread of this.threads) {
      if (thread.isEndLate) {
        reasons.push(
          `tick thread ${thread.index} hangs and does not end, so its zones stand still: restart the server if it stays so`,
        );
      } else if (thread.failuresInRow >= TICK_THREAD_UNREADY_FAILURES) {
        reasons.push(
          `tick thread ${thread.index} has failed ${thread.failuresInRow} times in a row: ${thread.lastReason}`,
        );
      } else if (thread.ending !== undefined) {
        reasons.push(`tick thread ${thread.index} is being replaced: ${thread.lastReason}`);
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
    Atomics.store(thread.control.words, T.RUNNING, 0); // publish: not running; the last worker has ended, so nobody else writes
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

  private spawn(thread: number | undefined): TickWorker {
    const { plan, gameUrl, spawn = spawnTickThread, onSpawn } = this.options;
    onSpawn?.();
    const worker = spawn({ plan, thread, gameUrl }, thread === undefined ? 'spare' : `tick-${thread}`);
    worker.on('message', (message: FromTickThread) => this.hear(worker, message));
    worker.on('error', (error) => this.lose(worker, error instanceof Error ? error.message : String(error)));
    worker.on('exit', (code) => {
      this.lose(worker, `exited with code ${code}`);
      this.succeed(worker);
    });
    return worker;
  }

  /** Also before the start, beside what else there is to do: then the first thread is there at once. */
  spawnSpare(): void {
    if (this.spare === undefined && !this.isStopping) {
      this.isSpareLoaded = false;
      this.spare = this.spawn(undefined);
    }
  }

  private hear(worker: TickWorker, message: FromTickThread): void {
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
  private lose(worker: TickWorker, reason: string): void {
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
    thread.ending = worker;
    this.terminate(worker);
    setTimeout(() => this.complainOf(thread, worker), this.options.endMsMax ?? TICK_THREAD_END_MS_MAX).unref();
    this.onFailedStart(new Error(`tick thread ${thread.index} failed before its first tick: ${reason}`));
    if (nowMs() - thread.startedMs > TICK_THREAD_HEALTHY_MS) {
      thread.failuresInRow = 0;
    }
    thread.failedMs ??= thread.heartbeatMs;
    thread.failuresInRow++;
    thread.restarts++;
    thread.lastReason = reason;
    const waitMs = backoffMs(thread);
    this.options.log.error(
      { thread: thread.index, zones: this.options.plan.zonesOfThread[thread.index], reason, waitMs },
      'a tick thread failed and is being replaced',
    );
  }

  /** The worker has ended: nobody writes its zones any more, so the next one may. */
  private succeed(worker: TickWorker): void {
    const thread = this.threads.find((candidate) => candidate.ending === worker);
    if (thread === undefined) return;
    thread.ending = undefined;
    thread.isEndLate = false;
    const waitMs = backoffMs(thread);
    if (waitMs === 0) this.employ(thread);
    else setTimeout(() => this.employ(thread), waitMs);
  }

  private complainOf(thread: Thread, worker: TickWorker): void {
    if (thread.ending !== worker || this.isStopping) return;
    thread.isEndLate = true;
    const { plan, log, endMsMax = TICK_THREAD_END_MS_MAX } = this.options;
    log.error(
      { thread: thread.index, zones: plan.zonesOfThread[thread.index], reason: thread.lastReason },
      `a tick thread has not ended ${endMsMax} ms after it was given up; its zones stand still until it has`,
    );
  }

  private terminate(worker: TickWorker): void {
    worker.terminate().catch((error: unknown) => this.options.log.warn({ error }, 'a tick thread did not end'));
  }

  private async stopThread({ index, worker, ending, control }: Thread): Promise<void> {
    const last = worker ?? ending;
    if (last === undefined) return;
    const ended = new Promise<void>((resolve) => last.once('exit', () => resolve()));
    Atomics.store(control.words, T.STOP, 1); // publish: the thread acquires it before every tick
    Atomics.notify(control.words, T.STOP); // wakes the thread from its sleep between two ticks
    if (await within(TICK_THREAD_STOP_MS_MAX, ended)) return;
    this.terminate(last);
    const endMsMax = this.options.endMsMax ?? TICK_THREAD_END_MS_MAX;
    if (await within(endMsMax, ended)) return;
    this.options.log.error({}, `tick thread ${index} has not ended; the world is stored as it was last committed`);
  }

  /** --hang-ms may change meanwhile. */
  private lookSoon(): NodeJS.Timeout {
    const wantedMs = this.options.plan.settings.hangMs / WATCHES_PER_HANG;
    return setTimeout(() => this.look(), Math.min(WATCH_MS_MAX, Math.max(WATCH_MS_MIN, wantedMs)));
  }

  private look(): void {
    this.watch = this.lookSoon();
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
    const heartbeat = Atomics.load(control.words, T.HEARTBEAT); // acquire: the thread's word, all that it did before is done
    if (heartbeat !== thread.heartbeat || wasAway) {
      thread.heartbeat = heartbeat;
      thread.heartbeatMs = now;
    }
    if (isRunning(thread) && now - thread.startedMs > TICK_THREAD_HEALTHY_MS) {
      thread.failuresInRow = 0;
    }
    const patienceMs = isRunning(thread) ? this.options.plan.settings.hangMs : TICK_THREAD_START_MS_MAX;
    if (now - thread.heartbeatMs > patienceMs) {
      this.lose(worker, `no progress for ${Math.round(now - thread.heartbeatMs)} ms`);
    }
  }
}

function isRunning(thread: Thread): boolean {
  return Atomics.load(thread.control.words, T.RUNNING) === 1; // acquire: 1 once its first tick is over
}

function backoffMs({ failuresInRow }: Thread): number {
  return TICK_THREAD_BACKOFF_MS[Math.min(failuresInRow, TICK_THREAD_BACKOFF_MS.length) - 1];
}

function spawnTickThread(workerData: TickThreadData, name: string): TickWorker {
  return new Worker(TICK_THREAD_URL, { workerData, name });
}

/** False: the time is over. */
async function within(limitMs: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  const isInTime = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return isInTime;
}
