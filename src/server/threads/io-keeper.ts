// Main's hold on the I/O thread: starts it, logs what it says, starts another when it ends, and lets it finish at the end.

import { Worker } from 'node:worker_threads';
import { nowMs } from '../../base/clock.js';
import type { Log } from '../../base/log.js';
import type { Settings } from '../../config/settings.js';
import type { StoredBan } from '../../durability/commands/ban-book.js';
import type { Outcome, PlatformCommand } from '../../durability/commands/platform-commands.js';
import { BANS_MS_MAX, IO_RESTART_MS, IO_START_MS_MAX, IO_STOP_MS_MAX } from '../limits.js';
import type { PlayerDesk } from '../main/player-desk.js';
import type { IoStatus } from './io-status.js';
import type { FromIoThread, IoBeginning, IoThreadData, ToIoThread } from './thread-messages.js';

const IO_THREAD_URL = new URL('../../../workers/io-thread.js', import.meta.url);

/** A worker thread, or what stands for one in a test. */
export type IoWorker = Pick<Worker, 'on' | 'once' | 'postMessage' | 'terminate'>;

export interface IoKeeperOptions {
  data: IoThreadData;
  log: Log;
  desk: PlayerDesk;
  /** A command of the platform, which is answered when this resolves. */
  obey(command: PlatformCommand): Promise<Outcome>;
  /** Bans of earlier servers. */
  onBans(bans: readonly StoredBan[]): void;
  /** What keeps the world has changed. */
  onStatus(status: IoStatus): void;
  start?(data: IoThreadData): IoWorker;
}

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

export class IoKeeper {
  private worker: IoWorker | undefined;
  private isStopping = false;
  private isLoaded = false;
  private isReady = false;
  private onStopped: (unkept: readonly string[]) => void = () => {};
  private loadWaiter: Waiter | undefined;
  private readyWaiters: Waiter[] = [];
  private restartTimer: NodeJS.Timeout | undefined;
  private lastError = '';
  private restarts = 0;
  private beginning: IoBeginning | undefined;
  private wasReady = false;
  /** Read again while no thread listened. */
  private untold: ToIoThread | undefined;
  private onBansLoaded: () => void = () => {};
  private readonly bansLoaded = new Promise<void>((resolve) => {
    this.onBansLoaded = resolve;
  });

  private readonly log: Log;
  private readonly desk: PlayerDesk;

  constructor(private readonly options: IoKeeperOptions) {
    this.log = options.log;
    this.desk = options.desk;
  }

  /** Why what happens is not kept at the moment; none: it is. */
  unreadyReasons(): string[] {
    if (this.isReady || !this.wasReady) return [];
    const times = this.restarts === 1 ? 'once' : `${this.restarts} times`;
    return [`the I/O thread has ended ${times}, and another one is starting: ${this.lastError}`];
  }

  /** Resolves when the bans of earlier servers are in force, or when the store takes longer than a start may wait. */
  async waitForBans(): Promise<void> {
    const late = new Promise<'late'>((resolve) => setTimeout(() => resolve('late'), BANS_MS_MAX).unref());
    if ((await Promise.race([this.bansLoaded, late])) !== 'late') return;
    this.log.warn(
      {},
      `the bans are not loaded after ${BANS_MS_MAX} ms; the server begins without, and takes them later`,
    );
  }

  /** Starts the thread, which has much to load before it can be of use. */
  open(): void {
    this.launch();
  }

  /** Resolves when the thread has loaded everything: then the session's time can be set. */
  async load(): Promise<void> {
    if (this.worker === undefined) throw new Error(this.lastError);
    if (!this.isLoaded) {
      await inTime((waiter) => {
        this.loadWaiter = waiter;
      });
    }
  }

  /** Resolves when what happens from now on is kept. Rejects with what the thread says when it cannot. */
  async begin(beginning: IoBeginning): Promise<void> {
    const ready = this.whenReady();
    this.beginning = beginning;
    this.sayBegin();
    await ready;
    this.wasReady = true;
    this.beginning = { ...beginning, recoveredEvents: undefined }; // a successor of this thread has no need of them
  }

  private whenReady(limitMs = IO_START_MS_MAX): Promise<void> {
    return inTime((waiter) => this.readyWaiters.push(waiter), limitMs);
  }

  private sayBegin(): void {
    const { worker, beginning } = this;
    if (beginning !== undefined) worker?.postMessage({ kind: 'begin', beginning } satisfies ToIoThread);
  }

