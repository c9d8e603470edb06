// When the store is called for cells, loading or storing, and for how many at once: after a call that failed not before a
// pause, after one that took too long or was refused for fewer, and for those that it refuses one by one after all others.

import { Backoff } from '../../stores/deadline.js';
import { PersistError } from '../../stores/store-ports.js';
import { CELL_RETRY_MS_MAX, CELL_RETRY_MS_MIN, CELLS_PER_CALL } from './limits.js';

export class CellCalls {
  /** One is under way. */
  isBusy = false;
  private most = CELLS_PER_CALL;
  private afterMs = 0;
  private readonly backoff = new Backoff(CELL_RETRY_MS_MIN, CELL_RETRY_MS_MAX);
  /** By cell: how often a call was refused that was for it alone. */
  private readonly refusals = new Map<number, number>();

  isDue(nowMs: number): boolean {
    return !this.isBusy && nowMs >= this.afterMs;
  }

  /** What the next call is for, of all that waits, the most wanted first. */
  choose<T extends { cell: number }>(waiting: T[]): T[] {
    if (this.refusals.size > 0) waiting.sort((one, other) => this.refusalsOf(one) - this.refusalsOf(other));
    return waiting.slice(0, this.most);
  }

  /** Whether all that waits goes with one call. */
  takesAll(count: number): boolean {
    return count <= this.most;
  }

  succeeded(batch: readonly { cell: number }[]): void {
    this.backoff.succeeded();
    this.most = Math.min(this.most * 2, CELLS_PER_CALL);
    for (const { cell } of batch) this.refusals.delete(cell);
  }

  failed(batch: readonly { cell: number }[], error: unknown, nowMs: number): void {
    this.backoff.failed();
    this.afterMs = nowMs + this.backoff.pauseMs;
    const kind = error instanceof PersistError ? error.kind : 'rejected';
    if (kind === 'rejected' || kind === 'timeout') this.most = Math.max(1, batch.length >> 1);
    if (kind === 'rejected' && batch.length === 1) {
      this.refusals.set(batch[0].cell, this.refusalsOf(batch[0]) + 1);
    }
  }

  private refusalsOf({ cell }: { cell: number }): number {
    return this.refusals.get(cell) ?? 0;
  }
}
