// What only the log in Kafka has: limits of the broker, and readers that are not ours.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import kafkajs from 'kafkajs';
import { openKafkaEventLog } from '../../../src/stores/kafka/kafka-event-log.js';
import { PersistError } from '../../../src/stores/store-ports.js';
import { until } from '../../folder.js';
import { requireOrSkip } from '../../require.js';
import { findService, skipReason } from '../../services/running.js';

const broker = findService('kafka');
const run = promisify(execFile);

async function hasKcat(): Promise<boolean> {
  return run('kcat', ['-V']).then(
    () => true,
    () => false,
  );
}

for (const compression of ['gzip', 'none'] as const) {
  test(`kcat reads what was appended with compression ${compression}`, { timeout: 60000 }, async (t) => {
    if (!requireOrSkip(t, broker !== undefined, skipReason('kafka'))) return;
    if (!requireOrSkip(t, await hasKcat(), 'kcat is not installed')) return;
    const topic = `test.${randomUUID()}`;
    const log = openKafkaEventLog({ brokers: [broker!], compression });
    t.after(() => log.close());
    await log.createTopics([{ name: topic, partitions: 3 }]);
    const nowMs = Date.now();
    const records = Array.from({ length: 500 }, (_, n) => {
      return { topic, key: `schlüssel-${n % 9}`, value: Buffer.from(`wert ${n}`), timestampMs: nowMs + n };
    });
    await log.append(records);
    const format = '%k|%s|%T\\n';
    const { stdout } = await run('kcat', [
      '-C',
      '-q',
      '-b',
      broker!,
      '-t',
      topic,
      '-o',
      'beginning',
      '-e',
      '-f',
      format,
    ]);
    const lines = stdout.trim().split('\n').sort();
    const wanted = records.map(({ key, value, timestampMs }) => `${key}|${value}|${timestampMs}`).sort();
    assert.deepEqual(lines, wanted);
  });
}

test('what is asked beside each other of a log that was just opened does not end each other', {
  timeout: 60000,
}, async (t) => {
  if (!requireOrSkip(t, broker !== undefined, skipReason('kafka'))) return;
  for (let round = 0; round < 3; round++) {
    const lines: string[] = [];
    const log = openKafkaEventLog({ brokers: [broker!], onNotice: (line) => lines.push(line) });
    t.after(() => log.close());
    const topic = `test.${randomUUID()}`;
    const record = { topic, key: 'a', value: Buffer.from('1'), timestampMs: Date.now() };
    const created = log.createTopics([{ name: topic, partitions: 2 }]);
    const other = `test.missing.${randomUUID()}`;
    const missing = log.positions('some', [other]);
    const early = log.positions('some', [topic]).catch(() => {}); // the topic may not be there yet
    await Promise.all([created, log.append([record]), assert.rejects(missing, PersistError), early]);
    const [position] = await log.positions('some', [topic]);
    assert.equal(position.committed, -1);
    assert.deepEqual(lines, []);
  }
});

test('topics that the broker does not make are named, each with its reason', { timeout: 60000 }, async (t) => {
  if (!requireOrSkip(t, broker !== undefined, skipReason('kafka'))) return;
  const log = openKafkaEventLog({ brokers: [broker!] });
  t.after(() => log.close());
  const topics = ['no name', 'nor this'].map((name) => ({ name, partitions: 1 }));
  await assert.rejects(log.createTopics(topics), (error) => {
    assert.ok(error instanceof PersistError && error.kind === 'unavailable');
    assert.match(error.message, /^create topics: no name: .+, nor this: .+/);
    return true;
  });
});

test('batches above the limit of the broker are split, down to the one record that is too large', {
  timeout: 60000,
}, async (t) => {
  if (!requireOrSkip(t, broker !== undefined, skipReason('kafka'))) return;
  const topic = `test.${randomUUID()}`;
  const admin = new kafkajs.Kafka({ brokers: [broker!], logCreator: () => () => {} }).admin();
  await admin.connect();
  const configEntries = [{ name: 'max.message.bytes', value: '50000' }];
  await admin.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }], waitForLeaders: true });
  await admin.disconnect();
  const log = openKafkaEventLog({ brokers: [broker!] });
  t.after(() => log.close());
  const record = (bytes: number) => ({ topic, key: 'k', value: randomBytes(bytes), timestampMs: Date.now() });
  await log.append(Array.from({ length: 40 }, () => record(10000)));
  const [{ end }] = await log.positions('g', [topic]);
  assert.equal(end, 40);
  await assert.rejects(
    log.append([record(60000)]),
    (error) => error instanceof PersistError && error.kind === 'rejected' && !error.retriable,
  );
  await log.append([record(100)]);
});

async function produceSnappy(topic: string): Promise<void> {
  // Only what becomes smaller is compressed.
  const producing = run('kcat', ['-P', '-q', '-b', broker!, '-t', topic, '-k', 'k', '-z', 'snappy']);
  producing.child.stdin?.end('s'.repeat(5000));
  await producing;
}

for (const isForAll of [true, false]) {
  const outcome = isForAll ? 'is read, and what is behind it' : 'of another topic is told of once, with what to do';
  test(`a record under snappy ${outcome}`, { timeout: 60000 }, async (t) => {
    if (!requireOrSkip(t, broker !== undefined, skipReason('kafka'))) return;
    if (!requireOrSkip(t, await hasKcat(), 'kcat is not installed')) return;
    const topic = `test.${randomUUID()}`;
    const notices: string[] = [];
    const log = openKafkaEventLog({
      brokers: [broker!],
      sessionTimeoutMs: 6000,
      onNotice: (line) => notices.push(line),
    });
    t.after(() => log.close());
    await log.createTopics([{ name: topic, partitions: 1, isForAll }]);
    await produceSnappy(topic);
    await log.append([{ topic, key: 'k', value: Buffer.from('behind'), timestampMs: Date.now() }]);
    const sizes: number[] = [];
    await log.subscribe({ group: topic, topics: [topic] }, async ({ entries }) => {
      sizes.push(...entries.map(({ value }) => value.length));
    });
    if (isForAll) {
      await until('both records', () => sizes.length === 2);
      assert.deepEqual([sizes, notices], [[5000, 6], []]);
    } else {
      await until('a notice', () => notices.length > 0);
      await sleep(3000);
      assert.equal(notices.length, 1, notices.join('\n'));
      assert.match(notices[0], /snappy, lz4 or zstd.*compression\.type=gzip/);
    }
  });
}