  private launch(): void {
    const { data, start = startIoThread, onStatus } = this.options;
    const worker = start(data);
    this.worker = worker;
    worker.on('message', (message: FromIoThread) => {
      if (message.kind === 'notice') this.log.warn({}, message.line);
      else if (message.kind === 'command') void this.answer(worker, message.request, message.command);
      else if (message.kind === 'status') onStatus(message.status);
      else if (message.kind === 'loaded') {
        this.isLoaded = true;
        this.loadWaiter?.resolve();
        this.sayBegin();
      } else if (message.kind === 'ready') {
        this.isReady = true;
        for (const waiter of this.readyWaiters.splice(0)) waiter.resolve();
        this.desk.attach((request) => worker.postMessage(request));
        if (this.untold !== undefined) worker.postMessage(this.untold);
        this.untold = undefined;
      } else if (message.kind === 'player') this.desk.answer(message);
      else if (message.kind === 'bans') this.takeBans(message.bans);
      else this.onStopped(message.unkept);
    });
    worker.on('error', (error) => this.fail(error as Error));
    worker.on('exit', () => this.replace());
  }

  private fail(error: Error): void {
    this.lastError = error.message;
    if (this.wasReady) this.log.error({ error: error.message }, 'the I/O thread failed');
  }

  /**
   * The tick threads must stand still by now: what is committed is the end of the world's day. False: it could not be kept,
   * which the log tells.
   */
  async stop(): Promise<boolean> {
    this.isStopping = true;
    clearTimeout(this.restartTimer);
    if (!this.wasReady) {
      await this.worker?.terminate(); // nothing has happened that could be kept
      return true;
    }
    const untilMs = nowMs() + IO_STOP_MS_MAX;
    if (!this.isReady) {
      // One that ended a moment ago, or its successor that is not there yet: the end of the world needs one all the same.
      if (this.worker === undefined) this.launch();
      await this.whenReady(IO_STOP_MS_MAX).catch((error: Error) => {
        this.log.error({}, `the end of the world is not kept: ${error.message}`);
      });
    }
    const { worker } = this;
    if (worker === undefined || !this.isReady) {
      await worker?.terminate();
      return false;
    }
    const isKept = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => {
        this.log.error({}, `the I/O thread did not finish within ${IO_STOP_MS_MAX} ms`);
        resolve(false);
      }, untilMs - nowMs()).unref();
      const end = (isWhole: boolean): void => {
        clearTimeout(timer); // whoever goes on after a stop is not told of it later
        resolve(isWhole);
      };
      this.onStopped = (unkept) => {
        for (const line of unkept) this.log.error({}, `the stop could not keep everything: ${line}`);
        end(unkept.length === 0);
      };
      worker.once('exit', () => end(false));
      worker.postMessage({ kind: 'stop' } satisfies ToIoThread);
    });
    await worker.terminate();
    return isKept;
  }

  /** One that is launched later has them from the plan; one that loads or begins now has the former ones. */
  adopt({ hotSnapshotMs, coldSnapshotMs }: Pick<Settings, 'hotSnapshotMs' | 'coldSnapshotMs'>): void {
    const message: ToIoThread = { kind: 'settings', hotSnapshotMs, coldSnapshotMs };
    if (this.isReady) this.worker?.postMessage(message);
    else this.untold = message;
  }

  private async answer(worker: IoWorker, request: number, command: PlatformCommand): Promise<void> {
    worker.postMessage({ kind: 'outcome', request, outcome: await this.options.obey(command) } satisfies ToIoThread);
  }

  private takeBans(bans: readonly StoredBan[]): void {
    this.options.onBans(bans);
    this.onBansLoaded();
  }

  private replace(): void {
    this.worker = undefined;
    this.isReady = false;
    this.desk.detach();
    if (this.isStopping || !this.wasReady) {
      // Before the server has begun nothing is lost yet: it does not begin, and says why.
      const error = new Error(this.lastError);
      for (const waiter of [this.loadWaiter, ...this.readyWaiters.splice(0)]) waiter?.reject(error);
      return;
    }
    this.restarts++;
    this.log.error(
      {},
      `the I/O thread ended; another one begins in ${IO_RESTART_MS} ms, and events wait in their rings`,
    );
    this.restartTimer = setTimeout(() => this.launch(), IO_RESTART_MS);
  }
}

function startIoThread(workerData: IoThreadData): IoWorker {
  return new Worker(IO_THREAD_URL, { workerData, name: 'io' });
}

function inTime(listen: (waiter: Waiter) => void, limitMs = IO_START_MS_MAX): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = new Error(`the I/O thread did not start within ${limitMs} ms`);
    const timer = setTimeout(() => reject(late), limitMs).unref();
    listen({
      resolve: () => {
        clearTimeout(timer);
        resolve();
      },
      reject: (error) => {
        clearTimeout(timer);
        reject(error);
      },
    });
  });
}
