// One suite for every implementation of the event log.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { createRandom } from '../../src/base/chance.js';
import { openEmbeddedEventLog } from '../../src/stores/embedded/embedded-event-log.js';
import { openKafkaEventLog } from '../../src/stores/kafka/kafka-event-log.js';
import { LOG_RECORD_BYTES_MAX } from '../../src/stores/limits.js';
import { partitionOf } from '../../src/stores/partition.js';
import { type EventLog, type LogBatch, type LogRecord, PersistError } from '../../src/stores/store-ports.js';
import { openFolder, until } from '../folder.js';
import { requireOrSkip } from '../require.js';
import { findService, skipReason } from '../services/running.js';
import { LogDisk, MemoryEventLog } from '../simulator/stores/memory-log.js';
import { CALM_LINE } from '../simulator/weather.js';

interface Implementation {
  name: string;
  /** Opens a log; called again in one test, the same log. Undefined: skipped, and said so. */
  prepare(t: TestContext): (() => EventLog) | undefined;
}

const IMPLEMENTATIONS: Implementation[] = [
  {
    name: 'embedded',
    prepare(t) {
      const folder = openFolder(t);
      return () => openEmbeddedEventLog({ folder, leaseMs: 1000 });
    },
  },
  {
    name: 'simulated',
    prepare() {
      const disk = new LogDisk();
      return () => new MemoryEventLog(disk, CALM_LINE);
    },
  },
  {
    name: 'kafka',
    prepare(t) {
      const brokers = findService('kafka');
      if (!requireOrSkip(t, brokers !== undefined, skipReason('kafka'))) return undefined;
      return () => openKafkaEventLog({ brokers: [brokers!], sessionTimeoutMs: 6000 });
    },
  },
];

const NOW_MS = Date.now();

function record(topic: string, key: string, text: string): LogRecord {
  return { topic, key, value: Buffer.from(text), timestampMs: NOW_MS };
}

/** Collects what is delivered, per partition. */
class Sink {
  readonly batches: LogBatch[] = [];
  readonly handle = async (batch: LogBatch): Promise<void> => {
    this.batches.push(batch);
  };

  get count(): number {
    return this.batches.reduce((sum, { entries }) => sum + entries.length, 0);
  }

  texts(key?: string): string[] {
    const entries = this.batches.flatMap((batch) => batch.entries);
    return entries
      .filter((entry) => key === undefined || entry.key === key)
      .map(({ value }) => Buffer.from(value).toString());
  }
}

