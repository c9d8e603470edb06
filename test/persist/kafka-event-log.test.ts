// What only the log in Kafka has: limits of the broker, and readers that are not ours.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { promisify } from 'node:util';
import kafkajs from 'kafkajs';
import { openKafkaEventLog } from '../../src/persist/kafka-event-log.js';
import { PersistError } from '../../src/persist/ports.js';
import { requireOrSkip } from '../require.js';
import { findService, skipReason } from '../services/running.js';

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
