// Takes rows from a queue to a table, one batch at a time, until none waits. A store that is away gets the same batch
// again after a pause that grows; a row that the store will never take is found by halving, dropped, counted and told of.
// A batch that failed may still be on its way: its rows are written once more when it can no longer arrive.

import { nowMs } from '../../base/clock.js';
import type { IoCounters } from '../../memory/tables/io-counters.js';
import { Backoff, pause } from '../../stores/deadline.js';
import { type ColdStore, PersistError } from '../../stores/store-ports.js';
import {
  CHECKPOINT_BATCH_BYTES_MAX,
  CHECKPOINT_BATCH_ROWS_MAX,
  CHECKPOINT_LATE_MS,
  CHECKPOINT_PAUSE_MS_MAX,
  CHECKPOINT_PAUSE_MS_MIN,
} from './limits.js';
import type { RowBatch, RowQueue } from './row-queue.js';

export interface RowWriterOptions {
  store: ColdStore;
  table: string;
  queue: RowQueue;
  /** Key of a row in the table. */
  keyOf: (key: number) => string;
  /** Runs before the first batch, and again until it resolves. */
  prepare: () => Promise<void>;
  counters: IoCounters;
  say: (line: string) => void;
  pauseMsMin?: number;
  pauseMsMax?: number;
  lateMs?: number;
}

export class RowWriter {
  private readonly backoff: Backoff;
  private readonly pauseMsMin: number;
  /** Ends the pause that is under way. */
  private waking = new AbortController();
  private isEnded = false;
  private isHurried = false;
  private running: Promise<void> = Promise.resolve();
  private isRunning = false;
  private isPrepared = false;
  private rowsMax = CHECKPOINT_BATCH_ROWS_MAX;
  private readonly lateMs: number;
  /** From when on no failed batch can arrive any more; Infinity while the store has not answered since. */
  private restateAtMs = Number.POSITIVE_INFINITY;
  /** Since the queue was last empty. */
  private dropped = 0;

  constructor(private readonly options: RowWriterOptions) {
    const {
      pauseMsMin = CHECKPOINT_PAUSE_MS_MIN,
      pauseMsMax = CHECKPOINT_PAUSE_MS_MAX,
      lateMs = CHECKPOINT_LATE_MS,
    } = options;
    this.backoff = new Backoff(pauseMsMin, pauseMsMax);
    this.pauseMsMin = pauseMsMin;
    this.lateMs = lateMs;
  }

  /** Resolves when nothing waits any more, which with a store that is away may be never; and at the end. */
  run(): Promise<void> {
    if (!this.isRunning) {
      this.isRunning = true;
      this.running = this.writeAll();
    }
    return this.running;
  }

  /** Whatever waits stays where it is. A batch that is under way may still be written, and nobody learns of it. */
  end(): void {
    this.isEnded = true;
    this.waking.abort();
  }

  /**
   * The end is near: a pause that is under way ends now, those that follow are short, and rows of failed batches are written
   * once more though one of them may be on its way still.
   */
  hurry(): void {
    this.isHurried = true;
    this.waking.abort();
    this.waking = new AbortController();
  }

  private async writeAll(): Promise<void> {
    while (!this.isEnded && this.hasWork()) {
      const pauseMs = this.isHurried ? Math.min(this.backoff.pauseMs, this.pauseMsMin) : this.backoff.pauseMs;
      if (pauseMs > 0) await pause(pauseMs, this.waking.signal);
      if (this.isEnded) break;
      if (this.isPrepared) await this.writeOne();
      else await this.prepare();
    }
    this.isRunning = false;
    if (this.dropped > 1) this.options.say(`checkpoints of ${this.dropped} entities were dropped`);
    this.dropped = 0;
  }

  /** Between two batches, so that nothing newer is under way than what is stated again. */
  private hasWork(): boolean {
    const { queue } = this.options;
    if (queue.isInDoubt && (this.isHurried || nowMs() >= this.restateAtMs)) queue.restate();
    return queue.length > 0 || !this.isPrepared;
  }

  private async prepare(): Promise<void> {
    try {
      await this.options.prepare();
      this.isPrepared = true;
      this.backoff.succeeded();
    } catch (error) {
      this.failed(error as Error, 'not begun');
    }
  }

  private async writeOne(): Promise<void> {
    const { queue, counters } = this.options;
    const batch = queue.take(this.rowsMax, CHECKPOINT_BATCH_BYTES_MAX);
    if (batch === undefined) return;
    try {
      await this.write(batch);
      queue.written(batch);
      this.restateAtMs = Math.min(this.restateAtMs, nowMs() + this.lateMs);
      counters.add(batch.isDelete ? 'checkpointRowsDeleted' : 'checkpointRowsWritten', batch.keys.length);
      counters.add('checkpointBatches', 1);
      this.rowsMax = Math.min(this.rowsMax * 2, CHECKPOINT_BATCH_ROWS_MAX);
      this.backoff.succeeded();
    } catch (error) {
      this.refused(batch, error as Error);
    }
    counters.set('checkpointRowsWaiting', queue.length);
  }

  private write({ isDelete, keys, values }: RowBatch): Promise<void> {
    const { store, table, keyOf } = this.options;
    if (isDelete) return store.deleteRows(table, keys.map(keyOf));
    return store.putRows(
      table,
      keys.map((key, i) => ({ key: keyOf(key), value: values[i] })),
    );
  }

  private refused(batch: RowBatch, error: Error): void {
    const { queue, counters, keyOf, say } = this.options;
    const mayRetry = error instanceof PersistError && (error.retriable || error.kind === 'closed');
    if (mayRetry || batch.keys.length > 1) queue.giveBack(batch);
    if (mayRetry) {
      if (error.kind !== 'closed') this.doubt(batch);
      this.failed(error, 'not written');
      return;
    }
    // The call is understood and the store answers: no pause helps, and what is good in the batch need not wait.
    this.backoff.succeeded();
    counters.add('checkpointFailures', 1);
    if (batch.keys.length > 1) {
      this.rowsMax = batch.keys.length >> 1;
      return;
    }
    counters.add('checkpointRowsDropped', 1);
    if (this.dropped++ === 0) say(`the checkpoint of entity ${keyOf(batch.keys[0])} was dropped: ${error.message}`);
  }

  private doubt(batch: RowBatch): void {
    this.options.queue.doubt(batch);
    this.restateAtMs = Number.POSITIVE_INFINITY;
  }

  private failed(error: Error, what: string): void {
    this.options.counters.add('checkpointFailures', 1);
    // Once per outage; the store itself tells when it answers again.
    if (this.backoff.pauseMs === 0) this.options.say(`checkpoints are ${what}: ${error.message}`);
    this.backoff.failed();
  }
}
