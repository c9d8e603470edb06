// Reads one partition of the embedded event log from an offset on. A chunk that does not verify is skipped with a notice
// and never delivered.

import type { HealthRecord } from '../health-record.js';
import { LOG_BATCH_RECORDS_MAX } from '../limits.js';
import type { LogEntry } from '../store-ports.js';
import {
  decodeChunk,
  readChunkCount,
  readChunkOffset,
  readLatestTime,
  verifyChunk,
  writeChunkKey,
} from './log-chunk.js';
import type { EmbeddedTopic, LogTables } from './log-tables.js';

/**
 * The offset of the first record from this time on. Looked for from the end, up to the first chunk that has none: what
 * lies before it is never touched, and who asks reads the rest anyway.
 */
export function findOffsetSince(tables: LogTables, topic: EmbeddedTopic, partition: number, sinceMs: number): number {
  const { end } = tables.readPartition(topic, partition);
  const start = writeChunkKey(topic.id, partition, end);
  const ofPartition = start.subarray(0, 4);
  let found = end;
  for (const { key, value } of tables.chunks.rows({ start, reverse: true })) {
    if (!ofPartition.equals(key.subarray(0, 4))) break;
    if (!verifyChunk(value)) continue; // it cannot say of when it is
    if (readLatestTime(value) < sinceMs) break;
    const offset = readChunkOffset(key);
    const first = decodeChunk(value, offset, offset).find(({ timestampMs }) => timestampMs >= sinceMs);
    found = first?.offset ?? found;
  }
  return found;
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

  #fill(): void {
    this.#decoded = [];
    this.#delivered = 0;
    const { end } = this.#tables.readPartition(this.#topic, this.#partition);
    while (this.nextOffset < end && this.#decoded.length === 0) {
      const offset = this.#findChunk();
      if (offset === undefined) {
        this.nextOffset = end;
        break;
      }
      const chunk = this.#tables.chunks.get(this.#key(offset))!;
      if (verifyChunk(chunk)) {
        this.#decoded = decodeChunk(chunk, offset, this.nextOffset);
      } else {
        const behind = this.#firstFrom(offset + 1) ?? end;
        const lost = `offsets ${offset} to ${behind - 1} of ${this.#topic.name}/${this.#partition}`;
        this.#health.notice(`${lost} do not verify and are skipped`);
        this.nextOffset = behind;
      }
    }
  }

  /** The chunk that begins at the next offset, or holds it, or is the first behind it where retention has cut. */
  #findChunk(): number | undefined {
    if (this.#tables.chunks.get(this.#key(this.nextOffset))) return this.nextOffset;
    const before = this.#lastBelow(this.nextOffset);
    if (before !== undefined && this.#limitOf(before) > this.nextOffset) return before;
    return this.#firstFrom(this.nextOffset);
  }

  #limitOf(offset: number): number {
    const chunk = this.#tables.chunks.get(this.#key(offset))!;
    // A chunk that does not verify cannot say how far it goes: up to the next one.
    return verifyChunk(chunk)
      ? offset + readChunkCount(chunk)
      : (this.#firstFrom(offset + 1) ?? Number.POSITIVE_INFINITY);
  }

  #firstFrom(offset: number): number | undefined {
    const limit = writeChunkKey(this.#topic.id, this.#partition + 1, 0);
    for (const key of this.#tables.chunks.keys({ start: this.#key(offset), limit, rowsMax: 1 })) {
      return readChunkOffset(key);
    }
    return undefined;
  }

  #lastBelow(offset: number): number | undefined {
    const ofPartition = this.#key(0).subarray(0, 4);
    for (const key of this.#tables.chunks.keys({ start: this.#key(offset), reverse: true, rowsMax: 1 })) {
      if (ofPartition.equals(key.subarray(0, 4))) return readChunkOffset(key);
    }
    return undefined;
  }

  #key(offset: number): Buffer {
    return writeChunkKey(this.#topic.id, this.#partition, offset);
  }
}
