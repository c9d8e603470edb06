// What a careful caller of an event log does, and what it may then expect: numbered records per key, appended in order,
// sent again from the oldest on after a rejection.

import assert from 'node:assert/strict';
import { type EventLog, type LogRecord, PersistError } from '../../src/stores/store-ports.js';

export class OrderedWriter {
  readonly #log: EventLog;
  readonly #topic: string;
  readonly #keys: number;
  /** Appends that are under way at once: those behind a failed one must fail too. */
  readonly #window: number;
  #next = 0;
  #waiting: LogRecord[][] = [];
  acknowledged = 0;
  rejections = 0;
  readonly kinds = new Set<string>();

  constructor(log: EventLog, topic: string, keys = 7, window = 4) {
    this.#log = log;
    this.#topic = topic;
    this.#keys = keys;
    this.#window = window;
  }

  /** Until `total` records are acknowledged, all calls of this method together. */
  async writeTo(total: number, batchRecords = 20): Promise<void> {
    while (this.acknowledged < total) await this.writeSome(batchRecords);
  }

  async writeSome(batchRecords = 20): Promise<void> {
    while (this.#waiting.length < this.#window) this.#waiting.push(this.#makeBatch(batchRecords));
    const results = await Promise.allSettled(this.#waiting.map((batch) => this.#log.append(batch)));
    let written = 0;
    while (written < results.length && results[written].status === 'fulfilled') written++;
    for (const result of results.slice(written)) {
      assert.equal(result.status, 'rejected', 'an append was acknowledged behind one that failed');
      const { reason } = result as PromiseRejectedResult;
      assert.ok(reason instanceof PersistError && reason.retriable, String(reason));
      this.kinds.add(reason.kind);
      this.rejections++;
    }
    for (const batch of this.#waiting.splice(0, written)) this.acknowledged += batch.length;
  }

  #makeBatch(records: number): LogRecord[] {
    return Array.from({ length: records }, () => {
      const n = this.#next++;
      return { topic: this.#topic, key: `k${n % this.#keys}`, value: Buffer.from(String(n)), timestampMs: Date.now() };
    });
  }

  /** Everything acknowledged is in the log, and the first occurrences of each key's records are in order. */
  async verify(log: EventLog): Promise<{ copies: number }> {
    const seen = new Set<number>();
    const lastOfKey = new Map<string, number>();
    let copies = 0;
    await log.replay({ topics: [this.#topic] }, async ({ entries }) => {
      for (const { key, value } of entries) {
        const n = Number(Buffer.from(value).toString());
        assert.equal(key, `k${n % this.#keys}`);
        if (seen.has(n)) {
          copies++;
          continue;
        }
        assert.ok(n > (lastOfKey.get(key) ?? -1), `${key}: ${n} came first behind ${lastOfKey.get(key)}`);
        seen.add(n);
        lastOfKey.set(key, n);
      }
    });
    for (let n = 0; n < this.acknowledged; n++) assert.ok(seen.has(n), `${n} was acknowledged and is not in the log`);
    return { copies };
  }
}
