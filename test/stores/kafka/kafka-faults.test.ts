// Kafka goes away in every way there is; the adapter against a real broker of its own.

import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaEventLogOptions } from '../../../src/stores/kafka/kafka-client.js';
import { openKafkaEventLog } from '../../../src/stores/kafka/kafka-event-log.js';
import type { EventLog } from '../../../src/stores/store-ports.js';
import { until } from '../../folder.js';
import { requireOrSkip } from '../../require.js';
import { TcpProxy } from '../../services/proxy.js';
import { findService, OwnService, skipReason } from '../../services/running.js';
import { OrderedWriter } from '../ordered-writer.js';

// Where the shared broker runs, one of our own can run too.
const isRunning = findService('kafka') !== undefined;
const SHORT = { connectTimeoutMs: 1000, requestTimeoutMs: 1000, deadlineMs: 4000, sessionTimeoutMs: 6000 };
const TIMEOUT = { timeout: 120000 };

let broker: OwnService;
let proxy: TcpProxy;

before(async () => {
  if (!isRunning) return;
  proxy = await TcpProxy.open(0);
  broker = await OwnService.start('kafka', ['--advertise', String(proxy.port)]);
  proxy.targetPort = broker.port;
});

after(async () => {
  await broker?.stop();
  await proxy?.close();
});

/** Opens the log through the proxy; it is closed, and the proxy is well again, when the test ends. */
function openLog(t: TestContext, options: Partial<KafkaEventLogOptions> = {}): EventLog | undefined {
  if (!requireOrSkip(t, isRunning, skipReason('kafka'))) return undefined;
  const log = openKafkaEventLog({ brokers: [`127.0.0.1:${proxy.port}`], ...SHORT, ...options });
  t.after(async () => {
    proxy.mode = 'open';
    proxy.delayMs = 0;
    await log.close();
  });
  return log;
}

/** Past the proxy. */
async function withDirectLog<T>(action: (log: EventLog) => Promise<T>): Promise<T> {
  const log = openKafkaEventLog({ brokers: [`127.0.0.1:${broker.innerPort}`], sessionTimeoutMs: 6000 });
  try {
    return await action(log);
  } finally {
    await log.close();
  }
}

test(
  'a killed broker that returns: nothing acknowledged is lost, keys keep their order, consumers go on',
  TIMEOUT,
  async (t) => {
    const log = openLog(t);
    if (!log) return;
    await log.createTopics([{ name: 'killed', partitions: 3 }]);
    const received = new Set<number>();
    await log.subscribe({ group: 'g', topics: ['killed'] }, async ({ entries }) => {
      for (const { value } of entries) received.add(Number(Buffer.from(value).toString()));
    });
    const writer = new OrderedWriter(log, 'killed');
    await writer.writeTo(1000);
    const restarting = broker
      .kill()
      .then(() => sleep(1500))
      .then(() => broker.start());
    await until('the outage to show', async () => {
      await writer.writeSome();
      return writer.rejections > 0;
    });
    assert.equal(log.health().state, 'down');
    await restarting;
    await writer.writeTo(writer.acknowledged + 1000);
    assert.equal(log.health().state, 'up');
    await withDirectLog((direct) => writer.verify(direct));
    await until('the consumer to see all', () => received.size >= writer.acknowledged, 60000);
  },
);

test(
  'a frozen broker: appends end in time, and what it does when it wakes up puts nothing out of order',
  TIMEOUT,
  async (t) => {
    const log = openLog(t);
    if (!log) return;
    await log.createTopics([{ name: 'frozen', partitions: 2 }]);
    const writer = new OrderedWriter(log, 'frozen');
    await writer.writeTo(500);
    for (let round = 0; round < 2; round++) {
      broker.signal('SIGSTOP');
      try {
        const startedMs = performance.now();
        await writer.writeSome();
        assert.ok(performance.now() - startedMs < SHORT.deadlineMs * 4, 'a bounded time');
        await writer.writeSome();
      } finally {
        broker.signal('SIGCONT');
      }
      await writer.writeTo(writer.acknowledged + 300);
    }
    assert.ok(writer.rejections > 0);
    await withDirectLog((direct) => writer.verify(direct));
  },
);

test('a half-open connection: appends end in time and go on over a new one', TIMEOUT, async (t) => {
  const log = openLog(t);
  if (!log) return;
  await log.createTopics([{ name: 'silent', partitions: 2 }]);
  const writer = new OrderedWriter(log, 'silent');
  await writer.writeTo(200);
  proxy.mode = 'silent';
  await writer.writeSome();
  assert.ok(writer.rejections > 0);
  assert.ok(writer.kinds.has('timeout') || writer.kinds.has('unavailable'), [...writer.kinds].join());
  // The old connections stay silent for ever: only new ones work.
  const before = proxy.connections;
  proxy.mode = 'open';
  await writer.writeTo(writer.acknowledged + 200);
  assert.ok(proxy.connections > before);
  await withDirectLog((direct) => writer.verify(direct));
});

test(
  'answers are lost, the caller gives up and sends something else: it is not taken for a copy',
  TIMEOUT,
  async (t) => {
    const log = openLog(t);
    if (!log) return;
    await log.createTopics([{ name: 'mute', partitions: 1 }]);
    const append = (text: string) =>
      log.append([{ topic: 'mute', key: 'k', value: Buffer.from(text), timestampMs: Date.now() }]);
    await append('first');
    proxy.mode = 'mute';
    await assert.rejects(append('given up'));
    proxy.mode = 'open';
    // As many records as were given up: under the same sequence numbers the broker would drop them, and report success.
    await append('instead');
    await append('last');
    const texts: string[] = [];
    await withDirectLog((direct) =>
      direct.replay({ topics: ['mute'] }, async ({ entries }) => {
        texts.push(...entries.map(({ value }) => Buffer.from(value).toString()));
      }),
    );
    assert.equal(texts[0], 'first');
    assert.deepEqual(texts.slice(-2), ['instead', 'last']);
    assert.ok(texts.includes('given up'), 'the request did arrive, only its answer was lost');
  },
);

