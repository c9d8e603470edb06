// Records that a log refuses for good, between others that it takes: against the limits of real logs.

import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import kafkajs from 'kafkajs';
import { createRandom } from '../../../src/base/chance.js';
import { EVENT_TOPICS, type EventContext } from '../../../src/durability/events/event-form.js';
import { appendAround } from '../../../src/durability/events/refused-records.js';
import { openEmbeddedEventLog } from '../../../src/stores/embedded/embedded-event-log.js';
import { openKafkaEventLog } from '../../../src/stores/kafka/kafka-event-log.js';
import { LOG_RECORD_BYTES_MAX } from '../../../src/stores/limits.js';
import { type EventLog, type LogRecord, PersistError } from '../../../src/stores/store-ports.js';
import { openFolder } from '../../folder.js';
import { requireOrSkip } from '../../require.js';
import { findService, skipReason } from '../../services/running.js';
import { CONTEXT, FORMS, PumpStage, range, readNumbers } from './pump-stage.js';

const SEED = Number(process.env.TESSERA_SEED ?? 1);
const EVENTS = 400;
const REFUSED = 12;
const GOOD_TYPE = 0;
const HUGE_TYPE = 1;
const BROKER_BYTES_MAX = 20_000;
const TIMEOUT = { timeout: 60000 };

/** Events of type 'bought' are larger than the log takes: the name of one of their values is. */
function withHuge(bytes: number, forms: EventContext['forms'] = FORMS): EventContext {
  const name = randomBytes(bytes / 2).toString('hex');
  return { ...CONTEXT, forms: { ...forms, bought: { ...forms.bought, a: name } } };
}

/** Some at random, and the first, the last, and two side by side. */
function chooseRefused(): Set<number> {
  const random = createRandom(SEED);
  const chosen = new Set([0, EVENTS - 1, 200, 201]);
  while (chosen.size < REFUSED) chosen.add(Math.floor(random() * EVENTS));
  return chosen;
}

async function openEmbedded(t: TestContext): Promise<{ folder: string; log: EventLog }> {
  t.diagnostic(`TESSERA_SEED=${SEED}`);
  const folder = openFolder(t);
  const log = openEmbeddedEventLog({ folder: join(folder, 'log') });
  t.after(() => log.close());
  await log.createTopics(EVENT_TOPICS);
  return { folder, log };
}

async function emitAll(stage: PumpStage, refused: ReadonlySet<number>): Promise<void> {
  for (let n = 0; n < EVENTS; n++) {
    stage.emit(n, refused.has(n) ? HUGE_TYPE : GOOD_TYPE);
    if (n % 100 === 99) await stage.beat();
  }
}

async function assertOthers(stage: PumpStage, log: EventLog, refused: ReadonlySet<number>, topics?: string[]) {
  const { numbers, lists } = await readNumbers(log, topics);
  const others = range(0, EVENTS).filter((n) => !refused.has(n));
  assert.deepEqual([...new Set(numbers)], others, 'all others are in the log');
  for (const list of lists) {
    const firstOnes = [...new Set(list)];
    assert.deepEqual(
      firstOnes,
      firstOnes.toSorted((a, b) => a - b),
      'in order of their key',
    );
  }
  const { counters, lines } = stage;
  assert.equal(counters.get('eventsRefused'), refused.size);
  assert.equal(counters.get('eventsDropped'), refused.size);
  assert.deepEqual([...counters.eventTypesDropped.subarray(0, 3)], [0, refused.size, 0]);
  assert.equal(counters.get('eventsAppended'), EVENTS - refused.size);
  assert.equal(counters.get('eventsWaiting'), 0);
  const told = lines.filter((line) => /'bought' for good/.test(line));
  assert.equal(told.length, 1, lines.join('\n'));
  return { told: told[0], numbers };
}

test('from memory: what is too large is left out, told once and counted; the rest arrives once and in order', async (t) => {
  const { folder, log } = await openEmbedded(t);
  const refused = chooseRefused();
  const stage = new PumpStage(folder, log, {}, undefined, withHuge(LOG_RECORD_BYTES_MAX + 1000));
  await emitAll(stage, refused);
  await stage.drain();
  await stage.stop();
  const { told, numbers } = await assertOthers(stage, log, refused);
  assert.equal(numbers.length, EVENTS - refused.size, 'each once');
  assert.match(told, /at most 786432 are taken/, 'with the reason');
  assert.equal(stage.counters.get('appendFailures'), 0, 'the log was never away');
});

