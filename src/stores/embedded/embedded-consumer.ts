// One member of a consumer group of the embedded event log. Each topic of a group has one member at a time, the others
// stand by: a lease in the database says who, and a commit by anyone else is refused. A lease is renewed while its
// holder lives; it is free at once when the holder has stopped or its process is gone, otherwise when it runs out.

import { randomUUID } from 'node:crypto';
import { wallMs } from '../../base/clock.js';
import { Backoff, pause } from '../deadline.js';
import type { HealthRecord } from '../health-record.js';
import {
  EMBEDDED_POLL_MS,
  EMBEDDED_QUIET_POLL_MS,
  EMBEDDED_QUIET_POLLS,
  EMBEDDED_RETRY_MS_MAX,
  EMBEDDED_RETRY_MS_MIN,
} from '../limits.js';
import { type LogBatch, type LogHandler, PersistError, type SubscribeOptions } from '../store-ports.js';
import { PartitionReader } from './embedded-reader.js';
import type { EmbeddedTopic, GroupLease, LogTables } from './log-tables.js';

export class EmbeddedConsumer {
  readonly #tables: LogTables;
  readonly #options: SubscribeOptions;
  readonly #handler: LogHandler;
  readonly #leaseMs: number;
  readonly #health: HealthRecord;
  readonly #member = randomUUID();
  readonly #stopping = new AbortController();
  readonly #loops: Promise<void>[];
  /** Of those who idle now. */
  readonly #wakes = new Set<() => void>();

  constructor(
    tables: LogTables,
    options: SubscribeOptions,
    handler: LogHandler,
    leaseMs: number,
    health: HealthRecord,
  ) {
    this.#tables = tables;
    this.#options = options;
    this.#handler = handler;
    this.#leaseMs = leaseMs;
    this.#health = health;
    this.#loops = options.topics.map((topic) => this.#run(topic));
  }

  wake(): void {
    for (const wake of this.#wakes) wake();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.wake();
    await Promise.all(this.#loops);
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(name: string): Promise<void> {
    const backoff = new Backoff(EMBEDDED_RETRY_MS_MIN, EMBEDDED_RETRY_MS_MAX);
    while (!this.#stopped) {
      try {
        const topic = this.#tables.findTopic(name);
        if (topic && (await this.#takeLease(name))) {
          backoff.succeeded();
          await this.#consume(topic);
        }
        await this.#idle();
      } catch (error) {
        backoff.failed();
        if (!this.#stopped) this.#health.notice(`group ${this.#options.group}: ${(error as Error).message}`);
        await pause(backoff.pauseMs, this.#stopping.signal);
      }
    }
  }

  /** Until the subscription stops or the lease is lost. */
  async #consume(topic: EmbeddedTopic): Promise<void> {
    let held = true;
    const renewal = setInterval(() => {
      this.#takeLease(topic.name).then(
        (taken) => (held = taken),
        () => {},
      );
    }, this.#leaseMs / 3);
    renewal.unref();
    try {
      const readers = Array.from({ length: topic.partitions }, (_, partition) => this.#openReader(topic, partition));
      let quietPolls = 0;
      while (held && !this.#stopped) {
        let delivered = 0;
        for (let partition = 0; partition < readers.length && held && !this.#stopped; partition++) {
          delivered += await this.#deliverNext(topic, partition, readers[partition]);
        }
        quietPolls = delivered === 0 ? quietPolls + 1 : 0;
        if (delivered === 0) {
          await this.#idle(quietPolls > EMBEDDED_QUIET_POLLS ? EMBEDDED_QUIET_POLL_MS : EMBEDDED_POLL_MS);
        }
      }
    } finally {
      clearInterval(renewal);
      await this.#giveLease(topic.name);
    }
  }

  #openReader(topic: EmbeddedTopic, partition: number): PartitionReader {
    const { start, end } = this.#tables.readPartition(topic, partition);
    const committed = this.#tables.readCommitted(this.#options.group, topic, partition);
    const fresh = this.#options.from === 'latest' ? end : start;
    if (committed >= 0 && committed < start) {
      const lost = `${committed} to ${start - 1} of ${topic.name}/${partition}`;
      this.#health.notice(`group ${this.#options.group}: retention dropped offsets ${lost} before they were read`);
    }
    const from = committed < 0 ? fresh : Math.max(committed, start);
    return new PartitionReader(this.#tables, topic, partition, from, this.#health);
  }

  async #deliverNext(topic: EmbeddedTopic, partition: number, reader: PartitionReader): Promise<number> {
    const entries = reader.read(this.#options.batchRecordsMax);
    if (entries.length === 0) return 0;
    if (await this.#deliver({ topic: topic.name, partition, entries })) {
      await this.#commit(topic, partition, reader.nextOffset);
    }
    return entries.length;
  }

  /** Again and again until the handler takes it; false when the subscription stops first. */
  async #deliver(batch: LogBatch): Promise<boolean> {
    const backoff = new Backoff(EMBEDDED_RETRY_MS_MIN, EMBEDDED_RETRY_MS_MAX);
    while (!this.#stopped) {
      try {
        await this.#handler(batch, this.#stopping.signal);
        return true;
      } catch (error) {
        backoff.failed();
        const place = `${batch.topic}/${batch.partition} from ${batch.entries[0].offset}`;
        const { group } = this.#options;
        if (!this.#stopped) this.#health.notice(`group ${group}: handler failed at ${place}: ${String(error)}`);
        await pause(backoff.pauseMs, this.#stopping.signal);
      }
    }
    return false;
  }

  /** Only the holder of the lease commits: a member that was taken for dead finds out here. */
  async #commit(topic: EmbeddedTopic, partition: number, offset: number): Promise<void> {
    await this.#tables.store.write(() => {
      if (this.#readLease(topic.name)?.member !== this.#member) {
        throw new PersistError('unavailable', `topic ${topic.name} went to another member`);
      }
      this.#tables.writeCommitted(this.#options.group, topic, partition, offset);
    });
  }

  #readLease(topic: string): GroupLease | undefined {
    return this.#tables.readGroupLease(this.#options.group, topic);
  }

  async #takeLease(topic: string): Promise<boolean> {
    const current = this.#readLease(topic);
    if (current && current.member !== this.#member && this.#isHeld(current)) return false;
    return this.#tables.store.write(() => {
      const lease = this.#readLease(topic);
      if (lease && lease.member !== this.#member && this.#isHeld(lease)) return false;
      const mine = { member: this.#member, pid: process.pid, untilMs: wallMs() + this.#leaseMs };
      this.#tables.writeGroupLease(this.#options.group, topic, mine);
      return true;
    });
  }

  async #giveLease(topic: string): Promise<void> {
    await this.#tables.store.write(() => {
      const isMine = this.#readLease(topic)?.member === this.#member;
      if (isMine) this.#tables.writeGroupLease(this.#options.group, topic, undefined);
    });
  }

  /** A holder beyond its time is gone; so is one of another process that no longer exists. */
  #isHeld(lease: GroupLease): boolean {
    const nowMs = wallMs();
    // A clock that was set back must not keep a lease for longer than a lease is.
    if (lease.untilMs <= nowMs || lease.untilMs > nowMs + this.#leaseMs) return false;
    return lease.pid === process.pid || isProcessAlive(lease.pid);
  }

  /** Until something is appended here, or the time is over. */
  async #idle(ms = EMBEDDED_POLL_MS): Promise<void> {
    if (this.#stopped) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#wakes.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      timer.unref();
      this.#wakes.add(wake);
    });
  }
}

function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
