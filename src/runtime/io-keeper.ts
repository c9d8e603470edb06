// Main's hold on the I/O thread: starts it, logs what it says, starts another when it ends, and lets it finish at the end.

import { Worker } from 'node:worker_threads';
import type { Settings } from '../config.js';
import type { Log } from '../net/log.js';
import type { StoredBan } from '../persist/ban-book.js';
import type { Outcome, PlatformCommand } from '../persist/platform-commands.js';
import type { SessionInfo } from './journal-session.js';
import type { FromIoThread, IoThreadData, ToIoThread } from './messages.js';
import type { PlayerDesk } from './player-desk.js';

const IO_THREAD_URL = new URL('../../workers/io-thread.js', import.meta.url);
const RESTART_MS = 1000;
const STOP_MS_MAX = 8500;
const START_MS_MAX = 15000;
const BANS_MS_MAX = 3000;

export class IoKeeper {
  private worker: Worker | undefined;
  private isStopping = false;
  private onStopped: () => void = () => {};
  private onLoaded: () => void = () => {};
  private onReady: () => void = () => {};
  private hasBegun = false;
  private onBansLoaded: () => void = () => {};
  private readonly bansLoaded = new Promise<void>((resolve) => {
    this.onBansLoaded = resolve;
  });

  constructor(
    private data: IoThreadData,
    private readonly log: Log,
    private readonly describe: () => SessionInfo,
    private readonly obey: (command: PlatformCommand) => Promise<Outcome>,
    private readonly onBans: (bans: readonly StoredBan[]) => void,
    private readonly desk: PlayerDesk,
  ) {}

  /** Resolves when the bans of earlier servers are in force, or when the store takes longer than a start may wait. */
  async waitForBans(): Promise<void> {
    const late = new Promise<'late'>((resolve) => setTimeout(() => resolve('late'), BANS_MS_MAX).unref());
    if ((await Promise.race([this.bansLoaded, late])) !== 'late') return;
    this.log.warn(
      {},
      `the bans are not loaded after ${BANS_MS_MAX} ms; the server begins without, and takes them later`,
    );
  }

  /** Resolves when the thread has loaded everything: then the session's time can be set. */
  async load(): Promise<void> {
    const loaded = this.heard((resolve) => {
      this.onLoaded = resolve;
    });
    this.launch();
    await loaded;
  }

  /** Resolves when what happens from now on is kept. */
  async begin(): Promise<void> {
    const ready = this.heard((resolve) => {
      this.onReady = resolve;
    });
    this.hasBegun = true;
    this.sayBegin();
    await ready;
    this.data = { ...this.data, recoveredEvents: undefined }; // a successor of this thread has no need of them
  }

  private heard(listen: (resolve: () => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      listen(resolve);
      setTimeout(
        () => reject(new Error(`the I/O thread did not start within ${START_MS_MAX} ms`)),
        START_MS_MAX,
      ).unref();
    });
  }

  private sayBegin(): void {
    this.worker?.postMessage({ kind: 'begin', session: this.describe() } satisfies ToIoThread);
  }

  private launch(): void {
    const worker = new Worker(IO_THREAD_URL, { workerData: this.data, name: 'io' });
    this.worker = worker;
    worker.on('message', (message: FromIoThread) => {
      if (message.kind === 'notice') this.log.warn({}, message.line);
      else if (message.kind === 'command') void this.answer(worker, message.request, message.command);
      else if (message.kind === 'loaded') {
        this.onLoaded();
        if (this.hasBegun) this.sayBegin();
      } else if (message.kind === 'ready') {
        this.onReady();
        this.desk.attach((request) => worker.postMessage(request));
      } else if (message.kind === 'player') this.desk.answer(message);
      else if (message.kind === 'bans') this.takeBans(message.bans);
      else this.onStopped();
    });
    worker.on('error', (error) => this.log.error({ error: (error as Error).message }, 'the I/O thread failed'));
    worker.on('exit', () => this.replace());
  }

  /** The tick threads must stand still by now: what is committed is the end of the world's day. */
  async stop(): Promise<void> {
    this.isStopping = true;
    const { worker } = this;
    if (worker === undefined) {
      return;
    }
    let timer: NodeJS.Timeout | undefined;
    const stopped = new Promise<void>((resolve) => {
      this.onStopped = resolve;
      worker.once('exit', () => resolve());
      timer = setTimeout(() => {
        this.log.error({}, `the I/O thread did not finish within ${STOP_MS_MAX} ms`);
        resolve();
      }, STOP_MS_MAX).unref();
    });
    worker.postMessage({ kind: 'stop' } satisfies ToIoThread);
    await stopped;
    clearTimeout(timer); // whoever goes on after a stop is not told of it later
    await worker.terminate();
  }

  /** One that begins later has them from the plan. */
  adopt({ hotSnapshotMs, coldSnapshotMs }: Pick<Settings, 'hotSnapshotMs' | 'coldSnapshotMs'>): void {
    this.worker?.postMessage({ kind: 'settings', hotSnapshotMs, coldSnapshotMs } satisfies ToIoThread);
  }

  private async answer(worker: Worker, request: number, command: PlatformCommand): Promise<void> {
    worker.postMessage({ kind: 'outcome', request, outcome: await this.obey(command) } satisfies ToIoThread);
  }

  private takeBans(bans: readonly StoredBan[]): void {
    this.onBans(bans);
    this.onBansLoaded();
  }

  private replace(): void {
    this.worker = undefined;
    if (!this.isStopping) {
      this.log.error(
        {},
        `the I/O thread ended; another one begins in ${RESTART_MS} ms, and events wait in their rings`,
      );
      setTimeout(() => {
        if (!this.isStopping) this.launch();
      }, RESTART_MS);
    }
  }
}
