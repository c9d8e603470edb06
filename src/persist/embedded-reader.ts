// Reads one partition of the embedded event log from an offset on. A chunk that does not verify is skipped with a notice
// and never delivered.

import { LOG_BATCH_RECORDS_MAX } from '../constants.js';
import type { HealthRecord } from './deadline.js';
import type { EmbeddedTopic, LogTables } from './embedded-event-log.js';
import { decodeChunk, readChunkOffset, verifyChunk, writeChunkKey } from './log-chunk.js';
import type { LogEntry } from './ports.js';

interface FoundChunk {
  offset: number;
  value: Uint8Array;
}

export class PartitionReader {
  readonly #tables: LogTables;
  readonly #topic: EmbeddedTopic;
  readonly #partition: number;
  readonly #health: HealthRecord;
  #decoded: LogEntry[] = [];
  #delivered = 0;
  nextOffset: number;

  constructor(tables: LogTables, topic: EmbeddedTopic, partition: number, fromOffset: number, health: HealthRecord) {
    this.#tables = tables;
    this.#topic = topic;
    this.#partition = partition;
    this.#health = health;
    this.nextOffset = fromOffset;
  }

  /** The next entries, at least one unless there are none now. */
  read(recordsMax = LOG_BATCH_RECORDS_MAX): LogEntry[] {
    if (this.#delivered === this.#decoded.length) this.#fill();
    const entries = this.#decoded.slice(this.#delivered, this.#delivered + recordsMax);
    this.#delivered += entries.length;
    if (entries.length > 0) this.nextOffset = entries[entries.length - 1].offset + 1;
    return entries;
  }

  /** The offset of the chunk that follows the one with this key; the partition's end behind the last. */
  offsetBehind(key: Uint8Array): number {
    const offset = readChunkOffset(key);
    const next = this.#firstKey(offset + 1);
    return next ? readChunkOffset(next) : this.#tables.readPartition(this.#topic, this.#partition).end;
  }

  #fill(): void {
    this.#decoded = [];
    this.#delivered = 0;
    const { end } = this.#tables.readPartition(this.#topic, this.#partition);
    while (this.nextOffset < end && this.#decoded.length === 0) {
      const chunk = this.#find();
      if (!chunk) {
        this.nextOffset = end;
      } else if (verifyChunk(chunk.value)) {
        this.#decoded = decodeChunk(chunk.value, chunk.offset, this.nextOffset, Number.POSITIVE_INFINITY);
        if (this.#decoded.length === 0) this.#skipTo(this.#behind(chunk.offset, end));
      } else {
        const behind = this.#behind(chunk.offset, end);
        const lost = `offsets ${chunk.offset} to ${behind - 1} of ${this.#topic.name}/${this.#partition}`;
        this.#health.notice(`${lost} do not verify and are skipped`);
        this.#skipTo(behind);
      }
    }
  }

  #behind(offset: number, end: number): number {
    const next = this.#firstKey(offset + 1);
    return next ? readChunkOffset(next) : end;
  }

  #skipTo(offset: number): void {
    this.nextOffset = offset;
  }

  /** The chunk that begins at the next offset, or holds it, or is the first behind it when retention has cut it off. */
  #find(): FoundChunk | undefined {
    const { id } = this.#topic;
    const exact = this.#tables.chunks.get(writeChunkKey(id, this.#partition, this.nextOffset));
    if (exact) return { offset: this.nextOffset, value: exact };
    const holding = this.#lastKeyBelow(this.nextOffset);
    const holdingLimit = holding && this.#behindHolding(holding);
    const key = holding && holdingLimit! > this.nextOffset ? holding : this.#firstKey(this.nextOffset);
    if (!key) return undefined;
    return { offset: readChunkOffset(key), value: this.#tables.chunks.get(key)! };
  }

  #behindHolding(key: Uint8Array): number {
    const chunk = this.#tables.chunks.get(key)!;
    const offset = readChunkOffset(key);
    // A chunk that does not verify cannot say how far it goes.
    return verifyChunk(chunk) ? offset + decodeChunk(chunk, offset, 0, Number.POSITIVE_INFINITY).length : this.offsetBehind(key);
  }

  #firstKey(fromOffset: number): Uint8Array | undefined {
    const { id } = this.#topic;
    const range = {
      start: writeChunkKey(id, this.#partition, fromOffset),
      limit: writeChunkKey(id, this.#partition + 1, 0),
      rowsMax: 1,
    };
    for (const key of this.#tables.chunks.keys(range)) return key;
    return undefined;
  }

  #lastKeyBelow(offset: number): Uint8Array | undefined {
    const { id } = this.#topic;
    const prefix = writeChunkKey(id, this.#partition, 0).subarray(0, 4);
    const range = { start: writeChunkKey(id, this.#partition, offset), reverse: true, rowsMax: 1 };
    for (const key of this.#tables.chunks.keys(range)) {
      if (Buffer.from(key.buffer, key.byteOffset, 4).equals(prefix)) return key;
    }
    return undefined;
  }
}
