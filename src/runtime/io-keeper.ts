// Main's hold on the I/O thread: starts it, logs what it says, starts another when it ends, and lets it finish at the end.

import { Worker } from 'node:worker_threads';
import type { Log } from '../net/log.js';
import type { Outcome, PlatformCommand } from '../persist/platform-commands.js';
import type { FromIoThread, IoThreadData, ToIoThread } from './messages.js';

const IO_THREAD_URL = new URL('../../workers/io-thread.js', import.meta.url);
const RESTART_MS = 1000;
const STOP_MS_MAX = 8500;

export class IoKeeper {
  private worker: Worker | undefined;
  private isStopping = false;
  private onStopped: () => void = () => {};

  constructor(
    private readonly data: IoThreadData,
    private readonly log: Log,
    private readonly obey: (command: PlatformCommand) => Outcome,
  ) {}

  start(): void {
    const worker = new Worker(IO_THREAD_URL, { workerData: this.data, name: 'io' });
    this.worker = worker;
    worker.on('message', (message: FromIoThread) => {
      if (message.kind === 'notice') this.log.warn({}, message.line);
      else if (message.kind === 'command') this.answer(worker, message.request, message.command);
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
    const stopped = new Promise<void>((resolve) => {
      this.onStopped = resolve;
      worker.once('exit', () => resolve());
      setTimeout(() => {
        this.log.error({}, `the I/O thread did not finish within ${STOP_MS_MAX} ms`);
        resolve();
      }, STOP_MS_MAX).unref();
    });
    worker.postMessage({ kind: 'stop' } satisfies ToIoThread);
    await stopped;
    await worker.terminate();
  }

  private answer(worker: Worker, request: number, command: PlatformCommand): void {
    worker.postMessage({ kind: 'outcome', request, outcome: this.obey(command) } satisfies ToIoThread);
  }

  private replace(): void {
    this.worker = undefined;
    if (!this.isStopping) {
      this.log.error(
        {},
        `the I/O thread ended; another one begins in ${RESTART_MS} ms, and events wait in their rings`,
      );
      setTimeout(() => {
        if (!this.isStopping) this.start();
      }, RESTART_MS);
    }
  }
}