test('from the disk, where only the bytes of an event tell its type', async (t) => {
  const { folder, log } = await openEmbedded(t);
  const refused = chooseRefused();
  const limits = { waitingMax: 50, perAppendMax: 40 };
  const stage = new PumpStage(folder, log, limits, undefined, withHuge(LOG_RECORD_BYTES_MAX + 1000));
  stage.state = 'down';
  await emitAll(stage, refused);
  for (let i = 0; i < 20; i++) await stage.beat();
  assert.ok(stage.counters.get('eventsSpooled') > 200);
  stage.state = 'up';
  await stage.drain();
  await stage.stop();
  await assertOthers(stage, log, refused);
  assert.ok(stage.spool.isEmpty);
});

test('a batch of nothing else is gone, and what comes behind it goes on', async (t) => {
  const { folder, log } = await openEmbedded(t);
  const stage = new PumpStage(folder, log, {}, undefined, withHuge(LOG_RECORD_BYTES_MAX + 1000));
  const refused = new Set(range(0, 8));
  for (const n of refused) stage.emit(n, HUGE_TYPE);
  await stage.beat();
  for (let n = 8; n < EVENTS; n++) stage.emit(n, GOOD_TYPE);
  await stage.drain();
  await stage.stop();
  await assertOthers(stage, log, refused);
});

test('a log that goes away in the middle of the search: what it has taken is not offered again', async (t) => {
  const { folder, log } = await openEmbedded(t);
  const refused = chooseRefused();
  const random = createRandom(SEED);
  const flaky = {
    append: async (records: readonly LogRecord[]) => {
      if (random() < 0.3) throw new PersistError('unavailable', 'gone for a moment');
      await log.append(records);
    },
  } as EventLog;
  const stage = new PumpStage(folder, flaky, {}, undefined, withHuge(LOG_RECORD_BYTES_MAX + 1000));
  await emitAll(stage, refused);
  await stage.drain();
  await stage.stop();
  const { numbers } = await assertOthers(stage, log, refused);
  assert.ok(stage.counters.get('appendFailures') > 3);
  assert.equal(numbers.length, EVENTS - refused.size, 'each once');
});

test('records are told of once each and in order, whatever is refused', async () => {
  const random = createRandom(SEED);
  for (let round = 0; round < 200; round++) {
    const count = 1 + Math.floor(random() * 40);
    const share = random();
    const records = range(0, count).map((n) => ({
      topic: 't',
      key: random() < share ? 'refused' : 'taken',
      value: Uint8Array.of(n),
      timestampMs: 0,
    }));
    const written: number[] = [];
    const append = async (some: readonly LogRecord[]) => {
      if (some.some(({ key }) => key === 'refused')) throw new PersistError('rejected', 'no');
      written.push(...some.map(({ value }) => value[0]));
    };
    const told: string[] = [];
    await appendAround({ append } as EventLog, records, {
      onTaken: (taken) => told.push(...Array.from({ length: taken }, () => 'taken')),
      onRefused: ({ key }) => told.push(key),
    });
    const keys = records.map(({ key }) => key);
    assert.deepEqual(told, keys, `TESSERA_SEED=${SEED}, round ${round}`);
    assert.deepEqual(
      written,
      records.filter(({ key }) => key === 'taken').map(({ value }) => value[0]),
    );
  }
});

test(
  'a topic of Kafka that takes less than we send: what it refuses is left out, the rest is there',
  TIMEOUT,
  async (t) => {
    const broker = findService('kafka');
    if (!requireOrSkip(t, broker !== undefined, skipReason('kafka'))) return;
    t.diagnostic(`TESSERA_SEED=${SEED}`);
    const name = `test-${randomUUID()}`;
    const topics = [`game.events.${name}`];
    const admin = new kafkajs.Kafka({ brokers: [broker!], logCreator: () => () => {} }).admin();
    await admin.connect();
    t.after(async () => {
      await admin.deleteTopics({ topics });
      await admin.disconnect();
    });
    const configEntries = [{ name: 'max.message.bytes', value: String(BROKER_BYTES_MAX) }];
    await admin.createTopics({ topics: [{ topic: topics[0], numPartitions: 3, configEntries }], waitForLeaders: true });
    const log = openKafkaEventLog({ brokers: [broker!], compression: 'none' });
    t.after(() => log.close());
    const topic = name as 'player';
    const context = withHuge(BROKER_BYTES_MAX + 1000, { died: { topic }, bought: { topic } });
    const stage = new PumpStage(openFolder(t), log, {}, undefined, context);
    const refused = chooseRefused();
    await emitAll(stage, refused);
    await stage.drain();
    await stage.stop();
    const { told } = await assertOthers(stage, log, refused, topics);
    assert.match(told, /larger than the max message size/, 'with what the broker said');
  },
);
