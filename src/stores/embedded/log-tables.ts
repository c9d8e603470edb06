// The tables of an embedded event log: topics, partitions and what they hold, and what groups have committed.

import { LOG_TOPICS_MAX } from '../limits.js';
import { PersistError, type TopicSpec } from '../store-ports.js';
import type { EmbeddedStore, Table } from './embedded-store.js';
import { writeChunkKey } from './log-chunk.js';

const PARTITION_ROW_BYTES = 24;

export interface EmbeddedTopic {
  name: string;
  id: number;
  partitions: number;
}

/** One partition's row: | start f64 | end f64 | bytes f64 |, little endian. */
interface PartitionState {
  start: number;
  end: number;
  bytes: number;
}

/** Which member of a group has a topic. */
export interface GroupLease {
  member: string;
  pid: number;
  untilMs: number;
}

function offsetKey(group: string, topic: EmbeddedTopic, partition: number): Buffer {
  return Buffer.from(`offset\0${group}\0${topic.name}\0${partition}`);
}

function leaseKey(group: string, topic: string): Buffer {
  return Buffer.from(`lease\0${group}\0${topic}`);
}

/** The tables of one log, shared with its consumers. */
export class LogTables {
  readonly store: EmbeddedStore;
  readonly chunks: Table;
  readonly #groups: Table;
  readonly #topics: Table;
  readonly #partitions: Table;
  readonly #known = new Map<string, EmbeddedTopic>();

  constructor(store: EmbeddedStore) {
    this.store = store;
    this.chunks = store.table('chunks');
    this.#groups = store.table('groups');
    this.#topics = store.table('topics');
    this.#partitions = store.table('partitions');
  }

  /** A topic is never dropped and keeps its partitions, so what was read once stays true. */
  findTopic(name: string): EmbeddedTopic | undefined {
    let topic = this.#known.get(name);
    if (!topic) {
      const row = this.#topics.get(Buffer.from(name));
      if (!row) return undefined;
      const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
      topic = { name, id: view.getUint16(0), partitions: view.getUint16(2) };
      this.#known.set(name, topic);
    }
    return topic;
  }

  topics(): EmbeddedTopic[] {
    return [...this.#topics.keys({})].map((key) => this.findTopic(Buffer.from(key).toString())!);
  }

  /** Inside of a write. */
  addTopic({ name, partitions }: TopicSpec): void {
    if (this.#topics.get(Buffer.from(name))) return;
    const id = [...this.#topics.keys({})].length;
    if (id >= LOG_TOPICS_MAX) throw new PersistError('rejected', `no more than ${LOG_TOPICS_MAX} topics fit a log`);
    const row = Buffer.alloc(4);
    row.writeUInt16BE(id, 0);
    row.writeUInt16BE(partitions, 2);
    this.#topics.put(Buffer.from(name), row);
  }

  readPartition(topic: EmbeddedTopic, partition: number): PartitionState {
    const row = this.#partitions.get(writeChunkKey(topic.id, partition, 0));
    if (!row) return { start: 0, end: 0, bytes: 0 };
    const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
    return { start: view.getFloat64(0, true), end: view.getFloat64(8, true), bytes: view.getFloat64(16, true) };
  }

  /** -1: the group has committed nothing. */
  readCommitted(group: string, topic: EmbeddedTopic, partition: number): number {
    const row = this.#groups.get(offsetKey(group, topic, partition));
    return row ? Buffer.from(row).readDoubleLE(0) : -1;
  }

  /** Inside of a write. */
  writeCommitted(group: string, topic: EmbeddedTopic, partition: number, offset: number): void {
    const row = Buffer.alloc(8);
    row.writeDoubleLE(offset);
    this.#groups.put(offsetKey(group, topic, partition), row);
  }

  readGroupLease(group: string, topic: string): GroupLease | undefined {
    const row = this.#groups.get(leaseKey(group, topic));
    return row && (JSON.parse(Buffer.from(row).toString()) as GroupLease);
  }

  /** Inside of a write. */
  writeGroupLease(group: string, topic: string, lease: GroupLease | undefined): void {
    const key = leaseKey(group, topic);
    if (lease === undefined) this.#groups.remove(key);
    else this.#groups.put(key, Buffer.from(JSON.stringify(lease)));
  }

  /** Inside of a write. */
  writePartition(topic: EmbeddedTopic, partition: number, state: PartitionState): void {
    const row = Buffer.alloc(PARTITION_ROW_BYTES);
    row.writeDoubleLE(state.start, 0);
    row.writeDoubleLE(state.end, 8);
    row.writeDoubleLE(state.bytes, 16);
    this.#partitions.put(writeChunkKey(topic.id, partition, 0), row);
  }
}
