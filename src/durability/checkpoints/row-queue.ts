// Rows on their way to a table: one entry per row however often it changes, in the order in which they first changed.
// What is taken as a batch and refused comes back to the head, and where a row has changed meanwhile, as its newer self.
//
// A write that failed may be done all the same, and even after the one that took its place: then the table has the older
// row, or one that was deleted. So rows of such a write are kept with what was written over them, to be stated once more
// when the failed one is done or never will be.

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
  /** Rows of writes that failed and may be done yet; undefined until something was written over them. */
  private readonly doubtful = new Map<number, RowChange | undefined>();

  get isInDoubt(): boolean {
    return this.doubtful.size > 0;
  }

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

  written({ isDelete, keys, values }: RowBatch): void {
    for (let i = 0; i < keys.length; i++) {
      if (this.doubtful.has(keys[i])) this.doubtful.set(keys[i], isDelete ? null : values[i]);
      if (isDelete) this.stored.delete(keys[i]);
    }
  }

  /** The batch was not acknowledged. Whoever says so gives it back too. */
  doubt({ keys }: RowBatch): void {
    for (const key of keys) this.doubtful.set(key, undefined);
  }

  /** While nothing is under way and no failed write can be done any more: what was written over them is written again. */
  restate(): void {
    for (const [key, change] of this.doubtful) {
      if (change === undefined || this.waiting.has(key)) continue;
      this.waiting.set(key, change);
      this.stored.add(key); // a row that was deleted may be there again
    }
    this.doubtful.clear();
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