for (const { name, prepare } of IMPLEMENTATIONS) {
  const contract = (
    title: string,
    body: (t: TestContext, open: () => EventLog, topic: string) => Promise<void>,
  ): void => {
    test(`${name} log: ${title}`, { timeout: 120000 }, async (t) => {
      const openLog = prepare(t);
      if (!openLog) return;
      const opened: EventLog[] = [];
      const open = () => {
        const log = openLog();
        opened.push(log);
        return log;
      };
      const topic = `test.${randomUUID()}`;
      try {
        await body(t, open, topic);
      } finally {
        for (const log of opened) await log.close();
      }
    });
  };

  contract('what was appended is delivered with its key, bytes and time', async (_t, open, topic) => {
    const log = open();
    await log.createTopics([{ name: topic, partitions: 3 }]);
    const value = Uint8Array.from({ length: 256 }, (_, index) => index);
    await log.append([{ topic, key: 'spieler-ä', value, timestampMs: NOW_MS }]);
    const sink = new Sink();
    await log.subscribe({ group: 'g', topics: [topic] }, sink.handle);
    await until('the record', () => sink.count === 1);
    const { partition, entries } = sink.batches[0];
    assert.equal(partition, partitionOf(Buffer.from('spieler-ä'), 3));
    assert.equal(entries[0].offset, 0);
    assert.equal(entries[0].key, 'spieler-ä');
    assert.equal(entries[0].timestampMs, NOW_MS);
    assert.deepEqual(new Uint8Array(entries[0].value), value);
  });

  contract('records of one key come in the order in which they were appended', async (_t, open, topic) => {
    const seed = 11;
    const random = createRandom(seed);
    const log = open();
    await log.createTopics([{ name: topic, partitions: 4 }]);
    const sent = new Map<string, string[]>();
    const acknowledged: Promise<void>[] = [];
    for (let batch = 0; batch < 50; batch++) {
      const records = Array.from({ length: 1 + Math.floor(random() * 40) }, (_, index) => {
        const key = `k${Math.floor(random() * 20)}`;
        const text = `${batch}:${index}`;
        sent.set(key, [...(sent.get(key) ?? []), text]);
        return record(topic, key, text);
      });
      acknowledged.push(log.append(records));
    }
    await Promise.all(acknowledged);
    const sink = new Sink();
    await log.subscribe({ group: 'g', topics: [topic], batchRecordsMax: 17 }, sink.handle);
    const total = [...sent.values()].reduce((sum, texts) => sum + texts.length, 0);
    await until('all records', () => sink.count >= total);
    for (const [key, texts] of sent) assert.deepEqual(sink.texts(key), texts, `key ${key}, seed ${seed}`);
    assert.ok(sink.batches.every(({ entries }) => entries.length <= 17));
  });

  contract('offsets of a partition ascend by one from zero', async (_t, open, topic) => {
    const log = open();
    await log.createTopics([{ name: topic, partitions: 2 }]);
    for (let i = 0; i < 5; i++) await log.append(Array.from({ length: 10 }, (_, n) => record(topic, `k${n}`, `${i}`)));
    const offsets: number[][] = [[], []];
    await log.replay({ topics: [topic], batchRecordsMax: 3 }, async ({ partition, entries }) => {
      offsets[partition].push(...entries.map(({ offset }) => offset));
    });
    assert.equal(offsets[0].length + offsets[1].length, 50);
    for (const ofPartition of offsets) assert.deepEqual(ofPartition, [...ofPartition.keys()]);
  });

  contract('a group that comes back goes on behind what it has handled', async (_t, open, topic) => {
    const log = open();
    await log.createTopics([{ name: topic, partitions: 2 }]);
    await log.append(Array.from({ length: 40 }, (_, n) => record(topic, `k${n}`, `first ${n}`)));
    const first = new Sink();
    const subscription = await log.subscribe({ group: 'g', topics: [topic] }, first.handle);
    await until('the first forty', () => first.count === 40);
    await subscription.stop();
    await log.append(Array.from({ length: 20 }, (_, n) => record(topic, `k${n}`, `second ${n}`)));
    await log.close();

    const reopened = open();
    const second = new Sink();
    await reopened.subscribe({ group: 'g', topics: [topic] }, second.handle);
    await until('the other twenty', () => second.count >= 20);
    assert.equal(second.count, 20);
    assert.ok(second.texts().every((text) => text.startsWith('second')));
    await until('the commits', async () =>
      (await reopened.positions('g', [topic])).every(({ end, committed }) => committed === end),
    );
    const other = new Sink();
    await reopened.subscribe({ group: 'another', topics: [topic] }, other.handle);
    await until('all for another group', () => other.count === 60);
  });

  contract('a batch that was not handled to its end is delivered again', async (_t, open, topic) => {
    const log = open();
    await log.createTopics([{ name: topic, partitions: 1 }]);
    await log.append([record(topic, 'k', 'one'), record(topic, 'k', 'two')]);
    let attempts = 0;
    const sink = new Sink();
    await log.subscribe({ group: 'g', topics: [topic] }, async (batch) => {
      attempts++;
      if (attempts < 3) throw new Error(`refused on purpose, attempt ${attempts}`);
      await sink.handle(batch);
    });
    await until('the third attempt', () => sink.count === 2);
    assert.deepEqual(sink.texts(), ['one', 'two']);
    assert.equal(attempts, 3);
  });

  contract(
    'a handler that hangs is let go of when the subscription stops, and nothing is committed',
    async (_t, open, topic) => {
      const log = open();
      await log.createTopics([{ name: topic, partitions: 1 }]);
      await log.append([record(topic, 'k', 'one')]);
      let entered = false;
      const subscription = await log.subscribe({ group: 'g', topics: [topic] }, async (_batch, signal) => {
        entered = true;
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
      });
      await until('the handler', () => entered);
      await subscription.stop();
      const [{ committed }] = await log.positions('g', [topic]);
      assert.equal(committed, -1);
      const sink = new Sink();
      await log.subscribe({ group: 'g', topics: [topic] }, sink.handle);
      await until('the record, again', () => sink.count === 1);
    },
  );

  contract('members of one group get each record once, and one takes over from another', async (_t, open, topic) => {
    const log = open();
    const other = open();
    await log.createTopics([{ name: topic, partitions: 4 }]);
    const one = new Sink();
    const two = new Sink();
    const first = await log.subscribe({ group: 'g', topics: [topic] }, one.handle);
    await other.subscribe({ group: 'g', topics: [topic] }, two.handle);
    await log.append(Array.from({ length: 100 }, (_, n) => record(topic, `k${n}`, `a${n}`)));
    await until('one hundred', () => new Set([...one.texts(), ...two.texts()]).size === 100);
    await first.stop();
    const before = two.count;
    await log.append(Array.from({ length: 100 }, (_, n) => record(topic, `k${n}`, `b${n}`)));
    await until('the next hundred, all at the one that stayed', () => two.count - before >= 100);
  });

  contract('a group that begins with the latest gets only what comes later', async (_t, open, topic) => {
    const log = open();
    await log.createTopics([{ name: topic, partitions: 2 }]);
    await log.append(Array.from({ length: 10 }, (_, n) => record(topic, `k${n}`, 'old')));
    const sink = new Sink();
    await log.subscribe({ group: 'g', topics: [topic], from: 'latest' }, sink.handle);
    // Where "latest" is, is decided when the group starts: append until it has.
    await until('a new record', async () => {
      await log.append([record(topic, 'k1', 'new'), record(topic, 'k2', 'new')]);
      return sink.count > 0;
    });
    assert.ok(sink.texts().every((text) => text === 'new'));
  });

  contract('a replay ends where the log stood when it began, and begins where it is told', async (_t, open, topic) => {
    const log = open();
    await log.createTopics([{ name: topic, partitions: 2 }]);
    await log.append(Array.from({ length: 30 }, (_, n) => record(topic, 'one-key', `${n}`)));
    const seen: string[] = [];
    await log.replay({ topics: [topic], from: () => 12, batchRecordsMax: 5 }, async ({ entries }) => {
      if (seen.length === 0) await log.append([record(topic, 'one-key', 'too late')]);
      seen.push(...entries.map(({ value }) => Buffer.from(value).toString()));
    });
    assert.deepEqual(
      seen,
      Array.from({ length: 18 }, (_, n) => `${n + 12}`),
    );
  });

  contract('a replay that begins at a time leaves out what is older, in each partition', async (_t, open, topic) => {
    const log = open();
    await log.createTopics([{ name: topic, partitions: 2 }]);
    const keys = ['k0', 'k1', 'k2', 'k3', 'k4', 'k5'];
    // Several appends, of which one lies on both sides of the time.
    for (const seconds of [[0, 1, 2], [3], [4, 5, 6], [7, 8]]) {
      const records = seconds.flatMap((second) =>
        keys.map((key) => ({ ...record(topic, key, `${second}`), timestampMs: NOW_MS - 60000 + second * 1000 })),
      );
      await log.append(records);
    }
    const readSince = async (sinceMs: number, from?: () => number): Promise<Sink> => {
      const sink = new Sink();
      await log.replay({ topics: [topic], sinceMs, ...(from && { from }), batchRecordsMax: 4 }, sink.handle);
      return sink;
    };
    const since = await readSince(NOW_MS - 60000 + 4999.5);
    assert.ok(new Set(since.batches.map(({ partition }) => partition)).size === 2, 'both partitions hold keys');
    for (const key of keys) assert.deepEqual(since.texts(key), ['5', '6', '7', '8'], key);
    const whole = await readSince(-1);
    for (const key of keys) assert.deepEqual(whole.texts(key), ['0', '1', '2', '3', '4', '5', '6', '7', '8'], key);
    assert.equal((await readSince(NOW_MS)).count, 0);
    assert.equal((await readSince(NOW_MS - 60000 + 5000, () => 1_000_000)).count, 0);
    const early = await readSince(NOW_MS - 60000 + 7000, () => 1);
    for (const key of keys) assert.deepEqual(early.texts(key), ['7', '8'], key);
  });

  contract('a replay whose time begins in one partition only reads that one', async (_t, open, topic) => {
    const log = open();
    await log.createTopics([{ name: topic, partitions: 2 }]);
    const [old, young] = ['k0', 'k1', 'k2', 'k3'].filter((key, index, all) => {
      const partition = partitionOf(Buffer.from(key), 2);
      return all.findIndex((other) => partitionOf(Buffer.from(other), 2) === partition) === index;
    });
    await log.append([{ ...record(topic, old, 'old'), timestampMs: NOW_MS - 60000 }, record(topic, young, 'young')]);
    const sink = new Sink();
    await log.replay({ topics: [topic], sinceMs: NOW_MS - 1000 }, sink.handle);
    assert.deepEqual(sink.texts(), ['young']);
  });

  contract('a replay that is aborted hands over nothing more, and ends', async (_t, open, topic) => {
    const log = open();
    await log.createTopics([{ name: topic, partitions: 1 }]);
    await log.append(Array.from({ length: 30 }, (_, n) => record(topic, 'k', `${n}`)));
    const stop = new AbortController();
    const sink = new Sink();
    await log.replay({ topics: [topic], batchRecordsMax: 10, signal: stop.signal }, async (batch) => {
      await sink.handle(batch);
      stop.abort();
    });
    assert.equal(sink.count, 10);
    await log.replay({ topics: [topic], signal: stop.signal }, () => assert.fail('it was over before it began'));
  });

  contract('a replay of an empty topic ends', async (_t, open, topic) => {
    const log = open();
    await log.createTopics([{ name: topic, partitions: 2 }]);
    await log.replay({ topics: [topic] }, () => assert.fail('there is nothing to replay'));
  });

  contract('creating topics again changes nothing', async (_t, open, topic) => {
    const log = open();
    await log.createTopics([{ name: topic, partitions: 3 }]);
    await log.append([record(topic, 'k', 'one')]);
    await log.createTopics([
      { name: topic, partitions: 7 },
      { name: `${topic}.more`, partitions: 1 },
    ]);
    const positions = await log.positions('g', [topic, `${topic}.more`]);
    assert.equal(positions.length, 4);
    assert.equal(
      positions.reduce((sum, { end }) => sum + end, 0),
      1,
    );
  });

  contract("a record that can never be written is refused and stands in nobody's way", async (_t, open, topic) => {
    const log = open();
    await log.createTopics([{ name: topic, partitions: 1 }]);
    const tooLarge = { topic, key: 'k', value: new Uint8Array(LOG_RECORD_BYTES_MAX + 1), timestampMs: NOW_MS };
    const refused = (error: unknown) => error instanceof PersistError && error.kind === 'rejected' && !error.retriable;
    await assert.rejects(log.append([tooLarge]), refused);
    await assert.rejects(log.append([record(topic, '', 'no key')]), refused);
    const largest = { topic, key: 'k', value: new Uint8Array(LOG_RECORD_BYTES_MAX), timestampMs: NOW_MS };
    await log.append([largest, largest, record(topic, 'k', 'behind')]);
    const [{ end }] = await log.positions('g', [topic]);
    assert.equal(end, 3);
  });

  contract('a topic that does not exist is an error that says so', async (_t, open, topic) => {
    const log = open();
    await assert.rejects(
      log.append([record(topic, 'k', 'one')]),
      (error: PersistError) => error.kind === 'unavailable',
    );
    await log.createTopics([{ name: topic, partitions: 1 }]);
    await log.append([record(topic, 'k', 'one')]);
    assert.equal(log.health().state, 'up');
  });

  contract('a closed log takes nothing', async (_t, open, topic) => {
    const log = open();
    await log.createTopics([{ name: topic, partitions: 1 }]);
    const last = log.append([record(topic, 'k', 'one')]);
    await log.close();
    await last;
    await assert.rejects(log.append([record(topic, 'k', 'two')]), (error: PersistError) => error.kind === 'closed');
  });
}
