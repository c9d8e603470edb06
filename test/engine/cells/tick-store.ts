// The rows of a cold store on virtual time: answers so many beats after it was asked, or not at all while it is down.

import { CELLS_TABLE } from '../../../src/durability/cells/cell-store.js';
import { type BackendHealth, type ColdRow, type ColdStore, PersistError } from '../../../src/stores/store-ports.js';

interface Waiting {
  due: number;
  answer: () => void;
}

export class TickStore implements ColdStore {
  readonly rows = new Map<string, Uint8Array>();
  delay = 0;
  isDown = false;
  /** A call that has such a key fails as a whole, whatever else is in it. */
  fails: (key: string) => boolean = () => false;
  /** Records of cells. */
  puts = 0;
  putCalls = 0;
  /** Keys of each call that read. */
  readonly reads: (readonly string[])[] = [];
  now = 0;
  private waiting: Waiting[] = [];

  /** Keys of records of cells. */
  get recordKeys(): string[] {
    return [...this.rows.keys()].filter((key) => key.startsWith(`${CELLS_TABLE}/`));
  }

  /** Answers what is due, and lets those who waited for it go on. */
  async beat(now: number): Promise<void> {
    this.now = now;
    const due = this.waiting.filter((entry) => entry.due <= now);
    this.waiting = this.waiting.filter((entry) => entry.due > now);
    for (const { answer } of due) answer();
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Whoever waits for an answer is gone. */
  forget(): void {
    this.waiting = [];
  }

  putRows(table: string, rows: readonly ColdRow[]): Promise<void> {
    const isOfCells = table === CELLS_TABLE;
    if (isOfCells) this.putCalls++;
    const keys = rows.map(({ key }) => key);
    return this.later(keys, () => {
      for (const { key, value } of rows) this.rows.set(`${table}/${key}`, Uint8Array.from(value));
      if (isOfCells) this.puts += rows.length;
    });
  }

  getRows(table: string, keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    this.reads.push(keys);
    return this.later(keys, () => keys.map((key) => this.rows.get(`${table}/${key}`)));
  }

  deleteRows(table: string, keys: readonly string[]): Promise<void> {
    return this.later([], () => {
      for (const key of keys) this.rows.delete(`${table}/${key}`);
    });
  }

  scanRows(table: string, prefix: string, afterKey: string, limit: number): Promise<ColdRow[]> {
    return this.later([], () => {
      const start = `${table}/${prefix}`;
      const found = [...this.rows].filter(([key]) => key.startsWith(start) && key.slice(table.length + 1) > afterKey);
      return found
        .map(([key, value]) => ({ key: key.slice(table.length + 1), value }))
        .sort((a, b) => (a.key < b.key ? -1 : 1))
        .slice(0, limit);
    });
  }

  async scanKeys(table: string, prefix: string, afterKey: string, limit: number): Promise<string[]> {
    return (await this.scanRows(table, prefix, afterKey, limit)).map(({ key }) => key);
  }

  private later<T>(keys: readonly string[], act: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const answer = (): void => {
        if (this.isDown) reject(new PersistError('unavailable', 'the store is down'));
        else if (keys.some(this.fails)) reject(new PersistError('rejected', 'a row is too large'));
        else resolve(act());
      };
      if (this.delay === 0) answer();
      else this.waiting.push({ due: this.now + this.delay, answer });
    });
  }

  save = unused;
  latest = unused;
  prune = unused;
  claimLease = unused;
  releaseLease = unused;

  health(): BackendHealth {
    return { backend: 'ticks', state: this.isDown ? 'down' : 'up', sinceMs: 0, failures: 0, lastError: '' };
  }

  async close(): Promise<void> {}
}

function unused(): never {
  throw new Error('cells need rows only');
}