test('a network that is cut again and again: order and completeness hold', TIMEOUT, async (t) => {
  const log = openLog(t);
  if (!log) return;
  await log.createTopics([{ name: 'cut', partitions: 3 }]);
  const writer = new OrderedWriter(log, 'cut');
  const before = proxy.connections;
  const cutting = setInterval(() => proxy.cut(), 250);
  t.after(() => clearInterval(cutting));
  const endMs = performance.now() + 5000;
  while (performance.now() < endMs) await writer.writeSome(200);
  clearInterval(cutting);
  await writer.writeTo(writer.acknowledged + 500);
  assert.ok(proxy.connections - before >= 10, 'the cuts hit nothing');
  const { copies } = await withDirectLog((direct) => writer.verify(direct));
  // Sent again inside of one call, by the same producer, a batch is recognised by the broker.
  if (writer.rejections === 0) assert.equal(copies, 0);
});

test('a slow network: appends are late, joined, and whole', TIMEOUT, async (t) => {
  const log = openLog(t, { requestTimeoutMs: 5000, deadlineMs: 20000 });
  if (!log) return;
  await log.createTopics([{ name: 'slow', partitions: 3 }]);
  const writer = new OrderedWriter(log, 'slow', 7, 50);
  await writer.writeTo(100, 1);
  proxy.delayMs = 400;
  const startedMs = performance.now();
  await writer.writeSome(10);
  // Fifty appends, each a round trip of its own, would take 40 s.
  assert.ok(performance.now() - startedMs < 10000);
  assert.equal(writer.rejections, 0);
  proxy.delayMs = 0;
  await withDirectLog((direct) => writer.verify(direct));
});

test('a consumer whose connections fall silent joins again and misses nothing', TIMEOUT, async (t) => {
  const log = openLog(t);
  if (!log) return;
  await log.createTopics([{ name: 'stalled', partitions: 2 }]);
  const received = new Set<number>();
  await log.subscribe({ group: 'stalled', topics: ['stalled'] }, async ({ entries }) => {
    for (const { value } of entries) received.add(Number(Buffer.from(value).toString()));
  });
  await withDirectLog(async (direct) => {
    const writer = new OrderedWriter(direct, 'stalled');
    await writer.writeTo(100);
    await until('the first records', () => received.size >= writer.acknowledged);
    proxy.mode = 'silent';
    await writer.writeTo(200);
    await sleep(1500);
    proxy.mode = 'open';
    await until('the records of the silence', () => received.size >= writer.acknowledged, 60000);
  });
});

test('a log that is opened while the broker is away works when it comes, topics included', TIMEOUT, async (t) => {
  const log = openLog(t);
  if (!log) return;
  proxy.mode = 'refusing';
  proxy.cut();
  await assert.rejects(log.createTopics([{ name: 'late', partitions: 2 }]));
  const received: string[] = [];
  await log.subscribe({ group: 'late', topics: ['late'] }, async ({ entries }) => {
    received.push(...entries.map(({ value }) => Buffer.from(value).toString()));
  });
  const record = { topic: 'late', key: 'k', value: Buffer.from('one'), timestampMs: Date.now() };
  await assert.rejects(log.append([record]));
  proxy.mode = 'open';
  await until('an append', () =>
    log.append([record]).then(
      () => true,
      () => false,
    ),
  );
  await until('its delivery', () => received.length > 0, 60000);
  assert.equal((await log.positions('late', ['late'])).length, 2);
});

test('a log that is closed while the broker is away ends in time', TIMEOUT, async (t) => {
  const log = openLog(t);
  if (!log) return;
  await log.createTopics([{ name: 'closing', partitions: 1 }]);
  await log.append([{ topic: 'closing', key: 'k', value: Buffer.from('one'), timestampMs: Date.now() }]);
  await log.subscribe({ group: 'closing', topics: ['closing'] }, async () => {});
  proxy.mode = 'silent';
  const pending = log.append([{ topic: 'closing', key: 'k', value: Buffer.from('two'), timestampMs: Date.now() }]);
  const startedMs = performance.now();
  await Promise.all([log.close(), assert.rejects(pending)]);
  assert.ok(performance.now() - startedMs < 20000);
});

test('a broker that has only just started: topics are made, read and replayed at once', TIMEOUT, async (t) => {
  if (!requireOrSkip(t, isRunning, skipReason('kafka'))) return;
  const fresh = await OwnService.start('kafka');
  t.after(() => fresh.stop());
  const log = openKafkaEventLog({ brokers: [`127.0.0.1:${fresh.port}`] });
  t.after(() => log.close());
  const topics = Array.from({ length: 4 }, (_, i) => ({ name: `fresh${i}`, partitions: 12 }));
  const names = topics.map(({ name }) => name);
  await log.createTopics(topics);
  const [positions] = await Promise.all([log.positions('g', names), log.positions('h', names)]);
  assert.equal(positions.length, 48);
  await log.append(names.map((topic) => ({ topic, key: 'a', value: Buffer.from('1'), timestampMs: 1 })));
  const replays = Array.from({ length: 4 }, async () => {
    let records = 0;
    await log.replay({ topics: names }, async ({ entries }) => {
      records += entries.length;
    });
    return records;
  });
  assert.deepEqual(await Promise.all(replays), [4, 4, 4, 4]);
});
