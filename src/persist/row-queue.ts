// Rows on their way to a table: one entry per row however often it changes, in the order in which they first changed.
// What is taken as a batch and refused comes back to the head, and where a row has changed meanwhile, as its newer self.

/** Null: the row is to be deleted. */
type RowChange = Uint8Array | null;

/** Either all of them rows to put, or all of them rows to delete. */
export interface RowBatch {
  isDelete: boolean;
  keys: readonly number[];
  /** Empty where the rows are to be deleted. */
  values: readonly Uint8Array[];
}

export class RowQueue {
  private waiting = new Map<number, RowChange>();
  /** Rows that the table has, or may have: a write that failed may have been done. All others need no deleting. */
  private readonly stored = new Set<number>();

  get length(): number {
    return this.waiting.size;
  }

  /** Of a row that was there before this queue. */
  noteStored(key: number): void {
    this.stored.add(key);
  }

  put(key: number, value: Uint8Array): void {
    this.change(key, value);
  }

  /** Bounds the queue too: what comes and goes while the store is away leaves nothing behind. */
  delete(key: number): void {
    if (this.stored.has(key)) this.change(key, null);
    else this.waiting.delete(key);
  }

  /** From the head on, as many as are of one sort and within both bounds; at least one. Undefined when none waits. */
  take(rowsMax: number, bytesMax: number): RowBatch | undefined {
    const keys: number[] = [];
    const values: Uint8Array[] = [];
    let isDelete = false;
    let bytes = 0;
    for (const [key, change] of this.waiting) {
      if (keys.length === 0) isDelete = change === null;
      bytes += change === null ? 0 : change.length;
      const isFull = keys.length > 0 && (keys.length >= rowsMax || bytes > bytesMax);
      if (isFull || (change === null) !== isDelete) break;
      keys.push(key);
      if (change !== null) values.push(change);
    }
    if (keys.length === 0) return undefined;
    for (const key of keys) {
      this.waiting.delete(key);
      if (!isDelete) this.stored.add(key);
    }
    return { isDelete, keys, values };
  }

  written({ isDelete, keys }: RowBatch): void {
    if (!isDelete) return;
    for (const key of keys) this.stored.delete(key);
  }

  giveBack({ isDelete, keys, values }: RowBatch): void {
    const later = this.waiting;
    this.waiting = new Map();
    for (let i = 0; i < keys.length; i++) {
      const newer = later.get(keys[i]);
      this.waiting.set(keys[i], newer !== undefined ? newer : isDelete ? null : values[i]);
    }
    for (const [key, change] of later) {
      if (!this.waiting.has(key)) this.waiting.set(key, change);
    }
  }

  /** A row keeps its place, so that one that changes all the time is written all the same; one that turns around loses it. */
  private change(key: number, change: RowChange): void {
    const before = this.waiting.get(key);
    if (before !== undefined && (before === null) !== (change === null)) this.waiting.delete(key);
    this.waiting.set(key, change);
  }
}
